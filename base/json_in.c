/* json_in.c - JSON from outside, read once and checked as it is read. */
#include "base/json_in.h"

#include "base/date.h"
#include "base/suggest.h"

#include <jansson.h>
#include <math.h>
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
    (void)err_set(err, STATUS_MALFORMED_JSON, "Line %d, column %d: %.200s.", error->line,
                  error->column, error->text);
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
    char token[24];
    (void)snprintf(token, sizeof token, "%zu", i);
    return (struct json_val){json_array_get(node(val), i), pointer_to(val, str_of(token)), val.doc};
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

/* The value as JSON text, for an error; long ones are cut by err_at. */
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
    err_at(err, ERR_POINTER, str_of(val.pointer), text_of(val));
}

/* "a string was expected at /start": the one sentence of every type error. */
static enum status wrong_type(struct json_val val, const char *expected, struct err *err)
{
    const char *where = val.pointer[0] == '\0' ? "the body" : val.pointer;
    if (val.node == NULL)
        (void)err_set(err, STATUS_WRONG_TYPE, "%s is required.", where);
    else
        (void)err_set(err, STATUS_WRONG_TYPE, "%s must be %s.", where, expected);
    jr_err_at(err, val);
    err_allow(err, "%s", expected);
    return STATUS_WRONG_TYPE;
}

/* The names with commas between; those that do not fit into an error's list are three dots. */
static void allow_names(const char *before, const char *const *names, size_t n_names,
                        struct err *err)
{
    static const char more[] = ", ...";
    char list[sizeof err->allowed];
    struct buf text;
    buf_init_fixed(&text, list, sizeof list - sizeof more);
    buf_add_c(&text, before);
    size_t whole = text.len;
    for (size_t i = 0; i < n_names && !text.failed; i++) {
        buf_printf(&text, "%s%s", i == 0 ? "" : ", ", names[i]);
        whole = text.failed ? whole : text.len;
    }
    err_allow(err, "%.*s%s", (int)whole, list, text.failed ? more : "");
}

static struct str nearest_of(struct str wanted, const char *const *names, size_t n_names)
{
    struct suggest search = suggest_start(wanted);
    for (size_t i = 0; i < n_names; i++)
        suggest_offer(&search, str_of(names[i]));
    return suggest_take(&search);
}

static enum status unknown_field(struct json_val val, struct str key, const char *const *allowed,
                                 size_t n_allowed, struct err *err)
{
    (void)err_set(err, STATUS_UNKNOWN_FIELD, "There is no field \"%.*s\" here.",
                  STR_ARG(str_utf8_cut(key, 64)));
    jr_err_at(err, (struct json_val){jr_member(val, key.ptr).node, pointer_to(val, key), val.doc});
    err_suggest(err, nearest_of(key, allowed, n_allowed));
    allow_names("", allowed, n_allowed, err);
    return STATUS_UNKNOWN_FIELD;
}

enum status jr_expect_object(struct json_val val, const char *const *allowed, size_t n_allowed,
                             struct err *err)
{
    if (jr_type(val) != JR_OBJECT) {
        (void)wrong_type(val, "an object", err);
        allow_names("an object of ", allowed, n_allowed, err);
        return STATUS_WRONG_TYPE;
    }
    for (void *at = json_object_iter(mutable(val)); at != NULL;
         at = json_object_iter_next(mutable(val), at)) {
        const char *key = json_object_iter_key(at);
        bool is_known = false;
        for (size_t i = 0; i < n_allowed && !is_known; i++)
            is_known = strcmp(key, allowed[i]) == 0;
        if (!is_known)
            return unknown_field(val, str_of(key), allowed, n_allowed, err);
    }
    return STATUS_OK;
}

enum status jr_expect_array(struct json_val val, size_t min_items, size_t max_items,
                            struct err *err)
{
    if (jr_type(val) != JR_ARRAY)
        return wrong_type(val, "an array", err);
    size_t n = jr_length(val);
    if (n >= min_items && n <= max_items)
        return STATUS_OK;
    (void)err_set(err, STATUS_OUT_OF_RANGE, "%s has %zu items.", val.pointer, n);
    err_at(err, ERR_POINTER, str_of(val.pointer), STR(""));
    err_allow(err, "%zu to %zu items", min_items, max_items);
    return STATUS_OUT_OF_RANGE;
}

