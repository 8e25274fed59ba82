/* engine_orders.c - turns wanted changes into trades: rounding, limits, costs, cash; then books them. */
#include "backtest/engine_state.h"

#include "base/date.h"

#include <math.h>

enum { SCALING_ROUNDS = 40 };

/* Mean volume and standard deviation of returns over the sessions before t; NaN when unknown. */
static void look_back(const struct sim *sim, size_t j, size_t t, struct cost_context *context)
{
    const double *volume = sim->panel->volume, *price = sim->ws->column[j];
    size_t window = sim->rules->costs.slippage.window;
    double sum = 0, squares = 0, traded = 0;
    size_t n = 0, n_volumes = 0;

    context->average_volume = context->sigma = (double)NAN;
    if (t < window + 1)
        return;
    for (size_t s = t - window; s < t; s++) {
        double r = price[s] / price[s - 1] - 1;
        double shares =
            volume != NULL ? volume[panel_cell(sim->panel, sim->plan->asset[j], s)] : (double)NAN;
        sum += r;
        squares += r * r;
        n++;
        if (shares >= 0) {
            traded += shares;
            n_volumes++;
        }
    }
    double variance = n > 1 ? (squares - sum * sum / (double)n) / (double)(n - 1) : 0;
    context->sigma = variance > 0 ? sqrt(variance) : 0;
    if (2 * n_volumes > n)
        context->average_volume = traded / (double)n_volumes;
}

void sim_fill_contexts(struct sim *sim, size_t t, size_t n)
{
    const struct cost_model *costs = &sim->rules->costs;
    const double *volume = sim->panel->volume;
    struct civil civil = date_to_civil(sim->panel->clock[t]);
    int32_t month = (int32_t)civil.year * 12 + (int32_t)civil.month;
    double tax = dated_rate_on(costs->tax, costs->n_tax, sim->panel->clock[t]);

    if (month != sim->month) {
        sim->month = month;
        sim->month_traded = 0;
    }
    if (sim->is_plain && sim->recorder == NULL)
        return; /* nobody asks */
    for (size_t i = 0; i < n; i++) {
        size_t j = sim->ws->active[i], a = sim->plan->asset[j];
        struct cost_context *context = &sim->ws->context[i];
        *context = (struct cost_context){
            .share_price = sim_fill_price(sim, j, t) / sim_shares_per_unit(sim, j, t),
            .volume = volume != NULL ? volume[panel_cell(sim->panel, a, t)] : (double)NAN,
            .tax = tax,
            .month_traded = sim->month_traded,
            .is_foreign = sim_is_foreign(sim, a),
            .is_money = sim_is_money(sim, j),
        };
        if (costs->slippage.model >= SLIPPAGE_SQUARE_ROOT)
            look_back(sim, j, t, context);
    }
}

static bool is_too_small(const struct sim_order *order, double size)
{
    return size <= SIM_ROUNDING * order->before || size < order->min_trade;
}

/* The part of a wanted change that whole shares and limits leave; 0: none. */
static double possible_part(const struct sim *sim, const struct sim_order *order, size_t i,
                            double change, bool *is_cut)
{
    const struct cost_context *context = &sim->ws->context[i];
    double held = sim->ws->value[i], size = fabs(change);

    if (is_too_small(order, size))
        return 0;
    bool is_close = fabs(held + change) <= SIM_ROUNDING * order->before;
    double limit = costs_value_limit(&sim->rules->costs, context);
    bool is_limited = size > limit;
    if (is_limited) {
        size = limit;
        *is_cut = true;
        is_close = false;
    }
    if (sim->rules->shares != SHARES_FRACTIONAL && !is_close) {
        double shares = size / context->share_price;
        bool reduces = held * change < 0 && fabs(change) <= fabs(held);
        bool rounds_up = !is_limited && (order->reason == SIM_WITHDRAWAL ||
                                         (reduces && sim->rules->shares == SHARES_WHOLE_DOWN));
        shares = rounds_up ? ceil(shares * (1 - 1e-12)) : floor(shares * (1 + 1e-12));
        size = shares * context->share_price;
        if (rounds_up && size > fabs(held))
            size = fabs(held);
    }
    return change > 0 ? size : -size;
}

