/* order.c - a distribution sort: as many buckets as values, then insertion within each. */
#include "backtest/order.h"

#include <stdlib.h>
#include <string.h>

enum { SMALL = 24 }; /* values that insertion sorts at once */

static void insertion(double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double value = x[i];
        size_t k = i;
        for (; k > 0 && value < x[k - 1]; k--)
            x[k] = x[k - 1];
        x[k] = value;
    }
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return a < b ? -1 : a > b;
}

/* Index of a value between low and low + n / scale, never above n - 1. */
static size_t bucket_of(double value, double low, double scale, size_t n)
{
    size_t at = (size_t)((value - low) * scale);
    return at < n ? at : n - 1;
}

/* -0 and 0 compare equal; one spelling keeps the order of bytes unique. */
static void range_of(double *x, size_t n, double *ret_low, double *ret_high)
{
    double low = x[0] + 0.0, high = x[0] + 0.0;
    for (size_t i = 0; i < n; i++) {
        x[i] += 0.0;
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    *ret_low = low;
    *ret_high = high;
}

static int is_sorted(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] < x[i - 1])
            return 0;
    }
    return 1;
}

void order_sort(double *x, size_t n, double *scratch, size_t *count)
{
    double low, high;
    if (n < 2)
        return;
    range_of(x, n, &low, &high);
    if (n <= SMALL) {
        insertion(x, n);
        return;
    }
    double scale = (double)n / (high - low);
    if (!(high > low) || !(scale < 1e300)) {
        if (high > low)
            qsort(x, n, sizeof *x, ascending);
        return;
    }
    memset(count, 0, (n + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[bucket_of(x[i], low, scale, n) + 1]++;
    for (size_t i = 0; i < n; i++)
        count[i + 1] += count[i];
    memcpy(scratch, x, n * sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[count[bucket_of(scratch[i], low, scale, n)]++] = scratch[i];
    /* count[b] is now the end of bucket b. */
    for (size_t b = 0, from = 0; b < n; from = count[b++]) {
        size_t many = count[b] - from;
        if (many <= SMALL)
            insertion(x + from, many);
        else if (!is_sorted(x + from, many))
            qsort(x + from, many, sizeof *x, ascending);
    }
}

double order_quantile(const double *sorted, size_t n, double p)
{
    double h = (double)(n - 1) * p;
    size_t k = (size_t)h;
    if (k + 1 >= n)
        return sorted[n - 1];
    return sorted[k] + (h - (double)k) * (sorted[k + 1] - sorted[k]);
}

double order_mean(const double *sorted, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += sorted[i];
    return sum / (double)(to - from);
}

double order_mean_to(const double *sorted, size_t n, double limit)
{
    size_t to = 1;
    while (to < n && sorted[to] <= limit)
        to++;
    return order_mean(sorted, 0, to);
}

double order_mean_from(const double *sorted, size_t n, double limit)
{
    size_t from = n - 1;
    while (from > 0 && sorted[from - 1] >= limit)
        from--;
    return order_mean(sorted, from, n);
}

int order_mean_below(const double *sorted, size_t n, double limit, double *ret)
{
    size_t to = 0;
    while (to < n && sorted[to] < limit)
        to++;
    if (to > 0)
        *ret = order_mean(sorted, 0, to);
    return to > 0;
}

double order_gini(const double *sorted, size_t n)
{
    double sum = 0, count = (double)n;
    for (size_t i = 0; i < n; i++)
        sum += (2 * (double)i - count + 1) * sorted[i];
    return 2 * sum / (count * (count - 1));
}
