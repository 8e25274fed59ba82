/*
 * tail_risk.h - conditional and entropic value at risk and drawdown at risk of weights, and the weights of least.
 * Pure functions on the caller's arrays; callable from any thread.
 * Shape: m columns of n returns, as in covariance.h. The weights are restored every session; drawdowns are those of the
 * sum of returns, uncompounded, with the beginning as the first peak, which makes all of them convex in the weights.
 *
 * With k = (1 - confidence) n, the conditional ones are the mean of the k largest losses, the last one taken in part when k is not whole:
 *   cvar  losses -r_t; R. T. Rockafellar, S. Uryasev, "Optimization of conditional value-at-risk", Journal of Risk 2, 2000
 *   cdar  losses max_{s <= t} c_s - c_t, c_t = r_1 + .. + r_t, c_0 = 0; A. Chekhlov, S. Uryasev, M. Zabarankin, "Drawdown
 *         measure in portfolio optimization", International Journal of Theoretical and Applied Finance 8, 2005
 * The entropic ones are the highest mean of the same losses under any weights of the sessions whose relative entropy to
 * equal weights is at most -log(1 - confidence). Those are proportional to exp(loss / z); the highest loss alone where
 * that many sessions have it. Neither is below the conditional one.
 *   evar  A. Ahmadi-Javid, "Entropic value-at-risk: a new coherent risk measure", J. of Optimization Theory and
 *         Applications 155(3), 2012, theorem 3.3
 *   edar  D. Cajas, "Entropic portfolio optimization: a disciplined convex programming framework", SSRN 3792520, 2021
 */
#ifndef BACKTEST_TAIL_RISK_H
#define BACKTEST_TAIL_RISK_H

#include "backtest/level.h"
#include "backtest/strategy.h"

enum tail_kind { TAIL_CVAR, TAIL_CDAR, TAIL_EVAR, TAIL_EDAR };
enum { TAIL_ROOM = LEVEL_ROOM + 3 };
enum {
    TAIL_ASSETS_MAX = 100,         /* a decision is n^3 work for each of some 70 projections */
    TAIL_ENTROPIC_ASSETS_MAX = 50, /* smooth: of some 250 */
};

struct tail_risk {
    enum tail_kind kind;
    double confidence; /* 0.5 to below 1 */
    const double *returns;
    const size_t *order; /* [m]: which column each weight is of; NULL: as they are */
    size_t m, n;
    const struct kernels *kernels;
    double *path; /* [3 n] of scratch */
    size_t *when; /* [n] of scratch */
};

/* As level_value of level.h; context is a tail_risk. */
double tail_risk_value(const void *context, const double *weight, double *ret_slope);

/*
 * The weights of least tail risk within the limits; param[0] of the strategy is the confidence. Takes TAIL_ROOM doubles
 * of scratch per asset.
 */
enum strategy_note tail_risk_minimise(enum tail_kind kind, const struct strategy_input *input,
                                      double *ret_weight);

#endif
