/* test_track_record.c - money-weighted returns, rolling windows and factor regressions. */
#include "backtest/regression.h"
#include "backtest/rolling.h"
#include "backtest/stats.h"
#include "backtest/xirr.h"
#include "base/date.h"
#include "tests/support/conformance.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
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

static struct xirr_roots solve(const struct xirr_flow *flow, size_t n)
{
    struct xirr_roots roots;
    struct err err = {0};
    assert_int_equal(xirr_solve(flow, n, &arena, &roots, &err), STATUS_OK);
    return roots;
}

/* Flows a year apart whose rates are these: the product of (1 + i - g) over the growths g, by powers of 1 / (1 + i). */
static struct xirr_roots roots_of(const double *growth, size_t n)
{
    struct xirr_flow flow[8] = {{0, -100}};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = i + 1; k > 0; k--)
            flow[k].amount -= growth[i] * flow[k - 1].amount;
    }
    for (size_t k = 0; k <= n; k++)
        flow[k].date = 365 * (int32_t)k;
    return solve(flow, n + 1);
}

/* The rule of docs/formulas.md, section 3: the lowest rate that is not negative, else the highest. */
static void of_several_rates_the_nearest_to_zero_from_above_is_preferred(void **state)
{
    static const double mixed[] = {0.8, 1.05, 1.3}, losses[] = {0.7, 0.9}, gains[] = {1.4, 1.1};
    static const double zero[] = {0.6, 1.0, 1.2}, twice[] = {1.1, 1.1};
    (void)state;
    struct xirr_roots roots = roots_of(mixed, 3);
    assert_int_equal(roots.n, 3);
    assert_near(roots.rate[0], -0.2, 1e-9);
    assert_near(roots.preferred, 0.05, 1e-9);
    assert_near(roots_of(losses, 2).preferred, -0.1, 1e-9);
    assert_near(roots_of(gains, 2).preferred, 0.1, 1e-9);
    assert_true(fabs(roots_of(zero, 3).preferred) < 1e-9);
    assert_true(roots_of(twice, 2).n != 1); /* it touches 0: rounding makes two or none of it */
}

static void published_money_weighted_returns(void **state)
{
    struct conformance c;
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "xirr", &i, &one);) {
        struct json_val list = jr_member(one.inputs, "flows");
        size_t n = jr_length(list);
        struct xirr_flow *flow = arena_array(&c.arena, n + 1, sizeof *flow);
        assert_non_null(flow);
        for (size_t k = 0; k < n; k++) {
            struct json_val item = jr_item(list, k);
            assert_int_equal(jr_read_date(jr_item(item, 0), &flow[k].date, NULL), STATUS_OK);
            flow[k].amount = conformance_item(item, 1);
        }
        struct xirr_roots roots = solve(flow, n);
        conformance_check(&one, "", roots.n > 0 ? roots.preferred : (double)NAN);
    }
    conformance_close(&c);
}

/* -1000 + 2500 / (1+r) - 1540 / (1+r)^2 = 0 at 10 % and at 40 %; a gift has no rate. */
static void all_rates_are_found_and_none_is_said(void **state)
{
    const struct xirr_flow two[] = {{0, -1000}, {365, 2500}, {730, -1540}};
    const struct xirr_flow gift[] = {{0, 100}, {365, 100}};
    const struct xirr_flow same_day[] = {{5, -100}, {5, 110}};
    const struct xirr_flow flat[] = {{0, -100}, {365, 100}};
    (void)state;
    struct xirr_roots roots = solve(two, 3);
    assert_int_equal(roots.n, 2);
    assert_near(roots.rate[0], 0.1, 1e-12);
    assert_near(roots.rate[1], 0.4, 1e-12);
    assert_near(roots.preferred, 0.1, 1e-12);
    assert_int_equal(solve(gift, 2).n, 0);
    assert_int_equal(solve(same_day, 2).n, 0);
    assert_int_equal(solve(NULL, 0).n, 0);
    assert_true(fabs(solve(flat, 2).preferred) < 1e-15);
}

/* Every window against the same window measured alone; a crash before a calm stretch leaves nothing behind. */
static void rolling_windows_equal_windows_taken_alone(void **state)
{
    enum { N = 700 };
    static double r[N], x[N], b[N], out[ROLLING_METRIC_COUNT][N];
    static const size_t windows[] = {2, 3, 21, 63, 252, 699, 700};
    uint64_t seed = 5;
    struct err err = {0};
    (void)state;
    for (size_t t = 0; t < N; t++) {
        r[t] = (t == 100 ? -0.6 : 0) + 0.01 * noise(&seed);
        b[t] = 0.5 * r[t] + 0.01 * noise(&seed);
        if (t > 400 && t < 520)
            r[t] = 0.001;
        x[t] = r[t] - 0.0001;
    }
    for (size_t k = 0; k < ARRAY_LEN(windows); k++) {
        size_t w = windows[k];
        double *ret[ROLLING_METRIC_COUNT];
        for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++)
            ret[m] = out[m];
        struct rolling_input in = {r, x, b, N, w, 252};
        assert_int_equal(rolling_compute(&in, &arena, ret, &err), STATUS_OK);
        for (size_t i = 0; i + w <= N; i++) {
            double growth = 1, peak = 1, depth = 0;
            for (size_t t = i; t < i + w; t++) {
                growth *= 1 + r[t];
                peak = fmax(peak, growth);
                depth = fmin(depth, growth / peak - 1);
            }
            struct stats_moments m = stats_moments_short(x + i, w);
            struct stats_pair p = stats_pair(x + i, b + i, w);
            assert_near(out[ROLLING_RETURN][i], growth - 1, 1e-12);
            assert_near(out[ROLLING_MAX_DRAWDOWN][i], depth, 1e-12);
            assert_near(out[ROLLING_VOLATILITY][i], m.sd * sqrt(252), 1e-12);
            assert_near(out[ROLLING_BETA][i], p.covariance / p.variance_y, 1e-10);
            if (m.is_constant)
                assert_true(isnan(out[ROLLING_SHARPE][i]));
            else
                assert_near(out[ROLLING_SHARPE][i], m.mean / m.sd * sqrt(252), 1e-10);
        }
    }
}

