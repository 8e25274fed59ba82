/* json_out.c - the streaming JSON writer. */
#include "base/json_out.h"

#include "base/date.h"
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <string.h>

void jw_init(struct json_out *json, struct buf *out)
{
    *json = (struct json_out){.out = out};
}

/* The comma before a value or key, unless it is the first of its container or follows a key. */
static void separate(struct json_out *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->has_item[json->depth])
        buf_add_char(json->out, ',');
    json->has_item[json->depth] = true;
}

static void open_container(struct json_out *json, char bracket)
{
    separate(json);
    assert(json->depth + 1 < JSON_OUT_DEPTH);
    json->depth++;
    json->has_item[json->depth] = false;
    buf_add_char(json->out, bracket);
}

static void close_container(struct json_out *json, char bracket)
{
    assert(json->depth > 0);
    json->depth--;
    buf_add_char(json->out, bracket);
}

void jw_object(struct json_out *json)
{
    open_container(json, '{');
}

void jw_end_object(struct json_out *json)
{
    close_container(json, '}');
}

void jw_array(struct json_out *json)
{
    open_container(json, '[');
}

void jw_end_array(struct json_out *json)
{
    close_container(json, ']');
}

static void quoted(struct json_out *json, struct str value)
{
    char *to = jw_is_clean(value) ? buf_room(json->out, value.len + 2) : NULL;
    if (to != NULL) {
        to[0] = '"';
        memcpy(to + 1, value.ptr, value.len);
        to[value.len + 1] = '"';
        json->out->len += value.len + 2;
        return;
    }
    buf_add_char(json->out, '"');
    jw_escape(json->out, value);
    buf_add_char(json->out, '"');
}

void jw_key_str(struct json_out *json, struct str key)
{
    bool has_comma = json->has_item[json->depth], is_plain = !json->after_key && jw_is_clean(key);
    char *to = is_plain ? buf_room(json->out, key.len + 3 + (has_comma ? 1 : 0)) : NULL;
    if (to != NULL) { /* the same in one piece */
        char *at = to;
        if (has_comma)
            *at++ = ',';
        *at++ = '"';
        memcpy(at, key.ptr, key.len);
        at[key.len] = '"';
        at[key.len + 1] = ':';
        json->out->len += (size_t)(at - to) + key.len + 2;
        json->has_item[json->depth] = json->after_key = true;
        return;
    }
    separate(json);
    quoted(json, key);
    buf_add_char(json->out, ':');
    json->after_key = true;
}

void jw_key(struct json_out *json, const char *key)
{
    jw_key_str(json, str_of(key));
}

void jw_raw(struct json_out *json, struct str value)
{
    separate(json);
    buf_add(json->out, value);
}

void jw_null(struct json_out *json)
{
    jw_raw(json, STR("null"));
}

void jw_str(struct json_out *json, struct str value)
{
    if (value.ptr == NULL) {
        jw_null(json);
        return;
    }
    separate(json);
    quoted(json, value);
}

void jw_i64(struct json_out *json, int64_t value)
{
    separate(json);
    buf_add_i64(json->out, value);
}

/* Where to write in place; NULL: there is no such room yet, or, at a builder's limit, never will be. */
static char *room_in_place(const struct buf *out, size_t bytes)
{
    bool has_room =
        !out->failed && out->cap - out->len > bytes && out->max_bytes - out->len >= bytes;
    return has_room ? out->ptr + out->len : NULL;
}

static void add_number(struct buf *out, double value)
{
    char text[NUMBER_TEXT_BYTES], *to = room_in_place(out, sizeof text);
    if (to != NULL)
        out->len += number_format(value, to);
    else
        buf_add(out, (struct str){text, number_format(value, text)});
}

void jw_f64(struct json_out *json, double value)
{
    if (!isfinite(value)) {
        jw_null(json);
        return;
    }
    separate(json);
    add_number(json->out, value);
}

static double value_at(const double *first, size_t i, size_t stride_bytes)
{
    double value;
    memcpy(&value, (const char *)first + i * stride_bytes, sizeof value);
    return value;
}

