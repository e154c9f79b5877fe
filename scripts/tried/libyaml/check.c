#include <stdio.h>
#include <string.h>
#include <yaml.h>

int main(void) {
    const char *text = "a: [one, two, three]\n";
    yaml_parser_t parser;
    yaml_event_t event;
    int done = 0, scalars = 0;
    if (!yaml_parser_initialize(&parser)) return 1;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    while (!done) {
        if (!yaml_parser_parse(&parser, &event)) return 2;
        if (event.type == YAML_SCALAR_EVENT && ++scalars == 4) puts((char *)event.data.scalar.value);
        done = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return scalars == 4 ? 0 : 3;
}
