/*
 * coverage.h - which days a portfolio's data can serve: defaults for start and end, and refusals.
 * Pure functions; callable from any thread.
 */
#ifndef BACKTEST_COVERAGE_H
#define BACKTEST_COVERAGE_H

#include "backtest/spec.h"

/* The rows of series up to its delisting. */
size_t coverage_bars(const struct price_series *series);

/*
 * STATUS_OUTSIDE_COVERAGE, naming the series and its coverage, unless its first bar is on or before
 * start and its last one on or after end (a delisted series may end earlier, but not before start).
 */
enum status coverage_check(const struct price_series *series, int32_t start, int32_t end,
                           struct err *err) NODISCARD;

/*
 * Fills spec->start and spec->end where they are DATE_NONE: from the latest first bar (or first
 * exchange rate) of the assets with a weight above 0, to the earliest last bar of those still listed
 * (when none is, to the last delisting). Then checks the window.
 * Errors: STATUS_UNKNOWN_ASSET, STATUS_NO_DATA, STATUS_OUTSIDE_COVERAGE when nothing is common,
 * those of spec_check_window.
 */
enum status coverage_resolve(struct spec *spec, const struct market_data *market, struct err *err)
    NODISCARD;

#endif
