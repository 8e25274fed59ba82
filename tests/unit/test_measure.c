/*
 * test_measure.c - the table of metrics: formulas known in closed form, undefined results, and the derived
 * conformance cases that no library's profile covers.
 */
#include "backtest/elementary.h"
#include "backtest/order.h"
#include "backtest/record.h"
#include "backtest/stats.h"
#include "base/date.h"
#include "base/number.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
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

static void assert_close(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance * fmax(fabs(expected), 1)))
        fail_msg("%.17g is not %.17g within %g", actual, expected, tolerance);
}

/* Deterministic noise, roughly normal. */
static double noise(uint64_t *seed)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*seed >> 11) / 9007199254740992.0;
    }
    return sum - 6;
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

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Spread, clustered, repeated and one-sided values; every length around the switch to buckets. */
static void the_distribution_sort_orders_any_values(void **state)
{
    enum { MOST = 4000 };
    static double x[MOST], y[MOST], sorted[MOST];
    static uint32_t count[2 * MOST + 1];
    uint64_t seed = 7;
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        size_t n = round < 60 ? round : (round * 7919) % MOST;
        for (size_t i = 0; i < n; i++) {
            double z = noise(&seed);
            x[i] = round % 5 == 0   ? z
                   : round % 5 == 1 ? (z > 0 ? 0 : z)
                   : round % 5 == 2 ? exp(40 * z)
                   : round % 5 == 3 ? ceil(z) /* -0 among them */
                                    : (i % 50 == 0 ? 1e6 * z : 1e-9 * z);
        }
        memcpy(y, x, sizeof x);
        order_sort(&kernels_ref, x, n, sorted, count);
        assert_memory_equal(x, y, sizeof x);
        qsort(y, n, sizeof *y, ascending);
        for (size_t i = 0; i < n; i++)
            assert_true(sorted[i] == y[i] && (y[i] < 0 || !signbit(sorted[i])));
    }
}

/* Parts of the order are those of the whole, with ties and outliers. */
static void a_part_of_the_order_is_that_of_the_whole(void **state)
{
    enum { MOST = 4000 };
    static double x[MOST], y[MOST], part[MOST], scratch[MOST];
    static uint32_t count[2 * MOST + 1];
    uint64_t seed = 8;
    (void)state;
    for (size_t round = 0; round < 400; round++) {
        size_t n = 1 + (round < 60 ? round : (round * 7919) % (MOST - 1));
        for (size_t i = 0; i < n; i++) {
            double z = noise(&seed);
            x[i] = round % 4 == 0   ? z
                   : round % 4 == 1 ? floor(2 * z)
                   : round % 4 == 2 ? exp(40 * z)
                                    : (i % 50 == 0 ? 1e6 * z : 1e-9 * z);
        }
        order_sort(&kernels_ref, x, n, y, count);
        size_t wanted = n / 20 + 1,
               found = order_tail(&kernels_ref, x, n, wanted, part, scratch, count);
        assert_true(found >= wanted && found <= n);
        for (size_t i = 0; i < found; i++)
            assert_true(part[i] == y[i]);
        assert_true(found == n || y[found] > part[found - 1]);
        for (size_t k = 0; k < n; k += 1 + n / 7)
            assert_true(order_at(&kernels_ref, x, n, k, scratch) == y[k]);
    }
}

static void gini_mean_difference_equals_its_definition(void **state)
{
    double x[60], sum = 0;
    uint64_t seed = 3;
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    for (size_t i = 0; i < 60; i++)
        x[i] = 0.01 * noise(&seed);
    for (size_t i = 0; i < 60; i++) {
        for (size_t j = i + 1; j < 60; j++)
            sum += fabs(x[i] - x[j]);
    }
    struct record record = record_of(x, 60);
    measure(&record, values);
    assert_close(values[MEASURE_gini_mean_difference].value, 2 * sum / (60 * 59), 1e-13);
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
    assert_close(values[MEASURE_cagr].value, 11.274002099240244, 1e-12);
    assert_int_equal(values[MEASURE_volatility].reason, REASON_TOO_SHORT);
    assert_int_equal(values[MEASURE_sharpe].reason, REASON_TOO_SHORT);
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
    assert_close(values[MEASURE_max_drawdown].value, -0.0769230769230769, 1e-13);
    assert_int_equal(values[MEASURE_max_drawdown].n, 3);
    record = record_of(coin, 3);
    measure(&record, values);
    assert_close(values[MEASURE_best_day].value, 1.3, 1e-15);
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
    assert_close(values[MEASURE_beta].value, 1, 1e-12);
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
    assert_close(values[MEASURE_return_1y].value, expm1(0.0003 * 365), 1e-12);
    assert_close(values[MEASURE_cagr_3y].value, expm1(0.0003 * 365), 1e-12);
    assert_int_equal(values[MEASURE_cagr_5y].reason, REASON_TOO_SHORT);
}

