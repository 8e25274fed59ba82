/* minimum_tail_risk.c - the least mean of the worst returns or deepest drawdowns of the window that the limits allow. */
#include "backtest/strategies/kinds.h"
#include "backtest/tail_risk.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("confidence", 0.5, 0.99, 0.95),
};

static enum strategy_note weigh_cvar(const struct strategy_input *input, double *ret_weight)
{
    return tail_risk_minimise(TAIL_CVAR, input, ret_weight);
}

static enum strategy_note weigh_cdar(const struct strategy_input *input, double *ret_weight)
{
    return tail_risk_minimise(TAIL_CDAR, input, ret_weight);
}

static enum strategy_note weigh_evar(const struct strategy_input *input, double *ret_weight)
{
    return tail_risk_minimise(TAIL_EVAR, input, ret_weight);
}

static enum strategy_note weigh_edar(const struct strategy_input *input, double *ret_weight)
{
    return tail_risk_minimise(TAIL_EDAR, input, ret_weight);
}

#define TAIL_STRATEGY(title, function, most)                                                    \
    {                                                                                           \
        .name = (title), .needs = STRATEGY_WINDOW | STRATEGY_RETURNS, .standard_lookback = 252, \
        .params = params, .n_params = ARRAY_LEN(params), .scratch = TAIL_ROOM,                  \
        .most_assets = (most), .weigh = (function),                                             \
    }
const struct strategy_kind strategy_minimum_cvar =
    TAIL_STRATEGY("minimum_cvar", weigh_cvar, TAIL_ASSETS_MAX);
const struct strategy_kind strategy_minimum_cdar =
    TAIL_STRATEGY("minimum_cdar", weigh_cdar, TAIL_ASSETS_MAX);
const struct strategy_kind strategy_minimum_evar =
    TAIL_STRATEGY("minimum_evar", weigh_evar, TAIL_ENTROPIC_ASSETS_MAX);
const struct strategy_kind strategy_minimum_edar =
    TAIL_STRATEGY("minimum_edar", weigh_edar, TAIL_ENTROPIC_ASSETS_MAX);
