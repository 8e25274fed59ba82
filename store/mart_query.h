/*
 * mart_query.h - a validated read of one mart's rows, compiled to SQL.
 * Column names come from the catalogue only; values are bound, never spliced. The order is made total by
 * appending the key, so that pages never repeat or skip a row. Pure until mart_query_open.
 */
#ifndef STORE_MART_QUERY_H
#define STORE_MART_QUERY_H

#include "base/arena.h"
#include "store/catalog.h"

enum filter_op {
    OP_EQ,
    OP_NEQ,
    OP_GT,
    OP_GTE,
    OP_LT,
    OP_LTE,
    OP_IN,
    OP_IS,
    OP_ISDISTINCT, /* <> in which NULL is a value like any other */
    OP_LIKE,       /* values[0]: '%' any run, '_' one character, '\\' takes the next one as it is */
    OP_ILIKE,      /* the same without regard to the case of ASCII letters */
    OP_FTS,        /* values: words (words.h), all of which the text has */
    OP_AND,        /* terms */
    OP_OR
};
enum is_what { IS_NULL, IS_NOT_NULL, IS_TRUE, IS_FALSE };

/*
 * A condition on a column, or several joined. A column that is NULL meets no condition but is and isdistinct,
 * negated or not, as in SQL.
 */
struct filter {
    size_t column;
    enum filter_op op;
    struct str
        *values; /* one, or several for OP_IN and OP_FTS; checked against the column's kind */
    size_t n_values;
    enum is_what is;
    bool is_negated;
    struct filter *terms; /* of OP_AND and OP_OR: at least one */
    size_t n_terms;
};

enum nulls { NULLS_DEFAULT, NULLS_FIRST, NULLS_LAST };

struct order_term {
    size_t column;
    bool is_descending;
    enum nulls nulls; /* NULLS_DEFAULT: last ascending and first descending */
};

struct mart_query {
    const struct mart *mart;
    int64_t generation; /* rows as of this one; ignored for unmanaged marts */
    size_t *select;     /* column indexes, in output order */
    size_t n_select;
    struct str
        *names; /* of the first n_names selected columns in the output; see mart_query_name */
    size_t n_names;
    struct filter *filters; /* all must hold */
    size_t n_filters;
    struct str
        search; /* text that one of the searched columns must contain, ASCII case ignored; ptr NULL: all */
    size_t search_columns[4];
    size_t n_search_columns;
    struct order_term *order; /* total: mart_query_finish appends the key */
    size_t n_order;
    struct str
        *after; /* values of the order columns of the last row seen, or NULL; ptr NULL is NULL */
    /*
     * With after: the rows before that row instead of those behind it. They come in the query's own order, at most
     * limit, and one more result column follows at mart_query_width: how many were found, limit + 1 at most, so
     * that limit + 1 tells that there are still more before them.
     */
    bool is_backward;
    int64_t limit;  /* MART_LIMIT_ALL: no limit */
    int64_t offset; /* rows left out at the front; not with after */
};

enum {
    MART_LIMIT_DEFAULT = 1000,
    MART_LIMIT_MAX = 50000,
    MART_LIMIT_ALL = -1,
    MART_OFFSET_MAX = 10000,
    MART_FILTERS_MAX = 32, /* conditions in all, however they are joined */
    MART_FILTER_DEPTH_MAX = 4,
    MART_IN_MAX = 500,
    MART_WILDCARDS_MAX = 16,
    MART_WORDS_MAX = 16,
    MART_SELECT_MAX = 2000,
    MART_NAME_BYTES_MAX = 63
};

/* The operators by name, i from 0; ptr NULL behind the last. */
struct str filter_op_name(size_t i, enum filter_op *ret);
bool filter_op_fits(enum filter_op op, enum column_kind kind);

/*
 * "gte.2020-01-01", "in.(a,b,\"c,d\")", "not.is.null", "like.*x*": the part after '='. The parameter is the column's
 * name, and for errors.
 */
enum status filter_parse(const struct mart *mart, struct str parameter, struct str value,
                         struct arena *arena, struct filter *ret_filter, struct err *err) NODISCARD;

/* Whether name is "or", "and", "not.or" or "not.and". */
bool logic_is_name(struct str name);

/* "(a.eq.1,and(b.gt.2,not.or(c.is.null,d.in.(1,2))))", the value of such a parameter. */
enum status logic_parse(const struct mart *mart, struct str parameter, struct str value,
                        struct arena *arena, struct filter *ret_filter, struct err *err) NODISCARD;

/* "a,b", "name:a" and "a.desc,b.asc.nullsfirst". */
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

/* The query as one canonical line (without cursor and offset): equal queries give equal text. Filters and search are its part. */
void mart_query_canonical(const struct mart_query *query, struct buf *out);
void mart_filters_canonical(const struct mart_query *query, struct buf *out);

/* What selected column i is called in the output. */
struct str mart_query_name(const struct mart_query *query, size_t i);

/* Result columns: the selected ones and the order columns that were not selected. */
size_t mart_query_width(const struct mart_query *query);

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

/*
 * The same of the first n columns of the row at hand. Every number is one that JSON can write: another one (NaN,
 * Infinity) is as NULL, and true is returned.
 */
bool mart_row_texts(const struct rows *rows, const enum column_kind *kinds, size_t n,
                    struct arena *room, struct str *ret);

#endif
