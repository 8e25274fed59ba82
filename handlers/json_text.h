/*
 * json_text.h - JSON read as text: members are found without building a tree. All texts are valid compact JSON, as json_out writes it. Pure; callable from any thread.
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

#endif
