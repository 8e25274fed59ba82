/* test_publish.c - generations: what a publish writes, what readers see meanwhile, what is refused. */
#include "tests/support/store_fixture.h"

#include "store/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define FX "mart_fx_daily"
#define FX_COLUMNS "base,quote,date,rate,is_cross,source,is_filled,known_at"
#define FX_ROW(day, rate) \
    "EUR|KRW|2020-01-" day "|" rate "|false|test|false|2020-01-" day "T15:00:00Z\n"

#define PRICE_COLUMNS "uid,date,adj_close,currency,source,quality,known_at"
#define PRICE_ROW(uid, day, price) \
    uid "|2020-01-" day "|" price "|USD|test|0|2020-01-" day "T21:00:00Z\n"

#define INSTRUMENT_COLUMNS \
    "uid,asset_class,symbol,name,currency,source,quote_unit,price_basis,is_active,is_survivor_biased"
#define INSTRUMENT_ROW(uid, name) uid "|stock|" uid "|" name "|USD|test|price|raw|true|false\n"

static void fx(struct fixture *f, enum publish_mode mode, const char *rows, int keep,
               struct publish_result *ret)
{
    publish_text(f, FX, mode, FX_COLUMNS, rows, keep, ret);
}

static void the_first_publish_makes_generation_one(void **state)
{
    struct fixture *f = *state;
    struct publish_result r;
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1300.50") FX_ROW("03", "0012"), 3, &r);
    assert_true(r.is_changed);
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.staged, 2);
    assert_int_equal(r.inserted, 2);
    assert_string_equal(query_text(f, "SELECT date, rate FROM mart_fx_daily ORDER BY date"),
                        "2020-01-02|1300.5\n2020-01-03|12");
    struct catalog *c = load_catalog(f);
    const struct mart *m = catalog_mart(c, STR(FX));
    assert_int_equal(c->generation, 1);
    assert_int_equal(c->oldest_generation, 1);
    assert_int_equal(m->generation, 1);
    assert_int_equal(m->n_rows, 2);
    assert_true(str_eq(m->as_of, STR("2020-01-03")));
    assert_true(m->published_at > 1500000000);
    catalog_unref(c);
}

static void the_same_data_again_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct publish_result r;
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1300.50") FX_ROW("03", "12"), 3, NULL);
    const char *freshness =
        query_text(f, "SELECT dataset, n_rows, last_date, status FROM mart_freshness");
    fx(f, PUBLISH_MERGE, FX_ROW("02", "01300.5") FX_ROW("03", "12.000"), 3, &r);
    assert_false(r.is_changed);
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.inserted + r.updated + r.deleted, 0);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1300.5") FX_ROW("03", "12"), 3, &r);
    assert_false(r.is_changed);
    assert_string_equal(query_text(f, "SELECT count(*) FROM publication"), "1");
    assert_string_equal(freshness, "mart_fx_daily|2|2020-01-03|ok");
    assert_string_equal(
        freshness, query_text(f, "SELECT dataset, n_rows, last_date, status FROM mart_freshness"));
}

static void a_change_closes_the_old_version_and_opens_a_new_one(void **state)
{
    struct fixture *f = *state;
    struct publish_result r;
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1") FX_ROW("03", "2"), 5, NULL);
    fx(f, PUBLISH_MERGE, FX_ROW("03", "2.5") FX_ROW("06", "3"), 5, &r);
    assert_int_equal(r.generation, 2);
    assert_int_equal(r.updated, 1);
    assert_int_equal(r.inserted, 1);
    assert_int_equal(r.deleted, 0);
    assert_string_equal(
        query_text(f,
                   "SELECT date, rate, gen_from, gen_to FROM gen_fx_daily ORDER BY date, gen_from"),
        "2020-01-02|1|1|9223372036854775807\n2020-01-03|2|1|2\n"
        "2020-01-03|2.5|2|9223372036854775807\n2020-01-06|3|2|9223372036854775807");
    assert_string_equal(
        query_text(f, "SELECT n_rows, as_of FROM mart_generation WHERE mart = 'mart_fx_daily'"),
        "3|2020-01-06");
}

static void merging_keeps_and_replacing_deletes_what_is_not_staged(void **state)
{
    struct fixture *f = *state;
    struct publish_result r;
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1") FX_ROW("03", "2") FX_ROW("06", "3"), 5, NULL);
    fx(f, PUBLISH_MERGE, FX_ROW("07", "4"), 5, &r);
    assert_int_equal(r.deleted, 0);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1") FX_ROW("03", "9"), 5, &r);
    assert_int_equal(r.deleted, 2);
    assert_int_equal(r.updated, 1);
    assert_int_equal(r.inserted, 0);
    assert_string_equal(query_text(f, "SELECT date, rate FROM mart_fx_daily ORDER BY date"),
                        "2020-01-02|1\n2020-01-03|9");
    assert_string_equal(
        query_text(f, "SELECT n_rows, as_of FROM mart_generation WHERE mart = 'mart_fx_daily'"),
        "2|2020-01-03");
}

