/* Takes a function that no library has, and Python's marks of floating-point traps. */
#include <stddef.h>

extern void *malloc(size_t size);
extern int absent_function(void *room);
extern int PyFPE_counter;

int gaps(void)
{
    return absent_function(malloc(1)) + PyFPE_counter;
}
