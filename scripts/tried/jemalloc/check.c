#include <jemalloc/jemalloc.h>
#include <stdio.h>

int main(void) {
    const char *version;
    size_t size = sizeof version;
    void *block = mallocx(100, MALLOCX_ALIGN(4096));
    if (!block || (size_t)block % 4096 || sallocx(block, 0) < 100) return 1;
    dallocx(block, 0);
    if (mallctl("version", &version, &size, NULL, 0)) return 2;
    puts(version);
    return 0;
}
