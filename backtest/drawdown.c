/* drawdown.c - one pass over a value path for its declines, and their summary figures. */
#include "backtest/drawdown.h"

#include "backtest/order.h"

#include <math.h>
#include <stdbool.h>

void drawdown_path(const double *value, size_t n, double *ret_drawdown)
{
    if (n > 0)
        (void)kernels_ref.declines(value, n, ret_drawdown);
}

size_t drawdown_list(const struct kernels *kernels, const double *value, size_t n,
                     struct drawdown *ret)
{
    size_t count = 0;
    for (size_t peak = 0; peak + 1 < n;) {
        if (value[peak + 1] >= value[peak]) {
            peak++;
            continue;
        }
        struct kernel_fall fall = kernels->fall(value + peak, n - peak);
        size_t end = peak + fall.end;
        ret[count++] = (struct drawdown){peak, peak + fall.trough, end < n ? end : DRAWDOWN_OPEN,
                                         fall.lowest / value[peak] - 1};
        peak = end;
    }
    return count;
}

static bool is_deeper(const struct drawdown *a, const struct drawdown *b)
{
    if (a->depth < b->depth || a->depth > b->depth)
        return a->depth < b->depth;
    return a->peak < b->peak;
}

/* Shell's sort with Ciura's gaps: the order is total, so that no way of sorting gives another. */
void drawdown_sort(struct drawdown *list, size_t n)
{
    static const size_t gaps[] = {1750, 701, 301, 132, 57, 23, 10, 4, 1};
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++)
        for (size_t i = gaps[g]; i < n; i++) {
            struct drawdown moved = list[i];
            size_t k = i;
            for (; k >= gaps[g] && is_deeper(&moved, &list[k - gaps[g]]); k -= gaps[g])
                list[k] = list[k - gaps[g]];
            list[k] = moved;
        }
}

size_t drawdown_deepest(const struct kernels *kernels, const double *drawdown, size_t n,
                        const struct kernel_declines *declines, struct drawdown *ret)
{
    size_t count = 0;
    if (!(declines->lowest < 0))
        return 0;
    for (size_t t = 1; t < n; t++)
        count += (drawdown[t] < 0) & !(drawdown[t - 1] < 0);
    size_t trough = kernels->find(drawdown, n, declines->lowest), peak = trough, end = trough;
    while (peak > 0 && drawdown[peak] < 0)
        peak--;
    while (end < n && drawdown[end] < 0)
        end++;
    *ret = (struct drawdown){peak, trough, end < n ? end : DRAWDOWN_OPEN, declines->lowest};
    return count;
}

void drawdown_sort_deepest(const struct kernels *kernels, struct drawdown *list, size_t n,
                           size_t wanted, double *scratch, uint32_t *count)
{
    double *depth = scratch, *deepest = scratch + n;
    size_t n_first = 0;
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        depth[i] = list[i].depth;
    size_t found = order_tail(kernels, depth, n, wanted, deepest, scratch + 2 * n, count);
    for (size_t i = 0; i < n; i++) {
        struct drawdown moved = list[i];
        if (moved.depth > deepest[found - 1])
            continue;
        list[i] = list[n_first];
        list[n_first++] = moved;
    }
    drawdown_sort(list, n_first);
}
