/* access_log.c - what is kept of a request once it is over. */
#include "server/access_log.h"

#include "server/stream.h"
#include "server/target.h"

#include "base/clock.h"
#include "base/log.h"

enum { TARGET_TEXT_BYTES = 2048 };

/* The status that went out, or that stands for what happened instead of an answer. */
static int final_status(const struct exchange *x)
{
    if (x->state == EXCHANGE_ANSWERED)
        return x->request.reply.http_status;
    if (x->is_silent)
        return 499;
    switch (x->cut_phase) {
    case CONN_IDLE:
    case CONN_BODY:
        return 408;
    case CONN_BUSY:
    case CONN_SENDING:
    case CONN_PHASES:
        break;
    }
    return x->state == EXCHANGE_HEAD ? 400 : 499;
}

static const char *outcome(const struct exchange *x)
{
    if (x->is_silent)
        return "client_gone";
    switch (x->cut_phase) {
    case CONN_IDLE:
        return "header_timeout";
    case CONN_BODY:
        return "body_timeout";
    case CONN_SENDING:
        return "send_timeout";
    case CONN_BUSY:
    case CONN_PHASES:
        break;
    }
    if (x->end == END_TIMEOUT)
        return "idle_timeout";
    if (x->state != EXCHANGE_ANSWERED)
        return x->state == EXCHANGE_HEAD ? "refused_by_library" : "client_gone";
    if (x->end == END_ABORTED)
        return "aborted";
    return x->status == STATUS_OK ? "ok" : status_name(x->status);
}

static bool has_body(const struct exchange *x, int status)
{
    return x->state == EXCHANGE_ANSWERED && x->request.method != METHOD_HEAD && status != 204 &&
           status != 304;
}

static void count(struct exchange *x, const char *route, int status, size_t bytes, double seconds)
{
    const struct trace *trace = &x->request.trace;
    struct request_kind kind = {route, x->is_framed ? method_name(x->request.method) : "other",
                                x->request.cache, status};
    const struct request_weight weight = {.seconds = seconds,
                                          .bytes = (double)bytes,
                                          .trace_id = trace->is_sampled ? trace->trace_id : NULL};
    request_count(&x->traffic->counts, x->traffic->app->metrics, &kind, &weight);
    if (status == 499)
        metrics_add(x->traffic->app->metrics, METRIC_client_gone_total, 1);
}

void access_log(struct exchange *x)
{
    struct request *request = &x->request;
    int status = final_status(x);
    int64_t elapsed_ns = clock_mono_ns() - request->arrived_ns;
    bool is_stream = stream_has_body(request->stream);
    const char *aborted = is_stream ? stream_reason(request->stream, x->end) : NULL;
    size_t bytes = is_stream             ? stream_bytes(request->stream)
                   : has_body(x, status) ? request->reply.body.len
                                         : 0;
    const char *route = request->route == NULL ? "unmatched" : request->route->path;
    count(x, route, status, bytes, (double)elapsed_ns / 1e9);
    if (aborted != NULL)
        metrics_add_labeled(x->traffic->app->metrics, METRIC_stream_aborted_total, LABELS(aborted),
                            1);

    enum log_level level = status == 500                    ? LOG_ERROR
                           : status == 503 || status == 504 ? LOG_WARN
                                                            : LOG_INFO;
    if (!log_is_on(level))
        return;
    exchange_identify(x);
    char room[TARGET_TEXT_BYTES];
    struct buf target;
    buf_init_fixed(&target, room, sizeof room);
    target_redact(request->target, &target);
    /* Headers belong to the library's connection, which still stands while it reports completion. */
    struct str agent = x->state == EXCHANGE_HEAD ? STR_NONE : request_header(request, "User-Agent");
    log_event(
        level, "request", LOG_TEXT("id", request->id), LOG_STR("client_request_id", x->client_id),
        LOG_TEXT("method", x->is_framed ? method_name(request->method) : NULL),
        LOG_TEXT("route", route), LOG_STR("target", target.failed ? STR_NONE : buf_str(&target)),
        LOG_I64("status", status), LOG_I64("bytes", (int64_t)bytes),
        LOG_MS("duration_ms", elapsed_ns), LOG_MS("queue_ms", x->queue_ns),
        LOG_TEXT("cache", request->cache), LOG_TEXT("trace_id", request->trace.trace_id),
        LOG_TEXT("client", request->client), LOG_I64("key", request->principal.key_id),
        LOG_STR("user_agent", str_utf8_cut(agent, 256)),
        LOG_TEXT("outcome", aborted != NULL ? aborted : outcome(x)),
        LOG_TEXT("error", x->status == STATUS_OK ? NULL : x->problem_detail));
}
