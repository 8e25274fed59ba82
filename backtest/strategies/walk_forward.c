/* walk_forward.c - the parameters of a search; backtest/walk_forward.c makes its plan. */
#include "backtest/strategies/kinds.h"
#include "backtest/walk_forward.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("train", WALK_TRAIN_MIN, STRATEGY_LOOKBACK_MAX, 756),
    STRATEGY_PARAM_INTEGER("test", 1, STRATEGY_LOOKBACK_MAX, 252),
    STRATEGY_PARAM_CHOICE("criterion", walk_criterion_names, WALK_SHARPE),
};

const struct strategy_kind strategy_walk_forward = {
    .name = "walk_forward",
    .needs = STRATEGY_SEARCH,
    .params = params,
    .n_params = ARRAY_LEN(params),
};