/* Values and the commas before them, in place: to has room for all. */
static size_t put_values(char *to, const double *first, size_t n, size_t stride_bytes)
{
    static const char none[4] = {'n', 'u', 'l', 'l'};
    char *at = to;
    for (size_t i = 0; i < n; i++) {
        double value = value_at(first, i, stride_bytes);
        *at++ = ',';
        if (isfinite(value)) {
            at += number_format(value, at);
        } else {
            memcpy(at, none, sizeof none);
            at += sizeof none;
        }
    }
    return (size_t)(at - to);
}

static void add_value(struct json_out *json, double value)
{
    if (isfinite(value))
        add_number(json->out, value);
    else
        buf_add(json->out, STR("null"));
}

void jw_f64_column(struct json_out *json, const double *first, size_t n, size_t stride_bytes)
{
    enum { CHUNK = 32 };
    jw_array(json);
    if (n > 0)
        add_value(json, value_at(first, 0, stride_bytes));
    for (size_t i = 1, more; i < n; i += more) {
        more = n - i < CHUNK ? n - i : CHUNK;
        char *to = room_in_place(json->out, more * (NUMBER_TEXT_BYTES + 1));
        const double *from = (const void *)((const char *)first + i * stride_bytes);
        if (to != NULL) {
            json->out->len += put_values(to, from, more, stride_bytes);
            continue;
        }
        more = 1;
        buf_add_char(json->out, ',');
        add_value(json, *from);
    }
    jw_end_array(json);
}

void jw_f64_array(struct json_out *json, const double *values, size_t n)
{
    jw_f64_column(json, values, n, sizeof *values);
}

/* Most days are in the month of the one before them, and up to the 28th without looking at the month. */
void jw_date_array(struct json_out *json, const int32_t *dates, size_t n)
{
    enum { DAY = DATE_TEXT_BYTES - 1, SHORTEST_MONTH = 28 };
    char text[DATE_TEXT_BYTES + 2]; /* ,"2020-01-31 and the closing quote in place of the NUL */
    int day = 0;                    /* of the month */
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        int64_t ahead = i > 0 ? (int64_t)dates[i] - dates[i - 1] : INT64_MAX;
        size_t from = i > 0 ? 0 : 1, len = sizeof text - from;
        if (ahead >= 0 && ahead <= SHORTEST_MONTH - day) {
            day += (int)ahead;
            text[DAY] = (char)('0' + day / 10);
            text[DAY + 1] = (char)('0' + day % 10);
        } else {
            date_format(dates[i], text + 2);
            text[0] = ',';
            text[1] = text[DATE_TEXT_BYTES + 1] = '"';
            day = 10 * (text[DAY] - '0') + text[DAY + 1] - '0';
        }
        char *to = buf_room(json->out, len);
        if (to != NULL) {
            memcpy(to, text + from, len);
            json->out->len += len;
        }
    }
    jw_end_array(json);
}

void jw_bool(struct json_out *json, bool value)
{
    jw_raw(json, value ? STR("true") : STR("false"));
}

void jw_date(struct json_out *json, int32_t date)
{
    char text[DATE_TEXT_BYTES];
    if (date == DATE_NONE) {
        jw_null(json);
        return;
    }
    date_format(date, text);
    jw_str(json, str_of(text));
}

void jw_key_c(struct json_out *json, const char *key, const char *value)
{
    jw_key(json, key);
    jw_str(json, str_of(value));
}

void jw_key_text(struct json_out *json, const char *key, struct str value)
{
    jw_key(json, key);
    jw_str(json, value);
}

void jw_key_i64(struct json_out *json, const char *key, int64_t value)
{
    jw_key(json, key);
    jw_i64(json, value);
}

void jw_key_f64(struct json_out *json, const char *key, double value)
{
    jw_key(json, key);
    jw_f64(json, value);
}

void jw_key_bool(struct json_out *json, const char *key, bool value)
{
    jw_key(json, key);
    jw_bool(json, value);
}

void jw_key_date(struct json_out *json, const char *key, int32_t date)
{
    jw_key(json, key);
    jw_date(json, date);
}

void jw_key_null(struct json_out *json, const char *key)
{
    jw_key(json, key);
    jw_null(json);
}
