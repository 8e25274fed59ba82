/*
 * postman.c - /docs/postman.json: the route table as a Postman collection, which runs from top to bottom as it stands.
 * Source: schema.getpostman.com, collection v2.1.0.
 */
#include "handlers/handlers.h"

#include "base/json_out.h"
#include "handlers/document.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "server/app.h"
#include "server/router.h"

#include <string.h>

enum { BODY_MAX = 512 * 1024 };

/* What stands for a path parameter: something that the sample data has, or a variable that an earlier request sets. */
static const struct {
    const char *path; /* NULL: of every path */
    const char *name, *value;
} examples[] = {
    {NULL, "mart", "mart_price_daily"},
    {NULL, "uid", "stock:US.AAPL"},
    {NULL, "slug", "unknown-column"},
    {NULL, "column", "currency"},
    {NULL, "file", "latest.csv.gz"},
    {NULL, "key", "stock:US.AAPL,2020-01-02"},
    {NULL, "market", "XNYS"},
    {NULL, "article_id", "{{article}}"},
    {NULL, "dataset", "us_stock"},
    {NULL, "name", "postman"},
    {"/v1/jobs/{id}/retry", "id", "{{ingestion}}"},
    {"/v1/indicators/{id}", "id", "{{indicator}}"},
    {"/v1/indicators/{id}/observations", "id", "{{indicator}}"},
    {"/v1/backtests/{id}", "id", "{{backtest}}"},
    {"/v1/backtests/{id}/equity", "id", "{{backtest}}"},
    {"/v1/jobs/{id}", "id", "{{job}}"},
    {"/v1/jobs/{id}/rows", "id", "{{job}}"},
    {"/v1/jobs/{id}/events", "id", "{{job}}"},
    {"/v1/jobs/{id}/log", "id", "{{job}}"},
    {"/v1/jobs/{id}/cancel", "id", "{{job}}"},
    {"/v1/admin/keys/{id}", "id", "{{key_id}}"},
};

/* What a request needs beside its path, and what its answer leaves behind for the requests after it. */
static const struct {
    const char *path, *query, *body, *script;
} needs[] = {
    {"/v1/marts/{mart}/facets", "by=currency", NULL, NULL},
    {"/v1/prices", "instruments=stock:US.AAPL,stock:US.JPM", NULL, NULL},
    {"/v1/prices/latest", "asset_class=index", NULL, NULL},
    {"/v1/calendars/{market}", "date=2020-01-02", NULL, NULL},
    {"/v1/calendars/{market}/next-open", "after=2020-01-03", NULL, NULL},
    {"/v1/indicators", NULL, NULL,
     "pm.collectionVariables.set(\"indicator\", pm.response.json().data[0].id)"},
    {"/v1/news", "numbers=string", NULL,
     "pm.collectionVariables.set(\"article\", pm.response.json().data[0].article_id)"},
    {"/v1/prices:query", NULL, "{\"instruments\": [\"stock:US.AAPL\"], \"last\": \"1y\"}", NULL},
    {"/v1/admin/cache/purge", NULL, "{\"marts\": [\"mart_price_daily\"]}", NULL},
    {"/v1/backtests", NULL,
     "{\"universe\": [\"stock:US.AAPL\", \"stock:US.JPM\"], \"strategy\": \"equal\", \"benchmark\": \"index:SPX\"}",
     "pm.collectionVariables.set(\"backtest\", pm.response.json().data.id)"},
    {"/v1/backtests:validate", NULL,
     "{\"universe\": [\"stock:US.AAPL\", \"stock:US.JPM\"], \"strategy\": \"equal\"}", NULL},
    {"/v1/backtests:batch", NULL,
     "{\"base\": {\"universe\": [\"stock:US.AAPL\", \"stock:US.JPM\"], \"strategy\": \"equal\"}, "
     "\"items\": [{}, {\"/rebalance\": \"never\"}]}",
     NULL},
    {"/v1/backtests:montecarlo", NULL,
     "{\"base\": {\"universe\": [\"stock:US.AAPL\"], \"strategy\": \"equal\"}, \"monte_carlo\": {\"count\": 100}}",
     NULL},
    {"/v1/backtests:sweep", NULL,
     "{\"base\": {\"assets\": [{\"uid\": \"stock:US.AAPL\"}, {\"uid\": \"stock:US.JPM\"}]}, "
     "\"axes\": [{\"weights\": {\"step\": 0.5}}]}",
     "pm.collectionVariables.set(\"job\", pm.response.json().data.id)"},
    {"/v1/metrics", NULL, "{\"period\": \"monthly\", \"returns\": [0.01, -0.02, 0.03]}", NULL},
    {"/v1/admin/jobs", NULL,
     "{\"dataset\": \"coin\", \"from\": \"2026-01-05\", \"to\": \"2026-01-05\", \"stages\": [\"silver\"]}",
     "pm.collectionVariables.set(\"ingestion\", pm.response.json().data.id)"},
    {"/v1/admin/uploads/{dataset}", NULL, "symbol,date,close\nAAPL,2020-01-02,75.09\n", NULL},
    {"/v1/admin/schedules/{name}", NULL,
     "{\"dataset\": \"coin\", \"cron\": \"30 0 1 1 *\", \"from_days\": 3, \"is_paused\": true}",
     NULL},
    {"/v1/admin/keys", NULL, "{\"name\": \"postman-{{$timestamp}}\", \"scopes\": [\"read\"]}",
     "pm.collectionVariables.set(\"key_id\", pm.response.json().data.id)"},
};

