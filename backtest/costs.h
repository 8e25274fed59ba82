/*
 * costs.h - what a trade costs, by kind, and the portfolio value left after paying for a rebalance.
 * Pure functions; callable from any thread. Money is in the run's currency.
 *
 * commission  min(maximum, max(minimum, fixed + max(percent * value, per_share * shares))); with tiers
 *             the percentage is that of the highest tier reached by what was traded in the same
 *             calendar month before this fill
 * spread      half of spread_bps on the traded value
 * slippage    by model, with q shares, V the session's volume, ADV and sigma from the sessions before:
 *   bps             bps on the traded value
 *   volume_share    price_impact * s^2 on the traded value, s = min(q / V, volume_limit); the defaults
 *                   0.1 and 0.025 are those of zipline-reloaded's VolumeShareSlippage
 *   square_root     (2/3) Y sigma sqrt(q / ADV) on the traded value; Toth et al. 2011 as in bt
 *   almgren_chriss  (alpha / 2 + beta) sigma q / ADV + epsilon on the traded value; Almgren, Chriss 2001
 *   At most half of the value.
 *   Where the volume is not known the model is replaced by fallback_bps, and the trade is counted.
 * tax         the rate in force on the date, on the value sold
 * fx          fx_spread on the traded value of an asset, or of money, in another currency
 */
#ifndef BACKTEST_COSTS_H
#define BACKTEST_COSTS_H

#include "backtest/dated_rate.h"

#include <stdbool.h>
#include <stddef.h>

enum cost_kind {
    COST_COMMISSION,
    COST_SPREAD,
    COST_SLIPPAGE,
    COST_TAX,
    COST_FX,
    COST_TRADE_COUNT, /* the kinds above belong to a trade, the ones below to holding a position */
    COST_INTEREST = COST_TRADE_COUNT, /* on debt */
    COST_BORROW,                      /* of securities sold short */
    COST_LIQUIDATION,                 /* the broker's fee for a forced sale */
    COST_EXPENSE, /* of funds, out of their prices; below 0 on what is sold short */
    COST_COUNT
};
extern const char *const cost_kind_names[COST_COUNT];

enum slippage_model {
    SLIPPAGE_BPS,
    SLIPPAGE_HALF_SPREAD,
    SLIPPAGE_VOLUME_SHARE,
    SLIPPAGE_SQUARE_ROOT,
    SLIPPAGE_ALMGREN_CHRISS,
    SLIPPAGE_MODEL_COUNT
};

enum { COST_TIERS_MAX = 16, COST_TAX_RATES_MAX = 64 };

struct cost_tier {
    double from;    /* traded in the month so far, run's currency */
    double percent; /* fraction */
};

struct cost_commission {
    double percent; /* fraction of the traded value; 5 bps is 0.0005 */
    double per_share, fixed, minimum;
    double maximum; /* 0: none */
    struct cost_tier tiers[COST_TIERS_MAX];
    size_t n_tiers; /* by rising from */
};

struct cost_slippage {
    enum slippage_model model;
    double bps;          /* fraction: of bps, and of half_spread (already halved) */
    double volume_limit; /* share of the session's volume a trade may take; 0: no limit */
    double price_impact, y, alpha, beta, epsilon;
    unsigned window;     /* sessions behind ADV and sigma */
    double fallback_bps; /* fraction */
    bool carries_unfilled;
};

struct cost_model {
    struct cost_commission commission;
    struct cost_slippage slippage;
    struct dated_rate tax[COST_TAX_RATES_MAX]; /* on what is sold */
    size_t n_tax;
    double fx_spread; /* fraction */
};

/* What the cost of one trade depends on besides its size. */
struct cost_context {
    double share_price;    /* run's currency, > 0 */
    double volume;         /* shares in this session; NaN: not known */
    double average_volume; /* over the window before it; NaN: not known */
    double sigma;          /* standard deviation of the returns in that window; NaN: not known */
    double tax;            /* the rate in force */
    double month_traded;   /* before this fill */
    bool is_foreign;
    bool is_money; /* of another currency: its conversion costs fx alone */
};

/* Neither tiers, minimum, tax, nor impact: every trade costs costs_flat_rate() times its value. */
bool costs_are_flat(const struct cost_model *model);
double costs_flat_rate(const struct cost_model *model);

/* Of a flat model: what costs_of_trade takes of a trade of this value (>= 0), with its bits. */
struct cost_flat {
    double commission, slippage;
};
struct cost_flat costs_flat(const struct cost_model *model);
static inline double costs_flat_of(const struct cost_flat *flat, double value)
{
    return flat->commission * value + flat->slippage * value;
}
bool costs_are_free(const struct cost_model *model);

/* Whether the model asked for lacks its volume here, so that fallback_bps is charged. */
bool costs_falls_back(const struct cost_model *model, const struct cost_context *context);

/*
 * The cost of buying (change > 0) or selling (change < 0) for that value; 0 for no trade.
 * paid[COST_TRADE_COUNT], unless NULL, receives it by kind; the result is their sum in that order.
 */
double costs_of_trade(const struct cost_model *model, const struct cost_context *context,
                      double change, double *paid);

/* The largest value that may be traded in the session: volume_limit * volume; INFINITY: no limit. */
double costs_value_limit(const struct cost_model *model, const struct cost_context *context);

/*
 * The value V' that is left when holdings worth value[i] are moved to weight[i] * V' each and every
 * trade costs rate times its size:
 *     V' + rate * sum |weight[i] V' - value[i]| = budget
 * Solved exactly: for fixed trade signs s_i it is V' = (B + c sum s_i v_i) / (1 + c sum s_i w_i); the
 * signs start from V' = B and are taken again until they no longer change. The left side is convex
 * and rising in V', so these are Newton steps from the right: at most n + 1 of them.
 *   budget  cash plus sum of value[], > 0;  rate * sum |weight[i]| < 1
 */
double costs_value_after(double budget, const double *value, const double *weight, size_t n,
                         double rate);

/*
 * The same for any cost model: V' + sum cost_i(weight[i] V' - value[i]) = budget, by the iteration
 * V' <- budget - sum cost_i, which contracts as long as the last unit traded costs less than itself.
 * Where it does not settle, because of a minimum or a steep impact, the interval [0, budget] is halved
 * instead, and its affordable end taken: what is then left over stays in cash. context[i] belongs to
 * value[i]. Changes of up to COSTS_ROUNDING * budget are none and cost nothing.
 */
#define COSTS_ROUNDING 1e-14
double costs_value_after_model(double budget, const double *value, const double *weight, size_t n,
                               const struct cost_model *model, const struct cost_context *context);

#endif
