/*
 * html.h - the cells of the tables of a page, as text, in order. No parser of HTML: it looks for <td> and </td>, drops the
 * tags in between and what stands in sup, style and script, and reads the few entities that tables of figures have.
 * Pure; any thread.
 */
#ifndef INGEST_HTML_H
#define INGEST_HTML_H

#include "base/arena.h"
#include "base/err.h"

/* One cell of a row; is_first: a new <tr> began before it. */
struct html_cell {
    struct str text; /* blanks put together, none at the ends; may be empty */
    bool is_first;
};

/*
 * The next cell behind *rest, which moves behind it; *ret_found false at the end. The text is in the arena.
 * Errors: OUT_OF_MEMORY; BAD_DATA for a cell that does not end.
 */
enum status html_next_cell(struct str *rest, struct arena *arena, struct html_cell *ret,
                           bool *ret_found, struct err *err) NODISCARD;

#endif
