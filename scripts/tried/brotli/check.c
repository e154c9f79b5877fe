#include <brotli/decode.h>
#include <brotli/encode.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    unsigned char text[1000], packed[2000], back[1000];
    size_t size = sizeof packed, length = sizeof back;
    memset(text, 'a', sizeof text);
    if (!BrotliEncoderCompress(11, 22, BROTLI_MODE_TEXT, sizeof text, text, &size, packed)) return 1;
    if (BrotliDecoderDecompress(size, packed, &length, back) != BROTLI_DECODER_RESULT_SUCCESS) return 2;
    printf("brotli %x\n", BrotliEncoderVersion() >> 24);
    return length != sizeof text || memcmp(text, back, sizeof text) != 0;
}