static const char *example_of(const char *path, struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(examples); i++)
        if (str_eq_c(name, examples[i].name) &&
            (examples[i].path == NULL || strcmp(examples[i].path, path) == 0))
            return examples[i].value;
    return "";
}

static void put_pair(struct json_out *json, const char *key, const char *value)
{
    jw_object(json);
    jw_key_c(json, "key", key);
    jw_key_c(json, "value", value);
    jw_end_object(json);
}

static void put_query(struct json_out *json, struct str query)
{
    size_t equals = str_find(query, '=', 0);
    jw_key(json, "query");
    jw_array(json);
    jw_object(json);
    jw_key_text(json, "key", str_sub(query, 0, equals));
    jw_key_text(json, "value", str_sub(query, equals + 1, query.len));
    jw_end_object(json);
    jw_end_array(json);
}

/* {mart} is :mart in the path, and gets its value beside it. */
static void put_url(struct json_out *json, const char *path, const char *query, struct arena *arena)
{
    struct str rest = str_of(path + 1);
    struct str segment;
    struct buf text;
    jw_key(json, "url");
    jw_object(json);
    jw_key(json, "host");
    jw_array(json);
    jw_str(json, STR("{{base}}"));
    jw_end_array(json);
    jw_key(json, "path");
    jw_array(json);
    while (str_next_field(&rest, '/', &segment)) {
        bool is_param = str_starts(segment, STR("{"));
        buf_init(&text, arena, 256);
        buf_add_c(&text, is_param ? ":" : "");
        buf_add(&text, is_param ? str_sub(segment, 1, segment.len - 1) : segment);
        jw_str(json, buf_str(&text));
    }
    jw_end_array(json);
    if (query != NULL)
        put_query(json, str_of(query));
    jw_key(json, "variable");
    jw_array(json);
    rest = str_of(path + 1);
    while (str_next_field(&rest, '/', &segment)) {
        if (!str_starts(segment, STR("{")))
            continue;
        struct str name = str_sub(segment, 1, segment.len - 1);
        jw_object(json);
        jw_key_text(json, "key", name);
        jw_key_c(json, "value", example_of(path, name));
        jw_end_object(json);
    }
    jw_end_array(json);
    jw_end_object(json);
}

static void put_body(struct json_out *json, const char *text)
{
    jw_key(json, "header");
    jw_array(json);
    put_pair(json, "Content-Type", text[0] == '{' ? "application/json" : "text/csv");
    jw_end_array(json);
    jw_key(json, "body");
    jw_object(json);
    jw_key_c(json, "mode", "raw");
    jw_key_c(json, "raw", text);
    jw_end_object(json);
}

