/* test_gold.c - from facts to published marts: adjusted, measured, incremental, and held back when data fail. */
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

#define FETCHED "2024-12-10T01:00:00Z"

static struct warehouse_fixture w;

static int set_up(void **state)
{
    return warehouse_set_up(&w, state);
}

static int tear_down(void **state)
{
    return warehouse_tear_down(&w, state);
}

static void put_bar(const char *folder, const char *symbol, const char *date, const char *close,
                    const char *source, const char *fetched)
{
    char text[400];
    (void)snprintf(text, sizeof text, "%s,%s,,,,%s,,100,,,,,,,,,USD,%s,%s,raw\n", symbol, date,
                   close, source, fetched);
    put_rows(&w, folder, date, fetched, "bar", text);
}

static const char *served(const char *sql)
{
    return query_text(w.store, sql);
}

static void prices_are_published_with_their_instruments(void **state)
{
    (void)state;
    put_bar("us_stock", "AAPL", "2024-12-02", "239.59", "yahoo", FETCHED);
    put_bar("us_stock", "AAPL", "2024-12-03", "242.65", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    struct warehouse_report r = model(&w);
    assert_int_equal(r.load_id, 2);
    r = publish(&w, STATUS_OK, false);
    assert_int_equal(r.generation, 1);
    assert_string_equal(r.stale, "us_stock since 2024-12-03");
    assert_string_equal(served("SELECT dataset, last_date, n_rows, status FROM mart_freshness "
                               "WHERE dataset = 'us_stock' "
                               "AND last_success_at = '2024-12-10T01:00:00Z'"),
                        "us_stock|2024-12-03|2|stale");
    assert_string_equal(
        warehouse_text(
            &w, "SELECT l.dataset, l.ymd, l.n_rows FROM load_lineage l JOIN mart_price_daily m "
                "ON m.load_id = l.load_id AND m.date = l.ymd ORDER BY l.ymd"),
        "us_stock|2024-12-02|1\nus_stock|2024-12-03|1");
    assert_string_equal(served("SELECT uid, asset_class, symbol, name, market, currency, source, "
                               "price_basis, n_rows FROM mart_instrument"),
                        "stock:US.AAPL|stock|AAPL|AAPL|XNYS|USD|yahoo|adjusted|2");
    assert_string_equal(
        served(
            "SELECT uid, date, close, adj_close, volume, quality FROM mart_price_daily ORDER BY date"),
        "stock:US.AAPL|2024-12-02|239.59|239.59|100|16\n"
        "stock:US.AAPL|2024-12-03|242.65|242.65|100|16");
    assert_string_equal(
        served("SELECT count(*) FROM mart_stock_daily WHERE ret_1d > 0.0127 AND ret_1d < 0.0128"),
        "1");
    assert_string_equal(
        served("SELECT dataset, ymd, status FROM mart_data_quality_daily ORDER BY ymd"),
        "us_stock|2024-12-02|ok\nus_stock|2024-12-03|ok");
}

static void nothing_new_is_nothing_to_do(void **state)
{
    (void)state;
    put_bar("us_stock", "AAPL", "2024-12-02", "239.59", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_int_equal(model(&w).load_id, 0);
    struct warehouse_report r = publish(&w, STATUS_OK, false);
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.n_rows, 0);
}

static void dividends_and_late_splits_adjust_every_price_before_them(void **state)
{
    (void)state;
    /*
     * Fetched before the split of the 5th, the last one in the evening before it in New York, when it is the 5th in UTC: in old
     * units. The dividend of 2 on the 4th is 1 % of 200.
     */
    put_bar("us_stock", "X", "2024-12-02", "200", "yahoo", "2024-12-03T01:00:00Z");
    put_bar("us_stock", "X", "2024-12-03", "200", "yahoo", "2024-12-04T01:00:00Z");
    put_bar("us_stock", "X", "2024-12-04", "198", "yahoo", "2024-12-05T01:00:00Z");
    put_bar("us_stock", "X", "2024-12-05", "49.5", "yahoo", "2024-12-06T01:00:00Z");
    put_rows(&w, "us_stock_action", "2024-12-04", "2024-12-05T00:30:00Z", "action",
             "X,2024-12-04,dividend,2,,,USD,yahoo,2024-12-04T23:30:00Z,raw\n");
    put_rows(&w, "us_stock_action", "2024-12-05", FETCHED, "action",
             "X,2024-12-05,split,,4,1,USD,yahoo," FETCHED ",raw\n");
    load_all(&w, "us_stock", "us_stock");
    load_all(&w, "us_stock", "us_stock_action");
    (void)model(&w);
    assert_string_equal(
        warehouse_text(
            &w,
            "SELECT date, close, adj_close, dividend, volume FROM mart_price_daily ORDER BY date"),
        "2024-12-02|50|49.5|~|400\n2024-12-03|50|49.5|~|400\n2024-12-04|49.5|49.5|0.5|400\n"
        "2024-12-05|49.5|49.5|~|100");
}

static void raw_closes_of_korea_keep_their_units_and_their_split(void **state)
{
    (void)state;
    put_bar("kr_stock", "005930", "2018-05-03", "2650000", "datagokr_stock", FETCHED);
    put_bar("kr_stock", "005930", "2018-05-04", "51900", "datagokr_stock", FETCHED);
    put_rows(&w, "kr_stock_action", "2018-05-04", FETCHED, "action",
             "005930,2018-05-04,split,,50,1,KRW,yahoo," FETCHED ",raw\n");
    load_all(&w, "kr_stock", "kr_stock");
    load_all(&w, "kr_stock", "kr_stock_action");
    (void)model(&w);
    assert_string_equal(
        warehouse_text(&w,
                       "SELECT close, adj_close, split_ratio FROM mart_price_daily ORDER BY date"),
        "2650000|53000|~\n51900|51900|50");
}

static const char actions_sql[] =
    "SELECT uid, date, kind, into_uid, pay_date, ratio, cash, source FROM mart_corporate_action "
    "ORDER BY uid, date, kind";

static void put_told(const char *ymd, const char *text)
{
    put_rows(&w, "tables/action", ymd, FETCHED, "corporate_action", text);
    load_all(&w, "table_action", "tables/action");
}

/* The payment of the 3rd is paid on the 20th, which only the table says; its amount is that of the source, in units of after the split. */
static void tables_tell_of_an_action_what_its_source_does_not(void **state)
{
    (void)state;
    put_bar("us_stock", "X", "2024-12-02", "50", "yahoo", FETCHED);
    put_bar("us_stock", "X", "2024-12-03", "50", "yahoo", FETCHED);
    put_bar("us_stock", "X", "2024-12-05", "50", "yahoo", FETCHED);
    put_rows(&w, "us_stock_action", "2024-12-03", "2024-12-04T00:00:00Z", "action",
             "X,2024-12-03,dividend,2,,,USD,yahoo,2024-12-04T00:00:00Z,raw\n");
    put_rows(&w, "us_stock_action", "2024-12-05", FETCHED, "action",
             "X,2024-12-05,split,,4,1,USD,yahoo," FETCHED ",raw\n");
    load_all(&w, "us_stock", "us_stock");
    load_all(&w, "us_stock", "us_stock_action");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql),
                        "stock:US.X|2024-12-03|dividend|stock:US.X|~|~|0.5|yahoo\n"
                        "stock:US.X|2024-12-05|split|stock:US.X|~|4|~|yahoo");
    put_told("2024-12-03",
             "stock:US.X,2024-12-03,dividend,,2024-12-20,,,,upload," FETCHED ",raw\n");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql),
                        "stock:US.X|2024-12-03|dividend|stock:US.X|2024-12-20|~|0.5|yahoo\n"
                        "stock:US.X|2024-12-05|split|stock:US.X|~|4|~|yahoo");
    assert_string_equal(
        served("SELECT date, dividend FROM mart_price_daily WHERE dividend IS NOT NULL"),
        "2024-12-03|0.5");
    /* Who tells the amount as well is believed: once. */
    put_told("2024-12-03", "stock:US.X,2024-12-03,dividend,stock:US.X,2024-12-20,,0.6,,upload,"
                           "2024-12-11T01:00:00Z,raw\n");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT date, dividend FROM mart_price_daily WHERE dividend IS NOT NULL"),
        "2024-12-03|0.6");
    assert_string_equal(
        served("SELECT cash, source FROM mart_corporate_action WHERE kind = 'dividend'"),
        "0.6|upload");
}

