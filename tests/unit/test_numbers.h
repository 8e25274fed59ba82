/* test_numbers.h - numbers for tests of figures: how near they have to be, and noise that is the same every time. */
#ifndef TEST_NUMBERS_H
#define TEST_NUMBERS_H

#include "base/attrs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static UNUSED void assert_close(double actual, double expected, double relative)
{
    if (!(fabs(actual - expected) <= relative * fmax(fabs(expected), 1e-300)))
        fail_msg("%.17g is not %.17g within %g", actual, expected, relative);
}

/* Relative, and absolute below 1. */
static UNUSED void assert_near(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance * fmax(fabs(expected), 1)))
        fail_msg("%.17g is not %.17g within %g", actual, expected, tolerance);
}

/* What each asset adds to the volatility of weights x, of 1; the volatility. covariance is n by n. */
static UNUSED double risk_shares(const double *covariance, size_t n, const double *x,
                                 double *ret_share)
{
    double variance = 0;
    for (size_t i = 0; i < n; i++) {
        ret_share[i] = 0;
        for (size_t k = 0; k < n; k++)
            ret_share[i] += x[i] * covariance[i * n + k] * x[k];
        variance += ret_share[i];
    }
    for (size_t i = 0; i < n; i++)
        ret_share[i] /= variance;
    return sqrt(variance);
}

/* Roughly normal, mean 0 and variance 1. */
static UNUSED double noise(uint64_t *seed)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*seed >> 11) / 9007199254740992.0;
    }
    return sum - 6;
}

#endif
