/*
 * postman.c - /docs/postman.json: the route table as a Postman collection, which runs from top to bottom as it stands.
 * Source: schema.getpostman.com, collection v2.1.0.
 */
#include "handlers/handlers.h"

#include "base/json_out.h"
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
    {"/v1/backtests/{id}", "id", "{{backtest}}"},
    {"/v1/backtests/{id}/equity", "id", "{{backtest}}"},
    {"/v1/admin/keys/{id}", "id", "{{key_id}}"},
};

/* Bodies of requests, and what their answers leave behind for the requests after them. */
static const struct {
    const char *path, *body, *script;
} bodies[] = {
    {"/v1/backtests",
     "{\"universe\": [\"stock:US.AAPL\", \"stock:US.JPM\"], \"strategy\": \"equal\", \"benchmark\": \"index:SPX\"}",
     "pm.collectionVariables.set(\"backtest\", pm.response.json().data.id)"},
    {"/v1/admin/keys", "{\"name\": \"postman-{{$timestamp}}\", \"scopes\": [\"read\"]}",
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

/* {mart} is :mart in the path, and gets its value beside it. */
static void put_url(struct json_out *json, const char *path, struct arena *arena)
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
    put_pair(json, "Content-Type", "application/json");
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

static void put_item(struct json_out *json, const struct route *route, struct arena *arena)
{
    size_t at = 0;
    while (at < ARRAY_LEN(bodies) &&
           (route->method != METHOD_POST || strcmp(bodies[at].path, route->path) != 0))
        at++;
    jw_object(json);
    jw_key_c(json, "name", route->summary);
    if (at < ARRAY_LEN(bodies) && bodies[at].script != NULL)
        put_script(json, bodies[at].script);
    jw_key(json, "request");
    jw_object(json);
    jw_key_c(json, "method", method_name(route->method));
    if (route->access == ACCESS_ADMIN)
        put_auth(json);
    put_url(json, route->path, arena);
    if (at < ARRAY_LEN(bodies))
        put_body(json, bodies[at].body);
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
    char tag[TAG_BYTES];
    buf_init(&out, &request->arena, BODY_MAX);
    jw_init(&json, &out);
    put_collection(&json, request);
    buf_add_char(&out, '\n');
    if (out.failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    s = tag_make(0, buf_str(&out), tag, err);
    if (s != STATUS_OK || reply_if_unchanged(request, tag, "public, max-age=300"))
        return s;
    reply_type(request, 200, format_media_type(FORMAT_JSON));
    reply_body(request, buf_str(&out));
    return STATUS_OK;
}
