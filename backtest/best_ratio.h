/*
 * best_ratio.h - the weights of most gain per square root of their variance that a strategy's limits allow.
 * Pure functions on the caller's arrays; callable from any thread. Source: W. Sharpe, "The Sharpe ratio", Journal of
 * Portfolio Management 21(1), 1994, of which the information ratio is the case of returns less a benchmark's.
 */
#ifndef BACKTEST_BEST_RATIO_H
#define BACKTEST_BEST_RATIO_H

#include "backtest/strategy.h"

/*
 * excess: [m], overwritten; covariance: m x m. NOTE_NO_EXCESS: no allowed weights have a gain above 0, and those of
 * the least w' Sigma w - 2 shared' w stand in, Sigma the strategy's own; shared: [m], NULL: 0.
 */
enum strategy_note best_ratio(const struct strategy_input *input, double *excess,
                              const double *covariance, const double *shared, double *ret_weight);

#endif
