/*
 * attribution.h - where a portfolio's return and risk came from, asset by asset.
 * Pure apart from the arena; callable from any thread.
 *
 * Session t's contribution of an asset is its gain (price changes of what was held, dividends, what a trade gained
 * until the close) over the wealth the session began with. Contributions of sessions are linked by Carino's factors
 * k_t / K, k_t = ln(1 + R_t) / R_t, K = ln(1 + R) / R, so that those of all assets, of costs and of the rest add up to
 * the compounded return R.
 * Source: D. Carino, "Combining Attribution Effects Over Time", Journal of Performance Measurement 3(4), 1999.
 */
#ifndef BACKTEST_ATTRIBUTION_H
#define BACKTEST_ATTRIBUTION_H

#include "backtest/engine.h"

enum attribution_gap {
    ATTRIBUTION_KNOWN,
    ATTRIBUTION_TOO_MANY_TRADES, /* more than the ledger keeps */
    ATTRIBUTION_RUINED,
    ATTRIBUTION_GAP_COUNT
};
extern const char *const attribution_gap_codes[ATTRIBUTION_GAP_COUNT];

struct attribution_asset {
    double contribution; /* linked, costs not included */
    double fx;           /* the part of it that exchange rates made */
    double costs;        /* linked costs of its trades, <= 0 */
    double risk;         /* w_i cov(r_i, r_p) / var(r_p), r_p of the final weights held constant */
    double mean_weight;  /* of value / wealth at the closes of sessions 1..n */
    double mean_gross;   /* of its size */
};

/* The assets whose uids have the same class before the colon. */
struct attribution_class {
    struct str name;
    struct attribution_asset sum;
    double final_weight;
};

struct brinson;

struct attribution {
    enum attribution_gap gap;        /* not ATTRIBUTION_KNOWN: the contributions are 0 */
    struct attribution_asset *asset; /* per position of the panel: column below n_positions */
    size_t n;
    struct attribution_class *class; /* in the order in which assets have them */
    size_t n_classes;
    double total; /* R */
    double other; /* interest, fees that no trade has, flows' rounding: what is left */
    double
        diversification_ratio; /* sum w sd / sd of the portfolio; NaN: nothing held, or no variance */
    bool has_risk;
    const struct brinson
        *brinson; /* beside a portfolio of fixed weights; NULL: not asked for, or not known */
};

/*
 * equity and wealth are the lines of the run that recorder kept; weight the final weights of the positions.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status attribution_compute(const struct panel *panel, const struct sim_recorder *recorder,
                                const double *equity, const double *wealth, const double *weight,
                                struct arena *arena, struct attribution **ret, struct err *err)
    NODISCARD;

/* ln(1 + r) / r, 1 at 0; r > -1. */
double attribution_factor(double r);

#endif