/* The part of a wanted change that can be traded; 0: none. */
static inline double tradable_part(const struct sim *sim, const struct sim_order *order, size_t i,
                                   double change, bool *is_cut)
{
    if (sim->is_plain)
        return is_too_small(order, fabs(change)) ? 0 : change;
    return possible_part(sim, order, i, change, is_cut);
}

/* Cash left when the changes are made with purchases scaled to share of what was wanted. */
static double cash_after(struct sim *sim, const struct sim_order *order, const double *wanted,
                         double share, double *ret_bought, bool *is_cut)
{
    double cash = sim->cash, bought = 0;
    for (size_t i = 0; i < order->n; i++) {
        double change = wanted[i] > 0 ? wanted[i] * share : wanted[i];
        change = tradable_part(sim, order, i, change, is_cut);
        double cost = sim_cost_of(sim, i, change) + order->fee_rate * fabs(change);
        cash -= change + cost;
        bought += change > 0 ? change + cost : 0;
    }
    *ret_bought = bought;
    return cash;
}

/* Purchases that the cash does not reach are all cut by one factor, whatever their order. */
static double affordable_share(struct sim *sim, const struct sim_order *order, bool *is_cut)
{
    const double *wanted = sim->ws->change;
    double share = 1, bought = 0, tolerance = SIM_ROUNDING * order->before;

    if (sim->is_plain && isinf(order->floor))
        return share; /* sales: the cash may go anywhere */
    for (size_t round = 0; round < SCALING_ROUNDS; round++) {
        bool cut = false;
        double cash = cash_after(sim, order, wanted, share, &bought, &cut);
        *is_cut = cut;
        if (cash >= order->floor - tolerance || !(bought > 0))
            return share;
        double short_of = order->floor - cash;
        share *= short_of < bought ? (1 - short_of / bought) * (1 - 1e-13) : 0;
    }
    return share;
}

static void record(struct sim *sim, const struct sim_order *order, size_t i, double change)
{
    struct sim_trade *trade = sim_next_trade(sim);
    const struct cost_model *costs = &sim->rules->costs;
    const struct cost_context *context = &sim->ws->context[i];
    size_t j = sim->ws->active[i];
    *trade = (struct sim_trade){.session = (uint32_t)order->t,
                                .asset = (uint32_t)sim->plan->asset[j],
                                .reason = order->reason,
                                .is_buy = change > 0,
                                .quantity = fabs(change) / sim_fill_price(sim, j, order->t),
                                .value = fabs(change)};
    (void)costs_of_trade(costs, context, change, trade->paid);
    sim_record_trade(sim, trade);
    sim_add_proceeds(sim, -change);
    sim->recorder->paid[COST_LIQUIDATION] += order->fee_rate * fabs(change);
    if (costs_falls_back(costs, context))
        sim->recorder->n_volume_fallbacks++;
}

static void book(struct sim *sim, const struct sim_order *order, size_t i, double change,
                 struct sim_traded *traded)
{
    struct sim_workspace *ws = sim->ws;
    size_t j = ws->active[i];
    double price = sim_fill_price(sim, j, order->t), value = ws->value[i] + change;
    double cost = sim_cost_of(sim, i, change);
    double fee = order->fee_rate * fabs(change);

    ws->units[j] = fabs(value) <= SIM_ROUNDING * order->before ? 0 : value / price;
    ws->value[i] = value;
    sim->cash -= change + cost + fee;
    if (!sim_is_money(sim, j)) { /* a conversion is no turnover */
        sim->month_traded += fabs(change);
        traded->value += fabs(change);
    }
    traded->cost += cost + fee;
    if (sim->recorder != NULL)
        record(sim, order, i, change);
}

struct sim_traded sim_execute(struct sim *sim, const struct sim_order *order)
{
    struct sim_traded traded = {0, 0, false};
    double *change = sim->ws->change;
    double share = affordable_share(sim, order, &traded.is_cut);
    bool unused = false;

    for (size_t i = 0; i < order->n; i++) {
        double wanted = change[i] > 0 ? change[i] * share : change[i];
        double part = tradable_part(sim, order, i, wanted, &unused);
        if (fabs(part) > 0)
            book(sim, order, i, part, &traded);
    }
    if (traded.value > 0 && sim->open == NULL)
        sim->traded_at = order->t;
    if (traded.is_cut && sim->recorder != NULL)
        sim->recorder->n_partial_fills++;
    return traded;
}
