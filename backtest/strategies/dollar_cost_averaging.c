/*
 * dollar_cost_averaging.c - into another strategy's weights from cash, an equal part of the way at each of the first
 * `periods` decisions; all of them from then on.
 */
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("periods", 2, 520, 12),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double done = (double)input->decision + 1, periods = input->strategy->param[0];
    double share = done < periods ? done / periods : 1;
    for (size_t i = 0; i < input->m; i++)
        ret_weight[i] = input->base[i] * share;
    return NOTE_NONE;
}

const struct strategy_kind strategy_dollar_cost_averaging = {
    .name = "dollar_cost_averaging",
    .needs = STRATEGY_BASE | STRATEGY_COUNTS,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .weigh = weigh,
};
