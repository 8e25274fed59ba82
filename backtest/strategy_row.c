/* strategy_row.c - from a session of the history to one row of target weights. */
#include "backtest/strategy_row.h"

#include "backtest/stats.h"
#include "backtest/strategy_limits.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

size_t strategy_history_needed(const struct strategy *strategy)
{
    size_t most = strategy->lookback + strategy->lag;
    if (strategy->base != NULL && strategy_history_needed(strategy->base) > most)
        most = strategy_history_needed(strategy->base);
    for (size_t i = 0; i < strategy->n_candidates; i++) {
        size_t needed = strategy_history_needed(strategy->candidates[i]);
        most = needed > most ? needed : most;
    }
    return most;
}

enum status strategy_workspace_init(struct strategy_workspace *workspace, const struct spec *spec,
                                    const struct strategy *strategy, const struct panel *panel,
                                    struct arena *arena, struct err *err)
{
    unsigned needs = strategy->kind->needs;
    size_t n = panel->n_held;
    size_t n_returns = needs & STRATEGY_RETURNS ? strategy->lookback : 0;
    size_t n_columns = needs & STRATEGY_BENCHMARK ? n + 1 : n;
    size_t order = needs & STRATEGY_COVARIANCE ? n_columns : 0;
    struct strategy_workspace w = {
        .live = arena_array(arena, n, sizeof *w.live),
        .price = arena_array(arena, n, sizeof *w.price),
        .returns = arena_array(arena, n_columns * n_returns + 1, sizeof *w.returns),
        .mean = arena_array(arena, n_columns, sizeof *w.mean),
        .covariance = arena_array(arena, n_columns * order + 1, sizeof *w.covariance),
        .shared = arena_array(arena, n_columns, sizeof *w.shared),
        .scratch = arena_array(arena, n * strategy->kind->scratch + 1, sizeof *w.scratch),
        .weight = arena_array(arena, n, sizeof *w.weight),
        .square = arena_array(arena, needs & STRATEGY_SQUARE ? n * n : 1, sizeof *w.square),
        .index = arena_array(arena, n * STRATEGY_INDICES, sizeof *w.index),
        .asset = arena_array(arena, n, sizeof *w.asset),
        .base_row = arena_array(arena, n, sizeof *w.base_row),
        .base_weight = arena_array(arena, n, sizeof *w.base_weight),
        .base = ARENA_NEW(arena, struct strategy_workspace),
        .path = arena_array(arena, n_returns * STRATEGY_PATHS + 1, sizeof *w.path),
        .when = arena_array(arena, n_returns + 1, sizeof *w.when),
    };
    if (w.asset == NULL || w.base_row == NULL || w.base_weight == NULL || w.base == NULL ||
        w.square == NULL || w.index == NULL || w.live == NULL || w.price == NULL ||
        w.returns == NULL || w.mean == NULL || w.covariance == NULL || w.shared == NULL ||
        w.scratch == NULL || w.weight == NULL || w.path == NULL || w.when == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "Strategy \"%s\" over %zu assets needs more memory than a request may use.",
                       strategy->kind->name, n);
    enum status s = strategy_limits_init(&w.all, strategy, n, arena, err);
    if (s == STATUS_OK)
        s = strategy_limits_init(&w.limits, strategy, n, arena, err);
    if (s == STATUS_OK)
        s = qp_workspace_init(&w.qp, n, panel->kernels, arena, err);
    if (s == STATUS_OK && strategy->base != NULL)
        s = strategy_workspace_init(w.base, spec, strategy->base, panel, arena, err);
    if (s != STATUS_OK)
        return s;
    strategy_limits_fill(&w.all, spec, strategy, panel->held, n);
    *workspace = w;
    return STATUS_OK;
}

/* Columns of the held assets that can be bought at session. */
static size_t list_live(const struct panel *panel, size_t session, size_t *ret_live)
{
    size_t m = 0;
    for (size_t a = 0; a < panel->n_held; a++) {
        if (!(panel->state[panel_cell(panel, a, session)] & (PANEL_SUSPENDED | PANEL_DELISTED)))
            ret_live[m++] = a;
    }
    return m;
}

