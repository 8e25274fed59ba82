/*
 * test_http_lanes.c - one request, several calls of its handler: on the polling thread first, deferred to a
 * worker, parked until another one is done; and what is decided before the handler is called at all.
 */
#include "server/request.h"
#include "server/watch.h"

#include "base/lock.h"

#include <pthread.h>

static enum status quick_get(struct request *request, struct err *err);
static enum status hop_get(struct request *request, struct err *err);
static enum status park_get(struct request *request, struct err *err);
static enum status early_get(struct request *request, struct err *err);
static enum status shared_get(struct request *request, struct err *err);
static enum status world_admit(struct request *request, struct err *err);
static bool world_front(struct request *request);

#define WORLD_ROUTES                                          \
    ROW(GET, "/quick", quick_get, QUICK, 2000, 0, false),     \
        ROW(GET, "/hop", hop_get, QUICK, 2000, 0, false),     \
        ROW(GET, "/park", park_get, IO, 20000, 0, false),     \
        ROW(GET, "/park/brief", park_get, IO, 200, 0, false), \
        ROW(GET, "/early", early_get, IO, 5000, 0, false),    \
        ROW(GET, "/shared", shared_get, QUICK, 2000, 0, false),

#include "tests/unit/test_http.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static struct world world;
static atomic_int n_quick, n_slow;

/* Those that are parked until the test, or a thread of it, lets them go. */
enum { PARKED_MAX = 512 };
static struct lot {
    struct lock lock;
    struct request *parked[PARKED_MAX];
    size_t n;
    bool is_open; /* what was waited for is there */
} lot;

static void lot_set(bool is_open)
{
    struct request *parked[PARKED_MAX];
    lock_take(&lot.lock);
    size_t n = lot.n;
    memcpy(parked, lot.parked, n * sizeof parked[0]);
    lot.n = 0;
    lot.is_open = is_open;
    lock_give(&lot.lock);
    for (size_t i = 0; i < n; i++)
        request_unpark(parked[i]);
}

static size_t lot_count(void)
{
    lock_take(&lot.lock);
    size_t n = lot.n;
    lock_give(&lot.lock);
    return n;
}

/* With ?defer=1 the polling thread's call fills a reply that must not be seen, and defers. */
static enum status quick_get(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, request->is_quick ? 203 : 200, "text/plain");
    reply_header(request, request->is_quick ? "X-Quick" : "X-Slow", "1");
    reply_body(request, request->is_quick ? STR("quick") : STR("slow"));
    atomic_fetch_add(request->is_quick ? &n_quick : &n_slow, 1);
    if (request->is_quick && request_param(request, "defer").ptr != NULL)
        return request_defer(request, LANE_IO);
    request_time(request, "part", 1500000);
    request_time(request, "part", 1000000);
    request->cache = "l1";
    return STATUS_OK;
}

/* Polling thread -> database worker -> processor worker. */
static enum status hop_get(struct request *request, struct err *err)
{
    (void)err;
    if (request->is_quick)
        return request_defer(request, LANE_IO);
    if (request->lane == LANE_IO)
        return request_defer(request, LANE_CPU);
    reply_type(request, 200, "text/plain");
    reply_body(request, request->lane == LANE_CPU ? STR("cpu") : STR("other"));
    return STATUS_OK;
}

static enum status park_get(struct request *request, struct err *err)
{
    (void)err;
    reply_header(request, "X-Calls", "one");
    lock_take(&lot.lock);
    bool parks = !lot.is_open && lot.n < PARKED_MAX;
    if (parks)
        lot.parked[lot.n++] = request; /* from here on it may be unparked, before it has parked */
    lock_give(&lot.lock);
    if (parks)
        return request_park(request);
    reply_type(request, 200, "text/plain");
    reply_body(request, STR("unparked"));
    return STATUS_OK;
}

static void *unpark_soon(void *cls)
{
    request_unpark(cls);
    return NULL;
}