/* Of closes that are quoted in the units of their own day, told amounts are, too; one on a day without a price is felt on the next. */
static void told_payments_adjust_prices_of_a_source_that_tells_none(void **state)
{
    (void)state;
    put_bar("kr_stock", "1", "2024-12-05", "200", "datagokr_stock", FETCHED);
    put_bar("kr_stock", "1", "2024-12-09", "198", "datagokr_stock", FETCHED);
    put_bar("kr_stock", "1", "2024-12-10", "99", "datagokr_stock", FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    put_told("2024-12-07",
             "stock:KR.1,2024-12-07,dividend,,2025-04-01,,2,,upload," FETCHED ",raw\n");
    put_told("2024-12-10", "stock:KR.1,2024-12-10,split,,,2,,,upload," FETCHED ",raw\n");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served("SELECT date, close, adj_close, dividend, split_ratio "
                               "FROM mart_price_daily ORDER BY date"),
                        "2024-12-05|200|99|~|~\n2024-12-09|198|99|2|~\n2024-12-10|99|99|~|2");
    assert_string_equal(served(actions_sql),
                        "stock:KR.1|2024-12-07|dividend|stock:KR.1|2025-04-01|~|2|upload\n"
                        "stock:KR.1|2024-12-10|split|stock:KR.1|~|2|~|upload");
}

static void payments_of_one_day_are_rows_of_their_own_and_one_sum_of_the_bar(void **state)
{
    (void)state;
    put_bar("us_etf", "F", "2024-12-02", "100", "yahoo", FETCHED);
    put_bar("us_etf", "F", "2024-12-03", "97", "yahoo", FETCHED);
    put_rows(&w, "us_etf_action", "2024-12-03", FETCHED, "action",
             "F,2024-12-03,capital_gain,1,,,USD,yahoo," FETCHED ",raw\n"
             "F,2024-12-03,dividend,2,,,USD,yahoo," FETCHED ",raw\n");
    load_all(&w, "us_etf", "us_etf");
    load_all(&w, "us_etf", "us_etf_action");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served("SELECT kind, cash FROM mart_corporate_action ORDER BY kind"),
                        "capital_gain|1\ndividend|2");
    assert_string_equal(served("SELECT close, dividend FROM mart_price_daily ORDER BY date"),
                        "100|~\n97|3");
}

