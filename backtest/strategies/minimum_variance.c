/* minimum_variance.c - the least w' Sigma w that the limits allow. */
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    struct qp_problem problem = {.limits = input->limits, .h = input->covariance};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_minimum_variance = {
    .name = "minimum_variance",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .weigh = weigh,
};
