/* strategies.h - what one decision of each strategy costs. */
#ifndef BENCH_ENGINE_STRATEGIES_H
#define BENCH_ENGINE_STRATEGIES_H

#include "tests/bench/engine/world.h"

/*
 * One line of JSON per strategy: ms of processor time per decision (median of `rounds`) with a look-back of
 * 1,260 sessions, and the share of the machine's additions and multiplications that the products of its
 * covariance, n * n * T of them, make of that; held: names with a weight above 0 at the last decision.
 * is_common: every name moves with one factor, as shares do.
 */
int strategies_print(struct world *world, size_t rounds, bool is_common);

#endif
