#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

int main(void) {
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) "(?<year>\\d{4})-\\p{Nd}+", PCRE2_ZERO_TERMINATED, PCRE2_UTF, &error,
                                     &at, NULL);
    if (!code || pcre2_jit_compile(code, PCRE2_JIT_COMPLETE)) return 1;
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    if (pcre2_match(code, (PCRE2_SPTR) "on 2026-11", PCRE2_ZERO_TERMINATED, 0, 0, data, NULL) != 2) return 2;
    if (pcre2_get_ovector_pointer(data)[0] != 3) return 3;
    puts("with JIT");
    return 0;
}
