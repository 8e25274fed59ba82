/* work.c - see work.h. */
#include "backtest/work.h"

#include "backtest/strategy.h"
#include "backtest/walk_forward.h"

enum { SPLITS = 12870, SPLIT_CELLS = 12, PATH_CELLS = 8, PRICE_CELLS = 32, PROJECTIONS = 70 };

static uint64_t sessions_of(uint64_t days)
{
    return days * 5 / 7 + 1;
}

/* Decisions of the calendar over so many sessions. */
static uint64_t decisions_of(const struct rebalance_rule *rule, uint64_t sessions)
{
    static const unsigned every[REBALANCE_EVERY_COUNT] = {
        [REBALANCE_DAILY] = 1,      [REBALANCE_WEEKLY] = 5,   [REBALANCE_MONTHLY] = 21,
        [REBALANCE_QUARTERLY] = 63, [REBALANCE_YEARLY] = 252, [REBALANCE_HALF_YEARLY] = 126,
    };
    unsigned n = rule->every == REBALANCE_SESSIONS ? rule->n_sessions : every[rule->every];
    return n == 0 ? 1 : sessions / n + 1;
}

/* One decision of a strategy that weighs by itself, or on a base. */
static uint64_t row_cells(const struct strategy *strategy, uint64_t n)
{
    unsigned needs = strategy->kind->needs;
    uint64_t window = strategy->lookback, cells = 0;
    bool is_shrunk = strategy->covariance.estimator == COVARIANCE_LEDOIT_WOLF;
    if (needs & STRATEGY_WINDOW)
        cells += n * PRICE_CELLS;
    if (needs & (STRATEGY_RETURNS | STRATEGY_COVARIANCE))
        cells += 2 * n * window;
    if (needs & STRATEGY_RETURNS && !(needs & STRATEGY_COVARIANCE))
        cells += PROJECTIONS * (n * window / 4 + n * n * n);
    if (needs & STRATEGY_COVARIANCE)
        cells += n * n * window / 4 * (is_shrunk ? 2 : 1) + n * n * n / 8 + 64 * n * n;
    return strategy->base != NULL ? cells + row_cells(strategy->base, n) : cells;
}

static uint64_t search_cells(const struct spec *spec, uint64_t sessions)
{
    const struct strategy *strategy = spec->model;
    uint64_t train = walk_train(strategy), test = walk_test(strategy);
    uint64_t n = spec->n_assets, path = sessions + train, rows = 0;
    uint64_t fits = sessions / test + 1, decisions = decisions_of(&spec->rebalance, path);
    for (size_t c = 0; c < strategy->n_candidates; c++)
        rows += row_cells(strategy->candidates[c], n);
    uint64_t each = PATH_CELLS * n * path + 2 * train * fits + SPLITS * SPLIT_CELLS;
    return rows * decisions + each * strategy->n_candidates;
}

uint64_t work_of_decisions(const struct spec *spec, uint64_t days)
{
    uint64_t sessions = sessions_of(days);
    bool is_search = spec->model->kind->needs & STRATEGY_SEARCH;
    uint64_t cells = is_search ? search_cells(spec, sessions)
                               : row_cells(spec->model, spec->n_assets) *
                                     decisions_of(&spec->rebalance, sessions);
    for (size_t i = 0; i < spec->n_assets; i++) {
        const struct spec *inner = spec->assets[i].portfolio;
        if (inner != NULL)
            cells += inner->n_assets * days + work_of_decisions(inner, days);
    }
    return cells;
}