/* Of EUR all that there is: two days, of which one is new; of USD nothing is said. */
static void what_is_staged_as_a_whole_loses_its_other_rows(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct publish *publish = NULL;
    struct publish_result r;
    struct db *db = NULL;
    static const char usd[] = "USD|KRW|2020-01-02|7|false|test|false|2020-01-02T15:00:00Z\n";
    char rows[1000];
    (void)snprintf(rows, sizeof rows, "%s%s", FX_ROW("02", "1") FX_ROW("03", "2"), usd);
    fx(f, PUBLISH_MERGE, rows, 5, NULL);
    struct catalog *catalog = load_catalog(f);
    const struct str names[] = {STR("base"),     STR("quote"),  STR("date"),      STR("rate"),
                                STR("is_cross"), STR("source"), STR("is_filled"), STR("known_at")};
    const struct str kept[] = {
        STR("EUR"),   STR("KRW"),  STR("2020-01-03"), STR("2"),
        STR("false"), STR("test"), STR("false"),      STR("2020-01-03T15:00:00Z")};
    const struct str added[] = {
        STR("EUR"),   STR("KRW"),  STR("2020-01-06"), STR("3"),
        STR("false"), STR("test"), STR("false"),      STR("2020-01-06T15:00:00Z")};
    const struct str scopes[] = {STR("EUR"), STR("GBP")};
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(publish_begin(db, catalog, &publish, &err));
    publish_within(publish, scopes, 2);
    ok(publish_mart_begin(publish, STR(FX), PUBLISH_MERGE, names, 8, &err));
    ok(publish_row(publish, kept, &err));
    ok(publish_row(publish, added, &err));
    ok(publish_mart_end(publish, &err));
    ok(publish_commit(publish, 5, &r, &err));
    db_release(db);
    catalog_unref(catalog);
    assert_int_equal(r.inserted, 1);
    assert_int_equal(r.updated, 0);
    assert_int_equal(r.deleted, 1);
    assert_string_equal(
        query_text(f, "SELECT base, date, rate FROM mart_fx_daily ORDER BY base, date"),
        "EUR|2020-01-03|2\nEUR|2020-01-06|3\nUSD|2020-01-02|7");
    assert_string_equal(
        query_text(f, "SELECT n_rows FROM mart_generation WHERE mart = 'mart_fx_daily'"), "3");
}

static void a_deleted_row_may_come_back(void **state)
{
    struct fixture *f = *state;
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1") FX_ROW("03", "2"), 5, NULL);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1"), 5, NULL);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1") FX_ROW("03", "2"), 5, NULL);
    assert_string_equal(
        query_text(f, "SELECT gen_from, gen_to FROM gen_fx_daily WHERE date = '2020-01-03' "
                      "ORDER BY gen_from"),
        "1|2\n3|9223372036854775807");
}

static int64_t count_at(struct db *db, int64_t generation)
{
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    ok(generation_pin(db, generation, &err));
    ok(db_query_one(db, "SELECT count(*) FROM gen_fx_daily WHERE gen_from <= $1 AND gen_to > $1",
                    PARAMS(db_i64(generation)), &rows, &found, &err));
    int64_t n = rows_i64(&rows, 0);
    rows_clear(&rows);
    return n;
}

static void a_pinned_generation_stays_whole_while_it_is_retired(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "1") FX_ROW("03", "2"), 1, NULL);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    assert_int_equal(count_at(db, 1), 2);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "5"), 1, NULL);
    fx(f, PUBLISH_REPLACE, FX_ROW("02", "6"), 1, NULL);
    assert_int_equal(count_at(db, 1), 2);
    db_release(db);
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    expect(STATUS_GENERATION_RETIRED, generation_pin(db, 1, &err));
    expect(STATUS_GENERATION_RETIRED, generation_pin(db, 2, &err));
    assert_int_equal(count_at(db, 3), 1);
    expect(STATUS_BAD_VALUE, generation_pin(db, 4, &err));
    db_release(db);
}

