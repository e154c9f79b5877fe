/* Exports plain_length; takes memcpy (GLIBC_2.14 on x86_64) and secure_getenv (GLIBC_2.17). */
#include <stddef.h>

extern char *secure_getenv(const char *name);
extern void *memcpy(void *to, const void *from, size_t size);

char plain_buffer[64];

size_t plain_length(const char *text, size_t size)
{
    if (!secure_getenv("PLAIN"))
        memcpy(plain_buffer, text, size);
    return size;
}
