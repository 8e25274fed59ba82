/*
 * minimum_tracking_error.c - the least variance of w'r - b that the limits allow: w' Sigma w - 2 cov(r, b)' w, but for what
 * no weight changes.
 */
#include "backtest/strategies/kinds.h"

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    struct qp_problem problem = {
        .limits = input->limits, .h = input->covariance, .c = input->shared};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_minimum_tracking_error = {
    .name = "minimum_tracking_error",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_BENCHMARK,
    .standard_lookback = 252,
    .weigh = weigh,
};
