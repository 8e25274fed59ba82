/*
 * http.c - the callbacks between libmicrohttpd and the exchanges, and the life of one daemon. A polling
 * thread never blocks here: what could block is suspended and queued, first the one and then the other.
 */
#define _GNU_SOURCE
#include "server/http.h"

#include "server/acceptor.h"
#include "server/exchange.h"
#include "server/http_reply.h"
#include "server/http_tls.h"
#include "server/listen.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* Of each connection: the library clears it after each request, so that its size is time (32 KiB cost 0.3 of
     * 4 us) as well as memory. Half is the first read buffer; a query parameter or header takes 64 bytes
     * beside its text: a target and headers of 9 KiB together leave room for 64 headers and 100 parameters. */
    POOL_BYTES = 24 * 1024,
    POOL_STEP_BYTES = 4 * 1024,
    ARRIVAL_MS = 2000 /* after which a connection that did not arrive never will */
};

struct http {
    struct http_options options;
    struct traffic *traffic;
    const struct router *router;
    struct MHD_Daemon *daemon;
    unsigned port;
    struct acceptor *acceptor;
    struct http_tls tls;
    struct connection_count *count;
    int64_t accepted_ns; /* the acceptor's: when the last one came */
};

PRINTF(2, 0) static void on_library_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    char text[512];
    (void)vsnprintf(text, sizeof text, format, args);
    log_event(LOG_DEBUG, "http_library", LOG_STR("message", str_trim(str_of(text))));
}

static void write_address(const struct sockaddr *address, char *ret)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        (void)inet_ntop(AF_INET, &v4.sin_addr, ret, WATCH_ADDRESS_BYTES);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        (void)inet_ntop(AF_INET6, &v6.sin6_addr, ret, WATCH_ADDRESS_BYTES);
    }
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;
    struct traffic *traffic = http->traffic;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*socket_context != NULL)
            watch_close(traffic->watch, *socket_context);
        *socket_context = NULL;
        atomic_fetch_sub(&http->count->n_open, 1);
        return;
    }
    atomic_fetch_add(&http->count->n_open, 1);
    atomic_fetch_sub(&http->count->n_arriving, 1);
    metrics_add_labeled(traffic->app->metrics, METRIC_connections_total,
                        LABELS(http->options.is_ops ? "ops" : "data"), 1);
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct conn *conn = watch_open(traffic->watch, fd);
    if (conn != NULL)
        write_address(
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
            conn_address(conn));
    *socket_context = conn;
}

static void suspend(void *connection)
{
    MHD_suspend_connection(connection);
}

static void resume(void *connection)
{
    MHD_resume_connection(connection);
}

/* The request line, before the library decodes it in place. NULL: on_request closes the connection. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http *http = cls;
    struct conn *conn =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (conn == NULL)
        return NULL;
    struct exchange *x =
        exchange_new(http->traffic, http->router, conn, str_of(target), http->options.is_ops);
    if (x != NULL) {
        x->connection = connection;
        x->suspend = suspend;
        x->resume = resume;
    }
    return x;
}

struct header_walk {
    struct header *headers;
    size_t n;
    bool is_cut;
};

static enum MHD_Result collect_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                      size_t name_len, const char *value, size_t value_len)
{
    struct header_walk *walk = cls;
    (void)kind;
    struct header header = {{name, name_len},
                            {value == NULL ? "" : value, value == NULL ? 0 : value_len}};
    if (value == NULL || memchr(name, '\0', name_len) != NULL ||
        memchr(value, '\0', value_len) != NULL)
        walk->is_cut = true;
    walk->headers[walk->n++] = header;
    return walk->n < REQUEST_HEADERS_MAX ? MHD_YES : MHD_NO;
}

static enum MHD_Result answer(struct exchange *x)
{
    return http_reply(x) ? MHD_YES : MHD_NO;
}

static enum MHD_Result on_head(struct exchange *x, struct MHD_Connection *connection,
                               const char *method, const char *version)
{
    struct header_walk walk = {
        arena_alloc(&x->request.arena, REQUEST_HEADERS_MAX * sizeof(struct header)), 0, false};
    if (walk.headers == NULL)
        return MHD_NO;
    (void)MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect_header, &walk);
    size_t n_headers = walk.n;
    if (n_headers == REQUEST_HEADERS_MAX) { /* the walk ended there; how many are there? */
        int n = MHD_get_connection_values_n(connection, MHD_HEADER_KIND, NULL, NULL);
        n_headers = n < 0 ? n_headers : (size_t)n;
    }
    struct framing_head head = {str_of(method), str_of(version), walk.headers, n_headers,
                                walk.is_cut};
    return exchange_head(x, &head) == STEP_ANSWER ? answer(x) : MHD_YES;
}