static void only_the_kept_generations_leave_rows_behind(void **state)
{
    struct fixture *f = *state;
    static const char *const rates[] = {"1", "2", "3", "4", "5"};
    char row[128];
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        (void)snprintf(row, sizeof row,
                       "EUR|KRW|2020-01-02|%s|false|test|false|2020-01-02T15:00:00Z", rates[i]);
        fx(f, PUBLISH_MERGE, row, 2, NULL);
    }
    assert_string_equal(query_text(f, "SELECT generation FROM publication ORDER BY generation"),
                        "4\n5");
    assert_string_equal(query_text(f, "SELECT rate FROM gen_fx_daily ORDER BY gen_from"), "4\n5");
    struct catalog *c = load_catalog(f);
    assert_int_equal(c->oldest_generation, 4);
    catalog_unref(c);
}

static void an_empty_store_can_be_read_at_generation_zero(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    ok(db_acquire(f->pool, DB_READ, NULL, &db, &err));
    assert_int_equal(count_at(db, 0), 0);
    db_release(db);
}

/* One publish that is given up at the first status that is not OK; what went wrong is in *err. */
static enum status attempt(struct fixture *f, const char *mart, const char *columns,
                           const char *rows, int64_t *ret_bad_row, struct err *err)
{
    struct catalog *catalog = load_catalog(f);
    struct db *db = NULL;
    struct publish *publish = NULL;
    struct str names[32], fields[32], rest = str_of(columns), line;
    size_t n = 0;
    *ret_bad_row = 0;
    while (str_next_field(&rest, ',', &names[n]))
        n++;
    enum status s = db_acquire(f->pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK)
        s = publish_begin(db, catalog, &publish, err);
    if (s == STATUS_OK)
        s = publish_mart_begin(publish, str_of(mart), PUBLISH_MERGE, names, n, err);
    rest = str_of(rows);
    while (s == STATUS_OK && str_next_field(&rest, '\n', &line)) {
        for (size_t i = 0; i < n; i++) {
            (void)str_next_field(&line, '|', &fields[i]);
            if (str_eq(fields[i], STR("~")))
                fields[i] = STR_NONE;
        }
        s = publish_row(publish, fields, err);
    }
    if (s == STATUS_OK)
        s = publish_mart_end(publish, err);
    *ret_bad_row = publish == NULL ? 0 : publish_bad_row(publish);
    publish_abort(publish);
    db_release(db);
    catalog_unref(catalog);
    return s;
}

