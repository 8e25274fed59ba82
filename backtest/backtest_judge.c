/* backtest_judge.c - what is said of a strategy that has been played: measures, tables, monkeys, intervals. */
#include "backtest/backtest_parts.h"

#include "backtest/brinson.h"
#include "backtest/concentration.h"
#include "backtest/strategy_limits.h"
#include "backtest/yardstick.h"
#include "base/date.h"
#include "base/number.h"

#include <math.h>
#include <string.h>

/* Weights at the last close, and how concentrated they are (0: nothing is held). */
static enum status final_weights(struct run *run, double *ret_effective_n, struct err *err)
{
    size_t n = run->panel->n_positions, last = run->panel->n_sessions - 1;
    double equity = run->result->wealth[last], sum = 0, squares = 0;
    double *weight = arena_array(run->arena, n, sizeof *weight);
    if (weight == NULL)
        return run_out_of_memory(err);

    for (size_t a = 0; a < n && equity > 0; a++) {
        weight[a] =
            run->workspace.units[a] * run->panel->price[panel_cell(run->panel, a, last)] / equity;
        sum += weight[a];
        squares += weight[a] * weight[a];
    }
    run->result->final_weight = weight;
    run->result->final_cash_weight = equity > 0 ? run->result->ledger.cash[last] / equity : 0;
    const double *receivables = run->result->ledger.receivables;
    run->result->final_receivable_weight =
        equity > 0 && receivables != NULL ? receivables[last] / equity : 0;
    *ret_effective_n = squares > 0 ? sum * sum / squares : 0;
    return STATUS_OK;
}

static struct measure_trading trading_figures(const struct run *run, double effective_n)
{
    const struct backtest_result *r = run->result;
    size_t live = run->n_live;
    const struct kernels *k = run->panel->kernels;
    double equity = k->range(r->wealth, live).sum, shorts = 0;
    double exposure = k->invested(r->ledger.cash + 1, r->wealth + 1, live - 1);

