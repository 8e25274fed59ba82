/* stream.c - the ring between a worker that makes a long answer and the polling thread that sends it. */
#include "server/stream.h"

#include "base/clock.h"
#include "base/lock.h"
#include "server/ring.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TRAILERS_MAX = 4,
    TRAILER_BYTES = 64,
    WAKE_BYTES = 32 * 1024, /* worth a wake-up of the polling thread */
    WAKE_MS = 20,           /* fewer bytes are worth one, too, when the last was so long ago */
    LOOK_MS = 50            /* between two looks at the stop word while waiting for room */
};

enum reason { CLIENT_GONE, SLOW_READER, DRAINING, FAILED };
const char *const stream_reasons[STREAM_REASONS] = {
    [CLIENT_GONE] = "client_gone",
    [SLOW_READER] = "slow_reader",
    [DRAINING] = "draining",
    [FAILED] = "error",
};

struct trailer {
    const char *name;
    char value[TRAILER_BYTES];
};

struct stream {
    struct exchange *x; /* fixed, like has_body */
    bool has_body;
    struct lock lock; /* guards every GUARDED field; MHD's own locks may be taken under it */
    struct cond has_room;
    struct ring ring GUARDED;
    uint64_t n_taken GUARDED;
    int64_t taken_ns GUARDED; /* when the library last took some */
    int64_t woken_ns GUARDED; /* when it was last told to */
    bool is_ended GUARDED;    /* by the worker */
    bool is_failed GUARDED;
    bool is_suspended GUARDED; /* by the polling thread, for want of bytes */
    bool is_gone GUARDED; /* the library is done with the request: the connection is not ours */
    /* The worker's own, until it has ended. */
    int64_t blocked_ns; /* waited for room in this window */
    uint64_t window_taken;
    bool is_slow;
    enum status status;
    struct trailer trailers[TRAILERS_MAX];
    size_t n_trailers;
    char bytes[];
};

static struct exchange *of_request(struct request *request)
{
    return (struct exchange *)(void *)((char *)request - offsetof(struct exchange, request));
}

static struct stream *stream_new(struct exchange *x, bool has_body, size_t size)
{
    struct stream *stream = malloc(sizeof *stream + (has_body ? size : 0));
    if (stream == NULL)
        return NULL;
    *stream = (struct stream){.x = x, .has_body = has_body, .ring = {stream->bytes, size, 0, 0}};
    lock_init(&stream->lock);
    cond_init(&stream->has_room);
    return stream;
}

void stream_free(struct stream *stream)
{
    if (stream == NULL)
        return;
    cond_clear(&stream->has_room);
    lock_clear(&stream->lock);
    free(stream);
}

static enum status begin(struct request *request, size_t size, struct err *err)
{
    struct exchange *x = of_request(request);
    if (stop_is_raised(&request->stop))
        return stop_status(&request->stop, err);
    bool has_body = request->method != METHOD_HEAD;
    struct stream *stream = stream_new(x, has_body, size);
    if (stream == NULL || (has_body && !request_keep_headers(request))) {
        stream_free(stream);
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for a stream.");
    }
    request->stream = stream;
    if (!has_body)
        return STATUS_OK;
    /* Counted before it stops counting as suspended: a drain sees it as one or the other. */
    atomic_fetch_add(&x->traffic->n_streaming, 1);
    atomic_fetch_add(&x->references, 1);
    watch_extend(x->traffic->watch, x->conn);
    atomic_store_explicit(&x->is_finished, true, memory_order_release);
    x->resume(x->connection);
    return STATUS_OK;
}

enum status stream_begin(struct request *request, struct err *err)
{
    if (request->lane != LANE_STREAM || request->is_quick || request->stream != NULL)
        return err_set(err, STATUS_INTERNAL, "A stream begins once, on a worker for streams.");
    return begin(request, STREAM_RING_BYTES, err);
}

/* Two references more: until stream_end, and until the handler has returned, which must find the request there. */
enum status stream_begin_detached(struct request *request, size_t ring_bytes, struct err *err)
{
    if (request->is_quick || request->stream != NULL)
        return err_set(err, STATUS_INTERNAL, "A stream begins once, on a worker.");
    atomic_fetch_add(&of_request(request)->references, 1);
    request->is_detached = true;
    enum status s = begin(request, ring_bytes, err);
    if (s != STATUS_OK || request->method == METHOD_HEAD)
        atomic_fetch_sub(&of_request(request)->references, 1);
    return s;
}

