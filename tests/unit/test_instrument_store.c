/* test_instrument_store.c - instruments and series as of a generation. */
#include "tests/support/store_fixture.h"

#include "base/date.h"
#include "store/instrument_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define INSTRUMENT_COLUMNS                                                                                        \
    "uid,asset_class,symbol,name,name_local,market,currency,source,quote_unit,price_basis,is_active,delisted_on," \
    "delisting_return,is_survivor_biased"
#define PRICE_COLUMNS "uid,date,close,adj_close,currency,source,quality,known_at"

static struct db *begin(struct fixture *f)
{
    struct err err = {0};
    struct db *db = NULL;
    publish_text(
        f, "mart_instrument", PUBLISH_MERGE, INSTRUMENT_COLUMNS,
        "stock:US.AAPL|stock|AAPL|Apple Inc.|~|XNAS|USD|t|price|adjusted|true|~|~|true\n"
        "stock:KR.005930|stock|005930|Samsung Electronics|삼성전자|XKRX|KRW|t|price|raw|true|~|~|false\n"
        "stock:US.GONE|stock|GONE|100% Gone_Co|~|XNYS|USD|t|price|raw|false|2015-06-01|-0.30|false\n"
        "etf:US.SPY|etf|SPY|SPDR S&P 500|~|ARCX|USD|t|price|raw|true|~|~|false\n",
        9, NULL);
    publish_text(f, "mart_price_daily", PUBLISH_MERGE, PRICE_COLUMNS,
                 "stock:US.AAPL|2020-01-02|300.35|75.0875|USD|skfolio|1|2020-01-02T21:00:00Z\n"
                 "stock:US.AAPL|2020-01-03|297.43|~|USD|skfolio|0|2020-01-03T21:00:00Z\n"
                 "stock:US.AAPL|2020-01-06|299.80|0.1|USD|simulated|16|2020-01-06T21:00:00Z\n",
                 9, NULL);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    return db;
}

static void an_instrument_is_found_with_its_coverage(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct instrument i;
    bool found = false;
    struct db *db = begin(f);
    ok(instrument_get(db, STR("stock:US.AAPL"), 2, &f->arena, &i, &found, &err));
    assert_true(found);
    assert_true(str_eq(i.name, STR("Apple Inc.")));
    assert_null(i.name_local.ptr);
    assert_true(str_eq(i.price_basis, STR("adjusted")));
    assert_int_equal(i.n_rows, 3);
    assert_int_equal(i.first_date, date_from_civil((struct civil){2020, 1, 2}));
    assert_int_equal(i.last_date, date_from_civil((struct civil){2020, 1, 6}));
    assert_true(i.is_active && i.is_survivor_biased);
    assert_int_equal(i.delisted_on, DATE_NONE);
    assert_true(i.delisting_return == 0.0);
    ok(instrument_get(db, STR("stock:US.GONE"), 2, &f->arena, &i, &found, &err));
    assert_int_equal(i.delisted_on, date_from_civil((struct civil){2015, 6, 1}));
    assert_true(i.delisting_return == -0.3);
    assert_int_equal(i.first_date, DATE_NONE);
    db_release(db);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(instrument_get(db, STR("stock:US.AAPL"), 1, &f->arena, &i, &found,
                      &err)); /* before its prices */
    assert_int_equal(i.n_rows, 0);
    db_release(db);
}

static void an_unknown_instrument_names_the_nearest(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct instrument i;
    bool found = true;
    struct db *db = begin(f);
    ok(instrument_get(db, STR("stock:US.APPL"), 2, &f->arena, &i, &found, &err));
    assert_false(found);
    assert_true(str_eq(i.uid, STR("stock:US.AAPL")));
    ok(instrument_get(db, STR("zzzzzzzzzzzz"), 2, &f->arena, &i, &found, &err));
    assert_false(found);
    assert_null(i.uid.ptr);
    expect(STATUS_BAD_VALUE, instrument_get(db, STR("x"), 3, &f->arena, &i, &found, &err));
    db_release(db);
}

static void prices_are_the_adjusted_closes_that_exist(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct price_column p;
    struct db *db = begin(f);
    ok(prices_load(db, STR("stock:US.AAPL"), 2, &f->arena, &p, &err));
    assert_int_equal(p.n, 2);
    assert_int_equal(p.date[0], date_from_civil((struct civil){2020, 1, 2}));
    assert_true(p.price[0] == 75.0875);
    assert_true(p.price[1] == 0.1);
    assert_int_equal(p.known_at[0], (int64_t)p.date[0] * 86400 + 21 * 3600);
    assert_int_equal(p.quality, 17);
    assert_true(p.is_simulated);
    ok(prices_load(db, STR("nothing"), 2, &f->arena, &p, &err));
    assert_int_equal(p.n, 0);
    db_release(db);
}

static void bars_of_a_halt_are_no_prices(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct price_column p;
    db_release(begin(f));
    publish_text(f, "mart_price_daily", PUBLISH_MERGE, PRICE_COLUMNS,
                 "etf:US.SPY|2020-01-02|1|1|USD|t|0|2020-01-02T21:00:00Z\n"
                 "etf:US.SPY|2020-01-03|1|1|USD|t|6|2020-01-03T21:00:00Z\n"
                 "etf:US.SPY|2020-01-06|2|2|USD|t|8|2020-01-06T21:00:00Z\n",
                 9, NULL);
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(prices_load(db, STR("etf:US.SPY"), 3, &f->arena, &p, &err));
    assert_int_equal(p.n, 2);
    assert_int_equal(p.date[1], date_from_civil((struct civil){2020, 1, 6}));
    assert_int_equal(p.quality, 8);
    db_release(db);
}

static void prices_that_do_not_fit_the_arena_are_out_of_memory(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct price_column p;
    struct arena small;
    struct db *db = begin(f);
    arena_init(&small, 16);
    expect(STATUS_OUT_OF_MEMORY, prices_load(db, STR("stock:US.AAPL"), 2, &small, &p, &err));
    arena_clear(&small);
    db_release(db);
}

static void rates_go_from_base_to_quote(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct price_column p;
    struct db *db = NULL;
    publish_text(f, "mart_fx_daily", PUBLISH_MERGE,
                 "base,quote,date,rate,is_cross,source,is_filled,known_at",
                 "EUR|KRW|2020-01-02|1300.5|false|ecb|false|2020-01-02T15:00:00Z\n"
                 "EUR|USD|2020-01-02|1.1|false|ecb|false|2020-01-02T15:00:00Z\n",
                 1, NULL);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    ok(fx_load(db, STR("EUR"), STR("KRW"), 1, &f->arena, &p, &err));
    assert_int_equal(p.n, 1);
    assert_true(p.price[0] == 1300.5);
    assert_false(p.is_simulated);
    ok(fx_load(db, STR("KRW"), STR("EUR"), 1, &f->arena, &p, &err));
    assert_int_equal(p.n, 0);
    db_release(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_instrument_is_found_with_its_coverage),
        TEST(an_unknown_instrument_names_the_nearest),
        TEST(prices_are_the_adjusted_closes_that_exist),
        TEST(bars_of_a_halt_are_no_prices),
        TEST(prices_that_do_not_fit_the_arena_are_out_of_memory),
        TEST(rates_go_from_base_to_quote),
    };
    return cmocka_run_group_tests_name("instrument_store", tests, NULL, NULL);
}
