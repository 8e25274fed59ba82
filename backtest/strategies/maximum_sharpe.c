/* maximum_sharpe.c - the most mean excess return per volatility of the window that the limits allow. */
#include "backtest/best_ratio.h"
#include "backtest/measure.h"
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double rate = measure_rate_per_period(input->risk_free_rate, input->periods_per_year);
    for (size_t i = 0; i < input->m; i++)
        input->scratch[i] = input->mean[i] - rate;
    return best_ratio(input, input->scratch, input->covariance, NULL, ret_weight);
}

const struct strategy_kind strategy_maximum_sharpe = {
    .name = "maximum_sharpe",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .scratch = 1,
    .weigh = weigh,
};
