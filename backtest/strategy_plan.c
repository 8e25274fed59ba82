/* strategy_plan.c - plays a strategy's formula at every decision session of a run. */
#include "backtest/strategy_plan.h"

#include "backtest/risk_free.h"
#include "backtest/strategy_row.h"

#include <math.h>

/* A sum this close to 1 is 1 but for rounding. */
static const double ROUNDING = 1e-9;

struct planner {
    const struct strategy_scene *scene;
    struct strategy_market market;
    struct strategy_workspace workspace;
    double *weight, *invested;
    struct strategy_decision *decisions;
    double *given; /* weights of the request, per held column */
    bool is_search;
    struct walk_scene walk_scene;
    struct walk walk;
};

/* The columns that may be held, and arrays for a row per decision; shares received have the weight 0 in all of them. */
static enum status allocate(struct planner *p, struct arena *arena, struct plan *ret,
                            struct err *err)
{
    size_t n = p->scene->panel->n_positions, n_due = p->scene->n_due;
    size_t *asset = arena_array(arena, n, sizeof *asset);
    p->weight = arena_array(arena, n_due * n, sizeof *p->weight);
    p->invested = arena_array(arena, n_due, sizeof *p->invested);
    p->decisions = arena_array(arena, n_due, sizeof *p->decisions);
    p->given = arena_array(arena, n, sizeof *p->given);
    if (p->given == NULL || asset == NULL || p->weight == NULL || p->invested == NULL ||
        p->decisions == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "%zu decisions on %zu assets need more memory than a request may use.",
                       n_due, n);
    for (size_t a = 0; a < n; a++)
        asset[a] = a;
    for (size_t a = 0; a < p->scene->panel->n_held; a++)
        p->given[a] = p->scene->spec->assets[p->scene->panel->held[a]].weight;
    p->market.given = p->given;
    *ret = (struct plan){asset, n, p->weight, n, p->invested};
    return STATUS_OK;
}

static double invested_share(const double *weight, size_t n)
{
    double sum = 0;
    for (size_t a = 0; a < n; a++)
        sum += weight[a];
    return fabs(sum - 1) <= ROUNDING ? 1 : sum;
}

size_t strategy_add_due(const struct strategy *strategy, const int32_t *clock, size_t n_sessions,
                        uint32_t *due, size_t n_due)
{
    const struct strategy_table *table = &strategy->table;
    for (size_t r = 0; r < table->n; r++) {
        size_t t = 0, at = n_due;
        while (t < n_sessions && clock[t] < table->date[r])
            t++;
        while (at > 0 && due[at - 1] > t)
            at--;
        if (t == n_sessions || (at > 0 && due[at - 1] == t))
            continue;
        for (size_t k = n_due; k > at; k--)
            due[k] = due[k - 1];
        due[at] = (uint32_t)t;
        n_due++;
    }
    return n_due;
}

/* First and last date that the row of a strategy at `session` of the history looks at. */
static void known_dates(const struct strategy *strategy, const struct strategy_market *market,
                        size_t session, struct strategy_decision *decision)
{
    const int32_t *clock = market->history.panel->clock;
    if (strategy->kind->needs & STRATEGY_WINDOW && session >= strategy->lookback + strategy->lag) {
        int32_t from = clock[session - strategy->lag - strategy->lookback];
        int32_t at = clock[session - strategy->lag];
        if (decision->known_from == DATE_NONE || from < decision->known_from)
            decision->known_from = from;
        if (decision->known_at == DATE_NONE || at > decision->known_at)
            decision->known_at = at;
    }
    size_t row = strategy_table_row(&strategy->table, clock[session]);
    if (row < strategy->table.n)
        decision->known_from = decision->known_at = strategy->table.date[row];
    const struct rate_series *series = NULL;
    if (strategy->kind->needs & STRATEGY_SIGNAL) {
        row = strategy_publication(strategy, market, session, &series);
        decision->known_from = decision->known_at = row < series->n ? series->date[row] : DATE_NONE;
    }
    if (strategy->base != NULL)
        known_dates(strategy->base, market, session, decision);
}

