/* server.c - starts the parts in the order in which they need each other and ends them in reverse. */
#define _GNU_SOURCE
#include "server/server.h"

#include "server/exchange.h"
#include "server/http.h"
#include "server/recent.h"
#include "server/stream.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum {
    OPS_THREADS = 2,
    OPS_CONNECTION_LIMIT = 64,
    SPARE_DESCRIPTORS = 1024, /* for pools, files and epoll sets beside the connections */
    STEP_MS = 10,             /* between two looks while draining */
    IDLE_GRACE_MS = 500,      /* for requests that are on their way on idle connections */
    SEND_GRACE_MS = 2000      /* for the last answers to go out */
};

struct server {
    struct traffic traffic;
    struct router *router, *ops_router;
    struct http *data, *ops;
};

/* On the watch thread: requests that wait in a queue need not wait any longer. */
static void on_stopped(void *cls)
{
    struct traffic *traffic = cls;
    for (int i = LANE_IO; i < LANE_COUNT; i++)
        workers_sweep(traffic->lanes[i]);
}

static void on_cut(void *cls, enum conn_phase phase, unsigned n)
{
    static const char *const names[CONN_PHASES] = {"header", "body", "busy", "send"};
    struct traffic *traffic = cls;
    metrics_add_labeled(traffic->app->metrics, METRIC_connections_cut_total, LABELS(names[phase]),
                        n);
}

static void collect(struct metrics *metrics, void *cls)
{
    struct traffic *traffic = cls;
    metrics_set_labeled(metrics, METRIC_build_info, LABELS(traffic->app->version), 1);
    metrics_set(metrics, METRIC_http_inflight, atomic_load(&traffic->n_inflight));
    metrics_set_labeled(metrics, METRIC_connections, LABELS("data"),
                        atomic_load(&traffic->data.n_open));
    metrics_set_labeled(metrics, METRIC_connections, LABELS("ops"),
                        atomic_load(&traffic->ops.n_open));
    for (int i = LANE_IO; i < LANE_COUNT; i++) {
        struct workers_load load = workers_load(traffic->lanes[i]);
        const char *lane = workers_name(traffic->lanes[i]);
        metrics_set_labeled(metrics, METRIC_queue_depth, LABELS(lane), load.waiting);
        metrics_set_labeled(metrics, METRIC_workers_busy, LABELS(lane), load.running);
    }
}

static void raise_descriptor_limit(unsigned wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
        log_event(LOG_WARN, "descriptor_limit", LOG_I64("limit", (int64_t)limit.rlim_cur),
                  LOG_I64("wanted", wanted));
}

/* What takes long makes room for what is short: see docs/benchmarks.md, scenario latency. */
enum { CPU_NICE = 10, STREAM_NICE = 5 };

static enum status start_lanes(struct server *server, struct err *err)
{
    const struct config *config = server->traffic.app->config;
    struct workers_options io = {.name = "io",
                                 .n_threads = config->io_workers,
                                 .queue_max = config->queue_io,
                                 .run = exchange_run_job,
                                 .skip = exchange_skip_job};
    struct workers_options cpu = io;
    cpu.name = "cpu";
    cpu.n_threads = config_cpu_workers(config);
    cpu.queue_max = config->queue_cpu;
    cpu.nice = CPU_NICE;
    struct workers_options stream = io;
    stream.name = "stream";
    stream.n_threads = config->stream_workers;
    stream.queue_max = config->queue_stream;
    stream.nice = STREAM_NICE;
    enum status s = workers_new(&io, &server->traffic.lanes[LANE_IO], err);
    if (s == STATUS_OK)
        s = workers_new(&cpu, &server->traffic.lanes[LANE_CPU], err);
    if (s == STATUS_OK)
        s = workers_new(&stream, &server->traffic.lanes[LANE_STREAM], err);
    return s;
}