static void the_published_statistics_of_the_sharpe_ratio(void **state)
{
    struct conformance c;
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one;
    for (size_t i = 0; conformance_next(&c, "psr", &i, &one);)
        conformance_check(
            &one, "",
            stats_psr(conformance_number(&one, "sr"), conformance_number(&one, "benchmark"),
                      (size_t)conformance_number(&one, "n"), conformance_number(&one, "skew"),
                      conformance_number(&one, "kurtosis") - 3));
    for (size_t i = 0; conformance_next(&c, "mintrl", &i, &one);) {
        double n = stats_min_track_record(
            conformance_number(&one, "sr"), conformance_number(&one, "benchmark"),
            conformance_number(&one, "skew"), conformance_number(&one, "kurtosis") - 3,
            conformance_number(&one, "confidence"));
        double periods = strstr(one.id, "weekly") != NULL  ? 52
                         : strstr(one.id, "daily") != NULL ? 252
                                                           : 12;
        conformance_check(&one, "observations", n);
        conformance_check(&one, "years", n / periods);
    }
    for (size_t i = 0; conformance_next(&c, "lo2002", &i, &one);) {
        if (conformance_has(&one, "rho"))
            conformance_check(
                &one, "",
                stats_lo_factor(conformance_number(&one, "q"), conformance_number(&one, "rho")));
        else
            conformance_check(&one, "",
                              stats_sharpe_se_iid(conformance_number(&one, "sr"),
                                                  (size_t)conformance_number(&one, "T")));
    }
    conformance_close(&c);
}

/* Cases of the group "derived" and their like: the native rows and the conventions side by side. */
static void the_derived_figures(void **state)
{
    static const struct {
        const char *id, *member;
        enum measure_id row;
    } cases[] = {
        {"var.conventions", "hist_type7", MEASURE_var_95},
        {"var.conventions", "empyrical_cvar", MEASURE_cvar_first},
        {"var.conventions", "normal_ddof1", MEASURE_var_95_normal},
        {"var.conventions", "normal_ddof0", MEASURE_var_normal_population_at},
        {"var.conventions", "normal_es_ddof1", MEASURE_cvar_95_normal},
        {"var.conventions", "cornish_fisher_var", MEASURE_var_95_cornish_fisher},
        {"moments.conventions", "g1_population", MEASURE_skewness_population},
        {"moments.conventions", "G1_adjusted", MEASURE_skewness},
        {"moments.conventions", "g2_population_excess", MEASURE_kurtosis_excess_population},
        {"moments.conventions", "G2_adjusted_excess", MEASURE_kurtosis_excess},
        {"kratio.bacon", "k1996", MEASURE_k_ratio_1996},
        {"kratio.bacon", "k2003", MEASURE_k_ratio_2003},
        {"kratio.bacon", "k2013", MEASURE_k_ratio_2013},
        {"ref.psr.bacon", "", MEASURE_psr},
        {"derived.var_normal_ddof1.bacon", "", MEASURE_var_95_normal},
        {"lean.psr.excess_kurtosis", "correct_with_pearson", MEASURE_psr},
        {"lean.psr.excess_kurtosis", "lean", MEASURE_psr_excess},
        {"lean.stats.252", "annual_variance", MEASURE_annual_variance},
        {"lean.stats.252", "annual_sd", MEASURE_volatility},
        {"lean.stats.252", "tracking_error", MEASURE_tracking_error},
        {"lean.stats.202", "annual_variance", MEASURE_annual_variance},
        {"lean.stats.202", "tracking_error", MEASURE_tracking_error},
    };
    struct conformance c;
    struct measure_value values[MEASURE_ALL_COUNT];
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conformance_case one = conformance_find(&c, cases[i].id);
        struct conformance_series r =
            conformance_series(&c, jr_member(one.inputs, "returns"), NULL);
        struct conformance_series b =
            conformance_series(&c, jr_member(one.inputs, "benchmark"), NULL);
        struct record record = record_of(r.value, r.n);
        record.benchmark = b.n == r.n ? b.value : NULL;
        if (conformance_has(&one, "trading_days"))
            record.periods_per_year = conformance_number(&one, "trading_days");
        if (strncmp(cases[i].id, "kratio", 6) == 0)
            record.periods_per_year = 12;
        if (conformance_has(&one, "benchmark_sr"))
            record.options.target_sharpe = 1 / sqrt(252);
        measure(&record, values);
        assert_int_equal(values[cases[i].row].reason, REASON_NONE);
        conformance_check(&one, cases[i].member, values[cases[i].row].value);
    }
    conformance_close(&c);
}