static void an_action_waits_for_the_instruments_that_it_names(void **state)
{
    (void)state;
    static const char quality[] = "SELECT ymd, n_orphans, status, reason "
                                  "FROM mart_data_quality_daily WHERE dataset = 'table_action'";
    put_bar("us_stock", "OLD", "2024-12-02", "20", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    put_told("2024-12-03",
             "stock:US.GONE,2024-12-03,merger,,,,7,,upload," FETCHED ",raw\n"
             "stock:US.OLD,2024-12-03,merger,stock:US.NEW,,0.5,1.25,,upload," FETCHED ",raw\n");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql), "");
    assert_string_equal(served(quality), "2024-12-03|2|warn|no-instrument");
    put_bar("us_stock", "NEW", "2024-12-03", "40", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql),
                        "stock:US.OLD|2024-12-03|merger|stock:US.NEW|~|0.5|1.25|upload");
    assert_string_equal(served(quality), "2024-12-03|1|warn|no-instrument");
    assert_string_equal(
        warehouse_text(&w, "SELECT orphan_key FROM load_orphan WHERE dataset = 'table_action'"),
        "stock:US.GONE");
    assert_string_equal(warehouse_text(&w, "SELECT DISTINCT l.dataset FROM load_lineage l JOIN "
                                           "mart_corporate_action m ON m.load_id = l.load_id"),
                        "us_stock");
}

/* Told under a wrong key, and taken back: readers have neither the action nor what it did to prices. */
static void an_action_that_is_taken_back_is_none(void **state)
{
    (void)state;
    static const char prices[] =
        "SELECT date, adj_close, dividend FROM mart_price_daily ORDER BY date";
    static const char told[] =
        "stock:US.X,2024-12-03,dividend,,,,10,,upload,2024-12-11T00:00:00Z,raw\n";
    static const char right[] = "stock:US.X,2024-12-04,dividend,,,,10,,upload," FETCHED ",raw\n";
    static const char back[] =
        "stock:US.X,2024-12-03,dividend,,,,,true,upload,2024-12-12T00:00:00Z,raw\n";
    put_bar("us_stock", "X", "2024-12-02", "100", "yahoo", FETCHED);
    put_bar("us_stock", "X", "2024-12-03", "100", "yahoo", FETCHED);
    put_bar("us_stock", "X", "2024-12-04", "100", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    put_told("2024-12-03", told);
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(prices), "2024-12-02|90|~\n2024-12-03|100|10\n2024-12-04|100|~");
    put_told("2024-12-03", back);
    struct warehouse_report report = model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql), "");
    assert_string_equal(served(prices), "2024-12-02|100|~\n2024-12-03|100|~\n2024-12-04|100|~");
    assert_string_equal(
        served("SELECT n_rows FROM mart_freshness WHERE dataset = 'mart_corporate_action'"), "0");
    assert_true(report.load_id > 0);
    assert_string_equal(
        warehouse_text(&w, "SELECT DISTINCT l.dataset FROM load_lineage l JOIN mart_price_daily m "
                           "ON m.load_id = l.load_id WHERE m.date = '2024-12-02'"),
        "table_action");
    /* Under the right key, while the generation of a moment ago stays as it was. */
    put_told("2024-12-04", right);
    (void)model(&w);
    int64_t generation = publish(&w, STATUS_OK, false).generation;
    assert_string_equal(served(prices), "2024-12-02|90|~\n2024-12-03|90|~\n2024-12-04|100|10");
    assert_string_equal(served(actions_sql),
                        "stock:US.X|2024-12-04|dividend|stock:US.X|~|~|10|upload");
    /* In another order, and once more: nothing changes. */
    warehouse_renew(&w);
    (void)load_window(&w, "table_action", "tables/action", "2024-12-04", "2024-12-04");
    load_all(&w, "us_stock", "us_stock");
    (void)model(&w);
    load_all(&w, "table_action", "tables/action");
    (void)model(&w);
    assert_int_equal(publish(&w, STATUS_OK, false).generation, generation);
}

/* Also what a source tells, until a table says again that it is one; and what waits for an instrument waits no more. */
static void what_is_taken_back_is_none_whoever_told_it(void **state)
{
    (void)state;
    static const char orphans[] = "SELECT orphan_key FROM load_orphan ORDER BY orphan_key";
    put_bar("us_stock", "X", "2024-12-02", "100", "yahoo", FETCHED);
    put_bar("us_stock", "X", "2024-12-03", "100", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    put_told("2024-12-03",
             "stock:US.X,2024-12-03,dividend,,,,,true,upload,2024-12-11T00:00:00Z,raw\n"
             "stock:US.Y,2024-12-03,spin_off,stock:US.Z,,0.5,,,upload,2024-12-11T00:00:00Z,raw\n"
             "stock:US.X,2024-12-03,spin_off,stock:US.Z,,0.5,,,upload,2024-12-11T00:00:00Z,raw\n");
    put_rows(&w, "us_stock_action", "2024-12-03", "2025-01-01T00:00:00Z", "action",
             "X,2024-12-03,dividend,2,,,USD,yahoo,2025-01-01T00:00:00Z,raw\n");
    load_all(&w, "us_stock", "us_stock_action");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(actions_sql), "");
    assert_string_equal(warehouse_text(&w, orphans), "stock:US.Y\nstock:US.Z");
    put_told("2024-12-03",
             "stock:US.Y,2024-12-03,spin_off,stock:US.Z,,,,true,upload,2024-12-12T00:00:00Z,raw\n");
    (void)model(&w);
    assert_string_equal(warehouse_text(&w, orphans), "stock:US.Z");
    put_told("2024-12-03",
             "stock:US.X,2024-12-03,spin_off,stock:US.Z,,,,true,upload,2024-12-13T00:00:00Z,raw\n"
             "stock:US.X,2024-12-03,dividend,,,,,false,upload,2024-12-13T00:00:00Z,raw\n");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(warehouse_text(&w, orphans), "");
    assert_string_equal(served(actions_sql),
                        "stock:US.X|2024-12-03|dividend|stock:US.X|~|~|2|yahoo");
}

