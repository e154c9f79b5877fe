#include <libdeflate.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    char text[1000], packed[2000], back[1000];
    memset(text, 'a', sizeof text);
    struct libdeflate_compressor *out = libdeflate_alloc_compressor(9);
    struct libdeflate_decompressor *in = libdeflate_alloc_decompressor();
    size_t size = libdeflate_deflate_compress(out, text, sizeof text, packed, sizeof packed);
    if (!size || libdeflate_deflate_decompress(in, packed, size, back, sizeof back, NULL)) return 1;
    puts(LIBDEFLATE_VERSION_STRING);
    return memcmp(text, back, sizeof text) != 0;
}