/* The lag of the consistent errors stands in the names of their members: hac3_se_beta. 3 without such a member. */
static int lag_of(struct conformance *c, const struct conformance_case *one)
{
    const char *member = conformance_member(c, one, "hac");
    return member != NULL ? (int)strtol(member + 3, NULL, 10) : 3;
}

static void check_coefficient(const struct conformance_case *one, const char *name,
                              const struct regression *fit, size_t i)
{
    const struct regression_coefficient *k = &fit->coefficient[i];
    char member[4][48];
    (void)snprintf(member[0], sizeof member[0], "se_%s", name);
    (void)snprintf(member[1], sizeof member[1], "t_%s", name);
    (void)snprintf(member[2], sizeof member[2], "hac%zu_se_%s", fit->lag, name);
    (void)snprintf(member[3], sizeof member[3], "hac%zu_t_%s", fit->lag, name);
    const struct conformance_figure figures[] = {{name, k->value},
                                                 {member[0], k->se},
                                                 {member[1], k->t},
                                                 {member[2], k->hac_se},
                                                 {member[3], k->hac_t}};
    (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
}

/* x is one factor, or a list of several: their coefficients are beta, or beta_1, beta_2, .. */
static void regressions_with_the_errors_of_newey_and_west(void **state)
{
    struct conformance c;
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "regression", &i, &one);) {
        struct json_val x = jr_member(one.inputs, "x");
        struct conformance_series y = conformance_series(&c, jr_member(one.inputs, "y"), NULL);
        const double *factors[REGRESSION_FACTORS_MAX];
        struct regression fit;
        struct err err = {0};
        bool is_list = jr_type(x) == JR_ARRAY && jr_text_at(x, 0).ptr != NULL;
        size_t n_factors = is_list ? jr_length(x) : 1;
        assert_true(n_factors <= REGRESSION_FACTORS_MAX);
        for (size_t k = 0; k < n_factors; k++) {
            struct conformance_series f = conformance_series(&c, is_list ? jr_item(x, k) : x, NULL);
            assert_int_equal(f.n, y.n);
            factors[k] = f.value;
        }
        assert_int_equal(
            regression_fit(y.value, factors, n_factors, y.n, lag_of(&c, &one), &arena, &fit, &err),
            STATUS_OK);
        assert_true(fit.is_known);
        check_coefficient(&one, "alpha", &fit, 0);
        for (size_t k = 1; k <= n_factors; k++) {
            char name[16];
            if (n_factors == 1)
                (void)snprintf(name, sizeof name, "beta");
            else
                (void)snprintf(name, sizeof name, "beta_%zu", k);
            check_coefficient(&one, name, &fit, k);
        }
        const struct conformance_figure figures[] = {{"r2", fit.r_squared},
                                                     {"adj_r2", fit.adjusted_r_squared},
                                                     {"resid_sd", fit.residual_sd}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&c);
}

static void several_factors_are_told_apart_and_twins_are_refused(void **state)
{
    enum { N = 500 };
    static double y[N], f[3][N];
    const double *factors[3] = {f[0], f[1], f[2]};
    uint64_t seed = 9;
    struct regression fit;
    struct err err = {0};
    (void)state;
    for (size_t t = 0; t < N; t++) {
        for (size_t j = 0; j < 3; j++)
            f[j][t] = 0.01 * noise(&seed) + 0.001 * (double)j;
        y[t] = 0.0002 + 0.9 * f[0][t] - 0.4 * f[1][t] + 0.2 * f[2][t];
    }
    assert_int_equal(regression_fit(y, factors, 3, N, REGRESSION_LAG_AUTO, &arena, &fit, &err),
                     STATUS_OK);
    assert_near(fit.coefficient[0].value, 0.0002, 1e-14);
    assert_near(fit.coefficient[1].value, 0.9, 1e-12);
    assert_near(fit.coefficient[2].value, -0.4, 1e-12);
    assert_near(fit.coefficient[3].value, 0.2, 1e-12);
    assert_int_equal(fit.lag, 5);
    for (size_t t = 0; t < N; t++)
        f[2][t] = 2 * f[1][t];
    assert_int_equal(regression_fit(y, factors, 3, N, 0, &arena, &fit, &err), STATUS_OK);
    assert_false(fit.is_known);
    assert_int_equal(regression_fit(y, factors, 3, 5, 0, &arena, &fit, &err), STATUS_OK);
    assert_false(fit.is_known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_money_weighted_returns),
        cmocka_unit_test(all_rates_are_found_and_none_is_said),
        cmocka_unit_test(of_several_rates_the_nearest_to_zero_from_above_is_preferred),
        cmocka_unit_test(rolling_windows_equal_windows_taken_alone),
        cmocka_unit_test(regressions_with_the_errors_of_newey_and_west),
        cmocka_unit_test(several_factors_are_told_apart_and_twins_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
