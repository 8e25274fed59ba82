/* rows_query.c - from request parameters to a mart query; the reading half of rows_answer.h. */
#include "handlers/rows_answer.h"

#include "base/date.h"
#include "handlers/cursor.h"
#include "handlers/params.h"
#include "handlers/rows_count.h"
#include "server/app.h"

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

/* The generation that cursor= or generation= names, else the newest. */
static enum status named_generation(struct request *request, const struct catalog *catalog,
                                    int64_t *ret, const char **ret_parameter, struct err *err)
{
    struct str cursor = request_param(request, "cursor");
    *ret = catalog->generation;
    *ret_parameter = cursor.ptr != NULL ? "cursor" : "generation";
    if (cursor.ptr != NULL)
        return cursor_generation(cursor, &request->arena, ret, err);
    return params_i64(request, "generation", 1, INT64_MAX, ret, err);
}

/* generation= beside a cursor must name the version that the cursor walks through. */
static enum status check_both(struct request *request, const struct rows_request *rows,
                              struct err *err)
{
    int64_t pinned = rows->version.generation;
    int64_t ignored_read_at = 0;
    const struct mart_version *version = NULL;
    enum status s = params_i64(request, "generation", 1, INT64_MAX, &pinned, err);
    if (s == STATUS_OK)
        s = catalog_resolve(rows->catalog, rows->query->mart, pinned, &version, &ignored_read_at,
                            err);
    if (s == STATUS_GENERATION_RETIRED || s == STATUS_BAD_VALUE)
        err_at(err, ERR_PARAMETER, STR("generation"), request_param(request, "generation"));
    if (s != STATUS_OK || version->generation == rows->version.generation)
        return s;
    return params_refuse(err, "generation", request_param(request, "generation"),
                         "the cursor's own generation, or none");
}

static enum status resolve_version(struct request *request, struct rows_request *rows,
                                   struct err *err)
{
    const struct mart *mart = rows->query->mart;
    const struct mart_version *version = NULL;
    const char *parameter = NULL;
    int64_t generation = 0;
    rows->version = (struct mart_version){.as_of = STR("")};
    rows->read_at = rows->catalog->generation;
    if (mart->n_versions == 0)
        return STATUS_OK; /* kept by another tool, or not published yet: there is nothing to choose */
    enum status s = named_generation(request, rows->catalog, &generation, &parameter, err);
    if (s == STATUS_OK)
        s = catalog_resolve(rows->catalog, mart, generation, &version, &rows->read_at, err);
    if (s == STATUS_GENERATION_RETIRED || s == STATUS_BAD_VALUE)
        err_at(err, ERR_PARAMETER, str_of(parameter), request_param(request, parameter));
    if (s != STATUS_OK)
        return s;
    rows->version = *version;
    bool has_both = request_param(request, "cursor").ptr != NULL &&
                    request_param(request, "generation").ptr != NULL;
    return has_both ? check_both(request, rows, err) : STATUS_OK;
}

enum status rows_begin(struct request *request, struct str mart, struct rows_request *rows,
                       struct err *err)
{
    enum status s = rows_catalog(request, &rows->catalog, err);
    if (s != STATUS_OK)
        return s;
    const struct mart *found = catalog_mart(rows->catalog, mart);
    if (found == NULL)
        return catalog_unknown_mart(rows->catalog, mart, err);
    rows->query = ARENA_NEW(&request->arena, struct mart_query);
    struct filter *filters = arena_array(&request->arena, MART_FILTERS_MAX, sizeof *filters);
    if (rows->query == NULL || filters == NULL)
        return err_out_of_memory(err);
    *rows->query =
        (struct mart_query){.mart = found, .filters = filters, .limit = MART_LIMIT_DEFAULT};
    return resolve_version(request, rows, err);
}

void rows_end(struct rows_request *rows)
{
    catalog_unrefp(&rows->catalog);
}

static enum status read_limit(struct request *request, struct mart_query *query, struct err *err)
{
    struct str text = request_param(request, "limit");
    if (str_eq_c(text, "max"))
        query->limit = MART_LIMIT_MAX;
    else if (str_eq_c(text, "all"))
        query->limit = MART_LIMIT_ALL;
    else
        return params_i64(request, "limit", 1, MART_LIMIT_MAX, &query->limit, err);
    return STATUS_OK;
}