static void crosses_go_through_the_euro_of_one_source(void **state)
{
    (void)state;
    put_rows(&w, "exchange_rate", "2024-12-02", FETCHED, "rate",
             "EUR,KRW,2024-12-02,1475,frankfurter," FETCHED ",raw\n"
             "EUR,USD,2024-12-02,1.25,frankfurter," FETCHED ",raw\n"
             "EUR,KRW,2024-12-02,9999,yahoo," FETCHED ",raw\n");
    load_all(&w, "fx", "exchange_rate");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served(
            "SELECT base, quote, rate, is_cross, source FROM mart_fx_daily ORDER BY base, quote"),
        w.store->kind == DB_SQLITE
            ? "EUR|KRW|1475|0|frankfurter\nEUR|USD|1.25|0|frankfurter\n"
              "KRW|USD|0.000847457627118644|1|frankfurter\nUSD|KRW|1180|1|frankfurter"
            : "EUR|KRW|1475|f|frankfurter\nEUR|USD|1.25|f|frankfurter\n"
              "KRW|USD|0.000847457627118644|t|frankfurter\nUSD|KRW|1180|t|frankfurter");
}

static void vintages_are_kept_where_they_say_something_else(void **state)
{
    (void)state;
    static const char *const days[] = {"2024-12-10", "2024-12-11", "2024-12-12"};
    for (int i = 0; i < 3; i++) {
        char text[300], at[40];
        (void)snprintf(at, sizeof at, "%sT01:00:00Z", days[i]);
        (void)snprintf(text, sizeof text,
                       "902Y015,KOR,Q,2024-07-01,2024-09-30,,%s,%%,GDP growth,Korea,ecos,%s,raw\n",
                       i < 2 ? "0.1" : "0.2", at);
        put_rows(&w, "quarterly_indicators", "2024-09-30", at, "observation", text);
    }
    load_all(&w, "indicator_quarterly", "quarterly_indicators");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT country_code, country_name, period, vintage, value "
               "FROM mart_economic_indicator ORDER BY vintage"),
        "KOR|South Korea|2024Q3|2024-12-10|0.1\nKOR|South Korea|2024Q3|2024-12-12|0.2");
    /* An earlier one comes late and says what the first did: that says nothing any more, to readers neither. */
    put_rows(&w, "quarterly_indicators", "2024-09-30", "2024-12-09T01:00:00Z", "observation",
             "902Y015,KOR,Q,2024-07-01,2024-09-30,,0.1,%,GDP growth,Korea,ecos,"
             "2024-12-09T01:00:00Z,raw\n");
    load_all(&w, "indicator_quarterly", "quarterly_indicators");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT vintage, value FROM mart_economic_indicator ORDER BY vintage"),
        "2024-12-09|0.1\n2024-12-12|0.2");
}

static void articles_are_counted_by_day_and_keyword(void **state)
{
    (void)state;
    put_rows(&w, "news", "2024-12-02", FETCHED, "article",
             "a1,https://example.com/a,2024-12-02T18:00:00Z,Business,One,,,100,"
             "\"[\"\"Rates\"\",\"\"Fed\"\"]\",nyt," FETCHED ",raw\n"
             "a2,https://example.com/b,2024-12-02T19:00:00Z,Business,,,,50,"
             "\"[\"\"Rates\"\"]\",nyt," FETCHED ",raw\n");
    load_all(&w, "news", "news");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT section, n_articles, words_total, top_keywords FROM mart_news_daily"),
        "Business|2|150|Rates;Fed");
    assert_string_equal(
        served("SELECT keyword, n_articles, share FROM mart_news_keyword_daily ORDER BY keyword"),
        w.store->kind == DB_SQLITE ? "Fed|1|0.5\nRates|2|1.0" : "Fed|1|0.5\nRates|2|1");
    assert_string_equal(served("SELECT headline FROM mart_news_article ORDER BY web_url"),
                        "One\n(no headline)");
    put_rows(&w, "news", "2024-12-02", "2024-12-11T01:00:00Z", "article",
             "a1,https://example.com/a,2024-12-02T18:00:00Z,Business,One,,,100,"
             "\"[\"\"Rates\"\"]\",nyt,2024-12-11T01:00:00Z,raw\n");
    load_all(&w, "news", "news");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT keyword, n_articles FROM mart_news_keyword_daily ORDER BY keyword"),
        "Fed|0\nRates|2");
    /* Both move to another section: readers have the first one no more. */
    put_rows(&w, "news", "2024-12-02", "2024-12-12T01:00:00Z", "article",
             "a1,https://example.com/a,2024-12-02T18:00:00Z,World,One,,,100,,nyt,"
             "2024-12-12T01:00:00Z,raw\n"
             "a2,https://example.com/b,2024-12-02T19:00:00Z,World,,,,50,,nyt,"
             "2024-12-12T01:00:00Z,raw\n");
    load_all(&w, "news", "news");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served("SELECT section, n_articles, words_total FROM mart_news_daily"),
                        "World|2|150");
}

