#include <stdio.h>
#include <tree_sitter/api.h>

int main(void) {
    TSParser *parser = ts_parser_new();
    printf("language version %d\n", TREE_SITTER_LANGUAGE_VERSION);
    int failed = !parser || ts_parser_language(parser);
    ts_parser_delete(parser);
    return failed;
}
