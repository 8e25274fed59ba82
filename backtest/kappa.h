/*
 * kappa.h - the weights of most mean excess return over a window per lower partial moment below a target.
 * Pure functions on the caller's arrays; callable from any thread.
 * Shape: m columns of n returns, as in covariance.h. The weights are restored every session; with a target a session,
 * e = sum_i w_i (r_i - target) is what they return beyond it.
 *
 *   kappa_l = mean e / (mean max(-e, 0)^l)^(1/l); l = 1: Omega - 1, l = 2: the Sortino ratio of a session
 * Source: P. Kaplan, J. Knowles, "Kappa: a generalized downside risk-adjusted performance measure", Journal of
 * Performance Measurement 8, 2004; for Omega as a program, M. Kapsos, S. Zymler, N. Christofides, B. Rustem,
 * "Optimizing the Omega ratio using linear programming", Journal of Computational Finance 17(4), 2014.
 *
 * Numerator and denominator are homogeneous in the weights, the one linear and the other convex, so that with a price p
 * of the moment the least p moment - mean is that of a convex function, found by the level method; the ratio there is
 * the next price, until it rises no more (W. Dinkelbach, "On nonlinear fractional programming", Management Science
 * 13(7), 1967).
 */
#ifndef BACKTEST_KAPPA_H
#define BACKTEST_KAPPA_H

#include "backtest/level.h"
#include "backtest/strategy.h"

enum kappa_order { KAPPA_OMEGA = 1, KAPPA_SORTINO = 2 };
enum { KAPPA_ROOM = LEVEL_ROOM + 4 };
enum {
    KAPPA_ASSETS_MAX = 50
}; /* a decision minimises some five times, each as tail_risk.h does once */

/*
 * The weights of the highest kappa within the limits; the strategy's param[0] is the target a year, NaN: the risk-free
 * rate. Takes KAPPA_ROOM doubles of scratch per asset. NOTE_NO_EXCESS: no allowed weights have a mean above the target,
 * and those of the least moment stand in.
 */
enum strategy_note kappa_maximise(enum kappa_order order, const struct strategy_input *input,
                                  double *ret_weight);

#endif
