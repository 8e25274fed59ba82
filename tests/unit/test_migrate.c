/* test_migrate.c - migrations: order, repetition, checksums, and several servers starting at once. */
#include "tests/support/store_fixture.h"

#include "store/migrate.h"
#include "store/migrations_embedded.h"
#include "store/statements.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STATES_MAX = 64 };

static void an_empty_database_gets_every_migration(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct migration_state states[STATES_MAX];
    size_t n = 0;
    int applied = 0;
    ok(migrate_status(f->pool, states, STATES_MAX, &n, &err));
    assert_int_equal(n, migrations_embedded_count);
    assert_false(states[0].is_applied);
    ok(migrate_up(f->pool, &applied, &err));
    assert_int_equal(applied, migrations_embedded_count);
    ok(migrate_status(f->pool, states, STATES_MAX, &n, &err));
    for (size_t i = 0; i < n; i++) {
        assert_true(states[i].is_applied);
        assert_false(states[i].is_changed);
        assert_int_equal(strlen(states[i].checksum), 64);
        assert_int_equal(strlen(states[i].applied_at), 20);
    }
}

static void a_second_run_does_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int applied = -1;
    const char *before =
        query_text(f, "SELECT version, name, checksum, applied_at FROM schema_migration");
    ok(migrate_up(f->pool, &applied, &err));
    assert_int_equal(applied, 0);
    assert_string_equal(
        before, query_text(f, "SELECT version, name, checksum, applied_at FROM schema_migration"));
}

static void a_changed_file_is_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct migration_state states[STATES_MAX];
    size_t n = 0;
    int applied = -1;
    run_sql(f, "UPDATE schema_migration SET checksum = 'other' WHERE version = 1");
    expect(STATUS_DB_ERROR, migrate_up(f->pool, &applied, &err));
    assert_non_null(strstr(err.detail, migrations_embedded[0].name));
    ok(migrate_status(f->pool, states, STATES_MAX, &n, &err));
    assert_true(states[0].is_changed);
}

static void a_database_newer_than_this_server_is_refused(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    int applied = -1;
    run_sql(f, "INSERT INTO schema_migration (version, name, checksum, applied_at) "
               "VALUES (9999, '9999_from_the_future', 'x', '2099-01-01T00:00:00Z')");
    expect(STATUS_DB_ERROR, migrate_up(f->pool, &applied, &err));
    assert_non_null(strstr(err.detail, "9999_from_the_future"));
}

static void *migrate_on_a_thread(void *arg)
{
    struct fixture *f = arg;
    struct db_pool *pool = fixture_pool(f, 1, 1000);
    int applied = -1;
    struct err err = {0};
    if (migrate_up(pool, &applied, &err) != STATUS_OK)
        applied = -1;
    db_pool_close(pool);
    return (void *)(intptr_t)applied;
}

static void threads_that_migrate_at_once_apply_each_file_once(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];
    intptr_t total = 0;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_on_a_thread, f), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        void *applied = NULL;
        assert_int_equal(pthread_join(threads[i], &applied), 0);
        assert_true((intptr_t)applied >= 0);
        total += (intptr_t)applied;
    }
    assert_int_equal(total, migrations_embedded_count);
}

static void processes_that_migrate_at_once_apply_each_file_once(void **state)
{
    struct fixture *f = *state;
    pid_t children[3];
    int total = 0;
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            _exit((int)(intptr_t)migrate_on_a_thread(f));
    }
    for (size_t i = 0; i < ARRAY_LEN(children); i++) {
        int status = 0;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 100);
        total += WEXITSTATUS(status);
    }
    assert_int_equal(total, migrations_embedded_count);
}

static void prepare(struct fixture *f, const struct statement *statement)
{
    struct err err = {0};
    struct db *db = NULL;
    char sql[8192];
    const char *text = statement->by_kind != NULL ? statement->by_kind[f->kind] : statement->sql;
    bool is_pg = f->kind == DB_POSTGRESQL;
    if (statement->only >= 0 && statement->only != (int)f->kind)
        return;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    assert_true(snprintf(sql, sizeof sql, "%s %s", is_pg ? "PREPARE checked AS" : "EXPLAIN", text) <
                (int)sizeof sql);
    struct db_param nulls[64] = {{DB_NULL, {NULL, 0}, 0, 0.0}};
    struct rows rows = {0};
    enum status s = is_pg ? db_exec_script(db, sql, &err)
                          : db_query(db, sql, nulls, ARRAY_LEN(nulls), &rows, &err);
    rows_clear(&rows);
    if (s != STATUS_OK)
        print_error("%s\n", statement->name);
    ok(s);
    if (is_pg)
        ok(db_exec_script(db, "DEALLOCATE checked", &err));
    db_release(db);
}

static void every_static_statement_prepares_on_a_fresh_schema(void **state)
{
    static const struct statement *const lists[] = {
        generation_statements,   migrate_statements,       catalog_statements,
        catalog_mart_statements, publish_statements,       instrument_statements,
        backtest_statements,     key_statements,           reader_statements,
        price_statements,        calendar_statements,      indicator_statements,
        news_statements,         job_statements,           job_lease_statements,
        job_log_statements,      job_once_statements,      bar_statements,
        action_statements,       backtest_item_statements, backtest_study_statements,
        job_stage_statements,    schedule_statements};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (const struct statement *s = lists[i]; s->name != NULL; s++)
            prepare(*state, s);
}

static void our_marts_are_described_and_empty(void **state)
{
    struct fixture *f = *state;
    assert_string_equal(query_text(f, "SELECT count(*) FROM meta_mart"), "23");
    assert_string_equal(
        query_text(f, "SELECT count(*) FROM meta_column c LEFT JOIN meta_mart m ON m.mart = c.mart "
                      "WHERE m.mart IS NULL"),
        "0");
    assert_string_equal(query_text(f, "SELECT count(*) FROM mart_price_daily"), "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_EMPTY(an_empty_database_gets_every_migration),
        TEST(a_second_run_does_nothing),
        TEST(a_changed_file_is_refused_by_name),
        TEST(a_database_newer_than_this_server_is_refused),
        TEST_EMPTY(threads_that_migrate_at_once_apply_each_file_once),
        TEST_EMPTY(processes_that_migrate_at_once_apply_each_file_once),
        TEST(every_static_statement_prepares_on_a_fresh_schema),
        TEST(our_marts_are_described_and_empty),
    };
    return cmocka_run_group_tests_name("migrate", tests, NULL, NULL);
}