static void a_failing_contract_leaves_what_is_served(void **state)
{
    (void)state;
    put_bar("us_stock", "AAPL", "2024-12-02", "239.59", "yahoo", FETCHED);
    load_all(&w, "us_stock", "us_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    put_rows(&w, "us_stock", "2024-12-03", FETCHED, "bar",
             "AAPL,2024-12-03,,,,-5,,1,,,,,,,,,USD,yahoo," FETCHED ",raw\n"
             "MSFT,2024-12-03,,,,5,,1,,,,,,,,,USD,yahoo," FETCHED ",raw\n");
    put_rows(&w, "exchange_rate", "2024-12-02", FETCHED, "rate",
             "EUR,USD,2024-12-02,1.25,frankfurter," FETCHED ",raw\n");
    load_all(&w, "us_stock", "us_stock");
    load_all(&w, "fx", "exchange_rate");
    (void)model(&w);
    assert_true(publish(&w, STATUS_BAD_DATA, false).is_blocked);
    assert_string_equal(
        served("SELECT dataset, status FROM mart_freshness WHERE dataset IN ('fx', 'us_stock') "
               "ORDER BY dataset"),
        "fx|stale\nus_stock|failing");
    assert_string_equal(served("SELECT count(*) FROM mart_price_daily"), "1");
    assert_string_equal(served("SELECT count(*) FROM mart_fx_daily"), "1");
    assert_string_equal(
        served("SELECT status, reason FROM mart_data_quality_daily WHERE ymd = '2024-12-03'"),
        "fail|bad-rows");
    put_bar("us_stock", "AAPL", "2024-12-03", "240", "yahoo", "2024-12-11T01:00:00Z");
    load_all(&w, "us_stock", "us_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served("SELECT count(*) FROM mart_price_daily"), "3");
}

static void put_day(const char *folder, const char *ymd, unsigned first, unsigned factor,
                    const char *fetched)
{
    char text[1000];
    size_t n = 0;
    for (unsigned k = 0; k < 6; k++)
        n += (size_t)snprintf(text + n, sizeof text - n,
                              "S%u,%s,,,,%u,,9,,,,,,,,,,datagokr_stock,%s,raw\n", k, ymd,
                              (first + k) * (k % 3 == 0 ? factor : 1), fetched);
    put_rows(&w, folder, ymd, fetched, "bar", text);
}

static void prices_in_another_unit_fail_until_they_are_corrected(void **state)
{
    (void)state;
    put_day("kr_stock", "2024-12-02", 100, 1, FETCHED);
    put_day("kr_stock", "2024-12-03", 101, 1000, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    (void)model(&w);
    assert_true(publish(&w, STATUS_BAD_DATA, false).is_blocked);
    assert_string_equal(
        served("SELECT ymd, status, reason, n_jumps FROM mart_data_quality_daily ORDER BY ymd"),
        "2024-12-02|ok|~|0\n2024-12-03|fail|jumps|2");
    put_day("kr_stock", "2024-12-03", 101, 1, "2024-12-11T01:00:00Z");
    load_all(&w, "kr_stock", "kr_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(
        served("SELECT ymd, status, n_jumps FROM mart_data_quality_daily ORDER BY ymd"),
        "2024-12-02|ok|0\n2024-12-03|ok|0");
}

static void open_days_without_rows_are_gaps(void **state)
{
    (void)state;
    put_day("kr_stock", "2024-12-23", 100, 1, FETCHED);
    put_day("kr_stock", "2024-12-26", 100, 1, FETCHED);
    load_all(&w, "kr_stock", "kr_stock");
    put_rows(&w, "kr_market_holiday", "2024-12-25", FETCHED, "holiday",
             "XKRX,2024-12-25,Christmas Day,krx_holiday," FETCHED ",raw\n");
    load_all(&w, "kr_holiday", "kr_market_holiday");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    static const char gaps[] = "SELECT ymd, n_rows, status FROM mart_data_quality_daily "
                               "WHERE dataset = 'kr_stock' AND reason = 'gap' ORDER BY ymd";
    assert_string_equal(served(gaps), "2024-12-24|0|warn");
    put_day("kr_stock", "2024-12-24", 100, 1, "2024-12-30T01:00:00Z");
    load_all(&w, "kr_stock", "kr_stock");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served(gaps), "");
}

static double served_number(const char *sql)
{
    return strtod(served(sql), NULL);
}

static void a_bond_at_par_yields_its_coupon(void **state)
{
    (void)state;
    put_rows(&w, "bonds", "2024-12-02", FETCHED, "bar",
             "US0000000001,2024-12-02,,,,100,,,,,,,,,,,USD,bi_bond," FETCHED ",raw\n");
    put_rows(&w, "bonds", "2025-03-03", FETCHED, "bar",
             "US0000000001,2025-03-03,,,,101,,,,,,,,,,,USD,bi_bond," FETCHED ",raw\n");
    load_all(&w, "bond", "bonds");
    (void)model(&w);
    assert_string_equal(warehouse_text(&w, "SELECT count(*) FROM mart_bond_daily"), "0");
    put_rows(
        &w, "bonds_meta", "2025-03-03", FETCHED, "bond",
        "US0000000001,us-5,2025-03-03,Five,United States,Treasury,,USD,,,5,,,2034-12-02,2,,No,bi_bond_meta," FETCHED
        ",raw\n");
    load_all(&w, "bond_meta", "bonds_meta");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    static const struct {
        const char *sql;
        double wanted;
    } figures[] = {{"SELECT ytm FROM mart_bond_daily WHERE date = '2024-12-02'", 0.05},
                   {"SELECT accrued FROM mart_bond_daily WHERE date = '2024-12-02'", 0},
                   /* (1 - 1.025^-20) / 0.05 */
                   {"SELECT mod_duration FROM mart_bond_daily WHERE date = '2024-12-02'", 7.794581},
                   /* 91 of 182 days */
                   {"SELECT accrued FROM mart_bond_daily WHERE date = '2025-03-03'", 1.25},
                   {"SELECT dirty_price FROM mart_bond_daily WHERE date = '2025-03-03'", 102.25}};
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        assert_true(served_number(figures[i].sql) - figures[i].wanted < 1e-6 &&
                    served_number(figures[i].sql) - figures[i].wanted > -1e-6);
    assert_string_equal(
        served("SELECT bond_key, issuer, country, currency FROM mart_bond_daily LIMIT 1"),
        "us-5|Treasury|US|USD");
}

static void risk_and_correlation_are_those_of_the_engine(void **state)
{
    (void)state;
    for (int i = 0; i < 24; i++) {
        char ymd[DATE_TEXT_BYTES];
        date_format(20058 + i, ymd); /* 2024-12-01 */
        put_bar("coin_data", "UP", ymd, i % 2 == 0 ? "100" : "110", "binance", FETCHED);
        put_bar("coin_data", "DOWN", ymd, i % 2 == 0 ? "110" : "100", "binance", FETCHED);
    }
    load_all(&w, "coin", "coin_data");
    (void)model(&w);
    (void)publish(&w, STATUS_OK, false);
    assert_string_equal(served("SELECT uid, as_of, window_days, currency, n_obs FROM mart_risk "
                               "WHERE uid = 'coin:UP' ORDER BY window_days"),
                        "coin:UP|2024-12-31|90|USD|23\ncoin:UP|2024-12-31|365|USD|23");
    assert_true(
        served_number("SELECT max_dd FROM mart_risk WHERE uid = 'coin:UP' AND window_days = 90") +
            1.0 / 11 <
        1e-12);
    assert_string_equal(served("SELECT instrument_a, instrument_b, n_obs FROM mart_correlation"),
                        "coin:DOWN|coin:UP|23");
    assert_true(served_number("SELECT corr FROM mart_correlation") < -0.99);
}

enum { FIRST_DAY = 19340, SPAN = 480, OBJECTS = 117 }; /* from 2022-12-14 */

static const struct {
    const char *dataset, *folder;
} sets[] = {{"us_stock", "us_stock"},
            {"us_stock", "us_stock_action"},
            {"kr_stock", "kr_stock"},
            {"coin", "coin_data"},
            {"fx", "exchange_rate"},
            {"kr_holiday", "kr_market_holiday"},
            {"kr_industry", "industry_code/krx_codes"},
            {"index", "index_data"},
            {"table_action", "tables/action"}};
enum { SETS = sizeof sets / sizeof sets[0] };

/* Days cluster, so that some are neighbours, and some far apart. */
static int32_t draw_day(struct rng *rng)
{
    return FIRST_DAY + (int32_t)rng_next_below(rng, 4) * (SPAN / 4) +
           (int32_t)rng_next_below(rng, 25);
}

/* Payments of two markets, of which some have a source as well, splits, and units of others, known or not. */
static size_t write_told(char *text, size_t size, unsigned k, unsigned pick, const char *ymd,
                         const char *at, bool is_withdrawn)
{
    const char *flag = is_withdrawn ? "true" : "";
    const char *place = k == 1 ? "KR" : "US";
    if (pick == 2)
        return (size_t)snprintf(text, size,
                                "stock:%s.S%u,%s,spin_off,stock:US.S%u,,0.25,,%s,upload,%s,raw\n",
                                place, k, ymd, k + 1, flag, at);
    return (size_t)snprintf(text, size, "stock:%s.S%u,%s,%s,%s,upload,%s,raw\n", place, k, ymd,
                            k == 0      ? "dividend,,2026-01-05,,"
                            : pick == 1 ? "split,,,3,"
                                        : "dividend,,,,1.75",
                            flag, at);
}

static void put_random(struct rng *rng, size_t set)
{
    char text[2000], ymd[DATE_TEXT_BYTES], at[INSTANT_TEXT_BYTES];
    int32_t day = draw_day(rng);
    size_t n = 0;
    date_format(day, ymd);
    instant_format((int64_t)(day + 1 + (int32_t)rng_next_below(rng, 300)) * 86400 +
                       rng_next_below(rng, 86400),
                   at);
    static const char *const shapes[SETS] = {
        "bar", "action", "bar", "bar", "rate", "holiday", "listing", "bar", "corporate_action"};
    for (unsigned k = 0; k < 3; k++) {
        unsigned price = 50 + rng_next_below(rng, 100), pick = rng_next_below(rng, 3);
        if (pick == 0 && k > 0)
            continue;
        static const char *const indices[] = {"KOSPI", "SPX", "DAX"};
        const char *source = set == 2 ? "datagokr_stock" : set == 3 ? "binance" : "yahoo";
        if (set == 0 || set == 2 || set == 3)
            n += (size_t)snprintf(text + n, sizeof text - n,
                                  "S%u,%s,,,,%u.25,,%u,9,,,1000,,,,,,%s,%s,raw\n", k, ymd, price,
                                  price, source, at);
        else if (set == 7)
            n +=
                (size_t)snprintf(text + n, sizeof text - n, "%s,%s,,,,%u,,,,,,,,,,,,yahoo,%s,raw\n",
                                 indices[k], ymd, price, at);
        else if (set == 1)
            n += (size_t)snprintf(text + n, sizeof text - n, "S%u,%s,%s,%s,%s,USD,yahoo,%s,raw\n",
                                  k, ymd, pick == 1 ? "split" : "dividend", pick == 1 ? "" : "1.5",
                                  pick == 1 ? "2,1" : ",", at);
        else if (set == 4)
            n += (size_t)snprintf(text + n, sizeof text - n, "EUR,%s,%s,%u.5,%s,%s,raw\n",
                                  k == 0   ? "KRW"
                                  : k == 1 ? "USD"
                                           : "GBP",
                                  ymd, price, pick == 1 ? "yahoo" : "frankfurter", at);
        else if (set == 8)
            n += write_told(text + n, sizeof text - n, k, pick, ymd, at,
                            rng_next_below(rng, 4) == 0);
        else if (set == 5 && k == 0)
            n += (size_t)snprintf(text + n, sizeof text - n, "XKRX,%s,Day,krx,%s,raw\n", ymd, at);
        else if (set == 6)
            n += (size_t)snprintf(text + n, sizeof text - n, "S%u,%s,KOSPI,Stock,I%u,krx,%s,raw\n",
                                  k, ymd, pick, at);
    }
    put_rows(&w, sets[set].folder, ymd, at, shapes[set], text);
}

static const char *all_models(void)
{
    static const char *const queries[] = {
        "SELECT uid, date, close, adj_close, volume, dividend, split_ratio, quality, fx_krw, fx_usd, ret_1d, "
        "ret_5d, ret_ytd, ma_5, vol_20d, high_52w, low_52w, value_traded, market_cap FROM fact_price_measure "
        "ORDER BY uid, date",
        "SELECT uid, date, adj_close, adj_close_krw, is_filled, days_stale, ret_1d FROM mart_price_panel "
        "ORDER BY uid, date",
        "SELECT uid, period, period_end, first_date, last_date, high, low, close, ret, vol, max_dd, volume, "
        "n_days FROM mart_return_period ORDER BY uid, period, period_end",
        "SELECT uid, as_of, window_days, currency, ann_return, ann_vol, sharpe, max_dd, var_95, skew, "
        "beta_to_benchmark, n_obs FROM mart_risk ORDER BY uid, as_of, window_days, currency",
        "SELECT as_of, instrument_a, instrument_b, corr, cov, n_obs FROM mart_correlation "
        "ORDER BY as_of, instrument_a, instrument_b",
        "SELECT date, asset_class, market, n_instruments, n_up, n_flat, ret_mean, ret_median, "
        "ret_cap_weighted, value_traded_krw FROM mart_asset_class_daily ORDER BY date, asset_class, market",
        "SELECT date, market, industry, n_items, ret_mean, ret_median, value_traded "
        "FROM mart_stock_industry_daily ORDER BY date, market, industry",
        "SELECT base, quote, date, rate, is_cross, source FROM mart_fx_daily ORDER BY base, quote, date",
        "SELECT market, date, is_open, prev_open, next_open, is_year_end, close_at, source "
        "FROM mart_calendar ORDER BY market, date",
        "SELECT uid, date, dividend_factor, dividend, split_ratio FROM dim_adjustment ORDER BY uid, date",
        "SELECT uid, date, kind, into_uid, pay_date, ratio, cash, source FROM mart_corporate_action "
        "ORDER BY uid, date, kind, into_uid",
        "SELECT uid, from_date, to_date, market, industry FROM dim_industry ORDER BY uid, from_date",
        "SELECT uid, name, market, currency, industry, source FROM dim_instrument ORDER BY uid",
        /* A gap that turned out to be none stays as an empty day that is ok. */
        "SELECT dataset, ymd, expected_rows, n_rows, n_duplicates, n_nulls, n_rejected, n_jumps, n_orphans, "
        "status, reason, fetched_at FROM mart_data_quality_daily WHERE n_rows > 0 OR status <> 'ok' "
        "ORDER BY dataset, ymd",
        "SELECT dataset, ymd, orphan_key, reason FROM load_orphan ORDER BY dataset, ymd, orphan_key"};
    struct buf all;
    buf_init(&all, &w.store->arena, 16 << 20);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        buf_printf(&all, "-- %zu\n", i);
        buf_add_c(&all, warehouse_text(&w, queries[i]));
        buf_add_char(&all, '\n');
    }
    return buf_c_str(&all);
}

