/* test_backtest_store.c - finished backtests come back byte for byte, and the first one stays. */
#include "tests/support/store_fixture.h"

#include "base/gzip.h"
#include "store/backtest_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void a_body_comes_back_byte_for_byte(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct str body;
    bool found = false;
    struct buf big;
    buf_init(&big, &f->arena, 4 << 20);
    for (int i = 0; i < 100000; i++)
        buf_printf(&big, "%d,", i * 7919);
    buf_add_char(&big, '\0');
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 3, buf_str(&big), NULL, &err));
    ok(backtest_save(db, STR("bt_empty"), STR("{}"), 3, STR(""), NULL, &err));
    ok(backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    assert_true(found);
    assert_true(str_eq(body, buf_str(&big)));
    ok(backtest_load(db, STR("bt_empty"), &f->arena, &body, &found, &err));
    assert_true(found);
    assert_int_equal(body.len, 0);
    ok(backtest_load(db, STR("bt_2"), &f->arena, &body, &found, &err));
    assert_false(found);
    db_release(db);
}

static void a_body_that_is_packed_already_is_stored_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct str packed, body;
    bool found = false;
    ok(backtest_pack(STR("{\"data\":{}}"), &f->arena, &packed, &err));
    ok(backtest_unpack(packed, &f->arena, &body, &err));
    assert_true(str_eq_c(body, "{\"data\":{}}"));
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 3, packed, NULL, &err));
    ok(backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    assert_true(found && str_eq_c(body, "{\"data\":{}}"));
    db_release(db);
    expect(STATUS_BAD_DATA,
           backtest_unpack(str_sub(packed, 0, packed.len - 1), &f->arena, &body, &err));
}

static void the_first_body_of_an_id_stays(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct str body;
    bool found = false;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 3, STR("first"), NULL, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 4, STR("second"), NULL, &err));
    ok(backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    assert_true(str_eq(body, STR("first")));
    db_release(db);
    assert_string_equal(query_text(f, "SELECT id, spec, generation FROM backtest_result"),
                        "bt_1|{}|3");
}

static void a_damaged_body_is_a_database_error(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct str body;
    bool found = false;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 3, STR("first"), NULL, &err));
    ok(db_exec(db, "UPDATE backtest_result SET body = $1", PARAMS(db_bytes(STR("\x1f\x8b junk"))),
               NULL, &err));
    expect(STATUS_DB_ERROR, backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    ok(db_exec(db, "UPDATE backtest_result SET body = $1",
               PARAMS(db_bytes(STR("\x28\xb5\x2f\xfd junk"))), NULL, &err));
    expect(STATUS_DB_ERROR, backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    db_release(db);
}

/* Servers before this one stored gzip. */
static void a_body_of_an_older_server_is_read(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct str body, packed;
    bool found = false;
    ok(gzip_pack(STR("as it was"), 1, &f->arena, &packed, &err));
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 3, STR("first"), NULL, &err));
    ok(db_exec(db, "UPDATE backtest_result SET body = $1", PARAMS(db_bytes(packed)), NULL, &err));
    ok(backtest_load(db, STR("bt_1"), &f->arena, &body, &found, &err));
    assert_true(str_eq(body, STR("as it was")));
    db_release(db);
}

static void old_and_many_backtests_are_removed_oldest_first(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    int64_t n = 0;
    bool found = false;
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    for (int i = 0; i < 6; i++) {
        char id[8], at[32];
        (void)snprintf(id, sizeof id, "bt_%d", i);
        (void)snprintf(at, sizeof at, "2020-01-0%dT00:00:00Z", i + 1);
        ok(backtest_save(db, str_of(id), STR("{}"), 1, STR("x"), NULL, &err));
        ok(db_exec(db, "UPDATE backtest_result SET created_at = $1 WHERE id = $2",
                   PARAMS(db_text(str_of(at)), db_text(str_of(id))), NULL, &err));
    }
    ok(backtest_purge(db, "", 100, &n, &err));
    assert_int_equal(n, 0);
    ok(backtest_purge(db, "2020-01-03T00:00:00Z", 100, &n, &err));
    assert_int_equal(n, 2);
    ok(backtest_purge(db, "2020-01-03T00:00:00Z", 3, &n, &err));
    assert_int_equal(n, 1);
    assert_string_equal(query_text(f, "SELECT id FROM backtest_result ORDER BY id"),
                        "bt_3\nbt_4\nbt_5");
    ok(backtest_delete(db, STR("bt_4"), &found, &err));
    assert_true(found);
    ok(backtest_delete(db, STR("bt_4"), &found, &err));
    assert_false(found);
    ok(backtest_exists(db, STR("bt_5"), &found, &err));
    assert_true(found);
    db_release(db);
}

static void a_summary_is_kept_beside_the_body(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    const struct backtest_summary summary = {.strategy = STR("equal"),
                                             .currency = STR("KRW"),
                                             .start = 18262,
                                             .end = 18627,
                                             .n_assets = 3,
                                             .total_return = 0.5,
                                             .cagr = (double)NAN,
                                             .sharpe = 1.25,
                                             .max_drawdown = -0.125};
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(backtest_save(db, STR("bt_1"), STR("{}"), 1, STR("x"), &summary, &err));
    db_release(db);
    assert_string_equal(
        query_text(f, "SELECT strategy, currency, start_on, end_on, n_assets, total_return, "
                      "COALESCE(cagr, -9), sharpe, max_drawdown FROM backtest_result"),
        "equal|KRW|2020-01-01|2020-12-31|3|0.5|-9|1.25|-0.125");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_body_comes_back_byte_for_byte),
        TEST(a_body_that_is_packed_already_is_stored_as_it_is),
        TEST(the_first_body_of_an_id_stays),
        TEST(a_damaged_body_is_a_database_error),
        TEST(a_body_of_an_older_server_is_read),
        TEST(old_and_many_backtests_are_removed_oldest_first),
        TEST(a_summary_is_kept_beside_the_body),
    };
    return cmocka_run_group_tests_name("backtest_store", tests, NULL, NULL);
}
