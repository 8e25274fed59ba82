/* stats.c - moments, quantiles, regressions; sums in the fixed order of kernels.h so that results never move. */
#include "backtest/stats.h"

#include "backtest/elementary.h"

#include <float.h>
#include <math.h>

void stats_returns(const double *value, size_t n_values, double *ret_r)
{
    kernels_ref.returns(value, n_values, ret_r);
}

struct stats_moments stats_moments_from(struct kernel_range range, size_t n)
{
    struct stats_moments m = {.n = n, .sum = range.sum, .min = range.lowest, .max = range.highest};
    double largest = fmax(fabs(m.min), fabs(m.max));
    m.mean = m.sum / (double)n;
    m.is_zero = !(largest > 0);
    m.is_constant = m.max - m.min <= 4 * DBL_EPSILON * largest;
    return m;
}

void stats_moments_spread(struct stats_moments *m, double sum2)
{
    double count = (double)m->n;
    m->sd = sqrt(sum2 / (count - 1));
    m->sd_population = sqrt(sum2 / count);
}

struct stats_moments stats_moments_short(const double *r, size_t n)
{
    return stats_moments_short_with(&kernels_ref, r, n);
}

struct stats_moments stats_moments_short_with(const struct kernels *kernels, const double *r,
                                              size_t n)
{
    struct stats_moments m = {.n = n, .is_zero = true, .is_constant = true};
    if (n == 0)
        return m;
    m = stats_moments_from(kernels->range(r, n), n);
    if (n >= 2 && !m.is_constant)
        stats_moments_spread(&m, kernels->squares(r, n, m.mean));
    return m;
}

struct stats_moments stats_moments(const double *r, size_t n)
{
    return stats_moments_with(&kernels_ref, r, n);
}

struct stats_moments stats_moments_with(const struct kernels *kernels, const double *r, size_t n)
{
    struct stats_moments m = {.n = n, .is_zero = true, .is_constant = true};
    double count = (double)n;

    if (n == 0)
        return m;
    m = stats_moments_from(kernels->range(r, n), n);
    if (n < 2 || m.is_constant)
        return m;
    struct kernel_powers sum = kernels->powers(r, n, m.mean);
    double variance = sum.p2 / count;
    stats_moments_spread(&m, sum.p2);
    m.skew_population = sum.p3 / count / (variance * m.sd_population);
    m.excess_population = sum.p4 / count / (variance * variance) - 3;
    if (n >= 3)
        m.skew = m.skew_population * sqrt(count * (count - 1)) / (count - 2);
    if (n >= 4)
        m.excess =
            (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * m.excess_population + 6);
    return m;
}

static void swap(double *a, double *b)
{
    double t = *a;
    *a = *b;
    *b = t;
}