static void what_breaks_the_contract_is_refused_with_its_row_column_and_value(void **state)
{
    static const struct {
        const char *mart, *columns, *rows;
        enum status status;
        int64_t bad_row;
        const char *says; /* in the detail */
    } cases[] = {
        {FX, FX_COLUMNS,
         FX_ROW("02", "1") "EUR|KRW|2020-13-01|1|false|t|false|2020-01-02T00:00:00Z",
         STATUS_BAD_DATA, 2, "\"date\""},
        {FX, FX_COLUMNS, "EUR|KRW|2020-01-02|1e5|false|t|false|2020-01-02T00:00:00Z",
         STATUS_BAD_DATA, 1, "\"rate\""},
        {FX, FX_COLUMNS, "EUR|KRW|2020-01-02|~|false|t|false|2020-01-02T00:00:00Z", STATUS_BAD_DATA,
         1, "\"rate\""},
        {FX, FX_COLUMNS, "EUR|KRW|2020-01-02|1|yes|t|false|2020-01-02T00:00:00Z", STATUS_BAD_DATA,
         1, "\"is_cross\""},
        {FX, FX_COLUMNS, "EUR|KRW|2020-01-02|1|false|t|false|yesterday", STATUS_BAD_DATA, 1,
         "\"known_at\""},
        {FX, FX_COLUMNS, "EUR|KRW|2020-01-02|1|false|\xff|false|2020-01-02T00:00:00Z",
         STATUS_BAD_DATA, 1, "\"source\""},
        {FX, FX_COLUMNS,
         "EUR|KRW|2020-01-02|123456789012345678901234567890123456789|false|t|false|2020-01-02T00:00:00Z",
         STATUS_BAD_DATA, 1, "\"rate\""},
        {FX, FX_COLUMNS,
         FX_ROW("02", "1")
             FX_ROW("03", "1") "EUR|KRW|2020-01-02|2|false|t|false|2020-01-02T00:00:00Z",
         STATUS_BAD_DATA, 3, "repeats the key"},
        {FX, "base,quote,date", "EUR|KRW|2020-01-02", STATUS_BAD_DATA, 0, "\"rate\""},
        {FX, "base,quote,date,rat", "EUR|KRW|2020-01-02|1", STATUS_UNKNOWN_COLUMN, 0, "\"rat\""},
        {FX, "base,quote,date,base", "EUR|KRW|2020-01-02|1", STATUS_BAD_DATA, 0, "twice"},
        {"mart_instrument", "uid,n_rows", "a|1", STATUS_BAD_DATA, 0, "\"n_rows\""},
        {"mart_freshness", "dataset", "a", STATUS_BAD_DATA, 0, "publishing itself"},
        {"mart_fx_dayly", FX_COLUMNS, "", STATUS_UNKNOWN_MART, 0, "mart_fx_dayly"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        int64_t bad_row = 0;
        expect(cases[i].status,
               attempt(*state, cases[i].mart, cases[i].columns, cases[i].rows, &bad_row, &err));
        if (strstr(err.detail, cases[i].says) == NULL)
            fail_msg("case %zu: \"%s\" does not say %s", i, err.detail, cases[i].says);
        assert_int_equal(bad_row, cases[i].bad_row);
    }
    assert_string_equal(query_text(*state, "SELECT count(*) FROM gen_fx_daily"), "0");
    assert_string_equal(query_text(*state, "SELECT count(*) FROM publication"), "0");
}

static void decimals_of_38_digits_stay_exact(void **state)
{
    struct fixture *f = *state;
    fx(f, PUBLISH_MERGE,
       FX_ROW("02", "12345678901234567890123456789012345678")
           FX_ROW("03", "0.0000000000000000000000000000000000001")
               FX_ROW("06", "-99999999999999999999.999999999999999999"),
       1, NULL);
    assert_string_equal(
        query_text(f, "SELECT rate FROM mart_fx_daily ORDER BY date"),
        "12345678901234567890123456789012345678\n0.0000000000000000000000000000000000001\n"
        "-99999999999999999999.999999999999999999");
}

static void coverage_follows_prices(void **state)
{
    struct fixture *f = *state;
    static const char coverage[] =
        "SELECT uid, first_date, last_date, n_rows FROM mart_instrument ORDER BY uid";
    publish_text(f, "mart_instrument", PUBLISH_MERGE, INSTRUMENT_COLUMNS,
                 INSTRUMENT_ROW("stock:A", "Ay") INSTRUMENT_ROW("stock:B", "Bee"), 9, NULL);
    assert_string_equal(query_text(f, coverage), "stock:A|~|~|0\nstock:B|~|~|0");
    publish_text(f, "mart_price_daily", PUBLISH_MERGE, PRICE_COLUMNS,
                 PRICE_ROW("stock:A", "02", "1") PRICE_ROW("stock:A", "03", "2")
                     PRICE_ROW("stock:C", "02", "1"),
                 9, NULL);
    assert_string_equal(query_text(f, coverage), "stock:A|2020-01-02|2020-01-03|2\nstock:B|~|~|0");
    /* Only the one that changed got a new version. */
    assert_string_equal(
        query_text(f, "SELECT uid, gen_from FROM gen_instrument ORDER BY uid, gen_from"),
        "stock:A|1\nstock:A|2\nstock:B|1");
    publish_text(f, "mart_instrument", PUBLISH_MERGE, INSTRUMENT_COLUMNS,
                 INSTRUMENT_ROW("stock:A", "Renamed") INSTRUMENT_ROW("stock:C", "See"), 9, NULL);
    assert_string_equal(
        query_text(f, coverage),
        "stock:A|2020-01-02|2020-01-03|2\nstock:B|~|~|0\nstock:C|2020-01-02|2020-01-02|1");
    publish_text(f, "mart_price_daily", PUBLISH_REPLACE, PRICE_COLUMNS,
                 PRICE_ROW("stock:A", "03", "2"), 9, NULL);
    assert_string_equal(query_text(f, coverage),
                        "stock:A|2020-01-03|2020-01-03|1\nstock:B|~|~|0\nstock:C|~|~|0");
    publish_text(f, "mart_instrument", PUBLISH_REPLACE, INSTRUMENT_COLUMNS,
                 INSTRUMENT_ROW("stock:A", "Renamed"), 9, NULL);
    assert_string_equal(query_text(f, coverage), "stock:A|2020-01-03|2020-01-03|1");
}

static unsigned draw(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % below;
}

/* Prices that come, change and go, of instruments that come, go and come back: the coverage is what counting finds. */
static void coverage_is_what_counting_finds_after_any_publishes(void **state)
{
    struct fixture *f = *state;
    static const char kept[] =
        "SELECT uid, first_date, last_date, n_rows FROM mart_instrument ORDER BY uid";
    static const char counted[] =
        "SELECT i.uid, min(p.date), max(p.date), count(p.date) FROM mart_instrument i "
        "LEFT JOIN mart_price_daily p ON p.uid = i.uid GROUP BY i.uid ORDER BY i.uid";
    unsigned seed = 5;
    for (size_t round = 0; round < 120; round++) {
        char rows[4096], wanted[1024];
        size_t len = 0;
        bool is_prices = draw(&seed, 3) > 0, is_taken;
        for (unsigned uid = 0; uid < 4; uid++) {
            for (unsigned day = 1; day < (is_prices ? 8u : 2u); day++) {
                is_taken = draw(&seed, 3) == 0 && len + 100 < sizeof rows;
                if (is_taken && is_prices)
                    len += (size_t)snprintf(
                        rows + len, sizeof rows - len,
                        "stock:%c|2020-01-0%u|%u|USD|test|0|2020-01-0%uT21:00:00Z\n", 'A' + uid,
                        day, draw(&seed, 2) + 1, day);
                else if (is_taken)
                    len += (size_t)snprintf(rows + len, sizeof rows - len,
                                            "stock:%c|stock|S|%u|USD|test|price|raw|true|false\n",
                                            'A' + uid, draw(&seed, 3));
            }
        }
        if (len == 0)
            continue;
        publish_text(f, is_prices ? "mart_price_daily" : "mart_instrument",
                     draw(&seed, 5) == 0 ? PUBLISH_REPLACE : PUBLISH_MERGE,
                     is_prices ? PRICE_COLUMNS : INSTRUMENT_COLUMNS, rows, 3, NULL);
        (void)snprintf(wanted, sizeof wanted, "%s", query_text(f, counted));
        assert_string_equal(query_text(f, kept), wanted);
    }
}

static void freshness_speaks_of_every_changed_mart(void **state)
{
    struct fixture *f = *state;
    publish_text(f, "mart_instrument", PUBLISH_MERGE, INSTRUMENT_COLUMNS,
                 INSTRUMENT_ROW("stock:A", "Ay"), 9, NULL);
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1"), 9, NULL);
    assert_string_equal(
        query_text(
            f, "SELECT dataset, last_date, n_rows, status FROM mart_freshness ORDER BY dataset"),
        "mart_fx_daily|2020-01-02|1|ok\nmart_instrument|~|1|ok");
    assert_string_equal(
        query_text(f, "SELECT mart, generation, n_rows FROM mart_generation ORDER BY mart"),
        "mart_freshness|2|2\nmart_fx_daily|2|1\nmart_instrument|1|1");
}

static void several_marts_change_in_one_generation(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct publish *publish = NULL;
    struct publish_result r;
    struct catalog *catalog = load_catalog(f);
    struct str fx_names[] = {STR("base"),     STR("quote"),  STR("date"),      STR("rate"),
                             STR("is_cross"), STR("source"), STR("is_filled"), STR("known_at")};
    struct str fx_row[] = {
        STR("EUR"),   STR("USD"), STR("2020-01-02"), STR("1.1"),
        STR("false"), STR("t"),   STR("true"),       STR("2020-01-02T15:00:00Z")};
    struct str price_names[] = {STR("uid"),    STR("date"),    STR("currency"),
                                STR("source"), STR("quality"), STR("known_at")};
    struct str price_row[] = {STR("stock:A"), STR("2020-01-02"), STR("USD"),
                              STR("t"),       STR("0"),          STR("2020-01-02T15:00:00Z")};
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(publish_begin(db, catalog, &publish, &err));
    ok(publish_mart_begin(publish, STR(FX), PUBLISH_MERGE, fx_names, 8, &err));
    ok(publish_row(publish, fx_row, &err));
    ok(publish_mart_end(publish, &err));
    expect(STATUS_BAD_DATA, publish_mart_begin(publish, STR(FX), PUBLISH_MERGE, fx_names, 8, &err));
    publish_abort(publish);
    ok(publish_begin(db, catalog, &publish, &err));
    ok(publish_mart_begin(publish, STR(FX), PUBLISH_MERGE, fx_names, 8, &err));
    ok(publish_row(publish, fx_row, &err));
    ok(publish_mart_end(publish, &err));
    ok(publish_mart_begin(publish, STR("mart_price_daily"), PUBLISH_MERGE, price_names, 6, &err));
    ok(publish_row(publish, price_row, &err));
    ok(publish_mart_end(publish, &err));
    ok(publish_commit(publish, 2, &r, &err));
    assert_int_equal(r.generation, 1);
    assert_int_equal(r.inserted, 2);
    db_release(db);
    catalog_unref(catalog);
}

static void an_abandoned_publish_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    struct db *db = NULL;
    struct publish *publish = NULL;
    struct catalog *catalog = load_catalog(f);
    struct str names[] = {STR("dataset")};
    ok(db_acquire(f->pool, DB_WRITE, NULL, &db, &err));
    ok(publish_begin(db, catalog, &publish, &err));
    expect(STATUS_BAD_DATA,
           publish_mart_begin(publish, STR("mart_freshness"), PUBLISH_MERGE, names, 1, &err));
    publish_abort(publish);
    db_release(db);
    catalog_unref(catalog);
    publish_abort(NULL);
    fx(f, PUBLISH_MERGE, FX_ROW("02", "1"), 1, NULL); /* the lock is free again */
    assert_string_equal(query_text(f, "SELECT count(*) FROM publication"), "1");
}

