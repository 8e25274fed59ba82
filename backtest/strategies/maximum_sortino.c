/* maximum_sortino.c - the most mean return beyond the acceptable one per downside deviation that the limits allow. */
#include "backtest/kappa.h"
#include "backtest/strategies/kinds.h"

#include <math.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("acceptable_return", -0.99, 10, (double)NAN),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    return kappa_maximise(KAPPA_SORTINO, input, ret_weight);
}

const struct strategy_kind strategy_maximum_sortino = {
    .name = "maximum_sortino",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = KAPPA_ROOM,
    .most_assets = KAPPA_ASSETS_MAX,
    .weigh = weigh,
};
