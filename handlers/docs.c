/* docs.c - the entry document, the interface description and a page for each problem type. */
#include "handlers/handlers.h"

#include "backtest/backtest.h"
#include "backtest/kernels.h"
#include "base/json_out.h"
#include "base/suggest.h"
#include "handlers/document.h"
#include "handlers/embedded.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "handlers/web_embedded.h"
#include "server/app.h"
#include "server/problem.h"
#include "server/router.h"

enum { BODY_MAX = 256 * 1024 };

static const char for_minutes[] = "public, max-age=300";

static void put_entry_json(struct request *request, struct buf *out)
{
    struct json_out json;
    jw_init(&json, out);
    jw_object(&json);
    jw_key_c(&json, "name", "Catch Me My Capital");
    jw_key_c(&json, "version", CMMC_VERSION);
    jw_key(&json, "engine");
    jw_object(&json);
    jw_key_c(&json, "version", BACKTEST_ENGINE_VERSION);
    jw_key_c(&json, "kernels",
             kernels_choose((enum kernels_choice)request->app->config->kernels)->name);
    jw_end_object(&json);
    jw_key(&json, "resources");
    jw_array(&json);
    for (size_t i = 0; i < request->app->n_routes; i++) {
        const struct route *route = &request->app->routes[i];
        if (route->access == ACCESS_OPS)
            continue;
        jw_object(&json);
        jw_key_c(&json, "method", method_name(route->method));
        jw_key_c(&json, "path", route->path);
        jw_key_c(&json, "summary", route->summary);
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_end_object(&json);
    buf_add_char(out, '\n');
}

/* Pages are whole: their style and script stand in them, and they ask nobody but this server. */
static void put_page(struct request *request, struct buf *out, const char *path)
{
    reply_header(
        request, "Content-Security-Policy",
        "default-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self' data:");
    for (size_t i = 0; i < web_embedded_count; i++)
        if (str_eq_c(str_of(path), web_embedded[i].path))
            buf_add(out, (struct str){web_embedded[i].content, web_embedded[i].bytes});
}

enum status entry_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"format"};
    enum format format;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = negotiate_format(request, (1 << FORMAT_JSON) | (1 << FORMAT_HTML), &format, err);
    if (s != STATUS_OK)
        return s;
    reply_header(request, "Link", "</openapi.json>; rel=\"service-desc\"");
    reply_header(request, "Link", "</docs>; rel=\"service-doc\"");
    reply_header(request, "Link", "</v1/marts/mart_freshness/rows>; rel=\"status\"");
    reply_header(request, "Link", "</.well-known/api-catalog>; rel=\"api-catalog\"");
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    if (format == FORMAT_HTML) {
        put_page(request, &out, "index.html");
    } else {
        put_entry_json(request, &out);
    }
    return document_tagged(request, 0, for_minutes, format_media_type(format), &out, err);
}

static void put_target(struct json_out *json, const char *relation, const char *href,
                       const char *type)
{
    jw_key(json, relation);
    jw_array(json);
    jw_object(json);
    jw_key_c(json, "href", href);
    jw_key_c(json, "type", type);
    jw_end_object(json);
    jw_end_array(json);
}

/* Source: RFC 9727, which asks for a linkset of RFC 9264. One API, anchored at /v1. */
enum status api_catalog_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    struct json_out json;
    buf_init(&out, &request->arena, BODY_MAX);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key(&json, "linkset");
    jw_array(&json);
    jw_object(&json);
    jw_key_c(&json, "anchor", "/v1");
    put_target(&json, "service-desc", "/openapi.json", "application/json");
    put_target(&json, "service-doc", "/docs", "text/html");
    put_target(&json, "status", "/v1/marts/mart_freshness/rows", "application/json");
    put_target(&json, "service-meta", "/v1/marts", "application/json");
    jw_end_object(&json);
    jw_end_array(&json);
    document_end(&json);
    reply_header(request, "Link", "</.well-known/api-catalog>; rel=\"api-catalog\"");
    return document_tagged(
        request, 0, for_minutes,
        "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"", &out, err);
}

static enum status reply_embedded(struct request *request, struct str text, const char *media_type,
                                  struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, &request->arena, SIZE_MAX / 4);
    buf_add(&out, text);
    return document_tagged(request, 0, for_minutes, media_type, &out, err);
}

enum status openapi_get(struct request *request, struct err *err)
{
    struct str text = {openapi_embedded, openapi_embedded_bytes};
    return reply_embedded(request, text, "application/yaml; charset=utf-8", err);
}

