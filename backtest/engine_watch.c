/* engine_watch.c - what a close sets off: ruin, margin call, decision; step 6 of engine.h. */
#include "backtest/engine_state.h"

#include <math.h>

/*
 * Whether the margin is missing at the close of t, or at the worst prices of its day: the lows of what is held and the highs
 * of what is short, as if all were at once. A day at whose close something was traded had other positions before.
 * *call: at which prices, where it is; NULL: not wanted.
 */
static bool is_called(const struct sim *sim, size_t t, double wealth, double gross,
                      struct sim_margin_call *call)
{
    const struct leverage *leverage = &sim->rules->leverage;
    const struct panel *panel = sim->panel;
    if (call != NULL)
        *call = (struct sim_margin_call){
            .session = (uint32_t)t, .equity = wealth, .gross = gross, .filled_at = PANEL_NEVER};
    if (wealth < leverage->maintenance_margin * gross)
        return true;
    if (panel->low == NULL || !leverage->tests_extremes || t == sim->traded_at)
        return false;
    gross = 0;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double units = sim_is_money(sim, j) ? 0 : sim->ws->units[j];
        size_t cell = panel_cell(panel, sim->plan->asset[j], t);
        double worst = units < 0 ? panel->high[cell] : panel->low[cell];
        wealth += units * (worst - panel->price[cell]);
        gross += fabs(units) * worst;
    }
    if (call != NULL) {
        call->at_extremes = true;
        call->equity = wealth;
        call->gross = gross;
    }
    return wealth < leverage->maintenance_margin * gross;
}

/* The first session of a block whose close sets something off; block->to: none does. */
size_t sim_first_fire(struct sim *sim, const struct sim_block *block)
{
    const struct leverage *leverage = &sim->rules->leverage;
    size_t end = block->to;

    if (sim->is_ruined)
        return end;
    for (size_t t = block->from; t < end && leverage->is_allowed; t++) {
        double wealth = sim->ws->wealth[t];
        if (!(wealth > 0) || is_called(sim, t, wealth, block->gross[t - block->from], NULL))
            end = t;
    }
    return sim_watches_bands(sim) ? sim_first_breach(sim, block, end) : end;
}

/* Everything is closed at these prices; the debt that is left is recorded and forgiven. */
static void ruin(struct sim *sim, size_t t)
{
    struct sim_workspace *ws = sim->ws;
    for (size_t j = 0; j < sim->plan->n; j++) {
        double value = ws->units[j] * ws->column[j][t];
        if (!(fabs(ws->units[j]) > 0))
            continue;
        if (sim->recorder != NULL) {
            struct sim_trade *trade = sim_next_trade(sim);
            *trade = (struct sim_trade){.session = (uint32_t)t,
                                        .asset = (uint32_t)sim->plan->asset[j],
                                        .reason = SIM_RUIN,
                                        .is_buy = ws->units[j] < 0,
                                        .quantity = fabs(ws->units[j]),
                                        .value = fabs(value)};
            sim_record_trade(sim, trade);
        }
        sim_add_proceeds(sim, value);
        ws->units[j] = 0;
    }
    if (sim->recorder != NULL) {
        sim->recorder->shortfall = -ws->wealth[t];
        sim->recorder->ruined_at = (uint32_t)t;
        sim->recorder->cash[t] = 0;
        if (sim->recorder->shorts != NULL)
            sim->recorder->shorts[t] = 0;
    }
    sim->cash = 0;
    sim_set_receivable(sim, t, 0);
    sim->n_due = 0;
    ws->wealth[t] = 0;
    sim->is_ruined = true;
    sim->is_pending = sim->is_liquidation = false;
}

/* Fixed and minimum fees may cost more than there is: what is owed then ends the run without leverage, too. */
static bool ruin_if_owing(struct sim *sim, size_t t)
{
    if (sim->is_ruined || !(sim->ws->wealth[t] < -SIM_ROUNDING * sim->rules->capital))
        return false;
    ruin(sim, t);
    return true;
}

static void test_margin(struct sim *sim, size_t t)
{
    struct sim_recorder *r = sim->recorder;
    struct sim_margin_call call;
    double gross = 0;
    for (size_t j = 0; j < sim->plan->n; j++)
        gross += sim_is_money(sim, j) ? 0 : fabs(sim->ws->units[j] * sim->ws->column[j][t]);
    if (!(sim->ws->wealth[t] > 0)) {
        if (gross > 0) /* else all was withdrawn */
            ruin(sim, t);
        return;
    }
    if (!is_called(sim, t, sim->ws->wealth[t], gross, &call))
        return;
    sim->is_pending = sim->is_liquidation = true;
    sim->is_carried = false;
    sim->ready_at = t + 1;
    if (r != NULL && r->n_margin_calls++ < SIM_MARGIN_CALLS_MAX)
        r->margin_call[r->n_margin_calls - 1] = call;
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
    if (!is_due && sim->rules->rebalance.when != WHEN_BANDS)
        return false;
    return sim->is_breach_known || (sim_may_be_breached(sim, t) && sim_is_breached(sim, t));
}

void sim_close(struct sim *sim, size_t t)
{
    if (sim->rules->leverage.is_allowed && !sim->is_ruined)
        test_margin(sim, t);
    (void)ruin_if_owing(sim, t);
    sim_write_units(sim, t, t + 1);
    if (sim->rules->n_flows > 0) {
        sim_flows_at_end(sim, t);
        if (ruin_if_owing(sim, t))
            sim_write_units(sim, t, t + 1);
    }
    if (sim->rules->rebalance.when == WHEN_CALENDAR || sim->is_ruined || !decides(sim, t))
        return;
    sim->is_pending = true;
    sim->is_carried = false;
    sim->is_partial = sim->is_invested;
    sim->ready_at = t + sim_fill_lag(sim);
    if (sim->ready_at == t && sim_fill(sim, t)) {
        (void)ruin_if_owing(sim, t);
        sim_write_units(sim, t, t + 1);
    }
}