/* Parks eight times, and is unparked by another thread at about the same time, before or after. */
static enum status early_get(struct request *request, struct err *err)
{
    pthread_t thread;
    static atomic_uint turn;
    if (atomic_fetch_add(&turn, 1) % 8 != 7) {
        bool is_before = atomic_load(&turn) % 2 == 0;
        enum status s = is_before ? STATUS_OK : request_park(request);
        if (pthread_create(&thread, NULL, unpark_soon, request) != 0)
            return err_set(err, STATUS_INTERNAL, "no thread");
        (void)pthread_detach(thread);
        return is_before ? request_park(request) : s;
    }
    reply_type(request, 200, "text/plain");
    reply_body(request, STR("done"));
    return STATUS_OK;
}

static struct blob *cached;

static enum status shared_get(struct request *request, struct err *err)
{
    (void)err;
    reply_type(request, 200, "text/plain");
    reply_share(request, blob_ref(cached), (struct str){cached->bytes, cached->size});
    if (request->is_quick && request_param(request, "defer").ptr != NULL)
        return request_defer(request, LANE_IO);
    if (request_param(request, "fail").ptr != NULL)
        return err_set(err, STATUS_BAD_VALUE, "fails");
    return STATUS_OK;
}

/* Refuses ?deny=, and always says something in a header. */
static enum status world_admit(struct request *request, struct err *err)
{
    reply_header(request, "RateLimit", "\"test\";r=7;t=1");
    if (request->query.len >= 4 && memcmp(request->query.ptr, "deny", 4) == 0)
        return err_set(err, STATUS_BAD_VALUE, "not for you");
    request->principal.name = "tester";
    return STATUS_OK;
}

/* Knows one target by heart. */
static bool world_front(struct request *request)
{
    if (!str_eq_c(request->target, "/quick?front=%zz"))
        return false;
    reply_type(request, 200, "text/plain");
    reply_body(request, STR("front"));
    return true;
}

static int start(void **state)
{
    (void)state;
    static const char *const settings[] = {"QUEUE_IO=4", NULL};
    lock_init(&lot.lock);
    cached = blob_new(5);
    memcpy(cached->bytes, "bytes", 5);
    world_start(&world, settings);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    world_stop(&world);
    blob_unref(cached);
    lock_clear(&lot.lock);
    return 0;
}

static char *get(const char *path)
{
    char text[256];
    (void)snprintf(text, sizeof text, GET("%s"), path);
    return converse(world.port, text);
}

static void quick_answer_comes_from_the_polling_thread(void **state)
{
    (void)state;
    atomic_store(&n_slow, 0);
    char *answer = get("/quick");
    assert_int_equal(status_of(answer), 203);
    assert_string_equal(body_of(answer), "quick");
    assert_int_equal(atomic_load(&n_slow), 0);
    assert_non_null(strstr(answer, "part;dur=2.500"));
    assert_non_null(strstr(answer, "cache;desc=\"l1\""));
    free(answer);
    WAIT_FOR(metrics_get(world.app.metrics, METRIC_http_request_duration_seconds,
                         LABELS("/quick", "l1")) > 0);
}

static void deferred_request_is_run_again_with_an_empty_reply(void **state)
{
    (void)state;
    char *answer = get("/quick?defer=1");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "slow");
    assert_null(strstr(answer, "X-Quick"));
    assert_non_null(strstr(answer, "X-Slow: 1\r\n"));
    free(answer);
}

static void request_may_move_from_lane_to_lane(void **state)
{
    (void)state;
    char *answer = get("/hop");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "cpu");
    free(answer);
}

static void deferring_to_a_full_lane_is_503(void **state)
{
    (void)state;
    int fds[6]; /* two run, four wait */
    for (int i = 0; i < 6; i++) {
        fds[i] = connect_to(world.port);
        send_text(fds[i], GET("/sleep?ms=5000"));
        if (i < 2)
            WAIT_FOR(workers_load(world.app.io).running == (unsigned)i + 1);
    }
    WAIT_FOR(workers_load(world.app.io).waiting == 4);
    char *answer = get("/quick?defer=1");
    assert_int_equal(status_of(answer), 503);
    assert_non_null(strstr(answer, "Retry-After: "));
    assert_non_null(strstr(answer, "RateLimit: "));
    assert_null(strstr(answer, "X-Quick"));
    free(answer);
    for (int i = 0; i < 6; i++)
        (void)close(fds[i]);
    WAIT_FOR(workers_load(world.app.io).running == 0 && workers_load(world.app.io).waiting == 0);
}

