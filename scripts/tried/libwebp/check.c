#include <stdio.h>
#include <stdlib.h>
#include <webp/decode.h>
#include <webp/encode.h>

int main(void) {
    unsigned char image[32 * 32 * 3];
    for (unsigned i = 0; i < sizeof image; i++) image[i] = i * 7;
    unsigned char *packed;
    size_t size = WebPEncodeLosslessRGB(image, 32, 32, 32 * 3, &packed);
    int width = 0, height = 0;
    unsigned char *back = size ? WebPDecodeRGB(packed, size, &width, &height) : NULL;
    printf("libwebp %x\n", WebPGetEncoderVersion() >> 16);
    if (!back || width != 32 || height != 32) return 1;
    for (unsigned i = 0; i < sizeof image; i++) if (back[i] != image[i]) return 2;
    return 0;
}
