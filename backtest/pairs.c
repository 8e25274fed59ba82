/* pairs.c - joining two price series by date, and how their returns move together. */
#include "backtest/pairs.h"

#include "backtest/elementary.h"
#include "backtest/stats.h"
#include "base/date.h"

#include <math.h>

struct priced priced_within(struct priced series, int32_t from, int32_t to)
{
    size_t end = dates_until(series.date, series.n, to);
    size_t begin = dates_until(series.date, end, from - 1);
    return (struct priced){series.date + begin, series.price + begin, end - begin};
}

size_t pairs_common(struct priced a, struct priced b, int32_t *ret_date, double *ret_a,
                    double *ret_b)
{
    size_t n = 0;
    for (size_t i = 0, k = 0; i < a.n && k < b.n;) {
        if (a.date[i] == b.date[k]) {
            ret_date[n] = a.date[i];
            ret_a[n] = a.price[i++];
            ret_b[n++] = b.price[k++];
        } else if (a.date[i] < b.date[k]) {
            i++;
        } else {
            k++;
        }
    }
    return n;
}

/* In place: x[i] becomes ln(x[i + 1] / x[i]). */
static bool to_log_returns(double *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!(x[i] > 0))
            return false;
    for (size_t i = 0; i + 1 < n; i++)
        x[i] = elementary_log(x[i + 1] / x[i]);
    return true;
}

bool pairs_correlation(double *x, double *y, size_t n, double *ret_correlation, size_t *ret_n)
{
    *ret_n = n == 0 ? 0 : n - 1;
    if (n < 4 || !to_log_returns(x, n) || !to_log_returns(y, n))
        return false;
    if (stats_moments_short(x, n - 1).is_constant || stats_moments_short(y, n - 1).is_constant)
        return false;
    struct stats_pair pair = stats_pair(x, y, n - 1);
    double correlation = pair.covariance / sqrt(pair.variance_x * pair.variance_y);
    if (!isfinite(correlation))
        return false;
    *ret_correlation = correlation > 1 ? 1 : correlation < -1 ? -1 : correlation;
    return true;
}
