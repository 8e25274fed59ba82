/* engine.c - the simulation loop: jumps from event to event and values the quiet days in between. */
#include "backtest/engine_state.h"

#include "backtest/kernels.h"
#include "base/date.h"

#include <math.h>
#include <string.h>

const char *const sim_reason_names[SIM_REASON_COUNT] = {
    [SIM_INITIAL] = "initial",
    [SIM_REBALANCE] = "rebalance",
    [SIM_DELISTING] = "delisting",
    [SIM_CONTRIBUTION] = "contribution",
    [SIM_WITHDRAWAL] = "withdrawal",
    [SIM_LIQUIDATION] = "liquidation",
    [SIM_RUIN] = "ruin",
    [SIM_SPIN_OFF] = "spin_off",
    [SIM_INCOME] = "income",
};

enum { BLOCK_LINES = 4 };

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
    w.equity = arena_room(arena, n_sessions, sizeof *w.equity);
    w.wealth = w.equity;
    size_t n_lanes = max_names + KERNEL_LANES - 1; /* a fill goes by whole lanes */
    w.units = arena_array(arena, n_lanes, sizeof *w.units);
    w.price = arena_array(arena, n_lanes, sizeof *w.price);
    w.value = arena_array(arena, n_lanes, sizeof *w.value);
    w.weight = arena_array(arena, n_lanes, sizeof *w.weight);
    w.change = arena_array(arena, n_lanes, sizeof *w.change);
    w.target = arena_array(arena, n_lanes, sizeof *w.target);
    w.context = arena_array(arena, max_names, sizeof *w.context);
    w.active = arena_array(arena, max_names, sizeof *w.active);
    w.column = arena_array(arena, max_names, sizeof *w.column);
    w.is_gone = arena_array(arena, max_names, sizeof *w.is_gone);
    w.is_breached = arena_array(arena, max_names, sizeof *w.is_breached);
    w.band = arena_array(arena, max_names, sizeof *w.band);
    w.upper = arena_array(arena, max_names, sizeof *w.upper);
    w.lower = arena_array(arena, max_names, sizeof *w.lower);
    w.block = arena_array(arena, (size_t)BLOCK_LINES * SIM_BLOCK, sizeof *w.block);
    if (w.equity == NULL || w.units == NULL || w.price == NULL || w.value == NULL ||
        w.weight == NULL || w.change == NULL || w.target == NULL || w.context == NULL ||
        w.active == NULL || w.column == NULL || w.is_gone == NULL || w.is_breached == NULL ||
        w.band == NULL || w.upper == NULL || w.lower == NULL || w.block == NULL)
        return too_large(n_sessions, max_names, err);
    *workspace = w;
    return STATUS_OK;
}

enum status sim_workspace_add_wealth(struct sim_workspace *workspace, struct arena *arena,
                                     size_t n_sessions, struct err *err)
{
    double *wealth = arena_array(arena, n_sessions, sizeof *wealth);
    if (wealth == NULL)
        return too_large(n_sessions, workspace->max_names, err);
    workspace->wealth = wealth;
    return STATUS_OK;
}

enum status sim_recorder_init(struct sim_recorder *recorder, struct arena *arena, size_t n_sessions,
                              size_t max_trades, struct err *err)
{
    struct sim_recorder r = {
        .max_trades = max_trades, .exhausted_at = PANEL_NEVER, .ruined_at = PANEL_NEVER};
    r.trades = arena_room(arena, max_trades, sizeof *r.trades);
    r.cash = arena_room(arena, n_sessions, sizeof *r.cash);
    if (r.trades == NULL || r.cash == NULL)
        return too_large(n_sessions, 1, err);
    *recorder = r;
    return STATUS_OK;
}

enum status sim_recorder_add_shorts(struct sim_recorder *recorder, struct arena *arena,
                                    size_t n_sessions, struct err *err)
{
    recorder->shorts = arena_array(arena, n_sessions, sizeof *recorder->shorts);
    return recorder->shorts != NULL ? STATUS_OK : too_large(n_sessions, 1, err);
}

enum status sim_recorder_add_flows(struct sim_recorder *recorder, struct arena *arena,
                                   size_t n_sessions, struct err *err)
{
    recorder->flows = arena_array(arena, 2 * n_sessions, sizeof *recorder->flows);
    return recorder->flows != NULL ? STATUS_OK : too_large(n_sessions, 1, err);
}

enum status sim_workspace_add_dues(struct sim_workspace *workspace, struct arena *arena,
                                   const struct panel *panel, struct err *err)
{
    if (!panel->has_receivables)
        return STATUS_OK;
    workspace->due = arena_array(arena, panel->n_events, sizeof *workspace->due);
    return workspace->due != NULL ? STATUS_OK
                                  : too_large(panel->n_sessions, workspace->max_names, err);
}

enum status sim_recorder_add_receivables(struct sim_recorder *recorder, struct arena *arena,
                                         size_t n_sessions, struct err *err)
{
    recorder->receivables = arena_array(arena, n_sessions, sizeof *recorder->receivables);
    return recorder->receivables != NULL ? STATUS_OK : too_large(n_sessions, 1, err);
}

