/*
 * history.h - the prices of the held assets before and during a run, for look-back windows.
 * Built once per run in an arena, read-only afterwards; any number of threads may read it.
 *
 * The sessions before the run are aligned by the rules of panel.h over the days on which every held
 * asset already had prices, so the price of a session is the one that was known then. A session of the
 * run has the same date and the same prices as in the run's own panel.
 */
#ifndef BACKTEST_HISTORY_H
#define BACKTEST_HISTORY_H

#include "backtest/panel.h"

struct history {
    const struct panel
        *panel;   /* held assets, in the columns of the run's panel, and where the strategy
                                  looks at it the benchmark */
    size_t first; /* its session that is session 0 of the run */
};

/*
 * As many of the wanted sessions before the run as the data have; none is no error.
 * Errors: STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY, STATUS_BAD_DATA; the stop's own status.
 */
enum status history_open(const struct spec *spec, const struct market_data *market,
                         const struct panel *run, size_t n_before, struct arena *arena,
                         const struct stop *stop, struct history *ret, struct err *err) NODISCARD;

#endif
