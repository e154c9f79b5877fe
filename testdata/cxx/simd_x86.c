#include <immintrin.h>

int lanes(void) { return (int)(sizeof(__m256i) / sizeof(int)); }
