/* engine_fill.c - carries out a waiting decision: step 4 of engine.h. */
#include "backtest/engine_state.h"

#include <math.h>

/* Adds to a sum with its rounding kept apart (Neumaier 1974): many trades, one small difference. */
void sim_add_proceeds(struct sim *sim, double value)
{
    double sum = sim->proceeds + value;
    if (fabs(sim->proceeds) >= fabs(value))
        sim->proceeds_low += (sim->proceeds - sum) + value;
    else
        sim->proceeds_low += (value - sum) + sim->proceeds;
    sim->proceeds = sum;
}

/* Where the next trade is to be written: its place in the list, for a copy costs more than the trade. */
struct sim_trade *sim_next_trade(struct sim *sim)
{
    struct sim_recorder *r = sim->recorder;
    return r->n_trades < r->max_trades ? &r->trades[r->n_trades] : &sim->unlisted;
}

/* trade is what sim_next_trade gave, filled but for price and rate. */
void sim_record_trade(struct sim *sim, struct sim_trade *trade)
{
    struct sim_recorder *r = sim->recorder;
    for (size_t k = 0; k < COST_TRADE_COUNT; k++)
        r->paid[k] += trade->paid[k];
    if (trade != &sim->unlisted) {
        double scale = 1;
        if (sim->open != NULL && trade->reason != SIM_DELISTING) {
            size_t cell = panel_cell(sim->panel, trade->asset, trade->session);
            scale = sim->open[cell] / sim->panel->price[cell];
        }
        trade->local_price = panel_local_price(sim->panel, trade->asset, trade->session) * scale;
        trade->fx = panel_fx_rate(sim->panel, trade->asset, trade->session);
    }
    r->n_trades++;
    sim_record_units(sim, trade->asset, trade->session,
                     trade->is_buy ? trade->quantity : -trade->quantity);
}

/*
 * Lists the targets that can be traded at t in ws->active; *ret_frozen is the value of the suspended
 * ones. False when the fill has to wait.
 */
bool sim_select_active(struct sim *sim, size_t t, size_t *ret_n, double *ret_frozen)
{
    size_t n = 0;
    double frozen = 0;
    bool all_open = sim->panel->n_closed[t] == 0;
    const double *wanted = sim_wanted(sim);

    for (size_t j = 0; j < sim->plan->n; j++) {
        if (sim->ws->is_gone[j] || !(fabs(wanted[j]) > 0 || fabs(sim->ws->units[j]) > 0))
            continue;
        uint8_t state = all_open
                            ? PANEL_TRADABLE
                            : sim->panel->state[panel_cell(sim->panel, sim->plan->asset[j], t)];
        if (state & PANEL_SUSPENDED)
            frozen += sim->ws->units[j] * sim->ws->column[j][t];
        else if (state & PANEL_TRADABLE)
            sim->ws->active[n++] = j;
        else
            return false;
    }
    *ret_n = n;
    *ret_frozen = frozen;
    return n > 0;
}

/* Prices before the close only when every active asset has one: an order is not sized at two moments. */
void sim_choose_prices(struct sim *sim, size_t t, size_t n)
{
    sim->open = NULL;
    if (!fill_is_before_close(sim->rules->fill))
        return;
    const double *open = sim->panel->open;
    for (size_t i = 0; i < n && open != NULL; i++) {
        size_t a = sim->plan->asset[sim->ws->active[i]];
        if (!(open[panel_cell(sim->panel, a, t)] > 0))
            open = NULL;
    }
    sim->open = open;
    if (open == NULL && sim->recorder != NULL)
        sim->recorder->n_open_fallbacks++;
}

