#include <snappy-c.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char text[1000], packed[2000], back[1000];
    size_t size = sizeof packed, length = sizeof back;
    memset(text, 'a', sizeof text);
    if (snappy_compress(text, sizeof text, packed, &size) != SNAPPY_OK) return 1;
    if (snappy_uncompress(packed, size, back, &length) != SNAPPY_OK) return 2;
    printf("snappy %zu\n", size);
    return length != sizeof text || memcmp(text, back, sizeof text) != 0;
}
