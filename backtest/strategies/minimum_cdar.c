/* minimum_cdar.c - the least mean of the deepest drawdowns of the window that the limits allow. */
#include "backtest/strategies/kinds.h"
#include "backtest/tail_risk.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("confidence", 0.5, 0.99, 0.95),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    return tail_risk_minimise(TAIL_CDAR, input, ret_weight);
}

const struct strategy_kind strategy_minimum_cdar = {
    .name = "minimum_cdar",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = TAIL_ROOM,
    .most_assets = TAIL_ASSETS_MAX,
    .weigh = weigh,
};
