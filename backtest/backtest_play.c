/* backtest_play.c - from the panel to the played strategy: plan, rules, simulation, what the investor got. */
#include "backtest/backtest_parts.h"

#include "backtest/currency.h"
#include "backtest/elementary.h"
#include "backtest/schedule.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_money.h"
#include "backtest/xirr.h"
#include "base/str.h"

#include <assert.h>
#include <math.h>

enum status run_out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this backtest.");
}

/* Target weights at every decision: the request's own, or what the strategy makes of the prices. */
enum status run_set_plan(struct run *run, struct err *err)
{
    const struct spec *spec = run->spec;
    const struct panel *panel = run->panel;
    assert(panel != NULL);
    if (!strategy_is_plain(spec->model)) {
        struct strategy_scene scene = {
            .spec = spec,
            .market = run->market,
            .panel = panel,
            .due = run->rules.due,
            .n_due = run->rules.n_due,
            .periods_per_year = run->result->periods_per_year,
            .fill = spec->fill,
            .risk_free = run->risk_free.annual,
            .cost_rate = run->rules.costs.commission.percent + run->rules.costs.slippage.bps,
        };
        return strategy_plan(&scene, run->arena, run->stop, &run->plan, &run->result->strategy,
                             err);
    }
    size_t *asset = arena_array(run->arena, panel->n_positions, sizeof *asset);
    double *weight = arena_array(run->arena, panel->n_positions, sizeof *weight);
    if (asset == NULL || weight == NULL)
        return run_out_of_memory(err);
    for (size_t a = 0; a < panel->n_positions; a++) {
        asset[a] = a;
        weight[a] = a < panel->n_held ? spec->assets[panel->held[a]].weight : 0;
    }
    run->plan = (struct plan){asset, panel->n_positions, weight, 0, &run->spec->invested_share};
    return STATUS_OK;
}

/* Schedule and costs. */
enum status run_set_rules(struct run *run, struct err *err)
{
    const struct spec *spec = run->spec;
    const struct panel *panel = run->panel;
    uint32_t *due = arena_room(run->arena, panel->n_sessions, sizeof *due);
    if (due == NULL)
        return run_out_of_memory(err);

    schedule_build(&spec->rebalance, &panel->calendar, due, &run->rules.n_due);
    run->rules.n_due =
        strategy_add_due(spec->model, panel->clock, panel->n_sessions, due, run->rules.n_due);
    run->rules.due = due;
    run->rules.fill = spec->fill;
    run->rules.capital = spec->capital;
    run->rules.costs = spec_cost_model(spec);
    run->rules.rebalance = spec->rebalance;
    run->rules.shares = spec->shares;
    run->rules.cash_units = spec->round_cash ? currency_units(spec->currency) : 0;
    run->rules.financing = spec_financing(spec);
    run->rules.leverage = spec_leverage(spec);
    run->rules.allocation = spec->flow_allocation;
    struct flow_clock clock = {&panel->calendar, panel->known_at};
    struct flow *flows = NULL;
    struct flow_plan plan = {spec->flows, spec->n_flows, spec->flow_timing};
    enum status s =
        flows_build(&plan, &clock, run->market, run->arena, &flows, &run->rules.n_flows, err);
    run->rules.flows = flows;
    return s;
}

/* The rules without anything that costs. */
static struct sim_rules free_rules(const struct sim_rules *rules)
{
    struct sim_rules r = *rules;
    r.costs = (struct cost_model){.slippage = {.volume_limit = rules->costs.slippage.volume_limit}};
    r.financing.debt_rate = 0;
    r.financing.n_borrow_fee = 0;
    r.financing.n_asset_fees = 0;
    r.leverage.liquidation_fee = 0;
    return r;
}

static bool can_cost(const struct sim_rules *rules)
{
    return !costs_are_free(&rules->costs) || rules->financing.debt_rate > 0 ||
           rules->financing.n_borrow_fee > 0 || rules->leverage.liquidation_fee > 0;
}

