/*
 * test_http_stream.c - answers of unknown length: how they are framed, how they fail so that the client sees
 * it, how much of them waits for a slow client, and who learns of it when one side leaves.
 */
#include "server/request.h"
#include "server/watch.h"

#include <pthread.h>

static enum status rows_get(struct request *request, struct err *err);
static enum status endless_get(struct request *request, struct err *err);

#define WORLD_ROUTES                                             \
    ROW(GET, "/rows", rows_get, STREAM, 1000, 0, false),         \
        ROW(GET, "/patient", rows_get, STREAM, 60000, 0, false), \
        ROW(GET, "/endless", endless_get, QUICK, 1000, 0, false),
#define world_admit NULL
#define world_front NULL

#include "tests/unit/test_http.h"

enum { LINE_BYTES = 64 };

static struct world world;
static atomic_uint_least64_t n_written; /* by the last endless stream */

static int64_t number_of(struct request *request, const char *name, int64_t otherwise)
{
    int64_t value = otherwise;
    struct str text = request_param(request, name);
    return text.ptr != NULL && str_to_i64(text, &value) ? value : otherwise;
}

static void fill_line(char line[LINE_BYTES + 1], int64_t i)
{
    (void)snprintf(line, LINE_BYTES + 1, "row %010llu %-48.8s\n",
                   (unsigned long long)i % 10000000000u, ".");
}

/* ?n= lines; fails before the first byte with ?early=1, after ?fail= lines, and sleeps ?ms= between lines. */
static enum status rows_get(struct request *request, struct err *err)
{
    int64_t n = number_of(request, "n", 10), fail_at = number_of(request, "fail", -1),
            ms = number_of(request, "ms", 0);
    char line[LINE_BYTES + 1], count[32];
    if (number_of(request, "early", 0) != 0)
        return err_set(err, STATUS_BAD_VALUE, "too early");
    reply_type(request, 200, "text/plain");
    reply_header(request, "X-Before", "1");
    enum status s = stream_begin(request, err);
    if (s != STATUS_OK || request->method == METHOD_HEAD)
        return s;
    reply_header(request, "X-After", "1"); /* too late: ignored */
    for (int64_t i = 0; s == STATUS_OK && i < n; i++) {
        if (i == fail_at)
            return err_set(err, STATUS_DB_ERROR, "the database failed");
        fill_line(line, i);
        s = stream_write(request, str_of(line), err);
        if (ms > 0)
            sleep_ms((long)ms);
    }
    (void)snprintf(count, sizeof count, "%lld", (long long)n);
    stream_trailer(request, "X-Row-Count", count);
    return s;
}

/* ?ms= between lines. */
static enum status endless_get(struct request *request, struct err *err)
{
    if (request->is_quick)
        return request_defer(request, LANE_STREAM);
    int64_t ms = number_of(request, "ms", 0);
    char line[LINE_BYTES + 1];
    reply_type(request, 200, "text/plain");
    enum status s = stream_begin(request, err);
    atomic_store(&n_written, 0);
    atomic_fetch_add(&seen.n_started, 1);
    for (int64_t i = 0; s == STATUS_OK; i++) {
        fill_line(line, i);
        s = stream_write(request, str_of(line), err);
        atomic_fetch_add(&n_written, LINE_BYTES);
        if (ms > 0)
            sleep_ms((long)ms);
    }
    atomic_store(&seen.stopped_ns, clock_mono_ns());
    atomic_store(&seen.reason, (int)s);
    atomic_fetch_add(&seen.n_stopped, 1);
    return s;
}

