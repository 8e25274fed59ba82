/*
 * price_tiles.h - the lowest and highest price of every asset in every few sessions of a panel.
 * Many portfolios over one panel ask the same question - can this position have left its band in these
 * sessions? - and the answer mostly follows from the bounds. A plain value after price_tiles_init(),
 * shared between threads.
 */
#ifndef BACKTEST_PRICE_TILES_H
#define BACKTEST_PRICE_TILES_H

#include "backtest/panel.h"

enum { PRICE_TILE = 16 }; /* sessions; tile k holds those from k * PRICE_TILE on */

struct price_tiles {
    size_t n_assets;
    const double *low, *high; /* tile k, panel column a: [k * n_assets + a] */
    const bool *is_open;      /* per tile: every asset is tradable in all of its sessions */
};

/* Errors: STATUS_TOO_LARGE. */
enum status price_tiles_init(struct price_tiles *tiles, const struct panel *panel,
                             struct arena *arena, struct err *err) NODISCARD;

#endif
