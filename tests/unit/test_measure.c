/* test_measure.c - the table of metrics: formulas known in closed form, undefined results, names of libraries. */
#include "backtest/elementary.h"
#include "backtest/record.h"
#include "backtest/stats.h"
#include "base/date.h"
#include "base/number.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct record record_of(const double *returns, size_t n)
{
    return (struct record){.n = n,
                           .start = DATE_NONE,
                           .value = returns,
                           .kind = RECORD_RETURNS,
                           .periods_per_year = 252};
}

static void measure(const struct record *record, struct measure_value *values)
{
    struct record_ready ready;
    struct err err = {0};
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &arena, values, &err), STATUS_OK);
}

static void assert_same_row(enum measure_id id, const struct measure_value *few,
                            const struct measure_value *all)
{
    if (!number_is_same(few[id].value, all[id].value) || few[id].n != all[id].n ||
        few[id].reason != all[id].reason)
        fail_msg("%s: %.17g (%d) is not %.17g (%d)", measure_infos[id].name, few[id].value,
                 (int)few[id].reason, all[id].value, (int)all[id].reason);
}

/* Only what is wanted, and of that what the whole table has: value, count and reason. */
static void assert_selects(const struct measure_input *input, const struct measure_set *wanted,
                           const struct measure_value *all)
{
    struct measure_value few[MEASURE_ALL_COUNT];
    struct measure_input in = *input;
    struct err err = {0};
    in.wanted = wanted;
    assert_int_equal(measure_compute(&in, &arena, few, &err), STATUS_OK);
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        if (wanted->has[i])
            assert_same_row((enum measure_id)i, few, all);
        else
            assert_int_equal(few[i].reason, REASON_NOT_APPLICABLE);
    }
}

/* Each row alone, the headlines together, and none: no row reads what its step does not say it needs. */
static void selections_are_rows_of_the_whole(const struct record *record,
                                             const struct measure_value *all)
{
    struct record_ready ready;
    struct err err = {0};
    const struct measure_set headlines = measure_set_of(measure_headlines, MEASURE_HEADLINE_COUNT),
                             none = measure_set_of(NULL, 0);
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    assert_selects(&ready.input, &headlines, all);
    assert_selects(&ready.input, &none, all);
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        const enum measure_id id = (enum measure_id)i;
        const struct measure_set one = measure_set_of(&id, 1);
        assert_selects(&ready.input, &one, all);
    }
}

/* Table b9 of the specification: what libraries answer with 8.7e16, infinities or a silent 0. */
static void equal_returns_have_no_ratio_by_their_deviation(void **state)
{
    static const enum measure_id ratios[] = {MEASURE_sharpe,           MEASURE_psr,
                                             MEASURE_smart_sharpe,     MEASURE_skewness,
                                             MEASURE_system_quality,   MEASURE_hurst,
                                             MEASURE_kelly_continuous, MEASURE_autocorrelation_1,
                                             MEASURE_risk_of_ruin,     MEASURE_serenity};
    double x[10];
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    for (size_t i = 0; i < 10; i++)
        x[i] = 0.01;
    struct record record = record_of(x, 10);
    measure(&record, values);
    for (size_t i = 0; i < ARRAY_LEN(ratios); i++)
        assert_int_equal(values[ratios[i]].reason, REASON_ZERO_VARIANCE);
    assert_int_equal(values[MEASURE_calmar].reason, REASON_NO_DRAWDOWN);
    assert_int_equal(values[MEASURE_sortino].reason, REASON_NO_DOWNSIDE);
    assert_int_equal(values[MEASURE_profit_factor].reason, REASON_NO_LOSSES);
    assert_int_equal(values[MEASURE_max_drawdown_days].reason, REASON_NO_DATES);
    assert_true(values[MEASURE_volatility].value == 0);
}

static void returns_of_zero_and_a_single_return_say_why(void **state)
{
    double zero[6] = {0}, one[1] = {0.01};
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(zero, 6);
    measure(&record, values);
    assert_int_equal(values[MEASURE_sharpe].reason, REASON_NO_VARIATION);
    assert_int_equal(values[MEASURE_win_rate].reason, REASON_NO_NONZERO);
    assert_true(values[MEASURE_var_95].value == 0);
    record = record_of(one, 1);
    measure(&record, values);
    assert_near(values[MEASURE_cagr].value, 11.274002099240244, 1e-12);
    assert_int_equal(values[MEASURE_volatility].reason, REASON_TOO_SHORT);
    assert_int_equal(values[MEASURE_sharpe].reason, REASON_TOO_SHORT);
    record.options = (struct measure_options){.mar = 0.1, .has_mar = true};
    measure(&record, values);
    assert_int_equal(values[MEASURE_sortino].reason, REASON_TOO_SHORT);
}

