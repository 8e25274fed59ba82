/* maximum_diversification.c - the most mean volatility of the assets per volatility of the whole. */
#include "backtest/strategies/kinds.h"

#include <math.h>

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double *volatility = input->scratch, largest = 0;
    for (size_t i = 0; i < input->m; i++) {
        volatility[i] = sqrt(input->covariance[i * input->m + i]);
        largest = fmax(largest, volatility[i]);
    }
    for (size_t i = 0; i < input->m && largest > 0; i++)
        volatility[i] /= largest; /* the ratio's weights do not depend on the scale */
    struct qp_problem problem = {
        .limits = input->limits, .h = input->covariance, .gain = volatility, .is_ratio = true};
    return qp_solve(&problem, input->qp, ret_weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_maximum_diversification = {
    .name = "maximum_diversification",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .scratch = 1,
    .weigh = weigh,
};
