/*
 * exchange.c - the straight line of one request between the library's callbacks and the handler: check the
 * head, collect the body, run or queue, take the reply.
 */
#include "server/exchange.h"

#include "server/access_log.h"
#include "server/cors.h"
#include "server/problem.h"
#include "server/query_string.h"
#include "server/stream.h"
#include "server/target.h"
#include "server/trace.h"
#include "server/turn.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CERTAIN_PARAMS = 48, /* that the library can split whatever else the header holds */
    SPARE_BYTES = 64 * 1024,
    IDLE_MAX = 128,               /* exchanges kept for the next requests */
    IDLE_ARENA_BYTES = 80 * 1024, /* one block of an arena */
    IGNORED_BODY_MAX = 64 * 1024, /* of routes that expect no body */
    DISCARDED_BODY_MAX =
        16 * 1024 * 1024 /* read before an error so that the client can read the error */
};

static int64_t ms_to_ns(uint64_t ms)
{
    return (int64_t)ms * 1000000;
}

void exchange_pool_init(struct traffic *traffic)
{
    lock_init(&traffic->idle_lock);
}

static struct exchange *pop_idle(struct traffic *traffic)
{
    lock_take(&traffic->idle_lock);
    struct exchange *x = traffic->idle;
    if (x != NULL) {
        traffic->idle = x->next_idle;
        traffic->n_idle--;
    }
    lock_give(&traffic->idle_lock);
    return x;
}

void exchange_pool_clear(struct traffic *traffic)
{
    for (struct exchange *x = pop_idle(traffic); x != NULL; x = pop_idle(traffic)) {
        arena_clear(&x->request.arena);
        free(x);
    }
    lock_clear(&traffic->idle_lock);
}

/* All zero but for the empty arena, which may have a block already. */
static struct exchange *take_idle(struct traffic *traffic)
{
    struct exchange *x = pop_idle(traffic);
    if (x == NULL)
        return calloc(1, sizeof *x);
    struct arena arena = x->request.arena;
    memset(x, 0, sizeof *x);
    x->request.arena = arena;
    return x;
}

/* Few are kept, and only with one small block each. */
static void give_back(struct exchange *x)
{
    struct traffic *traffic = x->traffic;
    bool is_small = x->request.arena.used_bytes <= IDLE_ARENA_BYTES;
    if (is_small)
        arena_reset(&x->request.arena);
    lock_take(&traffic->idle_lock);
    bool is_kept = is_small && traffic->n_idle < IDLE_MAX;
    if (is_kept) {
        x->next_idle = traffic->idle;
        traffic->idle = x;
        traffic->n_idle++;
    }
    lock_give(&traffic->idle_lock);
    if (is_kept)
        return;
    arena_clear(&x->request.arena);
    free(x);
}

struct exchange *exchange_new(struct traffic *traffic, const struct router *router,
                              struct conn *conn, struct str target, bool is_ops)
{
    struct exchange *x = take_idle(traffic);
    if (x == NULL)
        return NULL;
    struct request *request = &x->request;
    x->traffic = traffic;
    x->router = router;
    x->conn = conn;
    x->is_ops = is_ops;
    atomic_init(&x->references, 1);
    request->app = traffic->app;
    memcpy(x->address, conn_address(conn), sizeof x->address);
    request->client = x->address;
    request->arrived_ns = clock_mono_ns();
    request->reply.http_status = 200;
    request->arena.limit_bytes = (size_t)traffic->app->config->request_memory_mib << 20;
    arena_init(&x->spare, SPARE_BYTES);
    request->public_id = request->id;
    request->cache = "none";

    x->has_bad_target = target.len > TARGET_BYTES_MAX;
    target = str_sub(target, 0, TARGET_BYTES_MAX);
    request->target = (struct str){arena_dup(&request->arena, target), target.len};
    if (request->target.ptr == NULL) {
        give_back(x);
        return NULL;
    }
    if (!is_ops)
        atomic_fetch_add(&traffic->n_inflight, 1);
    /* The library splits the query before anyone may refuse it, and may run out of room without a word. */
    size_t mark = str_find(target, '?', 0);
    if (x->has_bad_target || query_count(str_sub(target, mark, target.len)) > CERTAIN_PARAMS)
        conn_hurry(conn);
    return x;
}