/* The first line in which they differ, for the message. */
static void assert_same_lines(const char *a, const char *b)
{
    struct str x = str_of(a), y = str_of(b), line_x, line_y;
    while (str_next_field(&x, '\n', &line_x) && str_next_field(&y, '\n', &line_y))
        if (!str_eq(line_x, line_y))
            fail_msg("%.*s <> %.*s", STR_ARG(line_x), STR_ARG(line_y));
    assert_string_equal(a, b);
}

/* The oldest days last or first, each window modelled by itself. */
static void load_in_windows(size_t set)
{
    enum { WINDOW = 30 };
    for (int i = 0; i <= SPAN / WINDOW; i++) {
        char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
        int32_t day = FIRST_DAY + WINDOW * (set % 2 == 0 ? i : SPAN / WINDOW - i);
        date_format(day, from);
        date_format(day + WINDOW - 1, to);
        (void)load_window(&w, sets[set].dataset, sets[set].folder, from, to);
        (void)model(&w);
    }
}

/* Enough days in a row for what is measured over many. */
static void put_run(struct rng *rng)
{
    enum { RUN_DAYS = 45 };
    for (int32_t day = FIRST_DAY + 100; day < FIRST_DAY + 100 + RUN_DAYS; day++) {
        char ymd[DATE_TEXT_BYTES];
        date_format(day, ymd);
        for (unsigned k = 0; k < 3; k++) {
            static const char *const names[] = {"S0", "S1", "KOSPI"};
            char price[16];
            (void)snprintf(price, sizeof price, "%u", 50 + rng_next_below(rng, 100));
            put_bar(k < 2 ? "coin_data" : "index_data", names[k], ymd, price,
                    k < 2 ? "binance" : "yahoo", k < 2 ? "2022-12-01T00:00:00Z" : FETCHED);
        }
        char rates[200];
        (void)snprintf(rates, sizeof rates,
                       "EUR,KRW,%s,1475,frankfurter," FETCHED
                       ",raw\nEUR,USD,%s,1.25,frankfurter," FETCHED ",raw\n",
                       ymd, ymd);
        put_rows(&w, "exchange_rate", ymd, FETCHED, "rate", rates);
    }
}

