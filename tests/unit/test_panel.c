/* test_panel.c - alignment, staleness, coverage and currencies of the panel. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/align.h"

static void row_is_the_last_one_dated_and_known_in_time(void **state)
{
    static const int32_t date[] = {10, 20, 30};
    static const int64_t known[] = {100, 900, 300};
    struct dated rows = {3, date, known};
    (void)state;
    assert_int_equal(align_row_at(rows, 9, 1000), ALIGN_NO_ROW);
    assert_int_equal(align_row_at(rows, 10, 99), ALIGN_NO_ROW);
    assert_int_equal(align_row_at(rows, 10, 100), 0);
    assert_int_equal(align_row_at(rows, 25, 500), 0);
    assert_int_equal(align_row_at(rows, 25, 900), 1);
    assert_int_equal(align_row_at(rows, 35, 500), 2);
    static const int32_t days[] = {5, 10, 25, 35};
    static const int64_t at[] = {1000, 1000, 500, 500};
    uint32_t row[4];
    align_rows(rows, (struct dated){4, days, at}, row);
    assert_int_equal(row[0], ALIGN_NO_ROW);
    assert_int_equal(row[1], 0);
    assert_int_equal(row[2], 0);
    assert_int_equal(row[3], 2);
}

static void clock_is_the_union_of_the_held_assets_days(void **state)
{
    static const int32_t a[] = {100, 101, 103, 110}, b[] = {100, 102, 103, 110};
    static const int32_t c[] = {100, 104, 105, 110};
    static const double one[] = {1, 1, 1, 1};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", a, one, 4);
    world_add(&w, "x:B", "USD", b, one, 4);
    world_add(&w, "x:C", "USD", c, one, 4);
    struct panel *p = world_panel(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5},{\"uid\":"
        "\"x:C\",\"weight\":0}],\"benchmark\":\"x:C\",\"universe\":[\"x:C\",\"x:A\"]}");
    static const int32_t expected[] = {100, 101, 102, 103, 110};
    assert_int_equal(p->n_sessions, 5);
    assert_memory_equal(p->clock, expected, sizeof expected);
    assert_int_equal(p->n_held, 2);
    assert_int_equal(p->n_assets, 3);
    assert_int_equal(p->universe[0], 2);
    assert_int_equal(p->universe[1], 0);
    assert_int_equal(p->assets[0].stale_sessions, 1);
    assert_true(p->state[panel_cell(p, 0, 1)] & PANEL_TRADABLE);
    assert_false(p->state[panel_cell(p, 0, 2)] & PANEL_TRADABLE);
    world_clear(&w);
}

/* A market that closes after the others of the day may not be looked at before it has closed. */
static void price_not_yet_known_at_the_session_is_not_used(void **state)
{
    static const int32_t date[] = {100, 101, 102};
    static const double a[] = {10, 11, 12}, b[] = {20, 21, 22};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:KR", "USD", date, a, 3);
    struct price_series *late = world_add(&w, "x:US", "USD", date, b, 3);
    int64_t *known = arena_array(&w.arena, 3, sizeof *known);
    for (size_t i = 0; i < 3; i++)
        known[i] = (int64_t)(date[i] + 1) * 86400;
    late->known_at = known;
    struct panel *p = world_panel(&w, "{\"assets\":[{\"uid\":\"x:KR\"}],\"start\":\"1970-04-12\","
                                      "\"universe\":[\"x:KR\"],\"benchmark\":\"x:US\"}");
    assert_int_equal(p->clock[0], 101);
    assert_true(p->benchmark[0] == 20);
    assert_true(p->benchmark[1] == 21);
    world_clear(&w);
}

/* Ten sessions of a market, and one that is known a day later under the same dates. */
static struct panel *early_and_late(struct world *w, const char *body)
{
    static int32_t date[10];
    static double a[10], b[10];
    for (size_t i = 0; i < 10; i++) {
        date[i] = 1000 + (int32_t)i;
        a[i] = 10 + (double)i;
        b[i] = 20 + (double)i;
    }
    world_init(w);
    world_add(w, "x:KR", "USD", date, a, 10);
    struct price_series *late = world_add(w, "x:US", "USD", date, b, 10);
    int64_t *known = arena_array(&w->arena, 10, sizeof *known);
    assert_non_null(known);
    for (size_t i = 0; i < 10; i++)
        known[i] = (int64_t)(date[i] + 1) * 86400;
    late->known_at = known;
    return world_panel(w, body);
}

