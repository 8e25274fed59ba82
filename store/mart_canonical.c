/*
 * mart_canonical.c - one form and one text for equal queries: the name of an answer in caches and tags, and what a
 * cursor belongs to.
 */
#include "store/mart_query_impl.h"

#include <stdlib.h>
#include <string.h>

static bool is_group(const struct filter *filter)
{
    return filter->op == OP_AND || filter->op == OP_OR;
}

size_t filter_count(const struct filter *filters, size_t n)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += is_group(&filters[i]) ? filter_count(filters[i].terms, filters[i].n_terms) : 1;
    return count;
}

void filter_negate(struct filter *filter)
{
    static const enum filter_op opposites[] = {
        [OP_EQ] = OP_NEQ, [OP_NEQ] = OP_EQ, [OP_GT] = OP_LTE,
        [OP_GTE] = OP_LT, [OP_LT] = OP_GTE, [OP_LTE] = OP_GT};
    if (filter->op < ARRAY_LEN(opposites))
        filter->op = opposites[filter->op];
    else if (filter->op == OP_IS && (filter->is == IS_NULL || filter->is == IS_NOT_NULL))
        filter->is = filter->is == IS_NULL ? IS_NOT_NULL : IS_NULL;
    else
        filter->is_negated = !filter->is_negated;
}

static int order_of_values(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int order_of_numbers(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

/* Conditions first, by column; groups behind them. 0 only for equal ones. */
static int order_of_filters(const struct filter *a, const struct filter *b)
{
    int order = order_of_numbers(is_group(a), is_group(b));
    if (order == 0)
        order = order_of_numbers(a->column, b->column);
    if (order == 0)
        order = order_of_numbers((size_t)a->op, (size_t)b->op);
    if (order == 0)
        order = order_of_numbers((size_t)a->is, (size_t)b->is);
    if (order == 0)
        order = order_of_numbers(a->is_negated, b->is_negated);
    for (size_t i = 0; order == 0 && i < a->n_values && i < b->n_values; i++)
        order = str_cmp(a->values[i], b->values[i]);
    if (order == 0)
        order = order_of_numbers(a->n_values, b->n_values);
    for (size_t i = 0; order == 0 && i < a->n_terms && i < b->n_terms; i++)
        order = order_of_filters(&a->terms[i], &b->terms[i]);
    return order != 0 ? order : order_of_numbers(a->n_terms, b->n_terms);
}

static int compare_filters(const void *a, const void *b)
{
    return order_of_filters(a, b);
}

static void normalise_values(struct filter *filter)
{
    size_t n = 0;
    if (filter->n_values > 1)
        qsort(filter->values, filter->n_values, sizeof filter->values[0], order_of_values);
    for (size_t i = 0; i < filter->n_values; i++)
        if (n == 0 || !str_eq(filter->values[i], filter->values[n - 1]))
            filter->values[n++] = filter->values[i];
    filter->n_values = n;
    if (filter->op == OP_IN && n == 1) {
        bool is_negated = filter->is_negated;
        filter->op = is_negated ? OP_NEQ : OP_EQ;
        filter->is_negated = false;
    }
}

static enum status normalise_one(struct filter *filter, struct arena *arena, struct err *err);

/* Terms joined by op into a new array: groups of the same kind give their terms, the rest is sorted without equals. */
static enum status normalise_terms(enum filter_op op, struct filter **terms, size_t *n,
                                   struct arena *arena, struct err *err)
{
    struct filter *out = arena_array(arena, filter_count(*terms, *n), sizeof *out);
    size_t n_out = 0, n_kept = 0;
    if (out == NULL)
        return mart_query_no_memory(err);
    for (size_t i = 0; i < *n; i++) {
        struct filter term = (*terms)[i];
        enum status s = normalise_one(&term, arena, err);
        if (s != STATUS_OK)
            return s;
        bool is_dissolved = term.op == op && !term.is_negated;
        if (is_dissolved)
            memcpy(out + n_out, term.terms, term.n_terms * sizeof *out);
        else
            out[n_out] = term;
        n_out += is_dissolved ? term.n_terms : 1;
    }
    if (n_out > 1)
        qsort(out, n_out, sizeof *out, compare_filters);
    for (size_t i = 0; i < n_out; i++)
        if (n_kept == 0 || order_of_filters(&out[i], &out[n_kept - 1]) != 0)
            out[n_kept++] = out[i];
    *terms = out;
    *n = n_kept;
    return STATUS_OK;
}

static enum status normalise_one(struct filter *filter, struct arena *arena, struct err *err)
{
    if (!is_group(filter)) {
        normalise_values(filter);
        return STATUS_OK;
    }
    enum status s = normalise_terms(filter->op, &filter->terms, &filter->n_terms, arena, err);
    if (s != STATUS_OK || filter->n_terms != 1)
        return s;
    bool is_negated = filter->is_negated;
    struct filter only = filter->terms[0];
    *filter = only;
    if (is_negated)
        filter_negate(filter);
    return STATUS_OK;
}

enum status filters_normalise(struct filter **filters, size_t *n, struct arena *arena,
                              struct err *err)
{
    return *n == 0 ? STATUS_OK : normalise_terms(OP_AND, filters, n, arena, err);
}

static void add_quoted(struct buf *out, struct str value)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"' || value.ptr[i] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, value.ptr[i]);
    }
    buf_add_char(out, '"');
}