/*
 * Windows of the live assets that end at `last`. Those that do not vary leave when returns are needed,
 * unless another strategy has chosen them.
 */
static size_t cut_windows(const struct strategy *strategy, const struct panel *panel, size_t last,
                          size_t n_live, struct strategy_workspace *w)
{
    size_t m = 0, n = strategy->lookback;
    bool needs_returns = (strategy->kind->needs & STRATEGY_RETURNS) != 0;
    bool leaves_out = !(strategy->kind->needs & STRATEGY_BASE);
    for (size_t i = 0; i < n_live; i++) {
        const double *price = panel->price + panel_cell(panel, w->live[i], last - n);
        if (needs_returns) {
            double *r = w->returns + m * n;
            stats_returns(price, n + 1, r);
            if (leaves_out && stats_moments_short(r, n).is_constant)
                continue;
        }
        w->price[m] = price;
        w->live[m++] = w->live[i];
    }
    return m;
}

/* The last row of a covariance of m + 1 becomes shared, and what is left of the others m x m. */
static void split_last(double *covariance, size_t m, double *shared)
{
    memcpy(shared, covariance + m * (m + 1), (m + 1) * sizeof *shared);
    for (size_t i = 1; i < m; i++)
        memmove(covariance + i * m, covariance + i * (m + 1), m * sizeof *covariance);
}

/* Of the m assets, and of the benchmark over the same window; false when one of them has no variance to speak of. */
static bool estimate(const struct strategy *strategy, const struct panel *panel, size_t last,
                     size_t m, struct strategy_workspace *w)
{
    size_t n = strategy->lookback;
    bool has_benchmark = (strategy->kind->needs & STRATEGY_BENCHMARK) != 0;
    if (!(strategy->kind->needs & STRATEGY_COVARIANCE))
        return true;
    if (has_benchmark)
        stats_returns(panel->benchmark + last - n, n + 1, w->returns + m * n);
    covariance_estimate(strategy->covariance, panel->kernels, w->returns, has_benchmark ? m + 1 : m,
                        n, w->mean, w->covariance);
    if (has_benchmark)
        split_last(w->covariance, m, w->shared);
    bool is_usable = !has_benchmark || w->shared[m] >= DBL_MIN; /* NaN: it has no price somewhere */
    if (strategy->kind->needs & STRATEGY_BASE)
        return true;
    for (size_t i = 0; i < m; i++)
        is_usable = is_usable && w->covariance[i * m + i] >= DBL_MIN;
    return is_usable;
}

/* Moves weights that break the limits to the nearest that keep them and have the same sum. */
static bool keep_limits(struct strategy_workspace *w, size_t m)
{
    static const double TOLERANCE = 1e-9;
    double sum = 0, least, most;
    if (limits_hold(&w->limits, w->weight, TOLERANCE))
        return true;
    for (size_t i = 0; i < m; i++)
        sum += w->weight[i];
    limits_range(&w->limits, &least, &most);
    w->limits.budget = fmin(fmax(sum, least), most);
    return qp_project(&w->limits, w->weight, &w->qp, w->weight) == QP_SOLVED;
}

size_t strategy_publication(const struct strategy *strategy, const struct strategy_market *market,
                            size_t session, const struct rate_series **ret_series)
{
    const struct panel *panel = market->history.panel;
    const struct rate_series *series = market_find_rates(market->data, strategy->indicator);
    assert(series != NULL); /* strategy_plan has seen it */
    struct dated rows = {series->n, series->date, series->known_at};
    uint32_t row = align_row_at(rows, panel->clock[session], panel->visible_until[session]);
    *ret_series = series;
    return row == ALIGN_NO_ROW ? series->n : row;
}

static double signal_at(const struct strategy *strategy, const struct strategy_market *market,
                        size_t session)
{
    const struct rate_series *series = NULL;
    if (!(strategy->kind->needs & STRATEGY_SIGNAL))
        return (double)NAN;
    size_t row = strategy_publication(strategy, market, session, &series);
    return row < series->n ? series->value[row] : (double)NAN;
}