/* Costs do no more than scale what is held, see engine.h. */
static bool costs_only_scale(const struct sim_rules *rules)
{
    return sim_rules_are_simple(rules) && rules->n_flows == 0 &&
           !(rules->financing.day_basis > 0) && !rules->leverage.is_allowed;
}

/* What funds charge is in the prices: without it they are others. */
static enum status gross_panel(struct run *run, const struct panel **ret, struct err *err)
{
    struct panel *panel = NULL;
    struct spec *spec = ARENA_NEW(run->arena, struct spec);
    if (expenses_are_none(&run->spec->expenses)) {
        *ret = run->panel;
        return STATUS_OK;
    }
    if (spec == NULL)
        return run_out_of_memory(err);
    *spec = *run->spec;
    spec->expenses = (struct expenses){.n = 0};
    spec->benchmark = STR_NONE;
    spec->n_universe = 0;
    enum status s = panel_build(spec, run->market, run->arena, run->stop, &panel, err);
    if (s == STATUS_OK)
        *ret = panel;
    return s;
}

/* The run without costs, of which only the final equity is kept, and unless it is there, the run beside it. */
static enum status play_gross(struct run *run, bool is_played, struct err *err)
{
    size_t n = run->panel->n_sessions;
    struct sim_recorder *ledger = &run->result->ledger;
    struct sim_rules free = free_rules(&run->rules);
    struct sim_workspace gross;
    const struct panel *panel = NULL;
    struct sim_game games[2] = {{&run->plan, &free, &gross, NULL, true},
                                {&run->plan, &run->rules, &run->workspace, ledger, false}};
    enum status s = sim_workspace_init(&gross, run->arena, n, run->panel->n_positions, err);
    if (s == STATUS_OK)
        s = sim_workspace_add_dues(&gross, run->arena, run->panel, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_workspace_add_wealth(&gross, run->arena, n, err);
    if (s == STATUS_OK)
        s = gross_panel(run, &panel, err);
    bool is_one = panel == run->panel && !is_played; /* both on the same prices: side by side */
    if (s == STATUS_OK)
        s = simulate_many(panel, games, is_one ? 2 : 1, run->stop, err);
    if (s == STATUS_OK && !is_one && !is_played)
        s = simulate_many(run->panel, games + 1, 1, run->stop, err);
    if (s == STATUS_OK)
        run->result->gross_terminal =
            fabs(sim_costs_paid(ledger)) > 0 ? gross.wealth[n - 1] : run->workspace.wealth[n - 1];
    return s;
}

/* The run, and what it would have come to without costs. */
static enum status play(struct run *run, struct err *err)
{
    struct sim_recorder *ledger = &run->result->ledger;
    bool is_charged = !expenses_are_none(&run->spec->expenses);
    bool is_scaled = costs_only_scale(&run->rules) && !is_charged && !run->panel->has_money;

    if (run->wanted == NULL && (can_cost(&run->rules) || is_charged) && !is_scaled)
        return play_gross(run, false, err);
    enum status s =
        simulate(run->panel, &run->plan, &run->rules, &run->workspace, ledger, run->stop, err);
    if (s != STATUS_OK)
        return s;
    double kept = is_scaled ? ledger->kept : 1;
    run->result->gross_terminal = run->workspace.wealth[run->panel->n_sessions - 1] / kept;
    return isnan(kept) ? play_gross(run, true, err) : STATUS_OK;
}

/* Room for the session at which each decision is filled. */
static enum status record_fills(struct run *run, struct err *err)
{
    uint32_t *filled_at = arena_array(run->arena, run->rules.n_due, sizeof *filled_at);
    if (filled_at == NULL)
        return run_out_of_memory(err);
    for (size_t d = 0; d < run->rules.n_due; d++)
        filled_at[d] = PANEL_NEVER;
    run->result->ledger.filled_at = filled_at;
    return STATUS_OK;
}

/* Sum over sessions of cash held into the session * the portfolio's return, less interest earned. */
static double cash_drag_of(const struct backtest_result *r, size_t n)
{
    double drag = 0;
    for (size_t t = 1; t < n && r->equity[t - 1] > 0; t++) {
        double cash = r->ledger.cash[t - 1];
        drag += cash > 0 ? cash * (r->equity[t] / r->equity[t - 1] - 1) : 0;
    }
    return drag - r->ledger.cash_interest;
}

/*
 * What the moments of the flows have made of the investor's rate: xirr less the rate of the time-weighted line, both a year of
 * 365 days.
 */
static double timing_effect_of(const struct backtest_result *r, size_t last)
{
    double years = (double)(r->panel->clock[last] - r->panel->clock[0]) / 365;
    double growth = r->equity[last] / r->equity[0];
    return growth > 0 ? r->xirr - (elementary_pow(growth, 1 / years) - 1) : (double)NAN;
}

/* The money-weighted return of the investor: capital and contributions paid, the rest received. */
static enum status weigh_money(struct run *run, struct err *err)
{
    struct backtest_result *r = run->result;
    size_t n = r->ledger.n_flows, last = run->panel->n_sessions - 1;
    struct xirr_flow *flow = arena_array(run->arena, n + 2, sizeof *flow);
    struct xirr_roots roots = {0};

