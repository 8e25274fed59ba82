/*
 * test_db_outage.c - a PostgreSQL server of its own that is killed, restarted and frozen under a pool.
 * Runs in the PostgreSQL round only: store_fixture.h marks it, CMMC_TEST_PG_URL says that binaries are there.
 */
#include "tests/support/store_fixture.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct server {
    char dir[64];
    char url[256];
};

static void pg_sh(struct server *server, const char *command)
{
    char line[256];
    char url[256] = "";
    (void)snprintf(line, sizeof line, "tests/support/pg.sh %s %s", command, server->dir);
    FILE *out = popen(line, "r");
    assert_non_null(out);
    if (fgets(url, sizeof url, out) != NULL) {
        url[strcspn(url, "\n")] = '\0';
        memcpy(server->url, url, sizeof url);
    }
    assert_int_equal(pclose(out), 0);
}

static int start_server(void **state)
{
    *state = NULL;
    if (getenv("CMMC_TEST_PG_URL") == NULL)
        return 0;
    struct server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    (void)snprintf(server->dir, sizeof server->dir, "/tmp/cmmc-outage.XXXXXX");
    assert_non_null(mkdtemp(server->dir));
    pg_sh(server, "start");
    *state = server;
    return 0;
}

static int stop_server(void **state)
{
    struct server *server = *state;
    if (server != NULL)
        pg_sh(server, "stop");
    free(server);
    return 0;
}

static struct db_pool *open_pool(const struct server *server, unsigned pool_max,
                                 unsigned statement_ms)
{
    struct err err = {0};
    struct db_pool *pool = NULL;
    struct db_options options = {
        .url = server->url, .pool_max = pool_max, .acquire_ms = 1000, .statement_ms = statement_ms};
    ok(db_pool_open(&options, &pool, &err));
    return pool;
}

static enum status select_one(struct db_pool *pool, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_acquire(pool, DB_READ, NULL, &db, err);
    return s == STATUS_OK ? db_query_one(db, "SELECT 1", NO_PARAMS, &rows, &found, err) : s;
}

static void sleep_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void a_killed_server_is_unavailable_and_serves_again_after_its_restart(void **state)
{
    struct server *server = *state;
    if (server == NULL)
        skip();
    struct err err = {0};
    struct db_pool *pool = open_pool(server, 4, 2000);
    ok(select_one(pool, &err));
    pg_sh(server, "kill");
    for (int i = 0; i < 20; i++) {
        int64_t from = clock_mono_ns();
        expect(STATUS_DB_UNAVAILABLE, select_one(pool, &err));
        assert_true(err.retry_after_s > 0);
        assert_true(clock_mono_ns() - from < 500000000);
    }
    pg_sh(server, "restart");
    int64_t from = clock_mono_ns();
    while (select_one(pool, &err) != STATUS_OK) {
        assert_true(clock_mono_ns() - from < 8000000000);
        sleep_ms(20);
    }
    db_pool_close(pool);
}

static void idle_connections_that_died_with_the_server_are_replaced_unseen(void **state)
{
    struct server *server = *state;
    if (server == NULL)
        skip();
    struct err err = {0};
    struct db_pool *pool = open_pool(server, 3, 2000);
    struct db *borrowed[3];
    for (size_t i = 0; i < 3; i++)
        ok(db_acquire(pool, DB_READ, NULL, &borrowed[i], &err));
    for (size_t i = 0; i < 3; i++)
        db_release(borrowed[i]);
    pg_sh(server, "kill");
    pg_sh(server, "restart");
    for (int i = 0; i < 5; i++)
        ok(select_one(pool, &err));
    db_pool_close(pool);
}

static void *kill_later(void *arg)
{
    sleep_ms(200);
    pg_sh(arg, "kill");
    return NULL;
}

