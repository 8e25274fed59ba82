/* test_backtest_store.c - finished backtests come back byte for byte, and the first one stays. */
#include "tests/support/store_fixture.h"

#include "store/backtest_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
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
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_body_comes_back_byte_for_byte),
        TEST(the_first_body_of_an_id_stays),
        TEST(a_damaged_body_is_a_database_error),
    };
    return cmocka_run_group_tests_name("backtest_store", tests, NULL, NULL);
}
