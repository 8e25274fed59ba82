/*
 * yaml_json.c - a program of the build: turns a YAML document (openapi.yaml) into JSON, so that the server can hand
 * out both and browsers need no YAML reader.
 *
 *   yaml_json < in.yaml > out.json
 *
 * Plain scalars get their types by the YAML 1.2 core schema (null, true, false, numbers in decimal); quoted ones are
 * strings. Aliases and tags are refused: JSON has nothing like them.
 * Source: YAML 1.2.2, section 10.3.2.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static void fail(const char *what, size_t line)
{
    (void)fprintf(stderr, "yaml_json: line %zu: %s\n", line + 1, what);
    exit(1);
}

static void put(const char *text)
{
    if (fputs(text, stdout) == EOF)
        fail("the output cannot be written", 0);
}

static void put_string(const char *text, size_t length)
{
    char escape[8];
    put("\"");
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '"' || c == '\\')
            (void)snprintf(escape, sizeof escape, "\\%c", c);
        else if (c < 0x20)
            (void)snprintf(escape, sizeof escape, "\\u%04x", c);
        else
            (void)snprintf(escape, sizeof escape, "%c", c);
        put(escape);
    }
    put("\"");
}

static size_t digits(const char *text, size_t at)
{
    while (text[at] >= '0' && text[at] <= '9')
        at++;
    return at;
}

/* A number as JSON spells it: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *text)
{
    size_t from = text[0] == '-' ? 1 : 0;
    size_t at = digits(text, from);
    if (at == from || (text[from] == '0' && at > from + 1))
        return false;
    if (text[at] == '.') {
        size_t end = digits(text, at + 1);
        if (end == at + 1)
            return false;
        at = end;
    }
    if (text[at] == 'e' || text[at] == 'E') {
        size_t sign = text[at + 1] == '+' || text[at + 1] == '-' ? 2 : 1;
        size_t end = digits(text, at + sign);
        if (end == at + sign)
            return false;
        at = end;
    }
    return text[at] == '\0';
}

static bool is_one_of(const char *text, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(text, *names) == 0)
            return true;
    return false;
}

static void put_scalar(const yaml_event_t *event, bool is_key)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    const char *text = (const char *)event->data.scalar.value;
    bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_key;
    if (is_plain && is_one_of(text, nulls))
        put("null");
    else if (is_plain && is_one_of(text, trues))
        put("true");
    else if (is_plain && is_one_of(text, falses))
        put("false");
    else if (is_plain && is_number(text))
        put(text);
    else
        put_string(text, event->data.scalar.length);
}

static yaml_event_t next(yaml_parser_t *parser)
{
    yaml_event_t event;
    if (!yaml_parser_parse(parser, &event))
        fail(parser->problem == NULL ? "it cannot be read" : parser->problem,
             parser->problem_mark.line);
    return event;
}

/* One node, whose first event is given; deletes it. */
static void put_node(yaml_parser_t *parser, yaml_event_t *first)
{
    yaml_event_type_t type = first->type;
    size_t line = first->start_mark.line;
    if (type == YAML_SCALAR_EVENT)
        put_scalar(first, false);
    yaml_event_delete(first);
    if (type == YAML_SCALAR_EVENT)
        return;
    if (type != YAML_MAPPING_START_EVENT && type != YAML_SEQUENCE_START_EVENT)
        fail("an alias has no form in JSON", line);
    bool is_mapping = type == YAML_MAPPING_START_EVENT;
    put(is_mapping ? "{" : "[");
    for (size_t n = 0;; n++) {
        yaml_event_t event = next(parser);
        if (event.type == YAML_MAPPING_END_EVENT || event.type == YAML_SEQUENCE_END_EVENT) {
            yaml_event_delete(&event);
            break;
        }
        put(n > 0 ? "," : "");
        if (is_mapping) {
            if (event.type != YAML_SCALAR_EVENT)
                fail("a key is not a scalar", event.start_mark.line);
            put_scalar(&event, true);
            yaml_event_delete(&event);
            put(":");
            event = next(parser);
        }
        put_node(parser, &event);
    }
    put(is_mapping ? "}" : "]");
}

int main(void)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        fail("out of memory", 0);
    yaml_parser_set_input_file(&parser, stdin);
    yaml_event_t event = next(&parser);
    while (event.type == YAML_STREAM_START_EVENT || event.type == YAML_DOCUMENT_START_EVENT) {
        yaml_event_delete(&event);
        event = next(&parser);
    }
    put_node(&parser, &event);
    put("\n");
    event = next(&parser);
    if (event.type != YAML_DOCUMENT_END_EVENT)
        fail("there is more than one document", event.start_mark.line);
    yaml_event_delete(&event);
    yaml_parser_delete(&parser);
    if (fflush(stdout) != 0)
        fail("the output cannot be written", 0);
    return 0;
}
