/* transport.c - one HTTP request over libcurl: callbacks, redirects by hand, statuses. */
#include "ingest/transport_impl.h"

#include "base/clock.h"
#include "base/gzip.h"
#include "base/stop.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 256 << 10, REST_MS_MIN = 1, NS_PER_MS = 1000000 };

struct transport {
    CURL *curl;
    struct arena arena; /* of one request */
    char *ca_file;      /* NULL: the system's */

    /* Of the request under way or the last one. */
    const struct transport_request *request;
    struct transport_answer answer;
    struct gzip_stream *gzip; /* NULL: plain */
    int64_t sent;
    bool is_redirect;  /* the body that comes is dropped */
    bool has_head;     /* all of its headers have come */
    bool has_body;     /* its first bytes have come */
    enum status ended; /* what a callback ended it with */
    struct err *err;
    size_t head_used;
    char head[TRANSPORT_HEAD_BYTES]; /* lines of the last answer, each with '\0' */
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static CURLcode library_code = CURLE_FAILED_INIT;

static void start_library(void)
{
    library_code = curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum status transport_new(const char *ca_file, struct transport **ret, struct err *err)
{
    (void)pthread_once(&library_once, start_library);
    if (library_code != CURLE_OK)
        return err_set(err, STATUS_INTERNAL, "The library for requests cannot be started.");
    struct transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL)
        return err_out_of_memory(err);
    arena_init(&transport->arena, ARENA_BYTES);
    transport->curl = curl_easy_init();
    if (ca_file != NULL)
        transport->ca_file = strdup(ca_file);
    if (transport->curl == NULL || (ca_file != NULL && transport->ca_file == NULL)) {
        transport_freep(&transport);
        return err_out_of_memory(err);
    }
    *ret = transport;
    return STATUS_OK;
}

void transport_freep(struct transport **transport)
{
    struct transport *t = *transport;
    if (t == NULL)
        return;
    curl_easy_cleanup(t->curl);
    gzip_stream_freep(&t->gzip);
    arena_clear(&t->arena);
    free(t->ca_file);
    free(t);
    *transport = NULL;
}

int transport_status(const struct transport *transport)
{
    return transport->answer.status;
}

struct str transport_header(const struct transport *transport, struct str name)
{
    for (size_t at = 0; at < transport->head_used;) {
        struct str line = str_of(transport->head + at);
        size_t colon = str_find(line, ':', 0);
        if (colon < line.len && str_eq_nocase(str_sub(line, 0, colon), name))
            return str_trim(str_sub(line, colon + 1, line.len));
        at += line.len + 1;
    }
    return STR_NONE;
}

/* ---- What libcurl calls ------------------------------------------------------------------------------------------ */

/* Ends the request with s; curl takes a short count for a failure. */
static size_t end_with(struct transport *t, enum status s)
{
    t->ended = s;
    return 0;
}

static bool is_stopped(struct transport *t)
{
    if (!stop_is_raised(t->request->stop))
        return false;
    t->ended = stop_status(t->request->stop, t->err);
    return true;
}

static bool is_redirect_status(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool is_followed(const struct transport *t)
{
    const struct transport_request *request = t->request;
    return request->limits.redirects > 0 && is_redirect_status(t->answer.status) &&
           (str_eq_c(request->method, "GET") || str_eq_c(request->method, "HEAD")) &&
           transport_header(t, STR("location")).len > 0;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
    struct transport *t = user;
    size_t length = size * n, kept = length;
    if (t->has_body)
        return length; /* a trailer */
    while (kept > 0 && (line[kept - 1] == '\n' || line[kept - 1] == '\r'))
        kept--;
    if (kept > 5 && memcmp(line, "HTTP/", 5) == 0) {
        long status = 0;
        (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
        t->answer.status = (int)status;
        t->head_used = 0;
    }
    t->has_head = kept == 0;
    if (t->has_head)
        return length;
    if (kept + 1 > sizeof t->head - t->head_used)
        return end_with(t, err_set(t->err, STATUS_TOO_LARGE,
                                   "The answer's headers have more than %d bytes.",
                                   TRANSPORT_HEAD_BYTES));
    for (size_t i = 0; i < kept; i++)
        t->head[t->head_used++] = line[i] == '\0' ? ' ' : line[i];
    t->head[t->head_used++] = '\0';
    return length;
}

static enum status give_plain(void *user, struct str plain, struct err *err)
{
    struct transport *t = user;
    const struct transport_request *request = t->request;
    t->answer.bytes += (int64_t)plain.len;
    if (request->limits.answer_bytes > 0 && t->answer.bytes > request->limits.answer_bytes)
        return err_set(err, STATUS_TOO_LARGE, "The answer has more than the %lld bytes allowed.",
                       (long long)request->limits.answer_bytes);
    return request->write == NULL ? STATUS_OK : request->write(request->to, plain, err);
}

/* Before the first byte of a body: is it one to be dropped, and how is it packed? */
static enum status begin_body(struct transport *t)
{
    t->has_body = true;
    t->is_redirect = is_followed(t);
    struct str encoding = transport_header(t, STR("content-encoding"));
    if (t->is_redirect || encoding.len == 0 || str_eq_nocase(encoding, STR("identity")))
        return STATUS_OK;
    bool is_gzip = str_eq_nocase(encoding, STR("gzip")) || str_eq_nocase(encoding, STR("x-gzip"));
    if (!t->request->takes_gzip || !is_gzip)
        return err_set(t->err, STATUS_BAD_DATA,
                       "The answer is encoded in a way that was not asked for.");
    return gzip_stream_new(&t->gzip, t->err);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *user)
{
    struct transport *t = user;
    struct str piece = {bytes, size * n};
    if (is_stopped(t))
        return 0;
    enum status s = t->has_body ? STATUS_OK : begin_body(t);
    if (s == STATUS_OK && !t->is_redirect)
        s = t->gzip != NULL ? gzip_stream_add(t->gzip, piece, give_plain, t, t->err)
                            : give_plain(t, piece, t->err);
    return s == STATUS_OK ? piece.len : end_with(t, s);
}

static size_t on_send(char *room, size_t size, size_t n, void *user)
{
    struct transport *t = user;
    int64_t rest = t->request->body_bytes - t->sent;
    size_t most = size * n, given = 0;
    if (rest <= 0)
        return 0;
    most = rest < (int64_t)most ? (size_t)rest : most;
    if (is_stopped(t))
        return CURL_READFUNC_ABORT;
    enum status s = t->request->read(t->request->from, room, most, &given, t->err);
    if (s == STATUS_OK && given == 0)
        s = err_set(t->err, STATUS_BAD_DATA, "The body to be sent ended before its length.");
    if (s != STATUS_OK) {
        (void)end_with(t, s);
        return CURL_READFUNC_ABORT;
    }
    t->sent += (int64_t)given;
    return given;
}

static int on_progress(void *user, curl_off_t down_all, curl_off_t down, curl_off_t up_all,
                       curl_off_t up)
{
    (void)down_all, (void)down, (void)up_all, (void)up;
    return is_stopped(user) ? 1 : 0;
}

/* ---- One hop ----------------------------------------------------------------------------------------------------- */

static void set_callbacks(struct transport *t)
{
    CURL *curl = t->curl;
    (void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_send);
    (void)curl_easy_setopt(curl, CURLOPT_READDATA, t);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
    if (t->ca_file != NULL)
        (void)curl_easy_setopt(curl, CURLOPT_CAINFO, t->ca_file);
}

static enum status status_of(const struct transport *t, CURLcode code,
                             const struct transport_origin *origin)
{
    if (t->ended != STATUS_OK)
        return t->ended;
    if (code == CURLE_OUT_OF_MEMORY)
        return err_out_of_memory(t->err);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return err_set(t->err, STATUS_DEADLINE, "The host %s took too long.", origin->host);
    return err_set(t->err, STATUS_IO, "The request to the host %s failed: %s.", origin->host,
                   curl_easy_strerror(code));
}

static enum status send_one(struct transport *t, const char *url, bool is_same_origin,
                            long total_ms, const struct transport_origin *origin)
{
    struct curl_slist *headers = NULL;
    const char *method = arena_dup(&t->arena, t->request->method);
    enum status s = method == NULL ? err_out_of_memory(t->err)
                                   : transport_make_headers(&t->arena, t->request, is_same_origin,
                                                            &headers, t->err);
    t->answer.bytes = 0;
    t->answer.status = 0;
    t->head_used = 0;
    t->sent = 0;
    t->ended = STATUS_OK;
    t->is_redirect = t->has_head = t->has_body = false;
    gzip_stream_freep(&t->gzip);
    if (s == STATUS_OK) {
        curl_easy_reset(t->curl); /* connections stay */
        transport_set_options(t->curl, t->request, url, total_ms);
        transport_set_method(t->curl, t->request, method);
        set_callbacks(t);
        (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
        CURLcode code = curl_easy_perform(t->curl);
        s = code == CURLE_OK ? STATUS_OK : status_of(t, code, origin);
        (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, NULL);
    }
    curl_slist_free_all(headers);
    if (s == STATUS_OK && !t->has_head) /* libcurl takes it for the end of the headers */
        s = err_set(t->err, STATUS_IO, "The host %s broke off inside the headers.", origin->host);
    if (s == STATUS_OK && t->gzip != NULL)
        s = gzip_stream_finish(t->gzip, t->err);
    return s;
}

/* ---- All hops ---------------------------------------------------------------------------------------------------- */

/* Where a redirect leads; refused from https to http, and after too many. */
static enum status next_url(struct transport *t, const struct transport_origin *from,
                            char **ret_url, struct transport_origin *ret)
{
    char *location = NULL;
    unsigned most = t->request->limits.redirects;
    most = most < TRANSPORT_REDIRECTS_MAX ? most : TRANSPORT_REDIRECTS_MAX;
    if (++t->answer.redirects > most)
        return err_set(t->err, STATUS_BAD_DATA, "The host %s redirects more than %u times.",
                       from->host, most);
    (void)curl_easy_getinfo(t->curl, CURLINFO_REDIRECT_URL, &location);
    char *url = location == NULL ? NULL : arena_dup(&t->arena, str_of(location));
    struct transport_origin to = {0};
    if (url == NULL || transport_find_origin(url, &to, NULL) != STATUS_OK ||
        (strcmp(from->scheme, "https") == 0 && strcmp(to.scheme, "https") != 0))
        return err_set(t->err, STATUS_BAD_DATA,
                       "The host %s redirects to an address that is not followed.", from->host);
    *ret_url = url;
    *ret = to;
    return STATUS_OK;
}

/* Milliseconds that are left of total_ms since began; at least one. */
static long rest_ms(unsigned total_ms, int64_t began_ms)
{
    int64_t rest = (int64_t)total_ms - (clock_mono_ns() / NS_PER_MS - began_ms);
    return total_ms == 0 ? 0 : rest < REST_MS_MIN ? REST_MS_MIN : (long)rest;
}

enum status transport_send(struct transport *transport, const struct transport_request *request,
                           struct transport_answer *ret, struct err *err)
{
    struct transport *t = transport;
    struct transport_origin first, origin, next;
    int64_t began_ms = clock_mono_ns() / NS_PER_MS;
    arena_reset(&t->arena);
    t->request = request;
    t->err = err;
    t->answer = (struct transport_answer){0};
    char *url = arena_dup(&t->arena, request->url);
    enum status s = url == NULL ? err_out_of_memory(err) : transport_find_origin(url, &first, err);
    if (s != STATUS_OK)
        return s;
    origin = first;
    for (;;) {
        bool is_same = strcmp(first.scheme, origin.scheme) == 0 &&
                       strcmp(first.host, origin.host) == 0 && strcmp(first.port, origin.port) == 0;
        s = stop_is_raised(request->stop)
                ? stop_status(request->stop, err)
                : send_one(t, url, is_same, rest_ms(request->limits.total_ms, began_ms), &origin);
        if (s != STATUS_OK || !is_followed(t))
            break;
        s = next_url(t, &origin, &url, &next);
        if (s != STATUS_OK)
            break;
        origin = next;
    }
    if (s == STATUS_OK)
        *ret = t->answer;
    return s;
}
