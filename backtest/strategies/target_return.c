/* target_return.c - the least variance of those whose mean return over the window is at least so much a year. */
#include "backtest/strategies/kinds.h"

#include <math.h>

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("least_return", -1, 10, 0.05),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double largest = 0;
    for (size_t i = 0; i < input->m; i++)
        largest = fmax(largest, fabs(input->mean[i]));
    if (!(largest > 0))
        return NOTE_NO_ANSWER;
    for (size_t i = 0; i < input->m; i++)
        input->scratch[i] =
            input->mean[i] / largest; /* as large as weights, as the solver's tolerance is */
    struct qp_problem problem = {.limits = input->limits,
                                 .h = input->covariance,
                                 .gain = input->scratch,
                                 .gain_min =
                                     input->strategy->param[0] / input->periods_per_year / largest};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_target_return = {
    .name = "target_return",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 1,
    .weigh = weigh,
};
