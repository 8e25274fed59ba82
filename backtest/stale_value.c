/* stale_value.c - replays the ledger over the sessions on which a market was closed. */
#include "backtest/stale_value.h"

#include <math.h>

struct replay {
    const struct panel *panel;
    const struct sim_recorder *recorder;
    double *units;   /* per position */
    size_t *closing; /* the positions that are closed at some session */
    size_t n_closing, next_trade;
};

static void hold_until(struct replay *p, size_t t)
{
    for (; p->next_trade < p->recorder->n_trades; p->next_trade++) {
        const struct sim_trade *trade = &p->recorder->trades[p->next_trade];
        if (trade->session > t)
            return;
        if (trade->asset < p->panel->n_positions)
            p->units[trade->asset] += trade->is_buy ? trade->quantity : -trade->quantity;
    }
}

static double stale_at(const struct replay *p, size_t t)
{
    double sum = 0;
    for (size_t i = 0; i < p->n_closing; i++) {
        size_t cell = panel_cell(p->panel, p->closing[i], t);
        if (!(p->panel->state[cell] & (PANEL_TRADABLE | PANEL_DELISTED)))
            sum += fabs(p->units[p->closing[i]] * p->panel->price[cell]);
    }
    return sum;
}

enum status stale_value_take(const struct panel *panel, const struct sim_recorder *recorder,
                             const double *wealth, struct arena *arena, struct stale_value *ret,
                             struct err *err)
{
    struct replay p = {.panel = panel, .recorder = recorder};
    struct stale_value stale = {.is_known = recorder->n_trades <= recorder->max_trades};
    size_t n = panel->n_sessions;
    p.units = arena_array(arena, panel->n_positions, sizeof *p.units);
    p.closing = arena_array(arena, panel->n_positions, sizeof *p.closing);
    if (p.units == NULL || p.closing == NULL)
        return err_out_of_memory(err);
    for (size_t a = 0; a < panel->n_positions; a++)
        if (panel->assets[a].stale_sessions > 0)
            p.closing[p.n_closing++] = a;
    for (size_t t = 1; t < n && stale.is_known && p.n_closing > 0; t++) {
        if (panel->n_closed[t] == 0)
            continue;
        hold_until(&p, t);
        double share = wealth[t] > 0 ? stale_at(&p, t) / wealth[t] : 0;
        stale.mean_share += share / (double)(n - 1);
        stale.n_sessions += share > 0 ? 1 : 0;
        if (share > stale.highest_share) {
            stale.highest_share = share;
            stale.highest_at = t;
        }
    }
    *ret = stale;
    return STATUS_OK;
}
