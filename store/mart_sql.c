/*
 * mart_sql.c - compiles a checked query to SQL of one dialect: what is selected, paging and order.
 *
 * Paging is by key: the rows after the last one seen, in a total order of mixed directions with NULLs at either end.
 * A run of columns that are never NULL and share a direction is one row comparison, (a, b) > ($1, $2), which both
 * back ends answer from an index. Backward, every direction is turned round, and the page is turned back around it.
 */
#include "store/mart_sql_impl.h"

#include "store/value.h"

/* Directions in which rows are read: those of the query, or all turned round. */
static bool is_descending(const struct builder *b, size_t i)
{
    return b->query->order[i].is_descending != b->query->is_backward;
}

static bool has_nulls_first(const struct builder *b, size_t i)
{
    const struct order_term *term = &b->query->order[i];
    bool is_first = term->nulls == NULLS_DEFAULT ? term->is_descending : term->nulls == NULLS_FIRST;
    return is_first != b->query->is_backward;
}

/* (a, b) for the terms [from, to), as columns or as last values. */
static void add_tuple(struct builder *b, size_t from, size_t to, bool is_values)
{
    buf_add_char(&b->out, '(');
    for (size_t i = from; i < to; i++) {
        size_t column = b->query->order[i].column;
        buf_add_c(&b->out, i > from ? ", " : "");
        if (is_values)
            sql_add_placeholder(b, sql_column_at(b, column)->kind, b->after[i]);
        else
            sql_add_ordered(b, column);
    }
    buf_add_char(&b->out, ')');
}

static void add_tuple_comparison(struct builder *b, size_t from, size_t to, const char *sign)
{
    add_tuple(b, from, to, false);
    buf_add_c(&b->out, sign);
    add_tuple(b, from, to, true);
}

/* End of the run of never-NULL terms in one direction that begins at from; from itself when it may be NULL. */
static size_t run_end(const struct builder *b, size_t from)
{
    const struct mart_query *query = b->query;
    size_t to = from;
    while (to < query->n_order && !sql_may_be_null(b, query->order[to].column) &&
           b->after[to] != 0 && is_descending(b, to) == is_descending(b, from))
        to++;
    return to;
}

/* "Strictly after the last value" for one term that may be NULL. */
static void add_strictly_after(struct builder *b, size_t i)
{
    const struct order_term *term = &b->query->order[i];
    if (b->after[i] == 0) {
        if (!has_nulls_first(b, i)) {
            buf_add_c(&b->out, "1 = 0");
            return;
        }
        sql_add_column(b, term->column);
        buf_add_c(&b->out, " IS NOT NULL");
        return;
    }
    buf_add_char(&b->out, '(');
    add_tuple_comparison(b, i, i + 1, is_descending(b, i) ? " < " : " > ");
    if (!has_nulls_first(b, i)) {
        buf_add_c(&b->out, " OR ");
        sql_add_column(b, term->column);
        buf_add_c(&b->out, " IS NULL");
    }
    buf_add_char(&b->out, ')');
}

static void add_equal(struct builder *b, size_t i)
{
    if (b->after[i] == 0) {
        sql_add_column(b, b->query->order[i].column);
        buf_add_c(&b->out, " IS NULL");
    } else {
        add_tuple_comparison(b, i, i + 1, " = ");
    }
}

/* The rows after the last one, by the terms from i on: a > x OR (a = x AND (b > y OR (b = y AND ...))). */
static void add_after(struct builder *b)
{
    size_t n = b->query->n_order;
    size_t depth = 0;
    for (size_t i = 0; i < n;) {
        size_t to = run_end(b, i);
        bool is_run = to > i;
        if (!is_run)
            to = i + 1;
        buf_add_char(&b->out, '(');
        depth++;
        if (is_run)
            add_tuple_comparison(b, i, to, is_descending(b, i) ? " < " : " > ");
        else
            add_strictly_after(b, i);
        if (to < n) {
            buf_add_c(&b->out, " OR (");
            depth++;
            if (is_run)
                add_tuple_comparison(b, i, to, " = ");
            else
                add_equal(b, i);
            buf_add_c(&b->out, " AND ");
        }
        i = to;
    }
    while (depth-- > 0)
        buf_add_char(&b->out, ')');
}

/* When a run does not reach the end, its bound stands in front once more, where an index can use it. */
static void add_paging(struct builder *b)
{
    const struct mart_query *query = b->query;
    if (query->after == NULL || query->n_order == 0)
        return;
    for (size_t i = 0; i < query->n_order; i++) {
        enum column_kind kind = sql_column_at(b, query->order[i].column)->kind;
        b->after[i] =
            query->after[i].ptr == NULL ? 0 : sql_new_param(b, value_param(kind, query->after[i]));
    }
    size_t to = run_end(b, 0);
    if (to > 0 && to < query->n_order) {
        buf_add_c(&b->out, " AND ");
        add_tuple_comparison(b, 0, to, is_descending(b, 0) ? " <= " : " >= ");
    }
    buf_add_c(&b->out, " AND ");
    add_after(b);
}

