/*
 * order.h - sorted returns and what is read from them: quantiles and means of tails.
 * Pure functions: no allocation; callable from any thread. Values are finite.
 */
#ifndef BACKTEST_ORDER_H
#define BACKTEST_ORDER_H

#include "backtest/kernels.h"

#include <stddef.h>
#include <stdint.h>

/*
 * x[0..n) ascending into ret, which is elsewhere; n below 2^31. count has room for 2 n + 1 numbers.
 * O(n) for values that are spread over their range; O(n log n) for any. Equal input gives equal bytes.
 */
void order_sort(const struct kernels *kernels, const double *x, size_t n, double *ret,
                uint32_t *count);

/*
 * The beginning of x sorted, at least `wanted` values (n when there are fewer), whole groups of equal values: what
 * order_sort would put there. ret and scratch have room for n values, count for 2 n + 1. Returns how many. n > 0.
 */
size_t order_tail(const struct kernels *kernels, const double *x, size_t n, size_t wanted,
                  double *ret, double *scratch, uint32_t *count);

/* The value that order_sort would put at place k < n; scratch has room for n values. O(n) as above. */
double order_at(const struct kernels *kernels, const double *x, size_t n, size_t k,
                double *scratch);

/*
 * Quantile of sorted values, type 7 (h = (n-1) p, the default of R, NumPy and pandas). n > 0, 0 <= p <= 1.
 * Source: R. J. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American
 * Statistician 50(4), 1996.
 */
double order_quantile(const double *sorted, size_t n, double p);

/* Mean of the sorted values <= limit, >= limit; there must be one. < limit: false when there is none. */
double order_mean_to(const double *sorted, size_t n, double limit);
double order_mean_from(const double *sorted, size_t n, double limit);
int order_mean_below(const double *sorted, size_t n, double limit, double *ret);

/* Mean of sorted[from..to), from < to. */
double order_mean(const double *sorted, size_t from, size_t to);

/*
 * Gini's mean difference 2 / (n (n-1)) sum_{i<j} |x_i - x_j| from the sorted values in one pass:
 * 2 / (n (n-1)) sum_i (2 i - n + 1) x_(i), i from 0. n >= 2.
 */
double order_gini(const double *sorted, size_t n);

#endif
