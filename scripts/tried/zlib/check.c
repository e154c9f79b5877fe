#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void) {
    static unsigned char text[4096], packed[8192], back[4096];
    uLongf size = sizeof packed, restored = sizeof back;
    memset(text, 'x', sizeof text);
    if (compress(packed, &size, text, sizeof text) != Z_OK) return 1;
    if (uncompress(back, &restored, packed, size) != Z_OK) return 2;
    if (restored != sizeof text || memcmp(text, back, restored) || size > 100) return 3;
    puts(zlibVersion());
    return 0;
}
