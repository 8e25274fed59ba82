/* prices.c - prices of one instrument, of many, by a JSON query, and the newest bars. */
#include "handlers/handlers.h"

#include "base/json_in.h"
#include "handlers/instrument.h"
#include "handlers/price_table.h"
#include "handlers/rows_answer.h"
#include "handlers/urls.h"

#include <stdio.h>
#include <string.h>

enum { UIDS_MAX = 200, QUERY_UIDS_MAX = 2000, WIDE_CELLS_MAX = 500000 };

static const char *const marts[] = {"mart_price_daily", "mart_instrument", "mart_fx_daily"};

/* A wide page is limited by its cells, a long one by its rows. */
static int64_t limit_max(const struct price_query *query)
{
    int64_t max = MART_LIMIT_MAX;
    if (query->is_wide && WIDE_CELLS_MAX / (int64_t)query->n_uids < max)
        max = WIDE_CELLS_MAX / (int64_t)query->n_uids;
    return max;
}

/* Everything but the answer: what request_params says, into a query and a page. */
static enum status read_query(struct request *request, size_t max_uids, struct resource *resource,
                              struct price_query *query, struct err *err)
{
    enum status s = resource_begin(request, marts, ARRAY_LEN(marts), resource, err);
    if (s == STATUS_OK)
        s = price_query_read(resource, max_uids, query, err);
    if (s == STATUS_OK)
        s = resource_page(resource, limit_max(query), query->is_wide ? 1 : 2, err);
    return s;
}

static enum status answer_prices(struct resource *resource, struct price_query *query,
                                 struct err *err)
{
    struct price_table table = {
        .resource = resource, .query = query, .loader = {.resource = resource, .query = query}};
    struct table_request what = {.fill = query->is_wide ? price_table_wide : price_table_long,
                                 .put_meta = price_table_put_meta,
                                 .file_name = STR("prices"),
                                 .describedby = STR("/v1/marts/mart_price_daily"),
                                 .cls = &table};
    return resource_answer(resource, what, err);
}

