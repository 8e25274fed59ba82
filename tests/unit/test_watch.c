/* test_watch.c - watch.h without a server: sockets, phases and stops only. */
#include "server/watch.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* SLACK_MS: how much later than promised things may be seen on a busy machine; what never comes takes 3 s and more. */
enum { HEADER_MS = 200, SLACK_MS = 1000 };

static atomic_int n_stopped_calls;
static atomic_int n_cut[CONN_PHASES];

static void stopped(void *cls)
{
    (void)cls;
    atomic_fetch_add(&n_stopped_calls, 1);
}

static void cut(void *cls, enum conn_phase phase, unsigned n)
{
    (void)cls;
    atomic_fetch_add(&n_cut[phase], (int)n);
}

struct pair {
    int client, server;
    struct conn *conn;
};

static struct watch *watch;
static int listener;
static struct sockaddr_in address;

static int start(void **state)
{
    (void)state;
    struct watch_options options = {HEADER_MS, stopped, cut, NULL};
    socklen_t size = sizeof address;
    atomic_store(&n_stopped_calls, 0);
    for (int i = 0; i < CONN_PHASES; i++)
        atomic_store(&n_cut[i], 0);
    assert_int_equal(watch_new(&options, &watch, NULL), STATUS_OK);
    address = (struct sockaddr_in){.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    (void)close(listener);
    watch_free(watch);
    return 0;
}

static struct pair open_pair(void)
{
    struct pair pair;
    struct timeval timeout = {3, 0};
    pair.client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(pair.client, (struct sockaddr *)&address, sizeof address), 0);
    pair.server = accept(listener, NULL, NULL);
    assert_true(pair.server >= 0);
    assert_int_equal(setsockopt(pair.server, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout), 0);
    pair.conn = watch_open(watch, pair.server);
    assert_non_null(pair.conn);
    return pair;
}

static void close_pair(struct pair *pair)
{
    watch_close(watch, pair->conn);
    (void)close(pair->server);
    if (pair->client >= 0)
        (void)close(pair->client);
}

static int64_t now_ms(void)
{
    return clock_mono_ns() / 1000000;
}

/* Milliseconds until the watch shuts the connection down; 3000 when it does not. */
static int64_t until_cut(const struct pair *pair)
{
    int64_t from = now_ms();
    char byte;
    while (recv(pair->server, &byte, 1, 0) > 0)
        continue;
    return now_ms() - from;
}

static int64_t until_raised(const struct stop *raised)
{
    int64_t from = now_ms();
    struct timespec time = {0, 1000000};
    while (!stop_is_raised(raised) && now_ms() - from < 3000)
        (void)nanosleep(&time, NULL);
    return now_ms() - from;
}

static void silent_connection_is_left_alone_and_a_begun_header_is_not(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct timespec time = {0, 400 * 1000000};
    (void)nanosleep(&time, NULL);
    assert_int_equal(conn_cut_phase(pair.conn), CONN_BUSY);
    assert_int_equal(send(pair.client, "G", 1, 0), 1);
    assert_in_range(until_cut(&pair), HEADER_MS - 20, HEADER_MS + 250 + SLACK_MS);
    assert_int_equal(conn_cut_phase(pair.conn), CONN_IDLE);
    /* It is counted behind the cut, which is what the client sees first. */
    for (int i = 0; i < 1000 && atomic_load(&n_cut[CONN_IDLE]) == 0; i++)
        (void)nanosleep(&(struct timespec){0, 1000000}, NULL);
    assert_int_equal(atomic_load(&n_cut[CONN_IDLE]), 1);
    close_pair(&pair);
}

static void body_and_answer_end_by_their_own_times(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct pair pair = open_pair();
        enum conn_phase phase = i == 0 ? CONN_BODY : CONN_SENDING;
        conn_enter(pair.conn, phase, clock_mono_ns() + 300 * 1000000);
        assert_in_range(until_cut(&pair), 280, 550 + SLACK_MS);
        assert_int_equal(conn_cut_phase(pair.conn), phase);
        close_pair(&pair);
    }
}