enum status jr_read_f64(struct json_val val, double min, double max, double *ret, struct err *err)
{
    enum jr_type type = jr_type(val);
    if (type != JR_INT && type != JR_REAL)
        return wrong_type(val, "a number", err);
    double value = json_number_value(node(val));
    if (!isfinite(value) || value < min || value > max) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "%s is out of range.", val.pointer);
        jr_err_at(err, val);
        err_allow(err, "a number from %.15g to %.15g", min, max);
        return STATUS_OUT_OF_RANGE;
    }
    *ret = value;
    return STATUS_OK;
}

enum status jr_read_f64_array(struct json_val val, double *ret, struct err *err)
{
    for (size_t i = 0; i < jr_length(val); i++) {
        const json_t *item = json_array_get(node(val), i);
        if (!json_is_number(item) && !json_is_null(item))
            return wrong_type(jr_item(val, i), "a number or null", err);
        ret[i] = json_is_number(item) ? json_number_value(item) : (double)NAN;
    }
    return STATUS_OK;
}

struct str jr_text_at(struct json_val val, size_t i)
{
    return str_of(json_string_value(json_array_get(node(val), i)));
}

enum status jr_read_i64(struct json_val val, int64_t min, int64_t max, int64_t *ret,
                        struct err *err)
{
    if (jr_type(val) != JR_INT)
        return wrong_type(val, "an integer", err);
    int64_t value = json_integer_value(node(val));
    if (value < min || value > max) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "%s is out of range.", val.pointer);
        jr_err_at(err, val);
        err_allow(err, "an integer from %lld to %lld", (long long)min, (long long)max);
        return STATUS_OUT_OF_RANGE;
    }
    *ret = value;
    return STATUS_OK;
}

enum status jr_read_bool(struct json_val val, bool *ret, struct err *err)
{
    if (jr_type(val) != JR_BOOL)
        return wrong_type(val, "true or false", err);
    *ret = json_is_true(node(val));
    return STATUS_OK;
}

enum status jr_read_str(struct json_val val, size_t min_bytes, size_t max_bytes, struct str *ret,
                        struct err *err)
{
    if (jr_type(val) != JR_STRING)
        return wrong_type(val, "a string", err);
    struct str text = {json_string_value(node(val)), json_string_length(node(val))};
    if (text.len < min_bytes || text.len > max_bytes) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "%s has %zu bytes.", val.pointer, text.len);
        jr_err_at(err, val);
        if (min_bytes == max_bytes)
            err_allow(err, "%zu bytes", min_bytes);
        else
            err_allow(err, "%zu to %zu bytes", min_bytes, max_bytes);
        return STATUS_OUT_OF_RANGE;
    }
    *ret = text;
    return STATUS_OK;
}

enum status jr_read_date(struct json_val val, int32_t *ret, struct err *err)
{
    if (jr_type(val) != JR_STRING)
        return wrong_type(val, "a date as \"YYYY-MM-DD\"", err);
    struct str text = {json_string_value(node(val)), json_string_length(node(val))};
    if (date_parse(text, ret))
        return STATUS_OK;
    (void)err_set(err, STATUS_OUT_OF_RANGE, "%s is not a date.", val.pointer);
    jr_err_at(err, val);
    err_allow(err, "YYYY-MM-DD, a real day from 1900-01-01 to 2199-12-31");
    return STATUS_OUT_OF_RANGE;
}

enum status jr_read_choice(struct json_val val, const char *const *names, size_t n_names,
                           size_t *ret, struct err *err)
{
    bool is_text = jr_type(val) == JR_STRING;
    struct str text = STR_NONE;
    if (is_text)
        text = (struct str){json_string_value(node(val)), json_string_length(node(val))};
    for (size_t i = 0; i < n_names && is_text; i++) {
        if (str_eq_c(text, names[i])) {
            *ret = i;
            return STATUS_OK;
        }
    }
    if (is_text) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "%s is not one of the known names.", val.pointer);
        jr_err_at(err, val);
        err_suggest(err, nearest_of(text, names, n_names));
    } else
        (void)wrong_type(val, "a string", err);
    allow_names("", names, n_names, err);
    return is_text ? STATUS_OUT_OF_RANGE : STATUS_WRONG_TYPE;
}
