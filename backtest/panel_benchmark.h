/*
 * panel_benchmark.h - a line of prices beside the columns of a panel: its benchmark, a factor.
 */
#ifndef BACKTEST_PANEL_BENCHMARK_H
#define BACKTEST_PANEL_BENCHMARK_H

#include "backtest/panel.h"

/*
 * Converts line[0..n_sessions), the local price of series at row[t] (align.h), by rate[t]; NaN without a row or when the
 * row is more than max_stale sessions old. Age counts from the row's date, so that a market that closes later
 * than the clock's own is a session old every day and still fresh.
 */
void panel_line_value(const struct panel *panel, const struct price_series *series,
                      const uint32_t *row, const double *rate, unsigned max_stale, double *line);

#endif
