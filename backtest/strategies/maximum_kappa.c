/* maximum_kappa.c - the most mean beyond the acceptable return per shortfall below it that the limits allow. */
#include "backtest/kappa.h"
#include "backtest/strategies/kinds.h"

#include <math.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("acceptable_return", -0.99, 10, (double)NAN),
};

static enum strategy_note weigh_omega(const struct strategy_input *input, double *ret_weight)
{
    return kappa_maximise(KAPPA_OMEGA, input, ret_weight);
}

static enum strategy_note weigh_sortino(const struct strategy_input *input, double *ret_weight)
{
    return kappa_maximise(KAPPA_SORTINO, input, ret_weight);
}

#define KAPPA_STRATEGY(title, function)                                                         \
    {                                                                                           \
        .name = (title), .needs = STRATEGY_WINDOW | STRATEGY_RETURNS, .standard_lookback = 252, \
        .params = params, .n_params = ARRAY_LEN(params), .scratch = KAPPA_ROOM,                 \
        .most_assets = KAPPA_ASSETS_MAX, .weigh = (function),                                   \
    }
const struct strategy_kind strategy_maximum_omega = KAPPA_STRATEGY("maximum_omega", weigh_omega);
const struct strategy_kind strategy_maximum_sortino =
    KAPPA_STRATEGY("maximum_sortino", weigh_sortino);
