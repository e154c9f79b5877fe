#include <stdio.h>
#include <string.h>
#include <zlib-ng.h>

int main(void) {
    unsigned char text[1000], packed[2000], back[1000];
    size_t size = sizeof packed, length = sizeof back;
    memset(text, 'a', sizeof text);
    if (zng_compress(packed, &size, text, sizeof text) != Z_OK) return 1;
    if (zng_uncompress(back, &length, packed, size) != Z_OK) return 2;
    puts(zlibng_version());
    return length != sizeof text || memcmp(text, back, sizeof text) != 0;
}
