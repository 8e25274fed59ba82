/* inverse_volatility.c - each asset weighs one over its own volatility; correlations are not looked at. */
#include "backtest/risk_parity.h"
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    risk_inverse_volatility(input->covariance, input->m, ret_weight);
    return NOTE_NONE;
}

const struct strategy_kind strategy_inverse_volatility = {
    .name = "inverse_volatility",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 63,
    .weigh = weigh,
};
