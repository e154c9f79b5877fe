#include <git2.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    git_oid id;
    char hex[GIT_OID_SHA1_HEXSIZE + 1];
    git_libgit2_init();
    /* The name that every git gives this file. */
    if (git_odb_hash(&id, "hello\n", 6, GIT_OBJECT_BLOB)) return 1;
    git_oid_tostr(hex, sizeof hex, &id);
    if (strcmp(hex, "ce013625030ba8dba906f756967f9e9ca394464a")) return 2;
    puts(LIBGIT2_VERSION);
    git_libgit2_shutdown();
    return 0;
}
