/*
 * test_http.h - a server in this process on free ports, a few routes to provoke it with, and raw sockets to
 * speak to it. Included by the test_http_*.c programs only.
 */
#ifndef TESTS_UNIT_TEST_HTTP_H
#define TESTS_UNIT_TEST_HTTP_H

#include "server/server.h"
#include "server/workers.h"

#include "base/clock.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { BIG_BYTES = 10 * 1024 * 1024, REPLY_ROOM = 16 * 1024 * 1024 };

struct world {
    struct config config;
    struct app app;
    struct server *server;
    unsigned port, ops_port;
};

/* What the last polling handler saw. */
struct seen {
    atomic_int n_started, n_stopped, reason;
    atomic_int_least64_t stopped_ns;
};
static struct seen seen;
static char *big_body;

static inline void sleep_ms(long ms)
{
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        continue;
}

static inline enum status hello_get(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, 200, "text/plain");
    reply_header(request, "ETag", "\"hello\"");
    reply_body(request, STR("hello\n"));
    return STATUS_OK;
}

static inline enum status echo_post(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, 200, "application/octet-stream");
    reply_body(request, request->body);
    return STATUS_OK;
}

/* Works for ?ms=, looking at its stop like every handler must; ?deaf=1 does not look. */
static inline enum status sleep_get(struct request *request, struct err *err)
{
    int64_t ms = 0;
    if (!str_to_i64(request_param(request, "ms"), &ms))
        return err_set(err, STATUS_BAD_VALUE, "ms is not a number.");
    bool is_deaf = request_param(request, "deaf").ptr != NULL;
    atomic_fetch_add(&seen.n_started, 1);
    for (int64_t until = clock_mono_ns() + ms * 1000000; clock_mono_ns() < until; sleep_ms(2)) {
        if (is_deaf || !stop_is_raised(&request->stop))
            continue;
        atomic_store(&seen.stopped_ns, clock_mono_ns());
        atomic_store(&seen.reason, atomic_load(&request->stop.reason));
        atomic_fetch_add(&seen.n_stopped, 1);
        return stop_status(&request->stop, err);
    }
    reply_type(request, 200, "text/plain");
    reply_body(request, STR("slept\n"));
    return STATUS_OK;
}

static inline enum status big_get(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, 200, "application/octet-stream");
    reply_body(request, (struct str){big_body, BIG_BYTES});
    return STATUS_OK;
}

static inline enum status item_get(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, 200, "text/plain");
    reply_body(request, request->path_params[0]);
    return STATUS_OK;
}

static inline enum status query_get(struct request *request, struct err *err)
{
    struct buf text;
    buf_init(&text, &request->arena, 1 << 16);
    for (size_t i = 0; i < request->n_params; i++)
        buf_printf(&text, "[%.*s]=[%.*s]\n", STR_ARG(request->params[i].name),
                   STR_ARG(request->params[i].value));
    reply_type(request, 200, "text/plain");
    reply_body(request, buf_str(&text));
    return text.failed ? err_set(err, STATUS_OUT_OF_MEMORY, "full") : STATUS_OK;
}

static inline enum status hungry_get(struct request *request, struct err *err)
{
    while (arena_alloc(&request->arena, 1 << 20) != NULL)
        continue;
    return err_set(err, STATUS_OUT_OF_MEMORY, "The request used up its memory.");
}

static inline enum status metrics_get_ops(struct request *request, struct err *err)
{
    struct buf text;
    buf_init(&text, &request->arena, 1 << 20);
    if (!metrics_write(request->app->metrics, METRICS_TEXT, &text))
        return err_set(err, STATUS_OUT_OF_MEMORY, "full");
    reply_type(request, 200, metrics_content_type(METRICS_TEXT));
    reply_body(request, buf_str(&text));
    return STATUS_OK;
}

/* Method, path, handler, lane, deadline in ms, body limit, ops? */
#define ROW(row_method, row_path, row_handler, row_lane, row_ms, row_bytes, row_ops)     \
    {                                                                                    \
        .method = METHOD_##row_method, .path = (row_path), .handler = (row_handler),     \
        .lane = LANE_##row_lane, .deadline_ms = (row_ms), .body_max_bytes = (row_bytes), \
        .access = (row_ops) ? ACCESS_OPS : ACCESS_READ, .summary = ""                    \
    }

#ifndef WORLD_ROUTES
#define WORLD_ROUTES
#define world_admit NULL
#define world_front NULL
#endif

/* A program adds routes of its own and the hooks world_admit and world_front by defining WORLD_ROUTES first. */
static const struct route world_routes[] = {
    ROW(GET, "/hello", hello_get, HTTP, 0, 0, false),
    ROW(GET, "/io", hello_get, IO, 2000, 0, false),
    ROW(POST, "/echo", echo_post, IO, 5000, 12 << 20, false),
    ROW(POST, "/small", echo_post, HTTP, 0, 1024, false),
    ROW(GET, "/sleep", sleep_get, IO, 20000, 0, false),
    ROW(GET, "/brief", sleep_get, IO, 300, 0, false),
    ROW(GET, "/cpu", sleep_get, CPU, 20000, 0, false),
    ROW(GET, "/big", big_get, HTTP, 0, 0, false),
    ROW(GET, "/items/{name}", item_get, HTTP, 0, 0, false),
    ROW(GET, "/items/fixed", hello_get, HTTP, 0, 0, false),
    ROW(GET, "/query", query_get, HTTP, 0, 0, false),
    ROW(GET, "/hungry", hungry_get, IO, 2000, 0, false),
    ROW(GET, "/metrics", metrics_get_ops, HTTP, 0, 0, true),
    WORLD_ROUTES};