enum { SERIES_ROWS = 60, ROUNDS = 12 };

/* Every row of one generation holds the same rate. */
static void publish_round(struct fixture *f, int round)
{
    struct buf rows;
    buf_init(&rows, &f->arena, 1 << 20);
    for (int i = 0; i < SERIES_ROWS + round % 3; i++)
        buf_printf(&rows, "C%02d|KRW|2020-01-02|%d|false|test|false|2020-01-02T15:00:00Z\n", i,
                   round);
    fx(f, PUBLISH_REPLACE, buf_c_str(&rows), 3, NULL);
}

struct watcher {
    struct fixture *f;
    atomic_bool *is_over;
    int n_reads, n_torn, n_failed;
};

static bool read_pair(struct db *db, int64_t generation, int64_t *ret_low, int64_t *ret_high,
                      int64_t *ret_count)
{
    struct rows rows = {0};
    bool found = false;
    if (db_query_one(
            db,
            "SELECT min(CAST(rate AS BIGINT)), count(*) FROM gen_fx_daily WHERE gen_from <= $1 AND gen_to > $1",
            PARAMS(db_i64(generation)), &rows, &found, NULL) != STATUS_OK)
        return false;
    *ret_low = rows_i64(&rows, 0);
    *ret_count = rows_i64(&rows, 1);
    rows_clear(&rows);
    if (db_query_one(
            db,
            "SELECT max(CAST(rate AS BIGINT)), count(*) FROM gen_fx_daily WHERE gen_from <= $1 AND gen_to > $1",
            PARAMS(db_i64(generation)), &rows, &found, NULL) != STATUS_OK)
        return false;
    *ret_high = rows_i64(&rows, 0);
    if (rows_i64(&rows, 1) != *ret_count)
        *ret_count = -1;
    rows_clear(&rows);
    return true;
}

