/* price_tiles.c - bounds of prices, tile by tile. */
#include "backtest/price_tiles.h"

#include "backtest/kernels.h"

static bool is_open(const struct panel *panel, size_t from, size_t to)
{
    size_t n_closed = 0;
    for (size_t t = from; t < to; t++)
        n_closed += panel->n_closed[t];
    return n_closed == 0;
}

enum status price_tiles_init(struct price_tiles *tiles, const struct panel *panel,
                             struct arena *arena, struct err *err)
{
    size_t n = panel->n_assets, n_tiles = (panel->n_sessions + PRICE_TILE - 1) / PRICE_TILE;
    double *low = arena_array(arena, n * n_tiles, sizeof *low);
    double *high = arena_array(arena, n * n_tiles, sizeof *high);
    bool *open = arena_array(arena, n_tiles, sizeof *open);
    if (low == NULL || high == NULL || open == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "The price bounds of %zu assets over %zu sessions need more memory than is "
                       "allowed.",
                       n, panel->n_sessions);
    for (size_t k = 0; k < n_tiles; k++) {
        size_t from = k * PRICE_TILE, rest = panel->n_sessions - from;
        size_t count = rest < PRICE_TILE ? rest : PRICE_TILE;
        for (size_t a = 0; a < n; a++) {
            const double *price = panel->price + panel_cell(panel, a, from);
            struct kernel_range range = panel->kernels->range(price, count);
            low[k * n + a] = range.lowest;
            high[k * n + a] = range.highest;
        }
        open[k] = is_open(panel, from, from + count);
    }
    *tiles = (struct price_tiles){n, low, high, open};
    return STATUS_OK;
}
