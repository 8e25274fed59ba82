/* json_text.c - see json_text.h. */
#include "handlers/json_text.h"

#include <math.h>
#include <string.h>

static const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;

/* Is one of the eight bytes of x equal to c? Source: Warren, Hacker's Delight, 2nd ed., section 6-1. */
static inline uint64_t has_byte(uint64_t x, unsigned char c)
{
    x ^= ones * c;
    return (x - ones) & ~x & tops;
}

/* At the first quote or bracket from at on, or up to seven bytes before it: what is between is of no interest. */
static size_t skip_plain(struct str text, size_t at)
{
    for (uint64_t x; text.len - at >= sizeof x; at += sizeof x) {
        memcpy(&x, text.ptr + at, sizeof x);
        uint64_t braces = x | ones * 0x20; /* '[' and ']' become '{' and '}' */
        if ((has_byte(x, '"') | has_byte(braces, '{') | has_byte(braces, '}')) != 0)
            break;
    }
    return at;
}

/* The same within a string, at the first quote or backslash. */
static size_t skip_letters(struct str text, size_t at)
{
    for (uint64_t x; text.len - at >= sizeof x; at += sizeof x) {
        memcpy(&x, text.ptr + at, sizeof x);
        if ((has_byte(x, '"') | has_byte(x, '\\')) != 0)
            break;
    }
    return at;
}

/* End of the string that starts with the quote at text[at]: its closing quote. */
static size_t string_end(struct str text, size_t at)
{
    for (at = skip_letters(text, at + 1); at < text.len && text.ptr[at] != '"'; at++)
        if (text.ptr[at] == '\\')
            at++;
    return at;
}

size_t json_value_end(struct str text, size_t at)
{
    size_t depth = 0;
    for (; at < text.len; at++) {
        if (depth > 0)
            at = skip_plain(text, at);
        char c = at < text.len ? text.ptr[at] : '\0';
        if (c == '"')
            at = string_end(text, at);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']' || c == ',') && depth == 0)
            return at;
        else if (c == '}' || c == ']')
            depth--;
    }
    return text.len;
}

bool json_next_member(struct str object, size_t *at, struct str *ret_key, struct str *ret_value)
{
    if (*at >= object.len || object.ptr[*at] != '"')
        return false;
    size_t key_end = string_end(object, *at);
    if (key_end + 2 > object.len || object.ptr[key_end + 1] != ':')
        return false;
    *ret_key = str_sub(object, *at + 1, key_end);
    size_t end = json_value_end(object, key_end + 2);
    *ret_value = str_sub(object, key_end + 2, end);
    *at = end + 1;
    return end < object.len;
}

static enum status write_array(struct json_val val, struct json_out *json, struct err *err)
{
    enum status s = STATUS_OK;
    jw_array(json);
    for (size_t i = 0; i < jr_length(val) && s == STATUS_OK; i++)
        s = json_write(jr_item(val, i), json, err);
    jw_end_array(json);
    return s;
}

static enum status write_object(struct json_val val, struct json_out *json, struct err *err)
{
    enum status s = STATUS_OK;
    struct str key;
    struct json_val member;
    jw_object(json);
    for (size_t i = 0; s == STATUS_OK && jr_member_at(val, i, &key, &member); i++) {
        jw_key_str(json, key);
        s = json_write(member, json, err);
    }
    jw_end_object(json);
    return s;
}

struct str json_data_member(struct str document, const char *name)
{
    struct str key, data, value;
    for (size_t at = 1; json_next_member(document, &at, &key, &data);)
        if (str_eq_c(key, "data"))
            for (size_t within = 1; json_next_member(data, &within, &key, &value);)
                if (str_eq_c(key, name))
                    return value;
    return STR_NONE;
}

enum status json_write(struct json_val val, struct json_out *json, struct err *err)
{
    enum status s = STATUS_OK;
    int64_t integer = 0;
    double real = 0;
    bool flag = false;
    struct str text = STR_NONE;
    switch (jr_type(val)) {
    case JR_ABSENT:
    case JR_NULL:
        jw_null(json);
        break;
    case JR_BOOL:
        s = jr_read_bool(val, &flag, err);
        jw_bool(json, flag);
        break;
    case JR_INT:
        s = jr_read_i64(val, INT64_MIN, INT64_MAX, &integer, err);
        jw_i64(json, integer);
        break;
    case JR_REAL:
        s = jr_read_f64(val, -HUGE_VAL, HUGE_VAL, &real, err);
        jw_f64(json, real);
        break;
    case JR_STRING:
        s = jr_read_str(val, 0, SIZE_MAX, &text, err);
        jw_str(json, text);
        break;
    case JR_ARRAY:
        return write_array(val, json, err);
    case JR_OBJECT:
        return write_object(val, json, err);
    }
    return s;
}
