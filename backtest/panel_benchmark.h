/*
 * panel_benchmark.h - the benchmark's column of a panel; a part of panel_build.
 */
#ifndef BACKTEST_PANEL_BENCHMARK_H
#define BACKTEST_PANEL_BENCHMARK_H

#include "backtest/panel.h"

/*
 * Converts panel->benchmark[0..n_sessions), the local price of row[t] (align.h), by rate[t]; NaN without a row or when the
 * row is more than max_stale sessions old. Age counts from the row's date, so that a market that closes later
 * than the clock's own is a session old every day and still fresh.
 */
void panel_benchmark_value(struct panel *panel, const uint32_t *row, const double *rate,
                           unsigned max_stale);

#endif
