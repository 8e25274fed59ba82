/* buy_and_hold.c - the weights of the request, or 1/n each, bought once; it never trades again. */
#include "backtest/strategies/kinds.h"

const struct strategy_kind strategy_buy_and_hold = {.name = "buy_and_hold"};
