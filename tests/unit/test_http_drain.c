/* test_http_drain.c - the end of a server: nothing that was accepted is lost, nothing hangs, nothing aborts. */
#include "tests/unit/test_http.h"

#include <pthread.h>

enum { CLIENTS = 4 };

struct client {
    pthread_t thread;
    unsigned port;
    bool keeps_alive;
    atomic_bool *is_over;
    int n_answered, n_refused, n_lost;
};

/* Requests in a row until told to end; a request that was sent and not answered is lost. */
static void *client_run(void *cls)
{
    struct client *client = cls;
    int fd = -1;
    while (!atomic_load(client->is_over) && client->n_refused < 5) {
        if (fd < 0)
            fd = try_connect(client->port);
        if (fd < 0) {
            client->n_refused++;
            sleep_ms(5);
            continue;
        }
        send_text(fd, client->n_answered % 2 == 0 ? "GET /sleep?ms=5 HTTP/1.1\r\nHost: x\r\n\r\n"
                                                  : "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        char *answer = read_one(fd, false);
        if (status_of(answer) == 200)
            client->n_answered++;
        else
            client->n_lost++;
        if (!client->keeps_alive || strstr(answer, "Connection: close") != NULL ||
            status_of(answer) != 200) {
            (void)close(fd);
            fd = -1;
        }
        free(answer);
    }
    if (fd >= 0)
        (void)close(fd);
    return NULL;
}

static void start_clients(struct client clients[CLIENTS], unsigned port, atomic_bool *is_over)
{
    for (int i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){.port = port, .keeps_alive = i % 2 == 0, .is_over = is_over};
        assert_int_equal(pthread_create(&clients[i].thread, NULL, client_run, &clients[i]), 0);
    }
}

static void drain_under_load_loses_no_request(void **state)
{
    (void)state;
    struct world world;
    struct client clients[CLIENTS];
    atomic_bool is_over = false;
    world_start(&world, NULL);
    start_clients(clients, world.port, &is_over);
    sleep_ms(300);
    int64_t from = now_ms();
    world_stop(&world);
    assert_true(now_ms() - from < 2000);
    atomic_store(&is_over, true);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
        assert_true(clients[i].n_answered > 0);
        assert_int_equal(clients[i].n_lost, 0);
    }
}

static void second_server_takes_over_the_port_without_a_refusal(void **state)
{
    (void)state;
    struct world first, second;
    struct client clients[CLIENTS];
    atomic_bool is_over = false;
    char port[32];
    world_start(&first, (const char *const[]){"REUSE_PORT=on", NULL});
    char *body = big_body;
    big_body = NULL; /* each world frees its own */
    start_clients(clients, first.port, &is_over);
    sleep_ms(100);
    (void)snprintf(port, sizeof port, "PORT=%u", first.port);
    world_start(&second, (const char *const[]){port, "REUSE_PORT=on", NULL});
    assert_int_equal(second.port, first.port);
    sleep_ms(100);
    char *other = big_body;
    big_body = body;
    world_stop(&first);
    big_body = other;
    sleep_ms(100);
    atomic_store(&is_over, true);
    for (int i = 0; i < CLIENTS; i++) {
        assert_int_equal(pthread_join(clients[i].thread, NULL), 0);
        assert_int_equal(clients[i].n_lost, 0);
        assert_int_equal(clients[i].n_refused, 0);
    }
    world_stop(&second);
}

static void requests_that_outlast_the_drain_are_answered_503(void **state)
{
    (void)state;
    struct world world;
    int fds[6];
    world_start(&world, (const char *const[]){"DRAIN_MS=200", NULL});
    for (int i = 0; i < 6; i++) { /* some run, some wait in the queues */
        fds[i] = connect_to(world.port);
        send_text(fds[i], i % 2 == 0 ? "GET /sleep?ms=20000 HTTP/1.1\r\nHost: x\r\n\r\n"
                                     : "GET /cpu?ms=20000 HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    WAIT_FOR(atomic_load(&seen.n_started) == 3);
    WAIT_FOR(workers_load(world.app.io).waiting + workers_load(world.app.cpu).waiting == 3);
    int64_t from = now_ms();
    world_stop(&world);
    assert_in_range(now_ms() - from, 190, 1500);
    for (int i = 0; i < 6; i++) {
        bool is_closed = false;
        char *answer = read_all(fds[i], &is_closed);
        assert_int_equal(status_of(answer), 503);
        assert_non_null(strstr(answer, "\"code\":\"L104\""));
        assert_non_null(strstr(answer, "Connection: close\r\n"));
        assert_non_null(strstr(answer, "Retry-After: "));
        assert_true(is_closed);
        free(answer);
        (void)close(fds[i]);
    }
    assert_int_equal(atomic_load(&seen.reason), STOP_DRAINING);
}

static void requests_that_end_in_time_are_answered_200(void **state)
{
    (void)state;
    struct world world;
    world_start(&world, NULL);
    int fd = connect_to(world.port);
    send_text(fd, "GET /sleep?ms=700 HTTP/1.1\r\nHost: x\r\n\r\n");
    WAIT_FOR(atomic_load(&seen.n_started) == 1);
    world_stop(&world);
    char *answer = read_all(fd, NULL);
    assert_int_equal(status_of(answer), 200);
    assert_non_null(strstr(answer, "Connection: close\r\n"));
    free(answer);
    (void)close(fd);
}

static void connections_in_the_accept_queue_are_served(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        struct world world;
        int fds[16];
        world_start(&world, NULL);
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
            fds[i] = connect_to(world.port);
            send_text(fds[i], "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n");
        }
        world_stop(&world); /* at once: many are still in the kernel's queue */
        for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
            char *answer = read_all(fds[i], NULL);
            assert_int_equal(status_of(answer), 200);
            free(answer);
            (void)close(fds[i]);
        }
    }
}