void exchange_identify(struct exchange *x)
{
    struct request *request = &x->request;
    if (request->id[0] != '\0')
        return;
    request_ids_next(&x->traffic->ids, request->id);
    trace_start(&x->traffic->ids, &request->trace);
}

/* The request ends with s: makes its reply. */
void exchange_settle(struct exchange *x, enum status s, struct err *err)
{
    x->status = s;
    if (s == STATUS_OK)
        return;
    if (s == STATUS_DEADLINE && x->request.route != NULL)
        (void)err_set(err, s, "The request did not finish within %g s, waiting included.",
                      x->request.route->deadline_ms / 1000.0);
    else if (err->status != s)
        (void)err_set(err, s, "%s.", status_title(s));
    x->is_silent = s == STATUS_CLIENT_GONE;
    (void)snprintf(x->problem_detail, sizeof x->problem_detail, "%.*s",
                   STR_ARG(str_utf8_cut(str_of(err->detail), sizeof x->problem_detail - 1)));
    if (!x->is_silent)
        problem_write(&x->request, err, &x->spare);
}

static void take_client_id(struct exchange *x)
{
    struct str id = request_header(&x->request, "X-Request-Id");
    if (id.ptr == NULL || !request_id_is_usable(id))
        return;
    const char *copy = arena_dup(&x->request.arena, id);
    if (copy == NULL)
        return;
    x->client_id = id;
    x->request.public_id = copy;
}

static enum status check_size(struct exchange *x, struct err *err)
{
    const struct route *route = x->request.route;
    size_t max =
        route == NULL || route->body_max_bytes == 0 ? IGNORED_BODY_MAX : route->body_max_bytes;
    x->body_max = max;
    if (!x->framing.has_length || x->framing.content_length <= max)
        return STATUS_OK;
    enum status s = err_set(err, STATUS_BODY_TOO_LARGE, "The body has %llu bytes.",
                            (unsigned long long)x->framing.content_length);
    err_at(err, ERR_HEADER, STR("Content-Length"), STR_NONE);
    err_allow(err, "at most %zu bytes here", max);
    return s;
}

/* May the caller do this? What the answer says about that in headers stays, whatever comes after. */
static enum status ask_admission(struct exchange *x, struct err *err)
{
    struct request *request = &x->request;
    if (x->is_ops || request->app->admit == NULL)
        return STATUS_OK;
    enum status s = request->app->admit(request, err);
    request->reply.n_fixed = request->reply.n_headers;
    return s;
}

/* Everything after the framing: what the request asks for, before any of its body is read. */
static enum status check_request(struct exchange *x, struct err *err)
{
    struct request *request = &x->request;
    struct target target;
    enum status s =
        x->has_bad_target
            ? err_set(err, STATUS_TARGET_TOO_LONG, "The request target is longer than %d bytes.",
                      TARGET_BYTES_MAX)
            : target_parse(request->target, request->method == METHOD_OPTIONS, &target, err);
    if (s != STATUS_OK) {
        x->framing.must_close = true; /* a request line with a space too many may hide anything */
        return s;
    }
    request->path = target.path;
    request->query = target.query;
    s = router_match(x->router, request, err);
    if (s == STATUS_OK && request->route != NULL) {
        request->lane = request->route->lane == LANE_QUICK ? LANE_IO : request->route->lane;
        s = ask_admission(x, err);
    }
    return s == STATUS_OK ? check_size(x, err) : s;
}

static void allow_time_for_body(struct exchange *x)
{
    const struct config *config = x->traffic->app->config;
    uint64_t bytes = x->framing.has_length ? x->framing.content_length : x->body_max;
    if (bytes > DISCARDED_BODY_MAX)
        bytes = DISCARDED_BODY_MAX;
    conn_enter(x->conn, CONN_BODY,
               clock_mono_ns() +
                   ms_to_ns(config->body_timeout_ms + bytes * 1000 / 1024 / config->min_rate_kib));
}

