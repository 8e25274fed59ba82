/*
 * panel_received.h - the shares that come into a run by spin-offs and are kept; a part of panel_build, not for others.
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

#endif
