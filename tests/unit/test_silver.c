/* test_silver.c - from objects of the lake to facts: newest wins in any order, bad rows are kept apart. */
#include "tests/support/rounds.h"
#include "tests/support/store_fixture.h"
#include "tests/support/warehouse_fixture.h"

#include "backtest/rng.h"
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A bar with a close and a volume; the other columns are empty. */
#define BAR_LINE(symbol, date, close, volume, fetched) \
    symbol "," date ",,,," close ",," volume ",,,,,,,,,USD,yahoo," fetched ",raw\n"
#define MONDAY "2024-12-02"
#define TUESDAY "2024-12-03"
#define FETCHED "2024-12-03T01:00:00Z"
#define LATER "2024-12-04T01:00:00Z"

static struct warehouse_fixture w;

static int set_up(void **state)
{
    return warehouse_set_up(&w, state);
}

static int tear_down(void **state)
{
    return warehouse_tear_down(&w, state);
}

static const char *prices(void)
{
    return warehouse_text(
        &w, "SELECT uid, date, close, volume, source FROM fact_price ORDER BY uid, date");
}

static void bars_become_facts_and_instruments(void **state)
{
    (void)state;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.5900", "48137100", FETCHED)
                 BAR_LINE("MSFT", MONDAY, "430.98", "", FETCHED));
    struct warehouse_report r = load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_int_equal(r.load_id, 1);
    assert_int_equal(r.n_rows, 2);
    assert_int_equal(r.n_changed, 2);
    assert_int_equal(r.n_bad, 0);
    assert_string_equal(prices(), "stock:US.AAPL|2024-12-02|239.59|48137100|yahoo\n"
                                  "stock:US.MSFT|2024-12-02|430.98|~|yahoo");
    assert_string_equal(
        warehouse_text(&w, "SELECT uid, symbol, currency FROM fact_instrument ORDER BY uid"),
        "stock:US.AAPL|AAPL|USD\nstock:US.MSFT|MSFT|USD");
    assert_string_equal(warehouse_text(&w, "SELECT load_id, subject, touch_key, from_date, to_date "
                                           "FROM load_touch ORDER BY touch_key"),
                        "1|price|stock:US.AAPL|2024-12-02|2024-12-02\n"
                        "1|price|stock:US.MSFT|2024-12-02|2024-12-02");
    assert_string_equal(warehouse_text(&w, "SELECT dataset, ymd, n_rows, status FROM load_quality"),
                        "us_stock|2024-12-02|2|ok");
    assert_string_equal(
        warehouse_text(&w, "SELECT stage, dataset, n_objects, n_rows, status FROM load_ledger"),
        "silver|us_stock|1|2|ok");
}

static void what_is_loaded_is_not_loaded_again(void **state)
{
    (void)state;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.59", "1", FETCHED));
    (void)load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    struct warehouse_report r = load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_int_equal(r.load_id, 0);
    assert_int_equal(r.n_objects, 0);
}

static void the_newest_fetch_wins_and_a_row_that_does_not_come_again_stays(void **state)
{
    (void)state;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.59", "1", FETCHED)
                 BAR_LINE("MSFT", MONDAY, "430.98", "2", FETCHED));
    put_rows(&w, "us_stock", MONDAY, LATER, "bar", BAR_LINE("AAPL", MONDAY, "240", "1", LATER));
    struct warehouse_report r = load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_int_equal(r.n_objects, 2);
    assert_string_equal(prices(), "stock:US.AAPL|2024-12-02|240|1|yahoo\n"
                                  "stock:US.MSFT|2024-12-02|430.98|2|yahoo");
}

static void a_row_that_says_the_same_keeps_the_load_that_brought_it(void **state)
{
    (void)state;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.59", "1", FETCHED));
    (void)load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    put_rows(&w, "us_stock", MONDAY, LATER, "bar", BAR_LINE("AAPL", MONDAY, "239.590", "1", LATER));
    struct warehouse_report r = load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_int_equal(r.load_id, 2);
    assert_int_equal(r.n_changed, 0);
    assert_string_equal(warehouse_text(&w, "SELECT load_id FROM fact_price"), "1");
    assert_string_equal(warehouse_text(&w, "SELECT count(*) FROM load_touch WHERE load_id = 2"),
                        "0");
}

static void a_day_with_too_many_bad_rows_fails_its_contract(void **state)
{
    (void)state;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.59", "1", FETCHED)
                 BAR_LINE("BAD2", MONDAY, "-1", "1", FETCHED)
                     BAR_LINE("BAD3", MONDAY, "", "1", FETCHED)
                         BAR_LINE("BAD4", "2024-13-01", "1", "1",
                                  FETCHED) "BAD5," MONDAY ",10,8,9,10,,1,,,,,,,,,USD,yahoo," FETCHED
                                           ",raw\n");
    struct warehouse_report r = load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_int_equal(r.n_rows, 1);
    assert_int_equal(r.n_bad, 4);
    assert_string_equal(
        warehouse_text(&w, "SELECT line, reason, substr(raw, 1, 4) FROM quarantine ORDER BY line"),
        "3|out-of-range: close|BAD2\n4|missing: close|BAD3\n5|bad-date: date|BAD4\n"
        "6|out-of-order: low|BAD5");
    assert_string_equal(
        warehouse_text(
            &w, "SELECT n_rows, n_rejected, n_out_of_range, status, reason FROM load_quality"),
        "1|4|2|fail|bad-rows");
    put_rows(&w, "us_stock", MONDAY, LATER, "bar", BAR_LINE("AAPL", MONDAY, "239.59", "1", LATER));
    (void)load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    assert_string_equal(warehouse_text(&w, "SELECT n_rejected, status FROM load_quality"), "0|ok");
}

