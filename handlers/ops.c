/* ops.c - health and metrics, on the ops listener; none of them does I/O. */
#include "handlers/handlers.h"

#include "base/json_out.h"
#include "handlers/document.h"
#include "handlers/negotiate.h"
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

/* The checks that exclude= names, as bits; BAD_VALUE where there is no such check. */
static enum status read_excluded(const struct request *request, unsigned *ret, struct err *err)
{
    const struct app *app = request->app;
    struct str list = request_param(request, "exclude"), name;
    unsigned excluded = 0;
    while (list.ptr != NULL && str_next_field(&list, ',', &name)) {
        size_t i = 0;
        while (i < app->n_checks && !str_eq_c(name, app->checks[i].name))
            i++;
        if (i == app->n_checks) {
            char room[128];
            struct buf names;
            buf_init_fixed(&names, room, sizeof room);
            for (size_t k = 0; k < app->n_checks; k++)
                buf_printf(&names, k == 0 ? "%s" : ", %s", app->checks[k].name);
            return params_refuse(err, "exclude", name, buf_c_str(&names));
        }
        excluded |= 1u << i;
    }
    *ret = excluded;
    return STATUS_OK;
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

static void put_text(struct request *request, unsigned excluded, const char *why, struct buf *out)
{
    if (request_param(request, "verbose").ptr != NULL)
        for (size_t i = 0; i < request->app->n_checks; i++)
            if ((excluded & 1u << i) == 0)
                put_check(request, i, out);
    if (why == NULL)
        buf_add(out, STR("ok\n"));
    else
        buf_printf(out, "not ready: %s\n", why);
}

static void put_json(struct request *request, unsigned excluded, const char *why, struct buf *out)
{
    struct json_out json;
    jw_init(&json, out);
    jw_object(&json);
    jw_key_bool(&json, "ready", why == NULL);
    jw_key_text(&json, "detail", why == NULL ? STR_NONE : str_of(why));
    jw_key(&json, "checks");
    jw_array(&json);
    for (size_t i = 0; i < request->app->n_checks; i++) {
        const struct app_check *check = &request->app->checks[i];
        struct err failure = {0};
        if ((excluded & 1u << i) != 0)
            continue;
        bool is_fine = app_run_check(request->app, i, &failure) == STATUS_OK;
        jw_object(&json);
        jw_key_c(&json, "name", check->name);
        jw_key_c(&json, "state", is_fine ? "ok" : check->is_required ? "failed" : "degraded");
        jw_key_text(&json, "detail", is_fine ? STR_NONE : str_of(failure.detail));
        jw_end_object(&json);
    }
    jw_end_array(&json);
    jw_end_object(&json);
    buf_add_char(out, '\n');
}

enum status ready_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"verbose", "exclude"};
    unsigned excluded = 0;
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = read_excluded(request, &excluded, err);
    if (s != STATUS_OK)
        return s;
    struct err why = {0};
    bool is_ready = app_ready(request->app, excluded, &why) == STATUS_OK;
    bool is_json = accepts_json_by_name(request);
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    (is_json ? put_json : put_text)(request, excluded, is_ready ? NULL : why.detail, &out);
    reply_header(request, "Vary", "Accept");
    if (!is_ready)
        reply_header(request, "Retry-After", "1");
    return document_no_store(request, is_ready ? 200 : 503, is_json ? "application/json" : plain,
                             &out, err);
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
    int open = accept_quality_by_name(request, "application/openmetrics-text");
    int text = accept_quality_by_name(request, "text/plain");
    enum metrics_format format = open > 0 && open >= text ? METRICS_OPEN : METRICS_TEXT;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    if (!metrics_write(request->app->metrics, format, &out))
        return err_out_of_memory(err);
    reply_header(request, "Vary", "Accept");
    return document_no_store(request, 200, metrics_content_type(format), &out, err);
}
