/*
 * smoothing.h - how much a fund's reported returns are averages of those of several periods.
 * Pure functions; callable from any thread.
 * Source: M. Getmansky, A. Lo, I. Makarov, "An econometric model of serial correlation and illiquidity in hedge fund
 * returns", Journal of Financial Economics 74, 2004, in the form of PerformanceAnalytics: r_t = e_t + a e_{t-1} + b e_{t-2},
 * a and b of the greatest exact likelihood, those below 0 taken for 0, and sum w^2 of w = (1, a, b) / (1 + a + b). Returns are
 * not taken from their mean.
 */
#ifndef BACKTEST_SMOOTHING_H
#define BACKTEST_SMOOTHING_H

#include <stdbool.h>
#include <stddef.h>

/*
 * False: fewer than 4 returns, or none that is not 0. 1: no smoothing; 1/3: three equal weights. The maximum is sought by the
 * variable metric method (J. C. Nash, "Compact Numerical Methods for Computers", 2nd ed. 1990, algorithm 21) with the steps,
 * differences and tolerances of R's optim, which stops within about 1e-4 of it: figures agree with R's to more digits than
 * either is right. About 100 passes over r.
 */
bool smoothing_index(const double *r, size_t n, double *ret);

#endif
