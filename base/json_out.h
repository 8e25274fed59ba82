/*
 * json_out.h - a streaming JSON writer (jw_) into a buf; no tree in memory. The prefix keeps clear of
 * the names of libjansson, which has a json_object() of its own.
 * Commas and quoting are its business; NaN and infinities are written as null; strings are escaped and
 * bytes that are not UTF-8 become U+FFFD, so the output is always valid JSON. Not thread-safe.
 *
 *   jw_object(&j); jw_key(&j, "name"); jw_str(&j, name); jw_end_object(&j);
 */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H

#include "base/str.h"

enum { JSON_OUT_DEPTH = 32 };

struct json_out {
    struct buf *out;
    unsigned depth;
    bool has_item[JSON_OUT_DEPTH];
    bool after_key;
};

void jw_init(struct json_out *json, struct buf *out);

void jw_object(struct json_out *json);
void jw_end_object(struct json_out *json);
void jw_array(struct json_out *json);
void jw_end_array(struct json_out *json);
void jw_key(struct json_out *json, const char *key);
void jw_key_str(struct json_out *json, struct str key);

void jw_str(struct json_out *json, struct str value); /* ptr NULL is written as null */
void jw_i64(struct json_out *json, int64_t value);
void jw_f64(struct json_out *json, double value); /* shortest text that reads back the same */
void jw_f64_array(struct json_out *json, const double *values, size_t n); /* a whole array */
/* The same of n values that lie stride_bytes apart: one member of an array of structs. */
void jw_f64_column(struct json_out *json, const double *first, size_t n, size_t stride_bytes);
void jw_date_array(struct json_out *json, const int32_t *dates, size_t n);
void jw_bool(struct json_out *json, bool value);
void jw_null(struct json_out *json);
void jw_date(struct json_out *json, int32_t date);    /* DATE_NONE is written as null */
void jw_raw(struct json_out *json, struct str value); /* value is already JSON */

/* Key and value in one call. */
void jw_key_c(struct json_out *json, const char *key, const char *value);
void jw_key_text(struct json_out *json, const char *key, struct str value);
void jw_key_i64(struct json_out *json, const char *key, int64_t value);
void jw_key_f64(struct json_out *json, const char *key, double value);
void jw_key_bool(struct json_out *json, const char *key, bool value);
void jw_key_date(struct json_out *json, const char *key, int32_t date);
void jw_key_null(struct json_out *json, const char *key);

/* Escapes value into out without quotes; for the few who build JSON strings by hand (logs). */
void jw_escape(struct buf *out, struct str value);
bool jw_is_clean(struct str value); /* jw_escape would change nothing */

#endif