/* Result columns; of a backward page they have the names c0, c1 ... by which they are turned round. */
static void add_select(struct builder *b)
{
    const struct mart_query *query = b->query;
    size_t n = 0;
    buf_add_c(&b->out, "SELECT ");
    for (size_t i = 0; i < query->n_select + query->n_order; i++) {
        bool is_extra = i >= query->n_select;
        if (is_extra && mart_query_order_result_column(query, i - query->n_select) < n)
            continue;
        buf_add_c(&b->out, n > 0 ? ", " : "");
        sql_add_column(b, is_extra ? query->order[i - query->n_select].column : query->select[i]);
        if (query->is_backward)
            buf_printf(&b->out, " AS c%zu", n);
        n++;
    }
}

/* Behind a column: direction and NULLS where the back end would do otherwise. */
static void add_direction(struct builder *b, size_t i, bool descends, bool nulls_first)
{
    bool is_default = b->kind == DB_SQLITE ? nulls_first != descends : nulls_first == descends;
    buf_add_c(&b->out, descends ? " DESC" : "");
    if (!is_default && sql_may_be_null(b, b->query->order[i].column))
        buf_add_c(&b->out, nulls_first ? " NULLS FIRST" : " NULLS LAST");
}

static void add_order(struct builder *b)
{
    for (size_t i = 0; i < b->query->n_order; i++) {
        buf_add_c(&b->out, i > 0 ? ", " : " ORDER BY ");
        sql_add_ordered(b, b->query->order[i].column);
        add_direction(b, i, is_descending(b, i), has_nulls_first(b, i));
    }
}

static bool is_pinned(const struct mart_query *query, size_t column)
{
    for (size_t i = 0; i < query->n_filters; i++)
        if (query->filters[i].op == OP_EQ && query->filters[i].column == column &&
            !query->filters[i].is_negated)
            return true;
    return false;
}

bool mart_sql_is_one_row(const struct mart_query *query)
{
    bool is_one = query->mart->is_managed && query->mart->n_key > 0 && query->offset == 0 &&
                  !query->is_backward;
    for (size_t i = 0; is_one && i < query->mart->n_key; i++)
        is_one = is_pinned(query, query->mart->key[i]);
    return is_one;
}

/* A literal: with it a prepared statement keeps the plan for so many rows. */
static void add_limit(struct builder *b)
{
    const struct mart_query *query = b->query;
    if (query->limit != MART_LIMIT_ALL)
        buf_printf(&b->out, " LIMIT %lld", (long long)query->limit + 1);
    else if (query->offset > 0 && b->kind == DB_SQLITE)
        buf_add_c(&b->out, " LIMIT -1");
    if (query->offset > 0)
        buf_printf(&b->out, " OFFSET %lld", (long long)query->offset);
}

/* The page that "WITH page AS (" has in front of it, in the query's own order, without the row that is too many. */
static void turn_round(struct builder *b)
{
    const struct mart_query *query = b->query;
    size_t width = mart_query_width(query);
    buf_add_c(&b->out, ") SELECT ");
    for (size_t i = 0; i < width; i++)
        buf_printf(&b->out, "c%zu, ", i);
    buf_add_c(&b->out, "(SELECT COUNT(*) FROM page) FROM page ORDER BY ");
    for (size_t i = 0; i < query->n_order; i++) {
        buf_printf(&b->out, "%sc%zu", i > 0 ? ", " : "", mart_query_order_result_column(query, i));
        sql_add_collation(b, query->order[i].column);
        add_direction(b, i, !is_descending(b, i), !has_nulls_first(b, i));
    }
    if (query->limit != MART_LIMIT_ALL)
        buf_printf(
            &b->out,
            " LIMIT %lld OFFSET (SELECT CASE WHEN COUNT(*) > %lld THEN 1 ELSE 0 END FROM page)",
            (long long)query->limit, (long long)query->limit);
}

enum status mart_sql_build(const struct mart_query *query, enum db_kind kind, struct arena *arena,
                           struct mart_sql *ret, struct err *err)
{
    struct builder b;
    enum status s = sql_begin(&b, query, kind, arena, err);
    if (s != STATUS_OK)
        return s;
    if (query->is_backward)
        buf_add_c(&b.out, "WITH page AS MATERIALIZED (");
    add_select(&b);
    sql_add_where(&b);
    add_paging(&b);
    if (!mart_sql_is_one_row(query)) {
        add_order(&b);
        add_limit(&b);
    }
    if (query->is_backward)
        turn_round(&b);
    return sql_finish(&b, ret, err);
}
