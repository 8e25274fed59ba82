/* realised.h - the volatility that a path had. Pure functions; callable from any thread. */
#ifndef BACKTEST_REALISED_H
#define BACKTEST_REALISED_H

#include <stddef.h>

/*
 * Sample deviation (divisor n - 1) of the n = to - from returns value[t] / value[t - 1] - 1, t in (from, to],
 * times sqrt(periods_per_year). NaN with fewer than two returns.
 */
double realised_volatility(const double *value, size_t from, size_t to, double periods_per_year);

#endif