static void benchmark_that_closes_later_stays_fresh(void **state)
{
    struct world w;
    (void)state;
    struct panel *p = early_and_late(
        &w, "{\"assets\":[{\"uid\":\"x:KR\"}],\"benchmark\":\"x:US\",\"max_stale\":2}");
    assert_true(isnan(p->benchmark[0])); /* nothing was known yet */
    for (size_t t = 1; t < 10; t++)
        assert_true(p->benchmark[t] == 19 + (double)t);
    world_clear(&w);
}

static void universe_asset_that_nobody_could_buy_is_left_out(void **state)
{
    struct world w;
    (void)state;
    struct panel *p =
        early_and_late(&w, "{\"assets\":[{\"uid\":\"x:KR\"}],\"start\":\"1972-09-28\","
                           "\"universe\":[\"x:KR\",\"x:US\"]}");
    assert_int_equal(p->n_universe, 1);
    assert_int_equal(p->n_excluded, 1);
    assert_true(str_eq_c(p->excluded[0], "x:US"));
    world_clear(&w);
}

static void rates_cross_through_the_euro(void **state)
{
    static const int32_t date[] = {100, 101, 112};
    static const double price[] = {1000, 1100, 1200}, eurkrw[] = {1300, 1320},
                        eurusd[] = {1.3, 1.1};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:KR", "KRW", date, price, 3);
    world_add_fx(&w, "KRW", date, eurkrw, 2);
    world_add_fx(&w, "USD", date, eurusd, 2);
    struct panel *p = world_panel(&w, "{\"assets\":[{\"uid\":\"x:KR\"}]}");
    assert_close(p->price[0], 1000 * (1.3 / 1300), 1e-15);
    assert_close(p->price[1], 1100 * (1.1 / 1320), 1e-15);
    assert_close(panel_fx_rate(p, 0, 2), 1.1 / 1320, 1e-15);
    assert_close(panel_local_price(p, 0, 2), 1200, 0);
    assert_int_equal(p->fx.stale_sessions, 2); /* both legs, 11 days old */
    p = world_panel(&w, "{\"assets\":[{\"uid\":\"x:KR\"}],\"currency\":\"EUR\"}");
    assert_close(p->price[1], 1100 * (1.0 / 1320), 1e-15);
    p = world_panel(&w, "{\"assets\":[{\"uid\":\"x:KR\"}],\"currency\":\"KRW\"}");
    assert_close(p->price[1], 1100, 0);
    assert_false(p->fx.uses_fx);
    world_clear(&w);
}

static void missing_rates_are_refused(void **state)
{
    static const int32_t date[] = {100, 101, 102};
    static const double price[] = {1, 1, 1};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    world_add(&w, "x:KR", "KRW", date, price, 3);
    assert_int_equal(world_fails(&w, "{\"assets\":[{\"uid\":\"x:KR\"}]}", &err),
                     STATUS_OUTSIDE_COVERAGE);
    assert_non_null(strstr(err.detail, "x:KR"));
    world_clear(&w);
}

static void window_outside_the_data_names_the_asset_and_its_coverage(void **state)
{
    static const double price[] = {1, 1, 1};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", day(2020, 1, 1), price, 3);
    assert_int_equal(
        world_fails(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"start\":\"2019-12-31\"}", &err),
        STATUS_OUTSIDE_COVERAGE);
    assert_string_equal(err.name, "/start");
    assert_non_null(strstr(err.allowed, "2020-01-01 to 2020-01-03"));
    assert_int_equal(
        world_fails(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"end\":\"2020-01-04\"}", &err),
        STATUS_OUTSIDE_COVERAGE);
    assert_string_equal(err.name, "/end");
    assert_int_equal(
        world_fails(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"end\":\"2020-01-01\"}", &err),
        STATUS_NO_DATA);
    assert_int_equal(world_fails(&w, "{\"assets\":[{\"uid\":\"x:Z\"}]}", &err),
                     STATUS_UNKNOWN_ASSET);
    world_clear(&w);
}

static void assets_without_common_days_are_refused(void **state)
{
    static const double price[] = {1, 1, 1};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 100, price, 3);
    world_add_days(&w, "x:B", 200, price, 3);
    assert_int_equal(world_fails(&w, "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}]}", &err),
                     STATUS_OUTSIDE_COVERAGE);
    assert_non_null(strstr(err.detail, "no common dates"));
    world_clear(&w);
}

static void open_dates_become_the_common_coverage(void **state)
{
    static const double price[] = {1, 1, 1, 1, 1};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 100, price, 5);
    world_add_days(&w, "x:B", 102, price, 5);
    struct spec *spec = world_spec(&w, "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}]}");
    assert_int_equal(spec_resolve_dates(spec, &w.market, &err), STATUS_OK);
    assert_int_equal(spec->start, 102);
    assert_int_equal(spec->end, 104);
    world_clear(&w);
}