/* Whatever they had in between: rows that left a model have left the readers, too. */
static void assert_readers_have_the_models(void)
{
    const char *const queries[] = {
        actions_sql,
        "SELECT date, asset_class, market, n_instruments FROM mart_asset_class_daily "
        "ORDER BY date, asset_class, market",
        "SELECT date, market, industry, n_items FROM mart_stock_industry_daily "
        "ORDER BY date, market, industry",
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++)
        assert_same_lines(served(queries[i]), warehouse_text(&w, queries[i]));
}

/* Loads and models in pieces, then once more all at once into an empty warehouse. */
static void pieces_in_any_order_give_the_models_of_the_whole(void **state)
{
    (void)state;
    struct rng rng;
    rng_init(&rng, 5, 0);
    put_run(&rng);
    for (uint64_t round = 0; round < rounds_of(3); round++) {
        for (int i = 0; i < OBJECTS; i++)
            put_random(&rng, (size_t)i % SETS);
        for (int i = 0; i < 25; i++) {
            char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
            size_t set = rng_next_below(&rng, SETS);
            int32_t day = draw_day(&rng);
            date_format(day, from);
            date_format(day + (int32_t)rng_next_below(&rng, 20), to);
            (void)load_window(&w, sets[set].dataset, sets[set].folder, from, to);
            if (rng_next_below(&rng, 3) == 0) {
                (void)model(&w);
                (void)publish(&w, STATUS_OK, true);
            }
        }
        for (size_t i = SETS; i > 0; i--)
            load_in_windows(i - 1);
        (void)publish(&w, STATUS_OK, true);
        assert_readers_have_the_models();
        const char *pieces = all_models();
        warehouse_renew(&w);
        for (size_t i = 0; i < SETS; i++)
            load_all(&w, sets[i].dataset, sets[i].folder);
        (void)model(&w);
        assert_same_lines(pieces, all_models());
        assert_string_not_equal(
            warehouse_text(&w,
                           "SELECT count(*) FROM mart_risk WHERE beta_to_benchmark IS NOT NULL"),
            "0");
        assert_string_not_equal(warehouse_text(&w, "SELECT count(*) FROM mart_correlation"), "0");
        /* What was traded is as the prices say. */
        assert_string_equal(
            warehouse_text(
                &w,
                "SELECT CASE WHEN count(*) = 0 THEN 'none' WHEN count(*) = count(m.value_traded) "
                "AND min(m.value_traded - p.value_traded) = 0 AND max(m.value_traded - p.value_traded) = 0 "
                "THEN 'same' ELSE 'other' END FROM fact_price_measure m JOIN fact_price p "
                "ON p.uid = m.uid AND p.date = m.date WHERE p.value_traded IS NOT NULL"),
            "same");
        assert_string_equal(
            warehouse_text(&w, "SELECT DISTINCT kind FROM mart_corporate_action ORDER BY kind"),
            "dividend\nspin_off\nsplit");
    }
}

