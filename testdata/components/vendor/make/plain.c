#include <assert.h>
#include <stdio.h>

// `assert` says where it is, which must be the same wherever it is built.
int main(int count, char **words) {
    (void)words;
    assert(count < 9);
    puts("plain");
    return 0;
}