static void *watch(void *arg)
{
    struct watcher *w = arg;
    while (!atomic_load(w->is_over)) {
        struct db *db = NULL;
        int64_t oldest = 0, newest = 0, low = 0, high = 0, count = 0;
        enum status s = db_acquire(w->f->pool, DB_READ, NULL, &db, NULL);
        if (s == STATUS_OK)
            s = generation_range(db, &oldest, &newest, NULL);
        if (s == STATUS_OK)
            s = generation_pin(db, newest, NULL);
        if (s == STATUS_OK && !read_pair(db, newest, &low, &high, &count))
            s = STATUS_DB_ERROR;
        db_release(db);
        if (s == STATUS_GENERATION_RETIRED)
            continue;
        w->n_failed += s != STATUS_OK;
        w->n_torn += low != high || low != newest || count != SERIES_ROWS + newest % 3;
        w->n_reads++;
    }
    return NULL;
}

static void readers_see_all_of_a_publish_or_nothing(void **state)
{
    struct fixture *f = *state;
    atomic_bool is_over = false;
    struct watcher watchers[3];
    pthread_t threads[3];
    publish_round(f, 1);
    for (size_t i = 0; i < 3; i++) {
        watchers[i] = (struct watcher){.f = f, .is_over = &is_over};
        assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
    }
    for (int round = 2; round <= ROUNDS; round++)
        publish_round(f, round);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(watchers[i].n_torn, 0);
        assert_int_equal(watchers[i].n_failed, 0);
        assert_true(watchers[i].n_reads > 0);
    }
}

static void *publish_own_day(void *arg)
{
    struct watcher *w = arg;
    char row[128];
    (void)snprintf(row, sizeof row, "EUR|KRW|2020-01-%02d|1|false|test|false|2020-01-02T15:00:00Z",
                   w->n_reads);
    struct catalog *catalog = load_catalog(w->f);
    struct db *db = NULL;
    struct publish *publish = NULL;
    struct publish_result r = {0};
    struct str names[8], fields[8], columns = str_of(FX_COLUMNS), values = str_of(row);
    for (size_t i = 0; i < 8; i++) {
        (void)str_next_field(&columns, ',', &names[i]);
        (void)str_next_field(&values, '|', &fields[i]);
    }
    enum status s = db_acquire(w->f->pool, DB_WRITE, NULL, &db, NULL);
    if (s == STATUS_OK)
        s = publish_begin(db, catalog, &publish, NULL);
    if (s == STATUS_OK)
        s = publish_mart_begin(publish, STR(FX), PUBLISH_MERGE, names, 8, NULL);
    if (s == STATUS_OK)
        s = publish_row(publish, fields, NULL);
    if (s == STATUS_OK)
        s = publish_mart_end(publish, NULL);
    if (s == STATUS_OK)
        s = publish_commit(publish, 100, &r, NULL);
    else
        publish_abort(publish);
    w->n_failed = s != STATUS_OK;
    db_release(db);
    catalog_unref(catalog);
    return NULL;
}

