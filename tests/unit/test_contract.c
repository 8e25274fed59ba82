/*
 * test_contract.c - each promise of contract.def and dim_reference is broken once: the day fails and what it feeds is held
 * back, or it warns and is published; and the verdicts do not depend on the order in which days were loaded.
 */
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
#include <string.h>

#define FETCHED "2024-12-10T01:00:00Z"
#define LATER "2024-12-20T01:00:00Z"
#define MONDAY "2024-12-02"
#define TUESDAY "2024-12-03"
#define WEDNESDAY "2024-12-04"
#define SATURDAY "2024-12-07"

static struct warehouse_fixture w;

static int set_up(void **state)
{
    return warehouse_set_up(&w, state);
}

static int tear_down(void **state)
{
    return warehouse_tear_down(&w, state);
}

static struct warehouse_report model_and_publish(enum status wanted)
{
    (void)model(&w);
    return publish(&w, wanted, false);
}

/* n bars of the Korean exchange, "S0", "S1" ... */
static void put_bars(const char *ymd, int n, const char *fetched)
{
    char text[4000];
    size_t at = 0;
    for (int k = 0; k < n; k++)
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "S%d,%s,,,,%d,,9,,,,,,,,,KRW,datagokr_stock,%s,raw\n", k, ymd,
                               100 + k, fetched);
    put_rows(&w, "kr_stock", ymd, fetched, "bar", text);
}

static const char *verdict_of(const char *dataset, const char *ymd)
{
    char sql[200];
    (void)snprintf(sql, sizeof sql,
                   "SELECT status, reason FROM mart_data_quality_daily WHERE dataset = '%s' AND "
                   "ymd = '%s'",
                   dataset, ymd);
    return query_text(w.store, sql);
}

#define BAR_OF(close, currency, date) \
    "S0," date ",,,," close ",,9,,,,,,,,," currency ",datagokr_stock," LATER ",raw\n"

