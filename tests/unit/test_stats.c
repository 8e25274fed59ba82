/*
 * test_stats.c - statistics against published and derived figures. Where a figure belongs to a data
 * set that is not in this repository, the comment says where it was checked instead.
 */
#include "tests/unit/test_numbers.h"

#include "backtest/drawdown.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "backtest/stats.h"
#include "backtest/tables.h"
#include "base/date.h"
#include "base/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The input of the derived conformance cases var.conventions and moments.conventions. */
static const double twenty[] = {0.01,  0.02,  -0.015, 0.03,  -0.02,  0.005, -0.01,
                                0.04,  -0.05, 0.02,   0.015, -0.005, 0.01,  -0.03,
                                0.025, 0.0,   0.01,   -0.02, 0.03,   0.005};

static void elementary_functions_agree_with_the_c_library(void **state)
{
    (void)state;
    for (int i = 1; i < 200000; i++) {
        double x = i * 1.37e-3, y = (i - 100000) * 7e-3, z = (i - 100000) * 9e-5;
        assert_true(fabs(elementary_log(x) - log(x)) <= 4e-16 * fmax(fabs(log(x)), 1));
        assert_close(elementary_exp(y), exp(y), 4e-16);
        assert_close(elementary_pow(x, 0.05), pow(x, 0.05), 1e-15);
        assert_true(fabs(elementary_normal_cdf(z) - 0.5 * erfc(-z / sqrt(2))) < 4e-15);
    }
    assert_true(elementary_log(1) == 0);
    assert_true(elementary_exp(0) == 1);
    assert_true(elementary_exp(-1000) == 0);
    assert_true(isinf(elementary_exp(1000)));
    assert_true(isnan(elementary_exp((double)NAN)) && isnan(elementary_pow(2, (double)NAN)));
    assert_true(elementary_pow(0, 0.5) == 0);
    assert_true(elementary_normal_cdf(-40) == 0 && elementary_normal_cdf(40) == 1);
}