/* settings: "KEY=value" in upper case without CMMC_, NULL-terminated; later ones win over the defaults here. */
static inline void world_start(struct world *world, const char *const *settings)
{
    static const char *const base[] = {"PORT=0", "OPS_PORT=0", "HTTP_THREADS=2", "CPU_WORKERS=1",
                                       "IO_WORKERS=2"};
    char room[32][128];
    char *environment[33] = {NULL};
    struct err err = {0};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_LEN(base); i++)
        (void)snprintf(room[n++], sizeof room[0], "CMMC_%s", base[i]);
    for (; settings != NULL && *settings != NULL; settings++)
        (void)snprintf(room[n++], sizeof room[0], "CMMC_%s", *settings);
    for (size_t i = 0; i < n; i++)
        environment[i] = room[i];
    *world = (struct world){0};
    atomic_store(&seen.n_started, 0);
    atomic_store(&seen.n_stopped, 0);
    log_set_level(LOG_ERROR);
    if (big_body == NULL) {
        big_body = malloc(BIG_BYTES);
        assert_non_null(big_body);
        for (size_t i = 0; i < BIG_BYTES; i++)
            big_body[i] = (char)('a' + i % 23);
    }
    assert_int_equal(config_load(&world->config, environment, &err), STATUS_OK);
    assert_int_equal(metrics_new(&world->app.metrics, &err), STATUS_OK);
    world->app.config = &world->config;
    world->app.version = "test";
    world->app.admit = world_admit;
    world->app.front = world_front;
    if (server_start(&world->app, world_routes, ARRAY_LEN(world_routes), &world->server, &err) !=
        STATUS_OK)
        fail_msg("%s", err.detail);
    world->port = server_port(world->server);
    world->ops_port = server_ops_port(world->server);
}

static inline void world_stop(struct world *world)
{
    struct err err = {0};
    if (server_drain_and_stop(world->server, -1, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    metrics_free(world->app.metrics);
    config_clear(&world->config);
    free(big_body);
    big_body = NULL;
}

static inline int64_t now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* -1 when refused. Reads give up after 5 seconds. */
static inline int try_connect(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval timeout = {5, 0};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout), 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

static inline int connect_to(unsigned port)
{
    int fd = try_connect(port);
    assert_true(fd >= 0);
    return fd;
}

/* False when the server closed its side first. */
static inline bool send_bytes(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline void send_text(int fd, const char *text)
{
    (void)send_bytes(fd, text, strlen(text));
}

/* What the server says until it closes; NUL-terminated, the caller frees. *ret_closed false: it fell silent. */
static inline char *read_all(int fd, bool *ret_closed)
{
    char *room = malloc(REPLY_ROOM);
    assert_non_null(room);
    size_t len = 0;
    ssize_t n = 1;
    while (len < REPLY_ROOM - 1 && n > 0) {
        n = recv(fd, room + len, REPLY_ROOM - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
    }
    room[len] = '\0';
    if (ret_closed != NULL)
        *ret_closed = n == 0 || (n < 0 && errno != EAGAIN);
    return room;
}

static inline size_t content_length(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");
    return at == NULL ? 0 : (size_t)strtoul(at + 16, NULL, 10);
}

/* One response of a connection that stays open; is_head: without a body. The caller frees. */
static inline char *read_one(int fd, bool is_head)
{
    size_t room = 64 * 1024, len = 0;
    char *text = malloc(room);
    assert_non_null(text);
    while (len < room - 1) {
        ssize_t n = recv(fd, text + len, 1, 0);
        if (n <= 0)
            break;
        text[++len] = '\0';
        const char *end = strstr(text, "\r\n\r\n");
        if (end != NULL && (is_head || len >= (size_t)(end + 4 - text) + content_length(text)))
            return text;
    }
    text[len] = '\0';
    return text;
}

static inline int status_of(const char *response)
{
    return strncmp(response, "HTTP/1.", 7) == 0 && strlen(response) > 12
               ? (int)strtol(response + 9, NULL, 10)
               : 0;
}

static inline unsigned count_responses(const char *text)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, "HTTP/1.")) != NULL; at += 7)
        n += at[8] == ' ' && at[9] >= '1' && at[9] <= '5' ? 1 : 0;
    return n;
}

static inline const char *body_of(const char *response)
{
    const char *end = strstr(response, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

/* A whole conversation: send, read to the end. The caller frees. */
static inline char *converse(unsigned port, const char *text)
{
    int fd = connect_to(port);
    bool is_closed = false;
    send_text(fd, text);
    char *answer = read_all(fd, &is_closed);
    (void)close(fd);
    assert_true(is_closed);
    return answer;
}

static inline void assert_answer(unsigned port, const char *text, int status)
{
    char *answer = converse(port, text);
    if (status_of(answer) != status || count_responses(answer) != 1)
        fail_msg("wanted one %d for:\n%s\ngot:\n%.2000s", status, text, answer);
    free(answer);
}

/* An error of ours: one response, closed, problem+json with the code. */
static inline void assert_problem(unsigned port, const char *text, int status, const char *code)
{
    char *answer = converse(port, text);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"code\":\"%s\"", code);
    if (status_of(answer) != status || count_responses(answer) != 1 ||
        strstr(answer, wanted) == NULL ||
        strstr(answer, "Content-Type: application/problem+json\r\n") == NULL)
        fail_msg("wanted one %d %s for:\n%s\ngot:\n%.2000s", status, code, text, answer);
    free(answer);
}

static inline int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    int n = 0;
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

/* Waits until the condition holds; fails after ten seconds, which only a loaded machine needs. */
#define WAIT_FOR(condition)                         \
    do {                                            \
        int64_t until_ms = now_ms() + 10000;        \
        while (!(condition) && now_ms() < until_ms) \
            sleep_ms(2);                            \
        assert_true(condition);                     \
    } while (0)

#endif