/* Fills w->weight for the *ret_m assets that take part, in w->live. */
static enum strategy_note weigh(const struct strategy *strategy,
                                const struct strategy_market *market, size_t session, size_t n_live,
                                struct strategy_workspace *w, size_t *ret_m)
{
    const struct panel *panel = market->history.panel;
    size_t m = n_live, last = session - strategy->lag;
    if (strategy->kind->needs & STRATEGY_WINDOW)
        m = cut_windows(strategy, panel, last, n_live, w);
    *ret_m = m;
    if (m == 0 || !estimate(strategy, panel, last, m, w))
        return NOTE_NO_ANSWER;
    strategy_limits_pick(&w->all, w->live, m, &w->limits);
    for (size_t i = 0; i < m; i++) {
        w->asset[i] = panel->held[w->live[i]];
        w->base_weight[i] = w->base_row[w->live[i]];
    }
    struct strategy_input input = {
        .strategy = strategy,
        .m = m,
        .asset = w->asset,
        .base = w->base_weight,
        .today = panel->clock[session],
        .decision = market->decision,
        .signal = signal_at(strategy, market, session),
        .path = w->path,
        .when = w->when,
        .price = w->price,
        .returns = w->returns,
        .mean = w->mean,
        .covariance = w->covariance,
        .shared = w->shared,
        .kernels = panel->kernels,
        .periods_per_year = market->periods_per_year,
        .risk_free_rate = market->risk_free_rate,
        .scratch = w->scratch,
        .square = w->square,
        .index = w->index,
        .limits = &w->limits,
        .qp = &w->qp,
    };
    enum strategy_note note = strategy->kind->weigh(&input, w->weight);
    for (size_t i = 0; i < m; i++)
        note = isfinite(w->weight[i]) ? note : NOTE_NO_ANSWER;
    if (note == NOTE_NO_ANSWER || !strategy_takes_limits(strategy->kind))
        return note;
    return keep_limits(w, m) ? note : NOTE_NO_ANSWER;
}

static void fall_back(const struct strategy *strategy, const struct panel *panel, size_t session,
                      struct strategy_workspace *w, double *ret_weight)
{
    size_t m = strategy->fallback == FALLBACK_EQUAL ? list_live(panel, session, w->live) : 0;
    if (m == 0)
        return;
    for (size_t i = 0; i < m; i++)
        w->weight[i] = 1 / (double)m;
    strategy_limits_pick(&w->all, w->live, m, &w->limits);
    if (!keep_limits(w, m))
        return; /* cash: limits that pass their check and cannot be met leave nothing else */
    for (size_t i = 0; i < m; i++)
        ret_weight[w->live[i]] = w->weight[i];
}

/* The weights of the request, or equal parts, for what can be bought: a base or a candidate. */
static void plain_row(const struct strategy *strategy, const struct strategy_market *market,
                      size_t n_live, const size_t *live, double *ret_weight)
{
    bool is_equal = strategy->kind == strategy_kinds[STRATEGY_EQUAL];
    for (size_t i = 0; i < n_live; i++)
        ret_weight[live[i]] = is_equal ? 1 / (double)n_live : market->given[live[i]];
}

enum strategy_note strategy_row(const struct strategy *strategy,
                                const struct strategy_market *market, size_t session,
                                struct strategy_workspace *workspace, double *ret_weight)
{
    const struct panel *panel = market->history.panel;
    size_t m = 0;

    memset(ret_weight, 0, panel->n_held * sizeof *ret_weight);
    size_t n_live = list_live(panel, session, workspace->live);
    if (strategy_is_plain(strategy)) {
        plain_row(strategy, market, n_live, workspace->live, ret_weight);
        return NOTE_NONE;
    }
    if (session < strategy->lookback + strategy->lag) {
        fall_back(strategy, panel, session, workspace, ret_weight);
        return NOTE_SHORT_HISTORY;
    }
    if (strategy->base != NULL)
        (void)strategy_row(strategy->base, market, session, workspace->base, workspace->base_row);
    enum strategy_note note = weigh(strategy, market, session, n_live, workspace, &m);
    if (note == NOTE_NO_ANSWER) {
        fall_back(strategy, panel, session, workspace, ret_weight);
        return note;
    }
    for (size_t i = 0; i < m; i++)
        ret_weight[workspace->live[i]] = workspace->weight[i] + 0.0; /* -0 becomes 0 */
    return note;
}
