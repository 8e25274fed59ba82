/*
 * rest.c - /rest/v1/{mart}: marts for clients of PostgREST. The same query, caches and writers as /v1/marts/{mart}/rows
 * in another dress: a bare array, ranges of items with Content-Range, and errors in PostgREST's shape.
 * Source: postgrest.org, "Tables and Views", "Pagination and Count", "Errors" (version 13).
 */
#include "handlers/handlers.h"

#include "handlers/answer.h"
#include "handlers/params.h"
#include "handlers/rest_error.h"
#include "handlers/rows_render.h"
#include "handlers/table_write.h"

#include <stdio.h>

#define OBJECT_TYPE "application/vnd.pgrst.object+json"

enum { REST_FORMATS = (1 << FORMAT_JSON) | (1 << FORMAT_CSV), RANGE_TEXT_BYTES = 64 };

/* One read, from its parameters to its rows. */
struct rest {
    struct rows_request *rows;
    struct rows_page page;
    struct table_request what;
    struct table_options options;
    bool is_object;         /* exactly one row, as an object */
    const char *preference; /* echoed in Preference-Applied; NULL: none */
};

static bool has_item(struct str list, const char *wanted)
{
    struct str item;
    while (str_next_field(&list, ',', &item))
        if (str_eq_nocase(str_trim(str_sub(item, 0, str_find(item, ';', 0))), str_of(wanted)))
            return true;
    return false;
}

/* "0-9" or "10-", of items. A Range that is not one of items is ignored, as RFC 9110 wants of unknown units. */
static void read_range(struct request *request, struct mart_query *query)
{
    struct str unit = request_header(request, "Range-Unit");
    struct str range = str_trim(request_header(request, "Range"));
    size_t dash = str_find(range, '-', 0);
    int64_t from = 0;
    int64_t to = 0;
    bool is_of_items = unit.ptr == NULL || str_eq_c(unit, "items");
    if (!is_of_items || dash == range.len || !str_to_i64(str_sub(range, 0, dash), &from))
        return;
    bool is_open = dash + 1 == range.len;
    if (from < 0 ||
        (!is_open && (!str_to_i64(str_sub(range, dash + 1, range.len), &to) || to < from)))
        return;
    query->offset = from;
    if (!is_open && to - from < MART_LIMIT_MAX)
        query->limit = to - from + 1;
}

/* limit= and offset= win over Range. A limit above ours is cut to it: Content-Range tells how many came. */
static enum status read_page(struct request *request, struct mart_query *query, struct err *err)
{
    bool has_limit = request_param(request, "limit").ptr != NULL;
    bool has_offset = request_param(request, "offset").ptr != NULL;
    if (!has_limit && !has_offset)
        read_range(request, query);
    enum status s = params_i64(request, "limit", 1, INT64_MAX, &query->limit, err);
    if (s == STATUS_OK)
        s = params_i64(request, "offset", 0, INT64_MAX, &query->offset, err);
    if (query->limit > MART_LIMIT_MAX)
        query->limit = MART_LIMIT_MAX;
    return s;
}

static void read_count(struct request *request, struct rest *rest)
{
    static const struct {
        const char *preference;
        enum count_mode mode;
    } modes[] = {{"count=exact", COUNT_EXACT},
                 {"count=planned", COUNT_ESTIMATED},
                 {"count=estimated", COUNT_ESTIMATED}};
    struct str prefer = request_header(request, "Prefer");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++)
        if (has_item(prefer, modes[i].preference)) {
            rest->rows->count = modes[i].mode;
            rest->preference = modes[i].preference;
            return;
        }
}

static enum status refuse_embedding(struct str select, struct err *err)
{
    (void)err_set(err, STATUS_BAD_FILTER, "Embedding is not supported: marts are already joined.");
    err_at(err, ERR_PARAMETER, STR("select"), select);
    err_allow(err, "names of columns, each as name or alias:name");
    return STATUS_BAD_FILTER;
}

