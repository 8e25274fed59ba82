/* test_smoothing.c - the smoothing index against weights that are known and a likelihood computed another way. */
#include "backtest/smoothing.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { N = 2000, SHORT = 60 };

/* Sums of twelve uniform numbers less their mean: as good as normal here. */
static double shock(uint32_t *state)
{
    double sum = -6;
    for (int i = 0; i < 12; i++) {
        *state = *state * 1664525u + 1013904223u;
        sum += (double)*state / 4294967296.0;
    }
    return 0.02 * sum;
}

static void smoothed(uint32_t seed, const double weight[3], size_t n, double *ret)
{
    double e[3] = {shock(&seed), shock(&seed), 0};
    for (size_t t = 0; t < n; t++) {
        e[2] = shock(&seed);
        ret[t] = weight[0] * e[2] + weight[1] * e[1] + weight[2] * e[0];
        e[0] = e[1];
        e[1] = e[2];
    }
}

static void weights_are_found_again(void **state)
{
    static const double weights[][3] = {
        {1, 0, 0}, {0.6, 0.3, 0.1}, {0.5, 0.25, 0.25}, {0.7, 0, 0.3}};
    static double r[N];
    (void)state;
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) {
        const double *w = weights[i];
        double index = 0, expected = w[0] * w[0] + w[1] * w[1] + w[2] * w[2];
        smoothed((uint32_t)i + 7, w, N, r);
        assert_true(smoothing_index(r, N, &index));
        assert_true(fabs(index - expected) < 0.04);
    }
}

static void the_unit_of_returns_does_not_matter(void **state)
{
    static const double weight[3] = {0.6, 0.3, 0.1};
    double r[SHORT], a = 0, b = 0;
    (void)state;
    smoothed(5, weight, SHORT, r);
    assert_true(smoothing_index(r, SHORT, &a));
    for (size_t t = 0; t < SHORT; t++)
        r[t] *= 64;
    assert_true(smoothing_index(r, SHORT, &b));
    assert_close(b, a, 1e-9);
}

/* By the factor of the whole covariance, which has two diagonals below its own. */
static double half_deviance(const double *r, size_t n, double a, double b)
{
    static double factor[SHORT][3];
    double gamma[3] = {1 + a * a + b * b, a + a * b, b}, squares = 0, logs = 0, z[SHORT];
    for (size_t i = 0; i < n; i++) {
        double left = r[i];
        for (size_t lag = i < 2 ? i : 2; lag + 1 > 0 && lag < 3; lag--) {
            double sum = gamma[lag];
            for (size_t k = lag + 1; k < 3 && k <= i; k++)
                sum -= factor[i][k] * factor[i - lag][k - lag];
            factor[i][lag] = lag > 0 ? sum / factor[i - lag][0] : sqrt(sum);
        }
        for (size_t lag = 1; lag < 3 && lag <= i; lag++)
            left -= factor[i][lag] * z[i - lag];
        z[i] = left / factor[i][0];
        squares += z[i] * z[i];
        logs += 2 * log(factor[i][0]);
    }
    return (log(squares / (double)n) + logs / (double)n) / 2;
}

/* The best of a grid, both weights above 0 there, gives the same index to the step of the grid. */
static void the_likelihood_is_that_of_the_whole_covariance(void **state)
{
    static const double weight[3] = {0.5, 0.3, 0.2};
    double r[SHORT], index = 0, least = INFINITY, best[2] = {0, 0};
    enum { STEPS = 200 };
    (void)state;
    smoothed(11, weight, SHORT, r);
    for (int i = 0; i <= STEPS; i++) {
        for (int k = 0; k < STEPS; k++) {
            double a = 1.8 * i / STEPS, b = 0.95 * k / STEPS;
            double value = half_deviance(r, SHORT, a, b);
            if (a < 1 + b && value < least) {
                least = value;
                best[0] = a;
                best[1] = b;
            }
        }
    }
    assert_true(best[0] > 0.01 && best[1] > 0.01);
    double sum = 1 + best[0] + best[1];
    assert_true(smoothing_index(r, SHORT, &index));
    assert_true(fabs(index - (1 + best[0] * best[0] + best[1] * best[1]) / (sum * sum)) < 0.01);
}

static void what_has_no_index_says_so(void **state)
{
    static const double none[8] = {0}, few[3] = {0.01, 0.02, -0.01}, flat[6] = {1, 1, 1, 1, 1, 1};
    double index = 0;
    (void)state;
    assert_false(smoothing_index(none, 8, &index));
    assert_false(smoothing_index(few, 3, &index));
    assert_true(smoothing_index(flat, 6, &index));
    assert_true(index > 1.0 / 3 - 1e-12 && index <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_found_again),
        cmocka_unit_test(the_unit_of_returns_does_not_matter),
        cmocka_unit_test(the_likelihood_is_that_of_the_whole_covariance),
        cmocka_unit_test(what_has_no_index_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
