/* equal_risk_contribution.c - every asset adds the same to the portfolio's risk. */
#include "backtest/risk_parity.h"
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    bool is_met = risk_parity(input->kernels, input->covariance, input->m, ret_weight);
    return is_met ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_equal_risk_contribution = {
    .name = "equal_risk_contribution",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .weigh = weigh,
};
