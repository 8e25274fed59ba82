/*
 * panel_clock.h - the sessions of a run; the first step of panel_build, not for others.
 */
#ifndef BACKTEST_PANEL_CLOCK_H
#define BACKTEST_PANEL_CLOCK_H

#include "backtest/align.h"
#include "backtest/panel.h"

/*
 * Sets panel->clock, calendar, known_at, n_sessions and trades_every_day from the held assets and the spec's clock, and
 * *ret_clock to the dates with the instants up to which prices may be looked at: known_at, or no limit when
 * sessions are aligned by label.
 * Errors: STATUS_NO_DATA with fewer than two sessions; STATUS_UNKNOWN_ASSET or STATUS_BAD_DATA for the base
 * of the clock; STATUS_TOO_LARGE.
 */
enum status panel_clock_build(struct panel *panel, const struct spec *spec,
                              const struct market_data *market, struct arena *arena,
                              struct dated *ret_clock, struct err *err) NODISCARD;

/*
 * Whether a bar of the asset took place at session t: PANEL_TRADABLE unless it is suspended or delisted.
 * On the union of its own days the bar is dated the session. On another clock, whose day may end before the
 * asset's, it is a bar that was not known at the session before: a decision made then could trade at it.
 */
static inline bool panel_clock_has_bar(const struct panel *panel, const struct spec *spec,
                                       const struct price_series *series, const uint32_t *row,
                                       size_t t)
{
    if (row[t] == ALIGN_NO_ROW)
        return false;
    if (series->date[row[t]] == panel->clock[t])
        return true;
    return spec->clock != CLOCK_UNION && t > 0 && row[t] != row[t - 1];
}

#endif