enum status stream_detach(struct request *request)
{
    request->outcome = OUTCOME_DETACHED;
    return STATUS_OK;
}

/* May the reader sleep on? Unless it is due few bytes are collected for a while, so that it does not wake for each row. */
static bool wakes_reader(struct stream *stream, bool is_due, int64_t now) REQUIRES(stream->lock)
{
    bool wakes = stream->is_suspended && (is_due || stream->ring.len >= WAKE_BYTES ||
                                          now - stream->woken_ns >= (int64_t)WAKE_MS * 1000000);
    if (wakes) {
        stream->is_suspended = false;
        stream->woken_ns = now;
    }
    return wakes;
}

/* Waited for room since from_ns: is the client slower than it may be? */
static bool is_too_slow(struct stream *stream, int64_t from_ns, int64_t now) REQUIRES(stream->lock)
{
    const struct config *config = stream->x->traffic->app->config;
    int64_t limit_ns = (int64_t)config->send_timeout_ms * 1000000;
    int64_t window_ns = (int64_t)STREAM_WINDOW_MS * 1000000;
    int64_t since_ns = stream->taken_ns > from_ns ? stream->taken_ns : from_ns;
    if (now - since_ns >= limit_ns)
        return true;
    int64_t blocked_ns = stream->blocked_ns + (now - from_ns);
    if (blocked_ns < (window_ns < limit_ns ? window_ns : limit_ns))
        return false;
    double wanted = (double)config->min_rate_kib * 1024 * (double)blocked_ns / 1e9;
    bool is_slow = (double)(stream->n_taken - stream->window_taken) < wanted;
    stream->blocked_ns = -(now - from_ns); /* a new window starts now */
    stream->window_taken = stream->n_taken;
    return is_slow;
}

static enum status look(struct stream *stream, struct err *err) REQUIRES(stream->lock)
{
    if (stream->is_gone)
        return err_set(err, STATUS_CLIENT_GONE, "The client closed the connection.");
    if (stop_is_raised(&stream->x->request.stop))
        return stop_status(&stream->x->request.stop, err);
    return STATUS_OK;
}

/* Once the ring is full the worker sleeps until it is half empty. */
static enum status wait_for_room(struct stream *stream, struct err *err) REQUIRES(stream->lock)
{
    enum status s = look(stream, err);
    if (s != STATUS_OK || stream->ring.len < stream->ring.size)
        return s;
    int64_t from_ns = clock_mono_ns(), now = from_ns;
    while (s == STATUS_OK && stream->ring.len > stream->ring.size / 2) {
        (void)cond_wait_until(&stream->has_room, &stream->lock, now + (int64_t)LOOK_MS * 1000000);
        now = clock_mono_ns();
        s = look(stream, err);
        stream->is_slow = s == STATUS_OK && is_too_slow(stream, from_ns, now);
        if (stream->is_slow)
            s = err_set(err, STATUS_DEADLINE, "The client took the answer too slowly.");
    }
    stream->blocked_ns += now - from_ns;
    return s;
}

enum status stream_write(struct request *request, struct str bytes, struct err *err)
{
    struct stream *stream = request->stream;
    assert(stream != NULL);
    if (!stream->has_body)
        return err_set(err, STATUS_CLIENT_GONE, "Nobody waits for the body of a HEAD request.");
    enum status s = STATUS_OK;
    while (s == STATUS_OK && bytes.len > 0) {
        lock_take(&stream->lock);
        s = wait_for_room(stream, err);
        if (s == STATUS_OK)
            bytes = str_sub(bytes, ring_put(&stream->ring, bytes), bytes.len);
        bool wakes = wakes_reader(stream, false, clock_mono_ns());
        lock_give(&stream->lock);
        if (wakes) /* nobody else resumes it, and suspended it cannot end */
            stream->x->resume(stream->x->connection);
    }
    return s;
}

bool stream_offer(struct request *request, struct str bytes)
{
    struct stream *stream = request->stream;
    lock_take(&stream->lock);
    bool has_room = !stream->is_gone && !stop_is_raised(&request->stop) &&
                    bytes.len <= stream->ring.size - stream->ring.len;
    if (has_room)
        (void)ring_put(&stream->ring, bytes);
    bool wakes = has_room && wakes_reader(stream, true, clock_mono_ns());
    lock_give(&stream->lock);
    if (wakes) /* nobody else resumes it, and suspended it cannot end */
        stream->x->resume(stream->x->connection);
    return has_room;
}

