/*
 * exchange_run.c - the calls of a request's handler: on the polling thread, on the workers of a lane, again
 * when it deferred itself to another lane, and again when what it was parked for is there.
 */
#include "server/stream.h"

#include "base/clock.h"

#include <assert.h>
#include <stddef.h>

/* Of request->park. An unpark may come before the handler that parks has returned, or has even called park. */
enum park { PARK_NONE, PARK_PARKING, PARK_PARKED, PARK_UNPARKED };

enum status request_defer(struct request *request, enum lane lane)
{
    request->lane = lane;
    request->outcome = OUTCOME_DEFERRED;
    return STATUS_OK;
}

enum status request_park(struct request *request)
{
    int none = PARK_NONE;
    assert(!request->is_quick);
    (void)atomic_compare_exchange_strong(&request->park, &none, PARK_PARKING);
    request->outcome = OUTCOME_PARKED;
    return STATUS_OK;
}

/* What a handler put into the reply is forgotten; what app->admit put there stays. */
static void clear_reply(struct request *request)
{
    struct reply *reply = &request->reply;
    blob_unref(reply->blob);
    reply->blob = NULL;
    reply->http_status = 200;
    reply->content_type = NULL;
    reply->body = STR_NONE;
    reply->n_headers = reply->n_fixed;
    reply->slot = 0;
}

static enum status call(struct exchange *x, handler_fn *handler, struct err *err)
{
    x->request.outcome = OUTCOME_ANSWERED;
    enum status s = handler(&x->request, err);
    if (x->request.outcome == OUTCOME_DEFERRED || x->request.outcome == OUTCOME_PARKED)
        clear_reply(&x->request);
    return s;
}

static enum status call_handler(struct exchange *x, struct err *err)
{
    return call(x, x->request.route->handler, err);
}

/* Counts the request as suspended unless it is too late for that. */
static bool count_suspended(struct traffic *traffic)
{
    /* Counted before the switch is read: whoever sets the switch and then sees no one suspended is right. */
    atomic_fetch_add(&traffic->n_suspended, 1);
    if (!atomic_load(&traffic->is_refusing))
        return true;
    atomic_fetch_sub(&traffic->n_suspended, 1);
    return false;
}

static enum status find_place(struct exchange *x, struct err *err)
{
    struct traffic *traffic = x->traffic;
    struct workers *lane = traffic->lanes[x->request.lane];
    if (workers_admit(lane))
        return STATUS_OK;
    metrics_add_labeled(traffic->app->metrics, METRIC_queue_rejected_total,
                        LABELS(workers_name(lane)), 1);
    enum status s = err_set(err, STATUS_BUSY, "Too many requests are waiting for a worker.");
    err->retry_after_s = workers_retry_after_s(lane);
    return s;
}

/* A place in the lane's queue, or why there is none. Counts the request as suspended on success. */
static enum status admit(struct exchange *x, struct err *err)
{
    struct traffic *traffic = x->traffic;
    if (!count_suspended(traffic))
        return err_set(err, STATUS_DRAINING, "The server is shutting down; try another one.");
    enum status s = find_place(x, err);
    if (s != STATUS_OK)
        atomic_fetch_sub(&traffic->n_suspended, 1);
    return s;
}

enum exchange_step exchange_run(struct exchange *x)
{
    struct request *request = &x->request;
    enum lane lane = request->route->lane;
    struct err err = {0};
    bool (*is_quick)(struct request *) = request->app->is_quick;
    if (lane == LANE_HTTP || (lane == LANE_QUICK && (is_quick == NULL || is_quick(request)))) {
        request->is_quick = true;
        enum status s = call_handler(x, &err);
        request->is_quick = false;
        if (request->outcome == OUTCOME_ANSWERED) {
            exchange_settle(x, s, &err);
            return STEP_ANSWER;
        }
        if (request->outcome == OUTCOME_PARKED)
            return STEP_SUSPEND;
    }
    enum status s = admit(x, &err);
    if (s == STATUS_OK)
        return STEP_SUSPEND;
    exchange_settle(x, s, &err);
    return STEP_ANSWER;
}

static struct exchange *of_job(struct job *job)
{
    return (struct exchange *)(void *)((char *)job - offsetof(struct exchange, job));
}

static struct exchange *of_request(struct request *request)
{
    return (struct exchange *)(void *)((char *)request - offsetof(struct exchange, request));
}

/* Gives the exchange back to its polling thread, which may free it at once. */
static void finish(struct exchange *x)
{
    atomic_store_explicit(&x->is_finished, true, memory_order_release);
    x->resume(x->connection);
}

/* Back to the queue, which must not refuse what is half done. */
static void push_again(struct exchange *x)
{
    workers_push_again(x->traffic->lanes[x->request.lane], &x->job);
}