/* Parameters that ask for more than rows of the mart. */
static bool is_computed(const struct request *request)
{
    static const char *const names[] = {"interval", "adjust", "currency", "transform"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (request_param(request, names[i]).ptr != NULL)
            return true;
    return false;
}

/* The mart's own rows, with everything that rows can: order by any column, export of a whole window. */
static enum status plain_prices(struct request *request, struct err *err)
{
    CLEANUP(rows_end) struct rows_request rows = {0};
    enum status s = rows_begin(request, str_of(marts[0]), &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "uid", request->path_params[0], err);
    if (s == STATUS_OK)
        s = rows_add_window(request, &rows, err);
    if (s == STATUS_OK)
        s = rows_read_page(request, &rows, err);
    struct str fields = request_param(request, "fields");
    if (s == STATUS_OK && fields.ptr != NULL && request_param(request, "select").ptr != NULL)
        s = params_refuse(err, "select", request_param(request, "select"),
                          "either fields or select: they are the same");
    if (s == STATUS_OK && fields.ptr != NULL) {
        s = select_parse(rows.query->mart, fields, &request->arena, rows.query, err);
        if (s != STATUS_OK) /* it speaks of select, which was not sent */
            (void)snprintf(err->name, sizeof err->name, "fields");
    }
    rows.when_empty = instrument_must_exist;
    return s != STATUS_OK ? s : rows_answer(request, &rows, err);
}

enum status instrument_prices_get(struct request *request, struct err *err)
{
    static const char *const names[] = {
        "from",   "to",     "last",  "interval", "adjust", "currency",   "transform",
        "fields", "select", "order", "limit",    "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct price_query query = {.uids = request->path_params, .n_uids = 1};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK && !is_computed(request))
        return plain_prices(request, err);
    if (s == STATUS_OK)
        s = read_query(request, 0, &resource, &query, err);
    return s != STATUS_OK ? s : answer_prices(&resource, &query, err);
}

#define QUERY_PARAMETERS                                                                          \
    "instruments", "from", "to", "last", "interval", "adjust", "currency", "transform", "fields", \
        "select", "layout", "field", "order", "limit"

enum status prices_get(struct request *request, struct err *err)
{
    static const char *const names[] = {QUERY_PARAMETERS, "cursor", "generation", TABLE_PARAMETERS};
    CLEANUP(resource_end) struct resource resource = {0};
    struct price_query query = {.n_uids = 0};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = read_query(request, UIDS_MAX, &resource, &query, err);
    return s != STATUS_OK ? s : answer_prices(&resource, &query, err);
}

/* A member of the body as the text that the same parameter would have: arrays are joined by commas. */
static enum status member_text(struct request *request, const char *name, struct json_val value,
                               struct str *ret, struct err *err)
{
    struct buf out;
    int64_t number;
    buf_init(&out, &request->arena, (size_t)512 * 1024);
    enum status s = STATUS_OK;
    if (strcmp(name, "limit") == 0) {
        s = jr_read_i64(value, INT64_MIN, INT64_MAX, &number, err);
        if (s == STATUS_OK)
            buf_add_i64(&out, number);
    } else if (jr_type(value) == JR_ARRAY) {
        for (size_t i = 0; i < jr_length(value) && s == STATUS_OK; i++) {
            struct str item;
            s = jr_read_str(jr_item(value, i), 1, 64, &item, err);
            if (s != STATUS_OK)
                return s;
            if (str_find(item, ',', 0) < item.len)
                s = err_set(err, STATUS_BAD_VALUE, "An item of \"%s\" holds a comma.", name);
            if (i > 0)
                buf_add_char(&out, ',');
            buf_add(&out, item);
        }
    } else {
        struct str text;
        s = jr_read_str(value, 0, 64 * 1024, &text, err);
        if (s == STATUS_OK)
            buf_add(&out, text);
    }
    if (s == STATUS_OK && out.failed)
        s = err_out_of_memory(err);
    *ret = out.len == 0 ? STR("") : buf_str(&out);
    return s;
}

/* The parameters of the address and those of the body as one list. */
static enum status join_params(struct request *request, struct json_val root,
                               struct query_param **ret, size_t *ret_n, struct err *err)
{
    static const char *const names[] = {QUERY_PARAMETERS, "generation"};
    struct query_param *params =
        arena_array(&request->arena, request->n_params + ARRAY_LEN(names), sizeof *params);
    enum status s = jr_expect_object(root, names, ARRAY_LEN(names), err);
    if (s != STATUS_OK)
        return s;
    if (params == NULL)
        return err_out_of_memory(err);
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(names) && s == STATUS_OK; i++) {
        struct json_val value = jr_member(root, names[i]);
        if (!jr_is_present(value))
            continue;
        params[n].name = str_of(names[i]);
        s = member_text(request, names[i], value, &params[n].value, err);
        n++;
    }
    for (size_t i = 0; i < request->n_params; i++)
        params[n++] = request->params[i];
    *ret = params;
    *ret_n = n;
    return s;
}

/* What was wrong with a parameter was wrong with the member of its name, or with one item of that. */
static void point_into_body(struct err *err, struct json_val root)
{
    if (err == NULL || err->where != ERR_PARAMETER)
        return;
    struct json_val member = jr_member(root, err->name);
    for (size_t i = 0; i < jr_length(member); i++) {
        if (str_eq_c(jr_text_at(member, i), err->value)) {
            jr_err_at(err, jr_item(member, i));
            return;
        }
    }
    if (jr_type(member) != JR_ABSENT)
        jr_err_at(err, member);
}

enum { GET_TARGET_MAX = 3500 }; /* what fits a header line: longer lists stay a POST */

/* The same question as an address, when a GET would take it. */
static bool as_get(struct request *request, const struct query_param *params, size_t n,
                   struct str *ret)
{
    struct buf url;
    buf_init(&url, &request->arena, GET_TARGET_MAX);
    buf_add(&url, STR("/v1/prices"));
    for (size_t i = 0; i < n; i++) {
        if (str_eq(params[i].name, STR("instruments"))) {
            size_t n_uids = 1;
            for (size_t k = 0; k < params[i].value.len; k++)
                n_uids += params[i].value.ptr[k] == ',' ? 1 : 0;
            if (n_uids > UIDS_MAX)
                return false;
        }
        buf_add_char(&url, i == 0 ? '?' : '&');
        buf_add(&url, params[i].name);
        buf_add_char(&url, '=');
        url_encode(&url, params[i].value);
    }
    *ret = buf_str(&url);
    return !url.failed;
}

/* What of a request its links are made of. */
struct asked {
    struct str path, target;
    struct query_param *params;
    size_t n_params;
};

static void ask(struct request *request, struct asked asked)
{
    request->path = asked.path;
    request->target = asked.target;
    request->params = asked.params;
    request->n_params = asked.n_params;
}

/*
 * The body's members count as parameters. Where a GET would take them, the answer is that GET's, so that its links
 * lead on without a body; a longer list is walked by sending the same body to the next address.
 */
static enum status answer_query(struct request *request, struct query_param *params, size_t n,
                                struct err *err)
{
    CLEANUP(resource_end) struct resource resource = {0};
    struct price_query query = {.n_uids = 0};
    const struct asked before = {request->path, request->target, request->params,
                                 request->n_params};
    struct asked joined = {request->path, request->target, params, n};
    bool is_get = as_get(request, params, n, &joined.target);
    if (is_get) {
        joined.path = STR("/v1/prices");
        reply_header(request, "Content-Location", "%.*s", STR_ARG(joined.target));
    }
    ask(request, joined);
    enum status s = read_query(request, QUERY_UIDS_MAX, &resource, &query, err);
    if (!is_get)
        ask(request, before);
    if (s == STATUS_OK)
        s = answer_prices(&resource, &query, err);
    ask(request, before); /* the handler may be called again */
    return s;
}

enum status prices_query(struct request *request, struct err *err)
{
    static const char *const names[] = {"cursor", TABLE_PARAMETERS};
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct query_param *params = NULL;
    size_t n = 0;
    enum status s = params_json_body(request, err);
    if (s == STATUS_OK)
        s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = jr_parse(request->body, &request->arena, &doc, err);
    if (s == STATUS_OK)
        s = join_params(request, jr_root(doc), &params, &n, err);
    if (s != STATUS_OK)
        return s;
    s = answer_query(request, params, n, err);
    if (s != STATUS_OK)
        point_into_body(err, jr_root(doc));
    return s;
}