enum status openapi_json_get(struct request *request, struct err *err)
{
    struct str text = {openapi_json_embedded, openapi_json_embedded_bytes};
    return reply_embedded(request, text, format_media_type(FORMAT_JSON), err);
}

/* Links to pages gather parameters that mean nothing here; only other names are taken for mistakes. */
enum status docs_get(struct request *request, struct err *err)
{
    size_t n_kept = 0;
    for (size_t i = 0; i < request->n_params; i++) {
        struct str name = request->params[i].name;
        if (!str_starts(name, STR("_")) && !str_starts(name, STR("utm_")))
            request->params[n_kept++] = request->params[i];
    }
    request->n_params = n_kept;
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    put_page(request, &out, "docs.html");
    return document_tagged(request, 0, for_minutes, format_media_type(FORMAT_HTML), &out, err);
}

static enum status unknown_problem(struct str slug, struct err *err)
{
    struct suggest search = suggest_start(slug);
    for (int i = 1; i < STATUS_COUNT; i++)
        suggest_offer(&search, str_of(status_slug((enum status)i)));
    (void)err_set(err, STATUS_NOT_FOUND, "There is no problem type \"%.*s\".",
                  STR_ARG(str_utf8_cut(slug, 64)));
    err_suggest(err, suggest_take(&search));
    return STATUS_NOT_FOUND;
}

/* What happened and what to do, of problem_pages.def; empty for a problem without a row. */
static void put_explanation(struct buf *out, const char *slug)
{
    static const struct {
        const char *slug, *what, *remedy;
    } pages[] = {
#define PAGE(slug, what, remedy) {slug, what, remedy},
#include "handlers/problem_pages.def"
#undef PAGE
    };
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (str_eq_c(str_of(slug), pages[i].slug))
            buf_printf(out, "<h2>What happened</h2><p>%s</p><h2>What to do</h2><p>%s</p>",
                       pages[i].what, pages[i].remedy);
}

/* The colours of web/docs.html, light or dark as the reader's system has it. */
static const char problem_style[] =
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
    "<link rel=\"icon\" href=\"data:,\">" /* or the browser asks for one */
    "<meta name=\"color-scheme\" content=\"light dark\">"
    "<style>:root{--bg:#f7f7f4;--panel:#fff;--ink:#1b1e22;--line:#d9dcdf;--accent:#0a5a8c;--soft:#e9eff4}"
    "@media(prefers-color-scheme:dark){:root{--bg:#131619;--panel:#1b1f23;--ink:#e6e9ec;--line:#343a41;"
    "--accent:#74bdec;--soft:#242c33}}"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0;padding:1rem;background:var(--bg);color:var(--ink)}"
    "main{max-width:40em;margin:1rem auto;padding:.5rem 1.25rem;background:var(--panel);"
    "border:1px solid var(--line);border-radius:10px}"
    "h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin-bottom:.25rem}h2+p{margin-top:0}"
    "a{color:var(--accent)}code{background:var(--soft);padding:.05em .3em;border-radius:4px}</style>";

/* Texts are ours, so the page needs no escaping. */
static void put_problem_page(struct buf *out, enum status problem)
{
    const char *again = problem_is_retryable(problem)
                            ? "The same request may succeed later: <code>retryable</code> is true."
                            : "The same request will fail again: <code>retryable</code> is false.";
    buf_printf(
        out,
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>%s</title>"
        "%s<body><main><h1>%s</h1><p>Problem type <code>%s</code>, code <code>%s</code>, HTTP status %d.</p>",
        status_title(problem), problem_style, status_title(problem), status_slug(problem),
        status_code(problem), status_http(problem));
    put_explanation(out, status_slug(problem));
    buf_printf(
        out,
        "<p>%s</p><p>The reply's <code>detail</code> says what happened; <code>errors</code> names the "
        "parameter, field or header, its value as it was sent (of a field in a JSON body its JSON text), "
        "what is allowed and, where one is near, the nearest known name; <code>request_id</code> finds the "
        "request in the log.</p>"
        "<p><a href=\"/\">Start page</a> \302\267 <a href=\"/docs\">API explorer</a> \302\267 "
        "<a href=\"/openapi.yaml\">Interface description</a></p></main>\n",
        again);
}

enum status problem_page_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    int at = 1;
    while (at < STATUS_COUNT && !str_eq_c(request->path_params[0], status_slug((enum status)at)))
        at++;
    if (at == STATUS_COUNT)
        return unknown_problem(request->path_params[0], err);
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    put_problem_page(&out, (enum status)at);
    return document_tagged(request, 0, for_minutes, format_media_type(FORMAT_HTML), &out, err);
}
