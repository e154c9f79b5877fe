#include <sodium.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    unsigned char key[crypto_secretbox_KEYBYTES], nonce[crypto_secretbox_NONCEBYTES] = {0};
    unsigned char box[crypto_secretbox_MACBYTES + 5], text[6] = {0};
    if (sodium_init() < 0) return 1;
    crypto_secretbox_keygen(key);
    crypto_secretbox_easy(box, (const unsigned char *)"hello", 5, nonce, key);
    if (crypto_secretbox_open_easy(text, box, sizeof box, nonce, key) || strcmp((char *)text, "hello")) return 2;
    box[3] ^= 1;
    if (!crypto_secretbox_open_easy(text, box, sizeof box, nonce, key)) return 3;
    puts(sodium_version_string());
    return 0;
}
