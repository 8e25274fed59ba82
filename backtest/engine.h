/*
 * engine.h - plays a plan of target weights through a panel, session by session.
 * Pure: no allocation, no I/O; the caller sizes a workspace and may share panel and rules between
 * threads, one workspace each. Same input, same bits, alone or in a batch.
 *
 * Session t, in this order (docs/formulas.md section 3; one file each):
 *   1. carry       engine_carry.c: interest and borrow fees for the days since session t - 1, on what was held then
 *   2. events      engine_events.c: dividends become cash or, until they are paid, a receivable; shares of another that
 *                  are kept become a position; a position whose asset is delisted becomes cash
 *   3. flows       engine_flow.c: what comes or goes before the session opens
 *   4. fill        engine_fill.c, engine_targets.c, engine_orders.c: a decision made at an earlier session (same_close: at
 *                  this one) is carried out, if every asset that is held or wanted and is neither
 *                  suspended nor delisted is tradable; otherwise it waits, and a newer one replaces it
 *   5. value       engine_value.c: equity[t] = cash + receivables + sum of units * price, added in column order; at a
 *                  fill at the close, the value left after its costs
 *   6. close       engine_watch.c, engine_bands.c: ruin and margin; then the flows after the close; then the decision
 *                  for t + 1: calendar and bands. It knows prices up to t only
 * The loop (engine.c) jumps from one session at which something happens to the next; what has to be
 * watched every day is watched on blocks of sessions.
 *
 * equity[0] is the capital, before any cost.
 */
#ifndef BACKTEST_ENGINE_H
#define BACKTEST_ENGINE_H

#include "backtest/costs.h"
#include "backtest/financing.h"
#include "backtest/flows.h"
#include "backtest/panel.h"
#include "backtest/plan.h"
#include "backtest/price_tiles.h"
#include "backtest/rebalance.h"

/* A change smaller than this share of the portfolio is rounding, not a trade. */
#define SIM_ROUNDING COSTS_ROUNDING

struct sim_rules {
    enum spec_fill fill;
    struct cost_model costs;
    double capital;
    const uint32_t *due; /* decision sessions from schedule_build */
    size_t n_due;
    struct rebalance_rule rebalance;
    enum shares_rule shares;
    double
        cash_units; /* cash is kept in whole units, so many to one of the currency; 0: as it comes */
    struct financing financing;
    struct leverage leverage;
    const struct flow *flows; /* from flows_build, by rising session */
    size_t n_flows;
    enum flow_allocation allocation;
};

enum sim_reason {
    SIM_INITIAL,
    SIM_REBALANCE,
    SIM_DELISTING,
    SIM_CONTRIBUTION,
    SIM_WITHDRAWAL,
    SIM_LIQUIDATION,
    SIM_RUIN,
    SIM_SPIN_OFF, /* shares received for others: no money moves */
    SIM_INCOME,   /* money of another currency, which was paid */
    SIM_REASON_COUNT
};
extern const char *const sim_reason_names[SIM_REASON_COUNT];

struct sim_trade {
    uint32_t session;
    uint32_t asset; /* panel column */
    enum sim_reason reason;
    bool is_buy;
    double quantity;               /* > 0, in units of the asset */
    double local_price;            /* in the asset's currency */
    double fx;                     /* base currency for one unit of the asset's currency */
    double value;                  /* quantity * local_price * fx; a delisting: the proceeds */
    double paid[COST_TRADE_COUNT]; /* base currency, by kind */
};

/* A close that called for margin, and what was sold for it. */
struct sim_margin_call {
    uint32_t session;
    bool at_extremes;     /* at the worst prices of the day, not at the close */
    double equity, gross; /* at those prices; maintenance_margin * gross was required */
    uint32_t filled_at;   /* session of the forced trades; PANEL_NEVER: there were none */
    double traded, cost;  /* of these trades */
};

/* Money that came in (amount > 0) or went out. */
struct sim_flow {
    uint32_t session;
    bool at_start; /* before the session opened; otherwise after its close */
    double amount;
};

enum { SIM_MARGIN_CALLS_MAX = 64 };

/*
 * What a run leaves behind besides its equity. Sums run over all trades in the order made.
 * Accounts (docs/formulas.md section 3): capital + flows + gain + cash_interest + rounding + shortfall - sum of
 * paid[] is the final wealth; gain is worked out from trades and prices alone, the final wealth from
 * cash and positions.
 */
struct sim_recorder {
    struct sim_trade *trades; /* the first max_trades of n_trades */
    size_t max_trades;
    size_t n_trades;
    double paid[COST_COUNT]; /* by kind */
    double gain;             /* of the positions at the prices traded at, before any cost */
    double cash_interest;
    double rounding;        /* what rounding cash to whole units has given (> 0) and taken */
    double delisting_gain;  /* performance, not cost: sum of value * delisting return */
    double dividends;       /* and coupons, redemptions, split fractions: paid out as cash */
    double turnover;        /* sum over rebalances of half the traded value / value before */
    size_t n_rebalances;    /* fills after the first purchase */
    double rebalance_cost;  /* what those fills cost */
    double kept;            /* product over simple fills of value after / before; NaN: see there */
    double shortfall;       /* debt that nothing was left to pay */
    struct sim_flow *flows; /* paid; one entry per session and timing. NULL: not kept */
    size_t n_flows;
    double contributed, withdrawn; /* both >= 0 */
    uint32_t exhausted_at;         /* a withdrawal took everything; PANEL_NEVER */
    uint32_t ruined_at;            /* the equity was 0 or less at a close; PANEL_NEVER */
    size_t n_margin_calls;
    struct sim_margin_call margin_call[SIM_MARGIN_CALLS_MAX]; /* the first of them */
    size_t n_open_fallbacks;   /* fills at the close for want of an opening price */
    size_t n_volume_fallbacks; /* trades charged fallback_bps for want of a volume */
    size_t n_partial_fills;    /* fills that a volume limit cut */
    double *cash;              /* per session */
    double *receivables;       /* per session: dividends not paid yet; NULL: there are none */
    double *shorts;    /* per session: value of what is sold short, >= 0; NULL: without leverage */
    double *fractions; /* per event: units of a split that made no whole share and were paid out;
                          NULL: not wanted */
    uint32_t *filled_at; /* per decision, its session or PANEL_NEVER; NULL: not wanted */
};