static void a_server_killed_during_a_query_or_a_copy_is_unavailable(void **state)
{
    struct server *server = *state;
    if (server == NULL)
        skip();
    for (int is_copy = 0; is_copy < 2; is_copy++) {
        struct err err = {0};
        struct db *db = NULL;
        struct rows rows = {0};
        pthread_t thread;
        const char *columns[] = {"a"};
        struct db_pool *pool = open_pool(server, 1, 20000);
        ok(db_acquire(pool, DB_WRITE, NULL, &db, &err));
        ok(db_begin(db, &err));
        ok(db_exec(db, "CREATE TEMPORARY TABLE t (a TEXT) ON COMMIT DROP", NO_PARAMS, NULL, &err));
        assert_int_equal(pthread_create(&thread, NULL, kill_later, server), 0);
        enum status s = STATUS_OK;
        if (is_copy == 1) {
            ok(db_copy_begin(db, "t", columns, 1, &err));
            for (int i = 0; i < 100000000 && s == STATUS_OK; i++)
                s = db_copy_row(db, &STR("some text that is copied again and again"), &err);
        } else {
            s = db_query(db, "SELECT pg_sleep(30)", NO_PARAMS, &rows, &err);
        }
        expect(STATUS_DB_UNAVAILABLE, s);
        rows_clear(&rows);
        db_copy_abort(db);
        db_release(db);
        assert_int_equal(pthread_join(thread, NULL), 0);
        db_pool_close(pool);
        pg_sh(server, "restart");
    }
}

/* SIGSTOP for the server process that serves the only connection: it accepts and says nothing. */
static void freeze(int pid, const char *signal_name)
{
    char line[64];
    (void)snprintf(line, sizeof line, "kill -%s %d", signal_name, pid);
    assert_int_equal(system(line), 0); /* NOLINT: a test's own command */
}

static void a_server_that_no_longer_answers_gives_its_place_back(void **state)
{
    struct server *server = *state;
    if (server == NULL)
        skip();
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    bool found = false;
    struct db_pool *pool = open_pool(server, 1, 300);
    ok(db_acquire(pool, DB_READ, NULL, &db, &err));
    ok(db_query_one(db, "SELECT pg_backend_pid()", NO_PARAMS, &rows, &found, &err));
    int pid = (int)rows_i64(&rows, 0);
    rows_clear(&rows);
    freeze(pid, "STOP");
    int64_t from = clock_mono_ns();
    expect(STATUS_DB_UNAVAILABLE, db_query(db, "SELECT 1", NO_PARAMS, &rows, &err));
    assert_true(clock_mono_ns() - from < 6000000000);
    db_release(db);
    ok(select_one(pool, &err)); /* on a new connection */
    freeze(pid, "CONT");
    db_pool_close(pool);
}

static void a_terminated_session_is_unavailable_once_and_then_replaced(void **state)
{
    struct server *server = *state;
    if (server == NULL)
        skip();
    struct err err = {0};
    struct db *db = NULL;
    struct rows rows = {0};
    bool found = false;
    char sql[96];
    struct db_pool *pool = open_pool(server, 2, 2000);
    struct db *other = NULL;
    ok(db_acquire(pool, DB_READ, NULL, &db, &err));
    ok(db_acquire(pool, DB_READ, NULL, &other, &err));
    ok(db_query_one(db, "SELECT pg_backend_pid()", NO_PARAMS, &rows, &found, &err));
    (void)snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%d)", (int)rows_i64(&rows, 0));
    rows_clear(&rows);
    ok(db_exec(other, sql, NO_PARAMS, NULL, &err));
    expect(STATUS_DB_UNAVAILABLE, db_query(db, "SELECT 1", NO_PARAMS, &rows, &err));
    db_release(db);
    db_release(other);
    for (int i = 0; i < 4; i++)
        ok(select_one(pool, &err));
    db_pool_close(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_server_is_unavailable_and_serves_again_after_its_restart),
        cmocka_unit_test(idle_connections_that_died_with_the_server_are_replaced_unseen),
        cmocka_unit_test(a_server_killed_during_a_query_or_a_copy_is_unavailable),
        cmocka_unit_test(a_server_that_no_longer_answers_gives_its_place_back),
        cmocka_unit_test(a_terminated_session_is_unavailable_once_and_then_replaced),
    };
    return cmocka_run_group_tests_name("db_outage", tests, start_server, stop_server);
}
