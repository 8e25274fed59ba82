/*
 * mart_query.c - defaults, the canonical text, the compilation to SQL and the spelling of results.
 * The one function family that builds SQL from a request: identifiers come from the catalogue and are
 * quoted, values become parameters.
 */
#include "store/mart_query.h"

#include "base/date.h"
#include "base/number.h"
#include "store/generation.h"
#include "store/mart_sql.h"
#include "store/value.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing the query.");
}

enum status mart_value_check(const struct mart_column *column, struct str value, struct err *err)
{
    return value_check(column, value, VALUE_QUERY_BYTES_MAX, err);
}

static bool is_ordered_by(const struct mart_query *query, size_t column)
{
    for (size_t i = 0; i < query->n_order; i++)
        if (query->order[i].column == column)
            return true;
    return false;
}

enum status mart_query_finish(struct mart_query *query, struct arena *arena, struct err *err)
{
    const struct mart *mart = query->mart;
    if (query->limit == 0)
        query->limit = MART_LIMIT_DEFAULT;
    if (query->limit < 1 || query->limit > MART_LIMIT_MAX) {
        enum status s = err_set(err, STATUS_BAD_VALUE, "The limit is out of range.");
        err_at(err, ERR_PARAMETER, STR("limit"), STR_NONE);
        err_allow(err, "1 to %d", (int)MART_LIMIT_MAX);
        return s;
    }
    if (query->n_filters > MART_FILTERS_MAX)
        return err_set(err, STATUS_BAD_FILTER, "At most %d filters may be given.",
                       (int)MART_FILTERS_MAX);
    if (query->n_select == 0) {
        query->select = arena_array(arena, mart->n_columns, sizeof *query->select);
        if (query->select == NULL)
            return no_memory(err);
        for (size_t i = 0; i < mart->n_columns; i++)
            query->select[i] = i;
        query->n_select = mart->n_columns;
    }
    struct order_term *order = arena_array(arena, mart->n_columns, sizeof *order);
    if (order == NULL)
        return no_memory(err);
    if (query->n_order > 0)
        memcpy(order, query->order, query->n_order * sizeof *order);
    query->order = order;
    for (size_t i = 0; i < mart->n_key; i++)
        if (!is_ordered_by(query, mart->key[i]))
            query->order[query->n_order++] = (struct order_term){mart->key[i], false};
    return STATUS_OK;
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

static int order_of_values(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Lists are sets: their order and repetitions do not count. */
static int order_of_filters(const struct filter *a, const struct filter *b)
{
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    if (a->op != b->op)
        return a->op < b->op ? -1 : 1;
    if (a->is != b->is)
        return a->is < b->is ? -1 : 1;
    for (size_t i = 0; i < a->n_values && i < b->n_values; i++) {
        int order = str_cmp(a->values[i], b->values[i]);
        if (order != 0)
            return order;
    }
    return a->n_values < b->n_values ? -1 : a->n_values > b->n_values;
}

static int order_of_filter_pointers(const void *a, const void *b)
{
    return order_of_filters(*(const struct filter *const *)a, *(const struct filter *const *)b);
}

static void add_filter(struct buf *out, const struct mart *mart, const struct filter *filter)
{
    static const char *const names[] = {
        [OP_EQ] = "eq", [OP_NEQ] = "neq", [OP_GT] = "gt", [OP_GTE] = "gte",
        [OP_LT] = "lt", [OP_LTE] = "lte", [OP_IN] = "in", [OP_IS] = "is"};
    static const char *const is[] = {
        [IS_NULL] = "null", [IS_NOT_NULL] = "not_null", [IS_TRUE] = "true", [IS_FALSE] = "false"};
    buf_add_char(out, '&');
    buf_add(out, mart->columns[filter->column].name);
    buf_printf(out, "=%s.", names[filter->op]);
    if (filter->op == OP_IS)
        buf_add_c(out, is[filter->is]);
    for (size_t i = 0; i < filter->n_values; i++) {
        if (i > 0 && str_eq(filter->values[i], filter->values[i - 1]))
            continue;
        if (i > 0)
            buf_add_char(out, ',');
        add_quoted(out, filter->values[i]);
    }
}

void mart_query_canonical(const struct mart_query *query, struct buf *out)
{
    const struct mart *mart = query->mart;
    const struct filter *sorted[MART_FILTERS_MAX];
    size_t n = query->n_filters < MART_FILTERS_MAX ? query->n_filters : MART_FILTERS_MAX;
    for (size_t i = 0; i < n; i++) {
        sorted[i] = &query->filters[i];
        if (sorted[i]->n_values > 1)
            qsort(query->filters[i].values, query->filters[i].n_values, sizeof(struct str),
                  order_of_values);
    }
    if (n > 1) {
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is sorted */
        qsort(sorted, n, sizeof sorted[0], order_of_filter_pointers);
    }
    buf_add(out, mart->name);
    buf_printf(out,
               "?generation=%lld&select=", (long long)(mart->is_managed ? query->generation : 0));
    for (size_t i = 0; i < query->n_select; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add(out, mart->columns[query->select[i]].name);
    }
    for (size_t i = 0; i < n; i++)
        if (i == 0 || order_of_filters(sorted[i], sorted[i - 1]) != 0)
            add_filter(out, mart, sorted[i]);
    if (query->n_search_columns > 0) {
        buf_add_c(out, "&search=");
        add_quoted(out, query->search);
    }
    buf_add_c(out, "&order=");
    for (size_t i = 0; i < query->n_order; i++) {
        if (i > 0)
            buf_add_char(out, ',');
        buf_add(out, mart->columns[query->order[i].column].name);
        buf_add_c(out, query->order[i].is_descending ? ".desc" : ".asc");
    }
    buf_printf(out, "&limit=%lld", (long long)query->limit);
}

static bool is_selected(const struct mart_query *query, size_t column, size_t *ret_at)
{
    for (size_t i = 0; i < query->n_select; i++)
        if (query->select[i] == column) {
            *ret_at = i;
            return true;
        }
    return false;
}

size_t mart_query_order_result_column(const struct mart_query *query, size_t i)
{
    size_t at = 0;
    if (is_selected(query, query->order[i].column, &at))
        return at;
    size_t extra = query->n_select;
    for (size_t k = 0; k < i; k++)
        if (!is_selected(query, query->order[k].column, &at))
            extra++;
    return extra;
}

static enum status bad_cursor(struct err *err)
{
    enum status s = err_set(err, STATUS_BAD_CURSOR,
                            "The cursor holds a value that is not of its column's type.");
    err_at(err, ERR_PARAMETER, STR("cursor"), STR_NONE);
    err_allow(err, "the value of links.next, unchanged");
    return s;
}

static enum status check_after(const struct mart_query *query, struct err *err)
{
    for (size_t i = 0; query->after != NULL && i < query->n_order; i++) {
        enum column_kind kind = query->mart->columns[query->order[i].column].kind;
        if (query->after[i].ptr != NULL && !value_can_follow(kind, query->after[i]))
            return bad_cursor(err);
    }
    return STATUS_OK;
}

enum status mart_query_compile(const struct mart_query *query, enum db_kind kind,
                               struct arena *arena, struct mart_sql *ret, struct err *err)
{
    enum status s = check_after(query, err);
    return s == STATUS_OK ? mart_sql_build(query, kind, arena, ret, err) : s;
}

/* Every other value was checked by its kind; PostgreSQL reads those of a cursor for the first time. */
enum status mart_query_explain(const struct mart_query *query, enum status s, struct err *err)
{
    return s == STATUS_BAD_DATA && query->after != NULL ? bad_cursor(err) : s;
}

enum status mart_query_open(struct db *db, const struct mart_query *query, struct arena *arena,
                            struct rows *ret_rows, struct err *err)
{
    struct mart_sql sql;
    enum status s = mart_query_compile(query, db_kind(db), arena, &sql, err);
    if (s == STATUS_OK && query->mart->is_managed)
        s = generation_pin(db, query->generation, err);
    if (s != STATUS_OK)
        return s;
    s = db_query(db, sql.text, sql.params, sql.n_params, ret_rows, err);
    return mart_query_explain(query, s, err);
}

static bool is_canonical_decimal(struct str s)
{
    size_t from = s.len > 0 && s.ptr[0] == '-' ? 1 : 0;
    size_t point = str_find(s, '.', from);
    bool has_leading_zero = s.len > from + 1 && s.ptr[from] == '0' && s.ptr[from + 1] != '.';
    bool has_trailing_zero = point < s.len && s.ptr[s.len - 1] == '0';
    return !has_leading_zero && !has_trailing_zero && !str_eq(s, STR("-0"));
}

/* YYYY-MM-DD HH:MM:SS with anything behind it; the database has seen to it that there is such a day. */
static bool is_instant_shaped(struct str text)
{
    static const char shape[] = "0000-00-00 00:00:00";
    for (size_t i = 0; i < sizeof shape - 1 && text.len >= sizeof shape - 1; i++) {
        bool is_digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        bool is_between = i == 10 && text.ptr[i] == 'T';
        if (shape[i] == '0' ? !is_digit : text.ptr[i] != shape[i] && !is_between)
            return false;
    }
    return text.len >= sizeof shape - 1;
}

/*
 * Only an unmanaged mart has fractions of a second; they are kept, without trailing zeros. What has no such form
 * (infinity, years before 1 or after 9999) stays as the database writes it and reads it back.
 */
static struct str instant_text(struct str text, struct arena *room)
{
    enum { SECONDS_END = 19 };
    if (text.len == INSTANT_TEXT_BYTES - 1 && text.ptr[10] == 'T' && text.ptr[SECONDS_END] == 'Z')
        return text;
    if (!is_instant_shaped(text))
        return text;
    size_t end = SECONDS_END;
    if (end < text.len && text.ptr[end] == '.')
        end++;
    while (end < text.len && text.ptr[end] >= '0' && text.ptr[end] <= '9')
        end++;
    struct str zone = str_sub(text, end, text.len);
    if (zone.len > 0 && !str_eq(zone, STR("Z")) && !str_eq(zone, STR("+00")))
        return text;
    while (end > SECONDS_END && (text.ptr[end - 1] == '0' || text.ptr[end - 1] == '.'))
        end--;
    char *out = arena_alloc(room, end + 1);
    if (out == NULL)
        return STR_NONE;
    memcpy(out, text.ptr, end);
    out[10] = 'T';
    out[end] = 'Z';
    return (struct str){out, end + 1};
}

static struct str decimal_text(struct str text, struct arena *room)
{
    if (text.len > 0 && text.ptr[0] != '-' && (text.ptr[0] < '0' || text.ptr[0] > '9'))
        return STR_NONE; /* NaN, Infinity */
    if (is_canonical_decimal(text))
        return text;
    char *out = arena_alloc(room, text.len + 2);
    return out == NULL ? STR_NONE : decimal_canonical(text, out);
}

struct str mart_value_text(const struct rows *rows, size_t result_column, enum column_kind kind,
                           struct arena *room)
{
    if (rows_is_null(rows, result_column))
        return STR_NONE;
    switch (kind) {
    case COLUMN_DECIMAL:
        return decimal_text(rows_text(rows, result_column), room);
    case COLUMN_FLOAT: {
        double value = rows_f64(rows, result_column);
        char *out = isfinite(value) ? arena_alloc(room, NUMBER_TEXT_BYTES) : NULL;
        return out == NULL ? STR_NONE : (struct str){out, number_format(value, out)};
    }
    case COLUMN_BOOL:
        return rows_bool(rows, result_column) ? STR("true") : STR("false");
    case COLUMN_INSTANT:
        return instant_text(rows_text(rows, result_column), room);
    case COLUMN_TEXT:
    case COLUMN_INT:
    case COLUMN_DATE:
    case COLUMN_OTHER:
        break;
    }
    return rows_text(rows, result_column);
}
