/* transform.c - FRED's units, value by value. */
#include "backtest/transform.h"

#include "backtest/elementary.h"
#include "base/date.h"

#include <math.h>

const char *const transform_names[TRANSFORM_COUNT] = {"lin", "chg", "ch1", "pch", "pc1",
                                                      "pca", "cch", "cca", "log"};

static double observations_a_year(struct observed when)
{
    static const double table[FREQUENCY_COUNT] = {
        [FREQUENCY_DAY] = 260,   [FREQUENCY_WEEK] = 52, [FREQUENCY_MONTH] = 12,
        [FREQUENCY_QUARTER] = 4, [FREQUENCY_YEAR] = 1,
    };
    return when.is_seven_day && when.frequency == FREQUENCY_DAY ? 365 : table[when.frequency];
}

static int32_t periods_to_year_ago(struct observed when)
{
    if (when.frequency == FREQUENCY_DAY)
        return when.is_seven_day ? 365 : 364;
    return (int32_t)observations_a_year(when);
}

/* The value observed in that period, looked for from i downwards. */
static double value_at(struct observed when, const double *x, size_t i, int32_t period)
{
    size_t n = dates_until(when.period, i + 1, period);
    return n > 0 && when.period[n - 1] == period ? x[n - 1] : (double)NAN;
}

static double value_before(struct observed when, const double *x, size_t i)
{
    if (when.frequency != FREQUENCY_DAY)
        return value_at(when, x, i, when.period[i] - 1);
    while (i > 0)
        if (isfinite(x[--i]))
            return x[i];
    return (double)NAN;
}

static double log_or_nan(double x)
{
    return x > 0 ? elementary_log(x) : (double)NAN;
}

static double compounded(double ratio, double n)
{
    return ratio > 0 ? elementary_pow(ratio, n) : (double)NAN;
}

static double one(enum transform transform, double x, double before, double n)
{
    switch (transform) {
    case TRANSFORM_LIN:
        return x;
    case TRANSFORM_CHG:
    case TRANSFORM_CH1:
        return x - before;
    case TRANSFORM_PCH:
    case TRANSFORM_PC1:
        return (x / before - 1) * 100;
    case TRANSFORM_PCA:
        return (compounded(x / before, n) - 1) * 100;
    case TRANSFORM_CCH:
        return (log_or_nan(x) - log_or_nan(before)) * 100;
    case TRANSFORM_CCA:
        return (log_or_nan(x) - log_or_nan(before)) * 100 * n;
    case TRANSFORM_LOG:
        return log_or_nan(x);
    case TRANSFORM_COUNT:
        break;
    }
    return (double)NAN;
}

void transform_apply(enum transform transform, struct observed when, const double *x, double *ret)
{
    double n = observations_a_year(when);
    bool is_yearly = transform == TRANSFORM_CH1 || transform == TRANSFORM_PC1;
    bool is_own = transform == TRANSFORM_LIN || transform == TRANSFORM_LOG;
    for (size_t i = when.n; i-- > 0;) { /* backwards: ret may be x */
        double before = (double)NAN;
        if (is_yearly)
            before = value_at(when, x, i, when.period[i] - periods_to_year_ago(when));
        else if (!is_own)
            before = value_before(when, x, i);
        double value = isfinite(x[i]) ? one(transform, x[i], before, n) : (double)NAN;
        ret[i] = isfinite(value) ? value : (double)NAN;
    }
}
