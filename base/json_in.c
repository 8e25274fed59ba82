/* json_in.c - JSON from outside: parsed within limits, and the way from one value to another. */
#include "base/json_in.h"

#include "base/number.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct json_doc {
    json_t *root;
    struct arena *arena; /* pointers are built here */
};

/* jansson stops at 2,048 levels; ours are fewer, counted before any recursion starts. */
static bool is_too_deep(struct str body)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < body.len; i++) {
        char c = body.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_IN_DEPTH)
                return true;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return false;
}

static enum status malformed(const json_error_t *error, struct err *err)
{
    if (json_error_code(error) == json_error_out_of_memory)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the body.");
    bool is_nul = json_error_code(error) == json_error_null_character ||
                  json_error_code(error) == json_error_null_byte_in_key;
    (void)err_set(err, STATUS_MALFORMED_JSON, "Line %d, column %d: %.200s.", error->line,
                  error->column, is_nul ? "a text has the character U+0000" : error->text);
    if (is_nul)
        err_allow(err, "texts of any characters but U+0000");
    else
        err_allow(
            err,
            "one JSON value (RFC 8259) in UTF-8, without duplicate keys, NaN or Infinity; numbers up to "
            "1.7e308, integers within 64 bits");
    return STATUS_MALFORMED_JSON;
}

enum status jr_parse(struct str body, struct arena *arena, struct json_doc **ret_doc,
                     struct err *err)
{
    if (body.len == 0)
        return err_set(err, STATUS_MALFORMED_JSON, "The body is empty; it must be a JSON object.");
    if (is_too_deep(body)) {
        (void)err_set(err, STATUS_MALFORMED_JSON, "The body nests deeper than %d levels.",
                      JSON_IN_DEPTH);
        err_allow(err, "at most %d levels of objects and arrays", JSON_IN_DEPTH);
        return STATUS_MALFORMED_JSON;
    }
    struct json_doc *doc = ARENA_NEW(arena, struct json_doc);
    if (doc == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the body.");
    json_error_t error;
    doc->arena = arena;
    doc->root = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (doc->root == NULL)
        return malformed(&error, err);
    *ret_doc = doc;
    return STATUS_OK;
}

void jr_free(struct json_doc *doc)
{
    if (doc != NULL) {
        json_decref(doc->root);
        doc->root = NULL;
    }
}

void jr_freep(struct json_doc **doc)
{
    jr_free(*doc);
    *doc = NULL;
}

struct json_val jr_root(struct json_doc *doc)
{
    return (struct json_val){doc->root, "", doc};
}

static const json_t *node(struct json_val val)
{
    return val.node;
}

enum jr_type jr_type(struct json_val val)
{
    if (val.node == NULL)
        return JR_ABSENT;
    switch (json_typeof(node(val))) {
    case JSON_OBJECT:
        return JR_OBJECT;
    case JSON_ARRAY:
        return JR_ARRAY;
    case JSON_STRING:
        return JR_STRING;
    case JSON_INTEGER:
        return JR_INT;
    case JSON_REAL:
        return JR_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return JR_BOOL;
    case JSON_NULL:
        break;
    }
    return JR_NULL;
}

bool jr_is_present(struct json_val val)
{
    enum jr_type type = jr_type(val);
    return type != JR_ABSENT && type != JR_NULL;
}

/* parent's pointer and one more token, with ~ and / escaped as RFC 6901 says. */
static const char *pointer_to(struct json_val parent, struct str token)
{
    size_t from = strlen(parent.pointer);
    char *pointer = arena_alloc(parent.doc->arena, from + 2 * token.len + 2);
    if (pointer == NULL)
        return parent.pointer; /* out of memory: the parent's is near enough */
    memcpy(pointer, parent.pointer, from);
    size_t len = from;
    pointer[len++] = '/';
    for (size_t i = 0; i < token.len; i++) {
        bool is_special = token.ptr[i] == '~' || token.ptr[i] == '/';
        if (is_special)
            pointer[len++] = '~';
        pointer[len++] = !is_special ? token.ptr[i] : token.ptr[i] == '~' ? '0' : '1';
    }
    pointer[len] = '\0';
    return pointer;
}

struct json_val jr_member(struct json_val val, const char *key)
{
    const json_t *found = jr_type(val) == JR_OBJECT ? json_object_get(node(val), key) : NULL;
    return (struct json_val){found, pointer_to(val, str_of(key)), val.doc};
}

size_t jr_length(struct json_val val)
{
    return jr_type(val) == JR_ARRAY ? json_array_size(node(val)) : 0;
}

struct json_val jr_item(struct json_val val, size_t i)
{
    char text[NUMBER_TEXT_BYTES];
    struct str token = {text, number_format((double)i, text)};
    return (struct json_val){json_array_get(node(val), i), pointer_to(val, token), val.doc};
}

/* jansson's iterators want a mutable object; nothing here changes it. */
static json_t *mutable(struct json_val val)
{
    union {
        const void *in;
        json_t *out;
    } cast = {.in = val.node};
    return cast.out;
}

bool jr_member_at(struct json_val val, size_t i, struct str *ret_key, struct json_val *ret_val)
{
    if (jr_type(val) != JR_OBJECT)
        return false;
    json_t *object = mutable(val);
    void *at = json_object_iter(object);
    for (size_t k = 0; k < i && at != NULL; k++)
        at = json_object_iter_next(object, at);
    if (at == NULL)
        return false;
    *ret_key = str_of(json_object_iter_key(at));
    *ret_val = (struct json_val){json_object_iter_value(at), pointer_to(val, *ret_key), val.doc};
    return true;
}

/* The value as JSON text, for an error; long ones are cut by err_at_json. */
static struct str text_of(struct json_val val)
{
    if (val.node == NULL)
        return STR("");
    char *text = json_dumps(node(val), JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));
    char *copy = text == NULL ? NULL : arena_dup(val.doc->arena, str_of(text));
    free(text);
    return copy == NULL ? STR("") : str_of(copy);
}

void jr_err_at(struct err *err, struct json_val val)
{
    err_at_json(err, str_of(val.pointer), text_of(val));
}
