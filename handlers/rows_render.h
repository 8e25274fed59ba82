/*
 * rows_render.h - the rows of a mart query as a table: columns, warnings that follow from the rows, and the
 * address of the next page.
 */
#ifndef HANDLERS_ROWS_RENDER_H
#define HANDLERS_ROWS_RENDER_H

#include "handlers/rows_answer.h"
#include "handlers/table.h"

struct rows_page {
    struct rows_request *rows;
    struct str canonical; /* what a cursor is bound to */
    int64_t count;        /* see rows_count.h; set by rows_fill */
    const char *count_quality;
};

/* A table_fill_fn over a struct rows_page: reads the database and writes every row of the page. */
enum status rows_fill(struct request *request, void *cls, struct table *table, struct err *err);

/* Members mart, generation and as_of of what is read. */
void rows_put_version(struct json_out *json, const struct rows_request *rows);

/* Members of meta that every read of a mart has: a put_meta over a struct rows_page. */
void rows_put_meta(struct json_out *json, void *cls);

#endif
