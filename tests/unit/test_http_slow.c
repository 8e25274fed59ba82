/* test_http_slow.c - clients that drip, stop, leave or are too many; deadlines; full queues. */
#include "tests/unit/test_http.h"

static struct world world;

/* How much later than promised things may be seen on a busy machine; what never comes takes 4 s and more. */
enum { SLACK_MS = 1000 };

static int start(void **state)
{
    (void)state;
    world_start(&world,
                (const char *const[]){"HEADER_TIMEOUT_MS=500", "BODY_TIMEOUT_MS=500",
                                      "SEND_TIMEOUT_MS=500", "MIN_RATE_KIB=102400",
                                      "IDLE_TIMEOUT_S=30", "QUEUE_CPU=2", "IO_WORKERS=1", NULL});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    return 0;
}

/* Sends one byte each 20 ms until the server closes; how long that took. */
static int64_t drip(int fd, const char *text)
{
    int64_t from = now_ms();
    for (size_t i = 0; now_ms() - from < 4000; i++) {
        char byte;
        if (!send_bytes(fd, &text[i % strlen(text)], 1) || recv(fd, &byte, 1, MSG_DONTWAIT) == 0 ||
            errno != EAGAIN)
            break;
        sleep_ms(20);
    }
    return now_ms() - from;
}

static void header_that_drips_is_cut_at_the_absolute_deadline(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, "GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    int64_t took_ms = drip(fd, "abcdefgh");
    assert_in_range(took_ms, 450, 900 + SLACK_MS);
    (void)close(fd);
    WAIT_FOR(metrics_get(world.app.metrics, METRIC_connections_cut_total, LABELS("header")) > 0);
}