#define GOLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GOLD_TEST(prices_are_published_with_their_instruments),
        GOLD_TEST(nothing_new_is_nothing_to_do),
        GOLD_TEST(dividends_and_late_splits_adjust_every_price_before_them),
        GOLD_TEST(raw_closes_of_korea_keep_their_units_and_their_split),
        GOLD_TEST(tables_tell_of_an_action_what_its_source_does_not),
        GOLD_TEST(told_payments_adjust_prices_of_a_source_that_tells_none),
        GOLD_TEST(payments_of_one_day_are_rows_of_their_own_and_one_sum_of_the_bar),
        GOLD_TEST(an_action_waits_for_the_instruments_that_it_names),
        GOLD_TEST(an_action_that_is_taken_back_is_none),
        GOLD_TEST(what_is_taken_back_is_none_whoever_told_it),
        GOLD_TEST(crosses_go_through_the_euro_of_one_source),
        GOLD_TEST(vintages_are_kept_where_they_say_something_else),
        GOLD_TEST(articles_are_counted_by_day_and_keyword),
        GOLD_TEST(prices_in_another_unit_fail_until_they_are_corrected),
        GOLD_TEST(open_days_without_rows_are_gaps),
        GOLD_TEST(a_bond_at_par_yields_its_coupon),
        GOLD_TEST(risk_and_correlation_are_those_of_the_engine),
        GOLD_TEST(a_failing_contract_leaves_what_is_served),
        GOLD_TEST(pieces_in_any_order_give_the_models_of_the_whole),
    };
    return cmocka_run_group_tests_name("gold", tests, NULL, NULL);
}
