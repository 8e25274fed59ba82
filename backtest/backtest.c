/* backtest.c - runs the parts of a backtest in order; called by the handler after data are loaded. */
#include "backtest/backtest.h"

#include "backtest/concentration.h"
#include "backtest/coverage.h"
#include "backtest/schedule.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_money.h"
#include "backtest/spec_portfolio.h"
#include "backtest/strategy_limits.h"
#include "backtest/caveats.h"
#include "backtest/xirr.h"
#include "backtest/yardstick.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { LEAD_DAYS = 31 };

struct run {
    const struct market_data *market;
    struct arena *arena;
    const struct stop *stop;
    const struct panel_shared *shared; /* NULL: the panel is built */
    struct spec *spec;
    const struct panel *panel; /* given, or built by prepare */
    struct sim_rules rules;
    struct plan plan;
    struct sim_workspace workspace;
    struct backtest_result *result;
    bool is_row; /* measures alone: see backtest_figures */
};

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this backtest.");
}

enum status spec_resolve_dates(struct spec *spec, const struct market_data *market, struct err *err)
{
    return coverage_resolve(spec, market, err);
}

/* Target weights at every decision: the request's own, or what the strategy makes of the prices. */
static enum status set_plan(struct run *run, struct err *err)
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
            .cost_rate = run->rules.costs.commission.percent + run->rules.costs.slippage.bps,
        };
        return strategy_plan(&scene, run->arena, run->stop, &run->plan, &run->result->strategy,
                             err);
    }
    size_t *asset = arena_array(run->arena, panel->n_held, sizeof *asset);
    double *weight = arena_array(run->arena, panel->n_held, sizeof *weight);
    if (asset == NULL || weight == NULL)
        return out_of_memory(err);
    for (size_t a = 0; a < panel->n_held; a++) {
        asset[a] = a;
        weight[a] = spec->assets[panel->held[a]].weight;
    }
    run->plan = (struct plan){asset, panel->n_held, weight, 0, &run->spec->invested_share};
    return STATUS_OK;
}

/* Schedule and costs. */
static enum status set_rules(struct run *run, struct err *err)
{
    const struct spec *spec = run->spec;
    const struct panel *panel = run->panel;
    uint32_t *due = arena_array(run->arena, panel->n_sessions, sizeof *due);
    if (due == NULL)
        return out_of_memory(err);

    schedule_build(&spec->rebalance, panel->clock, panel->n_sessions, due, &run->rules.n_due);
    run->rules.n_due =
        strategy_add_due(spec->model, panel->clock, panel->n_sessions, due, run->rules.n_due);
    run->rules.due = due;
    run->rules.fill = spec->fill;
    run->rules.capital = spec->capital;
    run->rules.costs = spec_cost_model(spec);
    run->rules.rebalance = spec->rebalance;
    run->rules.shares = spec->shares;
    run->rules.financing = spec_financing(spec);
    run->rules.leverage = spec_leverage(spec);
    run->rules.allocation = spec->flow_allocation;
    struct flow_clock clock = {panel->clock, panel->known_at, panel->n_sessions};
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
    r.leverage.liquidation_fee = 0;
    return r;
}

static bool can_cost(const struct sim_rules *rules)
{
    return !costs_are_free(&rules->costs) || rules->financing.debt_rate > 0 ||
           rules->financing.n_borrow_fee > 0 || rules->leverage.liquidation_fee > 0;
}

/* The run, and beside it the same without costs, of which only the final equity is kept. */
static enum status play(struct run *run, struct err *err)
{
    size_t n = run->panel->n_sessions;
    struct sim_recorder *ledger = &run->result->ledger;
    struct sim_rules free = free_rules(&run->rules);
    struct sim_workspace gross;
    struct sim_game games[2] = {{&run->plan, &run->rules, &run->workspace, ledger, false},
                                {&run->plan, &free, &gross, NULL, true}};
    enum status s = STATUS_OK;

