/* fixed.c - the weights of the request, settled by spec_weights.c, at every decision. */
#include "backtest/strategies/kinds.h"

const struct strategy_kind strategy_fixed = {.name = "fixed"};
