/*
 * drawdown.h - declines of a value path from its running peak.
 * Pure functions; callable from any thread. value[0] is the start and counts as the first peak.
 * D_t = V_t / max(V_0..V_t) - 1 <= 0. A decline ends at the first t with V_t >= the old peak: exact,
 * no tolerance.
 */
#ifndef BACKTEST_DRAWDOWN_H
#define BACKTEST_DRAWDOWN_H

#include "backtest/kernels.h"

#include <stddef.h>
#include <stdint.h>

#define DRAWDOWN_OPEN SIZE_MAX /* recovery of a decline that has not recovered */

/* Indexes into the path. */
struct drawdown {
    size_t peak;     /* the last t with D_t = 0 before the decline */
    size_t trough;   /* the first t with the lowest D_t */
    size_t recovery; /* the first t with D_t = 0 again, or DRAWDOWN_OPEN */
    double depth;    /* D at the trough, < 0 */
};

/* ret_drawdown[t] = D_t for all n values. */
void drawdown_path(const double *value, size_t n, double *ret_drawdown);

/* All declines in time order; ret has room for n / 2 + 1. Returns how many. */
size_t drawdown_list(const struct kernels *kernels, const double *value, size_t n,
                     struct drawdown *ret);

/* Deepest first, earlier first among equals. */
void drawdown_sort(struct drawdown *list, size_t n);

/*
 * How many declines there are, and the one that drawdown_sort would put first (untouched when there is none), from the path of
 * D_t and what kernels->declines says of it.
 */
size_t drawdown_deepest(const struct kernels *kernels, const double *drawdown, size_t n,
                        const struct kernel_declines *declines, struct drawdown *ret);

/*
 * The beginning of that order, at least `wanted` of them; the others follow, in an order that depends on the list
 * alone. scratch has room for 3 n values, count for 2 n + 1 numbers.
 */
void drawdown_sort_deepest(const struct kernels *kernels, struct drawdown *list, size_t n,
                           size_t wanted, double *scratch, uint32_t *count);

#endif
