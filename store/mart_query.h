/*
 * mart_query.h - a validated read of one mart's rows, compiled to SQL.
 * Column names come from the catalogue only; values are bound, never spliced. The order is made total by
 * appending the key, so that pages never repeat or skip a row. Pure until mart_query_open.
 */
#ifndef STORE_MART_QUERY_H
#define STORE_MART_QUERY_H

#include "base/arena.h"
#include "store/catalog.h"

enum filter_op { OP_EQ, OP_NEQ, OP_GT, OP_GTE, OP_LT, OP_LTE, OP_IN, OP_IS };
enum is_what { IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE };

struct filter {
    size_t column;
    enum filter_op op;
    struct str *values; /* one, or several for OP_IN; checked against the column's kind */
    size_t n_values;
    enum is_what is;
};

struct order_term {
    size_t column;
    bool is_descending; /* NULLs are last ascending and first descending */
};

struct mart_query {
    const struct mart *mart;
    int64_t generation; /* rows as of this one; ignored for unmanaged marts */
    size_t *select;     /* column indexes, in output order */
    size_t n_select;
    struct filter *filters;
    size_t n_filters;
    struct str
        search; /* text that one of the searched columns must contain, ASCII case ignored; ptr NULL: all */
    size_t search_columns[4];
    size_t n_search_columns;
    struct order_term *order; /* total: mart_query_finish appends the key */
    size_t n_order;
    struct str
        *after; /* values of the order columns of the last row seen, or NULL; ptr NULL is NULL */
    int64_t limit;
};

enum {
    MART_LIMIT_DEFAULT = 1000,
    MART_LIMIT_MAX = 50000,
    MART_FILTERS_MAX = 32,
    MART_IN_MAX = 500
};

/* "gte.2020-01-01", "in.(a,b,\"c,d\")", "is.null": the part after '='. The parameter's name is for errors. */
enum status filter_parse(const struct mart *mart, struct str parameter, struct str value,
                         struct arena *arena, struct filter *ret_filter, struct err *err) NODISCARD;

/* "a,b" and "a.desc,b.asc". */
enum status select_parse(const struct mart *mart, struct str text, struct arena *arena,
                         struct mart_query *query, struct err *err) NODISCARD;
enum status order_parse(const struct mart *mart, struct str text, struct arena *arena,
                        struct mart_query *query, struct err *err) NODISCARD;

/* Rows in which one of the named columns ("uid,name"; at most four, all text) contains text. */
enum status mart_query_search(struct mart_query *query, struct str text, const char *columns,
                              struct arena *arena, struct err *err) NODISCARD;

/* Checks one value against a column's kind (a date, an integer, a decimal ...). */
enum status mart_value_check(const struct mart_column *column, struct str value, struct err *err)
    NODISCARD;

/* Fills defaults (all columns, key order, limit) and makes the order total. Call once, before the rest. */
enum status mart_query_finish(struct mart_query *query, struct arena *arena, struct err *err)
    NODISCARD;

/* The query as one canonical line (without cursor): equal queries give equal text. */
void mart_query_canonical(const struct mart_query *query, struct buf *out);

/*
 * Runs it for limit + 1 rows, so that the caller sees whether there is a next page. Result columns: the
 * selected ones in order, then the order columns that were not selected. Pins the generation of a managed
 * mart (generation.h): GENERATION_RETIRED when it is gone. BAD_CURSOR when a value in after is not of its
 * column's kind.
 */
enum status mart_query_open(struct db *db, const struct mart_query *query, struct arena *arena,
                            struct rows *ret_rows, struct err *err) NODISCARD;

/* Result column that holds order term i. */
size_t mart_query_order_result_column(const struct mart_query *query, size_t i);

/*
 * Value of a column in the spelling that JSON and CSV share on both back ends (decimal canonical, float
 * shortest, date and instant ISO, bool true/false). room is scratch. ptr NULL for NULL.
 */
struct str mart_value_text(const struct rows *rows, size_t result_column, enum column_kind kind,
                           struct arena *room);

#endif
