/* mart_sql.h - the SQL of a mart_query; for the mart_*.c files and their tests. */
#ifndef STORE_MART_SQL_H
#define STORE_MART_SQL_H

#include "store/mart_query.h"

struct mart_sql {
    const char *text;
    struct db_param *params;
    size_t n_params;
};

/* query is finished and its values are checked. Everything lives in the arena. */
enum status mart_sql_build(const struct mart_query *query, enum db_kind kind, struct arena *arena,
                           struct mart_sql *ret, struct err *err) NODISCARD;

/*
 * Whether the filters name one key of a mart of ours, of which a generation has one row at most: order and limit then
 * say nothing, and are left out.
 */
bool mart_sql_is_one_row(const struct mart_query *query);

/* mart_query.c: checks the cursor's values as well; and what a statement's status means for a query. */
enum status mart_query_compile(const struct mart_query *query, enum db_kind kind,
                               struct arena *arena, struct mart_sql *ret, struct err *err)
    NODISCARD;
enum status mart_query_explain(const struct mart_query *query, enum status s, struct err *err);

/* The number of rows that pass its filters, at most max (0: all); and the plan for reading them, on PostgreSQL. */
enum status mart_sql_count(const struct mart_query *query, int64_t max, enum db_kind kind,
                           struct arena *arena, struct mart_sql *ret, struct err *err) NODISCARD;
enum status mart_sql_explain(const struct mart_query *query, enum db_kind kind, struct arena *arena,
                             struct mart_sql *ret, struct err *err) NODISCARD;

/* "name" with its quotes doubled: an identifier on both back ends. */
void sql_identifier(struct buf *out, struct str name);

#endif
