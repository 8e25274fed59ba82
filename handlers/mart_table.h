/*
 * mart_table.h - what values, facets and aggregates of a mart share: the mart, its version, the same filters as rows
 * have, and an answer as a table.
 */
#ifndef HANDLERS_MART_TABLE_H
#define HANDLERS_MART_TABLE_H

#include "handlers/rows_answer.h"
#include "handlers/table.h"

struct mart_table {
    struct rows_request
        rows;          /* its query is finished; a reference to the catalogue, see mart_table_end */
    struct str detail; /* what the answer depends on beside mart, version and filters */
};

/*
 * Finds the mart and reads filters, from, to and last; names[] are the resource's own parameters. needs_all: without
 * filters the answer is made of every row, see rows_check_scan.
 */
enum status mart_table_begin(struct request *request, const char *const *names, size_t n_names,
                             bool needs_all, struct mart_table *what, struct err *err) NODISCARD;
void mart_table_end(struct mart_table *what); /* also for CLEANUP */

/* Parameters that every such resource takes. */
#define MART_TABLE_PARAMETERS "generation", "from", "to", "last", TABLE_PARAMETERS

/* cls is passed to fill and put_meta; its generation to read at is in the query. */
enum status mart_table_answer(struct request *request, struct mart_table *what, table_fill_fn *fill,
                              void (*put_meta)(struct json_out *json, void *cls), void *cls,
                              struct err *err);

/* Members mart, generation and as_of. */
void mart_table_put_meta(struct json_out *json, const struct mart_table *what);

#endif
