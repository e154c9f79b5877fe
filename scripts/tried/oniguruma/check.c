#include <oniguruma.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const char *pattern = "b+(?=c)", *text = "abbbc";
    const UChar *end = (const UChar *)text + strlen(text);
    regex_t *regex;
    OnigErrorInfo error;
    if (onig_new(&regex, (const UChar *)pattern, (const UChar *)pattern + strlen(pattern),
                 ONIG_OPTION_DEFAULT, ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &error)) return 1;
    OnigRegion *region = onig_region_new();
    int at = onig_search(regex, (const UChar *)text, end, (const UChar *)text, end, region, ONIG_OPTION_NONE);
    puts(onig_version());
    return at != 1 || region->end[0] != 4;
}