    r->xirr = r->flow_timing_effect = (double)NAN;
    if (flow == NULL)
        return run_out_of_memory(err);
    flow[0] = (struct xirr_flow){run->panel->clock[0], -run->spec->capital};
    for (size_t i = 0; i < n; i++)
        flow[i + 1] = (struct xirr_flow){run->panel->clock[r->ledger.flows[i].session],
                                         -r->ledger.flows[i].amount};
    flow[n + 1] = (struct xirr_flow){run->panel->clock[last], r->wealth[last]};
    enum status s = xirr_solve(flow, n + 2, run->arena, &roots, err);
    if (s == STATUS_OK && roots.n == 1) {
        r->xirr = roots.rate[0];
        r->flow_timing_effect = timing_effect_of(r, last);
    }
    return s;
}

enum status run_strategy(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    size_t n = run->panel->n_sessions;

    enum status s =
        sim_workspace_init(&run->workspace, run->arena, n, run->panel->n_positions, err);
    if (s == STATUS_OK)
        s = sim_workspace_add_dues(&run->workspace, run->arena, run->panel, err);
    if (s == STATUS_OK)
        s = sim_recorder_init(&result->ledger, run->arena, n,
                              run->wanted != NULL ? 0 : BACKTEST_TRADES_MAX, err);
    if (s == STATUS_OK && run->rules.leverage.is_allowed)
        s = sim_recorder_add_shorts(&result->ledger, run->arena, n, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_workspace_add_wealth(&run->workspace, run->arena, n, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_recorder_add_flows(&result->ledger, run->arena, n, err);
    if (s == STATUS_OK && run->panel->has_receivables)
        s = sim_recorder_add_receivables(&result->ledger, run->arena, n, err);
    if (s == STATUS_OK && run->spec->wants_attribution)
        s = sim_recorder_add_fractions(&result->ledger, run->arena, run->panel, run->rules.shares,
                                       err);
    if (s == STATUS_OK)
        s = record_fills(run, err);
    if (s == STATUS_OK)
        s = play(run, err);
    if (s != STATUS_OK)
        return s;
    result->plan = run->plan;
    result->equity = run->workspace.equity;
    result->wealth = run->workspace.wealth;
    result->cash_drag = run->wanted == NULL ? cash_drag_of(result, n) : 0;
    result->ruined_on = DATE_NONE;
    struct measure_path path = {run->panel->clock, result->equity, n};
    run->n_live = measure_live_length_with(run->panel->kernels, path);
    if (!(result->equity[run->n_live - 1] > 0))
        result->ruined_on = run->panel->clock[run->n_live - 1];
    if (run->rules.n_flows > 0)
        return weigh_money(run, err);
    result->xirr = result->flow_timing_effect =
        (double)NAN; /* without flows it is the growth rate */
    return STATUS_OK;
}