/* One row on Tuesday beside a good Monday; what readers then see of prices is Monday's alone. */
static void one_bad_row_of_a_day_holds_its_marts_back(void **state)
{
    static const struct {
        const char *text, *reason, *why;
    } cases[] = {
        {BAR_OF("much", "KRW", TUESDAY), "bad-rows", "bad-number: close"},
        {BAR_OF("", "KRW", TUESDAY), "bad-rows", "missing: close"},
        {BAR_OF("-1", "KRW", TUESDAY), "bad-rows", "out-of-range: close"},
        {BAR_OF("100", "WON", TUESDAY), "bad-rows", "unknown: currency"},
        {",2024-12-03,,,,100,,9,,,,,,,,,KRW,datagokr_stock," LATER ",raw\n", "bad-rows",
         "missing: symbol"},
        {BAR_OF("100", "KRW", TUESDAY) BAR_OF("101", "KRW", TUESDAY), "repeated-keys", ""},
    };
    (void)state;
    put_bars(MONDAY, 3, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    (void)model_and_publish(STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fetched[INSTANT_TEXT_BYTES], expected[64];
        instant_format(1733800000 + (int64_t)i * 3600, fetched); /* its object is the newest */
        put_rows(&w, "kr_stock", TUESDAY, fetched, "bar", cases[i].text);
        load_all(&w, "kr_stock", "kr_stock");
        assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
        (void)snprintf(expected, sizeof expected, "fail|%s", cases[i].reason);
        assert_string_equal(verdict_of("kr_stock", TUESDAY), expected);
        assert_string_equal(query_text(w.store, "SELECT count(*) FROM mart_price_daily"), "3");
        assert_string_equal(warehouse_text(&w,
                                           "SELECT COALESCE(max(reason), '') FROM quarantine WHERE "
                                           "load_id = (SELECT max(load_id) FROM load_object)"),
                            cases[i].why);
    }
    put_bars(TUESDAY, 3, "2025-01-01T00:00:00Z");
    load_all(&w, "kr_stock", "kr_stock");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(query_text(w.store, "SELECT count(*) FROM mart_price_daily"), "6");
}

static void rates_and_holidays_refer_to_known_currencies_and_markets(void **state)
{
    (void)state;
    put_rows(&w, "exchange_rate", MONDAY, FETCHED, "rate",
             "EUR,KRW," MONDAY ",1475,frankfurter," FETCHED ",raw\n"
             "EUR,XYZ," MONDAY ",2,frankfurter," FETCHED ",raw\n");
    put_rows(&w, "kr_market_holiday", "2024-12-25", FETCHED, "holiday",
             "XKRW,2024-12-25,Christmas Day,krx_holiday," FETCHED ",raw\n");
    load_all(&w, "fx", "exchange_rate");
    load_all(&w, "kr_holiday", "kr_market_holiday");
    assert_string_equal(
        warehouse_text(&w, "SELECT dataset, line, reason FROM quarantine ORDER BY dataset"),
        "fx|3|unknown: quote\nkr_holiday|2|unknown: market");
    assert_string_equal(warehouse_text(&w, "SELECT quote FROM fact_fx_rate"), "KRW");
    assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
    assert_string_equal(query_text(w.store, "SELECT count(*) FROM mart_fx_daily"), "0");
}

static void too_few_rows_fail_whichever_day_was_loaded_first(void **state)
{
    (void)state;
    put_bars(MONDAY, 10, FETCHED);
    put_bars(TUESDAY, 4, FETCHED);
    put_bars(WEDNESDAY, 8, FETCHED);
    (void)load_window(&w, "kr_stock", "kr_stock", WEDNESDAY, WEDNESDAY);
    (void)load_window(&w, "kr_stock", "kr_stock", TUESDAY, TUESDAY);
    assert_string_equal(warehouse_text(&w, "SELECT status FROM load_quality ORDER BY ymd"),
                        "ok\nok");
    (void)load_window(&w, "kr_stock", "kr_stock", MONDAY, MONDAY);
    assert_string_equal(
        warehouse_text(&w, "SELECT expected_rows, n_rows, status, reason FROM load_quality "
                           "ORDER BY ymd"),
        "0|10|ok|~\n10|4|fail|few-rows\n10|8|warn|few-rows");
    assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
}

static void actions_without_their_instrument_fail_until_it_comes(void **state)
{
    (void)state;
    put_rows(&w, "us_stock_action", MONDAY, FETCHED, "action",
             "AAPL," MONDAY ",dividend,0.25,,,USD,yahoo," FETCHED ",raw\n");
    load_all(&w, "us_stock", "us_stock_action");
    assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
    assert_string_equal(verdict_of("us_stock_action", MONDAY), "fail|no-instrument");
    assert_string_equal(query_text(w.store, "SELECT n_orphans FROM mart_data_quality_daily"), "1");
    put_rows(&w, "us_stock", MONDAY, FETCHED, "bar",
             "AAPL," MONDAY ",,,,240,,9,,,,,,,,,USD,yahoo," FETCHED ",raw\n");
    load_all(&w, "us_stock", "us_stock");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(verdict_of("us_stock_action", MONDAY), "ok|~");
}

static void prices_of_a_closed_day_fail(void **state)
{
    (void)state;
    put_bars(MONDAY, 3, FETCHED);
    put_bars(SATURDAY, 3, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
    assert_string_equal(verdict_of("kr_stock", SATURDAY), "fail|closed-day");
    assert_string_equal(verdict_of("kr_stock", MONDAY), "ok|~");
}

static void a_day_that_turns_out_closed_fails_then(void **state)
{
    (void)state;
    put_bars(MONDAY, 3, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    (void)model_and_publish(STATUS_OK);
    put_rows(&w, "kr_market_holiday", MONDAY, FETCHED, "holiday",
             "XKRX," MONDAY ",A day,krx_holiday," FETCHED ",raw\n");
    load_all(&w, "kr_holiday", "kr_market_holiday");
    assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
    assert_string_equal(verdict_of("kr_stock", MONDAY), "fail|closed-day");
}

static void bonds_without_terms_warn(void **state)
{
    (void)state;
    put_rows(&w, "bonds", MONDAY, FETCHED, "bar",
             "US0000000001," MONDAY ",,,,99,,,,,,,,,,,USD,bi_bond," FETCHED ",raw\n");
    load_all(&w, "bond", "bonds");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(verdict_of("bond", MONDAY), "warn|no-terms");
    put_rows(&w, "bonds_meta", MONDAY, FETCHED, "bond",
             "US0000000001,a-bond," MONDAY
             ",A bond,,,,USD,,,4,,,2030-12-02,2,,,bi_bond_meta," FETCHED ",raw\n");
    load_all(&w, "bond_meta", "bonds_meta");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(verdict_of("bond", MONDAY), "ok|~");
}

static void codes_need_those_above_them(void **state)
{
    (void)state;
    put_rows(&w, "industry_code/gics_codes", MONDAY, FETCHED, "code",
             "gics," MONDAY ",sector,10,Energy,wikipedia," FETCHED ",raw\n"
             "gics," MONDAY ",industry_group,1010,Energy,wikipedia," FETCHED ",raw\n"
             "gics," MONDAY ",industry_group,1510,Materials,wikipedia," FETCHED ",raw\n");
    load_all(&w, "gics", "industry_code/gics_codes");
    (void)model_and_publish(STATUS_BAD_DATA);
    assert_string_equal(verdict_of("gics", MONDAY), "fail|no-parent");
    assert_string_equal(warehouse_text(&w, "SELECT orphan_key FROM load_orphan"), "gics:1510");
}

static void observations_of_unknown_places_warn(void **state)
{
    (void)state;
    put_rows(&w, "monthly_indicators", "2024-11-01", FETCHED, "observation",
             "722Y001,QQ,M,2024-11-01,2024-11-30,,3,percent,,,ecos," FETCHED ",raw\n"
             "722Y001,KR,M,2024-11-01,2024-11-30,,3,percent,,,ecos," FETCHED ",raw\n");
    load_all(&w, "indicator_monthly", "monthly_indicators");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(verdict_of("indicator_monthly", "2024-11-01"), "warn|no-area");
}

/* Years apart, the later one first: the days between are looked at, too. */
static void gaps_between_windows_far_apart_are_found(void **state)
{
    static const char gaps[] =
        "SELECT count(*), min(ymd), max(ymd) FROM load_quality WHERE reason = 'gap'";
    static const char *const days[] = {"2024-12-03", "2014-12-01", "2024-12-02", "2014-12-02"};
    (void)state;
    put_rows(&w, "kr_market_holiday", "2018-05-01", FETCHED, "holiday",
             "XKRX,2018-05-01,A day,krx_holiday," FETCHED ",raw\n");
    load_all(&w, "kr_holiday", "kr_market_holiday");
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
        put_bars(days[i], 3, FETCHED);
        (void)load_window(&w, "kr_stock", "kr_stock", days[i], days[i]);
        (void)model_and_publish(STATUS_OK);
    }
    const char *in_pieces = warehouse_text(&w, gaps);
    warehouse_renew(&w);
    load_all(&w, "kr_holiday", "kr_market_holiday");
    load_all(&w, "kr_stock", "kr_stock");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(in_pieces, warehouse_text(&w, gaps));
    assert_string_equal(in_pieces, "260|2018-01-01|2018-12-31");
}

/* What a kind needs, and what it does not have: a row that a backtest could not follow is not published. */
static void told_actions_are_what_their_kind_can_be(void **state)
{
    static const struct {
        const char *row, *why; /* from kind on; "": it is taken */
    } cases[] = {{"dividend,,2024-12-20,,0.25,", ""},
                 {"dividend,,,,,", ""},
                 {"capital_gain,,,,1.5,", ""},
                 {"split,,,0.1,,", ""},
                 {"spin_off,stock:US.B,,0.25,,", ""},
                 {"merger,stock:US.B,,0.5,1.25,", ""},
                 {"merger,,,,7,", ""},
                 {"merger,stock:US.B,,0,7,", ""},
                 {"rename,stock:US.B,,,,", ""},
                 {"bonus,,,,1,", "unknown: kind"},
                 {"dividend,,2024-12-01,,1,", "out-of-order: date"},
                 {"dividend,,2024-13-01,,1,", "bad-date: pay_date"},
                 {"dividend,,,,-1,", "out-of-range: cash"},
                 {"dividend,,,2,1,", "unexpected: ratio"},
                 {"dividend,stock:US.B,,,1,", "unexpected: into_uid"},
                 {"split,,,,,", "missing: ratio"},
                 {"split,,,0,,", "out-of-range: ratio"},
                 {"split,,,2,1,", "unexpected: cash"},
                 {"split,,2024-12-20,2,,", "unexpected: pay_date"},
                 {"spin_off,,,0.25,,", "missing: into_uid"},
                 {"spin_off,stock:US.A,,0.25,,", "missing: into_uid"},
                 {"spin_off,B,,0.25,,", "bad-symbol: into_uid"},
                 {"spin_off,stock:US.B,,0,,", "out-of-range: ratio"},
                 {"merger,,,0.5,,", "missing: into_uid"},
                 {"merger,stock:US.B,,,,", "missing: cash"},
                 {"rename,,,,,", "missing: into_uid"},
                 {"rename,stock:US.B,,1,,", "unexpected: ratio"},
                 {"split,,,,,true", ""},
                 {"merger,,2024-12-20,,,true", ""},
                 {"split,,,2,,false", ""},
                 {"split,,,,,false", "missing: ratio"},
                 {"split,,,2,,yes", "bad-flag: is_withdrawn"},
                 {"spin_off,,,,,true", "missing: into_uid"},
                 {"bonus,,,,,true", "unknown: kind"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[300], fetched[INSTANT_TEXT_BYTES];
        instant_format(1733800000 + (int64_t)i * 3600, fetched);
        (void)snprintf(text, sizeof text, "stock:US.A," TUESDAY ",%s,upload,%s,raw\n", cases[i].row,
                       fetched);
        put_rows(&w, "tables/action", TUESDAY, fetched, "corporate_action", text);
        load_all(&w, "table_action", "tables/action");
        assert_string_equal(warehouse_text(&w,
                                           "SELECT COALESCE(max(reason), '') FROM quarantine WHERE "
                                           "load_id = (SELECT max(load_id) FROM load_object)"),
                            cases[i].why);
    }
    assert_string_equal(
        warehouse_text(&w,
                       "SELECT kind, into_uid FROM fact_corporate_action ORDER BY kind, into_uid"),
        "capital_gain|stock:US.A\ndividend|stock:US.A\nmerger|stock:US.A\nmerger|stock:US.B\n"
        "rename|stock:US.B\nspin_off|stock:US.B\nsplit|stock:US.A");
}

static void a_day_of_bad_or_repeated_actions_holds_their_mart_back(void **state)
{
    static const struct {
        const char *text, *reason;
    } cases[] = {{"stock:KR.S0," TUESDAY ",dividend,,,,-1,,upload," LATER ",raw\n", "bad-rows"},
                 {"stock:KR.S0," TUESDAY ",dividend,,,,1,,upload," LATER ",raw\n"
                  "stock:KR.S0," TUESDAY ",dividend,stock:KR.S0,,,2,,upload," LATER ",raw\n",
                  "repeated-keys"}};
    (void)state;
    put_bars(MONDAY, 3, FETCHED);
    put_bars(TUESDAY, 3, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    (void)model_and_publish(STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char fetched[INSTANT_TEXT_BYTES], expected[64];
        instant_format(1733800000 + (int64_t)i * 3600, fetched);
        put_rows(&w, "tables/action", TUESDAY, fetched, "corporate_action", cases[i].text);
        load_all(&w, "table_action", "tables/action");
        assert_true(model_and_publish(STATUS_BAD_DATA).is_blocked);
        (void)snprintf(expected, sizeof expected, "fail|%s", cases[i].reason);
        assert_string_equal(verdict_of("table_action", TUESDAY), expected);
        assert_string_equal(query_text(w.store, "SELECT count(*) FROM mart_corporate_action"), "0");
    }
    put_rows(&w, "tables/action", TUESDAY, "2025-01-01T00:00:00Z", "corporate_action",
             "stock:KR.S0," TUESDAY ",dividend,,,,3,,upload,2025-01-01T00:00:00Z,raw\n");
    load_all(&w, "table_action", "tables/action");
    (void)model_and_publish(STATUS_OK);
    assert_string_equal(query_text(w.store, "SELECT cash FROM mart_corporate_action"), "3");
}

#define CONTRACT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(one_bad_row_of_a_day_holds_its_marts_back),
        CONTRACT_TEST(rates_and_holidays_refer_to_known_currencies_and_markets),
        CONTRACT_TEST(too_few_rows_fail_whichever_day_was_loaded_first),
        CONTRACT_TEST(told_actions_are_what_their_kind_can_be),
        CONTRACT_TEST(a_day_of_bad_or_repeated_actions_holds_their_mart_back),
        CONTRACT_TEST(actions_without_their_instrument_fail_until_it_comes),
        CONTRACT_TEST(prices_of_a_closed_day_fail),
        CONTRACT_TEST(a_day_that_turns_out_closed_fails_then),
        CONTRACT_TEST(bonds_without_terms_warn),
        CONTRACT_TEST(codes_need_those_above_them),
        CONTRACT_TEST(observations_of_unknown_places_warn),
        CONTRACT_TEST(gaps_between_windows_far_apart_are_found),
    };
    return cmocka_run_group_tests_name("contract", tests, NULL, NULL);
}
