/* Takes strlen from musl, which has no symbol versions. */
#include <stddef.h>

extern size_t strlen(const char *text);

size_t plain_length(const char *text)
{
    return strlen(text);
}