static enum status start_listeners(struct server *server, struct err *err)
{
    const struct config *config = server->traffic.app->config;
    struct http_options data = {
        .port_setting = "port",
        .bind = config->bind,
        .port = config->port,
        .n_threads = config_http_threads(config),
        .connection_limit = config->connection_limit,
    };
    struct http_options ops = {
        .port_setting = "ops_port",
        .bind = config->ops_bind,
        .port = config->ops_port,
        .n_threads = OPS_THREADS,
        .connection_limit = OPS_CONNECTION_LIMIT,
        .is_ops = true,
    };
    enum status s = http_start(&ops, &server->traffic, server->ops_router, &server->ops, err);
    if (s == STATUS_OK)
        s = http_start(&data, &server->traffic, server->router, &server->data, err);
    return s;
}

/* Also for a server that is half built. Nothing is suspended any more. */
static void server_free(struct server *server)
{
    http_stop(server->data);
    http_stop(server->ops);
    watch_free(server->traffic.watch); /* its thread sweeps the lanes */
    for (int i = LANE_IO; i < LANE_COUNT; i++)
        workers_free(server->traffic.lanes[i]);
    router_free(server->router);
    router_free(server->ops_router);
    metrics_collector_remove(server->traffic.app->metrics, &server->traffic);
    request_counts_clear(&server->traffic.counts);
    exchange_pool_clear(&server->traffic);
    recents_free(server->traffic.app->recents);
    server->traffic.app->recents = NULL;
    free(server);
}

static enum status check_ops_routes(const struct route *routes, size_t n_routes, struct err *err)
{
    for (size_t i = 0; i < n_routes; i++)
        if ((routes[i].access == ACCESS_OPS) && routes[i].lane != LANE_HTTP)
            return err_set(err, STATUS_INTERNAL,
                           "Ops route \"%s\" must answer even when the queues are full.",
                           routes[i].path);
    return STATUS_OK;
}

enum status server_start(struct app *app, const struct route *routes, size_t n_routes,
                         struct server **ret, struct err *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory for the server.");
    server->traffic.app = app;
    exchange_pool_init(&server->traffic);
    request_ids_init(&server->traffic.ids);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_descriptor_limit(app->config->connection_limit + SPARE_DESCRIPTORS);

    struct watch_options watch = {app->config->header_timeout_ms, on_stopped, on_cut,
                                  &server->traffic};
    enum status s = check_ops_routes(routes, n_routes, err);
    if (s == STATUS_OK)
        s = router_new(routes, n_routes, false, &server->router, err);
    if (s == STATUS_OK)
        s = router_new(routes, n_routes, true, &server->ops_router, err);
    if (s == STATUS_OK)
        s = start_lanes(server, err);
    if (s == STATUS_OK)
        s = watch_new(&watch, &server->traffic.watch, err);
    if (s == STATUS_OK) {
        app->routes = routes;
        app->n_routes = n_routes;
        app->io = server->traffic.lanes[LANE_IO];
        app->cpu = server->traffic.lanes[LANE_CPU];
        app->stream = server->traffic.lanes[LANE_STREAM];
        metrics_collector(app->metrics, collect, &server->traffic);
        app->recents = recents_new();
        for (int i = 0; i < STREAM_REASONS; i++) /* present from the start, at zero */
            metrics_add_labeled(app->metrics, METRIC_stream_aborted_total,
                                LABELS(stream_reasons[i]), 0);
        s = start_listeners(server, err);
    }
    if (s != STATUS_OK) {
        server_free(server);
        return s;
    }
    *ret = server;
    return STATUS_OK;
}

unsigned server_port(const struct server *server)
{
    return http_port(server->data);
}

unsigned server_ops_port(const struct server *server)
{
    return http_port(server->ops);
}

enum status server_block_signals(int *ret_signal_fd, struct err *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = error == 0 ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) : -1;
    if (fd < 0)
        return err_set(err, STATUS_IO, "Signals cannot be received: %s.",
                       strerrordesc_np(error == 0 ? errno : error));
    *ret_signal_fd = fd;
    return STATUS_OK;
}