/* Moves the k-th smallest of x to x[k], smaller ones before it and larger ones after (Hoare). */
static void select_kth(double *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        double pivot = x[low + (high - low) / 2]; /* never the last: the halves always shrink */
        size_t i = low, j = high;
        for (;;) {
            while (x[i] < pivot)
                i++;
            while (pivot < x[j])
                j--;
            if (i >= j)
                break;
            swap(&x[i++], &x[j--]);
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
}

double stats_quantile(double *x, size_t n, double p)
{
    double h = (double)(n - 1) * p;
    size_t k = (size_t)h;
    if (k >= n - 1)
        k = n - 1;
    select_kth(x, n, k);
    double fraction = h - (double)k;
    if (k == n - 1 || !(fraction > 0))
        return x[k];
    double next = x[k + 1];
    for (size_t i = k + 2; i < n; i++)
        next = x[i] < next ? x[i] : next;
    return x[k] + fraction * (next - x[k]);
}

double stats_downside(const double *r, size_t n, double target)
{
    return sqrt(kernels_ref.gains(r, n, target).losses_squared / (double)n);
}

struct stats_gains stats_gains(const double *r, size_t n, double target)
{
    struct kernel_gains g = kernels_ref.gains(r, n, target);
    return (struct stats_gains){g.gains, g.losses, g.n_gains, g.n_losses};
}

struct stats_pair stats_pair(const double *x, const double *y, size_t n)
{
    return stats_pair_with(&kernels_ref, x, y, n);
}

struct stats_pair stats_pair_with(const struct kernels *kernels, const double *x, const double *y,
                                  size_t n)
{
    struct stats_pair p = {0};
    double count = (double)n;
    p.mean_x = kernels->range(x, n).sum / count;
    p.mean_y = kernels->range(y, n).sum / count;
    struct kernel_pair sum = kernels->pair(x, y, n, p.mean_x, p.mean_y);
    p.covariance = sum.xy / (count - 1);
    p.variance_x = sum.xx / (count - 1);
    p.variance_y = sum.yy / (count - 1);
    return p;
}

bool stats_varies(const double *r, size_t n)
{
    double low = n > 0 ? r[0] : 0, high = low;
    for (size_t i = 1; i < n; i++) {
        low = r[i] < low ? r[i] : low;
        high = r[i] > high ? r[i] : high;
        if (high - low > 4 * DBL_EPSILON * fmax(fabs(low), fabs(high)))
            return true;
    }
    return false;
}

bool stats_autocorrelation(const struct kernels *kernels, const double *r, size_t n,
                           double *ret_rho)
{
    if (n < 3 || !stats_varies(r, n - 1) || !stats_varies(r + 1, n - 1))
        return false;
    struct stats_pair p = stats_pair_with(kernels, r, r + 1, n - 1);
    *ret_rho = p.covariance / sqrt(p.variance_x * p.variance_y);
    return true;
}

double stats_autocorrelation_penalty(double rho, size_t n)
{
    double sum = 0, power = 1, count = (double)n;
    for (size_t k = 1; k < n && power > 1e-20; k++) {
        power *= fabs(rho);
        sum += (count - (double)k) / count * power;
    }
    return sqrt(1 + 2 * sum);
}

double stats_sharpe_variance(double sharpe, double skew, double excess)
{
    return 1 - skew * sharpe + (excess + 2) / 4 * sharpe * sharpe;
}

double stats_psr(double sharpe, double target, size_t n, double skew, double excess)
{
    double variance = stats_sharpe_variance(sharpe, skew, excess);
    return elementary_normal_cdf((sharpe - target) * sqrt((double)(n - 1)) / sqrt(variance));
}

double stats_sharpe_se_iid(double sharpe, size_t n)
{
    return sqrt((1 + sharpe * sharpe / 2) / (double)n);
}

double stats_lo_factor(double q, double rho)
{
    /* sum_{k=1}^{q-1} (q-k) rho^k = rho / (1-rho) (q - (1 - rho^q) / (1-rho)) for whole q. */
    double power = rho < 0 ? 0 : elementary_pow(rho, q);
    if (rho < 0 && !(fabs(q - floor(q)) > 0))
        power = (fmod(q, 2) > 0 ? -1 : 1) * elementary_pow(-rho, q);
    double sum = rho / (1 - rho) * (q - (1 - power) / (1 - rho));
    return q / sqrt(q + 2 * sum);
}

double stats_min_track_record(double sharpe, double target, double skew, double excess,
                              double confidence)
{
    double z = elementary_normal_quantile(confidence) / (sharpe - target);
    return 1 + stats_sharpe_variance(sharpe, skew, excess) * z * z;
}

bool stats_ljung_box(const struct kernels *kernels, const double *r, const struct stats_moments *m,
                     double *scratch, double ret_a[STATS_LJUNG_BOX_LAGS], double *ret_q)
{
    size_t n = m->n;
    double count = (double)n, q = 0;
    if (n <= STATS_LJUNG_BOX_LAGS || m->is_constant)
        return false;
    for (size_t t = 0; t < n; t++)
        scratch[t] = r[t] - m->mean;
    double variance = m->sd_population * m->sd_population * count;
    for (size_t k = 1; k <= STATS_LJUNG_BOX_LAGS; k++) {
        ret_a[k - 1] = kernels->dot(scratch, scratch + k, n - k) / variance;
        q += ret_a[k - 1] * ret_a[k - 1] / (count - (double)k);
    }
    *ret_q = count * (count + 2) * q;
    return true;
}

double stats_chi_square_10_above(double q)
{
    double h = q / 2;
    return elementary_exp(-h) * (1 + h * (1 + h / 2 * (1 + h / 3 * (1 + h / 4))));
}

bool stats_trend(const struct kernels *kernels, const double *y, size_t n, struct stats_trend *ret)
{
    if (n < 3 || !stats_varies(y, n))
        return false;
    double count = (double)n, sxx = count * (count * count - 1) / 12;
    struct kernel_trend sum = kernels->trend(y, n, kernels->range(y, n).sum / count);
    double residual = sum.yy - sum.xy * sum.xy / sxx;
    ret->slope = sum.xy / sxx;
    ret->slope_error = sqrt(fmax(residual, 0) / (count - 2) / sxx);
    ret->r_squared = sum.xy * sum.xy / (sxx * sum.yy);
    return true;
}