static enum status read_offset(struct request *request, struct mart_query *query, struct err *err)
{
    enum status s = params_i64(request, "offset", 0, MART_OFFSET_MAX, &query->offset, err);
    bool has_both = request_param(request, "offset").ptr != NULL &&
                    request_param(request, "cursor").ptr != NULL;
    if (s != STATUS_OK || !has_both)
        return s;
    return params_refuse(err, "offset", request_param(request, "offset"),
                         "either offset or cursor: a cursor says where its page begins");
}

enum status rows_read_page(struct request *request, struct rows_request *rows, struct err *err)
{
    struct mart_query *query = rows->query;
    enum status s = STATUS_OK;
    struct str select = request_param(request, "select");
    struct str order = request_param(request, "order");
    if (select.ptr != NULL)
        s = select_parse(query->mart, select, &request->arena, query, err);
    if (s == STATUS_OK && order.ptr != NULL)
        s = order_parse(query->mart, order, &request->arena, query, err);
    if (s == STATUS_OK)
        s = read_limit(request, query, err);
    if (s == STATUS_OK)
        s = read_offset(request, query, err);
    return s != STATUS_OK ? s : rows_count_read(request, &rows->count, err);
}

enum status rows_add_filter(struct rows_request *rows, struct filter filter, struct err *err)
{
    struct mart_query *query = rows->query;
    if (query->n_filters == MART_FILTERS_MAX) {
        (void)err_set(err, STATUS_BAD_FILTER, "There are more filters than one query may have.");
        err_allow(err, "at most %d filters", MART_FILTERS_MAX);
        return STATUS_BAD_FILTER;
    }
    query->filters[query->n_filters] = filter;
    query->n_filters++;
    return STATUS_OK;
}

static enum status add_comparison(struct request *request, struct rows_request *rows, size_t column,
                                  enum filter_op op, struct str value, struct err *err)
{
    struct str *values = ARENA_NEW(&request->arena, struct str);
    if (values == NULL)
        return err_out_of_memory(err);
    values[0] = value;
    return rows_add_filter(
        rows, (struct filter){.column = column, .op = op, .values = values, .n_values = 1}, err);
}

enum status rows_add_equal(struct request *request, struct rows_request *rows, const char *column,
                           struct str value, struct err *err)
{
    const struct mart *mart = rows->query->mart;
    int index = mart_column_index(mart, str_of(column));
    if (index < 0)
        return err_set(err, STATUS_INTERNAL, "The mart has no column \"%s\".", column);
    enum status s = mart_value_check(&mart->columns[index], value, err);
    return s != STATUS_OK ? s : add_comparison(request, rows, (size_t)index, OP_EQ, value, err);
}

static enum status refuse_window(const struct mart *mart, struct err *err)
{
    (void)err_set(err, STATUS_BAD_VALUE,
                  "%.*s has no time column, so from, to and last mean nothing here.",
                  STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, STR("from"), STR_NONE);
    err_allow(err, "filters on columns: {column}={op}.{value}");
    return STATUS_BAD_VALUE;
}

/* One bound of the window, in the spelling of the time column: a date, or the instant the day starts or ends. */
static enum status add_bound(struct request *request, struct rows_request *rows, int32_t date,
                             bool is_upper, struct err *err)
{
    const struct mart *mart = rows->query->mart;
    size_t column = (size_t)mart->time_column;
    bool is_instant = mart->columns[column].kind == COLUMN_INSTANT;
    char text[INSTANT_TEXT_BYTES];
    if (is_instant)
        instant_format((int64_t)(is_upper ? date + 1 : date) * 86400, text);
    else
        date_format(date, text);
    char *copy = arena_dup(&request->arena, str_of(text));
    if (copy == NULL)
        return err_out_of_memory(err);
    enum filter_op op = !is_upper ? OP_GTE : is_instant ? OP_LT : OP_LTE;
    return add_comparison(request, rows, column, op, str_of(copy), err);
}

enum status rows_add_window(struct request *request, struct rows_request *rows, struct err *err)
{
    int32_t as_of = DATE_MAX;
    (void)date_parse(str_sub(rows->version.as_of, 0, 10), &as_of);
    struct window window;
    enum status s = params_window(request, as_of, &window, err);
    if (s != STATUS_OK || !window.is_given)
        return s;
    if (rows->query->mart->time_column < 0)
        return refuse_window(rows->query->mart, err);
    if (window.from > DATE_MIN)
        s = add_bound(request, rows, window.from, false, err);
    if (s == STATUS_OK && window.to < DATE_MAX)
        s = add_bound(request, rows, window.to, true, err);
    return s;
}