struct stopper {
    struct world *world;
    int64_t took_ms;
};

static void *stopper_run(void *cls)
{
    struct stopper *stopper = cls;
    int64_t from = now_ms();
    world_stop(stopper->world);
    stopper->took_ms = now_ms() - from;
    return NULL;
}

static void readiness_goes_before_the_listener(void **state)
{
    (void)state;
    struct world world;
    struct err err = {0};
    world_start(&world, (const char *const[]){"DRAIN_DELAY_MS=400", NULL});
    atomic_store(&world.app.is_started, true);
    assert_int_equal(app_ready(&world.app, 0, &err), STATUS_OK);
    struct stopper stopper = {&world, 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stopper_run, &stopper), 0);
    WAIT_FOR(atomic_load(&world.app.is_draining));
    assert_int_equal(app_ready(&world.app, 0, &err), STATUS_DRAINING);
    assert_answer(world.port, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200);
    unsigned port = world.port;
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(stopper.took_ms >= 400);
    assert_int_equal(try_connect(port), -1);
}

static void idle_connections_do_not_hold_up_the_end(void **state)
{
    (void)state;
    struct world world;
    int fds[20];
    world_start(&world, NULL);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = connect_to(world.port);
    send_text(fds[0], "GET /hel"); /* one is in the middle of a header */
    int64_t from = now_ms();
    world_stop(&world);
    assert_true(now_ms() - from < 11500);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        (void)close(fds[i]);
}

static void starting_twenty_times_leaks_no_descriptor(void **state)
{
    (void)state;
    int before = count_descriptors();
    for (int i = 0; i < 20; i++) {
        struct world world;
        world_start(&world, NULL);
        int fd = connect_to(world.port);
        send_text(fd, "GET /io HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        char *answer = read_all(fd, NULL);
        assert_int_equal(status_of(answer), 200);
        free(answer);
        (void)close(fd);
        world_stop(&world);
    }
    assert_int_equal(count_descriptors(), before);
}

static void failed_start_leaves_nothing_behind(void **state)
{
    (void)state;
    struct world world;
    struct server *server = NULL;
    struct err err = {0};
    world_start(&world, NULL);
    int before = count_descriptors();
    struct app app = world.app;
    struct config config = world.config;
    config.bind = "not-an-address";
    app.config = &config;
    assert_int_equal(server_start(&app, world_routes, ARRAY_LEN(world_routes), &server, &err),
                     STATUS_CONFIG);
    assert_string_equal(err.name, "port");
    config = world.config; /* a port is shared only by servers that both say so */
    config.port = world.port;
    assert_int_equal(server_start(&app, world_routes, ARRAY_LEN(world_routes), &server, &err),
                     STATUS_CONFIG);
    assert_string_equal(err.name, "port");
    config.port = 0;
    config.tls_cert_file = "/nowhere/cert.pem";
    assert_int_equal(server_start(&app, world_routes, ARRAY_LEN(world_routes), &server, &err),
                     STATUS_CONFIG);
    assert_string_equal(err.name, "tls_key_file");
    config.tls_key_file = "/nowhere/key.pem";
    assert_int_equal(server_start(&app, world_routes, ARRAY_LEN(world_routes), &server, &err),
                     STATUS_CONFIG);
    assert_string_equal(err.name, "tls_cert_file");
    struct route broken[] = {ROW(GET, "/a/{b", hello_get, HTTP, 0, 0, false)};
    assert_int_equal(server_start(&app, broken, 1, &server, &err), STATUS_INTERNAL);
    assert_int_equal(count_descriptors(), before);
    world_stop(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain_under_load_loses_no_request),
        cmocka_unit_test(second_server_takes_over_the_port_without_a_refusal),
        cmocka_unit_test(requests_that_outlast_the_drain_are_answered_503),
        cmocka_unit_test(requests_that_end_in_time_are_answered_200),
        cmocka_unit_test(connections_in_the_accept_queue_are_served),
        cmocka_unit_test(readiness_goes_before_the_listener),
        cmocka_unit_test(idle_connections_do_not_hold_up_the_end),
        cmocka_unit_test(starting_twenty_times_leaks_no_descriptor),
        cmocka_unit_test(failed_start_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
