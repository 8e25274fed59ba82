/*
 * http_reply.c - builds the library's response around the reply's bytes without copying them: they live in
 * the request's arena, which is freed when the library reports completion, or in a blob, which may have a
 * response for them already.
 */
#include "server/http_reply.h"

#include "server/cors.h"
#include "server/http_stream.h"
#include "server/prepared.h"
#include "server/stream.h"

#include "base/clock.h"
#include "base/http_date.h"

#include <microhttpd.h>

static void add(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name,
                                  value); /* refuses only what would break the framing */
}

static void put_time(struct buf *text, const char *name, int64_t ns)
{
    buf_add(text, STR(", "));
    buf_add(text, str_sub(str_of(name), 0, 24));
    buf_add(text, STR(";dur="));
    buf_add_ms(text, ns);
}

/* Server-Timing: what took how long, where the answer came from, and the trace it belongs to. */
static void add_timing(struct MHD_Response *response, const struct exchange *x)
{
    const struct request *request = &x->request;
    char room[768];
    struct buf text;
    buf_init_fixed(&text, room, sizeof room);
    buf_add(&text, STR("queue;dur="));
    buf_add_ms(&text, x->queue_ns);
    for (size_t i = 0; i < request->n_timings; i++)
        put_time(&text, request->timings[i].name, request->timings[i].ns);
    int64_t pg_ns = atomic_load(&request->pg_ns);
    if (pg_ns > 0)
        put_time(&text, "pg", pg_ns);
    buf_add(&text, STR(", cache;desc=\""));
    buf_add_c(&text, request->cache);
    buf_add(&text, STR("\", total;dur="));
    buf_add_ms(&text, clock_mono_ns() - request->arrived_ns);
    buf_add(&text, STR(", traceparent;desc=\"00-"));
    buf_add(&text, (struct str){request->trace.trace_id, 32});
    buf_add_char(&text, '-');
    buf_add(&text, (struct str){request->trace.span_id, 16});
    buf_add(&text, request->trace.is_sampled ? STR("-01\"") : STR("-00\""));
    const char *value = buf_c_str(&text);
    if (value != NULL)
        add(response, "Server-Timing", value);
}

static void add_headers(struct MHD_Response *response, const struct exchange *x)
{
    const struct request *request = &x->request;
    const struct reply *reply = &request->reply;
    const char *origin = request->app->config->cors_origin;
    if (reply->content_type != NULL)
        add(response, "Content-Type", reply->content_type);
    for (size_t i = 0; i < reply->n_headers; i++)
        add(response, reply->headers[i].name, reply->headers[i].value);
    bool is_unchanged = reply->http_status == 304; /* says what RFC 9110, 15.4.5 asks for */
    if (!is_unchanged)
        add(response, "X-Content-Type-Options", "nosniff");
    if (reply->slot == 0)
        add(response, "X-Request-Id", request->public_id);
    if (reply->slot == 0 && (!is_unchanged || request->trace.is_sampled))
        add_timing(response, x);
    if (!x->is_ops && origin[0] != '\0') {
        add(response, "Access-Control-Allow-Origin", origin);
        add(response, "Access-Control-Expose-Headers", CORS_EXPOSED_HEADERS);
    }
    if (stream_has_body(x->request.stream) && !x->framing.is_http_10 &&
        request->stream_bytes == 0 && !request->is_detached)
        add(response, "Trailer", "X-Row-Count");
    if (x->framing.must_close || atomic_load(&x->traffic->is_closing))
        add(response, "Connection", "close");
}

/* When the client must have taken what is in hand; a stream has rules of its own. */
static int64_t cut_at_ns(const struct exchange *x)
{
    const struct config *config = x->request.app->config;
    if (stream_has_body(x->request.stream))
        return 0;
    uint64_t send_ms = config->send_timeout_ms +
                       (uint64_t)x->request.reply.body.len * 1000 / 1024 / config->min_rate_kib;
    return clock_mono_coarse_ns() + (int64_t)send_ms * 1000000;
}

static struct MHD_Response *make_response(struct exchange *x)
{
    struct reply *reply = &x->request.reply;
    if (x->request.stream != NULL)
        return http_stream_response(x);
    if (reply->http_status == 204 || reply->http_status == 304)
        reply->body = STR("");
    /* The library's parameter is not const, but a persistent buffer is only read. */
    void *bytes = (void *)(uintptr_t)(reply->body.ptr == NULL ? "" : reply->body.ptr);
    return MHD_create_response_from_buffer(reply->body.len, bytes, MHD_RESPMEM_PERSISTENT);
}

static void release(void *response)
{
    MHD_destroy_response(response);
}

/* For the next who send the same head to this thread in this second; false: it could not be kept. */
static bool keep_recent(struct exchange *x, struct MHD_Response *response, int64_t second)
{
    struct request *request = &x->request;
    const struct app *app = request->app;
    struct recent *recent = recent_new(x->recent_head);
    if (recent == NULL)
        return false;
    recent->stamp = x->recent_stamp;
    recent->second = second;
    recent->response = response;
    recent->release = release;
    recent->blob = blob_ref(request->reply.blob);
    recent->body = request->reply.body;
    recent->http_status = request->reply.http_status;
    recent->method = request->method;
    recent->route = request->route;
    recent->principal = request->principal;
    struct recent *old = recents_put(app->recents, recent);
    if (old != NULL && old->hits > 0 && app->recalled != NULL)
        app->recalled(app, old->head, old->hits);
    recent_unref(old);
    x->recent = recent;
    return true;
}

/* With the Date of this second: the library need not write one each time. */
static struct MHD_Response *make_recent(struct exchange *x, bool *ret_is_kept)
{
    struct MHD_Response *response = make_response(x);
    if (response == NULL)
        return NULL;
    char date[HTTP_DATE_BYTES];
    int64_t second = clock_wall_s();
    http_date_format(second, date);
    add(response, "Date", date);
    add_headers(response, x);
    *ret_is_kept = keep_recent(x, response, second);
    return response;
}

/* Made for everyone who gets this reply, or for x alone; *ret_is_kept: the caller has no reference to it. */
static struct MHD_Response *find_response(struct exchange *x, bool *ret_is_kept)
{
    struct reply *reply = &x->request.reply;
    *ret_is_kept = true;
    if (x->recent != NULL)
        return x->recent->response;
    if (x->recent_head.ptr != NULL)
        return make_recent(x, ret_is_kept);
    struct MHD_Response *response =
        reply->slot == 0 ? NULL : prepared_get(reply->blob, reply->slot);
    *ret_is_kept = response != NULL;
    if (response != NULL)
        return response;
    response = make_response(x);
    if (response == NULL)
        return NULL;
    add_headers(response, x);
    *ret_is_kept = reply->slot != 0 && prepared_put(reply->blob, reply->slot, response, release,
                                                    &x->request.app->n_prepared);
    return response;
}

bool http_reply(struct exchange *x)
{
    bool is_kept;
    struct MHD_Response *response = find_response(x, &is_kept);
    if (response == NULL)
        return false;
    conn_enter(x->conn, CONN_SENDING, cut_at_ns(x));
    x->state = EXCHANGE_ANSWERED;
    enum MHD_Result queued =
        MHD_queue_response(x->connection, (unsigned)x->request.reply.http_status, response);
    if (!is_kept)
        MHD_destroy_response(response);
    if (queued != MHD_YES)
        x->state = EXCHANGE_BODY;
    return queued == MHD_YES;
}
