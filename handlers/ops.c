/* ops.c - health and metrics, on the ops listener; none of them does I/O. */
#include "handlers/handlers.h"

#include "base/json_out.h"
#include "handlers/negotiate.h"
#include "handlers/params.h"
#include "server/app.h"

enum { BODY_MAX = 1024 * 1024 };

static enum status reply_plain(struct request *request, int http_status, struct buf *out, struct err *err)
{
    if (out->failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, http_status, "text/plain; charset=utf-8");
    reply_body(request, buf_str(out));
    return STATUS_OK;
}

enum status live_get(struct request *request, struct err *err)
{
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    buf_add(&out, STR("ok\n"));
    enum status s = params_expect(request, NULL, 0, err);
    return s != STATUS_OK ? s : reply_plain(request, 200, &out, err);
}

/* Each check on a line of its own with ?verbose: [+] passed, [-] failed and why. */
static enum status answer_checks(struct request *request, enum app_check_kind kind, struct err *err)
{
    static const char *const names[] = {"verbose"};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s != STATUS_OK)
        return s;
    bool is_verbose = request_param(request, "verbose").ptr != NULL;
    bool is_ok = true;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    for (size_t i = 0; i < request->app->n_checks; i++) {
        const struct app_check *check = &request->app->checks[i];
        struct err why = {0};
        if (check->kind != kind && kind == APP_CHECK_STARTUP)
            continue;
        bool has_passed = check->run(request->app, &why) == STATUS_OK;
        is_ok = is_ok && has_passed;
        if (is_verbose)
            buf_printf(&out, "[%c] %s%s%s\n", has_passed ? '+' : '-', check->name, has_passed ? " ok" : ": ",
                       has_passed ? "" : why.detail);
    }
    buf_add_c(&out, is_ok ? "ok\n" : "not ready\n");
    if (!is_ok)
        reply_header(request, "Retry-After", "1");
    return reply_plain(request, is_ok ? 200 : 503, &out, err);
}

enum status ready_get(struct request *request, struct err *err)
{
    return answer_checks(request, APP_CHECK_READY, err);
}

enum status startup_get(struct request *request, struct err *err)
{
    return answer_checks(request, APP_CHECK_STARTUP, err);
}

enum status metrics_get(struct request *request, struct err *err)
{
    enum status s = params_expect(request, NULL, 0, err);
    if (s != STATUS_OK)
        return s;
    struct buf out;
    buf_init(&out, &request->arena, BODY_MAX);
    metrics_write(request->app->metrics, &out);
    if (out.failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory.");
    reply_header(request, "Cache-Control", "no-store");
    reply_type(request, 200, "text/plain; version=0.0.4; charset=utf-8");
    reply_body(request, buf_str(&out));
    return STATUS_OK;
}
