/*
 * strategy_row.h - one row of a plan: cuts the window, leaves out what cannot be bought, estimates,
 * and lets the strategy weigh. Part of strategy_plan; not for others.
 * Pure; one workspace per thread.
 */
#ifndef BACKTEST_STRATEGY_ROW_H
#define BACKTEST_STRATEGY_ROW_H

#include "backtest/history.h"
#include "backtest/strategy.h"

/* Room for the windows of one strategy; the caller's arena owns it. */
struct strategy_workspace {
    size_t *live; /* [n]: columns of the assets that take part */
    const double **price;
    double *returns, *mean, *covariance, *scratch, *square;
    double *shared; /* [n + 1], with STRATEGY_BENCHMARK */
    size_t *index;
    double *weight;            /* [n] */
    struct limits all, limits; /* of every asset, and of those that take part */
    struct qp_workspace qp;
    struct strategy_workspace *base; /* with STRATEGY_BASE */
    double *base_row;                /* [n] */
    size_t *asset;                   /* [n]: the asset of the request that each of live is */
    double *base_weight;             /* [n]: base_row of the live ones */
    double *path;                    /* [STRATEGY_PATHS x lookback], with STRATEGY_RETURNS */
    size_t *when;                    /* [lookback], likewise */
};

/* Room for the held assets of a panel of spec. Errors: STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY. */
enum status strategy_workspace_init(struct strategy_workspace *workspace, const struct spec *spec,
                                    const struct strategy *strategy, const struct panel *panel,
                                    struct arena *arena, struct err *err) NODISCARD;

struct strategy_market {
    struct history history;
    const struct market_data *data; /* for economic series */
    double periods_per_year;
    double risk_free_rate; /* annual */
    const double *given;   /* [n_held]: weights of the request */
    size_t decision;       /* decisions of the run before this one */
};

/*
 * Fills ret_weight[n_held], a weight per held column, for a decision at `session` of the history; the
 * assets that are suspended or delisted then get 0. Reads no price after session - lag.
 */
enum strategy_note strategy_row(const struct strategy *strategy,
                                const struct strategy_market *market, size_t session,
                                struct strategy_workspace *workspace, double *ret_weight);

/*
 * The publication of the strategy's economic series that is known at `session` of the history; its length n when there
 * is none. *ret_series is set.
 */
size_t strategy_publication(const struct strategy *strategy, const struct strategy_market *market,
                            size_t session, const struct rate_series **ret_series);

/* Prices before the first decision that full windows need: its own, its base's, its candidates'. */
size_t strategy_history_needed(const struct strategy *strategy);

#endif
