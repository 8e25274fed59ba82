/*
 * transform.h - a series as changes, growth rates or logarithms of itself, by the names and formulas of FRED.
 * Pure functions; callable from any thread.
 * Source: Federal Reserve Bank of St. Louis, FRED API, fred/series/observations, parameter "units":
 *   lin x_t                                chg x_t - x_{t-1}             ch1 x_t - x_{t-n}
 *   pch (x_t / x_{t-1} - 1) 100            pc1 (x_t / x_{t-n} - 1) 100   pca ((x_t / x_{t-1})^n - 1) 100
 *   cch (ln x_t - ln x_{t-1}) 100          cca (ln x_t - ln x_{t-1}) 100 n                  log ln x_t
 * n observations a year: 260 for days (weekdays; 365 for markets that never close), 52, 12, 4, 1.
 */
#ifndef BACKTEST_TRANSFORM_H
#define BACKTEST_TRANSFORM_H

#include "backtest/period.h"

#include <stdbool.h>
#include <stddef.h>

enum transform {
    TRANSFORM_LIN,
    TRANSFORM_CHG,
    TRANSFORM_CH1,
    TRANSFORM_PCH,
    TRANSFORM_PC1,
    TRANSFORM_PCA,
    TRANSFORM_CCH,
    TRANSFORM_CCA,
    TRANSFORM_LOG,
    TRANSFORM_COUNT
};
extern const char *const transform_names[TRANSFORM_COUNT]; /* "lin", "chg" ... */

/* When the n values were observed: one to a period, oldest first. */
struct observed {
    const int32_t *period; /* numbers of period_index for frequency, strictly rising */
    size_t n;
    enum frequency frequency;
    bool is_seven_day; /* days without weekends */
};

/*
 * ret[i] from x[0..n). A missing value is NaN, in and out.
 * x_{t-1} is the period before t, missing when it was not observed; for days, the last one that has a value,
 * because a series has no rows for days without trading. x_{t-n} is the same period a year before: 52 weeks,
 * 12 months, 4 quarters, 1 year; for days 364 days (260 weekdays) or, without weekends off, 365.
 * Ratios to 0, logarithms of what is not above 0 and results that are not finite are missing too.
 */
void transform_apply(enum transform transform, struct observed when, const double *x, double *ret);

#endif