static void publishers_take_turns(void **state)
{
    struct fixture *f = *state;
    struct watcher writers[6];
    pthread_t threads[6];
    for (size_t i = 0; i < 6; i++) {
        writers[i] = (struct watcher){.f = f, .n_reads = (int)i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, publish_own_day, &writers[i]), 0);
    }
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(writers[i].n_failed, 0);
    }
    assert_string_equal(query_text(f, "SELECT count(*), max(generation) FROM publication"), "6|6");
    assert_string_equal(query_text(f, "SELECT count(*) FROM mart_fx_daily"), "6");
}

/* Rows of the mart that were read without looking for their keys: by this transaction, and perhaps by some before it. */
static int64_t rows_scanned(struct db *db)
{
    struct err err = {0};
    struct rows rows = {0};
    bool found = false;
    ok(db_query_one(db,
                    "SELECT seq_tup_read FROM pg_stat_xact_user_tables "
                    "WHERE relname = 'gen_fx_daily'",
                    NO_PARAMS, &rows, &found, &err));
    int64_t n = rows_i64(&rows, 0);
    rows_clear(&rows);
    return n;
}

/* Publishes "SELECT FX_COLUMNS FROM what" of another connection. */
static enum status pull(struct fixture *f, const char *what, struct publish_result *ret,
                        int64_t *ret_scanned, struct err *err)
{
    struct db *to = NULL, *from = NULL;
    struct publish *publish = NULL;
    struct catalog *catalog = load_catalog(f);
    struct str names[8], columns = STR(FX_COLUMNS);
    int64_t before = 0;
    for (size_t i = 0; i < 8; i++)
        (void)str_next_field(&columns, ',', &names[i]);
    enum status s = db_acquire(f->pool, DB_WRITE, NULL, &to, err);
    if (s == STATUS_OK)
        s = db_acquire(f->pool, DB_READ, NULL, &from, err);
    if (s == STATUS_OK)
        s = publish_begin(to, catalog, &publish, err);
    if (s == STATUS_OK) {
        assert_true(publish_can_pull(publish, from));
        before = ret_scanned == NULL ? 0 : rows_scanned(to);
        s = publish_mart_pull(publish, STR(FX), names, 8, from, what, err);
    }
    if (s == STATUS_OK && ret_scanned != NULL)
        *ret_scanned = rows_scanned(to) - before;
    if (s == STATUS_OK)
        s = publish_commit(publish, 5, ret, err);
    else
        publish_abort(publish);
    db_release(from);
    db_release(to);
    catalog_unref(catalog);
    return s;
}

#define PULLED_ROW(day, rate)                                             \
    "('EUR', 'KRW', '2020-01-" day "', " rate ", FALSE, 'test', FALSE, '" \
    "2020-01-" day "T15:00:00Z')"
#define PULLED(rows) "(VALUES " rows ") AS v (" FX_COLUMNS ")"

static void rows_pass_from_one_server_to_another_unread(void **state)
{
    struct fixture *f = *state;
    struct publish_result r = {0};
    struct err err = {0};
    if (f->kind != DB_POSTGRESQL)
        skip();
    ok(pull(f, PULLED(PULLED_ROW("02", "1300.5") ", " PULLED_ROW("03", "12")), &r, NULL, &err));
    assert_int_equal(r.inserted, 2);
    ok(pull(f, PULLED(PULLED_ROW("03", "12") ", " PULLED_ROW("06", "13")), &r, NULL, &err));
    assert_int_equal(r.staged, 2);
    assert_int_equal(r.inserted, 1);
    assert_int_equal(r.updated, 0);
    const char *all = query_text(f, "SELECT date, rate, gen_from FROM gen_fx_daily ORDER BY date");
    assert_string_equal(all, "2020-01-02|1300.5|1\n2020-01-03|12|1\n2020-01-06|13|2");
    ok(pull(f, PULLED(PULLED_ROW("06", "13")), &r, NULL, &err));
    assert_false(r.is_changed);
    expect(STATUS_BAD_DATA,
           pull(f, PULLED(PULLED_ROW("07", "1") ", " PULLED_ROW("07", "2")), &r, NULL, &err));
    assert_non_null(strstr(err.detail, "repeats the key"));
    assert_int_not_equal(pull(f, "no_such_mart", &r, NULL, &err), STATUS_OK);
    assert_int_not_equal(
        pull(f, PULLED(PULLED_ROW("08", "1/(length(now()::text) - length(now()::text))")), &r, NULL,
             &err),
        STATUS_OK);
    assert_string_equal(
        query_text(f, "SELECT date, rate, gen_from FROM gen_fx_daily ORDER BY date"), all);
}

