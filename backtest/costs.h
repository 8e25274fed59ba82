/*
 * costs.h - what trading costs, and the portfolio value left after paying for a rebalance.
 * Costs are proportional to the traded value, both ways. Pure functions; callable from any thread.
 */
#ifndef BACKTEST_COSTS_H
#define BACKTEST_COSTS_H

#include <stddef.h>

struct cost_rates {
    double commission; /* fraction of the traded value: 5 bps is 0.0005 */
    double slippage;   /* fraction of the traded value */
};

double costs_total_rate(struct cost_rates rates);

/*
 * The value V' that is left when holdings worth value[i] are moved to weight[i] * V' each and every
 * trade costs rate times its size:
 *     V' + rate * sum |weight[i] V' - value[i]| = budget
 * Solved exactly: for fixed trade signs s_i it is V' = (B + c sum s_i v_i) / (1 + c sum s_i w_i); the
 * signs start from V' = B and are taken again until they no longer change. The left side is convex
 * and rising in V', so these are Newton steps from the right: at most n + 1 of them.
 *   budget  cash plus sum of value[], > 0;  weight[i] >= 0 with a sum of at most 1;  0 <= rate < 1
 */
double costs_value_after(double budget, const double *value, const double *weight, size_t n,
                         double rate);

#endif
