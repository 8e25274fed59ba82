/* engine.c - the simulation loop: jumps from event to event and values the quiet days in between. */
#include "backtest/engine.h"

#include <math.h>
#include <string.h>

const char *const sim_reason_names[SIM_REASON_COUNT] = {
    [SIM_INITIAL] = "initial",
    [SIM_REBALANCE] = "rebalance",
    [SIM_DELISTING] = "delisting",
};

/* A change smaller than this share of the portfolio is rounding, not a trade. */
static const double ROUNDING = 1e-14;

struct sim {
    const struct panel *panel;
    const struct plan *plan;
    const struct sim_rules *rules;
    struct sim_workspace *ws;
    struct sim_recorder *recorder; /* NULL: equity only */
    double cash;
    bool is_pending;  /* a decision waits for its fill */
    bool is_invested; /* the first purchase has been made */
    size_t next_due;  /* index into rules->due; the waiting decision is the one before */
    uint32_t next_delisting;
};

static enum status too_large(size_t n_sessions, size_t max_names, struct err *err)
{
    return err_set(
        err, STATUS_TOO_LARGE,
        "Simulating %zu assets over %zu sessions needs more memory than a request may use.",
        max_names, n_sessions);
}

enum status sim_workspace_init(struct sim_workspace *workspace, struct arena *arena,
                               size_t n_sessions, size_t max_names, struct err *err)
{
    struct sim_workspace w = {.max_names = max_names};
    w.equity = arena_array(arena, n_sessions, sizeof *w.equity);
    w.units = arena_array(arena, max_names, sizeof *w.units);
    w.value = arena_array(arena, max_names, sizeof *w.value);
    w.weight = arena_array(arena, max_names, sizeof *w.weight);
    w.active = arena_array(arena, max_names, sizeof *w.active);
    w.column = arena_array(arena, max_names, sizeof *w.column);
    w.is_gone = arena_array(arena, max_names, sizeof *w.is_gone);
    if (w.equity == NULL || w.units == NULL || w.value == NULL || w.weight == NULL ||
        w.active == NULL || w.column == NULL || w.is_gone == NULL)
        return too_large(n_sessions, max_names, err);
    *workspace = w;
    return STATUS_OK;
}

enum status sim_recorder_init(struct sim_recorder *recorder, struct arena *arena, size_t n_sessions,
                              size_t max_trades, struct err *err)
{
    struct sim_recorder r = {.max_trades = max_trades};
    r.trades = arena_array(arena, max_trades, sizeof *r.trades);
    r.cash = arena_array(arena, n_sessions, sizeof *r.cash);
    if (r.trades == NULL || r.cash == NULL)
        return too_large(n_sessions, 1, err);
    *recorder = r;
    return STATUS_OK;
}

static void record_trade(struct sim *sim, struct sim_trade trade)
{
    struct sim_recorder *r = sim->recorder;
    r->commission += trade.commission;
    r->slippage += trade.slippage;
    if (r->n_trades < r->max_trades) {
        trade.local_price = panel_local_price(sim->panel, trade.asset, trade.session);
        trade.fx = panel_fx_rate(sim->panel, trade.asset, trade.session);
        r->trades[r->n_trades] = trade;
    }
    r->n_trades++;
}

/* The earliest session at which a targeted asset that is still there will be delisted. */
static void find_next_delisting(struct sim *sim)
{
    sim->next_delisting = PANEL_NEVER;
    for (size_t j = 0; j < sim->plan->n; j++) {
        uint32_t at = sim->panel->assets[sim->plan->asset[j]].delisted_at;
        if (!sim->ws->is_gone[j] && at < sim->next_delisting)
            sim->next_delisting = at;
    }
}

/* Step 1: positions delisted by session t become cash. */
static void delist(struct sim *sim, size_t t)
{
    for (size_t j = 0; j < sim->plan->n; j++) {
        size_t a = sim->plan->asset[j];
        const struct panel_asset *asset = &sim->panel->assets[a];
        if (sim->ws->is_gone[j] || asset->delisted_at > t)
            continue;
        double value = sim->ws->units[j] * sim->ws->column[j][t];
        double gain = value * asset->delisting_return;
        if (sim->recorder != NULL && sim->ws->units[j] > 0) {
            record_trade(sim, (struct sim_trade){.session = (uint32_t)t,
                                                 .asset = (uint32_t)a,
                                                 .reason = SIM_DELISTING,
                                                 .quantity = sim->ws->units[j],
                                                 .value = value + gain});
            sim->recorder->delisting_gain += gain;
        }
        sim->cash += value + gain;
        sim->ws->units[j] = 0;
        sim->ws->is_gone[j] = true;
    }
    find_next_delisting(sim);
}

/*
 * Lists the targets that can be traded at t in ws->active; *ret_frozen is the value of the suspended
 * ones. False when the fill has to wait.
 */