enum status sim_recorder_add_fractions(struct sim_recorder *recorder, struct arena *arena,
                                       const struct panel *panel, enum shares_rule shares,
                                       struct err *err)
{
    if (shares == SHARES_FRACTIONAL || panel->n_events == 0)
        return STATUS_OK;
    recorder->fractions = arena_array(arena, panel->n_events, sizeof *recorder->fractions);
    return recorder->fractions != NULL ? STATUS_OK : too_large(panel->n_sessions, 1, err);
}

double sim_costs_paid(const struct sim_recorder *recorder)
{
    double sum = 0;
    for (size_t k = 0; k < COST_COUNT; k++)
        sum += recorder->paid[k];
    return sum;
}

double sim_residual(const struct sim_recorder *r, double capital, double final_wealth)
{
    double gross = capital + r->contributed - r->withdrawn + r->gain + r->cash_interest +
                   r->rounding + r->shortfall;
    return final_wealth - (gross - sim_costs_paid(r));
}

/* Without bands a decision is looked at when it may be filled; with them, on its own close. */
static size_t decision_lag(const struct sim *sim)
{
    return sim->rules->rebalance.when == WHEN_CALENDAR ? sim_fill_lag(sim) : 0;
}

/* Under bands a due session renews the targets; with the same row again nothing happens. */
static bool renews_targets(const struct sim *sim)
{
    return sim->rules->rebalance.when != WHEN_BANDS || !sim->is_invested || sim->plan->stride != 0;
}

/* The first session from t on at which something other than valuation happens. */
static size_t next_event(struct sim *sim, size_t t)
{
    size_t event = sim->panel->n_sessions;
    if (sim->is_ruined)
        return event; /* nothing is held, and nothing comes */
    if (sim->is_pending) {
        event = sim->ready_at > t ? sim->ready_at : t;
        if (event == t)
            return t;
    }
    if (sim->next_delisting < event)
        event = sim->next_delisting;
    if (sim->next_due < sim->rules->n_due && renews_targets(sim)) {
        size_t at = sim->rules->due[sim->next_due] + decision_lag(sim);
        event = at < event ? at : event;
    }
    if (sim->rules->n_flows > 0) {
        size_t at = sim_next_flow_session(sim, t);
        event = at < event ? at : event;
    }
    uint32_t paid = sim->panel->n_events > 0 ? sim_next_event(sim) : PANEL_NEVER;
    return paid < event ? paid : event;
}

bool sim_acts_at_close_only(struct sim *sim, size_t t)
{
    const struct sim_rules *rules = sim->rules;
    bool is_filled = sim->is_pending && sim->ready_at <= t;
    bool is_moved = sim->owed > 0 || (sim->to_invest > 0 && sim->invest_at <= t);
    bool is_paid = sim->next_flow < rules->n_flows && rules->flows[sim->next_flow].at_start &&
                   rules->flows[sim->next_flow].session <= t;
    return t < sim->panel->n_sessions && rules->rebalance.when == WHEN_BANDS && sim->is_quiet &&
           !is_filled && !is_moved && !is_paid && sim->next_delisting > t &&
           (sim->panel->n_events == 0 || sim_next_event(sim) > t);
}

/* A calendar decision whose fill may take place at t replaces the one that waits. */
static void take_due_decisions(struct sim *sim, size_t t)
{
    if (sim->rules->rebalance.when != WHEN_CALENDAR)
        return;
    while (sim->next_due < sim->rules->n_due &&
           sim->rules->due[sim->next_due] + decision_lag(sim) <= t) {
        sim->next_due++;
        if (sim->is_liquidation)
            continue; /* a forced sale comes first and takes the decision's place */
        sim->is_pending = true;
        sim->is_carried = false;
        sim->is_partial = sim->is_invested;
        sim->ready_at = t;
    }
}

/* Plays session t, at which something may happen. */
static void play_session(struct sim *sim, size_t t)
{
    bool is_filled = false;

    if (sim->is_watched && !sim->is_quiet && t > 0)
        sim_carry(sim, t);
    sim_apply_events(sim, t);
    if (sim->rules->n_flows > 0)
        sim_flows_at_start(sim, t);
    take_due_decisions(sim, t);
    if (sim->is_pending && sim->ready_at <= t)
        is_filled = sim_fill(sim, t);
    if (sim->rules->n_flows > 0)
        sim_flow_orders(sim, t, &is_filled);
    if (!is_filled)
        sim_value_sessions(sim, t, t + 1);
    sim_close(sim, t);
}

bool sim_rules_are_simple(const struct sim_rules *rules)
{
    const struct rebalance_rule *rebalance = &rules->rebalance;
    return costs_are_flat(&rules->costs) && rules->shares == SHARES_FRACTIONAL &&
           !(rules->cash_units > 0) && !(rebalance->min_trade > 0) &&
           rebalance->scope == SCOPE_ALL && rebalance->destination == DESTINATION_TARGET;
}

