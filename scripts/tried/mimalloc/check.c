#include <mimalloc.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char *text = mi_malloc(1 << 20);
    if (!text || !mi_is_in_heap_region(text)) return 1;
    memset(text, 1, 1 << 20);
    mi_free(text);
    printf("mimalloc %d\n", mi_version() / 100);
    return 0;
}