static void futures_may_cost_less_than_nothing(void **state)
{
    (void)state;
    put_rows(&w, "commodities", "2020-04-20", FETCHED, "bar",
             BAR_LINE("CL", "2020-04-20", "-37.63", "1", FETCHED));
    struct warehouse_report r =
        load_window(&w, "commodity", "commodities", "2020-04-20", "2020-04-20");
    assert_int_equal(r.n_bad, 0);
    assert_string_equal(prices(), "commodity:CL|2020-04-20|-37.63|1|yahoo");
}

static void small_coins_and_large_volumes_keep_their_digits(void **state)
{
    (void)state;
    put_rows(&w, "coin_data", MONDAY, FETCHED, "bar",
             BAR_LINE("PEPEUSDT", MONDAY, "0.00001234567", "12345678901234567890.5", FETCHED));
    (void)load_window(&w, "coin", "coin_data", MONDAY, MONDAY);
    assert_string_equal(warehouse_text(&w, "SELECT close, volume FROM fact_price"),
                        "0.00001234567|12345678901234567890.5");
}

static void other_shapes_find_their_tables(void **state)
{
    (void)state;
    put_rows(&w, "exchange_rate", MONDAY, FETCHED, "rate",
             "EUR,KRW," MONDAY ",1475,frankfurter," FETCHED ",raw\n"
             "EUR,USD," MONDAY ",1.0501,frankfurter," FETCHED ",raw\n");
    put_rows(&w, "news", MONDAY, FETCHED, "article",
             "a1,https://example.com/a," MONDAY "T18:00:00Z,Business,Head,\"Abs, tract\",By,812,"
             "\"[\"\"Rates; low\"\",\"\"Fed\"\"]\",nyt," FETCHED ",raw\n");
    put_rows(&w, "us_stock_action", MONDAY, FETCHED, "action",
             "AAPL," MONDAY ",dividend,0.25,,,USD,yahoo," FETCHED ",raw\n");
    put_rows(&w, "fred", MONDAY, FETCHED, "observation",
             "DGS10,,D," MONDAY "," MONDAY ",,4.59,percent,,,fred," FETCHED ",raw\n");
    (void)load_window(&w, "fx", "exchange_rate", MONDAY, MONDAY);
    (void)load_window(&w, "news", "news", MONDAY, MONDAY);
    (void)load_window(&w, "us_stock", "us_stock_action", MONDAY, MONDAY);
    (void)load_window(&w, "fred", "fred", MONDAY, MONDAY);
    assert_string_equal(
        warehouse_text(&w, "SELECT base, quote, rate FROM fact_fx_rate ORDER BY quote"),
        "EUR|KRW|1475\nEUR|USD|1.0501");
    assert_string_equal(
        warehouse_text(&w, "SELECT pub_day, word_count, keywords, abstract FROM fact_article"),
        "2024-12-02|812|Rates, low;Fed|Abs, tract");
    assert_string_equal(warehouse_text(&w, "SELECT uid, kind, amount FROM fact_action"),
                        "stock:US.AAPL|dividend|0.25");
    assert_string_equal(
        warehouse_text(&w, "SELECT series, area, vintage, value FROM fact_observation"),
        "DGS10|-|2024-12-03|4.59");
    assert_string_equal(warehouse_text(&w, "SELECT dataset FROM load_quality ORDER BY dataset"),
                        "fred\nfx\nnews\nus_stock_action");
}

static void an_object_that_is_none_is_refused_by_name(void **state)
{
    (void)state;
    struct err err = {0};
    struct warehouse_report report = {0};
    put_rows(&w, "us_stock", MONDAY, FETCHED, "rate",
             "EUR,KRW," MONDAY ",1475,x," FETCHED ",raw\n");
    put_rows(&w, "us_stock", "2024-12-03", FETCHED, "bar",
             BAR_LINE("AAPL", "2024-12-03", "1", "1", FETCHED));
    struct warehouse_task task = {
        .dataset = STR("us_stock"), .folder = STR("us_stock"), .to = 30000};
    expect(STATUS_BAD_DATA, warehouse_silver(w.lake, w.pool, &task, NULL, &report, &err));
    assert_non_null(strstr(err.detail, "bronze/us_stock/ymd=2024-12-03/rows-"));
    assert_string_equal(warehouse_text(&w, "SELECT count(*) FROM load_object"), "0");
}

enum { DAYS = 12, SYMBOLS = 4, OBJECTS = 40 };