    if (run->is_row || !can_cost(&run->rules)) {
        s = simulate(run->panel, &run->plan, &run->rules, &run->workspace, ledger, run->stop, err);
        run->result->gross_terminal = run->workspace.wealth[n - 1];
        return s;
    }
    s = sim_workspace_init(&gross, run->arena, n, run->panel->n_held, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_workspace_add_wealth(&gross, run->arena, n, err);
    if (s == STATUS_OK)
        s = simulate_many(run->panel, games, 2, run->stop, err);
    if (s == STATUS_OK)
        run->result->gross_terminal =
            sim_costs_paid(ledger) > 0 ? gross.wealth[n - 1] : run->workspace.wealth[n - 1];
    return s;
}

/* Room for the session at which each decision is filled. */
static enum status record_fills(struct run *run, struct err *err)
{
    uint32_t *filled_at = arena_array(run->arena, run->rules.n_due, sizeof *filled_at);
    if (filled_at == NULL)
        return out_of_memory(err);
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

/* The money-weighted return of the investor: capital and contributions paid, the rest received. */
static enum status weigh_money(struct run *run, struct err *err)
{
    struct backtest_result *r = run->result;
    size_t n = r->ledger.n_flows, last = run->panel->n_sessions - 1;
    struct xirr_flow *flow = arena_array(run->arena, n + 2, sizeof *flow);
    struct xirr_roots roots = {0};