void sim_record_flat(struct sim *sim, size_t t, size_t j, double change, enum sim_reason reason)
{
    const struct cost_model *costs = &sim->rules->costs;
    bool is_spread = costs->slippage.model == SLIPPAGE_HALF_SPREAD;
    struct sim_trade *trade = sim_next_trade(sim);
    *trade = (struct sim_trade){.session = (uint32_t)t,
                                .asset = (uint32_t)sim->plan->asset[j],
                                .reason = reason,
                                .is_buy = change > 0,
                                .quantity = fabs(change) / sim_fill_price(sim, j, t),
                                .value = fabs(change)};
    trade->paid[COST_COMMISSION] = sim->flat.commission * fabs(change);
    trade->paid[is_spread ? COST_SPREAD : COST_SLIPPAGE] = sim->flat.slippage * fabs(change);
    sim_record_trade(sim, trade);
    sim_add_proceeds(sim, -change);
}

/* Flat costs, all of every trade: moves the active positions to their targets out of value_after. */
static double trade_all(struct sim *sim, size_t t, size_t n, double value_after)
{
    double traded = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j = sim->ws->active[i];
        double price = sim_fill_price(sim, j, t);
        double target = sim->ws->weight[i] * value_after;
        double change = target - sim->ws->value[i];
        if (fabs(change) <= SIM_ROUNDING * value_after)
            continue;
        sim->ws->units[j] = target * (1 / price); /* as kernels that share 1 / price */
        traded += fabs(change);
        if (sim->recorder != NULL)
            sim_record_flat(sim, t, j, change, sim->is_invested ? SIM_REBALANCE : SIM_INITIAL);
    }
    return traded;
}

/* Costs that are not proportional, whole shares, limits, partial destinations, forced sales. */
static struct sim_traded trade_by_orders(struct sim *sim, size_t t, size_t n, double budget,
                                         double frozen, double invested)
{
    struct sim_workspace *ws = sim->ws;
    double after;
    bool is_partial = sim->is_partial && (sim->rules->rebalance.destination != DESTINATION_TARGET ||
                                          sim->rules->rebalance.scope != SCOPE_ALL);

    sim_fill_contexts(sim, t, n);
    if (sim->is_liquidation)
        sim_set_liquidation(sim, n, budget);
    else if (is_partial)
        sim_set_destinations(sim, n, budget, invested);
    if (sim->is_flat)
        after = costs_value_after(budget, ws->value, ws->weight, n,
                                  costs_flat_rate(&sim->rules->costs));
    else
        after = costs_value_after_model(budget, ws->value, ws->weight, n, &sim->rules->costs,
                                        ws->context);
    for (size_t i = 0; i < n; i++)
        ws->change[i] = ws->weight[i] * after - ws->value[i];
    double debt = after * (1 - invested);
    struct sim_order order = {.t = t,
                              .n = n,
                              .reason = sim->is_invested ? SIM_REBALANCE : SIM_INITIAL,
                              .before = budget + frozen,
                              .floor = debt < 0 ? debt : 0,
                              .min_trade = sim->rules->rebalance.min_trade};
    if (sim->is_liquidation) {
        order.reason = SIM_LIQUIDATION;
        order.floor = -(double)INFINITY;
        order.min_trade = 0;
        order.fee_rate = sim->rules->leverage.liquidation_fee;
    }
    return sim_execute(sim, &order);
}

static void count_rebalance(struct sim *sim, struct sim_traded traded, double before)
{
    struct sim_recorder *r = sim->recorder;
    if (r == NULL || !sim->is_invested || sim->is_liquidation)
        return;
    r->turnover += 0.5 * traded.value / before;
    r->rebalance_cost += traded.cost;
    r->n_rebalances += sim->is_carried ? 0 : 1;
}

/*
 * Any other fill than engine_rebalance.c's. False when it has to wait or nothing is left to invest;
 * *ret_before is the value before it.
 */