/* Far more than threads and queue together: parked ones need neither. */
static void parked_requests_hold_no_thread_and_all_come_back(void **state)
{
    (void)state;
    enum { N = 40 };
    int fds[N];
    lot_set(false);
    for (int i = 0; i < N; i++) {
        fds[i] = connect_to(world.port);
        send_text(fds[i], GET("/park"));
        WAIT_FOR(lot_count() == (size_t)i + 1);
    }
    WAIT_FOR(workers_load(world.app.io).running == 0);
    assert_answer(world.port, GET("/io"), 200);
    lot_set(true);
    for (int i = 0; i < N; i++) {
        char *answer = read_all(fds[i], NULL);
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), "unparked");
        assert_null(
            strstr(strstr(answer, "X-Calls") + 1, "X-Calls")); /* the first call's is gone */
        assert_non_null(strstr(answer, "join;dur="));
        free(answer);
        (void)close(fds[i]);
    }
    lot_set(false);
}

static void *lot_cycle(void *cls)
{
    atomic_bool *is_over = cls;
    while (!atomic_load(is_over)) {
        lot_set(true);
        lot_set(false);
    }
    lot_set(true);
    return NULL;
}

static void unpark_may_come_at_any_moment(void **state)
{
    (void)state;
    enum { CONNECTIONS = 4, ROUNDS = 300 };
    int fds[CONNECTIONS];
    atomic_bool is_over = false;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, lot_cycle, &is_over), 0);
    for (int i = 0; i < CONNECTIONS; i++)
        fds[i] = connect_to(world.port);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CONNECTIONS; i++)
            send_text(fds[i], "GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
        for (int i = 0; i < CONNECTIONS; i++) {
            char *answer = read_one(fds[i], false);
            assert_int_equal(status_of(answer), 200);
            assert_string_equal(body_of(answer), "unparked");
            free(answer);
        }
    }
    atomic_store(&is_over, true);
    (void)pthread_join(thread, NULL);
    for (int i = 0; i < CONNECTIONS; i++)
        (void)close(fds[i]);
    lot_set(false);
}

static void unpark_races_with_the_return_of_the_handler(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    for (int i = 0; i < 200; i++) {
        send_text(fd, "GET /early HTTP/1.1\r\nHost: x\r\n\r\n");
        char *answer = read_one(fd, false);
        assert_int_equal(status_of(answer), 200);
        assert_string_equal(body_of(answer), "done");
        free(answer);
    }
    (void)close(fd);
}

static void parked_client_that_left_is_not_called_again(void **state)
{
    (void)state;
    double gone = metrics_get(world.app.metrics, METRIC_client_gone_total, NULL);
    int fd = connect_to(world.port);
    send_text(fd, GET("/park"));
    WAIT_FOR(lot_count() == 1);
    (void)close(fd);
    sleep_ms(WATCH_GRACE_MS + 4 * WATCH_TICK_MS);
    lot_set(true);
    WAIT_FOR(metrics_get(world.app.metrics, METRIC_client_gone_total, NULL) >= gone + 1);
    lot_set(false);
}

static void parked_request_beyond_its_deadline_is_504_when_unparked(void **state)
{
    (void)state;
    int fd = connect_to(world.port);
    send_text(fd, GET("/park/brief"));
    WAIT_FOR(lot_count() == 1);
    sleep_ms(200 + 4 * WATCH_TICK_MS);
    lot_set(true);
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 504);
    free(answer);
    (void)close(fd);
    lot_set(false);
}

static void shared_body_is_given_back_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char *answer = get("/shared");
        assert_string_equal(body_of(answer), "bytes");
        free(answer);
        answer = get("/shared?defer=1");
        assert_string_equal(body_of(answer), "bytes");
        free(answer);
        assert_answer(world.port, GET("/shared?fail=1"), 400);
    }
    WAIT_FOR(atomic_load(&cached->references) == 1);
}

