/*
 * succession.h - raw prices of shares that become others: what is quoted under one name goes on as what its holders were
 * given. Pure apart from the arena; any thread. Done once for a run's market, before anything reads it.
 *
 * Rename   from its date on the series consists of the bars of the new name, one unit for one.
 * Merger   likewise, with a split of ratio new units for one old one, and the cash of one old unit as a dividend of
 *          cash / ratio for each new one. Without units (ratio 0) the series ends that day, and the cash is what a
 *          delisting leaves.
 * Spin-off one unit is given ratio units of another: a gift of the first bar on or after both the ex-date and the
 *          other's first price, worth ratio times the other's close, known when both are. See basis.h for what becomes of
 *          it.
 * Adjusted closes go on at the total return of the change.
 */
#ifndef BACKTEST_SUCCESSION_H
#define BACKTEST_SUCCESSION_H

#include "backtest/market.h"

/* One name may become another, and that again another, this many times. */
enum { SUCCESSION_DEPTH_MAX = 8 };

/* Whether the change needs the prices of the other instrument. */
bool change_needs_other(const struct series_change *change);

/*
 * Applies the changes of all series; market->series is replaced by a copy when there are any.
 * Errors: STATUS_BAD_DATA naming the uid, the date and what is wrong: no prices of the other, another currency, a ratio
 * or cash that cannot be, a circle; STATUS_OUT_OF_MEMORY.
 */
enum status market_follow(struct market_data *market, struct arena *arena, struct err *err)
    NODISCARD;

#endif
