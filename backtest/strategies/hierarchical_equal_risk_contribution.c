/* hierarchical_equal_risk_contribution.c - clusters share their weight by their risk down a tree, assets theirs by their own. */
#include "backtest/cluster.h"
#include "backtest/strategies/kinds.h"

#include <math.h>

static const char *const risk_names[] = {"variance", "volatility"};
enum { LINKAGE, CLUSTERS, RISK };

static const struct strategy_param params[] = {
    [LINKAGE] = STRATEGY_PARAM_CHOICE("linkage", cluster_linkage_names, CLUSTER_WARD),
    [CLUSTERS] = STRATEGY_PARAM_INTEGER("clusters", 1, 500, (double)NAN),
    [RISK] = STRATEGY_PARAM_CHOICE("risk_measure", risk_names, 0),
};

static double risk_of(const struct strategy_input *input, double variance)
{
    return input->strategy->param[RISK] > 0 ? sqrt(variance) : variance;
}

/* Weights the members of a cluster, which sum to 1, inversely to their risks, and gives the risk of that portfolio. */
static double weigh_cluster(const struct strategy_input *input, const size_t *member, size_t n,
                            double *weight)
{
    double total = 0, variance = 0;
    for (size_t i = 0; i < n; i++) {
        weight[member[i]] = 1 / risk_of(input, input->covariance[member[i] * (input->m + 1)]);
        total += weight[member[i]];
    }
    for (size_t i = 0; i < n; i++)
        weight[member[i]] /= total;
    for (size_t i = 0; i < n; i++) {
        const double *row = input->covariance + member[i] * input->m;
        double sum = 0;
        for (size_t j = 0; j < n; j++)
            sum += row[member[j]] * weight[member[j]];
        variance += sum * weight[member[i]];
    }
    return risk_of(input, variance);
}

static double sum_of(const double *x, size_t from, size_t to)
{
    double sum = 0;
    for (size_t i = from; i < to; i++)
        sum += x[i];
    return sum;
}

/* Splits `part` over clusters [from, to): the two sides of their latest union have equal shares of risk. */
static void divide(const struct clusters *clusters, const double *risk, size_t from, size_t to,
                   double part, double *ret_share)
{
    const size_t *met = clusters->tree.met, *start = clusters->start;
    while (to - from > 1) {
        size_t middle = from + 1;
        for (size_t c = middle + 1; c < to; c++)
            middle = met[start[c]] > met[start[middle]] ? c : middle;
        double left = sum_of(risk, from, middle), right = sum_of(risk, middle, to);
        divide(clusters, risk, from, middle, part * right / (left + right), ret_share);
        part = part * left / (left + right);
        from = middle;
    }
    ret_share[from] = part;
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    const double *param = input->strategy->param;
    double *risk = input->scratch, *share = input->scratch + input->m;
    struct clusters clusters;
    cluster_cut(input->covariance, input->m, (enum cluster_linkage)param[LINKAGE], param[CLUSTERS],
                input->square, input->index, &clusters);
    const size_t *start = clusters.start, *order = clusters.tree.order;
    for (size_t c = 0; c < clusters.k; c++)
        risk[c] = weigh_cluster(input, order + start[c], start[c + 1] - start[c], ret_weight);
    divide(&clusters, risk, 0, clusters.k, 1, share);
    for (size_t c = 0; c < clusters.k; c++) {
        for (size_t i = start[c]; i < start[c + 1]; i++)
            ret_weight[order[i]] *= share[c];
    }
    return NOTE_NONE;
}

const struct strategy_kind strategy_hierarchical_equal_risk_contribution = {
    .name = "hierarchical_equal_risk_contribution",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_SQUARE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 2,
    .weigh = weigh,
};
