/* walk_forward.c - plays candidates, scores them in sample, and trades the best out of sample. */
#include "backtest/walk_forward.h"

#include "backtest/measure.h"
#include "backtest/schedule.h"
#include "backtest/stats.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const walk_criterion_names[WALK_CRITERION_COUNT] = {
    [WALK_SHARPE] = "sharpe",
    [WALK_SORTINO] = "sortino",
    [WALK_TOTAL_RETURN] = "total_return",
};

/* In the order of the rows of strategies/walk_forward.c. */
enum { PARAM_TRAIN, PARAM_TEST, PARAM_CRITERION };

static size_t param(const struct walk_scene *scene, size_t which)
{
    return (size_t)scene->strategy->param[which];
}

size_t walk_train(const struct strategy *strategy)
{
    return (size_t)strategy->param[PARAM_TRAIN];
}

size_t walk_test(const struct strategy *strategy)
{
    return (size_t)strategy->param[PARAM_TEST];
}

size_t walk_history_needed(const struct strategy *strategy)
{
    return strategy_history_needed(strategy) + walk_train(strategy);
}

/* The returns of candidate c after session `from` of the history, less the dated rate where there is one. */
static const double *returns_of(const struct walk *walk, size_t c, size_t from, size_t n)
{
    const struct walk_scene *scene = walk->scene;
    const double *r = walk->path + c * scene->market.history.panel->n_sessions + from + 1;
    bool is_whole = (enum walk_criterion)param(scene, PARAM_CRITERION) == WALK_TOTAL_RETURN;
    if (scene->risk_free == NULL || is_whole)
        return r;
    for (size_t t = 0; t < n; t++)
        walk->excess[t] = r[t] - scene->risk_free[from + t];
    return walk->excess;
}

/* Score of its n returns from there; NaN when they do not vary, or there is nothing to divide by. */
static double score(const struct walk *walk, size_t c, size_t from, size_t n)
{
    const struct walk_scene *scene = walk->scene;
    const double *r = returns_of(walk, c, from, n);
    double periods = scene->market.periods_per_year, growth = 1;
    double rate = scene->risk_free != NULL
                      ? 0
                      : measure_rate_per_period(scene->market.risk_free_rate, periods);
    struct stats_moments m = stats_moments_short(r, n);
    switch ((enum walk_criterion)param(scene, PARAM_CRITERION)) {
    case WALK_TOTAL_RETURN:
        for (size_t t = 0; t < n; t++)
            growth *= 1 + r[t];
        return growth - 1;
    case WALK_SORTINO: {
        double downside = stats_downside(r, n, rate);
        return n > 0 && downside > 0 ? (m.mean - rate) / downside * sqrt(periods) : (double)NAN;
    }
    case WALK_SHARPE:
    case WALK_CRITERION_COUNT:
        break;
    }
    return n < 2 || m.is_constant ? (double)NAN : (m.mean - rate) / m.sd * sqrt(periods);
}

/* Portfolio of a path: shares of its value, the rest in cash. */
struct holding {
    double *weight;  /* [n] */
    double *decided; /* [n] */
    bool is_pending;
    size_t decided_at;
};

/* The return of session t, with the weights left as they have drifted to. */
static double drift(const struct panel *panel, size_t t, double *weight)
{
    double growth = 1;
    for (size_t a = 0; a < panel->n_held; a++) {
        const double *price = panel->price + panel_cell(panel, a, t);
        double gain = weight[a] * (price[0] / price[-1] - 1);
        growth += gain;
        weight[a] += gain;
    }
    for (size_t a = 0; a < panel->n_held && growth > 0; a++)
        weight[a] /= growth;
    return growth - 1;
}

/* Moves to the decided weights; returns the share of the value that it costs. */
static double trade(const struct walk_scene *scene, struct holding *h)
{
    double traded = 0;
    for (size_t a = 0; a < scene->market.history.panel->n_held; a++) {
        traded += fabs(h->decided[a] - h->weight[a]);
        h->weight[a] = h->decided[a];
    }
    h->is_pending = false;
    return traded * scene->cost_rate;
}