static void decide(struct planner *p, size_t d)
{
    const struct strategy *strategy = p->scene->spec->model;
    const int32_t *clock = p->market.history.panel->clock;
    size_t n = p->scene->panel->n_held;
    size_t session = p->market.history.first + p->scene->due[d];
    struct strategy_decision decision = {p->scene->due[d], DATE_NONE, DATE_NONE, NOTE_NONE};
    double *row = p->weight + d * p->scene->panel->n_positions;

    if (p->scene->risk_free != NULL)
        p->market.risk_free_rate = p->scene->risk_free[p->scene->due[d]];
    if (p->is_search) {
        decision.note = walk_row(&p->walk, d, row);
        const struct walk_fit *fit = &p->walk.fits[p->walk.n_fits - 1];
        known_dates(strategy->candidates[fit->chosen], &p->market, session, &decision);
        if (decision.known_from == DATE_NONE || fit->train_from < decision.known_from)
            decision.known_from = fit->train_from;
        decision.known_at = clock[session]; /* the training window of a fit ends here */
    } else {
        p->market.decision = d;
        decision.note = strategy_row(strategy, &p->market, session, &p->workspace, row);
        known_dates(strategy, &p->market, session, &decision);
    }
    p->invested[d] = invested_share(row, n);
    p->decisions[d] = decision;
}

/* The economic series of a strategy, its base and its candidates are there, and can be read. */
static enum status check_signals(const struct strategy *strategy, const struct market_data *data,
                                 struct err *err)
{
    enum status s = STATUS_OK;
    if (strategy->kind->needs & STRATEGY_SIGNAL) {
        const struct rate_series *series = market_find_rates(data, strategy->indicator);
        if (series == NULL) {
            (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series %.*s.",
                          STR_ARG(strategy->indicator));
            err_at(err, ERR_POINTER, str_of(strategy->indicator_at), strategy->indicator);
            err_allow(err, "an id of /v1/indicators");
            return STATUS_UNKNOWN_ASSET;
        }
        s = rates_check(series, err);
    }
    if (s == STATUS_OK && strategy->base != NULL)
        s = check_signals(strategy->base, data, err);
    for (size_t i = 0; i < strategy->n_candidates && s == STATUS_OK; i++)
        s = check_signals(strategy->candidates[i], data, err);
    return s;
}

/* Prices before the run, and room for the strategy's windows or its candidates' paths. */
static enum status prepare(struct planner *p, struct arena *arena, const struct stop *stop,
                           struct err *err)
{
    const struct strategy_scene *scene = p->scene;
    const struct strategy *strategy = scene->spec->model;
    p->is_search = (strategy->kind->needs & STRATEGY_SEARCH) != 0;
    size_t n_before =
        p->is_search ? walk_history_needed(strategy) : strategy_history_needed(strategy);
    p->market.data = scene->market;
    enum status s = check_signals(strategy, scene->market, err);
    if (s != STATUS_OK)
        return s;
    s = history_open(scene->spec, scene->market, scene->panel, n_before, arena, stop,
                     &p->market.history, err);
    if (s != STATUS_OK)
        return s;
    if (!p->is_search)
        return strategy_workspace_init(&p->workspace, scene->spec, strategy, scene->panel, arena,
                                       err);
    p->walk_scene = (struct walk_scene){.spec = scene->spec,
                                        .strategy = strategy,
                                        .market = p->market,
                                        .due = scene->due,
                                        .n_due = scene->n_due,
                                        .n_run = scene->panel->n_sessions,
                                        .fill = scene->fill,
                                        .cost_rate = scene->cost_rate};
    if (scene->risk_free != NULL)
        s = risk_free_over(scene->spec, scene->market, p->market.history.panel, scene->risk_free[0],
                           scene->periods_per_year, arena, &p->walk_scene.risk_free, err);
    if (s != STATUS_OK)
        return s;
    return walk_open(&p->walk_scene, arena, stop, &p->walk, err);
}

enum status strategy_plan(const struct strategy_scene *scene, struct arena *arena,
                          const struct stop *stop, struct plan *ret_plan,
                          struct strategy_report *ret_report, struct err *err)
{
    struct planner p = {.scene = scene};
    struct strategy_report report = {.n = scene->n_due};
    struct plan plan;

    p.market.periods_per_year = scene->periods_per_year;
    /* The candidates of a search decide with the rate known at the first decision. */
    bool is_dated = scene->risk_free != NULL && scene->n_due > 0;
    p.market.risk_free_rate =
        is_dated ? scene->risk_free[scene->due[0]] : scene->spec->risk_free_rate;
    enum status s = allocate(&p, arena, &plan, err);
    if (s == STATUS_OK)
        s = prepare(&p, arena, stop, err);
    for (size_t d = 0; s == STATUS_OK && d < scene->n_due; d++) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        decide(&p, d);
        report.n_noted[p.decisions[d].note]++;
    }
    if (s == STATUS_OK && p.is_search)
        s = walk_close(&p.walk, arena, stop, &report.walk, err);
    if (s != STATUS_OK)
        return s;
    report.decisions = p.decisions;
    *ret_plan = plan;
    *ret_report = report;
    return STATUS_OK;
}
