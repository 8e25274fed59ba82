/* equal.c - 1/n of every asset at every decision; spec_weights.c settles it. */
#include "backtest/strategies/kinds.h"

const struct strategy_kind strategy_equal = {.name = "equal"};
