/*
 * strategy_limits.h - the limits of a request as arrays over its assets, and over those that are left.
 * Pure apart from the arena; callable from any thread.
 */
#ifndef BACKTEST_STRATEGY_LIMITS_H
#define BACKTEST_STRATEGY_LIMITS_H

#include "backtest/spec.h"

/* Arrays for n assets and the groups of a strategy. Errors: STATUS_OUT_OF_MEMORY. */
enum status strategy_limits_init(struct limits *limits, const struct strategy *strategy, size_t n,
                                 struct arena *arena, struct err *err) NODISCARD;

/* Fills limits of n assets: element i is spec->assets[asset[i]] (asset NULL: i); budget 1. */
void strategy_limits_fill(struct limits *limits, const struct spec *spec,
                          const struct strategy *strategy, const size_t *asset, size_t n);

/* The limits of all that concern the m assets live[], relaxed so that they can be met. */
void strategy_limits_pick(const struct limits *all, const size_t *live, size_t m,
                          struct limits *ret);

#endif