/* Random objects of random days: revised, repeated and partial ones. */
static void make_objects(struct rng *rng)
{
    char text[4096], ymd[DATE_TEXT_BYTES], fetched[INSTANT_TEXT_BYTES];
    for (int i = 0; i < OBJECTS; i++) {
        int32_t day = 20000 + (int32_t)(rng_next_u32(rng) % DAYS);
        date_format(day, ymd);
        instant_format((int64_t)(day + 1) * 86400 + (int64_t)(rng_next_u32(rng) % 5) * 3600,
                       fetched);
        size_t n = 0;
        for (int k = 0; k < SYMBOLS; k++)
            if (rng_next_u32(rng) % 3 > 0)
                n += (size_t)snprintf(
                    text + n, sizeof text - n, "S%d,%s,,,,%d,,%d,,,,,,,Name %d,,USD,yahoo,%s,raw\n",
                    k, ymd, (int)(rng_next_u32(rng) % 3) + 1, (int)(rng_next_u32(rng) % 2),
                    (int)(rng_next_u32(rng) % 2), fetched);
        if (n > 0)
            put_rows(&w, "us_stock", ymd, fetched, "bar", text);
    }
}

static const char *all_facts(void)
{
    const char *facts =
        warehouse_text(&w, "SELECT uid, date, close, volume, fetched_at, row_hash FROM fact_price "
                           "ORDER BY uid, date");
    const char *instruments = warehouse_text(
        &w, "SELECT uid, name, fetched_at, row_hash FROM fact_instrument ORDER BY uid");
    size_t n = strlen(facts) + strlen(instruments) + 2;
    char *all = arena_alloc(&w.store->arena, n);
    assert_non_null(all);
    (void)snprintf(all, n, "%s\n%s", facts, instruments);
    return all;
}

static void load_days(int from, int to)
{
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    date_format(20000 + from, first);
    date_format(20000 + to, last);
    (void)load_window(&w, "us_stock", "us_stock", first, last);
}

/* The other back ends refuse such a day themselves. */
static void a_day_that_is_no_date_is_named(void **state)
{
    struct fixture *fixture = *state, other = *fixture;
    struct err err = {0};
    struct warehouse_report report = {0};
    struct warehouse_task task = {.dataset = STR("us_stock"), .folder = STR("us_stock")};
    if (fixture->kind != DB_SQLITE)
        return;
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             BAR_LINE("AAPL", MONDAY, "239.59", "1", FETCHED));
    (void)load_window(&w, "us_stock", "us_stock", MONDAY, MONDAY);
    other.pool = w.pool;
    run_sql(&other, "UPDATE load_object SET ymd = '2024-12-0x'");
    put_rows(&w, "us_stock", TUESDAY, LATER, "bar", BAR_LINE("AAPL", TUESDAY, "240", "1", LATER));
    assert_true(date_parse(STR(MONDAY), &task.from) && date_parse(STR(TUESDAY), &task.to));
    assert_int_equal(warehouse_silver(w.lake, w.pool, &task, NULL, &report, &err), STATUS_DB_ERROR);
    assert_string_equal(err.detail, "The day \"2024-12-0x\" of a loaded object is no date.");
}

static void any_order_and_repetition_of_windows_gives_the_same_tables(void **state)
{
    (void)state;
    const char *rounds = getenv("CMMC_TEST_ROUNDS");
    int64_t asked = 0;
    bool is_asked = str_to_i64(str_of(rounds), &asked);
    int64_t n = is_asked ? asked / 100 + 1 : (int64_t)rounds_of(6);
    struct rng rng;
    rng_init(&rng, 20241202, 0);
    for (int64_t round = 0; round < n; round++) {
        make_objects(&rng);
        load_days(0, DAYS - 1);
        const char *in_order = all_facts();
        warehouse_renew(&w);
        for (int k = 0; k < 10; k++) {
            int from = (int)(rng_next_u32(&rng) % DAYS);
            load_days(from, from + (int)(rng_next_u32(&rng) % 4));
        }
        for (int day = DAYS - 1; day >= 0; day--)
            load_days(day, day);
        assert_string_equal(all_facts(), in_order);
    }
}

#define SILVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SILVER_TEST(bars_become_facts_and_instruments),
        SILVER_TEST(what_is_loaded_is_not_loaded_again),
        SILVER_TEST(the_newest_fetch_wins_and_a_row_that_does_not_come_again_stays),
        SILVER_TEST(a_row_that_says_the_same_keeps_the_load_that_brought_it),
        SILVER_TEST(a_day_with_too_many_bad_rows_fails_its_contract),
        SILVER_TEST(futures_may_cost_less_than_nothing),
        SILVER_TEST(small_coins_and_large_volumes_keep_their_digits),
        SILVER_TEST(other_shapes_find_their_tables),
        SILVER_TEST(an_object_that_is_none_is_refused_by_name),
        SILVER_TEST(a_day_that_is_no_date_is_named),
        SILVER_TEST(any_order_and_repetition_of_windows_gives_the_same_tables),
    };
    return cmocka_run_group_tests_name("silver", tests, NULL, NULL);
}
