/*
 * engine_bands.c - decisions by bands: the exact test of a close, and cheaper ones that pass over most of
 * them; step 6 of engine.h. A cheaper test may only err by asking for the exact one.
 */
#include "backtest/engine_state.h"

#include "backtest/kernels.h"

#include <math.h>
#include <string.h>

/* The exact test rounds otherwise than the bounds, and counts a band left at equality. */
static const double SLACK = 1e-9;
static const double PER_NARROW_BAND = 2 / REBALANCE_EPSILON; /* one without room for slack */

bool sim_watches_bands(const struct sim *sim)
{
    return sim->rules->rebalance.when == WHEN_BANDS && sim->is_invested && !sim->is_ruined;
}

/* Bands of the targets in force: their widths, and weights between which none can be left. */
static void set_bands(struct sim *sim)
{
    struct sim_workspace *ws = sim->ws;
    const double *wanted = sim_wanted(sim);

    if (sim->banded == wanted)
        return;
    sim->banded = wanted;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double band = rebalance_band_of(&sim->rules->rebalance.bands, wanted[j]);
        double inside = band > SLACK ? band - SLACK : 0;
        ws->band[j] = band;
        ws->upper[j] = wanted[j] + inside;
        ws->lower[j] = wanted[j] - inside;
        sim->is_short = sim->is_short || wanted[j] < 0;
    }
}

/* Whether every target counts at t. */
static bool is_whole_at(const struct sim *sim, size_t t)
{
    return sim->n_gone == 0 && sim->panel->n_closed[t] == 0;
}

/* Whether weights are shares of the whole wealth, too: what is owed is left out of them. */
static bool is_wealth_at(const struct sim *sim, size_t t)
{
    return is_whole_at(sim, t) && !sim_has_receivable(sim);
}

static bool is_left_out(const struct sim *sim, size_t j, size_t t)
{
    return sim->ws->is_gone[j] || (sim_state(sim, j, t) & PANEL_SUSPENDED);
}

/*
 * Tests the bands on the close of t against the targets as a fill would use them: delisted and
 * suspended targets are left out and the rest are scaled to the invested share. Marks ws->is_breached.
 */
bool sim_is_breached(struct sim *sim, size_t t)
{
    const struct rebalance_bands *bands = &sim->rules->rebalance.bands;
    struct sim_workspace *ws = sim->ws;
    bool is_whole = is_whole_at(sim, t);
    const double *wanted = sim_wanted(sim);
    double invested = sim_invested(sim), value = sim->cash, live = 0, sum_off = 0;
    bool is_all = true, is_outside = false;

    set_bands(sim);
    for (size_t j = 0; j < sim->plan->n; j++) {
        ws->is_breached[j] = false;
        if (!is_whole && is_left_out(sim, j, t)) {
            is_all = false;
            continue;
        }
        value += ws->units[j] * ws->column[j][t];
        live += wanted[j];
    }
    if (!(value > 0))
        return false;
    bool is_scaled = !is_all && fabs(live) > 0 && !sim->rules->leverage.is_allowed;
    double scale = is_scaled ? invested / live : 1;
    for (size_t j = 0; j < sim->plan->n; j++) {
        if (!is_whole && is_left_out(sim, j, t))
            continue;
        double weight = ws->units[j] * ws->column[j][t] / value, target = wanted[j] * scale;
        ws->is_breached[j] = is_whole ? rebalance_is_off(fabs(weight - target), ws->band[j])
                                      : rebalance_is_outside(bands, weight, target);
        is_outside = is_outside || ws->is_breached[j];
        sum_off += fabs(weight - target);
    }
    sum_off += fabs(sim->cash / value - (1 - invested));
    return is_outside || rebalance_portfolio_is_outside(bands, sum_off);
}

/* Marks the sessions of a block on which a band may be left. */
static void mark_suspects(const struct sim *sim, size_t from, size_t n, bool *is_suspect)
{
    const struct rebalance_bands *bands = &sim->rules->rebalance.bands;
    const struct sim_workspace *ws = sim->ws;
    double off_sum[SIM_BLOCK] = {0}, worst[SIM_BLOCK] = {0}, per_value[SIM_BLOCK];

    for (size_t k = 0; k < n; k++)
        per_value[k] = 1 / ws->wealth[from + k];
    for (size_t j = 0; j < sim->plan->n; j++) {
        double per_band = ws->band[j] > SLACK ? 1 / (ws->band[j] - SLACK) : PER_NARROW_BAND;
        struct kernel_target held = {ws->units[j], sim->banded[j], per_band};
        sim->panel->kernels->deviations(ws->column[j] + from, per_value, n, &held, off_sum, worst);
    }
    for (size_t k = 0; k < n; k++)
        is_suspect[k] = !is_wealth_at(sim, from + k) || worst[k] > 1 ||
                        (bands->portfolio > 0 && off_sum[k] > bands->portfolio - SLACK);
}

/* Whether the bounds of the prices say anything about [from, to). */
static bool knows_bounds(const struct sim *sim, size_t from, size_t to)
{
    const struct price_tiles *tiles = sim->ws->tiles;
    if (tiles == NULL || sim->is_short || sim->n_gone > 0 || sim_has_receivable(sim) ||
        sim->rules->rebalance.bands.portfolio > 0)
        return false;
    for (size_t k = from / PRICE_TILE; k * PRICE_TILE < to; k++)
        if (!tiles->is_open[k])
            return false;
    return true;
}