/* A signal that arrives within the time, or 0. */
static int take_signal(int signal_fd, int timeout_ms)
{
    struct pollfd pollfd = {.fd = signal_fd,
                            .events = POLLIN}; /* fd -1 is ignored: a plain sleep */
    struct signalfd_siginfo info;
    if (poll(&pollfd, 1, timeout_ms) <= 0 ||
        read(signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
        return 0;
    return (int)info.ssi_signo;
}

int server_wait_for_signal(int signal_fd)
{
    int signal_number = 0;
    while (signal_number == 0)
        signal_number = take_signal(signal_fd, -1);
    return signal_number;
}

struct drain {
    struct server *server;
    int signal_fd;
    bool is_hurried; /* a second signal came */
};

/* Waits until is_over or the time has passed; false in the latter case. A signal ends the waiting, too. */
static bool wait_until(struct drain *drain,
                       bool (*is_over)(const struct drain *, int64_t waited_ms),
                       unsigned timeout_ms)
{
    int64_t from = clock_mono_ns();
    for (;;) {
        int64_t waited_ms = (clock_mono_ns() - from) / 1000000;
        if (is_over(drain, waited_ms))
            return true;
        if (drain->is_hurried || waited_ms >= timeout_ms)
            return false;
        drain->is_hurried = take_signal(drain->signal_fd, STEP_MS) != 0;
    }
}

static bool is_never(const struct drain *drain, int64_t waited_ms)
{
    (void)drain;
    (void)waited_ms;
    return false;
}

/* A connection that looks idle may have a request on its way to us. */
static bool is_quiet(const struct drain *drain, int64_t waited_ms)
{
    const struct traffic *traffic = &drain->server->traffic;
    if (atomic_load(&traffic->data.n_arriving) != 0 || atomic_load(&traffic->n_inflight) != 0)
        return false;
    return waited_ms >= IDLE_GRACE_MS || atomic_load(&traffic->data.n_open) == 0;
}

/* Raises every time: a request may have been on its way to a worker when the switch was set. */
static bool is_resumed(const struct drain *drain, int64_t waited_ms)
{
    (void)waited_ms;
    const struct traffic *traffic = &drain->server->traffic;
    watch_stop_all(traffic->watch, STOP_DRAINING);
    return atomic_load(&traffic->n_suspended) == 0 && atomic_load(&traffic->n_streaming) == 0;
}

static bool is_answered(const struct drain *drain, int64_t waited_ms)
{
    (void)waited_ms;
    return atomic_load(&drain->server->traffic.n_inflight) == 0;
}

static enum status still_running(unsigned n, struct err *err)
{
    return err_set(err, STATUS_DEADLINE, "%u %s did not stop when told to.", n,
                   str_plural(n, "request", "requests"));
}

enum status server_drain_and_stop(struct server *server, int signal_fd, struct err *err)
{
    struct traffic *traffic = &server->traffic;
    const struct config *config = traffic->app->config;
    struct drain drain = {server, signal_fd, false};

    atomic_store(&traffic->app->is_draining, true);
    (void)wait_until(&drain, is_never, config->drain_delay_ms);
    atomic_store(&traffic->is_closing, true);
    http_quiesce(server->data);
    bool is_complete = wait_until(&drain, is_quiet, config->drain_ms);

    /* From here on nothing new is suspended; what is, ends now. Both are counted before they are checked. */
    atomic_store(&traffic->is_refusing, true);
    drain.is_hurried = false;
    drain.signal_fd = -1;
    if (!wait_until(&drain, is_resumed, SERVER_STOP_MS))
        return still_running(
            atomic_load(&traffic->n_suspended) + atomic_load(&traffic->n_streaming), err);
    (void)wait_until(&drain, is_answered, SEND_GRACE_MS);
    log_event(LOG_INFO, "server_drained",
              LOG_TEXT("outcome", is_complete ? "complete" : "cut_short"),
              LOG_I64("connections", atomic_load(&traffic->data.n_open)),
              LOG_I64("inflight", atomic_load(&traffic->n_inflight)));
    server_free(server);
    return STATUS_OK;
}
