/*
 * rolling_report.h - the rolling windows of a measured path, as its answer lists them.
 * Pure apart from the arena; callable from any thread.
 */
#ifndef BACKTEST_ROLLING_REPORT_H
#define BACKTEST_ROLLING_REPORT_H

#include "backtest/measure.h"
#include "backtest/spec_rolling.h"

struct rolling_report {
    size_t window, n;    /* n windows; the i-th ends at session window + i of the path */
    const int32_t *date; /* of their ends; NULL: the path has no dates */
    const double *value[ROLLING_METRIC_COUNT]; /* n each, NaN: undefined; NULL: not asked for */
};

/*
 * Of the path of in, with its risk-free rate; the benchmark counts when it has a value at every session of the path.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status rolling_report_make(const struct measure_input *in, const struct spec_rolling *asked,
                                struct arena *arena, struct rolling_report *ret, struct err *err)
    NODISCARD;

#endif
