/*
 * json_in.h - reading a JSON document from outside with limits, and typed access that names the place
 * of what is wrong as a JSON pointer. The only user of jansson. A document is read by one thread.
 *
 * Refused while parsing (STATUS_MALFORMED_JSON): invalid UTF-8, duplicate keys, NaN, Infinity, numbers
 * that overflow, nesting deeper than JSON_IN_DEPTH, bytes after the value.
 */
#ifndef BASE_JSON_IN_H
#define BASE_JSON_IN_H

#include "base/arena.h"
#include "base/err.h"

enum { JSON_IN_DEPTH = 32 };

struct json_doc;

/* A value inside a document: borrowed, valid until the document is freed. node NULL: absent. */
struct json_val {
    const void *node;
    const char *pointer; /* JSON pointer of this value, e.g. "/assets/0/weight"; "" is the root */
    struct json_doc *doc;
};

enum jr_type { JR_ABSENT, JR_NULL, JR_BOOL, JR_INT, JR_REAL, JR_STRING, JR_ARRAY, JR_OBJECT };

/* The document keeps its pointers in the arena; free it before clearing the arena. */
enum status jr_parse(struct str body, struct arena *arena, struct json_doc **ret_doc,
                     struct err *err) NODISCARD;
void jr_free(struct json_doc *doc);
void jr_freep(struct json_doc **doc); /* for CLEANUP */

struct json_val jr_root(struct json_doc *doc);
enum jr_type jr_type(struct json_val val);
bool jr_is_present(struct json_val val); /* neither absent nor null */

/* Member of an object; absent when val is no object or has no such member. */
struct json_val jr_member(struct json_val val, const char *key);
size_t jr_length(struct json_val val);                  /* of an array; 0 for anything else */
struct json_val jr_item(struct json_val val, size_t i); /* of an array; i < length */

/* Iterates an object's members in document order: index 0, 1, ...; false past the end. */
bool jr_member_at(struct json_val val, size_t i, struct str *ret_key, struct json_val *ret_val);

/*
 * val must be an object whose keys are all in allowed[]: else STATUS_WRONG_TYPE or STATUS_UNKNOWN_FIELD,
 * with the nearest allowed name as the suggestion and all of them as what is allowed.
 */
enum status jr_expect_object(struct json_val val, const char *const *allowed, size_t n_allowed,
                             struct err *err) NODISCARD;

/*
 * Typed reads. The value must be present; otherwise STATUS_WRONG_TYPE "is required".
 * Out of [min, max] is STATUS_OUT_OF_RANGE, another type STATUS_WRONG_TYPE; both name the pointer and
 * what is allowed. Strings are borrowed from the document.
 */
enum status jr_read_f64(struct json_val val, double min, double max, double *ret, struct err *err)
    NODISCARD;
enum status jr_read_i64(struct json_val val, int64_t min, int64_t max, int64_t *ret,
                        struct err *err) NODISCARD;
enum status jr_read_bool(struct json_val val, bool *ret, struct err *err) NODISCARD;
enum status jr_read_str(struct json_val val, size_t min_bytes, size_t max_bytes, struct str *ret,
                        struct err *err) NODISCARD;
enum status jr_read_date(struct json_val val, int32_t *ret, struct err *err) NODISCARD;
enum status jr_expect_array(struct json_val val, size_t min_items, size_t max_items,
                            struct err *err) NODISCARD;

/* Every item of an array into ret[0..jr_length): numbers as they are, null as NaN, anything else WRONG_TYPE. */
enum status jr_read_f64_array(struct json_val val, double *ret, struct err *err) NODISCARD;

/* Item i of an array of strings; ptr NULL when it is none. */
struct str jr_text_at(struct json_val val, size_t i);

/* One of names[]; *ret is its index. A miss suggests the nearest name. */
enum status jr_read_choice(struct json_val val, const char *const *names, size_t n_names,
                           size_t *ret, struct err *err) NODISCARD;

/* Marks err as being about val (pointer and shortened value); for checks the caller makes itself. */
void jr_err_at(struct err *err, struct json_val val);

#endif