static enum status read_columns(struct request *request, struct mart_query *query, struct err *err)
{
    struct str select = request_param(request, "select");
    struct str order = request_param(request, "order");
    enum status s = STATUS_OK;
    if (str_find(select, '(', 0) < select.len)
        return refuse_embedding(select, err);
    if (select.len > 0 && !str_eq_c(select, "*"))
        s = select_parse(query->mart, select, &request->arena, query, err);
    if (s == STATUS_OK && order.len > 0)
        s = order_parse(query->mart, order, &request->arena, query, err);
    return s;
}

/* plfts is PostgREST's name for what fts means here: all of the words. A language in parentheses is not looked at. */
static enum status rename_operators(struct request *request, struct err *err)
{
    for (size_t i = 0; i < request->n_params; i++) {
        struct str *value = &request->params[i].value;
        bool is_negated = str_starts(*value, STR("not."));
        struct str rest = str_sub(*value, is_negated ? 4 : 0, value->len);
        if (!str_starts(rest, STR("plfts")))
            continue;
        struct str words = str_sub(rest, str_find(rest, '.', 0) + 1, rest.len);
        struct buf renamed;
        buf_init(&renamed, &request->arena, value->len + 16);
        buf_printf(&renamed, "%sfts.%.*s", is_negated ? "not." : "", STR_ARG(words));
        if (renamed.failed)
            return err_out_of_memory(err);
        *value = buf_str(&renamed);
    }
    return STATUS_OK;
}

/* One row more than an object needs tells that there are too many. */
static enum status negotiate(struct request *request, struct rest *rest, struct err *err)
{
    struct str accept = request_header(request, "Accept");
    rest->options = (struct table_options){.format = FORMAT_JSON, .shape = SHAPE_BARE};
    rest->is_object = has_item(accept, OBJECT_TYPE);
    if (rest->is_object) {
        rest->rows->query->limit = 2;
        return STATUS_OK;
    }
    if (has_item(accept, "application/vnd.pgrst.array+json"))
        return STATUS_OK;
    return negotiate_format(request, REST_FORMATS, &rest->options.format, err);
}

