/* me.c - what the caller may do here and how much of it. Answered on the polling thread. */
#include "handlers/handlers.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/json_out.h"
#include "handlers/access.h"
#include "handlers/document.h"
#include "handlers/params.h"
#include "server/query_string.h"
#include "server/target.h"
#include "store/api_key.h"
#include "store/mart_query.h"

enum { BODY_MAX = 64 * 1024 };

enum status me_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    const struct principal *principal = &request->principal;
    struct str scopes = str_of(scopes_text(principal->scopes >> ACCESS_READ)), name;
    char expires[INSTANT_TEXT_BYTES];
    instant_format(principal->expires_at, expires);
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_object(&json);
    jw_key_c(&json, "principal", principal->key_id == 0 ? "anonymous" : "key");
    jw_key_text(&json, "name", principal->key_id == 0 ? STR_NONE : str_of(principal->name));
    if (principal->key_id == 0)
        jw_key_null(&json, "id");
    else
        jw_key_i64(&json, "id", principal->key_id);
    jw_key(&json, "scopes");
    jw_array(&json);
    while (scopes.len > 0 && str_next_field(&scopes, ',', &name))
        jw_str(&json, name);
    jw_end_array(&json);
    jw_key_text(&json, "expires_at", principal->expires_at == 0 ? STR_NONE : str_of(expires));
    jw_end_object(&json);
    document_end(&json);
    return document_no_store(request, 200, "application/json", &out, err);
}

/* The caller's own quota, looked at without taking from it; null without one. */
static void put_quota(struct request *request, struct json_out *json)
{
    const char *policy;
    struct rate_id id;
    uint32_t quota = access_quota(request, &policy, &id);
    jw_key(json, "quota");
    if (quota == 0) {
        jw_null(json);
        return;
    }
    struct rate_state state = rate_take(request->app->access->rate, id, quota, 0, clock_wall_ms());
    jw_object(json);
    jw_key_c(json, "policy", policy);
    jw_key_i64(json, "limit", quota);
    jw_key_i64(json, "window_s", RATE_WINDOW_MS / 1000);
    jw_key_i64(json, "remaining", state.remaining);
    jw_key_i64(json, "reset_s", state.reset_s);
    jw_end_object(json);
}

/* What requests count for, where it is more than one; and how large each route's body may be. */
static void put_routes(const struct app *app, struct json_out *json)
{
    jw_key(json, "routes");
    jw_array(json);
    for (size_t i = 0; i < app->n_routes; i++) {
        const struct route *route = &app->routes[i];
        if (route->access == ACCESS_OPS || route->access == ACCESS_ADMIN ||
            (access_cost(route) == 1 && route->body_max_bytes == 0))
            continue;
        jw_object(json);
        jw_key_c(json, "path", route->path);
        jw_key_i64(json, "cost", access_cost(route));
        jw_key_i64(json, "body_max_bytes", (int64_t)route->body_max_bytes);
        jw_key_i64(json, "deadline_ms", route->deadline_ms);
        jw_end_object(json);
    }
    jw_end_array(json);
}

enum status limits_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    const struct app *app = request->app;
    struct buf out;
    struct json_out json;
    document_begin(request, BODY_MAX, &out, &json);
    jw_object(&json);
    put_quota(request, &json);
    jw_key(&json, "request");
    jw_object(&json);
    jw_key_i64(&json, "target_bytes", TARGET_BYTES_MAX);
    jw_key_i64(&json, "parameters", QUERY_PARAMS_MAX);
    jw_key_i64(&json, "headers", REQUEST_HEADERS_MAX);
    jw_key_i64(&json, "header_ms", app->config->header_timeout_ms);
    jw_key_i64(&json, "memory_bytes", (int64_t)app->config->request_memory_mib << 20);
    jw_end_object(&json);
    jw_key(&json, "rows");
    jw_object(&json);
    jw_key_i64(&json, "default", MART_LIMIT_DEFAULT);
    jw_key_i64(&json, "max", MART_LIMIT_MAX);
    jw_end_object(&json);
    jw_key(&json, "queues");
    jw_object(&json);
    jw_key_i64(&json, "reads", app->config->queue_io);
    jw_key_i64(&json, "backtests", app->config->queue_cpu);
    jw_end_object(&json);
    jw_key(&json, "backtest");
    jw_object(&json);
    jw_key_i64(&json, "cells", (int64_t)app->config->backtest_cells_max);
    jw_end_object(&json);
    jw_key(&json, "jobs");
    jw_object(&json);
    jw_key_i64(&json, "per_key", app->config->jobs_per_key);
    jw_key_i64(&json, "cells_per_key", (int64_t)app->config->job_cells_per_key);
    jw_key_i64(&json, "items", app->config->job_items_max);
    jw_key_i64(&json, "queue", app->config->job_queue);
    jw_key_i64(&json, "streams", app->config->job_streams_per_key);
    jw_end_object(&json);
    put_routes(app, &json);
    jw_end_object(&json);
    document_end(&json);
    return document_no_store(request, 200, "application/json", &out, err);
}
