#include <jemalloc/jemalloc.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const char *version;
    size_t size = sizeof version;
    char *text = malloc(1 << 20);
    if (!text || malloc_usable_size(text) < 1 << 20) return 1;
    memset(text, 1, 1 << 20);
    if (mallctl("version", &version, &size, NULL, 0)) return 2;
    puts(version);
    return 0;
}
