/*
 * panel_received.h - what comes into a run and is kept: shares by spin-offs, and money of other currencies; a part of
 * panel_build, not for others.
 */
#ifndef BACKTEST_PANEL_RECEIVED_H
#define BACKTEST_PANEL_RECEIVED_H

#include "backtest/panel.h"

struct received {
    const struct price_series **series; /* each once, in the order in which they are met */
    size_t n_of_held; /* the first ones: brought by held assets, or by what these bring */
    size_t n;         /* the rest by assets that only monkeys may draw */
};

/*
 * Walks the gifts of the window from the held columns, which are set, and from the universe. Nothing where spin-offs are
 * sold. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status received_find(struct received *received, const struct panel *panel,
                          const struct spec *spec, const struct market_data *market,
                          struct arena *arena, struct err *err) NODISCARD;

/* How many currencies the market's series have, at most. */
size_t money_most(const struct market_data *market);

/* Money of a currency as a series that is worth 1 of it at every session: "cash:KRW". Errors: STATUS_OUT_OF_MEMORY. */
enum status money_series(const struct panel *panel, const char *currency, struct arena *arena,
                         const struct price_series **ret, struct err *err) NODISCARD;

#endif