static int start(void **state)
{
    (void)state;
    static const char *const settings[] = {"STREAM_WORKERS=4", "SEND_TIMEOUT_MS=1500",
                                           "QUEUE_STREAM=64", "IDLE_TIMEOUT_S=5", NULL};
    world_start(&world, settings);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

static double aborted(const char *reason)
{
    return metrics_get(world.app.metrics, METRIC_stream_aborted_total, LABELS(reason));
}

/* Is it n lines, each in its place? */
static void assert_lines(const char *body, size_t len, int64_t n)
{
    char line[LINE_BYTES + 1];
    assert_int_equal(len, n * LINE_BYTES);
    for (int64_t i = 0; i < n; i++) {
        fill_line(line, i);
        assert_memory_equal(body + i * LINE_BYTES, line, LINE_BYTES);
    }
}

/* Undoes the chunks in place; *ret_rest is what follows the last one, NULL when there is no last one. */
static size_t join_chunks(char *body, const char **ret_rest)
{
    size_t len = 0;
    char *at = body;
    *ret_rest = NULL;
    for (;;) {
        char *end = NULL;
        size_t n = (size_t)strtoul(at, &end, 16);
        if (end == at || strncmp(end, "\r\n", 2) != 0)
            return len;
        at = end + 2;
        if (n == 0) {
            *ret_rest = at;
            return len;
        }
        if (strlen(at) < n) /* cut in the middle */
            return len + strlen(at);
        memmove(body + len, at, n);
        len += n;
        at += n;
        if (strncmp(at, "\r\n", 2) != 0)
            return len;
        at += 2;
    }
}

static char *get(const char *path, const char *version)
{
    char text[256];
    (void)snprintf(text, sizeof text, "GET %s HTTP/%s\r\nHost: x\r\nConnection: close\r\n\r\n",
                   path, version);
    return converse(world.port, text);
}

static void stream_is_chunked_and_ends_with_the_row_count(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 10, 5000, 60000}; /* the last is 15 times the ring */
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char path[64], wanted[64];
        (void)snprintf(path, sizeof path, "/rows?n=%lld", (long long)sizes[i]);
        char *answer = get(path, "1.1");
        assert_int_equal(status_of(answer), 200);
        assert_non_null(strstr(answer, "Transfer-Encoding: chunked\r\n"));
        assert_non_null(strstr(answer, "Trailer: X-Row-Count\r\n"));
        assert_non_null(strstr(answer, "X-Before: 1\r\n"));
        assert_null(strstr(answer, "X-After"));
        assert_null(strstr(answer, "Content-Length"));
        char *body = strstr(answer, "\r\n\r\n") + 4;
        const char *rest = NULL;
        size_t len = join_chunks(body, &rest);
        assert_lines(body, len, sizes[i]);
        (void)snprintf(wanted, sizeof wanted, "X-Row-Count: %lld\r\n\r\n", (long long)sizes[i]);
        assert_non_null(rest);
        assert_string_equal(rest, wanted);
        free(answer);
    }
}

static void stream_to_http_1_0_is_not_chunked_and_ends_with_the_connection(void **state)
{
    (void)state;
    static const char *const connections[] = {"close", "keep-alive"};
    for (size_t i = 0; i < ARRAY_LEN(connections); i++) {
        char text[128];
        (void)snprintf(text, sizeof text, "GET /rows?n=20000 HTTP/1.0\r\nConnection: %s\r\n\r\n",
                       connections[i]);
        char *answer = converse(world.port, text);
        assert_int_equal(status_of(answer), 200);
        assert_null(strstr(answer, "chunked"));
        assert_null(strstr(answer, "Trailer"));
        assert_lines(body_of(answer), strlen(body_of(answer)), 20000);
        free(answer);
    }
}

static void connection_goes_on_after_a_stream(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, "GET /rows?n=3000 HTTP/1.1\r\nHost: x\r\n\r\n"
                  "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    char *answer = read_all(fd, NULL);
    assert_int_equal(count_responses(answer), 2);
    const char *rest = NULL;
    char *next = strstr(answer, "X-Row-Count: 3000\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_non_null(next);
    assert_string_equal(body_of(next + 21), "hello\n");
    char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_lines(body, join_chunks(body, &rest), 3000);
    free(answer);
    (void)close(fd);
}

static void head_of_a_stream_has_its_headers_and_no_body(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, "HEAD /rows HTTP/1.1\r\nHost: x\r\n\r\n");
    char *head = read_all(fd, NULL);
    assert_int_equal(status_of(head), 200);
    assert_non_null(strstr(head, "X-Before: 1\r\n"));
    assert_null(strstr(head, "Content-Length")); /* nobody knows it */
    assert_string_equal(body_of(head), "");
    free(head);
    (void)close(fd);
}