static void refused_caller_gets_the_problem_and_the_headers_of_the_refusal(void **state)
{
    (void)state;
    atomic_store(&n_quick, 0);
    char *answer = get("/quick?deny");
    assert_int_equal(status_of(answer), 400);
    assert_non_null(strstr(answer, "RateLimit: \"test\";r=7;t=1\r\n"));
    assert_non_null(strstr(answer, "not for you"));
    assert_int_equal(atomic_load(&n_quick), 0);
    free(answer);
    /* A big body is refused without being asked for. */
    answer = converse(world.port, "POST /echo?deny HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                                  "Expect: 100-continue\r\n\r\n");
    assert_int_equal(status_of(answer), 400);
    assert_null(strstr(answer, "100 Continue"));
    free(answer);
}

static void headers_of_admission_stay_whatever_the_handler_does(void **state)
{
    (void)state;
    static const char *const paths[] = {"/quick", "/quick?defer=1", "/shared?fail=1", "/hop"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char *answer = get(paths[i]);
        assert_non_null(strstr(answer, "RateLimit: \"test\";r=7;t=1\r\n"));
        free(answer);
    }
    char *ops = converse(world.ops_port, GET("/metrics"));
    assert_null(strstr(ops, "RateLimit"));
    free(ops);
}

static void known_target_is_answered_before_its_query_is_parsed(void **state)
{
    (void)state;
    char *answer = get("/quick?front=%zz");
    assert_int_equal(status_of(answer), 200);
    assert_string_equal(body_of(answer), "front");
    free(answer);
    assert_answer(world.port, GET("/quick?other=%zz"), 400);
}

/* The trace id of the Server-Timing header; the test frees. */
static char *trace_of(const char *traceparent)
{
    char text[512];
    (void)snprintf(
        text, sizeof text, "GET /quick?deny HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s%s%s\r\n",
        traceparent == NULL ? "" : "traceparent: ", traceparent == NULL ? "" : traceparent,
        traceparent == NULL ? "" : "\r\n");
    char *answer = converse(world.port, text);
    const char *at = strstr(answer, "traceparent;desc=\"00-");
    assert_non_null(at);
    char *trace = strndup(at + 21, 32 + 1 + 16 + 3);
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\"trace_id\":\"%.32s\"", trace);
    assert_non_null(strstr(answer, wanted)); /* the problem names the same */
    free(answer);
    return trace;
}

static void valid_traceparent_is_joined(void **state)
{
    (void)state;
    char *trace = trace_of("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_memory_equal(trace, "4bf92f3577b34da6a3ce929d0e0e4736-", 33);
    assert_memory_not_equal(trace + 33, "00f067aa0ba902b7", 16); /* a span of its own */
    assert_string_equal(trace + 49, "-01");
    free(trace);
    trace = trace_of("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more");
    assert_memory_equal(trace, "4bf92f3577b34da6a3ce929d0e0e4736-", 33);
    assert_string_equal(trace + 49, "-00");
    free(trace);
}

static void invalid_or_absent_traceparent_starts_a_trace(void **state)
{
    (void)state;
    static const char *const bad[] = {
        NULL,
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n"
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *trace = trace_of(bad[i]);
        assert_int_equal(strspn(trace, "0123456789abcdef"), 32);
        assert_memory_not_equal(trace, "4bf92f3577b34da6a3ce929d0e0e4736", 32);
        assert_string_equal(trace + 49, "-00");
        free(trace);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_answer_comes_from_the_polling_thread),
        cmocka_unit_test(deferred_request_is_run_again_with_an_empty_reply),
        cmocka_unit_test(request_may_move_from_lane_to_lane),
        cmocka_unit_test(deferring_to_a_full_lane_is_503),
        cmocka_unit_test(parked_requests_hold_no_thread_and_all_come_back),
        cmocka_unit_test(unpark_may_come_at_any_moment),
        cmocka_unit_test(unpark_races_with_the_return_of_the_handler),
        cmocka_unit_test(parked_client_that_left_is_not_called_again),
        cmocka_unit_test(parked_request_beyond_its_deadline_is_504_when_unparked),
        cmocka_unit_test(shared_body_is_given_back_once),
        cmocka_unit_test(refused_caller_gets_the_problem_and_the_headers_of_the_refusal),
        cmocka_unit_test(headers_of_admission_stay_whatever_the_handler_does),
        cmocka_unit_test(known_target_is_answered_before_its_query_is_parsed),
        cmocka_unit_test(valid_traceparent_is_joined),
        cmocka_unit_test(invalid_or_absent_traceparent_starts_a_trace),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
