/* strategy_plan.c - plays a strategy's formula at every decision session of a run. */
#include "backtest/strategy_plan.h"

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
};

/* The held columns, and arrays for a row per decision. */
static enum status allocate(struct planner *p, struct arena *arena, struct plan *ret,
                            struct err *err)
{
    size_t n = p->scene->panel->n_held, n_due = p->scene->n_due;
    size_t *asset = arena_array(arena, n, sizeof *asset);
    p->weight = arena_array(arena, n_due * n, sizeof *p->weight);
    p->invested = arena_array(arena, n_due, sizeof *p->invested);
    p->decisions = arena_array(arena, n_due, sizeof *p->decisions);
    if (asset == NULL || p->weight == NULL || p->invested == NULL || p->decisions == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "%zu decisions on %zu assets need more memory than a request may use.",
                       n_due, n);
    for (size_t a = 0; a < n; a++)
        asset[a] = a;
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

static void decide(struct planner *p, size_t d)
{
    const struct strategy *strategy = p->scene->spec->model;
    const int32_t *clock = p->market.history.panel->clock;
    size_t n = p->scene->panel->n_held;
    size_t session = p->market.history.first + p->scene->due[d];
    struct strategy_decision decision = {p->scene->due[d], DATE_NONE, DATE_NONE, NOTE_NONE};

    decision.note = strategy_row(strategy, &p->market, session, &p->workspace, p->weight + d * n);
    if (strategy->kind->needs & STRATEGY_WINDOW && decision.note != NOTE_SHORT_HISTORY) {
        decision.known_from = clock[session - strategy->lag - strategy->lookback];
        decision.known_at = clock[session - strategy->lag];
    }
    p->invested[d] = invested_share(p->weight + d * n, n);
    p->decisions[d] = decision;
}

enum status strategy_plan(const struct strategy_scene *scene, struct arena *arena,
                          const struct stop *stop, struct plan *ret_plan,
                          struct strategy_report *ret_report, struct err *err)
{
    const struct strategy *strategy = scene->spec->model;
    struct planner p = {.scene = scene};
    struct strategy_report report = {.n = scene->n_due};
    struct plan plan;

    p.market.periods_per_year = scene->periods_per_year;
    p.market.risk_free_rate = scene->spec->risk_free_rate;
    enum status s = allocate(&p, arena, &plan, err);
    if (s == STATUS_OK)
        s = history_open(scene->spec, scene->market, scene->panel,
                         strategy_history_needed(strategy), arena, stop, &p.market.history, err);
    if (s == STATUS_OK)
        s = strategy_workspace_init(&p.workspace, scene->spec, strategy, scene->panel, arena, err);
    for (size_t d = 0; s == STATUS_OK && d < scene->n_due; d++) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        decide(&p, d);
        report.n_noted[p.decisions[d].note]++;
    }
    if (s != STATUS_OK)
        return s;
    report.decisions = p.decisions;
    *ret_plan = plan;
    *ret_report = report;
    return STATUS_OK;
}
