/* backtest.c - runs the stages of a backtest in order; called by the handler after data are loaded. */
#include "backtest/backtest_parts.h"

#include "backtest/caveats.h"
#include "backtest/coverage.h"
#include "backtest/spec_portfolio.h"
#include "backtest/yardstick.h"

#include <assert.h>
#include <string.h>

enum { LEAD_DAYS = 31 };

enum status spec_resolve_dates(struct spec *spec, const struct market_data *market, struct err *err)
{
    return coverage_resolve(spec, market, err);
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
    for (size_t a = 0; a < panel->n_positions; a++)
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
        s = run_set_plan(&inner, err);
    if (s == STATUS_OK)
        s = sim_workspace_init(&inner.workspace, run->arena, inner.panel->n_sessions,
                               inner.panel->n_positions, err);
    if (s == STATUS_OK)
        s = sim_workspace_add_dues(&inner.workspace, run->arena, inner.panel, err);
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
        return run_out_of_memory(err);
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
    if (s == STATUS_OK && run->shared != NULL)
        run->result->clock_text = run->shared->clock_text;
    return s;
}

/* Dates, panel and rules: all that comes before the first session. */
static enum status prepare(struct run *run, const struct spec *spec, struct err *err)
{
    run->spec = ARENA_NEW(run->arena, struct spec);
    run->result = ARENA_NEW(run->arena, struct backtest_result);
    if (run->spec == NULL || run->result == NULL)
        return run_out_of_memory(err);
    *run->spec = *spec;

    enum status s = play_portfolios(run, spec, err);
    if (s == STATUS_OK && run->shared == NULL)
        s = spec_resolve_dates(run->spec, run->market, err);
    if (s == STATUS_OK && run->panel == NULL)
        s = build_panel(run, err);
    if (s == STATUS_OK)
        s = run_set_rules(run, err);
    if (s != STATUS_OK)
        return s;
    assert(run->panel != NULL);
    s = risk_free_take(run->spec, run->market, run->panel, yardstick_periods(run->panel),
                       run->arena, &run->risk_free, err);
    run->spec->risk_free_rate = run->result->risk_free_mean = run->risk_free.mean;
    run->result->risk_free = run->risk_free;
    run->result->spec = run->spec;
    run->result->panel = run->panel;
    run->result->due = run->rules.due;
    run->result->n_due = run->rules.n_due;
    run->result->periods_per_year = yardstick_periods(run->panel);
    return s;
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
        s = run_set_plan(run, err);
    if (s == STATUS_OK)
        s = run_strategy(run, err);
    return s == STATUS_OK ? run_take_measures(run, err) : s;
}

enum status backtest_figures(const struct spec *spec, const struct market_data *market,
                             const struct panel *panel, const struct backtest_selection *wanted,
                             struct arena *arena, const struct stop *stop,
                             struct backtest_result **ret, struct err *err)
{
    struct backtest_selection headlines = {.has_tables = false};
    if (wanted == NULL)
        headlines.measures =
            profile_set(spec->metrics_profile, measure_headlines, MEASURE_HEADLINE_COUNT);
    struct run run = {.market = market,
                      .panel = panel,
                      .arena = arena,
                      .stop = stop,
                      .wanted = wanted != NULL ? wanted : &headlines};
    enum status s = measure_strategy(&run, spec, err);
    if (s == STATUS_OK && run.wanted->has_tables)
        s = run_tabulate(&run, err);
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
    if (!strategy_any_needs(spec->model, STRATEGY_BENCHMARK))
        bare.benchmark = STR_NONE;
    bare.trust = (struct spec_trust){0};
    bare.factors.n = 0;
    bare.inflation = STR_NONE;
    bare.withdrawal_years = 0;
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
        s = run_attribute(&run, err);
    if (s == STATUS_OK)
        s = run_roll(&run, err);
    if (s == STATUS_OK)
        s = run_deflate(&run, err);
    if (s == STATUS_OK)
        s = run_explain(&run, err);
    if (s == STATUS_OK)
        s = run_tabulate(&run, err);
    if (s == STATUS_OK)
        s = run_describe(&run, err);
    if (s == STATUS_OK)
        s = run_draw_frontier(&run, err);
    if (s == STATUS_OK)
        s = run_play_monkeys(&run, kept != NULL ? kept->crowd : NULL, err);
    if (s == STATUS_OK)
        s = run_judge(&run, err);
    if (s == STATUS_OK)
        s = caveats_collect(run.result, market, arena, err);
    if (s == STATUS_OK)
        *ret = run.result;
    return s;
}
