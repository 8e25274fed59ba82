/* order.c - a distribution sort: as many buckets as values, then insertion within each. */
#include "backtest/order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    SMALL = 24,   /* values that insertion sorts at once */
    COARSE = 1024 /* buckets of a histogram */
};

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
    size_t at = (size_t)(int64_t)((value - low) * scale); /* signed: one instruction */
    return at < n ? at : n - 1;
}

static bool is_sorted(const double *x, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        if (x[i] < x[i - 1])
            return false;
    }
    return true;
}

static void sort_bucket(double *x, size_t n)
{
    if (n <= SMALL)
        insertion(x, n);
    else if (!is_sorted(x, n))
        qsort(x, n, sizeof *x, ascending);
}

/* -0 and 0 compare equal; one spelling keeps the order of bytes unique. */
static void copy_spelled(const double *x, size_t n, double *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = x[i] + 0.0;
}

void order_sort(const struct kernels *kernels, const double *x, size_t n, double *ret,
                uint32_t *count)
{
    if (n <= SMALL) {
        copy_spelled(x, n, ret);
        insertion(ret, n);
        return;
    }
    struct kernel_range range = kernels->range(x, n);
    double low = range.lowest, high = range.highest;
    size_t n_buckets = 2 * n;
    double scale = (double)n_buckets / (high - low);
    if (!(high > low) || !(scale < 1e300)) {
        copy_spelled(x, n, ret);
        if (high > low)
            qsort(ret, n, sizeof *ret, ascending);
        return;
    }
    memset(count, 0, (n_buckets + 1) * sizeof *count);
    for (size_t i = 0; i < n; i++)
        count[bucket_of(x[i], low, scale, n_buckets) + 1]++;
    uint32_t sum = 0, most = 0;
    for (size_t b = 1; b <= n_buckets; b++) {
        most = count[b] > most ? count[b] : most;
        count[b] = sum += count[b];
    }
    for (size_t i = 0; i < n; i++)
        ret[count[bucket_of(x[i], low, scale, n_buckets)]++] = x[i] + 0.0;
    if (most <= SMALL) {
        insertion(ret, n); /* nothing moves out of its bucket */
        return;
    }
    /* count[b] is now the end of bucket b. */
    for (size_t b = 0, from = 0; b < n_buckets; from = count[b++])
        sort_bucket(ret + from, count[b] - from);
}

/* Equal buckets over the range of x, and how many values lie in each. */
struct histogram {
    double low, scale;
    bool is_spread; /* else all of x is bucket 0 */
    uint32_t count[COARSE];
};

static size_t place_in(const struct histogram *h, double value)
{
    return h->is_spread ? bucket_of(value, h->low, h->scale, COARSE) : 0;
}

static void histogram_take(const struct kernels *kernels, struct histogram *h, const double *x,
                           size_t n)
{
    struct kernel_range range = kernels->range(x, n);
    *h = (struct histogram){.low = range.lowest, .scale = COARSE / (range.highest - range.lowest)};
    h->is_spread = range.highest > h->low && h->scale < 1e300;
    for (size_t i = 0; i < n; i++)
        h->count[place_in(h, x[i])]++;
}

size_t order_tail(const struct kernels *kernels, const double *x, size_t n, size_t wanted,
                  double *ret, double *scratch, uint32_t *count)
{
    struct histogram h;
    size_t last = 0, found = 0;
    histogram_take(kernels, &h, x, n);
    for (size_t sum = h.count[0]; sum < wanted && last + 1 < COARSE; sum += h.count[last])
        last++;
    for (size_t i = 0; i < n; i++) {
        scratch[found] = x[i];
        found += place_in(&h, x[i]) <= last;
    }
    order_sort(kernels, scratch, found, ret, count);
    return found;
}

double order_at(const struct kernels *kernels, const double *x, size_t n, size_t k, double *scratch)
{
    struct histogram h;
    size_t bucket = 0, before = 0, found = 0;
    histogram_take(kernels, &h, x, n);
    while (before + h.count[bucket] <= k)
        before += h.count[bucket++];
    for (size_t i = 0; i < n; i++) {
        scratch[found] = x[i];
        found += place_in(&h, x[i]) == bucket;
    }
    sort_bucket(scratch, found);
    return scratch[k - before] + 0.0;
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