/* A rate a day from a day on, n of them. */
static void pull_days(struct fixture *f, int first, int n, const char *rate, int64_t *ret_scanned)
{
    struct publish_result r = {0};
    struct err err = {0};
    char what[512];
    (void)snprintf(
        what, sizeof what,
        "(SELECT 'EUR' AS base, 'KRW' AS quote, DATE '2010-01-01' + n AS date, %s AS rate, "
        "FALSE AS is_cross, 'test' AS source, FALSE AS is_filled, '2030-01-01T00:00:00Z' AS known_at "
        "FROM generate_series(%d, %d) n) v",
        rate, first, first + n - 1);
    ok(pull(f, what, &r, ret_scanned, &err));
    assert_true(r.is_changed);
}

static void a_few_rows_cost_the_same_beside_any_number_of_others(void **state)
{
    struct fixture *f = *state;
    enum { MANY = 4000, FEW = 100 };
    int64_t scanned = 0;
    if (f->kind != DB_POSTGRESQL)
        skip();
    pull_days(f, 0, MANY, "1300", NULL);
    run_sql(f, "ANALYZE gen_fx_daily");
    pull_days(f, MANY - FEW, FEW, "1301", &scanned);
    assert_in_range(scanned, 0, FEW);
    /* Nor do they keep the planner from reading a mart of which a good part is new. */
    pull_days(f, 0, MANY, "1302", &scanned);
    assert_true(scanned >= MANY);
    assert_string_equal(query_text(f, "SELECT count(*), min(rate), max(rate) FROM mart_fx_daily"),
                        "4000|1302|1302");
}

/* Of gen_fx_daily, those of keys included. */
static const char fx_indexes[] =
    "SELECT indexname FROM pg_indexes WHERE tablename = 'gen_fx_daily' ORDER BY indexname";

static void indexes_come_with_the_first_rows_and_no_reader_waits(void **state)
{
    struct fixture *f = *state;
    struct publish_result r = {0};
    struct err err = {0};
    struct db *reader = NULL;
    struct rows rows = {0};
    bool found = false;
    if (f->kind != DB_POSTGRESQL)
        skip();
    assert_string_equal(query_text(f, fx_indexes), "gen_fx_daily_pkey");
    /* A publish that wanted the mart to itself would wait for this one for ever. */
    ok(db_acquire(f->pool, DB_READ, NULL, &reader, &err));
    ok(db_begin(reader, &err));
    ok(db_query_one(reader, "SELECT 1 FROM gen_fx_daily", NO_PARAMS, &rows, &found, &err));
    assert_false(found);
    ok(pull(f, PULLED(PULLED_ROW("02", "1300.5")), &r, NULL, &err));
    rows_clear(&rows);
    ok(db_commit(reader, &err));
    db_release(reader);
    const char *all =
        "gen_fx_daily_closed\ngen_fx_daily_date\ngen_fx_daily_pkey\ngen_fx_daily_quote";
    assert_string_equal(query_text(f, fx_indexes), all);
    ok(pull(f, PULLED(PULLED_ROW("03", "12")), &r, NULL, &err));
    assert_string_equal(query_text(f, fx_indexes), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_publish_makes_generation_one),
        TEST(the_same_data_again_changes_nothing),
        TEST(a_change_closes_the_old_version_and_opens_a_new_one),
        TEST(merging_keeps_and_replacing_deletes_what_is_not_staged),
        TEST(what_is_staged_as_a_whole_loses_its_other_rows),
        TEST(a_deleted_row_may_come_back),
        TEST(a_pinned_generation_stays_whole_while_it_is_retired),
        TEST(only_the_kept_generations_leave_rows_behind),
        TEST(an_empty_store_can_be_read_at_generation_zero),
        TEST(what_breaks_the_contract_is_refused_with_its_row_column_and_value),
        TEST(decimals_of_38_digits_stay_exact),
        TEST(coverage_follows_prices),
        TEST(coverage_is_what_counting_finds_after_any_publishes),
        TEST(freshness_speaks_of_every_changed_mart),
        TEST(several_marts_change_in_one_generation),
        TEST(an_abandoned_publish_leaves_nothing),
        TEST(readers_see_all_of_a_publish_or_nothing),
        TEST(publishers_take_turns),
        TEST(rows_pass_from_one_server_to_another_unread),
        TEST(indexes_come_with_the_first_rows_and_no_reader_waits),
        TEST(a_few_rows_cost_the_same_beside_any_number_of_others),
    };
    return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