static enum MHD_Result on_whole(struct exchange *x, struct MHD_Connection *connection)
{
    if (exchange_start(x) == STEP_ANSWER)
        return answer(x);
    MHD_suspend_connection(connection);
    exchange_submit(x);
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *data_bytes, void **context)
{
    (void)cls;
    (void)url; /* decoded too early to be trusted: x->request.target is what was sent */
    struct exchange *x = *context;
    if (x == NULL)
        return MHD_NO;
    switch (x->state) {
    case EXCHANGE_HEAD:
        return on_head(x, connection, method, version);
    case EXCHANGE_BODY:
        if (*data_bytes == 0)
            return on_whole(x, connection);
        if (!exchange_take(x, (struct str){data, *data_bytes}))
            return MHD_NO;
        *data_bytes = 0;
        return MHD_YES;
    case EXCHANGE_WAITING:
        if (!atomic_load_explicit(&x->is_finished, memory_order_acquire))
            return MHD_YES;
        return exchange_resumed(x) == STEP_ANSWER ? answer(x) : MHD_NO;
    case EXCHANGE_ANSWERED:
        break;
    }
    *data_bytes = 0;
    return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls;
    (void)connection;
    struct exchange *x = *context;
    *context = NULL;
    if (x == NULL)
        return;
    enum exchange_end end = code == MHD_REQUEST_TERMINATED_COMPLETED_OK      ? END_COMPLETED
                            : code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED ? END_TIMEOUT
                                                                             : END_ABORTED;
    exchange_done(x, end);
}

/* On the acceptor's thread. */
static bool has_room(void *cls)
{
    struct http *http = cls;
    unsigned n_arriving = atomic_load(&http->count->n_arriving);
    /* The library drops a connection without a word when it has no memory for it. */
    if (n_arriving > 0 && clock_mono_ns() - http->accepted_ns > (int64_t)ARRIVAL_MS * 1000000)
        atomic_fetch_sub(&http->count->n_arriving, n_arriving);
    return atomic_load(&http->count->n_open) + n_arriving < http->options.connection_limit;
}

static void on_accepted(void *cls, int fd, const struct sockaddr *address, socklen_t size)
{
    struct http *http = cls;
    http->accepted_ns = clock_mono_ns();
    atomic_fetch_add(&http->count->n_arriving, 1);
    if (MHD_add_connection(http->daemon, fd, address, size) != MHD_YES) /* it has closed fd */
        atomic_fetch_sub(&http->count->n_arriving, 1);
}

static struct MHD_Daemon *start_daemon(struct http *http)
{
    const struct config *config = http->traffic->app->config;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
                     MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    /* The library divides its limit among the threads; the acceptor keeps ours, so each may have all. */
    unsigned limit = http->options.connection_limit * http->options.n_threads;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, http->tls.cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, http->tls.key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)HTTP_TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    bool has_tls = http->tls.cert != NULL;
    if (has_tls)
        flags |= MHD_USE_TLS;
    /* The logger comes first: later options may log. STRICT 0: our own guard answers, and only once. */
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, http, MHD_OPTION_EXTERNAL_LOGGER, on_library_log, http,
        MHD_OPTION_THREAD_POOL_SIZE, http->options.n_threads, MHD_OPTION_CONNECTION_LIMIT, limit,
        MHD_OPTION_CONNECTION_TIMEOUT, config->idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_MEMORY_INCREMENT, (size_t)POOL_STEP_BYTES,
        MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_URI_LOG_CALLBACK, on_target, http,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, http, MHD_OPTION_ARRAY, has_tls ? tls : none, MHD_OPTION_END);
}

static enum status start_parts(struct http *http, struct err *err)
{
    const struct http_options *options = &http->options;
    const struct config *config = http->traffic->app->config;
    struct acceptor_options acceptor = {-1, has_room, on_accepted, http};
    enum status s = options->is_ops ? STATUS_OK : http_tls_load(config, &http->tls, err);
    if (s != STATUS_OK)
        return s;
    if (http->tls.cert != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return err_set(err, STATUS_CONFIG,
                       "The installed libmicrohttpd was built without TLS; empty tls_cert_file.");
    bool shares_port = !options->is_ops && config->reuse_port != 0;
    s = listen_open(options->bind, options->port, shares_port, &acceptor.listen_fd, &http->port,
                    err);
    if (s != STATUS_OK) {
        err_at(err, ERR_SETTING, str_of(options->port_setting), STR_NONE);
        return s;
    }
    http->daemon = start_daemon(http);
    if (http->daemon == NULL && http->tls.cert != NULL)
        s = err_set(err, STATUS_CONFIG,
                    "The certificate of tls_cert_file and the key of tls_key_file cannot be used.");
    else if (http->daemon == NULL)
        s = err_set(err, STATUS_IO, "The listener on port %u could not be started.", http->port);
    else
        s = acceptor_new(&acceptor, &http->acceptor, err);
    if (s != STATUS_OK)
        (void)close(acceptor.listen_fd);
    return s;
}

enum status http_start(const struct http_options *options, struct traffic *traffic,
                       const struct router *router, struct http **ret, struct err *err)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for a listener.");
    http->options = *options;
    http->traffic = traffic;
    http->router = router;
    http->count = options->is_ops ? &traffic->ops : &traffic->data;
    enum status s = start_parts(http, err);
    if (s != STATUS_OK) {
        http_stop(http);
        return s;
    }
    *ret = http;
    return STATUS_OK;
}

unsigned http_port(const struct http *http)
{
    return http->port;
}

void http_quiesce(struct http *http)
{
    acceptor_quiesce(http->acceptor);
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    acceptor_free(http->acceptor);
    if (http->daemon != NULL)
        MHD_stop_daemon(http->daemon);
    http_tls_clear(&http->tls);
    free(http);
}