/* Nothing is divided by the deviation of the returns themselves, which is 0. */
static void a_rate_that_varies_gives_equal_returns_a_ratio(void **state)
{
    static const double x[] = {0.01, 0.01, 0.01, 0.01}, rf[] = {0, 0.01, 0, 0.02};
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(x, 4);
    record.risk_free = rf;
    measure(&record, values);
    assert_near(values[MEASURE_sharpe_per_session].value, 0.0025 / sqrt(0.000275 / 3), 1e-14);
    assert_near(values[MEASURE_sharpe].value, values[MEASURE_sharpe_per_session].value * sqrt(252),
                1e-14);
    assert_int_equal(values[MEASURE_psr].reason, REASON_ZERO_VARIANCE);
    selections_are_rows_of_the_whole(&record, values);
}

/* Each side over its own rows; the others compare the rows that both have. */
static void a_whole_capture_counts_rows_without_a_return(void **state)
{
    static const double r[] = {0.02, 0.01, -0.01, 0.03}, b[] = {(double)NAN, 0.02, 0.01, 0.01};
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(r, 4);
    record.benchmark = b;
    record.missing = MISSING_SKIP;
    record.periods_per_year = 4;
    measure(&record, values);
    double own = 1.02 * 1.01 * 0.99 * 1.03 - 1, other = 1.02 * 1.01 * 1.01 - 1;
    assert_near(values[MEASURE_capture_whole].value, own / other, 1e-13);
    assert_int_equal(values[MEASURE_beta].n, 3);
}

static void a_loss_of_more_than_everything_is_ruin(void **state)
{
    static const double x[] = {0.1, -1.2, 0.05};
    struct measure_value values[MEASURE_ALL_COUNT];
    struct record_ready ready;
    struct err err = {0};
    (void)state;
    struct record record = record_of(x, 3);
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_OK);
    assert_true(ready.is_ruined);
    measure(&record, values);
    assert_true(values[MEASURE_total_return].value == -1);
    assert_true(values[MEASURE_cagr].value == -1);
    assert_true(values[MEASURE_max_drawdown].value == -1);
    assert_int_equal(values[MEASURE_total_return].n, 2);
    assert_int_equal(values[MEASURE_stability].reason, REASON_RUINED);
}

static void missing_values_are_refused_skipped_or_zero_as_asked(void **state)
{
    static const double x[] = {(double)NAN, 0.01, (double)NAN, -0.02};
    static const double none[] = {(double)NAN, (double)NAN};
    struct measure_value values[MEASURE_ALL_COUNT];
    struct record_ready ready;
    struct err err = {0};
    (void)state;
    struct record record = record_of(x, 4);
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_BAD_SPEC);
    assert_non_null(strstr(err.detail, "Row 1"));
    record.missing = MISSING_SKIP;
    measure(&record, values);
    assert_int_equal(values[MEASURE_volatility].n, 2);
    record.missing = MISSING_ZERO;
    measure(&record, values);
    assert_int_equal(values[MEASURE_volatility].n, 4);
    record = record_of(none, 2);
    record.missing = MISSING_SKIP;
    assert_int_equal(record_prepare(&record, &arena, &ready, &err), STATUS_NO_DATA);
}

/* Prices that a guess would take for returns, or for an index from 100,000: they are what they are declared. */
static void prices_and_returns_are_what_they_are_declared(void **state)
{
    static const double prices[] = {2000, 2100, 1938.4615384615386, 2200};
    static const double coin[] = {0.1, 1.3, 0.2};
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(prices, 4);
    record.kind = RECORD_PRICES;
    measure(&record, values);
    assert_near(values[MEASURE_max_drawdown].value, -0.0769230769230769, 1e-13);
    assert_int_equal(values[MEASURE_max_drawdown].n, 3);
    record = record_of(coin, 3);
    measure(&record, values);
    assert_near(values[MEASURE_best_day].value, 1.3, 1e-15);
}

static void a_benchmark_of_prices_is_compared_on_the_rows_both_have(void **state)
{
    static const double r[] = {0.01, 0.02, -0.01, 0.03};
    static const double prices[] = {100, 102, 100.98, 104.0094};
    static const double gap[] = {100, (double)NAN, 100.98, 104.0094};
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    struct record record = record_of(r, 4);
    record.benchmark = prices;
    record.benchmark_kind = RECORD_PRICES;
    record.missing = MISSING_SKIP;
    measure(&record, values);
    assert_int_equal(values[MEASURE_beta].n, 3);
    assert_near(values[MEASURE_beta].value, 1, 1e-12);
    record.benchmark = gap;
    measure(&record, values);
    assert_int_equal(values[MEASURE_beta].reason, REASON_TOO_SHORT); /* one common return is left */
}

