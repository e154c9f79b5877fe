#include <lz4.h>
#include <lz4hc.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char text[1000], packed[2000], back[1000];
    memset(text, 'a', sizeof text);
    int size = LZ4_compress_HC(text, packed, sizeof text, sizeof packed, 9);
    if (size <= 0 || LZ4_decompress_safe(packed, back, size, sizeof back) != sizeof text) return 1;
    puts(LZ4_versionString());
    return memcmp(text, back, sizeof text) != 0;
}
