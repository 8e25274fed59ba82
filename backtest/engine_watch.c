/* engine_watch.c - what a close sets off: ruin, margin call, decision by bands; step 6 of engine.h. */
#include "backtest/engine_state.h"

#include <math.h>
#include <string.h>

static bool watches_bands(const struct sim *sim)
{
    return sim->rules->rebalance.when == WHEN_BANDS && sim->is_invested && !sim->is_ruined;
}

/*
 * Tests the bands on the close of t against the targets as a fill would use them: delisted and
 * suspended targets are left out and the rest are scaled to the invested share. Marks ws->is_breached.
 */
bool sim_is_breached(struct sim *sim, size_t t)
{
    const struct rebalance_bands *bands = &sim->rules->rebalance.bands;
    struct sim_workspace *ws = sim->ws;
    const double *wanted = sim_wanted(sim);
    double invested = sim_invested(sim), value = sim->cash, live = 0, sum_off = 0;
    bool is_all = true, is_outside = false;

    for (size_t j = 0; j < sim->plan->n; j++) {
        ws->is_breached[j] = false;
        if (ws->is_gone[j] || (sim_state(sim, j, t) & PANEL_SUSPENDED)) {
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
        if (ws->is_gone[j] || (sim_state(sim, j, t) & PANEL_SUSPENDED))
            continue;
        double weight = ws->units[j] * ws->column[j][t] / value, target = wanted[j] * scale;
        ws->is_breached[j] = rebalance_is_outside(bands, weight, target);
        is_outside = is_outside || ws->is_breached[j];
        sum_off += fabs(weight - target);
    }
    sum_off += fabs(sim->cash / value - (1 - invested));
    return is_outside || rebalance_portfolio_is_outside(bands, sum_off);
}

/* Marks the sessions of a block on which a band may be left; the exact test follows on those alone. */
static void mark_suspects(const struct sim *sim, size_t from, size_t n, bool *is_suspect)
{
    const struct rebalance_bands *bands = &sim->rules->rebalance.bands;
    const struct sim_workspace *ws = sim->ws;
    double off_sum[SIM_BLOCK] = {0}, worst[SIM_BLOCK] = {0}, per_value[SIM_BLOCK];
    bool any_gone = false;

    for (size_t k = 0; k < n; k++)
        per_value[k] = 1 / ws->wealth[from + k];
    for (size_t j = 0; j < sim->plan->n; j++) {
        double target = sim_wanted(sim)[j], units = ws->units[j];
        double band = rebalance_band_of(bands, target);
        double per_band = band > 0 ? 1 / band : 1e12;
        struct kernel_target held = {units, target, per_band};
        any_gone = any_gone || ws->is_gone[j];
        sim->panel->kernels->deviations(ws->column[j] + from, per_value, n, &held, off_sum, worst);
    }
    for (size_t k = 0; k < n; k++) {
        bool is_whole = !any_gone && sim->panel->n_closed[from + k] == 0;
        is_suspect[k] = !is_whole || worst[k] > 1 - 1e-6 ||
                        (bands->portfolio > 0 && off_sum[k] > bands->portfolio * (1 - 1e-6));
    }
}

/* The first session of a block whose close sets something off; block->to: none does. */
size_t sim_first_fire(struct sim *sim, const struct sim_block *block)
{
    const struct leverage *leverage = &sim->rules->leverage;
    bool is_suspect[SIM_BLOCK];
    size_t from = block->from, end = block->to;
    double cash = sim->cash;

    if (sim->is_ruined)
        return end;
    for (size_t t = from; t < end && leverage->is_allowed; t++) {
        double wealth = sim->ws->wealth[t];
        if (!(wealth > 0) || wealth < leverage->maintenance_margin * block->gross[t - from])
            end = t;
    }
    if (!watches_bands(sim))
        return end;
    mark_suspects(sim, from, end - from, is_suspect);
    for (size_t t = from; t < end; t++) {
        sim->cash = block->cash[t - from];
        if (is_suspect[t - from] && sim_is_breached(sim, t))
            end = t;
    }
    sim->cash = cash;
    return end;
}

/* Everything is closed at these prices; the debt that is left is recorded and forgiven. */
static void ruin(struct sim *sim, size_t t)
{
    struct sim_workspace *ws = sim->ws;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double value = ws->units[j] * ws->column[j][t];
        if (!(fabs(ws->units[j]) > 0))
            continue;
        if (sim->recorder != NULL)
            sim_record_trade(sim, (struct sim_trade){.session = (uint32_t)t,
                                                     .asset = (uint32_t)sim->plan->asset[j],
                                                     .reason = SIM_RUIN,
                                                     .is_buy = ws->units[j] < 0,
                                                     .quantity = fabs(ws->units[j]),
                                                     .value = fabs(value)});
        sim_add_proceeds(sim, value);
        ws->units[j] = 0;
    }
    if (sim->recorder != NULL) {
        sim->recorder->shortfall = -ws->wealth[t];
        sim->recorder->ruined_at = (uint32_t)t;
        sim->recorder->cash[t] = 0;
    }
    sim->cash = 0;
    ws->wealth[t] = 0;
    sim->is_ruined = true;
    sim->is_pending = sim->is_liquidation = false;
}

static void test_margin(struct sim *sim, size_t t)
{
    double gross = 0;
    if (!(sim->ws->wealth[t] > 0)) {
        ruin(sim, t);
        return;
    }
    for (size_t j = 0; j < sim->plan->n; j++)
        gross += fabs(sim->ws->units[j] * sim->ws->column[j][t]);
    if (!(sim->ws->wealth[t] < sim->rules->leverage.maintenance_margin * gross))
        return;
    sim->is_pending = sim->is_liquidation = true;
    sim->is_carried = false;
    sim->ready_at = t + 1;
    if (sim->recorder != NULL)
        sim->recorder->n_margin_calls++;
}

/* With bands: the calendar renews the targets, and a close outside a band is a decision. */
static bool decides(struct sim *sim, size_t t)
{
    bool is_due = false;
    while (sim->next_due < sim->rules->n_due && sim->rules->due[sim->next_due] <= t) {
        sim->next_due++;
        is_due = true;
    }
    if (sim->is_liquidation || sim->next_due == 0)
        return false;
    if (!sim->is_invested)
        return is_due;
    return (is_due || sim->rules->rebalance.when == WHEN_BANDS) && sim_is_breached(sim, t);
}

void sim_close(struct sim *sim, size_t t)
{
    if (sim->rules->leverage.is_allowed && !sim->is_ruined)
        test_margin(sim, t);
    sim_write_units(sim, t, t + 1);
    if (sim->rules->n_flows > 0)
        sim_flows_at_end(sim, t);
    if (sim->rules->rebalance.when == WHEN_CALENDAR || sim->is_ruined || !decides(sim, t))
        return;
    sim->is_pending = true;
    sim->is_carried = false;
    sim->is_partial = sim->is_invested;
    sim->ready_at = t + sim_fill_lag(sim);
    if (sim->ready_at == t && sim_fill(sim, t))
        sim_write_units(sim, t, t + 1);
}