/* "[not.]op.values" of a condition. */
static void add_condition(struct buf *out, const struct filter *filter)
{
    static const char *const names[] = {
        [OP_EQ] = "eq",     [OP_NEQ] = "neq",     [OP_GT] = "gt",   [OP_GTE] = "gte",
        [OP_LT] = "lt",     [OP_LTE] = "lte",     [OP_IN] = "in",   [OP_IS] = "is",
        [OP_LIKE] = "like", [OP_ILIKE] = "ilike", [OP_FTS] = "fts", [OP_ISDISTINCT] = "isdistinct"};
    static const char *const is[] = {
        [IS_NULL] = "null", [IS_NOT_NULL] = "not_null", [IS_TRUE] = "true", [IS_FALSE] = "false"};
    buf_printf(out, "%s%s.", filter->is_negated ? "not." : "", names[filter->op]);
    if (filter->op == OP_IS)
        buf_add_c(out, is[filter->is]);
    for (size_t i = 0; i < filter->n_values; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        add_quoted(out, filter->values[i]);
    }
}

static void add_terms(struct buf *out, const struct mart *mart, const struct filter *group)
{
    buf_add_char(out, '(');
    for (size_t i = 0; i < group->n_terms; i++) {
        const struct filter *term = &group->terms[i];
        if (i > 0)
            buf_add_char(out, ',');
        if (is_group(term)) {
            buf_printf(out, "%s%s", term->is_negated ? "not." : "",
                       term->op == OP_AND ? "and" : "or");
            add_terms(out, mart, term);
        } else {
            buf_add(out, mart->columns[term->column].name);
            buf_add_char(out, '.');
            add_condition(out, term);
        }
    }
    buf_add_char(out, ')');
}

void mart_filters_canonical(const struct mart_query *query, struct buf *out)
{
    const struct mart *mart = query->mart;
    for (size_t i = 0; i < query->n_filters; i++) {
        const struct filter *filter = &query->filters[i];
        buf_add_char(out, '&');
        if (is_group(filter)) {
            buf_printf(out, "%s%s=", filter->is_negated ? "not." : "",
                       filter->op == OP_AND ? "and" : "or");
            add_terms(out, mart, filter);
        } else {
            buf_add(out, mart->columns[filter->column].name);
            buf_add_char(out, '=');
            add_condition(out, filter);
        }
    }
    if (query->n_search_columns > 0) {
        buf_add_c(out, "&search=");
        add_quoted(out, query->search);
    }
}

static void add_order(struct buf *out, const struct mart_query *query)
{
    static const char *const nulls[] = {
        [NULLS_DEFAULT] = "", [NULLS_FIRST] = ".nullsfirst", [NULLS_LAST] = ".nullslast"};
    buf_add_c(out, "&order=");
    for (size_t i = 0; i < query->n_order; i++) {
        const struct order_term *term = &query->order[i];
        if (i > 0)
            buf_add_char(out, ',');
        buf_add(out, query->mart->columns[term->column].name);
        buf_add_c(out, term->is_descending ? ".desc" : ".asc");
        buf_add_c(out, nulls[term->nulls]);
    }
}

void mart_query_canonical(const struct mart_query *query, struct buf *out)
{
    const struct mart *mart = query->mart;
    buf_add(out, mart->name);
    buf_printf(out,
               "?generation=%lld&select=", (long long)(mart->is_managed ? query->generation : 0));
    for (size_t i = 0; i < query->n_select; i++) {
        struct str column = mart->columns[query->select[i]].name;
        struct str name = mart_query_name(query, i);
        if (i > 0)
            buf_add_char(out, ',');
        if (!str_eq(name, column)) {
            buf_add(out, name);
            buf_add_char(out, ':');
        }
        buf_add(out, column);
    }
    mart_filters_canonical(query, out);
    add_order(out, query);
    buf_printf(out, "&limit=%lld", (long long)query->limit);
}
