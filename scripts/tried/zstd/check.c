#include <stdio.h>
#include <string.h>
#include <zstd.h>

int main(void) {
    char text[1000], packed[2000], back[1000];
    memset(text, 'a', sizeof text);
    size_t size = ZSTD_compress(packed, sizeof packed, text, sizeof text, 19);
    if (ZSTD_isError(size) || ZSTD_decompress(back, sizeof back, packed, size) != sizeof text) return 1;
    puts(ZSTD_versionString());
    return memcmp(text, back, sizeof text) != 0;
}
