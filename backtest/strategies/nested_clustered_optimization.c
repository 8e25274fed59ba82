/* nested_clustered_optimization.c - the best portfolio of each cluster of assets, and the best of those portfolios. */
#include "backtest/best_ratio.h"
#include "backtest/cluster.h"
#include "backtest/measure.h"
#include "backtest/strategies/kinds.h"

#include <math.h>

static const char *const objective_names[] = {"minimum_variance", "maximum_sharpe"};
enum { LINKAGE, CLUSTERS, OBJECTIVE };

static const struct strategy_param params[] = {
    [LINKAGE] = STRATEGY_PARAM_CHOICE("linkage", cluster_linkage_names, CLUSTER_WARD),
    [CLUSTERS] = STRATEGY_PARAM_INTEGER("clusters", 1, 500, (double)NAN),
    [OBJECTIVE] = STRATEGY_PARAM_CHOICE("objective", objective_names, 0),
};

enum { LOWER, UPPER, EXCESS, WEIGHT, SCRATCH }; /* arrays of m doubles */

/* A portfolio of some of the assets, or of the clusters' portfolios: long only or not, and of the same gross exposure. */
static struct limits sides(const struct strategy_input *input, size_t *group)
{
    const struct strategy_limits *given = &input->strategy->limits;
    struct limits limits = {.lower = input->scratch + LOWER * input->m,
                            .upper = input->scratch + UPPER * input->m,
                            .group = group,
                            .max_gross = given->max_gross,
                            .budget = 1};
    for (size_t i = 0; i < input->m; i++) {
        limits.lower[i] = given->long_only ? 0 : -given->max_gross;
        limits.upper[i] = given->max_gross;
        limits.group[i] = LIMITS_NO_GROUP;
    }
    return limits;
}

/* Into WEIGHT: the best weights of n things with this covariance and, in EXCESS, these mean excess returns. */
static enum strategy_note solve(const struct strategy_input *input, struct limits *limits, size_t n,
                                const double *covariance)
{
    double *excess = input->scratch + EXCESS * input->m;
    double *weight = input->scratch + WEIGHT * input->m;
    struct strategy_input part = *input;
    struct qp_problem problem = {.limits = limits, .h = covariance};
    limits->n = n;
    part.m = n;
    part.limits = limits;
    part.covariance = covariance;
    if (input->strategy->param[OBJECTIVE] > 0)
        return best_ratio(&part, excess, covariance, NULL, weight);
    return qp_solve(&problem, input->qp, weight) == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}

/* The excess returns and covariance of one cluster's members. */
static void gather(const struct strategy_input *input, double rate, const size_t *member, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        input->scratch[EXCESS * input->m + i] = input->mean[member[i]] - rate;
        for (size_t j = 0; j < n; j++)
            input->square[i * n + j] = input->covariance[member[i] * input->m + member[j]];
    }
}

/* The same of the clusters' portfolios, whose weights are in `weight`, by asset. */
static void reduce(const struct strategy_input *input, double rate, const struct clusters *clusters,
                   const double *weight)
{
    const size_t *order = clusters->tree.order, *start = clusters->start;
    for (size_t c = 0; c < clusters->k; c++) {
        double *row = input->square + c * clusters->k;
        double mean = 0;
        for (size_t d = 0; d < clusters->k; d++)
            row[d] = 0;
        for (size_t i = start[c]; i < start[c + 1]; i++) {
            const double *covariance = input->covariance + order[i] * input->m;
            mean += weight[order[i]] * input->mean[order[i]];
            for (size_t d = 0; d < clusters->k; d++) {
                double sum = 0;
                for (size_t j = start[d]; j < start[d + 1]; j++)
                    sum += covariance[order[j]] * weight[order[j]];
                row[d] += weight[order[i]] * sum;
            }
        }
        input->scratch[EXCESS * input->m + c] = mean - rate;
    }
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    const double *param = input->strategy->param, *weight = input->scratch + WEIGHT * input->m;
    double rate = measure_rate_per_period(input->risk_free_rate, input->periods_per_year);
    struct clusters clusters;
    cluster_cut(input->covariance, input->m, (enum cluster_linkage)param[LINKAGE], param[CLUSTERS],
                input->square, input->index, &clusters);
    const size_t *start = clusters.start, *order = clusters.tree.order;
    struct limits limits = sides(input, input->index + (CLUSTER_INDICES - 1) * input->m);
    enum strategy_note note = NOTE_NONE;
    for (size_t c = 0; c < clusters.k && note != NOTE_NO_ANSWER; c++) {
        size_t n = start[c + 1] - start[c];
        gather(input, rate, order + start[c], n);
        note = solve(input, &limits, n, input->square);
        for (size_t i = 0; i < n && note != NOTE_NO_ANSWER; i++)
            ret_weight[order[start[c] + i]] = weight[i];
    }
    if (note == NOTE_NO_ANSWER)
        return note;
    reduce(input, rate, &clusters, ret_weight);
    note = solve(input, &limits, clusters.k, input->square);
    for (size_t c = 0; c < clusters.k && note != NOTE_NO_ANSWER; c++) {
        for (size_t i = start[c]; i < start[c + 1]; i++)
            ret_weight[order[i]] *= weight[c];
    }
    return note;
}

const struct strategy_kind strategy_nested_clustered_optimization = {
    .name = "nested_clustered_optimization",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_SQUARE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = SCRATCH,
    .weigh = weigh,
};
