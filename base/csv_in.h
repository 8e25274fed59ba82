/*
 * csv_in.h - reading CSV (RFC 4180) as a stream: quotes, line breaks inside them, LF or CRLF, a byte-order
 * mark. Memory is bounded by the longest row allowed. A reader belongs to one thread.
 * An empty field is NULL, a quoted empty one ("") is the empty string. Empty lines at the end, or such with nothing but
 * spaces, are as if they were not there; one before a row is refused.
 */
#ifndef BASE_CSV_IN_H
#define BASE_CSV_IN_H

#include "base/err.h"

/* Gives the next bytes, at most size; *ret_n 0 at the end. */
typedef enum status (*csv_source)(void *from, char *to, size_t size, size_t *ret_n,
                                  struct err *err);

struct csv_limits {
    size_t row_bytes;   /* longest row, quotes included */
    size_t field_bytes; /* longest field, quotes not counted */
    size_t n_fields;    /* most fields of a row */
};

struct csv_in;

enum status csv_new(csv_source source, void *from, struct csv_limits limits, struct csv_in **ret,
                    struct err *err) NODISCARD;
void csv_free(struct csv_in *csv);
void csv_freep(struct csv_in **csv);

/*
 * Reads the next row; *ret_has_row false at the end. Fields are borrowed until the next call.
 * Errors: BAD_CSV with the line as the place: a quote that is not closed or stands inside a field, a row
 * with another number of fields than the first, an empty line before another row, a limit passed, bytes that are not UTF-8,
 * NUL; and what the source answers.
 */
enum status csv_next(struct csv_in *csv, bool *ret_has_row, struct err *err) NODISCARD;
size_t csv_width(const struct csv_in *csv);                   /* fields of the current row */
struct str csv_field(const struct csv_in *csv, size_t field); /* ptr NULL for NULL */
int64_t csv_line(const struct csv_in *csv); /* line the current row begins on, from 1 */

#endif