void stream_end(struct request *request, enum status s)
{
    struct err err = {0};
    if (s != STATUS_OK)
        (void)err_set(&err, s, "%s.", status_title(s));
    stream_finish(of_request(request), s, &err);
}

void stream_trailer(struct request *request, const char *name, const char *value)
{
    struct stream *stream = request->stream;
    if (stream == NULL || stream->n_trailers == TRAILERS_MAX)
        return;
    struct trailer *trailer = &stream->trailers[stream->n_trailers++];
    trailer->name = name;
    (void)snprintf(trailer->value, sizeof trailer->value, "%s", value);
}

enum stream_step stream_take(struct stream *stream, char *room, size_t max, size_t *ret_n)
{
    struct exchange *x = stream->x;
    enum stream_step step = STREAM_BYTES;
    lock_take(&stream->lock);
    size_t n = stream->is_failed ? 0 : ring_take(&stream->ring, room, max);
    if (stream->is_failed) {
        step = STREAM_FAILED;
    } else if (n > 0) {
        stream->n_taken += n;
        stream->taken_ns = clock_mono_ns();
        conn_progress(x->conn, stream->taken_ns);
        if (stream->ring.len <= stream->ring.size / 2)
            cond_signal(&stream->has_room);
        *ret_n = n;
    } else if (stream->is_ended) {
        step = STREAM_END;
    } else {
        /* Under the lock, so that the worker cannot resume what is not suspended yet. */
        x->suspend(x->connection);
        stream->is_suspended = true;
        step = STREAM_SUSPENDED;
    }
    lock_give(&stream->lock);
    return step;
}

bool stream_get_trailer(const struct stream *stream, size_t i, const char **ret_name,
                        const char **ret_value)
{
    if (i >= stream->n_trailers)
        return false;
    *ret_name = stream->trailers[i].name;
    *ret_value = stream->trailers[i].value;
    return true;
}

void stream_finish(struct exchange *x, enum status s, const struct err *err)
{
    struct stream *stream = x->request.stream;
    const struct config *config = x->traffic->app->config;
    int64_t now = clock_mono_ns();
    x->status = s;
    stream->status = s;
    if (s != STATUS_OK)
        (void)snprintf(
            x->problem_detail, sizeof x->problem_detail, "%.*s",
            STR_ARG(str_utf8_cut(str_of(err->status == s ? err->detail : status_title(s)),
                                 sizeof x->problem_detail - 1)));
    lock_take(&stream->lock);
    stream->is_ended = true;
    stream->is_failed = s != STATUS_OK;
    uint64_t send_ms =
        config->send_timeout_ms + (uint64_t)stream->ring.len * 1000 / 1024 / config->min_rate_kib;
    if (!stream->is_gone && stream->is_failed)
        conn_cut(x->conn); /* the library may be waiting for a client that reads nothing */
    else if (!stream->is_gone)
        conn_enter(x->conn, CONN_SENDING, now + (int64_t)send_ms * 1000000);
    bool wakes = wakes_reader(stream, true, now);
    lock_give(&stream->lock);
    if (wakes)
        x->resume(x->connection);
    atomic_fetch_sub(&x->traffic->n_streaming, 1);
    exchange_release(x);
}

void stream_leave(struct stream *stream)
{
    lock_take(&stream->lock);
    stream->is_gone = true;
    cond_signal(&stream->has_room);
    lock_give(&stream->lock);
    stop_raise(&stream->x->request.stop, STOP_CLIENT_GONE);
}

bool stream_has_body(const struct stream *stream)
{
    return stream != NULL && stream->has_body;
}

uint64_t stream_bytes(struct stream *stream)
{
    lock_take(&stream->lock);
    uint64_t n = stream->n_taken;
    lock_give(&stream->lock);
    return n;
}

const char *stream_reason(struct stream *stream, enum exchange_end end)
{
    if (stream->status == STATUS_OK && end == END_COMPLETED)
        return NULL;
    enum reason reason = stream->is_slow                        ? SLOW_READER
                         : stream->status == STATUS_OK          ? CLIENT_GONE
                         : stream->status == STATUS_CLIENT_GONE ? CLIENT_GONE
                         : stream->status == STATUS_DRAINING    ? DRAINING
                                                                : FAILED;
    return stream_reasons[reason];
}
