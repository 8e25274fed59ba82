/* maximum_sharpe.c - the most mean excess return per volatility of the window that the limits allow. */
#include "backtest/measure.h"
#include "backtest/strategies/kinds.h"

#include <math.h>

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double rate = measure_rate_per_period(input->risk_free_rate, input->periods_per_year);
    double largest = 0;
    double *excess = input->scratch;
    for (size_t i = 0; i < input->m; i++) {
        excess[i] = input->mean[i] - rate;
        largest = fmax(largest, fabs(excess[i]));
    }
    for (size_t i = 0; i < input->m && largest > 0; i++)
        excess[i] /= largest; /* the ratio's weights do not depend on the scale */

    struct qp_problem problem = {
        .limits = input->limits, .h = input->covariance, .gain = excess, .is_ratio = true};
    enum qp_outcome outcome = qp_solve(&problem, input->qp, ret_weight);
    if (outcome != QP_INFEASIBLE)
        return outcome == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
    problem = (struct qp_problem){.limits = input->limits, .h = input->covariance};
    outcome = qp_solve(&problem, input->qp, ret_weight);
    return outcome == QP_SOLVED ? NOTE_NO_EXCESS : NOTE_NO_ANSWER;
}

const struct strategy_kind strategy_maximum_sharpe = {
    .name = "maximum_sharpe",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE,
    .standard_lookback = 252,
    .scratch = 1,
    .weigh = weigh,
};
