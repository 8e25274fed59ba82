/*
 * json_out.h - a streaming JSON writer into a buf; no tree in memory.
 * Commas and quoting are its business; NaN and infinities are written as null; strings are escaped and
 * bytes that are not UTF-8 become U+FFFD, so the output is always valid JSON. Not thread-safe.
 *
 *   json_object(&j); json_key(&j, "name"); json_str(&j, name); json_end_object(&j);
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

void json_out_init(struct json_out *json, struct buf *out);

void json_object(struct json_out *json);
void json_end_object(struct json_out *json);
void json_array(struct json_out *json);
void json_end_array(struct json_out *json);
void json_key(struct json_out *json, const char *key);
void json_key_str(struct json_out *json, struct str key);

void json_str(struct json_out *json, struct str value); /* ptr NULL is written as null */
void json_i64(struct json_out *json, int64_t value);
void json_f64(struct json_out *json, double value); /* shortest text that reads back the same */
void json_bool(struct json_out *json, bool value);
void json_null(struct json_out *json);
void json_date(struct json_out *json, int32_t date);
void json_raw(struct json_out *json, struct str value); /* value is already JSON */

/* Key and value in one call. */
void json_key_c(struct json_out *json, const char *key, const char *value);
void json_key_text(struct json_out *json, const char *key, struct str value);
void json_key_i64(struct json_out *json, const char *key, int64_t value);
void json_key_f64(struct json_out *json, const char *key, double value);
void json_key_bool(struct json_out *json, const char *key, bool value);
void json_key_date(struct json_out *json, const char *key, int32_t date);
void json_key_null(struct json_out *json, const char *key);

/* Escapes value into out without quotes; for the few who build JSON strings by hand (logs). */
void json_escape(struct buf *out, struct str value);

#endif