/* Conformance case quantile.types (derived): type 7 of 1..10 at 5 % is 1.45. */
static void quantile_is_type_seven(void **state)
{
    double x[] = {7, 3, 10, 1, 9, 2, 8, 5, 4, 6};
    (void)state;
    assert_close(stats_quantile(x, 10, 0.05), 1.45, 1e-15);
    assert_close(stats_quantile(x, 10, 0.5), 5.5, 1e-15);
    assert_close(stats_quantile(x, 10, 0), 1, 0);
    assert_close(stats_quantile(x, 10, 1), 10, 0);
    assert_close(stats_quantile((double[]){3}, 1, 0.3), 3, 0);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void quantile_by_selection_equals_quantile_by_sorting(void **state)
{
    uint32_t seed = 12345;
    (void)state;
    for (size_t n = 1; n < 200; n++) {
        double x[200], sorted[200];
        for (size_t i = 0; i < n; i++) {
            seed = seed * 1664525u + 1013904223u;
            x[i] = sorted[i] = (double)(seed >> 28); /* many ties */
        }
        qsort(sorted, n, sizeof *sorted, ascending);
        for (double p = 0; p <= 1; p += 0.125) {
            double h = (double)(n - 1) * p;
            size_t k = (size_t)h;
            double next = k + 1 < n ? sorted[k + 1] : sorted[k];
            assert_close(stats_quantile(x, n, p), sorted[k] + (h - (double)k) * (next - sorted[k]),
                         0);
        }
    }
}

/* Conformance case moments.conventions (derived). */
static void moments_follow_both_conventions(void **state)
{
    struct stats_moments m = stats_moments(twenty, 20);
    struct stats_moments s = stats_moments_short(twenty, 20);
    (void)state;
    assert_close(m.skew_population, -0.5566793909808898, 1e-10);
    assert_close(m.skew, -0.6028710599871371, 1e-10);
    assert_close(m.excess_population, -0.1623328690974164, 1e-10);
    assert_close(m.excess, 0.16087969029454552, 1e-10);
    assert_true(m.mean == s.mean && m.sd == s.sd && m.sum == s.sum);
}

/* Conformance case var.conventions (derived). */
static void value_at_risk_follows_each_convention(void **state)
{
    double z = -1.6448536269514722;
    double x[20];
    struct stats_moments m = stats_moments(twenty, 20);
    (void)state;
    for (size_t i = 0; i < 20; i++)
        x[i] = twenty[i];
    double low = stats_quantile(x, 20, 0.05);
    assert_close(low, -0.030999999999999996, 1e-12);
    assert_close(m.mean + z * m.sd, -0.033674764517709566, 1e-12);
}

static void equal_returns_have_no_variance(void **state)
{
    double r[10];
    (void)state;
    for (size_t i = 0; i < 10; i++)
        r[i] = 0.01;
    struct stats_moments m = stats_moments(r, 10);
    assert_true(m.is_constant && !m.is_zero && m.sd == 0);
    r[3] += 1e-18;
    assert_true(stats_moments(r, 10).is_constant);
    r[3] = 0.0100001;
    assert_false(stats_moments(r, 10).is_constant);
    assert_true(stats_moments((double[]){0, 0, 0}, 3).is_zero);
}

/* Bailey and Lopez de Prado, J. of Risk 15(2), 2012, hedge-fund example: the paper prints 0.913. */
static void probabilistic_sharpe_ratio_uses_pearson_kurtosis(void **state)
{
    (void)state;
    assert_close(stats_psr(0.458, 0, 24, -2.448, 10.164 - 3), 0.913361083860933, 1e-9);
}

/* Conformance case lean.psr.excess_kurtosis, second figure: LEAN's test input, right kurtosis. */
static void probabilistic_sharpe_ratio_of_four_returns(void **state)
{
    static const double r[] = {-0.009025132, 0.003653969, 0, 0};
    struct stats_moments m = stats_moments(r, 4);
    (void)state;
    assert_close(stats_psr(m.mean / m.sd, 1 / sqrt(252), 4, m.skew, m.excess), 0.263967459938963,
                 1e-9);
}

/* Lo, Financial Analysts Journal 58(4), 2002: with normal returns the variance is 1 + SR^2 / 2. */
static void sharpe_variance_is_lo_s_for_normal_returns(void **state)
{
    (void)state;
    assert_close(stats_sharpe_variance(0.5, 0, 0), 1 + 0.5 * 0.5 / 2, 1e-15);
    assert_close(sqrt(stats_sharpe_variance(1, 0, 0) / 12), 0.3535533905932738, 1e-12);
}

/* Conformance cases quantstats.autocorr_penalty.*: the closed form of the same sum. */
static void autocorrelation_penalty_has_its_closed_form(void **state)
{
    (void)state;
    for (size_t n = 2; n < 400; n += 7) {
        double rho = 0.31, count = (double)n;
        double sum =
            rho / (1 - rho) - rho * (1 - pow(rho, count)) / (count * (1 - rho) * (1 - rho));
        assert_close(stats_autocorrelation_penalty(rho, n), sqrt(1 + 2 * sum), 1e-13);
        assert_close(stats_autocorrelation_penalty(-rho, n), sqrt(1 + 2 * sum), 1e-13);
    }
    assert_close(stats_autocorrelation_penalty(0, 100), 1, 0);
}

static void trend_of_a_known_line(void **state)
{
    /* y = 2 x + e, e = {1, -1, -1, 1}: slope 2, residual sum 4, R^2 = 100 / (5 * 24). */
    static const double y[] = {3, 3, 5, 9};
    struct stats_trend t;
    (void)state;
    assert_true(stats_trend(&kernels_ref, y, 4, &t));
    assert_close(t.slope, 2, 1e-15);
    assert_close(t.slope_error, sqrt(4.0 / 2 / 5), 1e-15);
    assert_close(t.r_squared, 100.0 / (5 * 24), 1e-15);
    assert_false(stats_trend(&kernels_ref, (double[]){1, 1, 1}, 3, &t));
}

/* Conformance case dd.small (derived). */
/* Closed forms of few degrees (Abramowitz and Stegun 26.7.3 and 4), the density integrated for many, the normal at the end. */
static void tails_of_student_have_their_closed_forms(void **state)
{
    static const double ts[] = {0.01, 0.5, 1, 1.96, 3, 10, 50};
    static const double pi = 3.14159265358979323846;
    (void)state;
    for (size_t i = 0; i < sizeof ts / sizeof *ts; i++) {
        double t = ts[i], u = atan(t / sqrt(3)), v = atan(t / 2);
        assert_true(fabs(stats_student_p(t, 1) - (1 - 2 / pi * atan(t))) < 1e-14);
        assert_true(fabs(stats_student_p(-t, 2) - (1 - t / sqrt(2 + t * t))) < 1e-14);
        assert_true(fabs(stats_student_p(t, 3) - (1 - 2 / pi * (u + sin(u) * cos(u)))) < 1e-14);
        assert_true(fabs(stats_student_p(t, 4) - (1 - sin(v) * (1 + cos(v) * cos(v) / 2))) < 1e-14);
        assert_true(fabs(stats_student_p(t, 1e6) - stats_normal_p(t)) < 1e-6);
        for (double n = 7; n < 5000; n = n * 3 + 1) {
            enum { STEPS = 20000 };
            double c = exp(lgamma((n + 1) / 2) - lgamma(n / 2)) / sqrt(n * pi), sum = 0;
            for (size_t k = 0; k <= STEPS; k++) {
                double x = t * (double)k / STEPS, f = c * exp(-(n + 1) / 2 * log1p(x * x / n));
                sum += (k == 0 || k == STEPS ? 1 : k % 2 == 1 ? 4 : 2) * f;
            }
            double inside = 2 * sum * t / STEPS / 3;
            assert_true(fabs(stats_student_p(t, n) - (1 - inside)) < 1e-9);
        }
    }
    assert_true(stats_student_p(0, 5) == 1 && stats_normal_p(0) == 1 && stats_normal_p(40) == 0);
    assert_close(stats_student_p(2.228138851986273, 10), 0.05, 1e-10);
    assert_close(stats_normal_p(-1.959963984540054), 0.05, 1e-12);
}

static void drawdowns_of_a_short_path(void **state)
{
    static const double equity[] = {100, 120, 90, 130, 117, 143, 100, 150};
    struct drawdown list[5];
    (void)state;
    size_t n = drawdown_list(&kernels_ref, equity, 8, list);
    assert_int_equal(n, 3);
    drawdown_sort(list, n);
    assert_close(list[0].depth, -0.3006993006993007, 1e-12);
    assert_int_equal(list[0].peak, 5);
    assert_int_equal(list[0].trough, 6);
    assert_int_equal(list[0].recovery, 7);
    assert_close(list[1].depth, -0.25, 1e-12);
    assert_close(list[2].depth, -0.1, 1e-12);
    assert_int_equal(list[2].peak, 3);
}

/* pyfolio #179, quantstats #438, freqtrade #11593: a loss in the first period counts. */
static void first_period_loss_is_part_of_the_drawdown(void **state)
{
    static const double equity[] = {1, 0.6, 0.54};
    struct drawdown list[2];
    (void)state;
    assert_int_equal(drawdown_list(&kernels_ref, equity, 3, list), 1);
    assert_close(list[0].depth, -0.46, 1e-15);
    assert_true(list[0].recovery == DRAWDOWN_OPEN);
    assert_int_equal(list[0].peak, 0);
}

static void peak_is_the_last_day_at_the_high_and_recovery_the_first(void **state)
{
    static const double equity[] = {10, 12, 12, 11, 12, 12, 13};
    struct drawdown list[4];
    (void)state;
    assert_int_equal(drawdown_list(&kernels_ref, equity, 7, list), 1);
    assert_int_equal(list[0].peak, 2);
    assert_int_equal(list[0].recovery, 4);
    assert_int_equal(drawdown_list(&kernels_ref, (double[]){1, 2, 3}, 3, list), 0);
}

/* Values from a few steps, so that many depths are equal. */
static void the_deepest_decline_is_the_first_of_the_whole_order(void **state)
{
    enum { MOST = 200 };
    double value[MOST], line[MOST];
    struct drawdown list[MOST], deepest;
    struct rng rng;
    (void)state;
    rng_init(&rng, 11, 3);
    for (unsigned i = 0; i < 500; i++) {
        size_t n = 1 + rng_next_below(&rng, MOST);
        unsigned rise = rng_next_below(&rng, 3);
        for (size_t t = 0; t < n; t++)
            value[t] = (double)(4 + rise * t / 8 + rng_next_below(&rng, 4));
        struct kernel_declines declines = kernels_ref.declines(value, n, line);
        size_t count = drawdown_list(&kernels_ref, value, n, list);
        drawdown_sort(list, count);
        assert_int_equal(drawdown_deepest(&kernels_ref, line, n, &declines, &deepest), count);
        if (count == 0)
            continue;
        assert_true(number_is_same(deepest.depth, list[0].depth));
        assert_int_equal(deepest.peak, list[0].peak);
        assert_int_equal(deepest.trough, list[0].trough);
        assert_int_equal(deepest.recovery, list[0].recovery);
    }
}

/* Depths from a few steps, so that many are equal; those that are not asked for are all still there. */
static void the_deepest_declines_come_first_as_in_the_whole_order(void **state)
{
    enum { MOST = 300 };
    static struct drawdown all[MOST], some[MOST];
    static double scratch[3 * MOST];
    static uint32_t count[2 * MOST + 1];
    (void)state;
    for (size_t n = 0; n <= MOST; n += 1 + n / 7) {
        for (size_t wanted = 1; wanted <= n; wanted += 1 + wanted / 3) {
            size_t sum = 0;
            for (size_t i = 0; i < n; i++)
                all[i] = some[i] = (struct drawdown){
                    i, i, i + 1, -0.01 * (double)(1 + i * 7919 % 23 % (1 + n % 9))};
            drawdown_sort(all, n);
            drawdown_sort_deepest(&kernels_ref, some, n, wanted, scratch, count);
            for (size_t i = 0; i < n; i++) {
                assert_true(i >= wanted || some[i].peak == all[i].peak);
                assert_true(i < wanted || some[i].depth >= some[wanted - 1].depth);
                sum += some[i].peak;
            }
            assert_int_equal(sum, n * (n - (n > 0)) / 2);
        }
    }
}

static void months_and_years_are_compounded_and_marked(void **state)
{
    static const double value[] = {100, 110, 99, 108.9, 108.9};
    struct civil days[] = {
        {2020, 12, 30}, {2020, 12, 31}, {2021, 1, 29}, {2021, 3, 1}, {2021, 12, 31}};
    int32_t date[5];
    struct arena arena;
    struct calendar calendar;
    struct table_years years;
    (void)state;
    for (size_t i = 0; i < 5; i++)
        date[i] = date_from_civil(days[i]);
    arena_init(&arena, 1 << 20);
    assert_int_equal(calendar_of(date, 5, &arena, &calendar, NULL), STATUS_OK);
    assert_int_equal(calendar.n_months, 4);
    assert_int_equal(calendar.months[3].first, 4);
    assert_int_equal(tables_years(&calendar, value, 5, &arena, &years, NULL), STATUS_OK);
    assert_int_equal(years.n, 2);
    assert_close(years.rows[0].month[11], 0.1, 1e-14);
    assert_true(years.rows[0].is_partial && !years.rows[1].is_partial);
    assert_close(years.rows[1].month[0], -0.1, 1e-14);
    assert_true(isnan(years.rows[1].month[1]));
    assert_close(years.rows[1].month[2], 0.1, 1e-14);
    assert_close(years.rows[1].total, 108.9 / 110 - 1, 1e-14);
    struct table_extremes months = tables_months(&years);
    assert_int_equal(months.n, 4);
    assert_int_equal(months.n_positive, 2);
    /* Of the first three values: January is over with the third, and the year goes as far. */
    assert_int_equal(tables_years(&calendar, value, 3, &arena, &years, NULL), STATUS_OK);
    assert_int_equal(years.n, 2);
    assert_close(years.rows[1].total, -0.1, 1e-14);
    assert_true(isnan(years.rows[1].month[2]) && years.rows[1].is_partial);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementary_functions_agree_with_the_c_library),
        cmocka_unit_test(quantile_is_type_seven),
        cmocka_unit_test(quantile_by_selection_equals_quantile_by_sorting),
        cmocka_unit_test(moments_follow_both_conventions),
        cmocka_unit_test(value_at_risk_follows_each_convention),
        cmocka_unit_test(equal_returns_have_no_variance),
        cmocka_unit_test(probabilistic_sharpe_ratio_uses_pearson_kurtosis),
        cmocka_unit_test(probabilistic_sharpe_ratio_of_four_returns),
        cmocka_unit_test(sharpe_variance_is_lo_s_for_normal_returns),
        cmocka_unit_test(autocorrelation_penalty_has_its_closed_form),
        cmocka_unit_test(trend_of_a_known_line),
        cmocka_unit_test(tails_of_student_have_their_closed_forms),
        cmocka_unit_test(drawdowns_of_a_short_path),
        cmocka_unit_test(first_period_loss_is_part_of_the_drawdown),
        cmocka_unit_test(peak_is_the_last_day_at_the_high_and_recovery_the_first),
        cmocka_unit_test(the_deepest_decline_is_the_first_of_the_whole_order),
        cmocka_unit_test(the_deepest_declines_come_first_as_in_the_whole_order),
        cmocka_unit_test(months_and_years_are_compounded_and_marked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
