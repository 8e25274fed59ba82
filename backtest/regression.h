/*
 * regression.h - least squares of returns on factors, with errors that allow for heteroskedastic and autocorrelated
 * residuals. Pure apart from the arena; callable from any thread.
 * y_t = alpha + beta_1 f_1t + ... + beta_k f_kt + e_t. Coefficient 0 is alpha, per session.
 */
#ifndef BACKTEST_REGRESSION_H
#define BACKTEST_REGRESSION_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { REGRESSION_FACTORS_MAX = 8, REGRESSION_LAG_AUTO = -1 };

struct regression_coefficient {
    double value;
    double se, t,
        p; /* ordinary, divisor n - k - 1; p two-sided, Student's t with as many degrees */
    double hac_se, hac_t, hac_p; /* Newey-West, no small-sample correction; p two-sided, normal */
};

struct regression {
    size_t n, n_factors;
    bool is_known; /* false: too few rows, or factors that depend on each other */
    struct regression_coefficient coefficient[REGRESSION_FACTORS_MAX + 1];
    double r_squared, adjusted_r_squared;
    double residual_sd; /* divisor n - k - 1 */
    size_t lag;         /* of the Bartlett kernel */
};

/*
 * lag: REGRESSION_LAG_AUTO is floor(4 (n / 100)^(2/9)).
 * Source: W. Newey, K. West, "A Simple, Positive Semi-Definite, Heteroskedasticity and Autocorrelation Consistent
 * Covariance Matrix", Econometrica 55(3), 1987; the automatic lag: Newey and West, Review of Economic Studies 61,
 * 1994, in the form of statistical packages.
 * The t of consistent errors is normal in large samples alone (same place, theorem 2); that of ordinary errors is Student's
 * where residuals are normal.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status regression_fit(const double *y, const double *const *factor, size_t n_factors, size_t n,
                           int lag, struct arena *arena, struct regression *ret, struct err *err)
    NODISCARD;

#endif