    r->xirr = (double)NAN;
    if (flow == NULL)
        return out_of_memory(err);
    flow[0] = (struct xirr_flow){run->panel->clock[0], -run->spec->capital};
    for (size_t i = 0; i < n; i++)
        flow[i + 1] = (struct xirr_flow){run->panel->clock[r->ledger.flows[i].session],
                                         -r->ledger.flows[i].amount};
    flow[n + 1] = (struct xirr_flow){run->panel->clock[last], r->wealth[last]};
    enum status s = xirr_solve(flow, n + 2, run->arena, &roots, err);
    if (s == STATUS_OK && roots.n == 1)
        r->xirr = roots.rate[0];
    return s;
}

static enum status run_strategy(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    size_t n = run->panel->n_sessions;

    enum status s = sim_workspace_init(&run->workspace, run->arena, n, run->panel->n_held, err);
    if (s == STATUS_OK)
        s = sim_recorder_init(&result->ledger, run->arena, n, BACKTEST_TRADES_MAX, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_workspace_add_wealth(&run->workspace, run->arena, n, err);
    if (s == STATUS_OK && run->rules.n_flows > 0)
        s = sim_recorder_add_flows(&result->ledger, run->arena, n, err);
    if (s == STATUS_OK)
        s = record_fills(run, err);
    if (s == STATUS_OK)
        s = play(run, err);
    if (s != STATUS_OK)
        return s;
    result->plan = run->plan;
    result->equity = run->workspace.equity;
    result->wealth = run->workspace.wealth;
    result->cash_drag = cash_drag_of(result, n);
    result->ruined_on = DATE_NONE;
    struct measure_path path = {run->panel->clock, result->equity, n};
    size_t live = measure_live_length(path);
    if (!(result->equity[live - 1] > 0))
        result->ruined_on = run->panel->clock[live - 1];
    if (run->rules.n_flows > 0)
        return weigh_money(run, err);
    result->xirr = (double)NAN; /* without flows it is the growth rate */
    return STATUS_OK;
}

/* Weights at the last close, and how concentrated they are (0: nothing is held). */
static enum status final_weights(struct run *run, double *ret_effective_n, struct err *err)
{
    size_t n = run->panel->n_held, last = run->panel->n_sessions - 1;
    double equity = run->result->wealth[last], sum = 0, squares = 0;
    double *weight = arena_array(run->arena, n, sizeof *weight);
    if (weight == NULL)
        return out_of_memory(err);

    for (size_t a = 0; a < n && equity > 0; a++) {
        weight[a] =
            run->workspace.units[a] * run->panel->price[panel_cell(run->panel, a, last)] / equity;
        sum += weight[a];
        squares += weight[a] * weight[a];
    }
    run->result->final_weight = weight;
    run->result->final_cash_weight = equity > 0 ? run->result->ledger.cash[last] / equity : 0;
    *ret_effective_n = squares > 0 ? sum * sum / squares : 0;
    return STATUS_OK;
}

static struct measure_trading trading_figures(const struct run *run, double effective_n)
{
    const struct backtest_result *r = run->result;
    struct measure_path path = {run->panel->clock, r->equity, run->panel->n_sessions};
    size_t live = measure_live_length(path);
    double exposure = 0, equity = 0;

    for (size_t t = 0; t < live; t++)
        equity += r->wealth[t];
    for (size_t t = 1; t < live; t++)
        exposure += r->wealth[t] > 0 ? 1 - r->ledger.cash[t] / r->wealth[t] : 0;
    struct concentration c = concentration_of(r->final_weight, run->panel->n_held);
    return (struct measure_trading){
        .largest = c.largest,
        .five_largest = c.top,
        .gross = c.gross,
        .net = c.net,
        .income_ratio = r->ledger.dividends / (equity / (double)live),
        .turnover = r->ledger.turnover,
        .exposure = exposure / (double)(live - 1),
        .effective_n = effective_n,
        .cost_ratio = sim_costs_paid(&r->ledger) / (equity / (double)live),
        .n_rebalances = r->ledger.n_rebalances,
    };
}

/* The benchmark at its usable sessions and the portfolio at the same ones; none: n stays 0. */
static enum status common_paths(struct run *run, struct measure_input *input, struct err *err)
{
    const struct panel *panel = run->panel;
    size_t n = panel->n_sessions, count = 0;
    struct measure_path path = {0};
    if (run->shared != NULL)
        path = run->shared->benchmark_path;
    else if (yardstick_path(panel, run->arena, &path, err) != STATUS_OK)
        return STATUS_OUT_OF_MEMORY;
    if (path.n == 0)
        return STATUS_OK;
    double *portfolio = arena_room(run->arena, path.n, sizeof *portfolio);
    double *line = arena_room(run->arena, n, sizeof *line);
    if (portfolio == NULL || line == NULL)
        return out_of_memory(err);
    for (size_t t = 0; t < n; t++) {
        line[t] = (double)NAN;
        if (isnan(panel->benchmark[t]))
            continue;
        portfolio[count++] = run->result->equity[t];
        line[t] = run->spec->capital * (panel->benchmark[t] / path.value[0]);
    }
    input->common = (struct measure_path){path.date, portfolio, count};
    input->benchmark = path;
    run->result->benchmark = line;
    return STATUS_OK;
}

/* The benchmark's own measures, unless the panel was shared with them. */
static enum status measure_benchmark(struct run *run, struct measure_path path, struct err *err)
{
    struct yardstick own;
    const struct yardstick *yardstick = &own;
    enum status s = STATUS_OK;
    if (run->shared != NULL && yardstick_serves(&run->shared->yardstick, run->spec))
        yardstick = &run->shared->yardstick;
    else
        s = yardstick_measure(run->spec, run->panel, path, run->arena, &own, err);
    if (s == STATUS_OK)
        memcpy(run->result->benchmark_measures, yardstick->measures, sizeof yardstick->measures);
    return s;
}

static enum status take_measures(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    double effective_n = 0;

    enum status s = final_weights(run, &effective_n, err);
    if (s != STATUS_OK)
        return s;
    struct measure_trading trading = trading_figures(run, effective_n);
    struct measure_input input = {
        .path = {run->panel->clock, result->equity, run->panel->n_sessions},
        .periods_per_year = result->periods_per_year,
        .risk_free_rate = run->spec->risk_free_rate,
        .options.has_mar = profile_targets_zero(run->spec->metrics_profile),
        .kernels = run->panel->kernels,
        .trading = &trading,
    };
    s = common_paths(run, &input, err);
    if (s == STATUS_OK)
        s = measure_compute(&input, run->arena, result->measures, err);
    return s == STATUS_OK && result->benchmark != NULL && !run->is_row
               ? measure_benchmark(run, input.benchmark, err)
               : s;
}

/* Contributions and risk of each asset, where they were asked for. */
static enum status attribute(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    struct attribution *attribution = NULL;
    if (!run->spec->wants_attribution)
        return STATUS_OK;
    enum status s = attribution_compute(run->panel, &result->ledger, result->equity, result->wealth,
                                        result->final_weight, run->arena, &attribution, err);
    result->attribution = attribution;
    return s;
}

/* The rolling windows that were asked for, up to a ruin. */
static enum status roll(struct run *run, struct err *err)
{
    const struct backtest_result *r = run->result;
    struct measure_input input = {
        .path = {run->panel->clock, r->equity, run->panel->n_sessions},
        .periods_per_year = r->periods_per_year,
        .risk_free_rate = run->spec->risk_free_rate,
    };
    if (run->spec->rolling.window == 0)
        return STATUS_OK;
    input.path.n = measure_live_length(input.path);
    bool has_benchmark = r->benchmark != NULL;
    for (size_t t = 0; t < input.path.n && has_benchmark; t++)
        has_benchmark = !isnan(r->benchmark[t]);
    if (has_benchmark)
        input.benchmark = (struct measure_path){run->panel->clock, r->benchmark, input.path.n};
    return rolling_report_make(&input, &run->spec->rolling, run->arena, &run->result->rolling, err);
}

/* Drawdown line, its deepest declines, and the calendar. */
static enum status describe(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    size_t n = run->panel->n_sessions;
    double *line = arena_room(run->arena, n, sizeof *line);
    struct drawdown *list = arena_room(run->arena, n / 2 + 1, sizeof *list);
    if (line == NULL || list == NULL)
        return out_of_memory(err);

    drawdown_path(result->equity, n, line);
    result->drawdown = line;
    size_t count = drawdown_list(result->equity, n, list);
    drawdown_sort(list, count);
    result->n_drawdowns = count < BACKTEST_DRAWDOWNS_MAX ? count : BACKTEST_DRAWDOWNS_MAX;
    memcpy(result->drawdowns, list, result->n_drawdowns * sizeof *list);
    struct measure_path path = {run->panel->clock, result->equity, n};
    return tables_years(path.date, path.value, measure_live_length(path), run->arena,
                        &result->years, err);
}

/* The frontier of the held assets, under the strategy's limits where it takes some. */
static enum status draw_frontier(struct run *run, struct err *err)
{
    const struct panel *panel = run->panel;
    const struct strategy standard = {
        .limits = {.long_only = true, .max_weight = 1, .max_gross = 1}};
    bool takes_limits = strategy_takes_limits(run->spec->model->kind);
    const struct strategy *strategy = takes_limits ? run->spec->model : &standard;
    struct frontier_prices prices = {panel->price,
                                     panel->n_held,
                                     panel->n_sessions,
                                     panel->n_sessions,
                                     run->result->periods_per_year,
                                     panel->kernels};
    struct limits limits;
    if (run->spec->frontier.n_points == 0)
        return STATUS_OK;
    enum status s = strategy_limits_init(&limits, strategy, panel->n_held, run->arena, err);
    if (s != STATUS_OK)
        return s;
    strategy_limits_fill(&limits, run->spec, strategy, panel->held, panel->n_held);
    limits_relax(&limits);
    return frontier_compute(run->spec->frontier, &prices, &limits, run->arena, run->stop,
                            &run->result->frontier, err);
}

static enum status play_monkeys(struct run *run, const struct monkey_crowd *kept, struct err *err)
{
    struct backtest_result *result = run->result;
    struct monkey_game game;
    if (run->spec->n_monkeys == 0)
        return STATUS_OK;
    struct monkey_model model = {&run->plan, run->rules.n_due};
    enum status s = monkey_game_init(&game, run->panel, run->spec, &run->rules,
                                     result->periods_per_year, &model, run->arena, err);
    if (s == STATUS_OK && kept == NULL)
        s = monkey_crowd_play(&game, run->spec->n_monkeys, run->arena, run->stop, &result->crowd,
                              err);
    if (s != STATUS_OK)
        return s;
    if (kept != NULL)
        result->crowd = *kept;
    struct monkey_score score =
        monkey_score_path(&game, result->equity, result->wealth[run->panel->n_sessions - 1]);
    result->monkeys = monkey_crowd_rank(&result->crowd, &score);
    return STATUS_OK;
}

/* Intervals, proofs and futures, as far as they were asked for. */
static enum status judge(struct run *run, struct err *err)
{
    struct trust_report *report = NULL;
    enum status s = trust_run(run->result, run->market, run->arena, run->stop, &report, err);
    run->result->trust = report;
    return s;
}

static enum status prepare(struct run *run, const struct spec *spec, struct err *err);
static enum status play_portfolios(struct run *run, const struct spec *spec, struct err *err);

/*
 * The line of a portfolio that has been played, as a series of the market. It exists at the sessions of
 * its own assets and is known when they are; one that lost everything is delisted on that day.
 */
static enum status line_of(const struct run *inner, struct str uid, struct price_series *ret,
                           struct err *err)
{
    const struct panel *panel = inner->panel;
    struct measure_path path = {panel->clock, inner->workspace.equity, panel->n_sessions};
    size_t n = measure_live_length(path);
    bool is_ruined = !(path.value[n - 1] > 0);

    *ret = (struct price_series){.uid = uid,
                                 .n = is_ruined ? n - 1 : n,
                                 .date = panel->clock,
                                 .price = path.value,
                                 .close = path.value,
                                 .known_at = panel->known_at,
                                 .delisted_on = is_ruined ? panel->clock[n - 1] : DATE_NONE,
                                 .delisting_return = is_ruined ? -1 : 0,
                                 .trades_24_7 = panel->trades_every_day};
    memcpy(ret->currency, inner->spec->currency, sizeof ret->currency);
    for (size_t a = 0; a < panel->n_held; a++)
        ret->flags |= panel->assets[a].series->flags;
    return ret->n > 0 ? STATUS_OK
                      : err_set(err, STATUS_NO_DATA,
                                "%.*s has no day on which it is worth anything.", STR_ARG(uid));
}

/* A portfolio inside starts up to a month before the one around it, so that it is invested by then. */
static enum status play_portfolio(const struct run *run, const struct spec *outer,
                                  const struct spec_asset *asset, struct price_series *ret,
                                  struct err *err)
{
    struct run inner = {.market = run->market, .arena = run->arena, .stop = run->stop};
    struct spec spec = *asset->portfolio;

    spec_inherit(&spec, outer);
    spec.end = outer->end;
    enum status s = play_portfolios(&inner, &spec, err);
    struct spec covered = spec;
    if (s == STATUS_OK)
        s = spec_resolve_dates(&covered, inner.market, err);
    if (s == STATUS_OK && outer->start != DATE_NONE)
        spec.start =
            covered.start > outer->start - LEAD_DAYS ? covered.start : outer->start - LEAD_DAYS;
    if (s == STATUS_OK)
        s = prepare(&inner, &spec, err);
    if (s == STATUS_OK)
        s = set_plan(&inner, err);
    if (s == STATUS_OK)
        s = sim_workspace_init(&inner.workspace, run->arena, inner.panel->n_sessions,
                               inner.panel->n_held, err);
    if (s == STATUS_OK)
        s = simulate(inner.panel, &inner.plan, &inner.rules, &inner.workspace, NULL, run->stop,
                     err);
    return s == STATUS_OK ? line_of(&inner, asset->uid, ret, err) : s;
}

/* Plays the portfolios among the assets; run->market then has a series for each of them. */
static enum status play_portfolios(struct run *run, const struct spec *spec, struct err *err)
{
    const struct market_data *given = run->market;
    size_t n = 0;

    for (size_t i = 0; i < spec->n_assets; i++)
        n += spec->assets[i].portfolio != NULL ? 1 : 0;
    if (n == 0)
        return STATUS_OK;
    struct market_data *market = ARENA_NEW(run->arena, struct market_data);
    struct price_series *series = arena_array(run->arena, given->n_series + n, sizeof *series);
    if (market == NULL || series == NULL)
        return out_of_memory(err);
    *market = *given;
    memcpy(series, given->series, given->n_series * sizeof *series);
    for (size_t i = 0; i < spec->n_assets; i++) {
        if (spec->assets[i].portfolio == NULL)
            continue;
        enum status s = play_portfolio(run, spec, &spec->assets[i], &series[market->n_series], err);
        if (s != STATUS_OK)
            return s;
        market->n_series++;
    }
    market->series = series;
    run->market = market;
    return STATUS_OK;
}

static enum status build_panel(struct run *run, struct err *err)
{
    struct panel *panel = NULL;
    enum status s = run->shared != NULL
                        ? panel_shared_open(run->shared, run->market, run->arena, &panel, err)
                        : panel_build(run->spec, run->market, run->arena, run->stop, &panel, err);
    run->panel = panel;
    return s;
}

/* Dates, panel and rules: all that comes before the first session. */
static enum status prepare(struct run *run, const struct spec *spec, struct err *err)
{
    run->spec = ARENA_NEW(run->arena, struct spec);
    run->result = ARENA_NEW(run->arena, struct backtest_result);
    if (run->spec == NULL || run->result == NULL)
        return out_of_memory(err);
    *run->spec = *spec;

    enum status s = play_portfolios(run, spec, err);
    if (s == STATUS_OK && run->shared == NULL)
        s = spec_resolve_dates(run->spec, run->market, err);
    if (s == STATUS_OK && run->panel == NULL)
        s = build_panel(run, err);
    if (s == STATUS_OK)
        s = set_rules(run, err);
    if (s != STATUS_OK)
        return s;
    assert(run->panel != NULL);
    run->result->spec = run->spec;
    run->result->panel = run->panel;
    run->result->due = run->rules.due;
    run->result->n_due = run->rules.n_due;
    run->result->periods_per_year = yardstick_periods(run->panel);
    return STATUS_OK;
}

enum status backtest_preview(const struct spec *spec, const struct market_data *market,
                             struct arena *arena, const struct stop *stop,
                             struct backtest_result **ret, struct err *err)
{
    struct run run = {.market = market, .arena = arena, .stop = stop};
    enum status s = prepare(&run, spec, err);
    if (s != STATUS_OK)
        return s;
    assert(run.panel != NULL);
    run.result->ruined_on = DATE_NONE;
    run.result->benchmark = run.panel->benchmark;
    s = caveats_collect(run.result, market, arena, err);
    if (s == STATUS_OK)
        *ret = run.result;
    return s;
}

/* The strategy and its measures. */
static enum status measure_strategy(struct run *run, const struct spec *spec, struct err *err)
{
    enum status s = prepare(run, spec, err);
    if (s == STATUS_OK)
        s = set_plan(run, err);
    if (s == STATUS_OK)
        s = run_strategy(run, err);
    return s == STATUS_OK ? take_measures(run, err) : s;
}

enum status backtest_figures(const struct spec *spec, const struct market_data *market,
                             const struct panel *panel, struct arena *arena,
                             const struct stop *stop, struct backtest_result **ret, struct err *err)
{
    struct run run = {
        .market = market, .panel = panel, .arena = arena, .stop = stop, .is_row = true};
    enum status s = measure_strategy(&run, spec, err);
    if (s == STATUS_OK)
        *ret = run.result;
    return s;
}

enum status backtest_run(const struct spec *spec, const struct market_data *market,
                         struct arena *arena, const struct stop *stop, struct backtest_result **ret,
                         struct err *err)
{
    return backtest_run_among(spec, market, NULL, arena, stop, ret, err);
}

enum status backtest_run_bare(const struct spec *spec, const struct market_data *market,
                              struct arena *arena, const struct stop *stop,
                              struct backtest_result **ret, struct err *err)
{
    struct spec bare = *spec;
    bare.n_monkeys = 0;
    bare.n_universe = 0;
    bare.benchmark = STR_NONE;
    bare.trust = (struct spec_trust){0};
    return backtest_run(&bare, market, arena, stop, ret, err);
}

enum status backtest_run_among(const struct spec *spec, const struct market_data *market,
                               const struct backtest_shared *kept, struct arena *arena,
                               const struct stop *stop, struct backtest_result **ret,
                               struct err *err)
{
    struct run run = {.market = market, .arena = arena, .stop = stop};
    run.shared = kept != NULL ? kept->panel : NULL;
    enum status s = measure_strategy(&run, spec, err);
    if (s == STATUS_OK)
        s = attribute(&run, err);
    if (s == STATUS_OK)
        s = roll(&run, err);
    if (s == STATUS_OK)
        s = describe(&run, err);
    if (s == STATUS_OK)
        s = draw_frontier(&run, err);
    if (s == STATUS_OK)
        s = play_monkeys(&run, kept != NULL ? kept->crowd : NULL, err);
    if (s == STATUS_OK)
        s = judge(&run, err);
    if (s == STATUS_OK)
        s = caveats_collect(run.result, market, arena, err);
    if (s == STATUS_OK)
        *ret = run.result;
    return s;
}