/* Position j on the sessions [from, to): the first on which its band may be left; to: none. */
static size_t first_off(const struct sim *sim, size_t j, size_t from, size_t to)
{
    const struct sim_workspace *ws = sim->ws;
    double units = ws->units[j], upper = ws->upper[j], lower = ws->lower[j];
    for (size_t t = from; t < to; t++) {
        double held = units * ws->column[j][t];
        if (held > upper * ws->wealth[t] || held < lower * ws->wealth[t])
            return t;
    }
    return to;
}

/* False: no position is outside its bounds on any session of a tile whose values are within least and most. */
static bool may_leave_in_tile(const struct sim *sim, size_t tile, double least, double most)
{
    const struct sim_workspace *ws = sim->ws;
    const struct price_tiles *tiles = ws->tiles;
    const size_t *asset = sim->plan->asset, n = sim->plan->n;
    struct kernel_bounds bounds = {ws->units,
                                   tiles->low + tile * tiles->n_assets + asset[0],
                                   tiles->high + tile * tiles->n_assets + asset[0],
                                   ws->lower,
                                   ws->upper,
                                   n};
    bool is_run = asset[n - 1] - asset[0] == n - 1; /* their bounds lie side by side */
    return !is_run || sim->panel->kernels->may_leave(&bounds, least, most);
}

/* False: the exact test would find every band kept at the close of t, whose wealth is known. */
bool sim_may_be_breached(struct sim *sim, size_t t)
{
    const struct sim_workspace *ws = sim->ws;
    double value = ws->wealth[t];
    bool is_off = false;

    if (!(value > 0) || !is_wealth_at(sim, t) || sim->rules->rebalance.bands.portfolio > 0 ||
        sim->is_pending)
        return true; /* what waits goes by the marks of the last close */
    set_bands(sim);
    if (knows_bounds(sim, t, t + 1) && !may_leave_in_tile(sim, t / PRICE_TILE, value, value))
        return false;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double held = ws->units[j] * ws->column[j][t];
        is_off |= held > ws->upper[j] * value || held < ws->lower[j] * value;
    }
    return is_off;
}

/* Within one tile, see first_suspect(). */
static size_t first_suspect_of_tile(const struct sim *sim, size_t from, size_t to)
{
    const struct sim_workspace *ws = sim->ws;
    const struct price_tiles *tiles = ws->tiles;
    const double *low = tiles->low + from / PRICE_TILE * tiles->n_assets;
    const double *high = tiles->high + from / PRICE_TILE * tiles->n_assets;
    struct kernel_range value = sim->panel->kernels->range(ws->wealth + from, to - from);

    if (!(value.lowest > 0))
        return from;
    if (!may_leave_in_tile(sim, from / PRICE_TILE, value.lowest, value.highest))
        return to;
    for (size_t j = 0; j < sim->plan->n; j++) {
        size_t a = sim->plan->asset[j];
        if (ws->units[j] * high[a] > ws->upper[j] * value.lowest ||
            ws->units[j] * low[a] < ws->lower[j] * value.highest)
            to = first_off(sim, j, from, to);
    }
    return to;
}

/* The first session on which any band may be left; to: none. Positions within their bounds are passed over. */
static size_t first_suspect(const struct sim *sim, size_t from, size_t to)
{
    while (from < to) {
        size_t end = (from / PRICE_TILE + 1) * PRICE_TILE;
        end = end < to ? end : to;
        size_t found = first_suspect_of_tile(sim, from, end);
        if (found < end)
            return found;
        from = end;
    }
    return to;
}

/* The first close of [block->from, end) outside a band; end: there is none. */
size_t sim_first_breach(struct sim *sim, const struct sim_block *block, size_t end)
{
    bool is_suspect[SIM_BLOCK] = {false};
    size_t from = block->from;
    double cash = sim->cash;

    set_bands(sim);
    bool has_bounds = knows_bounds(sim, from, end);
    if (!has_bounds)
        mark_suspects(sim, from, end - from, is_suspect);
    for (size_t t = from; t < end; t++) {
        if (has_bounds)
            t = first_suspect(sim, t, end);
        if (t == end || !(has_bounds || is_suspect[t - from]))
            continue;
        if (block->cash != NULL)
            sim->cash = block->cash[t - from];
        if (sim_is_breached(sim, t))
            end = t;
    }
    sim->cash = cash;
    return end;
}

/* Sessions valued at once: whole blocks, or what is left of a tile and, if that is little, the next; all, if few. */
static size_t block_end(const struct sim *sim, size_t from, size_t to)
{
    size_t end = from + SIM_BLOCK;
    if (sim->ws->tiles != NULL && to - from > KERNEL_TILE) {
        end = (from / PRICE_TILE + 1) * PRICE_TILE;
        end += end - from < PRICE_TILE / 2 ? PRICE_TILE : 0;
    }
    return end < to ? end : to;
}

/*
 * sim_play_block() where bands are all that is watched: neither carry nor leverage, so that the cash
 * stays as it is. The event at to is played with them where it is one of the close, which needs no more than the value.
 */
size_t sim_play_bands(struct sim *sim, size_t from, size_t to)
{
    if (!sim_watches_bands(sim)) {
        sim_value_sessions(sim, from, to);
        sim_write_units(sim, from, to);
        return to;
    }
    size_t event = to;
    to = block_end(sim, from, to);
    bool has_close = to == event && sim_acts_at_close_only(sim, event);
    sim_value_sessions(sim, from, has_close ? to + 1 : to);
    size_t fire = sim_first_breach(sim, &(struct sim_block){.from = from, .to = to}, to);
    sim_write_units(sim, from, fire);
    if (fire == to) {
        if (has_close)
            sim_close(sim, to++);
        return to;
    }
    sim->is_breach_known = true;
    sim_close(sim, fire);
    sim->is_breach_known = false;
    return fire + 1;
}