static void put_script(struct json_out *json, const char *text)
{
    jw_key(json, "event");
    jw_array(json);
    jw_object(json);
    jw_key_c(json, "listen", "test");
    jw_key(json, "script");
    jw_object(json);
    jw_key_c(json, "type", "text/javascript");
    jw_key(json, "exec");
    jw_array(json);
    jw_str(json, str_of(text));
    jw_end_array(json);
    jw_end_object(json);
    jw_end_object(json);
    jw_end_array(json);
}

static void put_auth(struct json_out *json)
{
    jw_key(json, "auth");
    jw_object(json);
    jw_key_c(json, "type", "bearer");
    jw_key(json, "bearer");
    jw_array(json);
    put_pair(json, "token", "{{key}}");
    jw_end_array(json);
    jw_end_object(json);
}

/* Its row in needs; ARRAY_LEN(needs) when it needs nothing. */
static size_t need_of(const struct route *route)
{
    bool has_body = route->method == METHOD_POST || route->method == METHOD_PUT;
    size_t at = 0;
    while (at < ARRAY_LEN(needs) &&
           (strcmp(needs[at].path, route->path) != 0 || (needs[at].body != NULL) != has_body))
        at++;
    return at;
}

static void put_item(struct json_out *json, const struct route *route, struct arena *arena)
{
    size_t at = need_of(route);
    bool has_need = at < ARRAY_LEN(needs);
    jw_object(json);
    jw_key_c(json, "name", route->summary);
    if (has_need && needs[at].script != NULL)
        put_script(json, needs[at].script);
    jw_key(json, "request");
    jw_object(json);
    jw_key_c(json, "method", method_name(route->method));
    if (route->access == ACCESS_ADMIN)
        put_auth(json);
    put_url(json, route->path, has_need ? needs[at].query : NULL, arena);
    if (has_need && needs[at].body != NULL)
        put_body(json, needs[at].body);
    jw_end_object(json);
    jw_end_object(json);
}

/* Administration stands apart, since it needs a key of its own. */
static void put_folder(struct json_out *json, const struct app *app, const char *name,
                       bool is_admin, struct arena *arena)
{
    jw_object(json);
    jw_key_c(json, "name", name);
    jw_key(json, "item");
    jw_array(json);
    for (size_t i = 0; i < app->n_routes; i++) {
        const struct route *route = &app->routes[i];
        if (route->access != ACCESS_OPS && (route->access == ACCESS_ADMIN) == is_admin)
            put_item(json, route, arena);
    }
    jw_end_array(json);
    jw_end_object(json);
}

static void put_collection(struct json_out *json, struct request *request)
{
    const struct config *config = request->app->config;
    struct buf base;
    buf_init(&base, &request->arena, 256);
    buf_printf(&base, "http://127.0.0.1:%u", config->port);
    jw_object(json);
    jw_key(json, "info");
    jw_object(json);
    jw_key_c(json, "name", "Catch Me My Capital");
    jw_key_c(
        json, "description",
        "Every request of the data listener. Set base to the server, and key for what needs one.");
    jw_key_c(json, "schema",
             "https://schema.getpostman.com/json/collection/v2.1.0/collection.json");
    jw_end_object(json);
    jw_key(json, "variable");
    jw_array(json);
    jw_object(json);
    jw_key_c(json, "key", "base");
    jw_key_text(json, "value", buf_str(&base));
    jw_end_object(json);
    put_pair(json, "key", "");
    jw_end_array(json);
    jw_key(json, "item");
    jw_array(json);
    put_folder(json, request->app, "Reading and backtests", false, &request->arena);
    put_folder(json, request->app, "Administration", true, &request->arena);
    jw_end_array(json);
    jw_end_object(json);
}

enum status postman_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    struct json_out json;
    buf_init(&out, &request->arena, BODY_MAX);
    jw_init(&json, &out);
    put_collection(&json, request);
    buf_add_char(&out, '\n');
    return document_tagged(request, 0, "public, max-age=300", format_media_type(FORMAT_JSON), &out,
                           err);
}
