/* hierarchical_risk_parity.c - assets in the order of a tree of correlations, then bisection. */
#include "backtest/cluster.h"
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_CHOICE("linkage", cluster_linkage_names, CLUSTER_SINGLE),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    enum cluster_linkage linkage = (enum cluster_linkage)input->strategy->param[0];
    struct cluster_tree tree;
    cluster_grow(input->covariance, input->m, linkage, input->square, input->index, &tree);
    cluster_bisect(input->covariance, input->m, tree.order, input->square, input->scratch,
                   ret_weight);
    return NOTE_NONE;
}

const struct strategy_kind strategy_hierarchical_risk_parity = {
    .name = "hierarchical_risk_parity",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_SQUARE,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 1,
    .weigh = weigh,
};
