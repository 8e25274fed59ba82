/* ops.c - health and metrics, on the ops listener; none of them does I/O. */
#include "handlers/handlers.h"

#include "handlers/document.h"
#include "handlers/params.h"
#include "server/app.h"

enum { BODY_MAX = 1024 * 1024 };

static const char plain[] = "text/plain; charset=utf-8";

enum status live_get(struct request *request, struct err *err)
{
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    buf_add(&out, STR("ok\n"));
    enum status s = params_expect(request, NULL, 0, err);
    return s != STATUS_OK ? s : document_no_store(request, 200, plain, &out, err);
}

/* A required check that fails makes the server not ready; another one only degrades it. */
static void put_check(struct request *request, size_t i, struct buf *out)
{
    const struct app_check *check = &request->app->checks[i];
    struct err why = {0};
    if (app_run_check(request->app, i, &why) == STATUS_OK)
        buf_printf(out, "[+]%s ok\n", check->name);
    else
        buf_printf(out, "[%c]%s %s\n", check->is_required ? '-' : '~', check->name, why.detail);
}

enum status ready_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"verbose"};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s != STATUS_OK)
        return s;
    struct err why = {0};
    bool is_ready = app_ready(request->app, &why) == STATUS_OK;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    if (request_param(request, "verbose").ptr != NULL)
        for (size_t i = 0; i < request->app->n_checks; i++)
            put_check(request, i, &out);
    if (is_ready)
        buf_add(&out, STR("ok\n"));
    else
        buf_printf(&out, "not ready: %s\n", why.detail);
    if (!is_ready)
        reply_header(request, "Retry-After", "1");
    return document_no_store(request, is_ready ? 200 : 503, plain, &out, err);
}

enum status startup_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    bool is_started = atomic_load(&request->app->is_started);
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    buf_add_c(&out, is_started ? "ok\n" : "starting\n");
    if (!is_started)
        reply_header(request, "Retry-After", "1");
    return document_no_store(request, is_started ? 200 : 503, plain, &out, err);
}

enum status prometheus_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    if (!metrics_write(request->app->metrics, &out))
        return err_out_of_memory(err);
    return document_no_store(request, 200, METRICS_CONTENT_TYPE, &out, err);
}