/* Returns of candidate c for every session from walk->from on; that of the first is 0. */
static enum status play(struct walk *walk, size_t c, const uint32_t *due, size_t n_due,
                        struct holding *h, const struct stop *stop, struct err *err)
{
    const struct walk_scene *scene = walk->scene;
    const struct panel *panel = scene->market.history.panel;
    double *r = walk->path + c * panel->n_sessions;
    size_t lag = scene->fill == FILL_SAME_CLOSE ? 0 : 1, next = 0;

    memset(h->weight, 0, panel->n_held * sizeof *h->weight);
    h->is_pending = false;
    for (size_t t = walk->from; t < panel->n_sessions; t++) {
        r[t] = t > walk->from ? drift(panel, t, h->weight) : 0;
        if (next < n_due && due[next] == t && lag > 0 && h->is_pending)
            r[t] -= (1 + r[t]) * trade(scene, h); /* yesterday's decision before today's */
        if (next < n_due && due[next] == t) {
            if (stop_is_raised(stop))
                return stop_status(stop, err);
            (void)strategy_row(scene->strategy->candidates[c], &scene->market, t,
                               &walk->workspace[c], h->decided);
            h->is_pending = true;
            h->decided_at = t;
            next++;
        }
        if (h->is_pending && t >= h->decided_at + lag)
            r[t] -= (1 + r[t]) * trade(scene, h);
    }
    return STATUS_OK;
}

/* Decisions from `from` on, due[0..*ret_n): of the calendar before the run, and those of the run. */
static enum status list_due(const struct walk *walk, struct arena *arena, uint32_t *due,
                            size_t *ret_n, struct err *err)
{
    const struct walk_scene *scene = walk->scene;
    const struct panel *panel = scene->market.history.panel;
    size_t first = scene->market.history.first, n_all = 0, n = 0;
    struct calendar clock;
    enum status s =
        calendar_of(panel->clock + walk->from, panel->n_sessions - walk->from, arena, &clock, err);
    if (s != STATUS_OK)
        return s;
    schedule_build(&scene->spec->rebalance, &clock, due, &n_all);
    while (n < n_all && due[n] + walk->from < first) {
        due[n] += (uint32_t)walk->from;
        n++;
    }
    for (size_t d = 0; d < scene->n_due; d++)
        due[n++] = scene->due[d] + (uint32_t)first;
    *ret_n = n;
    return STATUS_OK;
}

static enum status allocate(struct walk *walk, struct holding *h, uint32_t **ret_due,
                            struct arena *arena, struct err *err)
{
    const struct walk_scene *scene = walk->scene;
    const struct panel *panel = scene->market.history.panel;
    size_t n = panel->n_held, n_candidates = scene->strategy->n_candidates;
    walk->workspace = arena_array(arena, n_candidates, sizeof *walk->workspace);
    walk->path = arena_array(arena, n_candidates * panel->n_sessions, sizeof *walk->path);
    walk->scores = arena_array(arena, n_candidates * scene->n_due, sizeof *walk->scores);
    walk->fits = arena_array(arena, scene->n_due, sizeof *walk->fits);
    walk->excess = arena_array(arena, panel->n_sessions, sizeof *walk->excess);
    *ret_due = arena_array(arena, panel->n_sessions + scene->n_due, sizeof **ret_due);
    h->weight = arena_array(arena, n, sizeof *h->weight);
    h->decided = arena_array(arena, n, sizeof *h->decided);
    if (walk->workspace == NULL || walk->path == NULL || walk->scores == NULL ||
        walk->fits == NULL || walk->excess == NULL || *ret_due == NULL || h->weight == NULL ||
        h->decided == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "Playing %zu candidates needs more memory than a request may use.",
                       n_candidates);
    return STATUS_OK;
}

enum status walk_open(const struct walk_scene *scene, struct arena *arena, const struct stop *stop,
                      struct walk *ret, struct err *err)
{
    struct walk walk = {.scene = scene};
    struct holding h = {0};
    uint32_t *due = NULL;
    size_t first = scene->market.history.first, train = param(scene, PARAM_TRAIN);