static void busy_server_has_no_limit_and_idle_starts_over(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    assert_int_equal(send(pair.client, "GET", 3, 0), 3);
    conn_enter(pair.conn, CONN_BUSY, 0);
    struct timespec time = {0, 500 * 1000000};
    (void)nanosleep(&time, NULL);
    conn_enter(pair.conn, CONN_IDLE, 0); /* the bytes above belong to the request that is over */
    (void)nanosleep(&time, NULL);
    assert_int_equal(conn_cut_phase(pair.conn), CONN_BUSY);
    conn_hurry(pair.conn);
    assert_in_range(until_cut(&pair), 0, 450 + SLACK_MS);
    close_pair(&pair);
}

static void leaving_raises_stop_after_the_grace_and_reset_at_once(void **state)
{
    (void)state;
    for (int is_reset = 0; is_reset < 2; is_reset++) {
        struct pair pair = open_pair();
        struct stop raised = {0};
        struct linger linger = {is_reset, 0};
        conn_enter(pair.conn, CONN_BUSY, 0);
        watch_begin(watch, pair.conn, &raised, INT64_MAX);
        assert_int_equal(setsockopt(pair.client, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
        (void)close(pair.client);
        pair.client = -1;
        assert_in_range(until_raised(&raised), is_reset ? 0 : WATCH_GRACE_MS - 5, 250 + SLACK_MS);
        assert_int_equal(atomic_load(&raised.reason), STOP_CLIENT_GONE);
        watch_end(watch, pair.conn);
        close_pair(&pair);
    }
    assert_true(atomic_load(&n_stopped_calls) >= 2);
}

static void client_that_left_before_the_watch_began_is_noticed(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct stop raised = {0};
    conn_enter(pair.conn, CONN_BUSY, 0);
    (void)close(pair.client);
    pair.client = -1;
    struct timespec time = {0, 20 * 1000000};
    (void)nanosleep(&time, NULL);
    watch_begin(watch, pair.conn, &raised, INT64_MAX);
    assert_in_range(until_raised(&raised), 0, 250 + SLACK_MS);
    close_pair(&pair); /* ends the watching, too */
}

static void deadline_and_stop_all_raise_their_own_reasons(void **state)
{
    (void)state;
    struct pair pair = open_pair();
    struct stop first = {0}, second = {0};
    watch_begin(watch, pair.conn, &first, clock_mono_ns() + 100 * 1000000);
    assert_in_range(until_raised(&first), 95, 300 + SLACK_MS);
    assert_int_equal(atomic_load(&first.reason), STOP_DEADLINE);
    watch_end(watch, pair.conn);
    watch_begin(watch, pair.conn, &second, INT64_MAX);
    watch_stop_all(watch, STOP_DRAINING);
    assert_int_equal(atomic_load(&second.reason), STOP_DRAINING);
    watch_end(watch, pair.conn);
    close_pair(&pair);
}

static void *churn(void *cls)
{
    (void)cls;
    for (int i = 0; i < 200; i++) {
        struct pair pair = open_pair();
        struct stop raised = {0};
        (void)send(pair.client, "x", 1, MSG_NOSIGNAL);
        conn_enter(pair.conn, CONN_BUSY, 0);
        watch_begin(watch, pair.conn, &raised, INT64_MAX);
        if (i % 2 == 0) {
            (void)close(pair.client);
            pair.client = -1;
        }
        watch_end(watch, pair.conn);
        conn_enter(pair.conn, CONN_IDLE, 0);
        close_pair(&pair);
    }
    return NULL;
}

static void connections_come_and_go_while_they_are_watched(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(silent_connection_is_left_alone_and_a_begun_header_is_not,
                                        start, stop),
        cmocka_unit_test_setup_teardown(body_and_answer_end_by_their_own_times, start, stop),
        cmocka_unit_test_setup_teardown(busy_server_has_no_limit_and_idle_starts_over, start, stop),
        cmocka_unit_test_setup_teardown(leaving_raises_stop_after_the_grace_and_reset_at_once,
                                        start, stop),
        cmocka_unit_test_setup_teardown(client_that_left_before_the_watch_began_is_noticed, start,
                                        stop),
        cmocka_unit_test_setup_teardown(deadline_and_stop_all_raise_their_own_reasons, start, stop),
        cmocka_unit_test_setup_teardown(connections_come_and_go_while_they_are_watched, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