static enum status read_request(struct request *request, struct rest *rest, struct err *err)
{
    static const char *const names[] = {"select", "order", "limit", "offset"};
    enum status s = rename_operators(request, err);
    if (s == STATUS_OK)
        s = rows_begin(request, request->path_params[0], rest->rows, err);
    if (s == STATUS_OK)
        s = rows_read_filters(request, rest->rows, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = read_columns(request, rest->rows->query, err);
    if (s == STATUS_OK)
        s = read_page(request, rest->rows->query, err);
    if (s == STATUS_OK)
        s = negotiate(request, rest, err);
    if (s == STATUS_OK)
        read_count(request, rest);
    return s;
}

static enum status check_object(size_t n_rows, struct err *err)
{
    if (n_rows == 1)
        return STATUS_OK;
    (void)err_set(err, STATUS_NOT_ACCEPTABLE, "The result contains %s.",
                  n_rows == 0 ? "0 rows" : "more than one row");
    err_at(err, ERR_PARAMETER, STR("rows"), STR_NONE);
    return STATUS_NOT_ACCEPTABLE;
}

static enum status check_range(const struct rest *rest, struct err *err)
{
    int64_t offset = rest->rows->query->offset;
    int64_t total = rest->page.count; /* -1: not asked for */
    if (total < 0 || offset <= total)
        return STATUS_OK;
    char range[RANGE_TEXT_BYTES];
    (void)snprintf(range, sizeof range, "*/%lld", (long long)total);
    (void)err_set(err, STATUS_RANGE_NOT_SATISFIABLE,
                  "An offset of %lld was requested, but there are only %lld rows.",
                  (long long)offset, (long long)total);
    err_at(err, ERR_HEADER, STR("Content-Range"), str_of(range)); /* see rest_error.c */
    return STATUS_RANGE_NOT_SATISFIABLE;
}

static void put_range(struct request *request, const struct rest *rest, size_t n_rows)
{
    char total[RANGE_TEXT_BYTES] = "*";
    long long from = (long long)rest->rows->query->offset;
    if (rest->page.count >= 0)
        (void)snprintf(total, sizeof total, "%lld", (long long)rest->page.count);
    if (n_rows == 0)
        reply_header(request, "Content-Range", "*/%s", total);
    else
        reply_header(request, "Content-Range", "%lld-%lld/%s", from, from + (long long)n_rows - 1,
                     total);
}

static enum status produce(struct request *request, void *cls, struct err *err)
{
    struct rest *rest = cls;
    struct table table = {.request = request, .what = &rest->what, .options = rest->options};
    table_open(&table);
    enum status s = table_produce(&table, err);
    if (s == STATUS_OK && rest->is_object)
        s = check_object(table_rows(&table), err);
    if (s == STATUS_OK)
        s = check_range(rest, err);
    if (s != STATUS_OK)
        return s;
    put_range(request, rest, table_rows(&table));
    if (rest->preference != NULL)
        reply_header(request, "Preference-Applied", "%s", rest->preference);
    reply_type(request, 200,
               rest->is_object ? OBJECT_TYPE "; charset=utf-8"
                               : format_media_type(rest->options.format));
    reply_body(request, buf_str(&table.out));
    return STATUS_OK;
}

static enum status identify(struct request *request, const struct rest *rest, struct str *ret,
                            struct err *err)
{
    struct buf identity;
    buf_init(&identity, &request->arena, (size_t)320 * 1024);
    buf_printf(&identity, "rest|%d|%d|%s|%lld|", (int)rest->options.format, rest->is_object,
               rest->preference == NULL ? "" : rest->preference,
               (long long)rest->rows->query->offset);
    mart_query_canonical(rest->rows->query, &identity);
    if (identity.failed)
        return err_out_of_memory(err);
    *ret = buf_str(&identity);
    return STATUS_OK;
}

static enum status answer_rest(struct request *request, struct rest *rest, struct err *err)
{
    enum status s = read_request(request, rest, err);
    struct mart_query *query = rest->rows->query;
    struct answer how = {.produce = produce, .cls = rest};
    if (s != STATUS_OK)
        return s;
    int64_t offset =
        query->offset; /* clients page by it, so the bound of our own resources is not kept here */
    query->offset = 0;
    s = mart_query_finish(query, &request->arena, err);
    if (s != STATUS_OK)
        return s;
    query->offset = offset;
    query->generation = rest->rows->version.generation;
    s = identify(request, rest, &how.identity, err);
    query->generation = rest->rows->read_at;
    rest->page = (struct rows_page){.rows = rest->rows, .canonical = how.identity};
    rest->what = (struct table_request){
        .mart = query->mart, .is_single = rest->is_object, .fill = rows_fill, .cls = &rest->page};
    how.mart = query->mart;
    how.version = rest->rows->version.generation;
    return s != STATUS_OK ? s : answer(request, &how, err);
}

/* 206 when the count is known and rows of it are missing here; the range is read back, as a cache may have kept it. */
static void mark_partial(struct request *request)
{
    const struct reply *reply = &request->reply;
    for (size_t i = 0; i < reply->n_headers && reply->http_status == 200; i++) {
        struct str range = str_of(reply->headers[i].value);
        size_t dash = str_find(range, '-', 0);
        size_t slash = str_find(range, '/', 0);
        int64_t from, to, total;
        if (str_eq_c(str_of(reply->headers[i].name), "Content-Range") && dash < slash &&
            str_to_i64(str_sub(range, 0, dash), &from) &&
            str_to_i64(str_sub(range, dash + 1, slash), &to) &&
            str_to_i64(str_sub(range, slash + 1, range.len), &total) && to - from + 1 < total)
            reply_type(request, 206, reply->content_type);
    }
}

enum status rest_rows_get(struct request *request, struct err *err)
{
    CLEANUP(rows_end) struct rows_request rows = {0};
    struct rest rest = {.rows = &rows};
    reply_header(request, "Vary", "Accept, Prefer, Range");
    enum status s = answer_rest(request, &rest, err);
    if (s != STATUS_OK)
        return rest_error(request, s, err);
    mark_partial(request);
    return STATUS_OK;
}
