/* strategy_row.c - from a session of the history to one row of target weights. */
#include "backtest/strategy_row.h"

#include "backtest/stats.h"

#include <float.h>
#include <math.h>
#include <string.h>

size_t strategy_history_needed(const struct strategy *strategy)
{
    return strategy->lookback + strategy->lag;
}

enum status strategy_workspace_init(struct strategy_workspace *workspace,
                                    const struct strategy *strategy, size_t n, struct arena *arena,
                                    struct err *err)
{
    unsigned needs = strategy->kind->needs;
    size_t n_returns = needs & STRATEGY_RETURNS ? strategy->lookback : 0;
    size_t order = needs & STRATEGY_COVARIANCE ? n : 0;
    struct strategy_workspace w = {
        .live = arena_array(arena, n, sizeof *w.live),
        .price = arena_array(arena, n, sizeof *w.price),
        .returns = arena_array(arena, n * n_returns + 1, sizeof *w.returns),
        .mean = arena_array(arena, n, sizeof *w.mean),
        .covariance = arena_array(arena, n * order + 1, sizeof *w.covariance),
        .scratch = arena_array(arena, n * strategy->kind->scratch + 1, sizeof *w.scratch),
        .weight = arena_array(arena, n, sizeof *w.weight),
    };
    if (w.live == NULL || w.price == NULL || w.returns == NULL || w.mean == NULL ||
        w.covariance == NULL || w.scratch == NULL || w.weight == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "Strategy \"%s\" over %zu assets needs more memory than a request may use.",
                       strategy->kind->name, n);
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

/* Windows of the live assets that end at `last`; those that do not vary leave when returns are needed. */
static size_t cut_windows(const struct strategy *strategy, const struct panel *panel, size_t last,
                          size_t n_live, struct strategy_workspace *w)
{
    size_t m = 0, n = strategy->lookback;
    bool needs_returns = (strategy->kind->needs & STRATEGY_RETURNS) != 0;
    for (size_t i = 0; i < n_live; i++) {
        const double *price = panel->price + panel_cell(panel, w->live[i], last - n);
        if (needs_returns) {
            double *r = w->returns + m * n;
            stats_returns(price, n + 1, r);
            if (stats_moments_short(r, n).is_constant)
                continue;
        }
        w->price[m] = price;
        w->live[m++] = w->live[i];
    }
    return m;
}

static bool estimate(const struct strategy *strategy, size_t m, struct strategy_workspace *w)
{
    if (!(strategy->kind->needs & STRATEGY_COVARIANCE))
        return true;
    covariance_estimate(strategy->covariance, w->returns, m, strategy->lookback, w->mean,
                        w->covariance);
    bool is_usable = true;
    for (size_t i = 0; i < m; i++)
        is_usable = is_usable && w->covariance[i * m + i] >= DBL_MIN;
    return is_usable;
}

static bool weigh(const struct strategy *strategy, const struct strategy_market *market,
                  size_t session, size_t n_live, struct strategy_workspace *w, size_t *ret_m)
{
    size_t m = n_live;
    if (strategy->kind->needs & STRATEGY_WINDOW)
        m = cut_windows(strategy, market->history.panel, session - strategy->lag, n_live, w);
    *ret_m = m;
    if (m == 0 || !estimate(strategy, m, w))
        return false;
    struct strategy_input input = {
        .strategy = strategy,
        .m = m,
        .price = w->price,
        .returns = w->returns,
        .mean = w->mean,
        .covariance = w->covariance,
        .periods_per_year = market->periods_per_year,
        .risk_free_rate = market->risk_free_rate,
        .scratch = w->scratch,
    };
    bool is_finite = strategy->kind->weigh(&input, w->weight);
    for (size_t i = 0; i < m; i++)
        is_finite = is_finite && isfinite(w->weight[i]);
    return is_finite;
}

static void fall_back(const struct strategy *strategy, const struct panel *panel, size_t session,
                      struct strategy_workspace *w, double *ret_weight)
{
    size_t m = strategy->fallback == FALLBACK_EQUAL ? list_live(panel, session, w->live) : 0;
    for (size_t i = 0; i < m; i++)
        ret_weight[w->live[i]] = 1 / (double)m;
}

enum strategy_note strategy_row(const struct strategy *strategy,
                                const struct strategy_market *market, size_t session,
                                struct strategy_workspace *workspace, double *ret_weight)
{
    const struct panel *panel = market->history.panel;
    size_t m = 0;

    memset(ret_weight, 0, panel->n_held * sizeof *ret_weight);
    if (session < strategy_history_needed(strategy)) {
        fall_back(strategy, panel, session, workspace, ret_weight);
        return NOTE_SHORT_HISTORY;
    }
    size_t n_live = list_live(panel, session, workspace->live);
    if (!weigh(strategy, market, session, n_live, workspace, &m)) {
        fall_back(strategy, panel, session, workspace, ret_weight);
        return NOTE_NO_ANSWER;
    }
    for (size_t i = 0; i < m; i++)
        ret_weight[workspace->live[i]] = workspace->weight[i] + 0.0; /* -0 becomes 0 */
    return NOTE_NONE;
}