static void recovery_times_of_lean(void **state)
{
    struct conformance c;
    struct conformance_case one;
    struct measure_value values[MEASURE_ALL_COUNT];
    size_t n = 0;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "lean", &i, &one);) {
        int32_t date[16];
        if (!conformance_has(&one, "equity_daily"))
            continue;
        struct conformance_series equity =
            conformance_series(&c, jr_member(one.inputs, "equity_daily"), NULL);
        for (size_t t = 0; t < equity.n; t++)
            date[t] = (int32_t)t;
        struct record record = record_of(equity.value, equity.n);
        record.kind = RECORD_PRICES;
        record.date = date;
        measure(&record, values);
        conformance_check(&one, "",
                          values[profile_row(PROFILE_lean, MEASURE_longest_drawdown_days)].value);
        n++;
    }
    assert_true(n >= 6);
    conformance_close(&c);
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

/* Rows of lists are those of whole answers: value, count and reason. */
static void headlines_are_the_same_rows(const struct record *record,
                                        const struct measure_value *all)
{
    struct record_ready ready;
    struct measure_value few[MEASURE_ALL_COUNT];
    struct err err = {0};
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    ready.input.is_headline = true;
    assert_int_equal(measure_compute(&ready.input, &arena, few, &err), STATUS_OK);
    for (size_t i = 0; i < MEASURE_HEADLINE_COUNT; i++) {
        enum measure_id id = measure_headlines[i];
        if (!number_is_same(few[id].value, all[id].value) || few[id].n != all[id].n ||
            few[id].reason != all[id].reason)
            fail_msg("%s: %.17g (%d) is not %.17g (%d)", measure_infos[id].name, few[id].value,
                     (int)few[id].reason, all[id].value, (int)all[id].reason);
    }
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
        headlines_are_the_same_rows(&record, values);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_distribution_sort_orders_any_values),
        cmocka_unit_test(a_part_of_the_order_is_that_of_the_whole),
        cmocka_unit_test(gini_mean_difference_equals_its_definition),
        cmocka_unit_test(equal_returns_have_no_ratio_by_their_deviation),
        cmocka_unit_test(returns_of_zero_and_a_single_return_say_why),
        cmocka_unit_test(a_loss_of_more_than_everything_is_ruin),
        cmocka_unit_test(missing_values_are_refused_skipped_or_zero_as_asked),
        cmocka_unit_test(prices_and_returns_are_what_they_are_declared),
        cmocka_unit_test(a_benchmark_of_prices_is_compared_on_the_rows_both_have),
        cmocka_unit_test(trailing_windows_go_back_by_date),
        cmocka_unit_test(the_published_statistics_of_the_sharpe_ratio),
        cmocka_unit_test(the_derived_figures),
        cmocka_unit_test(recovery_times_of_lean),
        cmocka_unit_test(names_are_found_in_their_profile),
        cmocka_unit_test(every_metric_of_a_batch_is_a_headline),
        cmocka_unit_test(random_series_never_give_a_number_that_is_none),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
