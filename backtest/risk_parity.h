/*
 * risk_parity.h - weights under which every asset adds the same to the portfolio's risk.
 * Pure functions on the caller's arrays; callable from any thread.
 */
#ifndef BACKTEST_RISK_PARITY_H
#define BACKTEST_RISK_PARITY_H

#include "backtest/kernels.h"
#include "base/attrs.h"

/*
 * Equal risk contribution, long only, sum 1: w_i (S w)_i is the same for all i.
 * The minimum of x' S x / 2 - sum ln x_i, scaled to sum 1, by cyclical coordinate descent:
 * x_i = (-c_i + sqrt(c_i^2 + 4 s_ii)) / (2 s_ii), c_i = sum_{j != i} s_ij x_j.
 *   covariance  n x n, element (i, j) at i * n + j, every diagonal element > 0
 * False when the contributions have not met to 1e-12 after the last allowed sweep; the weights are
 * then the best so far.
 * Sources: S. Maillard, T. Roncalli, J. Teiletche, "The properties of equally weighted risk
 * contribution portfolios", J. of Portfolio Management 36(4), 2010; T. Griveau-Billion, J.-C. Richard,
 * T. Roncalli, "A fast algorithm for computing high-dimensional risk parity portfolios", 2013.
 */
bool risk_parity(const struct kernels *kernels, const double *covariance, size_t n,
                 double *ret_weight) NODISCARD;

/* 1 / sqrt(variance_i), scaled to sum 1; every diagonal element > 0. */
void risk_inverse_volatility(const double *covariance, size_t n, double *ret_weight);

#endif
