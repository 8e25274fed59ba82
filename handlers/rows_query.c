/* rows_query.c - from request parameters to a mart query; the reading half of rows_answer.h. */
#include "handlers/rows_answer.h"

#include "base/date.h"
#include "handlers/params.h"
#include "server/app.h"

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
}

enum status rows_catalog(struct request *request, struct catalog **ret, struct err *err)
{
    *ret = catalog_cell_get(request->app->catalog);
    if (*ret != NULL)
        return STATUS_OK;
    (void)err_set(err, STATUS_DB_UNAVAILABLE, "The catalogue of marts has not been loaded yet.");
    if (err != NULL)
        err->retry_after_s = 1;
    return STATUS_DB_UNAVAILABLE;
}

enum status rows_query_new(struct request *request, const struct mart *mart, struct mart_query **ret, struct err *err)
{
    struct mart_query *query = ARENA_NEW(&request->arena, struct mart_query);
    struct filter *filters = arena_array(&request->arena, MART_FILTERS_MAX, sizeof *filters);
    if (query == NULL || filters == NULL)
        return out_of_memory(err);
    query->mart = mart;
    query->filters = filters;
    query->limit = MART_LIMIT_DEFAULT;
    *ret = query;
    return STATUS_OK;
}

enum status rows_read_page(struct request *request, struct mart_query *query, struct err *err)
{
    enum status s = STATUS_OK;
    struct str select = request_param(request, "select");
    struct str order = request_param(request, "order");
    if (select.ptr != NULL)
        s = select_parse(query->mart, select, &request->arena, query, err);
    if (s == STATUS_OK && order.ptr != NULL)
        s = order_parse(query->mart, order, &request->arena, query, err);
    if (s == STATUS_OK)
        s = params_i64(request, "limit", 1, MART_LIMIT_MAX, &query->limit, err);
    return s;
}

enum status rows_add_filter(struct mart_query *query, struct filter filter, struct err *err)
{
    if (query->n_filters == MART_FILTERS_MAX) {
        (void)err_set(err, STATUS_BAD_FILTER, "There are more filters than one query may have.");
        err_allow(err, "at most %d filters", MART_FILTERS_MAX);
        return STATUS_BAD_FILTER;
    }
    query->filters[query->n_filters] = filter;
    query->n_filters++;
    return STATUS_OK;
}

static enum status add_comparison(struct request *request, struct mart_query *query, size_t column, enum filter_op op,
                                  struct str value, struct err *err)
{
    struct str *values = ARENA_NEW(&request->arena, struct str);
    if (values == NULL)
        return out_of_memory(err);
    values[0] = value;
    return rows_add_filter(query, (struct filter){.column = column, .op = op, .values = values, .n_values = 1}, err);
}

enum status rows_add_equal(struct request *request, struct mart_query *query, const char *column, struct str value,
                           struct err *err)
{
    int index = mart_column_index(query->mart, str_of(column));
    if (index < 0)
        return err_set(err, STATUS_INTERNAL, "The mart has no column \"%s\".", column);
    enum status s = mart_value_check(&query->mart->columns[index], value, err);
    return s != STATUS_OK ? s : add_comparison(request, query, (size_t)index, OP_EQ, value, err);
}

static enum status refuse_window(const struct mart *mart, struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE, "%.*s has no time column, so from, to and last mean nothing here.",
                  STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, STR("from"), STR(""));
    err_allow(err, "filters on columns: {column}={op}.{value}");
    return STATUS_BAD_VALUE;
}

/* One bound of the window, in the spelling of the time column: a date, or the instant the day starts or ends. */
static enum status add_bound(struct request *request, struct mart_query *query, int32_t date, bool is_upper,
                             struct err *err)
{
    size_t column = (size_t)query->mart->time_column;
    bool is_instant = query->mart->columns[column].kind == COLUMN_INSTANT;
    char text[INSTANT_TEXT_BYTES];
    if (is_instant)
        instant_format((int64_t)(is_upper ? date + 1 : date) * 86400, text);
    else
        date_format(date, text);
    char *copy = arena_dup(&request->arena, str_of(text));
    if (copy == NULL)
        return out_of_memory(err);
    enum filter_op op = !is_upper ? OP_GTE : is_instant ? OP_LT : OP_LTE;
    return add_comparison(request, query, column, op, str_of(copy), err);
}

enum status rows_add_window(struct request *request, struct mart_query *query, struct err *err)
{
    int32_t as_of = DATE_MAX;
    (void)date_parse(str_sub(query->mart->as_of, 0, 10), &as_of);
    struct window window;
    enum status s = params_window(request, as_of, &window, err);
    if (s != STATUS_OK || !window.is_given)
        return s;
    if (query->mart->time_column < 0)
        return refuse_window(query->mart, err);
    if (window.from > DATE_MIN)
        s = add_bound(request, query, window.from, false, err);
    if (s == STATUS_OK && window.to < DATE_MAX)
        s = add_bound(request, query, window.to, true, err);
    return s;
}
