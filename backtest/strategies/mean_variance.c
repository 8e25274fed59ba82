/* mean_variance.c - the most mean return less a price of its variance; with a price of 1 the Kelly portfolio. */
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("risk_aversion", 0.01, 100, 2.5),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    for (size_t i = 0; i < input->m; i++)
        input->scratch[i] = input->mean[i] / input->strategy->param[0];
    struct qp_problem problem = {
        .limits = input->limits, .h = input->covariance, .c = input->scratch};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_mean_variance = {
    .name = "mean_variance",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 1,
    .weigh = weigh,
};
