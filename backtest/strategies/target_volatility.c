/*
 * target_volatility.c - another strategy's weights, times what brings their volatility over the window to
 * the target; the rest is cash, or debt above an exposure of 1.
 */
#include "backtest/strategies/kinds.h"

#include <math.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("target", 0.001, 2, 0.1),
    STRATEGY_PARAM_NUMBER("max_leverage", 0.01, 10, 1),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double variance = covariance_variance(input->covariance, input->m, input->base);
    double volatility = sqrt(variance * input->periods_per_year);
    double target = input->strategy->param[0], scale = input->strategy->param[1];
    if (volatility * scale > target)
        scale = target / volatility;
    for (size_t i = 0; i < input->m; i++)
        ret_weight[i] = input->base[i] * scale;
    return NOTE_NONE;
}

const struct strategy_kind strategy_target_volatility = {
    .name = "target_volatility",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_BASE,
    .standard_lookback = 63,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .weigh = weigh,
};