static void second_header_of_a_connection_has_a_deadline_of_its_own(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    for (int i = 0; i < 3; i++) { /* idle for longer than a header may take: that is allowed */
        send_text(fd, "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        char *answer = read_one(fd, false);
        assert_int_equal(status_of(answer), 200);
        free(answer);
        sleep_ms(700);
    }
    send_text(fd, "GET /hel");
    int64_t took_ms = drip(fd, "lo");
    assert_in_range(took_ms, 450, 900 + SLACK_MS);
    (void)close(fd);
}

static void body_that_drips_is_cut_at_the_absolute_deadline(void **state)
{
    (void)state;
    static const char *const heads[] = {
        "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n",
        "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        int fd = connect_to(world.port);
        send_text(fd, heads[i]);
        int64_t took_ms = drip(fd, "abcdefgh");
        assert_in_range(took_ms, 450, 900 + SLACK_MS);
        (void)close(fd);
    }
    WAIT_FOR(metrics_get(world.app.metrics, METRIC_connections_cut_total, LABELS("body")) > 1);
}

static void reader_that_stops_reading_is_cut(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    int64_t from = now_ms();
    send_text(fd, "GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(metrics_get(world.app.metrics, METRIC_connections_cut_total, LABELS("send")) > 0);
    assert_in_range(now_ms() - from, 450, 1100 + SLACK_MS);
    char *answer = read_all(fd, NULL); /* what was under way still comes, then the end */
    assert_true(strlen(answer) < BIG_BYTES);
    free(answer);
    (void)close(fd);
}

static void client_that_leaves_a_running_request_stops_it(void **state)
{
    (void)state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        int before = count_descriptors();
        int n_stopped = atomic_load(&seen.n_stopped), n_started = atomic_load(&seen.n_started);
        int fd = connect_to(world.port);
        send_text(fd, "GET /sleep?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n");
        WAIT_FOR(atomic_load(&seen.n_started) > n_started);
        struct linger linger = {is_reset, 0};
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        int64_t left_ns = clock_mono_ns();
        (void)close(fd);
        WAIT_FOR(atomic_load(&seen.n_stopped) > n_stopped);
        assert_int_equal(atomic_load(&seen.reason), STOP_CLIENT_GONE);
        assert_in_range((atomic_load(&seen.stopped_ns) - left_ns) / 1000000, 0, 250 + SLACK_MS);
        WAIT_FOR(count_descriptors() <= before);
    }
    assert_true(metrics_get(world.app.metrics, METRIC_client_gone_total, NULL) >= 2);
}

static void client_that_leaves_the_queue_frees_its_place(void **state)
{
    (void)state;
    int before = count_descriptors();
    int n_started = atomic_load(&seen.n_started);
    int running = connect_to(world.port), waiting = connect_to(world.port);
    send_text(running, "GET /cpu?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(atomic_load(&seen.n_started) == n_started + 1);
    send_text(waiting, "GET /cpu?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(workers_load(world.app.cpu).waiting == 1);
    int64_t from = now_ms();
    (void)close(waiting);
    WAIT_FOR(workers_load(world.app.cpu).waiting == 0);
    assert_in_range(now_ms() - from, 0, 250 + SLACK_MS);
    assert_int_equal(atomic_load(&seen.n_started), n_started + 1); /* it never ran */
    (void)close(running);
    WAIT_FOR(count_descriptors() <= before);
}

static void half_closed_client_gets_a_quick_answer(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        int fd = connect_to(world.port);
        send_text(fd, i % 2 == 0 ? "GET /io HTTP/1.1\r\nHost: x\r\n\r\n"
                                 : "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_int_equal(shutdown(fd, SHUT_WR), 0);
        bool is_closed = false;
        char *answer = read_all(fd, &is_closed);
        assert_int_equal(status_of(answer), 200);
        assert_true(is_closed); /* not left in CLOSE_WAIT until the idle timeout */
        free(answer);
        (void)close(fd);
    }
}

static void deadline_ends_a_running_request_with_504(void **state)
{
    (void)state;
    int64_t from = now_ms();
    char *answer = converse(world.port,
                            "GET /brief?ms=10000 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 504);
    assert_non_null(strstr(answer, "\"code\":\"L105\""));
    assert_non_null(strstr(answer, "did not finish within 0.3 s, waiting included."));
    assert_non_null(strstr(answer, "\"retryable\":true"));
    assert_in_range(now_ms() - from, 290, 500 + SLACK_MS);
    assert_true(metrics_get(world.app.metrics, METRIC_deadline_total, NULL) >= 1);
    free(answer);
}

static void deadline_ends_a_waiting_request_with_504(void **state)
{
    (void)state;
    int n_started = atomic_load(&seen.n_started);
    int running = connect_to(world.port);
    send_text(running,
              "GET /sleep?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n"); /* holds the only io worker */
    WAIT_FOR(atomic_load(&seen.n_started) == n_started + 1);
    int64_t from = now_ms();
    char *answer =
        converse(world.port, "GET /brief?ms=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 504);
    assert_in_range(now_ms() - from, 290, 500 + SLACK_MS);
    assert_int_equal(atomic_load(&seen.n_started), n_started + 1);
    free(answer);
    (void)close(running);
}

static void full_queue_is_503_with_retry_after_and_inline_routes_go_on(void **state)
{
    (void)state;
    int n_started = atomic_load(&seen.n_started);
    int fds[3];
    for (int i = 0; i < 3; i++) { /* one runs, two wait */
        fds[i] = connect_to(world.port);
        send_text(fds[i], "GET /cpu?ms=10000 HTTP/1.1\r\nHost: x\r\n\r\n");
        if (i == 0)
            WAIT_FOR(atomic_load(&seen.n_started) == n_started + 1);
    }
    WAIT_FOR(workers_load(world.app.cpu).waiting == 2);
    char *answer =
        converse(world.port, "GET /cpu?ms=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "\"code\":\"L103\""));
    const char *retry = strstr(answer, "Retry-After: ");
    assert_non_null(retry);
    assert_in_range(strtol(retry + 13, NULL, 10), 1, 60);
    free(answer);
    assert_answer(world.port, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200);
    assert_true(metrics_get(world.app.metrics, METRIC_queue_rejected_total, LABELS("cpu")) >= 1);
    for (int i = 0; i < 3; i++)
        (void)close(fds[i]);
    WAIT_FOR(workers_load(world.app.cpu).waiting == 0 && workers_load(world.app.cpu).running == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_that_drips_is_cut_at_the_absolute_deadline),
        cmocka_unit_test(second_header_of_a_connection_has_a_deadline_of_its_own),
        cmocka_unit_test(body_that_drips_is_cut_at_the_absolute_deadline),
        cmocka_unit_test(reader_that_stops_reading_is_cut),
        cmocka_unit_test(client_that_leaves_a_running_request_stops_it),
        cmocka_unit_test(client_that_leaves_the_queue_frees_its_place),
        cmocka_unit_test(half_closed_client_gets_a_quick_answer),
        cmocka_unit_test(deadline_ends_a_running_request_with_504),
        cmocka_unit_test(deadline_ends_a_waiting_request_with_504),
        cmocka_unit_test(full_queue_is_503_with_retry_after_and_inline_routes_go_on),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
