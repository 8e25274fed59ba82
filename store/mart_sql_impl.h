/* mart_sql_impl.h - SQL in the making; for the mart_sql*.c files only. */
#ifndef STORE_MART_SQL_IMPL_H
#define STORE_MART_SQL_IMPL_H

#include "store/mart_query_impl.h"
#include "store/mart_sql.h"

enum { SQL_BYTES_MAX = 4 << 20 };

struct builder {
    const struct mart_query *query;
    enum db_kind kind;
    struct buf out;
    struct db_param *params;
    size_t n_params;
    size_t *after; /* parameter number of each order term's last value; 0: it was NULL */
    size_t
        separators; /* parameter number of words_separators, its spaces follow; 0: not needed yet */
};

enum status sql_begin(struct builder *b, const struct mart_query *query, enum db_kind kind,
                      struct arena *arena, struct err *err) NODISCARD;
enum status sql_finish(struct builder *b, struct mart_sql *ret, struct err *err) NODISCARD;

const struct mart_column *sql_column_at(const struct builder *b, size_t column);
bool sql_may_be_null(const struct builder *b, size_t column);

/* The column as it is selected. */
void sql_add_column(struct builder *b, size_t at);

/* How a column is compared and sorted: by value, and text bytewise on both back ends. Behind the column's value. */
void sql_add_collation(struct builder *b, size_t at);
void sql_add_ordered(struct builder *b, size_t at); /* column and collation */

/* Its number. There is room for the values of all filters and of after. */
size_t sql_new_param(struct builder *b, struct db_param param);
void sql_add_placeholder(struct builder *b, enum column_kind kind, size_t number);

/* " FROM table WHERE ..." with the generation, all filters and the search. */
void sql_add_where(struct builder *b);

#endif
