/* What the C library says of the machine. */
#ifndef HOSTINFO_PLATFORM_H
#define HOSTINFO_PLATFORM_H

/* Bytes in a memory page, or 0 when that cannot be asked. */
unsigned long platform_page_size(void);

/* Name of the machine's processor, such as "x86_64"; never null. */
const char *platform_machine(void);

#endif
