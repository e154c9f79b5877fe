/* A program in C beside the one in Rust: prints what the C library says of the machine. */
#include <stdio.h>

#include "platform.h"

int main(void)
{
	printf("machine: %s\n", platform_machine());
	printf("page_size_bytes: %lu\n", platform_page_size());
	return 0;
}
