/*
 * pairs.h - two series on the dates they share.
 * Pure functions over borrowed arrays; callable from any thread.
 */
#ifndef BACKTEST_PAIRS_H
#define BACKTEST_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct priced {
    const int32_t *date; /* strictly rising */
    const double *price; /* finite, above 0 where logarithms are taken */
    size_t n;
};

/* The part with from <= date <= to. */
struct priced priced_within(struct priced series, int32_t from, int32_t to);

/* Dates of both and the prices of each on them; room for the shorter one. Returns how many. */
size_t pairs_common(struct priced a, struct priced b, int32_t *ret_date, double *ret_a,
                    double *ret_b);

/*
 * Pearson correlation of log returns from each common date to the next, sample moments (divisor n - 1). x and y
 * hold the n prices of the common dates and are overwritten. False when there are fewer than 3 returns, a price is
 * not above 0, or one side does not vary. ret_n is the number of returns.
 */
bool pairs_correlation(double *x, double *y, size_t n, double *ret_correlation, size_t *ret_n);

#endif
