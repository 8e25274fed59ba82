/* rows_filters.c - the parameters that are filters: every one that is not among a resource's own. */
#include "handlers/rows_answer.h"

#include "base/suggest.h"
#include "handlers/params.h"
#include "server/app.h"

#include <stdio.h>

static bool is_among(struct str name, const char *const *names, size_t n_names)
{
    for (size_t i = 0; i < n_names; i++)
        if (str_eq_c(name, names[i]))
            return true;
    return false;
}

static enum status unknown_parameter(const struct mart *mart, const struct query_param *param,
                                     const char *const *names, size_t n_names, struct err *err)
{
    struct suggest search = suggest_start(param->name);
    char list[sizeof err->allowed];
    int n = snprintf(list, sizeof list,
                     "a column as {column}={op}.{value} (see /v1/marts/%.*s), or, and",
                     STR_ARG(str_utf8_cut(mart->name, 64)));
    for (size_t i = 0; i < mart->n_columns; i++)
        suggest_offer(&search, mart->columns[i].name);
    for (size_t i = 0; i < n_names; i++) {
        suggest_offer(&search, str_of(names[i]));
        if (n > 0 && (size_t)n < sizeof list)
            n += snprintf(list + n, sizeof list - (size_t)n, ", %s", names[i]);
    }
    (void)err_set(err, STATUS_UNKNOWN_PARAMETER,
                  "\"%.*s\" is neither a column of %.*s nor a parameter.",
                  STR_ARG(str_utf8_cut(param->name, 64)), STR_ARG(mart->name));
    err_at(err, ERR_PARAMETER, param->name, param->value);
    err_suggest(err, suggest_take(&search));
    err_allow(err, "%s", list);
    return STATUS_UNKNOWN_PARAMETER;
}

/* A parameter of the resource stands once; a column may be filtered several times, and all must hold. */
enum status rows_read_filters(struct request *request, struct rows_request *rows,
                              const char *const *names, size_t n_names, struct err *err)
{
    const struct mart *mart = rows->query->mart;
    for (size_t i = 0; i < request->n_params; i++) {
        const struct query_param *param = &request->params[i];
        struct filter filter;
        enum status s;
        if (is_among(param->name, names, n_names)) {
            s = params_check_once(request, i, err);
            if (s != STATUS_OK)
                return s;
            continue;
        }
        if (logic_is_name(param->name))
            s = logic_parse(mart, param->name, param->value, &request->arena, &filter, err);
        else if (mart_column_index(mart, param->name) >= 0)
            s = filter_parse(mart, param->name, param->value, &request->arena, &filter, err);
        else
            return unknown_parameter(mart, param, names, n_names, err);
        if (s == STATUS_OK)
            s = rows_add_filter(rows, filter, err);
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

/* A comparison that an index on its column can answer. */
static bool is_served(const struct mart *mart, const struct filter *filter)
{
    bool compares = filter->op == OP_EQ || filter->op == OP_GT || filter->op == OP_GTE ||
                    filter->op == OP_LT || filter->op == OP_LTE || filter->op == OP_IN;
    return compares && !filter->is_negated && mart->columns[filter->column].is_indexed;
}

enum status rows_check_scan(struct request *request, const struct rows_request *rows,
                            bool needs_all, struct err *err)
{
    const struct mart_query *query = rows->query;
    const struct mart *mart = query->mart;
    int64_t n_rows = mart->n_rows < 0 ? mart->n_rows_estimated : mart->n_rows;
    bool is_small = n_rows < 0 || (uint64_t)n_rows <= request->app->config->scan_rows_max;
    bool is_sorted = query->n_order == 0 || mart->columns[query->order[0].column].is_indexed;
    bool has_filter = query->n_filters > 0 || query->n_search_columns > 0;
    if (is_small || (!has_filter && is_sorted && !needs_all))
        return STATUS_OK;
    for (size_t i = 0; i < query->n_filters; i++)
        if (is_served(mart, &query->filters[i]))
            return STATUS_OK;
    char list[200] = "";
    size_t n = 0;
    for (size_t i = 0; i < mart->n_columns; i++)
        if (mart->columns[i].is_indexed && n < sizeof list)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%.*s", n > 0 ? ", " : "",
                                  STR_ARG(mart->columns[i].name));
    (void)err_set(err, STATUS_TOO_LARGE,
                  "No index serves this query, and %.*s has %s%lld rows to look through.",
                  STR_ARG(mart->name), mart->n_rows < 0 ? "about " : "", (long long)n_rows);
    err_at(err, ERR_PARAMETER, has_filter || needs_all ? STR("filters") : STR("order"), STR_NONE);
    err_allow(err, "beside it, a filter by eq, in, gt, gte, lt or lte on one of: %s", list);
    return STATUS_TOO_LARGE;
}
