/*
 * str.h - {ptr, len} views of bytes, and buf, a bounded builder that lives in an arena.
 * A view does not own its bytes and need not be NUL-terminated; ptr is NULL for "no value".
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/attrs.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).len, ((s).ptr ? (s).ptr : "") /* for "%.*s" */

struct str str_of(const char *c_string); /* NULL gives STR_NONE */
/* As much of [from, to) as there is; of STR_NONE STR_NONE. */
struct str str_sub(struct str s, size_t from, size_t to);
bool str_eq(struct str a, struct str b);
bool str_eq_c(struct str a, const char *b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
bool str_starts(struct str s, struct str prefix);
int str_cmp(struct str a, struct str b); /* bytewise */
struct str str_trim(struct str s);       /* spaces and tabs at both ends */

/* Position of the first c at or after from; s.len when there is none. */
size_t str_find(struct str s, char c, size_t from);

/* Cuts the next field up to sep off the front of *rest; false when *rest is exhausted (ptr NULL). */
bool str_next_field(struct str *rest, char sep, struct str *ret_field);

/* The word for n of something: one when n is 1, else many; for sentences, as "%zu %s". */
const char *str_plural(uint64_t n, const char *one, const char *many);

/* Whole-string conversions: no spaces, no trailing bytes; false when s is not such a number. */
bool str_to_i64(struct str s, int64_t *ret);
bool str_to_f64(struct str s, double *ret); /* finite decimals only: no hex, inf or nan */

bool str_is_utf8(struct str s);
size_t str_utf8_char(struct str s, size_t i); /* length of the well-formed character at i, or 0 */
struct str str_utf8_cut(struct str s,
                        size_t max_bytes); /* longest prefix that ends on a character */

/* A builder: once failed (arena limit or max_bytes) it stays failed and drops further bytes. */
struct buf {
    struct arena *arena;
    char *ptr;
    size_t len;
    size_t cap;
    size_t max_bytes;
    bool failed;
};

void buf_init(struct buf *buf, struct arena *arena, size_t max_bytes);
void buf_init_fixed(struct buf *buf, char *room,
                    size_t size);             /* in room: fails beyond size - 1 bytes */
char *buf_grow(struct buf *buf, size_t more); /* the slow half of buf_room */

/*
 * Room for more bytes at the end of buf, to be written in place: add what was written to buf->len. NULL when
 * there is none. For inner loops; everyone else uses the functions below.
 */
static inline char *buf_room(struct buf *buf, size_t more)
{
    bool has_room = !buf->failed && buf->cap - buf->len > more && buf->max_bytes - buf->len >= more;
    return has_room ? buf->ptr + buf->len : buf_grow(buf, more);
}

void buf_add(struct buf *buf, struct str s);
void buf_add_c(struct buf *buf, const char *c_string);
void buf_add_char(struct buf *buf, char c);
void buf_add_quoted(struct buf *buf, struct str field); /* a field of CSV in quotes, RFC 4180 */
void buf_add_i64(struct buf *buf, int64_t value);
void buf_add_ms(struct buf *buf, int64_t ns); /* milliseconds with three decimals: "1.250" */
void buf_printf(struct buf *buf, const char *format, ...) PRINTF(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF(2, 0);
struct str buf_str(const struct buf *buf); /* borrowed; valid until the next buf_ call */
const char *buf_c_str(struct buf *buf);    /* NUL-terminated, or NULL when failed */

#endif
