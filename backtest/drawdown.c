/* drawdown.c - one pass over a value path for its declines, and their summary figures. */
#include "backtest/drawdown.h"

#include "backtest/kernels.h"

#include <math.h>
#include <stdlib.h>

void drawdown_path(const double *value, size_t n, double *ret_drawdown)
{
    if (n > 0)
        (void)kernels_ref.declines(value, n, ret_drawdown);
}

size_t drawdown_list(const double *value, size_t n, struct drawdown *ret)
{
    size_t count = 0, peak = 0;
    double lowest = 0;

    for (size_t t = 1; t < n; t++) {
        if (value[t] >= value[peak]) {
            if (peak + 1 < t)
                ret[count++].recovery = t;
            peak = t;
            continue;
        }
        double depth = value[t] / value[peak] - 1;
        if (peak + 1 == t || depth < lowest) {
            lowest = depth;
            ret[count] = (struct drawdown){peak, t, DRAWDOWN_OPEN, depth};
        }
    }
    return count + (n > 0 && peak + 1 < n ? 1 : 0);
}

static int deeper_first(const void *left, const void *right)
{
    const struct drawdown *a = left, *b = right;
    if (a->depth < b->depth || a->depth > b->depth)
        return a->depth < b->depth ? -1 : 1;
    return a->peak < b->peak ? -1 : 1;
}

void drawdown_sort(struct drawdown *list, size_t n)
{
    if (n > 1)
        qsort(list, n, sizeof *list, deeper_first);
}

double drawdown_ulcer(const double *drawdown, size_t n)
{
    return sqrt(kernels_ref.dot(drawdown, drawdown, n) / (double)n);
}

double drawdown_pain(const double *drawdown, size_t n)
{
    return kernels_ref.gains(drawdown, n, 0).losses / (double)n;
}