static void note_wait(struct exchange *x)
{
    int64_t ns = x->job.started_ns - x->job.queued_ns;
    x->queue_ns += ns;
    metrics_observe_labeled(x->traffic->app->metrics, METRIC_http_queue_seconds,
                            LABELS(workers_name(x->traffic->lanes[x->request.lane])),
                            (double)ns / 1e9);
    if (x->parked_ns != 0)
        request_time(&x->request, "join", x->job.queued_ns - x->parked_ns);
    x->parked_ns = 0;
}

/* After the call that parked. Whoever loses the race puts it back: here when the unpark was first. */
static void leave_parked(struct exchange *x)
{
    int parking = PARK_PARKING;
    if (!atomic_compare_exchange_strong(&x->request.park, &parking, PARK_PARKED))
        push_again(x); /* otherwise x may be at work elsewhere already */
}

void request_unpark(struct request *request)
{
    if (atomic_exchange(&request->park, PARK_UNPARKED) == PARK_PARKED)
        push_again(of_request(request));
}

bool request_park_quick(struct request *request, handler_fn *again)
{
    int none = PARK_NONE;
    assert(request->is_quick);
    if (!count_suspended(of_request(request)->traffic))
        return false;
    (void)atomic_compare_exchange_strong(&request->park, &none, PARK_PARKING);
    request->again = again;
    request->outcome = OUTCOME_PARKED;
    return true;
}

static void run_again(struct exchange *x)
{
    struct request *request = &x->request;
    struct err err = {0};
    atomic_store(&request->park, PARK_NONE);
    request->is_quick = true;
    enum status s = call(x, request->again, &err);
    request->is_quick = false;
    if (request->outcome == OUTCOME_DEFERRED) {
        push_again(x);
        return;
    }
    exchange_settle(x, s, &err);
    finish(x);
}

static void leave_parked_quick(struct exchange *x)
{
    int parking = PARK_PARKING;
    if (!atomic_compare_exchange_strong(&x->request.park, &parking, PARK_PARKED))
        run_again(x); /* unparked before it was suspended */
}

void request_unpark_quick(struct request *request)
{
    if (atomic_exchange(&request->park, PARK_UNPARKED) == PARK_PARKED)
        run_again(of_request(request));
}

void exchange_submit(struct exchange *x)
{
    x->state = EXCHANGE_WAITING;
    x->job.stop = &x->request.stop;
    watch_begin(x->traffic->watch, x->conn, &x->request.stop,
                clock_mono_ns() + (int64_t)x->request.route->deadline_ms * 1000000);
    if (x->request.outcome == OUTCOME_PARKED) {
        leave_parked_quick(x);
        return;
    }
    workers_push(x->traffic->lanes[x->request.lane], &x->job);
}

void exchange_run_job(struct job *job)
{
    struct exchange *x = of_job(job);
    struct err err = {0};
    note_wait(x);
    atomic_store(&x->request.park, PARK_NONE);
    enum status s = call_handler(x, &err);
    if (x->request.outcome == OUTCOME_PARKED) {
        x->parked_ns = clock_mono_ns();
        leave_parked(x);
        return;
    }
    if (x->request.outcome == OUTCOME_DETACHED) {
        exchange_release(x); /* the handler's reference; whoever ends the stream has another */
        return;
    }
    if (x->request.outcome == OUTCOME_DEFERRED) {
        s = find_place(x, &err);
        if (s == STATUS_OK) {
            workers_push(x->traffic->lanes[x->request.lane], &x->job);
            return;
        }
    }
    if (stream_has_body(x->request.stream)) {
        stream_finish(x, s, &err);
        return;
    }
    if (x->request.stream ==
        NULL) /* what a HEAD request asks for was final when the stream began */
        exchange_settle(x, s, &err);
    finish(x);
}

void exchange_skip_job(struct job *job)
{
    struct exchange *x = of_job(job);
    struct err err = {0};
    note_wait(x);
    enum status s = stop_status(&x->request.stop, &err);
    exchange_settle(x, s, &err);
    finish(x);
}

enum exchange_step exchange_resumed(struct exchange *x)
{
    struct traffic *traffic = x->traffic;
    x->state = EXCHANGE_BODY;
    atomic_fetch_sub(&traffic->n_suspended, 1);
    if (stream_has_body(x->request.stream))
        return STEP_ANSWER; /* its worker goes on, and is watched */
    watch_end(traffic->watch, x->conn);
    if (x->status == STATUS_DEADLINE)
        metrics_add(traffic->app->metrics, METRIC_deadline_total, 1);
    return x->is_silent ? STEP_CLOSE : STEP_ANSWER;
}