static void start(struct sim *sim)
{
    const struct sim_rules *rules = sim->rules;
    struct sim_workspace *ws = sim->ws;

    sim->cash = rules->capital;
    sim->unit_scale = 1;
    sim->traded_at = SIZE_MAX;
    sim->unit = rules->capital;
    bool has_money = sim->panel->has_money; /* its trades cost otherwise */
    sim->is_flat = costs_are_flat(&rules->costs) && !has_money;
    sim->flat = costs_flat(&rules->costs);
    sim->is_plain = sim->is_flat && rules->shares == SHARES_FRACTIONAL && !(rules->cash_units > 0);
    sim->is_simple = sim_rules_are_simple(rules) && !has_money;
    sim->kept = 1;
    sim->is_watched = rules->financing.day_basis > 0 || rules->leverage.is_allowed ||
                      rules->rebalance.when == WHEN_BANDS;
    sim->is_quiet = !(rules->financing.day_basis > 0) && !rules->leverage.is_allowed;
    for (size_t j = 0; j < sim->plan->n; j++) {
        ws->units[j] = 0;
        ws->is_gone[j] = false;
        ws->is_breached[j] = false;
        ws->column[j] = sim->panel->price + panel_cell(sim->panel, sim->plan->asset[j], 0);
    }
    for (size_t j = sim->plan->n; j % KERNEL_LANES != 0; j++) { /* no trade, whatever was here */
        ws->price[j] = 1;
        ws->units[j] = ws->value[j] = ws->weight[j] = 0;
    }
    for (size_t e = 0; sim->panel->has_receivables && e < sim->panel->n_events; e++)
        ws->due[e] = 0;
    sim_find_next_delisting(sim);
}

/* The line starts at the capital; what the positions are worth at the end completes what they gained. */
static void finish(struct sim *sim)
{
    struct sim_recorder *r = sim->recorder;
    sim->ws->equity[0] = sim->ws->wealth[0] = sim->rules->capital;
    sim_record_receivables(sim, sim->panel->n_sessions);
    if (r == NULL)
        return;
    sim_add_proceeds(sim, sim_position_value(sim, sim->panel->n_sessions - 1));
    for (size_t j = 0; j < sim->plan->n; j++)
        sim_record_units(sim, sim->plan->asset[j], sim->panel->n_sessions - 1, -sim->ws->units[j]);
    r->gain = sim->proceeds + sim->proceeds_low + r->paid[COST_EXPENSE]; /* prices are net of it */
    r->kept = sim->kept;
}

/* Plays sessions up to until; blocks that are watched may go a little further. */
static enum status advance(struct sim *sim, size_t until, const struct stop *stop, struct err *err)
{
    while (sim->at < until) {
        size_t t = sim->at, event = next_event(sim, t);
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        if (sim->is_watched && t < event) {
            /* What is seen on a close may come before the event. */
            sim->at = sim->is_quiet ? sim_play_bands(sim, t, event) : sim_play_block(sim, t, event);
            continue;
        }
        size_t end = event < until ? event : until;
        size_t from = !sim->is_end_only ? t : end == sim->panel->n_sessions ? end - 1 : end;
        sim_value_sessions(sim, from, end);
        sim_write_units(sim, from, end);
        sim->at = end;
        if (end < until)
            play_session(sim, sim->at++);
    }
    return STATUS_OK;
}

static void begin(struct sim *sim, const struct panel *panel, const struct sim_game *game)
{
    *sim = (struct sim){.panel = panel,
                        .plan = game->plan,
                        .rules = game->rules,
                        .ws = game->workspace,
                        .recorder = game->recorder};
    start(sim);
    sim->is_end_only = game->is_end_only && !sim->is_watched && game->rules->n_flows == 0;
}

enum status simulate(const struct panel *panel, const struct plan *plan,
                     const struct sim_rules *rules, struct sim_workspace *workspace,
                     struct sim_recorder *recorder, const struct stop *stop, struct err *err)
{
    struct sim_game game = {plan, rules, workspace, recorder, false};
    struct sim sim;
    begin(&sim, panel, &game);
    enum status s = advance(&sim, panel->n_sessions, stop, err);
    if (s != STATUS_OK)
        return s;
    finish(&sim);
    return STATUS_OK;
}

enum status simulate_many(const struct panel *panel, const struct sim_game *games, size_t n,
                          const struct stop *stop, struct err *err)
{
    struct sim sims[SIM_TOGETHER];
    for (size_t p = 0; p < n; p++)
        begin(&sims[p], panel, &games[p]);
    for (size_t t = 0; t < panel->n_sessions;) {
        t = panel->n_sessions - t > SIM_STRETCH ? t + SIM_STRETCH : panel->n_sessions;
        for (size_t p = 0; p < n; p++) {
            enum status s = advance(&sims[p], t, stop, err);
            if (s != STATUS_OK)
                return s;
        }
    }
    for (size_t p = 0; p < n; p++)
        finish(&sims[p]);
    return STATUS_OK;
}