static bool fill_active(struct sim *sim, size_t t, struct sim_traded *traded, double *ret_before)
{
    struct sim_workspace *ws = sim->ws;
    const double *wanted = sim_wanted(sim);
    double invested = sim_invested(sim);
    size_t n = 0;
    double frozen = 0;

    if (!sim_select_active(sim, t, &n, &frozen))
        return false;
    sim_choose_prices(sim, t, n);
    sim->full_row = NULL; /* ws->weight is written */
    double active_value = 0, active_weight = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = ws->active[i];
        ws->value[i] = ws->units[j] * sim_fill_price(sim, j, t);
        ws->weight[i] = wanted[j];
        active_value += ws->value[i];
        active_weight += ws->weight[i];
    }
    double budget = sim->cash + active_value;
    sim->is_pending = false;
    if (!(budget > 0)) {
        sim->open = NULL;
        return false; /* ruined: nothing is left to invest */
    }
    if (n < sim->plan->n && fabs(active_weight) > 0 && !sim->rules->leverage.is_allowed) {
        for (size_t i = 0; i < n; i++)
            ws->weight[i] *= invested / active_weight;
    }

    /* Targets that are gone take their share with them where nothing may take their place. */
    if (sim->rules->leverage.is_allowed || !(fabs(active_weight) > 0))
        invested = active_weight;

    frozen += sim->receivable; /* like what is suspended: counted, and left out of the targets */
    *ret_before = budget + frozen;
    if (sim->is_simple && !sim->is_liquidation) {
        double rate = costs_flat_rate(&sim->rules->costs);
        double after = costs_value_after(budget, ws->value, ws->weight, n, rate);
        traded->value = trade_all(sim, t, n, after);
        traded->cost = budget - after;
        sim->cash = after * (1 - invested);
        ws->wealth[t] = after + frozen;
        sim->kept *= fabs(frozen) > 0 ? (double)NAN : after / budget;
    } else {
        *traded = trade_by_orders(sim, t, n, budget, frozen, invested);
        ws->wealth[t] = budget + frozen - traded->cost;
    }
    return true;
}

/* The calls that these forced trades answer. */
static void answer_calls(struct sim *sim, size_t t, struct sim_traded traded)
{
    struct sim_recorder *r = sim->recorder;
    if (r == NULL || !sim->is_liquidation)
        return;
    for (size_t i = 0; i < r->n_margin_calls && i < SIM_MARGIN_CALLS_MAX; i++) {
        struct sim_margin_call *call = &r->margin_call[i];
        if (call->filled_at != PANEL_NEVER)
            continue;
        call->filled_at = (uint32_t)t;
        call->traded = traded.value;
        call->cost = traded.cost;
    }
}

/*
 * Carries out the waiting decision at t if that is possible; wealth[t] and the cash are set when it
 * was. Without limits wealth[t] is what is left after the costs, not the sum of the new positions,
 * which differs by rounding: a first purchase without costs is no gain and no loss.
 */
bool sim_fill(struct sim *sim, size_t t)
{
    struct sim_traded traded = {0, 0, false};
    double before = 0;
    bool is_done = false;

    if (!sim->is_ruined && sim_can_rebalance(sim, t)) {
        traded = sim_rebalance(sim, t, &before);
        is_done = before > 0;
        sim->is_pending = false;
    } else if (!sim->is_ruined) {
        is_done = fill_active(sim, t, &traded, &before);
    } else {
        sim->is_pending = false;
    }
    if (!is_done) {
        sim->is_liquidation = sim->is_liquidation && sim->is_pending;
        return false;
    }
    count_rebalance(sim, traded, before);
    answer_calls(sim, t, traded);
    sim->ws->wealth[t] += sim_round_cash(sim);
    sim->is_liquidation = false;
    sim->to_invest = 0;
    sim->is_carried = traded.is_cut && sim->rules->costs.slippage.carries_unfilled;
    if (sim->is_carried) {
        sim->is_pending = true;
        sim->ready_at = t + 1;
    } else {
        sim->is_invested = true;
    }
    sim->traded_at = sim->open == NULL ? t : sim->traded_at;
    if (sim->open != NULL) {
        sim_value_sessions(sim, t, t + 1);
        sim->open = NULL;
    }
    if (sim->recorder != NULL)
        sim->recorder->cash[t] = sim->cash;
    sim_record_shorts(sim, t, t + 1);
    if (sim->recorder != NULL && sim->recorder->filled_at != NULL)
        sim->recorder->filled_at[sim->next_due - 1] = (uint32_t)t;
    return true;
}