static void trailing_windows_go_back_by_date(void **state)
{
    int32_t date[1500];
    double price[1500];
    struct measure_value values[MEASURE_ALL_COUNT];
    int32_t first = date_from_civil((struct civil){2020, 1, 1});
    (void)state;
    for (size_t i = 0; i < 1500; i++) {
        date[i] = first + (int32_t)i;
        price[i] = 100 * exp(0.0003 * (double)i);
    }
    struct record record = record_of(price, 1500);
    record.kind = RECORD_PRICES;
    record.date = date;
    measure(&record, values);
    struct civil last = date_to_civil(date[1499]);
    assert_int_equal(values[MEASURE_return_mtd].n, last.day);
    assert_near(values[MEASURE_return_1y].value, expm1(0.0003 * 365), 1e-12);
    assert_near(values[MEASURE_cagr_3y].value, expm1(0.0003 * 365), 1e-12);
    assert_int_equal(values[MEASURE_cagr_5y].reason, REASON_TOO_SHORT);
}

static void names_are_found_in_their_profile(void **state)
{
    enum measure_id id;
    (void)state;
    assert_true(profile_find(PROFILE_pa, STR("MartinRatio"), &id));
    assert_int_equal(id, MEASURE_martin_periods);
    assert_true(profile_find(PROFILE_quantstats, STR("ulcer_index"), &id));
    assert_int_equal(id, MEASURE_ulcer_index_sample);
    assert_true(profile_find(PROFILE_native, STR("ulcer_index"), &id));
    assert_int_equal(id, MEASURE_ulcer_index);
    assert_false(profile_find(PROFILE_native, STR("MartinRatio"), &id));
    size_t n = 0;
    while (profile_name_at(PROFILE_pa, n).ptr != NULL) {
        assert_true(profile_find(PROFILE_pa, profile_name_at(PROFILE_pa, n), &id));
        n++;
    }
    assert_true(n > MEASURE_ALL_COUNT + 80);
}

static void every_metric_of_a_batch_is_a_headline(void **state)
{
    static const enum measure_id rows[] = {
#define ROW_METRIC(name) MEASURE_##name,
#include "store/backtest_row.def"
#undef ROW_METRIC
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool is_there = false;
        for (size_t k = 0; k < MEASURE_HEADLINE_COUNT; k++)
            is_there = is_there || measure_headlines[k] == rows[i];
        if (!is_there)
            fail_msg("%s is no headline", measure_infos[rows[i]].name);
    }
}

/* No figure of any profile is a NaN or an infinity, whatever the series. */
static void random_series_never_give_a_number_that_is_none(void **state)
{
    static double x[300], b[300];
    static int32_t date[300];
    struct measure_value values[MEASURE_ALL_COUNT];
    uint64_t seed = 11;
    (void)state;
    for (int round = 0; round < 3000; round++) {
        size_t n = 1 + (size_t)round % 40 * (size_t)(round % 7 + 1);
        double scale = round % 11 == 0 ? 0 : exp(noise(&seed) * 3 - 4);
        for (size_t i = 0; i < n; i++) {
            x[i] = round % 13 == 0 ? scale : noise(&seed) * scale;
            b[i] = round % 5 == 0 ? x[i] : round % 7 == 0 ? 0.001 : noise(&seed) * scale;
            date[i] = 10000 + (int32_t)i * (1 + round % 31);
        }
        struct record record = record_of(x, n);
        record.benchmark = round % 3 == 0 ? NULL : b;
        record.date = round % 2 == 0 ? date : NULL;
        record.risk_free_rate = round % 4 == 0 ? 0.05 : 0;
        record.profile = (enum profile)(round % PROFILE_COUNT);
        measure(&record, values);
        for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
            assert_true(isfinite(values[i].value));
        }
        if (round % 97 == 0)
            selections_are_rows_of_the_whole(&record, values);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_returns_have_no_ratio_by_their_deviation),
        cmocka_unit_test(returns_of_zero_and_a_single_return_say_why),
        cmocka_unit_test(a_rate_that_varies_gives_equal_returns_a_ratio),
        cmocka_unit_test(a_whole_capture_counts_rows_without_a_return),
        cmocka_unit_test(a_loss_of_more_than_everything_is_ruin),
        cmocka_unit_test(missing_values_are_refused_skipped_or_zero_as_asked),
        cmocka_unit_test(prices_and_returns_are_what_they_are_declared),
        cmocka_unit_test(a_benchmark_of_prices_is_compared_on_the_rows_both_have),
        cmocka_unit_test(trailing_windows_go_back_by_date),
        cmocka_unit_test(names_are_found_in_their_profile),
        cmocka_unit_test(every_metric_of_a_batch_is_a_headline),
        cmocka_unit_test(random_series_never_give_a_number_that_is_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
