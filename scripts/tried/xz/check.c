#include <lzma.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    static unsigned char text[100000], packed[100000], back[100000];
    size_t size = 0, in = 0, out = 0;
    uint64_t limit = UINT64_MAX;
    memset(text, 'x', sizeof text);
    if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, NULL, text, sizeof text, packed, &size, sizeof packed)) return 1;
    if (lzma_stream_buffer_decode(&limit, 0, NULL, packed, &in, size, back, &out, sizeof back)) return 2;
    if (size > 1000 || out != sizeof text || memcmp(text, back, out)) return 3;
    puts(lzma_version_string());
    return 0;
}