static void failure_before_the_first_byte_is_a_problem(void **state)
{
    (void)state;
    assert_problem(world.port, "GET /rows?early=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                   400, "Q105");
}

static void failure_in_the_middle_closes_without_the_last_chunk(void **state)
{
    (void)state;
    static const char *const paths[] = {"/rows?n=100&fail=50&ms=1", "/rows?n=100000&fail=90000",
                                        "/rows?fail=0"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        double before = aborted("error");
        char *answer = get(paths[i], "1.1");
        const char *rest = NULL;
        if (strlen(answer) > 0) { /* all may be lost, but never may it look complete */
            assert_int_equal(status_of(answer), 200);
            (void)join_chunks(strstr(answer, "\r\n\r\n") + 4, &rest);
            assert_null(rest);
        }
        assert_null(strstr(answer, "X-Row-Count:"));
        free(answer);
        WAIT_FOR(aborted("error") >= before + 1);
    }
}

static void deadline_of_the_route_ends_with_the_first_byte(void **state)
{
    (void)state;
    char *answer = get("/rows?n=30&ms=60", "1.1"); /* 1.8 s; the route has 1 s */
    const char *rest = NULL;
    char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_lines(body, join_chunks(body, &rest), 30);
    assert_non_null(rest);
    free(answer);
}

static void reader_that_stops_holds_little_and_is_cut(void **state)
{
    (void)state;
    double before = aborted("slow_reader");
    int fd = connect_to(world.port), room = 4096;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    int64_t from_ms = now_ms();
    send_text(fd, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    uint64_t written = 0, now = 0;
    do { /* until it waits */
        written = now;
        sleep_ms(200);
        now = atomic_load(&n_written);
    } while ((now == 0 || now != written) && now_ms() - from_ms < 60000);
    assert_int_equal(now, written);
    assert_true(written < 8u << 20); /* the ring and the kernel's buffers */
    WAIT_FOR(aborted("slow_reader") >= before + 1);
    assert_true(now_ms() - from_ms >= 1400); /* send_timeout_ms is 1500 */
    WAIT_FOR(workers_load(world.app.stream).running == 0);
    (void)close(fd);
}

static void reader_with_pauses_gets_everything(void **state)
{
    (void)state;
    int fd = connect_to(world.port), room = 64 * 1024;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    char *text = malloc(REPLY_ROOM);
    assert_non_null(text);
    size_t len = 0;
    send_text(fd, "GET /rows?n=120000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (ssize_t n = 1; n > 0; len += n > 0 ? (size_t)n : 0) {
        n = recv(fd, text + len, 256 * 1024, 0);
        if (len % 7 == 0)
            sleep_ms(100);
    }
    text[len] = '\0';
    const char *rest = NULL;
    char *body = strstr(text, "\r\n\r\n") + 4;
    assert_lines(body, join_chunks(body, &rest), 120000);
    assert_string_equal(rest, "X-Row-Count: 120000\r\n\r\n");
    free(text);
    (void)close(fd);
}

static void client_that_leaves_in_the_middle_stops_the_worker(void **state)
{
    (void)state;
    static const char *const paths[] = {"/endless", "/endless?ms=10", "/endless?ms=150"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int stopped = atomic_load(&seen.n_stopped);
        double before = aborted("client_gone");
        char text[128], bytes[512];
        int fd = connect_to(world.port);
        (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        send_text(fd, text);
        assert_true(recv(fd, bytes, sizeof bytes, 0) > 0);
        sleep_ms(100);
        int64_t left_ns = clock_mono_ns();
        (void)close(fd);
        WAIT_FOR(atomic_load(&seen.n_stopped) == stopped + 1);
        assert_true(atomic_load(&seen.stopped_ns) - left_ns < 1000000000);
        assert_int_equal(atomic_load(&seen.reason), STATUS_CLIENT_GONE);
        WAIT_FOR(aborted("client_gone") >= before + 1);
    }
    WAIT_FOR(workers_load(world.app.stream).running == 0);
}

static void half_closed_client_gets_the_whole_stream(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, "GET /rows?n=100&ms=10 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    sleep_ms(30);
    (void)shutdown(fd, SHUT_WR);
    char *answer = read_all(fd, NULL);
    const char *rest = NULL;
    char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_lines(body, join_chunks(body, &rest), 100);
    assert_non_null(rest);
    free(answer);
    (void)close(fd);
}

static void more_streams_than_workers_all_end_well(void **state)
{
    (void)state;
    enum { N = 24 };
    int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = connect_to(world.port);
        send_text(fds[i], "GET /patient?n=8000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    }
    for (int i = 0; i < N; i++) {
        char *answer = read_all(fds[i], NULL);
        const char *rest = NULL;
        assert_int_equal(status_of(answer), 200);
        char *body = strstr(answer, "\r\n\r\n") + 4;
        assert_lines(body, join_chunks(body, &rest), 8000);
        assert_non_null(rest);
        free(answer);
        (void)close(fds[i]);
    }
}

struct visitor {
    unsigned seed;
    int n_whole;
};

/* Reads a random part of random streams and leaves, or stays to the end. */
static void *visit(void *cls)
{
    struct visitor *visitor = cls;
    char bytes[8192], text[128];
    for (int round = 0; round < 25; round++) {
        int n = rand_r(&visitor->seed) % 12000, reads = rand_r(&visitor->seed) % 60;
        int fd = try_connect(world.port);
        if (fd < 0)
            continue;
        (void)snprintf(text, sizeof text,
                       "GET /rows?n=%d&fail=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", n,
                       rand_r(&visitor->seed) % 20000);
        send_text(fd, text);
        ssize_t got = 1;
        for (int i = 0; i < reads && got > 0; i++)
            got = recv(fd, bytes, sizeof bytes, 0);
        visitor->n_whole += got == 0 ? 1 : 0;
        (void)close(fd);
    }
    return NULL;
}

/* Seed 1..8. */
static void visitors_that_come_and_go_leave_nothing_behind(void **state)
{
    (void)state;
    enum { N = 8 };
    pthread_t threads[N];
    struct visitor visitors[N];
    int before = count_descriptors();
    for (unsigned i = 0; i < N; i++) {
        visitors[i] = (struct visitor){i + 1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &visitors[i]), 0);
    }
    for (int i = 0; i < N; i++)
        (void)pthread_join(threads[i], NULL);
    WAIT_FOR(workers_load(world.app.stream).running == 0 &&
             workers_load(world.app.stream).waiting == 0);
    /* The library now and then overlooks that a connection was reset; its idle timeout ends those. */
    WAIT_FOR(count_descriptors() <= before);
    char *metrics =
        converse(world.ops_port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_non_null(strstr(metrics, "\ncmmc_http_inflight 0\n"));
    free(metrics);
}

struct stopper {
    struct world *world;
    int64_t ms;
};

static void *stop_world(void *cls)
{
    struct stopper *stopper = cls;
    int64_t from_ms = now_ms();
    world_stop(stopper->world);
    stopper->ms = now_ms() - from_ms;
    return NULL;
}

/* What a stream sees when its server is told to stop while it runs. */
static char *drain_during(const char *path, const char *drain, int64_t *ret_ms)
{
    struct world own;
    struct stopper stopper = {&own, 0};
    const char *const settings[] = {drain, NULL};
    pthread_t thread;
    char text[128];
    world_start(&own, settings);
    int fd = connect_to(own.port);
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    send_text(fd, text);
    sleep_ms(200);
    assert_int_equal(pthread_create(&thread, NULL, stop_world, &stopper), 0);
    char *answer = read_all(fd, NULL);
    (void)pthread_join(thread, NULL);
    (void)close(fd);
    *ret_ms = stopper.ms;
    return answer;
}

static void drain_lets_a_stream_finish(void **state)
{
    (void)state;
    int64_t ms = 0;
    char *answer = drain_during("/rows?n=100&ms=10", "DRAIN_MS=8000", &ms);
    const char *rest = NULL;
    char *body = strstr(answer, "\r\n\r\n") + 4;
    assert_lines(body, join_chunks(body, &rest), 100);
    assert_non_null(rest);
    assert_true(ms < 5000);
    free(answer);
}

static void drain_aborts_a_stream_that_takes_too_long(void **state)
{
    (void)state;
    static const char *const paths[] = {"/endless", "/endless?ms=100"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        int64_t ms = 0;
        char *answer = drain_during(paths[i], "DRAIN_MS=400", &ms);
        const char *rest = NULL;
        (void)join_chunks(strstr(answer, "\r\n\r\n") + 4, &rest);
        assert_null(rest);
        assert_int_equal(atomic_load(&seen.reason), STATUS_DRAINING);
        assert_true(ms < 4000);
        free(answer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stream_is_chunked_and_ends_with_the_row_count, start, stop),
        cmocka_unit_test_setup_teardown(
            stream_to_http_1_0_is_not_chunked_and_ends_with_the_connection, start, stop),
        cmocka_unit_test_setup_teardown(connection_goes_on_after_a_stream, start, stop),
        cmocka_unit_test_setup_teardown(head_of_a_stream_has_its_headers_and_no_body, start, stop),
        cmocka_unit_test_setup_teardown(failure_before_the_first_byte_is_a_problem, start, stop),
        cmocka_unit_test_setup_teardown(failure_in_the_middle_closes_without_the_last_chunk, start,
                                        stop),
        cmocka_unit_test_setup_teardown(deadline_of_the_route_ends_with_the_first_byte, start,
                                        stop),
        cmocka_unit_test_setup_teardown(reader_that_stops_holds_little_and_is_cut, start, stop),
        cmocka_unit_test_setup_teardown(reader_with_pauses_gets_everything, start, stop),
        cmocka_unit_test_setup_teardown(client_that_leaves_in_the_middle_stops_the_worker, start,
                                        stop),
        cmocka_unit_test_setup_teardown(half_closed_client_gets_the_whole_stream, start, stop),
        cmocka_unit_test_setup_teardown(more_streams_than_workers_all_end_well, start, stop),
        cmocka_unit_test_setup_teardown(visitors_that_come_and_go_leave_nothing_behind, start,
                                        stop),
        cmocka_unit_test(drain_lets_a_stream_finish),
        cmocka_unit_test(drain_aborts_a_stream_that_takes_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
