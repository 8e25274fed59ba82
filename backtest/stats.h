/*
 * stats.h - statistics of a return series, the arithmetic under measure.h.
 * Pure functions: no allocation, no I/O; callable from any thread. Sums run in the order of kernels.h.
 * Shape: r holds n simple per-period returns, oldest first, finite. Unit: fraction (0.01 is 1 %).
 */
#ifndef BACKTEST_STATS_H
#define BACKTEST_STATS_H

#include "backtest/kernels.h"

#include <stdbool.h>
#include <stddef.h>

struct stats_moments {
    size_t n;
    double sum, mean, min, max;
    double sd;                /* divisor n - 1; 0 when n < 2 */
    double sd_population;     /* divisor n */
    double skew_population;   /* g1 = m3 / m2^1.5 */
    double excess_population; /* g2 = m4 / m2^2 - 3 */
    double skew;              /* G1 = g1 sqrt(n (n-1)) / (n-2), n >= 3 */
    double excess;            /* G2 = (n-1) / ((n-2)(n-3)) ((n+1) g2 + 6), n >= 4 */
    bool is_zero;             /* every return is 0 */
    bool is_constant;         /* max - min <= 4 eps max|r|: what differs is rounding */
};

/*
 * Two passes: the mean, then central moments. Constant series have sd, skew and excess 0.
 * Source: D. N. Joanes, C. A. Gill, "Comparing measures of sample skewness and kurtosis", The
 * Statistician 47(1), 1998 (G1 and G2).
 */
struct stats_moments stats_moments(const double *r, size_t n);
/* With the kernels of the caller's choice: the same bits. */
struct stats_moments stats_moments_with(const struct kernels *kernels, const double *r, size_t n);

/* The same without skew and excess, which stay 0; equal bits in the rest. */
struct stats_moments stats_moments_short(const double *r, size_t n);
struct stats_moments stats_moments_short_with(const struct kernels *kernels, const double *r,
                                              size_t n);

/*
 * The two steps of stats_moments_short, for callers that run the kernels of their choice: everything
 * but the spread from range() over n > 0 returns; then sd, for n >= 2 returns that vary, from p2 of
 * powers() around the mean.
 */
struct stats_moments stats_moments_from(struct kernel_range range, size_t n);
void stats_moments_spread(struct stats_moments *m, double sum2);

/* Not is_constant; looks no further than it must. */
bool stats_varies(const double *r, size_t n);

/* Returns of a value path: ret_r[i] = value[i + 1] / value[i] - 1 for the n_values - 1 steps. */
void stats_returns(const double *value, size_t n_values, double *ret_r);

/*
 * Quantile of type 7 (linear, h = (n-1) p), the default of R, NumPy and pandas; reorders x. n > 0.
 * Source: R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American
 * Statistician 50(4), 1996.
 */
double stats_quantile(double *x, size_t n, double p);

/* sqrt(sum min(r - target, 0)^2 / n). n > 0. */
double stats_downside(const double *r, size_t n, double target);

struct stats_gains {
    double gains, losses; /* sums of r - target above and of target - r below it, both >= 0 */
    size_t n_gains, n_losses;
};
struct stats_gains stats_gains(const double *r, size_t n, double target);

/*
 * Pearson correlation of r[1..n) with r[0..n-1). False when n < 3 or either part does not vary.
 */
bool stats_autocorrelation(const struct kernels *kernels, const double *r, size_t n,
                           double *ret_rho);

/* sqrt(1 + 2 sum_{k=1}^{n-1} (n-k)/n |rho|^k): what autocorrelation takes off a Sharpe ratio. */
double stats_autocorrelation_penalty(double rho, size_t n);

/*
 * Variance of a per-period Sharpe ratio times n - 1: 1 - skew SR + (excess + 2) / 4 SR^2, which is
 * 1 - g3 SR + (g4 - 1) / 4 SR^2 with Pearson's g4 = excess + 3.
 * Source: D. Bailey, M. Lopez de Prado, "The Sharpe Ratio Efficient Frontier", J. of Risk 15(2), 2012.
 */
double stats_sharpe_variance(double sharpe, double skew, double excess);

/* Probability that the true Sharpe ratio exceeds target: Phi((SR - target) sqrt(n-1) / sqrt(var)). */
double stats_psr(double sharpe, double target, size_t n, double skew, double excess);

/*
 * Standard error of a per-period Sharpe ratio when returns are independent and normal: sqrt((1 + SR^2/2) / n).
 * The factor that annualises it when returns have first-order autocorrelation rho:
 * q / sqrt(q + 2 sum_{k=1}^{q-1} (q-k) rho^k), in closed form for any q > 0, whole or not.
 * Source: A. W. Lo, "The Statistics of Sharpe Ratios", Financial Analysts Journal 58(4), 2002.
 */
double stats_sharpe_se_iid(double sharpe, size_t n);
double stats_lo_factor(double q, double rho);

/*
 * Observations after which a Sharpe ratio above target is significant at the confidence:
 * 1 + (1 - g3 SR + (g4-1)/4 SR^2) (z / (SR - target))^2. sharpe > target.
 * Source: Bailey and Lopez de Prado 2012, as above.
 */
double stats_min_track_record(double sharpe, double target, double skew, double excess,
                              double confidence);

enum { STATS_LJUNG_BOX_LAGS = 10 };

/*
 * Autocorrelations of lags 1..10 around the one mean, and Q = n (n+2) sum a_k^2 / (n-k).
 * False when n <= 10 or r does not vary. scratch: n values. Source: G. Ljung, G. Box, Biometrika 65(2), 1978.
 */
bool stats_ljung_box(const struct kernels *kernels, const double *r, const struct stats_moments *m,
                     double *scratch, double ret_a[STATS_LJUNG_BOX_LAGS], double *ret_q);

/* Probability that chi-square with 10 degrees of freedom exceeds q: exp(-q/2) sum_{k<5} (q/2)^k / k!. */
double stats_chi_square_10_above(double q);

/*
 * Two-sided probabilities of a value as far from 0 by chance: of Student's t with so many degrees of freedom (whole, > 0), and of
 * the standard normal. I_x(v/2, 1/2) with x = v / (v + t^2), by the continued fraction of DLMF 8.17.22 and Lentz's method
 * (W. Thompson and A. Barnett, J. Computational Physics 64, 1986); absolute accuracy 1e-10 up to 1e6 degrees.
 */
double stats_student_p(double t, double freedom);

/* The t above 0 whose two-sided probability is p, 0 < p < 1. */
double stats_student_quantile(double p, double freedom);
double stats_normal_p(double z);

/* Least squares of y on 1..n. */
struct stats_trend {
    double slope;
    double slope_error; /* standard error, n - 2 degrees of freedom */
    double r_squared;
};
/* False when n < 3 or y does not vary. */
bool stats_trend(const struct kernels *kernels, const double *y, size_t n, struct stats_trend *ret);

struct stats_pair {
    double mean_x, mean_y;
    double covariance, variance_x, variance_y; /* divisor n - 1 */
};
struct stats_pair stats_pair(const double *x, const double *y, size_t n); /* n >= 2 */
struct stats_pair stats_pair_with(const struct kernels *kernels, const double *x, const double *y,
                                  size_t n);

#endif
