/*
 * json_text.h - surgery on JSON as text: members are found and values replaced without building a tree, so that ten
 * thousand variants of one document cost ten thousand copies of its bytes and nothing more.
 * All texts are valid compact JSON, as json_out writes it. Pure; callable from any thread.
 */
#ifndef HANDLERS_JSON_TEXT_H
#define HANDLERS_JSON_TEXT_H

#include "base/json_in.h"
#include "base/json_out.h"

/* End of the JSON value that starts at text[at]: the ',' or closing bracket behind it. */
size_t json_value_end(struct str text, size_t at);

/* Member i of an object's text, counted by *at: 1 at the start. False at the end, or where it is no object. */
bool json_next_member(struct str object, size_t *at, struct str *ret_key, struct str *ret_value);

/* Member name of the member "data" of a document; ptr NULL when there is none. */
struct str json_data_member(struct str document, const char *name);

/* The value as compact JSON. */
enum status json_write(struct json_val val, struct json_out *json, struct err *err) NODISCARD;

/*
 * What stands at pointer (RFC 6901) is to be value, compact JSON. A member that is missing is added to its object,
 * and objects that are missing on the way to it, too.
 */
struct json_splice {
    struct str pointer, value;
};

enum { JSON_SPLICES_MAX = 1024 };

/*
 * Appends document with all splices made to out. The order of splices does not matter.
 * Errors: BAD_SPEC when a pointer leads nowhere, or into what another one replaces: err names the pointer;
 * OUT_OF_MEMORY.
 */
enum status json_splice(struct str document, const struct json_splice *splices, size_t n,
                        struct arena *arena, struct buf *out, struct err *err) NODISCARD;

#endif
