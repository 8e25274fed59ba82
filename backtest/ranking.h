/*
 * ranking.h - the best few of many assets by their past return.
 * Pure functions on the caller's arrays; callable from any thread.
 */
#ifndef BACKTEST_RANKING_H
#define BACKTEST_RANKING_H

#include <stddef.h>

/* ret[i] = last / first - 1 of m windows of n_prices each. */
void ranking_returns(const double *const *price, size_t m, size_t n_prices, double *ret);

/*
 * Fills ret_best with the k indices of the highest scores, best first; of equal ones the lower index.
 * Entry `left_out` takes no part (m: all do). Returns how many there are: k or fewer.
 */
size_t ranking_best(const double *score, size_t m, size_t left_out, size_t k, size_t *ret_best);

#endif
