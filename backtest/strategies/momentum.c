/* momentum.c - relative strength: the assets that rose most over the window, in equal parts. */
#include "backtest/ranking.h"
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("top", 1, 500, 3),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    size_t m = input->m;
    ranking_returns(input->price, m, input->strategy->lookback + 1, input->scratch);
    size_t n = ranking_best(input->scratch, m, m, (size_t)input->strategy->param[0], input->index);
    for (size_t i = 0; i < m; i++)
        ret_weight[i] = 0;
    for (size_t k = 0; k < n; k++)
        ret_weight[input->index[k]] = 1 / (double)n;
    return NOTE_NONE;
}

const struct strategy_kind strategy_momentum = {
    .name = "momentum",
    .needs = STRATEGY_WINDOW,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 1,
    .weigh = weigh,
};
