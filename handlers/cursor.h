/*
 * cursor.h - where a page ended: a generation, the query it belongs to, and the order values of its last
 * row. The text is opaque, URL-safe and checked: any change of a byte is BAD_CURSOR, another query is
 * CURSOR_MISMATCH. It grants nothing: its values are bound like any other parameter.
 */
#ifndef HANDLERS_CURSOR_H
#define HANDLERS_CURSOR_H

#include "base/arena.h"
#include "base/err.h"

struct cursor {
    bool is_backward; /* it leads to the rows before its values, not behind them */
    int64_t generation;
    struct str query;   /* canonical text of the query, without generation and cursor */
    struct str *values; /* ptr NULL for SQL NULL */
    size_t n_values;
};

enum { CURSOR_TEXT_MAX = 4096 };

enum status cursor_encode(const struct cursor *cursor, struct arena *arena, struct str *ret_text,
                          struct err *err) NODISCARD;

/* query is what the cursor must belong to; n_values what its order needs. */
enum status cursor_decode(struct str text, struct str query, size_t n_values, struct arena *arena,
                          struct cursor *ret, struct err *err) NODISCARD;

/* The generation a cursor names, before the query is known; BAD_CURSOR when the text is not one. */
enum status cursor_generation(struct str text, struct arena *arena, int64_t *ret, struct err *err)
    NODISCARD;

#endif
