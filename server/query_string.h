/*
 * query_string.h - the raw query of a target as decoded parameters. Pure; callable from any thread.
 * "a=1&b&a=%20x+y" is a="1", b="", a=" x y": order and repetition are kept, empty pieces ("&&") skipped.
 */
#ifndef SERVER_QUERY_STRING_H
#define SERVER_QUERY_STRING_H

#include "server/request.h"

enum { QUERY_PARAMS_MAX = 200 };

/*
 * Parameters and their text live in the arena.
 * Errors: STATUS_BAD_REQUEST naming the parameter: a % without two hexadecimal digits, a NUL or another
 * control character, text that is not UTF-8, a parameter without a name, more than QUERY_PARAMS_MAX of
 * them; STATUS_OUT_OF_MEMORY.
 */
enum status query_parse(struct str query, struct arena *arena, struct query_param **ret_params,
                        size_t *ret_n, struct err *err) NODISCARD;

/* Pieces between '&' signs: what the library below has to split before anyone can refuse them. */
size_t query_count(struct str query);

/*
 * Percent-decodes s into room, which holds at least s.len bytes. '+' is a space only in queries.
 * False for a broken escape, a NUL, a control character or text that is not UTF-8.
 */
bool percent_decode(struct str s, bool plus_is_space, char *room, struct str *ret);

#endif