enum { SIM_BLOCK = 64 }; /* sessions valued before a watcher looks at them */

struct sim_workspace {
    double *
        equity; /* [n_sessions], the result: value of the units the capital bought at session 0. Flows
                       buy and sell units at their value, so its returns are time-weighted */
    double *wealth; /* [n_sessions]: money; the same array as equity unless there are flows */
    double *units;  /* [n names], what is held after the last session; so are the rest */
    double *price;
    double *value;
    double *weight;
    double *change;
    double *target;
    struct cost_context *context;
    size_t *active;
    const double **column;
    bool *is_gone;
    bool *is_breached;
    double *band, *upper, *lower;    /* its width, and weights between which it is never left */
    const struct price_tiles *tiles; /* of the panel; NULL: not known. No figure depends on them */
    double *block;                   /* scratch of SIM_BLOCK sessions, several lines */
    double *due; /* per event of the panel, what it will pay; NULL: all pay at once */
    size_t max_names;
};

/* Room for targets of up to max_names assets. Errors: STATUS_TOO_LARGE. */
enum status sim_workspace_init(struct sim_workspace *workspace, struct arena *arena,
                               size_t n_sessions, size_t max_names, struct err *err) NODISCARD;

/* Room for a wealth line of its own; needed when the rules have flows. Errors: STATUS_TOO_LARGE. */
enum status sim_workspace_add_wealth(struct sim_workspace *workspace, struct arena *arena,
                                     size_t n_sessions, struct err *err) NODISCARD;

/* Room for what is to be paid after its event; needed when the panel has receivables. Errors: STATUS_TOO_LARGE. */
enum status sim_workspace_add_dues(struct sim_workspace *workspace, struct arena *arena,
                                   const struct panel *panel, struct err *err) NODISCARD;

/* Room for the recorder of a run. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_init(struct sim_recorder *recorder, struct arena *arena, size_t n_sessions,
                              size_t max_trades, struct err *err) NODISCARD;

/* Room for what is sold short; needed when the rules allow leverage. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_add_shorts(struct sim_recorder *recorder, struct arena *arena,
                                    size_t n_sessions, struct err *err) NODISCARD;

/* Room for the record of flows: two a session. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_add_flows(struct sim_recorder *recorder, struct arena *arena,
                                   size_t n_sessions, struct err *err) NODISCARD;

/* Room for the record of receivables. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_add_receivables(struct sim_recorder *recorder, struct arena *arena,
                                         size_t n_sessions, struct err *err) NODISCARD;

/* Room for the record of fractions; nothing where shares need not be whole. Errors: STATUS_TOO_LARGE. */
enum status sim_recorder_add_fractions(struct sim_recorder *recorder, struct arena *arena,
                                       const struct panel *panel, enum shares_rule shares,
                                       struct err *err) NODISCARD;

/*
 * Whether fills are sized in closed form: costs are a share of what is traded, and nothing rounds or limits a trade.
 * Without flows, interest and leverage costs then only scale what is held: had they not been paid, every value would
 * be value / recorder->kept, unless a suspended position was left out of a fill (NaN).
 */
bool sim_rules_are_simple(const struct sim_rules *rules);

/* All kinds together, in the order of the enum. */
double sim_costs_paid(const struct sim_recorder *recorder);

/*
 * The final wealth less what the accounts come to: 0 but for rounding. gross, that is capital + flows +
 * gain + cash_interest + rounding + shortfall, less the final wealth is the sum of the cost ledgers.
 */
double sim_residual(const struct sim_recorder *recorder, double capital, double final_wealth);

/*
 * Fills workspace->equity, ->wealth and ->units, and *recorder unless it is NULL. plan->n <= max_names.
 * Errors: only the stop's own status.
 */
enum status simulate(const struct panel *panel, const struct plan *plan,
                     const struct sim_rules *rules, struct sim_workspace *workspace,
                     struct sim_recorder *recorder, const struct stop *stop, struct err *err)
    NODISCARD;

/* One of several simulations that are played side by side. */
struct sim_game {
    const struct plan *plan;
    const struct sim_rules *rules;
    struct sim_workspace *workspace;
    struct sim_recorder *recorder; /* NULL: none */
    bool is_end_only;              /* of its lines, only the last session will be read */
};

/*
 * simulate() of n <= SIM_TOGETHER games, with the same bits: all of them are played through a few sessions before any
 * goes on, while the prices are near. Errors: only the stop's own status.
 */
enum { SIM_TOGETHER = 16 };
enum status simulate_many(const struct panel *panel, const struct sim_game *games, size_t n,
                          const struct stop *stop, struct err *err) NODISCARD;

#endif
