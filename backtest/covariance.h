/*
 * covariance.h - how the returns of many assets vary together over a window.
 * Pure functions on the caller's arrays; callable from any thread. Sums have a fixed order.
 * Shape: returns of asset a are r[a * n_returns .. (a + 1) * n_returns), oldest first, finite; a
 * covariance is n x n and symmetric, element (i, j) at i * n + j. Unit: per session.
 */
#ifndef BACKTEST_COVARIANCE_H
#define BACKTEST_COVARIANCE_H

#include "backtest/kernels.h"

enum covariance_estimator {
    COVARIANCE_SAMPLE,
    COVARIANCE_EWMA,
    COVARIANCE_LEDOIT_WOLF,
    COVARIANCE_ESTIMATOR_COUNT
};
extern const char *const covariance_names[COVARIANCE_ESTIMATOR_COUNT]; /* "sample", "ewma" ... */

struct covariance_choice {
    enum covariance_estimator estimator;
    double
        decay; /* of ewma: the weight of a return is decay times that of the next; 0 < decay < 1 */
};

/*
 * Fills ret_mean[n] and ret[n * n]; centres r in place (each asset's mean is taken off). n_returns >= 2.
 * Any kernels give the same bits.
 *   sample       divisor T - 1
 *   ewma         S = sum k_t x_t x_t' / sum k_t, k_t = decay^(T-t), around the equally weighted mean;
 *                J.P. Morgan/Reuters, "RiskMetrics - Technical Document", 4th ed., 1996 (decay 0.94
 *                for days; theirs takes the mean as 0)
 *   ledoit_wolf  (1 - k) S + k m I with S of divisor T, m its mean variance and k the shrinkage that
 *                minimises the expected quadratic loss; O. Ledoit, M. Wolf, "A well-conditioned
 *                estimator for large-dimensional covariance matrices", J. Multivariate Analysis 88, 2004
 */
void covariance_estimate(struct covariance_choice choice, const struct kernels *kernels, double *r,
                         size_t n, size_t n_returns, double *ret_mean, double *ret);

/* x' S x; never below 0. */
double covariance_variance(const double *covariance, size_t n, const double *x);

/* ret[i] = (S x)_i. */
void covariance_times(const double *covariance, size_t n, const double *x, double *ret);

#endif
