#include <low.h>
#include <mid.h>
#include <stdio.h>

int main(void) {
    printf("%s %s\n", low(), mid());
    return 0;
}