static void broken_series_are_named_with_the_day(void **state)
{
    static const int32_t unsorted[] = {100, 102, 101}, sorted[] = {100, 101, 102};
    static const double good[] = {1, 1, 1};
    double bad[] = {1, 0, 1};
    struct err err = {0};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct world w;
        world_init(&w);
        bad[1] = i == 1 ? 0 : i == 2 ? (double)NAN : -3;
        world_add(&w, "x:A", "USD", i == 0 ? unsorted : sorted, i == 0 ? good : bad, 3);
        assert_int_equal(world_fails(&w, "{\"assets\":[{\"uid\":\"x:A\"}]}", &err),
                         STATUS_BAD_DATA);
        assert_non_null(strstr(err.detail, "x:A"));
        assert_non_null(strstr(err.detail, "1970-04-12"));
        world_clear(&w);
    }
}

static void universe_assets_that_do_not_cover_the_window_are_left_out_by_name(void **state)
{
    static const double price[] = {1, 2, 3, 4, 5};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 100, price, 5);
    world_add_days(&w, "x:LATE", 102, price, 5);
    world_add_days(&w, "x:SHORT", 98, price, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"universe\":[\"x:LATE\",\"x:A\",\"x:SHORT\"]}");
    assert_int_equal(r->panel->n_universe, 1);
    assert_int_equal(r->panel->n_excluded, 2);
    assert_true(has_warning(r, "universe_excluded"));
    assert_int_equal(r->warnings[r->n_warnings - 1].n_uids, 2);
    world_clear(&w);
}

static void benchmark_that_ends_early_is_compared_until_then(void **state)
{
    static const double price[] = {10, 11, 12, 11, 12, 13, 14, 15, 16, 17, 18, 19};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 100, price, 12);
    world_add_days(&w, "x:B", 100, price, 5);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"benchmark\":\"x:B\",\"max_stale\":2,\"fill\":"
            "\"same_close\"}");
    assert_true(has_warning(r, "benchmark_ends_early"));
    assert_true(isfinite(r->benchmark[6]) && isnan(r->benchmark[7]));
    assert_int_equal(r->measures[MEASURE_beta].n, 6);
    assert_int_equal(r->measures[MEASURE_volatility].n, 11);
    assert_int_equal(r->benchmark_measures[MEASURE_volatility].n, 6);
    world_clear(&w);
}

/* Wherever it stands, a row that cannot be used is named by its date. */
static void unusable_row_is_named_by_its_date(void **state)
{
    enum { N = 200 };
    static const double bad[] = {0, -1, (double)NAN, (double)INFINITY};
    static double price[N];
    static int32_t date[N];
    (void)state;
    for (size_t at = 0; at < N; at++) {
        for (size_t k = 0; k <= ARRAY_LEN(bad); k++) {
            char text[DATE_TEXT_BYTES];
            struct err err = {0};
            if (k == ARRAY_LEN(bad) && at == 0)
                continue; /* the first row follows none */
            for (size_t i = 0; i < N; i++) {
                price[i] = i == at && k < ARRAY_LEN(bad) ? bad[k] : 10;
                date[i] = 18000 + (int32_t)i - (i == at && k == ARRAY_LEN(bad) ? 1 : 0);
            }
            struct price_series s = {.uid = STR("x:A"),
                                     .currency = "USD",
                                     .n = N,
                                     .date = date,
                                     .price = price,
                                     .delisted_on = DATE_NONE};
            assert_int_equal(market_check_series(&s, PRICES_ADJUSTED, &err), STATUS_BAD_DATA);
            date_format(date[at], text);
            assert_non_null(strstr(err.detail, text));
            assert_non_null(strstr(err.detail, k < ARRAY_LEN(bad) ? "positive" : "sorted"));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_is_the_last_one_dated_and_known_in_time),
        cmocka_unit_test(clock_is_the_union_of_the_held_assets_days),
        cmocka_unit_test(price_not_yet_known_at_the_session_is_not_used),
        cmocka_unit_test(benchmark_that_closes_later_stays_fresh),
        cmocka_unit_test(universe_asset_that_nobody_could_buy_is_left_out),
        cmocka_unit_test(unusable_row_is_named_by_its_date),
        cmocka_unit_test(rates_cross_through_the_euro),
        cmocka_unit_test(missing_rates_are_refused),
        cmocka_unit_test(window_outside_the_data_names_the_asset_and_its_coverage),
        cmocka_unit_test(assets_without_common_days_are_refused),
        cmocka_unit_test(open_dates_become_the_common_coverage),
        cmocka_unit_test(broken_series_are_named_with_the_day),
        cmocka_unit_test(universe_assets_that_do_not_cover_the_window_are_left_out_by_name),
        cmocka_unit_test(benchmark_that_ends_early_is_compared_until_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
