/*
 * engine.h - plays a plan of target weights through a panel, session by session.
 * Pure: no allocation, no I/O; the caller sizes a workspace and may share panel and rules between
 * threads, one workspace each. Same input, same bits, alone or in a batch.
 *
 * Session t, in this order:
 *   1. delisting   a position whose asset is delisted becomes cash: last price * (1 + its return)
 *   2. fill        a decision made at an earlier session (same_close: at this one) is carried out at
 *                  t's prices, if every asset that is held or wanted and is neither suspended nor delisted is
 *                  tradable; otherwise it waits, and a newer decision replaces it
 *   3. value       equity[t] = cash + sum of units * price, added in column order; at a fill, the
 *                  value left after its costs
 *   4. decision    when t is in rules.due; it knows prices up to t only
 * Fill: suspended positions are frozen; the targets of the others are scaled so that they keep the
 * invested share, of a budget that leaves out the frozen value; sizes come from costs.h.
 * equity[0] is the capital, before any cost. Cash earns nothing.
 */
#ifndef BACKTEST_ENGINE_H
#define BACKTEST_ENGINE_H

#include "backtest/costs.h"
#include "backtest/panel.h"
#include "backtest/plan.h"

struct sim_rules {
    enum spec_fill fill;
    struct cost_rates costs;
    double capital;
    const uint32_t *due; /* decision sessions from schedule_build */
    size_t n_due;
};

enum sim_reason { SIM_INITIAL, SIM_REBALANCE, SIM_DELISTING, SIM_REASON_COUNT };
extern const char *const sim_reason_names[SIM_REASON_COUNT];

struct sim_trade {
    uint32_t session;
    uint32_t asset; /* panel column */
    enum sim_reason reason;
    bool is_buy;
    double quantity;             /* > 0, in units of the asset */
    double local_price;          /* in the asset's currency */
    double fx;                   /* base currency for one unit of the asset's currency */
    double value;                /* quantity * local_price * fx; a delisting: the proceeds */
    double commission, slippage; /* base currency */
};

/* What a run leaves behind besides its equity. Sums run over all trades in the order made. */
struct sim_recorder {
    struct sim_trade *trades; /* the first max_trades of n_trades */
    size_t max_trades;
    size_t n_trades;
    double commission, slippage;
    double delisting_gain; /* performance, not cost: sum of value * delisting return */
    double turnover;       /* sum over rebalances of half the traded value / value before */
    size_t n_rebalances;   /* fills after the first purchase */
    double *cash;          /* per session */
    uint32_t *filled_at;   /* per decision, its session or PANEL_NEVER; NULL: not wanted */
};

struct sim_workspace {
    double *equity; /* [n_sessions]: the result */
    double *units;  /* [n names], what is held after the last session; so are the rest */
    double *value;
    double *weight;
    size_t *active;
    const double **column;
    bool *is_gone;
    size_t max_names;
};

/* Room for targets of up to max_names assets. Errors: STATUS_TOO_LARGE. */
enum status sim_workspace_init(struct sim_workspace *workspace, struct arena *arena,
                               size_t n_sessions, size_t max_names, struct err *err) NODISCARD;

/* Room for the recorder of a run. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_init(struct sim_recorder *recorder, struct arena *arena, size_t n_sessions,
                              size_t max_trades, struct err *err) NODISCARD;

/*
 * Fills workspace->equity and ->units, and *recorder unless it is NULL. plan->n <= max_names.
 * Errors: only the stop's own status.
 */
enum status simulate(const struct panel *panel, const struct plan *plan,
                     const struct sim_rules *rules, struct sim_workspace *workspace,
                     struct sim_recorder *recorder, const struct stop *stop, struct err *err)
    NODISCARD;

#endif