static bool select_active(struct sim *sim, size_t t, size_t *ret_n, double *ret_frozen)
{
    size_t n = 0;
    double frozen = 0;
    bool all_open = sim->panel->n_closed[t] == 0;
    const double *wanted = plan_row(sim->plan, sim->next_due - 1);

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

/* Moves the active positions to their targets out of value_after and books what that cost. */
static void trade_active(struct sim *sim, size_t t, size_t n, double before, double value_after)
{
    struct cost_rates rates = sim->rules->costs;
    double traded = 0;

    for (size_t i = 0; i < n; i++) {
        size_t j = sim->ws->active[i];
        double price = sim->ws->column[j][t];
        double target = sim->ws->weight[i] * value_after;
        double change = target - sim->ws->value[i];
        if (fabs(change) <= ROUNDING * value_after)
            continue;
        sim->ws->units[j] = target / price;
        traded += fabs(change);
        if (sim->recorder == NULL)
            continue;
        record_trade(sim,
                     (struct sim_trade){.session = (uint32_t)t,
                                        .asset = (uint32_t)sim->plan->asset[j],
                                        .reason = sim->is_invested ? SIM_REBALANCE : SIM_INITIAL,
                                        .is_buy = change > 0,
                                        .quantity = fabs(change) / price,
                                        .value = fabs(change),
                                        .commission = rates.commission * fabs(change),
                                        .slippage = rates.slippage * fabs(change)});
    }
    if (sim->recorder != NULL && sim->is_invested) {
        sim->recorder->turnover += 0.5 * traded / before;
        sim->recorder->n_rebalances++;
    }
}

/*
 * Step 2: carries out the waiting decision at t if that is possible. Then equity[t] is what is left
 * after the costs, not the sum of the new positions, which differs by rounding: a first purchase
 * without costs is no gain and no loss.
 */
static bool fill(struct sim *sim, size_t t)
{
    struct sim_workspace *ws = sim->ws;
    const double *wanted = plan_row(sim->plan, sim->next_due - 1);
    double invested = plan_invested(sim->plan, sim->next_due - 1);
    size_t n = 0;
    double frozen = 0;

    if (!select_active(sim, t, &n, &frozen))
        return false;
    double active_value = 0, active_weight = 0;
    for (size_t i = 0; i < n; i++) {
        size_t j = ws->active[i];
        ws->value[i] = ws->units[j] * ws->column[j][t];
        ws->weight[i] = wanted[j];
        active_value += ws->value[i];
        active_weight += ws->weight[i];
    }
    double budget = sim->cash + active_value;
    sim->is_pending = false;
    if (!(budget > 0))
        return false; /* ruined: nothing is left to invest */
    for (size_t i = 0; i < n && n < sim->plan->n && fabs(active_weight) > 0; i++)
        ws->weight[i] *= invested / active_weight;

    double rate = costs_total_rate(sim->rules->costs);
    double after = costs_value_after(budget, ws->value, ws->weight, n, rate);
    trade_active(sim, t, n, budget + frozen, after);
    sim->cash = after * (1 - invested);
    sim->is_invested = true;
    ws->equity[t] = after + frozen;
    if (sim->recorder != NULL)
        sim->recorder->cash[t] = sim->cash;
    if (sim->recorder != NULL && sim->recorder->filled_at != NULL)
        sim->recorder->filled_at[sim->next_due - 1] = (uint32_t)t;
    return true;
}

/* Step 3 for sessions [from, to) without events. */
static void value_sessions(struct sim *sim, size_t from, size_t to)
{
    const struct sim_workspace *ws = sim->ws;
    sim->panel->kernels->value(ws->column, ws->units, sim->plan->n, from, to, sim->cash,
                               ws->equity);
    for (size_t t = from; sim->recorder != NULL && t < to; t++)
        sim->recorder->cash[t] = sim->cash;
}

/* Sessions between a decision and the first at which it may be filled. */
static size_t fill_lag(const struct sim *sim)
{
    return sim->rules->fill == FILL_SAME_CLOSE ? 0 : 1;
}

/* The first session from t on at which something other than valuation happens. */
static size_t next_event(const struct sim *sim, size_t t)
{
    size_t event = sim->panel->n_sessions;
    if (sim->is_pending)
        return t;
    if (sim->next_delisting < event)
        event = sim->next_delisting;
    if (sim->next_due < sim->rules->n_due) {
        size_t at = sim->rules->due[sim->next_due] + fill_lag(sim);
        event = at < event ? at : event;
    }
    return event;
}

enum status simulate(const struct panel *panel, const struct plan *plan,
                     const struct sim_rules *rules, struct sim_workspace *workspace,
                     struct sim_recorder *recorder, const struct stop *stop, struct err *err)
{
    struct sim sim = {.panel = panel, .plan = plan, .rules = rules, .ws = workspace};
    sim.recorder = recorder;
    sim.cash = rules->capital;
    for (size_t j = 0; j < plan->n; j++) {
        workspace->units[j] = 0;
        workspace->is_gone[j] = false;
        workspace->column[j] = panel->price + panel_cell(panel, plan->asset[j], 0);
    }
    find_next_delisting(&sim);

    for (size_t t = 0; t < panel->n_sessions;) {
        size_t event = next_event(&sim, t);
        value_sessions(&sim, t, event);
        t = event;
        if (t == panel->n_sessions)
            break;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        if (sim.next_delisting <= t)
            delist(&sim, t);
        while (sim.next_due < rules->n_due && rules->due[sim.next_due] + fill_lag(&sim) <= t) {
            sim.is_pending = true;
            sim.next_due++;
        }
        if (!sim.is_pending || !fill(&sim, t))
            value_sessions(&sim, t, t + 1);
        t++;
    }
    workspace->equity[0] = rules->capital;
    return STATUS_OK;
}
