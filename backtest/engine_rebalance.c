/*
 * engine_rebalance.c - the common fill: every target is wanted and open, costs are proportional and nothing limits a
 * trade. One pass of a kernel; the bits of the positions are those of engine_fill.c. Part of step 4 of engine.h.
 */
#include "backtest/engine_state.h"

#include "backtest/kernels.h"

#include <math.h>

/* Whether no target of the row is 0; a row is looked at once while it is in force. */
static bool is_full(struct sim *sim, const double *wanted)
{
    if (sim->full_row == wanted)
        return true;
    for (size_t j = 0; j < sim->plan->n; j++) {
        if (!(fabs(wanted[j]) > 0))
            return false;
    }
    sim->full_row = wanted;
    memcpy(sim->ws->weight, wanted, sim->plan->n * sizeof *wanted);
    return true;
}

bool sim_can_rebalance(struct sim *sim, size_t t)
{
    const struct sim_rules *rules = sim->rules;
    return sim->is_simple && !sim->is_liquidation && !rules->leverage.is_allowed &&
           !fill_is_before_close(rules->fill) && sim->n_gone == 0 && sim->panel->n_closed[t] == 0 &&
           !sim_has_receivable(sim) && is_full(sim, sim_wanted(sim));
}

/* The trades that there is still room for. */
static void list_trades(struct sim *sim, size_t t)
{
    const struct sim_workspace *ws = sim->ws;
    const struct cost_model *costs = &sim->rules->costs;
    const struct panel *panel = sim->panel;
    struct sim_recorder *r = sim->recorder;
    bool is_spread = costs->slippage.model == SLIPPAGE_HALF_SPREAD;
    enum sim_reason reason = sim->is_invested ? SIM_REBALANCE : SIM_INITIAL;

    for (size_t j = 0, i = r->n_trades; j < sim->plan->n && i < r->max_trades; j++) {
        size_t a = sim->plan->asset[j];
        double size = fabs(ws->change[j]), price = ws->price[j],
               slippage = costs->slippage.bps * size;
        if (!(size > 0))
            continue;
        struct sim_trade *trade = &r->trades[i++];
        trade->session = (uint32_t)t; /* one by one: a literal clears the whole of it first */
        trade->asset = (uint32_t)a;
        trade->reason = reason;
        trade->is_buy = ws->change[j] > 0;
        trade->quantity = size / price;
        trade->local_price = panel->assets[a].is_local ? price : panel_local_price(panel, a, t);
        trade->fx = panel_fx_rate(panel, a, t);
        trade->value = size;
        trade->paid[COST_COMMISSION] = costs->commission.percent * size;
        trade->paid[COST_SPREAD] = is_spread ? slippage : 0;
        trade->paid[COST_SLIPPAGE] = is_spread ? 0 : slippage;
        trade->paid[COST_TAX] = trade->paid[COST_FX] = 0;
    }
}

static void record(struct sim *sim, size_t t, const struct kernel_traded *traded)
{
    const struct cost_model *costs = &sim->rules->costs;
    struct sim_recorder *r = sim->recorder;
    enum cost_kind other =
        costs->slippage.model == SLIPPAGE_HALF_SPREAD ? COST_SPREAD : COST_SLIPPAGE;
    double commission = r->paid[COST_COMMISSION], slippage = r->paid[other];

    list_trades(sim, t);
    r->n_trades += traded->n;
    for (size_t j = 0; j < sim->plan->n; j++) {
        commission += costs->commission.percent * fabs(sim->ws->change[j]);
        slippage += costs->slippage.bps * fabs(sim->ws->change[j]);
        sim_record_units(sim, sim->plan->asset[j], t, sim->ws->change[j] / sim->ws->price[j]);
    }
    r->paid[COST_COMMISSION] = commission;
    r->paid[other] = slippage;
    sim_add_proceeds(sim, traded->sold - traded->bought);
}

struct sim_traded sim_rebalance(struct sim *sim, size_t t, double *ret_before)
{
    struct sim_workspace *ws = sim->ws;
    size_t n = sim->plan->n;
    double held = 0;

    for (size_t j = 0; j < n; j++) {
        ws->price[j] = ws->column[j][t];
        ws->value[j] = ws->units[j] * ws->price[j];
        held += ws->value[j];
    }
    double before = *ret_before = sim->cash + held;
    if (!(before > 0))
        return (struct sim_traded){0, 0, false};
    struct kernel_rebalance fill = {.price = ws->price,
                                    .value = ws->value,
                                    .weight = ws->weight,
                                    .n = (n + KERNEL_LANES - 1) / KERNEL_LANES * KERNEL_LANES,
                                    .n_names = n,
                                    .before = before,
                                    .rate = costs_flat_rate(&sim->rules->costs),
                                    .rounding = SIM_ROUNDING,
                                    .units = ws->units,
                                    .change = ws->change,
                                    .turned = ws->target};
    struct kernel_traded traded = sim->panel->kernels->rebalance(&fill);
    if (sim->recorder != NULL)
        record(sim, t, &traded);
    sim->cash = traded.after * (1 - sim_invested(sim));
    ws->wealth[t] = traded.after;
    sim->kept *= traded.after / before;
    return (struct sim_traded){traded.bought + traded.sold, before - traded.after, false};
}
