/* json_in_read.c - values of JSON by type and range; what is not as it should be is named with what is allowed. */
#include "base/json_in.h"

#include "base/date.h"
#include "base/suggest.h"

#include <jansson.h>
#include <math.h>

static const json_t *node(struct json_val val)
{
    return val.node;
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

enum status jr_expect_object(struct json_val val, const char *const *allowed, size_t n_allowed,
                             struct err *err)
{
    struct str key;
    struct json_val member;
    if (jr_type(val) != JR_OBJECT) {
        (void)wrong_type(val, "an object", err);
        allow_names("an object of ", allowed, n_allowed, err);
        return STATUS_WRONG_TYPE;
    }
    for (size_t i = 0; jr_member_at(val, i, &key, &member); i++) {
        bool is_known = false;
        for (size_t k = 0; k < n_allowed && !is_known; k++)
            is_known = str_eq_c(key, allowed[k]);
        if (is_known)
            continue;
        (void)err_set(err, STATUS_UNKNOWN_FIELD, "There is no field \"%.*s\" here.",
                      STR_ARG(str_utf8_cut(key, 64)));
        jr_err_at(err, member);
        err_suggest(err, nearest_of(key, allowed, n_allowed));
        allow_names("", allowed, n_allowed, err);
        return STATUS_UNKNOWN_FIELD;
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
    (void)err_set(err, STATUS_OUT_OF_RANGE, "%s has %zu %s.", val.pointer, n,
                  str_plural(n, "item", "items"));
    err_at_json(err, str_of(val.pointer), STR_NONE);
    if (min_items == max_items)
        err_allow(err, "%zu %s", min_items, str_plural(min_items, "item", "items"));
    else
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
        (void)err_set(err, STATUS_OUT_OF_RANGE, "%s has %zu %s.", val.pointer, text.len,
                      str_plural(text.len, "byte", "bytes"));
        jr_err_at(err, val);
        if (min_bytes == max_bytes)
            err_allow(err, "%zu %s", min_bytes, str_plural(min_bytes, "byte", "bytes"));
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
