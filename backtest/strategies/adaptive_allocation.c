/* adaptive_allocation.c - of the assets that rose most over the window, the portfolio of least variance. */
#include "backtest/ranking.h"
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("top", 1, 500, 5),
};

enum { GAIN, LOWER, UPPER, WEIGHT, SCRATCH }; /* arrays of m doubles */

/* The limits of the k chosen ones; what they cannot meet without the others gives way. */
static struct limits pick_limits(const struct strategy_input *input, const size_t *chosen, size_t k)
{
    struct limits l = *input->limits;
    l.n = k;
    l.lower = input->scratch + LOWER * input->m;
    l.upper = input->scratch + UPPER * input->m;
    l.group = input->index + input->m;
    for (size_t i = 0; i < k; i++) {
        l.lower[i] = input->limits->lower[chosen[i]];
        l.upper[i] = input->limits->upper[chosen[i]];
        l.group[i] = input->limits->group[chosen[i]];
    }
    return l;
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    double group_min[STRATEGY_GROUPS_MAX], group_max[STRATEGY_GROUPS_MAX];
    size_t m = input->m, *chosen = input->index;
    double *weight = input->scratch + WEIGHT * m;
    ranking_returns(input->price, m, input->strategy->lookback + 1, input->scratch + GAIN * m);
    size_t k =
        ranking_best(input->scratch + GAIN * m, m, m, (size_t)input->strategy->param[0], chosen);

    struct limits limits = pick_limits(input, chosen, k);
    for (size_t g = 0; g < limits.n_groups; g++) {
        group_min[g] = limits.group_min[g];
        group_max[g] = limits.group_max[g];
    }
    limits.group_min = group_min;
    limits.group_max = group_max;
    if (k < m)
        limits_relax(&limits);
    for (size_t i = 0; i < k; i++) {
        for (size_t j = 0; j < k; j++)
            input->square[i * k + j] = input->covariance[chosen[i] * m + chosen[j]];
    }
    struct qp_problem problem = {.limits = &limits, .h = input->square};
    if (qp_solve(&problem, input->qp, weight) != QP_SOLVED)
        return NOTE_NO_ANSWER;
    for (size_t i = 0; i < m; i++)
        ret_weight[i] = 0;
    for (size_t i = 0; i < k; i++)
        ret_weight[chosen[i]] = weight[i];
    return NOTE_NONE;
}

const struct strategy_kind strategy_adaptive_allocation = {
    .name = "adaptive_allocation",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_SQUARE,
    .standard_lookback = 126,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = SCRATCH,
    .weigh = weigh,
};