    for (size_t t = 1; t < live && run->rules.leverage.is_allowed; t++)
        shorts += r->wealth[t] > 0 ? r->ledger.shorts[t] / r->wealth[t] : 0;
    struct concentration c = concentration_of(r->final_weight, run->panel->n_positions);
    return (struct measure_trading){
        .largest = c.largest,
        .five_largest = c.top,
        .gross = c.gross,
        .net = c.net,
        .income_ratio = r->ledger.dividends / (equity / (double)live),
        .turnover = r->ledger.turnover,
        .exposure = exposure / (double)(live - 1),
        .mean_gross = (exposure + 2 * shorts) / (double)(live - 1),
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
    double *saver = arena_room(run->arena, path.n, sizeof *saver);
    if (portfolio == NULL || line == NULL || saver == NULL)
        return run_out_of_memory(err);
    const double *common = path.n == n ? run->result->equity : portfolio;
    if (path.n == n) /* a price at every session: nothing has to be picked */
        count = n;
    for (size_t t = 0, last = 0; t < n && path.n < n; t++) {
        if (isnan(panel->benchmark[t]))
            continue;
        if (count > 0 && run->risk_free.session != NULL)
            saver[count - 1] = risk_free_between(&run->risk_free, last, t);
        last = t;
        portfolio[count++] = run->result->equity[t];
    }
    yardstick_line(panel, path, run->spec->capital, line);
    input->common = (struct measure_path){path.date, common, count};
    input->benchmark = path;
    input->common_risk_free = run->risk_free.session == NULL ? NULL
                              : path.n == n                  ? run->risk_free.session
                                                             : saver;
    run->result->benchmark = line;
    if (run->shared != NULL && number_is_same(run->shared->capital, run->spec->capital))
        run->result->benchmark_text = run->shared->benchmark_text;
    return STATUS_OK;
}

/* The benchmark's own measures, unless the panel was shared with them. */
static enum status measure_benchmark(struct run *run, const struct measure_input *input,
                                     struct err *err)
{
    struct yardstick own;
    const struct yardstick *yardstick = &own;
    enum status s = STATUS_OK;
    if (run->shared != NULL && yardstick_serves(&run->shared->yardstick, run->spec))
        yardstick = &run->shared->yardstick;
    else
        s = yardstick_measure(run->spec, run->panel, input->benchmark, input->common_risk_free,
                              run->arena, &own, err);
    if (s == STATUS_OK)
        memcpy(run->result->benchmark_measures, yardstick->measures, sizeof yardstick->measures);
    return s;
}

enum status run_take_measures(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    double effective_n = 0;

    enum status s = final_weights(run, &effective_n, err);
    if (s != STATUS_OK)
        return s;
    bool is_whole = run->wanted == NULL;
    bool is_traded = is_whole || measure_set_needs_trading(&run->wanted->measures);
    struct measure_trading trading = {0};
    if (is_traded)
        trading = trading_figures(run, effective_n);
    struct measure_input input = {
        .path = {run->panel->clock, result->equity, run->panel->n_sessions},
        .calendar = &run->panel->calendar,
        .periods_per_year = result->periods_per_year,
        .risk_free_rate = run->spec->risk_free_rate,
        .risk_free = run->risk_free.session,
        .options.has_mar = profile_targets_zero(run->spec->metrics_profile),
        .kernels = run->panel->kernels,
        .trading = is_traded ? &trading : NULL,
        .details = is_whole || run->wanted->has_tables ? &run->details : NULL,
        .wanted = is_whole ? NULL : &run->wanted->measures,
    };
    s = common_paths(run, &input, err);
    if (s == STATUS_OK)
        s = measure_compute(&input, run->arena, result->measures, err);
    return s == STATUS_OK && result->benchmark != NULL && is_whole
               ? measure_benchmark(run, &input, err)
               : s;
}

/* Contributions and risk of each asset, where they were asked for. */
enum status run_attribute(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    struct attribution *attribution = NULL;
    if (!run->spec->wants_attribution)
        return STATUS_OK;
    enum status s = attribution_compute(run->panel, &result->ledger, result->equity, result->wealth,
                                        result->final_weight, run->arena, &attribution, err);
    result->attribution = attribution;
    if (s == STATUS_OK && run->spec->attribution_benchmark != NULL &&
        attribution->gap == ATTRIBUTION_KNOWN)
        s = brinson_compute(run->spec, run->panel, &result->ledger, result->equity, result->wealth,
                            run->arena, &attribution->brinson, err);
    return s;
}

/* The rolling windows that were asked for, up to a ruin. */
enum status run_roll(struct run *run, struct err *err)
{
    const struct backtest_result *r = run->result;
    struct measure_input input = {
        .path = {run->panel->clock, r->equity, run->panel->n_sessions},
        .periods_per_year = r->periods_per_year,
        .risk_free_rate = run->spec->risk_free_rate,
        .risk_free = run->risk_free.session,
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

/* The same in money of the first session, and what could have been withdrawn each year. */
enum status run_deflate(struct run *run, struct err *err)
{
    struct backtest_result *r = run->result;
    size_t n = run->panel->n_sessions;
    struct real_input in = {.spec = run->spec,
                            .market = run->market,
                            .panel = run->panel,
                            .equity = r->equity,
                            .terminal_wealth = r->wealth[n - 1],
                            .periods_per_year = r->periods_per_year};
    enum status s = real_terms_take(&in, run->arena, &r->real, err);
    if (s != STATUS_OK)
        return s;
    const double *line = r->real.level != NULL ? r->real.equity : r->equity;
    return withdrawal_rates_take(run->spec->withdrawal_years, run->panel->clock, line, n,
                                 run->arena, &r->withdrawals, err);
}

enum status run_explain(struct run *run, struct err *err)
{
    return factor_report_make(run->panel, run->spec, run->market, run->result->equity,
                              &run->risk_free, run->arena, &run->result->factors, err);
}

/* Drawdown line, its deepest declines, the calendar. */
enum status run_tabulate(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    size_t n = run->panel->n_sessions;
    const struct measure_details *details = &run->details;
    const double *line = details->drawdown;
    if (details->n < n) { /* a ruin: the line goes on at the bottom */
        double *whole = arena_room(run->arena, n, sizeof *whole);
        if (whole == NULL)
            return run_out_of_memory(err);
        drawdown_path(result->equity, n, whole);
        line = whole;
    }
    result->drawdown = line;
    size_t count = details->n_episodes;
    result->n_drawdowns = count < BACKTEST_DRAWDOWNS_MAX ? count : BACKTEST_DRAWDOWNS_MAX;
    memcpy(result->drawdowns, details->episodes, result->n_drawdowns * sizeof *details->episodes);
    result->years = details->years;
    return STATUS_OK;
}

enum status run_describe(struct run *run, struct err *err)
{
    struct backtest_result *result = run->result;
    return stale_value_take(run->panel, &result->ledger, result->wealth, run->arena, &result->stale,
                            err);
}

/* The frontier of the held assets, under the strategy's limits where it takes some. */
enum status run_draw_frontier(struct run *run, struct err *err)
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

enum status run_play_monkeys(struct run *run, const struct monkey_crowd *kept, struct err *err)
{
    struct backtest_result *result = run->result;
    struct monkey_game game;
    if (run->spec->n_monkeys == 0)
        return STATUS_OK;
    struct monkey_model model = {&run->plan, run->rules.n_due};
    enum status s = monkey_game_init(&game, run->panel, run->spec, &run->rules,
                                     result->periods_per_year, &model, run->arena, err);
    game.risk_free = run->risk_free.session;
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
enum status run_judge(struct run *run, struct err *err)
{
    struct trust_report *report = NULL;
    enum status s = trust_run(run->result, run->market, run->arena, run->stop, &report, err);
    run->result->trust = report;
    return s;
}