enum exchange_step exchange_head(struct exchange *x, const struct framing_head *head)
{
    struct err err = {0};
    struct request *request = &x->request;
    conn_enter(x->conn, CONN_BUSY, 0);
    x->state = EXCHANGE_BODY;
    request->headers = head->headers;
    request->n_headers =
        head->n_headers < REQUEST_HEADERS_MAX ? head->n_headers : REQUEST_HEADERS_MAX;
    if (exchange_is_recalled(x, head))
        return STEP_READ;
    exchange_identify(x);
    enum status framed = framing_check(head, &x->framing, &err);
    request->method = x->framing.method;
    if (framed != STATUS_OK && framed != STATUS_EXPECTATION_FAILED) {
        metrics_add(x->traffic->app->metrics, METRIC_framing_rejected_total, 1);
        exchange_settle(x, framed, &err);
        return STEP_ANSWER;
    }
    x->is_framed = true;
    take_client_id(x);
    x->has_trace = trace_join(request_header(request, "traceparent"), &request->trace);
    enum status s = framed == STATUS_OK ? check_request(x, &err) : framed;
    if (s != STATUS_OK)
        exchange_settle(x, s, &err);
    bool has_body = x->framing.is_chunked || x->framing.content_length > 0;
    /* An answer before the body ends the connection, so it waits for the body unless that is not worth it. */
    if (s != STATUS_OK &&
        (x->framing.expects_continue || x->framing.content_length > DISCARDED_BODY_MAX))
        return STEP_ANSWER;
    x->is_discarding =
        s != STATUS_OK || request->route == NULL || request->route->body_max_bytes == 0;
    buf_init(&x->body, &request->arena, x->body_max);
    if (has_body)
        allow_time_for_body(x);
    return STEP_READ;
}

bool exchange_take(struct exchange *x, struct str bytes)
{
    x->body_bytes += bytes.len;
    if (x->body_bytes > DISCARDED_BODY_MAX && x->body_bytes > x->body_max)
        return false;
    if (!x->is_discarding && x->body_bytes <= x->body_max)
        buf_add(&x->body, bytes);
    return true;
}

/* The request's own faults that show only now. */
static enum status check_body(struct exchange *x, struct err *err)
{
    struct request *request = &x->request;
    if (x->body_bytes > x->body_max) {
        enum status s = err_set(err, STATUS_BODY_TOO_LARGE, "The body is too large.");
        err_allow(err, "at most %zu bytes here", x->body_max);
        return s;
    }
    if (x->body.failed)
        return err_set(err, STATUS_OUT_OF_MEMORY, "There is no memory for the body.");
    if (!x->is_discarding)
        request->body = buf_str(&x->body);
    return STATUS_OK;
}

enum exchange_step exchange_start(struct exchange *x)
{
    struct err err = {0};
    conn_enter(x->conn, CONN_BUSY, 0);
    if (x->status != STATUS_OK || x->is_recalled)
        return STEP_ANSWER; /* refused at the head; the body is out of the way now */
    enum status s = check_body(x, &err);
    if (s == STATUS_OK && exchange_is_known(x))
        return STEP_ANSWER;
    if (s == STATUS_OK && x->request.route != NULL)
        s = query_parse(x->request.query, &x->request.arena, &x->request.params,
                        &x->request.n_params, &err);
    if (s != STATUS_OK) {
        exchange_settle(x, s, &err);
        return STEP_ANSWER;
    }
    if (x->request.route != NULL)
        return exchange_run(x);
    cors_answer_options(&x->request);
    return STEP_ANSWER;
}

void exchange_done(struct exchange *x, enum exchange_end end)
{
    struct stream *stream = x->request.stream;
    if (x->state == EXCHANGE_WAITING) /* resumed, and the library found the connection dead first */
        (void)exchange_resumed(x);
    x->end = end;
    x->cut_phase = conn_cut_phase(x->conn);
    if (stream_has_body(stream)) {
        watch_end(x->traffic->watch, x->conn);
        stream_leave(stream); /* from here on the worker leaves the connection alone */
    }
    conn_enter(x->conn, CONN_IDLE, 0);
    bool is_alone = atomic_load_explicit(&x->traffic->n_suspended, memory_order_relaxed) == 0 &&
                    atomic_load_explicit(&x->traffic->n_streaming, memory_order_relaxed) == 0;
    turn_note(clock_mono_coarse_ns(), is_alone);
    exchange_release(x);
}

void exchange_release(struct exchange *x)
{
    if (atomic_fetch_sub(&x->references, 1) != 1)
        return;
    access_log(x);
    if (!x->is_ops)
        atomic_fetch_sub(&x->traffic->n_inflight, 1);
    stream_free(x->request.stream);
    recent_unref(x->recent);
    blob_unref(x->request.reply.blob);
    arena_clear(&x->spare);
    give_back(x);
}
