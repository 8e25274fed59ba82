/* best_ratio.c - the ratio as a quadratic program. */
#include "backtest/best_ratio.h"

#include <math.h>

enum strategy_note best_ratio(const struct strategy_input *input, double *excess,
                              const double *covariance, const double *shared, double *ret_weight)
{
    double largest = 0;
    for (size_t i = 0; i < input->m; i++)
        largest = fmax(largest, fabs(excess[i]));
    for (size_t i = 0; i < input->m && largest > 0; i++)
        excess[i] /= largest; /* the ratio's weights do not depend on the scale */

    struct qp_problem problem = {
        .limits = input->limits, .h = covariance, .gain = excess, .is_ratio = true};
    enum qp_outcome outcome = qp_solve(&problem, input->qp, ret_weight);
    if (outcome != QP_INFEASIBLE)
        return outcome == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
    problem = (struct qp_problem){.limits = input->limits, .h = input->covariance, .c = shared};
    outcome = qp_solve(&problem, input->qp, ret_weight);
    return outcome == QP_SOLVED ? NOTE_NO_EXCESS : NOTE_NO_ANSWER;
}