    walk.from = first > train ? first - train : 0;
    enum status s = allocate(&walk, &h, &due, arena, err);
    if (s != STATUS_OK)
        return s;
    size_t n_due = 0;
    s = list_due(&walk, arena, due, &n_due, err);
    for (size_t c = 0; c < scene->strategy->n_candidates && s == STATUS_OK; c++) {
        s = strategy_workspace_init(&walk.workspace[c], scene->spec, scene->strategy->candidates[c],
                                    scene->market.history.panel, arena, err);
        if (s == STATUS_OK)
            s = play(&walk, c, due, n_due, &h, stop, err);
    }
    if (s == STATUS_OK)
        *ret = walk;
    return s;
}

/* Chooses at `session` of the history by the returns of the window that ends there. */
static void fit(struct walk *walk, size_t d, size_t session)
{
    const struct walk_scene *scene = walk->scene;
    const struct panel *panel = scene->market.history.panel;
    size_t n_candidates = scene->strategy->n_candidates, train = param(scene, PARAM_TRAIN);
    size_t start = session - walk->from > train ? session - train : walk->from;
    struct walk_fit *f = &walk->fits[walk->n_fits];
    double *scores = walk->scores + walk->n_fits * n_candidates;

    assert(walk->fits != NULL);
    *f = (struct walk_fit){.session = scene->due[d],
                           .train_from = panel->clock[start],
                           .in_sample = (double)NAN,
                           .out_of_sample = (double)NAN,
                           .scores = scores};
    for (size_t c = 0; c < n_candidates; c++) {
        scores[c] =
            session - start < WALK_TRAIN_MIN ? (double)NAN : score(walk, c, start, session - start);
        if (isnan(scores[c]) || (!isnan(f->in_sample) && scores[c] <= f->in_sample))
            continue;
        f->chosen = c;
        f->in_sample = scores[c];
    }
    walk->n_fits++;
}

enum strategy_note walk_row(struct walk *walk, size_t d, double *ret_weight)
{
    const struct walk_scene *scene = walk->scene;
    size_t session = scene->market.history.first + scene->due[d];
    const struct walk_fit *last = walk->n_fits > 0 ? &walk->fits[walk->n_fits - 1] : NULL;
    if (last == NULL || isnan(last->in_sample) ||
        scene->due[d] - last->session >= param(scene, PARAM_TEST))
        fit(walk, d, session);
    last = &walk->fits[walk->n_fits - 1];
    enum strategy_note note =
        strategy_row(scene->strategy->candidates[last->chosen], &scene->market, session,
                     &walk->workspace[last->chosen], ret_weight);
    return isnan(last->in_sample) ? NOTE_SHORT_HISTORY : note;
}

static enum status judge(const struct walk *walk, struct arena *arena, const struct stop *stop,
                         struct walk_report *report, struct err *err)
{
    const struct walk_scene *scene = walk->scene;
    struct overfit_study study;
    size_t n_rows = scene->n_run - 1, first = scene->market.history.first;
    report->has_trials = report->n_candidates >= 2 && n_rows >= 2 * OVERFIT_BLOCKS;
    if (!report->has_trials)
        return STATUS_OK;
    enum status s =
        overfit_study_init(&study, n_rows, OVERFIT_BLOCKS, report->n_candidates, arena, err);
    if (s != STATUS_OK)
        return s;
    study.kernels = scene->market.history.panel->kernels;
    for (size_t c = 0; c < report->n_candidates; c++)
        overfit_study_add(&study,
                          walk->path + c * scene->market.history.panel->n_sessions + first + 1);
    return overfit_study_report(&study, report->n_candidates, arena, stop, &report->trials, err);
}

enum status walk_close(struct walk *walk, struct arena *arena, const struct stop *stop,
                       struct walk_report *ret, struct err *err)
{
    const struct walk_scene *scene = walk->scene;
    struct walk_report report = {
        .fits = walk->fits, .n = walk->n_fits, .n_candidates = scene->strategy->n_candidates};
    for (size_t k = 0; k < walk->n_fits; k++) {
        struct walk_fit *f = &walk->fits[k];
        size_t end = k + 1 < walk->n_fits ? walk->fits[k + 1].session : scene->n_run - 1;
        f->out_of_sample =
            score(walk, f->chosen, scene->market.history.first + f->session, end - f->session);
    }
    enum status s = judge(walk, arena, stop, &report, err);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
