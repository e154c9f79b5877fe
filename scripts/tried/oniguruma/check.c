#include <oniguruma.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    regex_t *pattern;
    OnigErrorInfo info;
    const UChar *regex = (const UChar *)"(?<year>\\d{4})-\\d+", *text = (const UChar *)"on 2026-11";
    OnigRegion *region = onig_region_new();
    if (onig_new(&pattern, regex, regex + strlen((const char *)regex), ONIG_OPTION_DEFAULT, ONIG_ENCODING_UTF8,
                 ONIG_SYNTAX_DEFAULT, &info))
        return 1;
    const UChar *end = text + strlen((const char *)text);
    if (onig_search(pattern, text, end, text, end, region, ONIG_OPTION_NONE) != 3 || region->end[1] != 7) return 2;
    puts(onig_version());
    return 0;
}
