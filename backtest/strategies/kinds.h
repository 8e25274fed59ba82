/* kinds.h - declares every strategy, for the files that define them. */
#ifndef BACKTEST_STRATEGIES_KINDS_H
#define BACKTEST_STRATEGIES_KINDS_H

#include "backtest/strategy.h"

#define STRATEGY(id, name) extern const struct strategy_kind strategy_##name;
#include "backtest/strategies.def"
#undef STRATEGY

#endif
