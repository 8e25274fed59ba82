/*
 * json_splice.h - surgery on JSON as text: values are replaced without building a tree, so that ten thousand variants of
 * one document cost ten thousand copies of its bytes and nothing more.
 * All texts are valid compact JSON, as json_out writes it. Pure; callable from any thread.
 */
#ifndef HANDLERS_JSON_SPLICE_H
#define HANDLERS_JSON_SPLICE_H

#include "base/arena.h"
#include "base/err.h"

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
