/* maximum_information_ratio.c - the most mean return beyond the benchmark's per tracking error that the limits allow. */
#include "backtest/best_ratio.h"
#include "backtest/strategies/kinds.h"

/*
 * The means and the covariance of returns less the benchmark's. An asset that is the benchmark has neither, and any mix
 * with it the same ratio: a variance of its own keeps it out.
 */
static void fill_active(const struct strategy_input *input, double *ret_mean, double *ret)
{
    static const double NONE = 1e-12; /* of the benchmark's variance: rounding */
    size_t m = input->m;
    const double *shared = input->shared;
    for (size_t i = 0; i < m; i++) {
        ret_mean[i] = input->mean[i] - input->mean[m];
        for (size_t j = 0; j < m; j++)
            ret[i * m + j] = input->covariance[i * m + j] - shared[i] - shared[j] + shared[m];
    }
    for (size_t i = 0; i < m; i++) {
        if (ret[i * m + i] > NONE * shared[m])
            continue;
        for (size_t j = 0; j < m; j++)
            ret[i * m + j] = ret[j * m + i] = 0;
        ret[i * m + i] = shared[m];
        ret_mean[i] = 0;
    }
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    fill_active(input, input->scratch, input->square);
    return best_ratio(input, input->scratch, input->square, input->shared, ret_weight);
}

const struct strategy_kind strategy_maximum_information_ratio = {
    .name = "maximum_information_ratio",
    .needs = STRATEGY_WINDOW | STRATEGY_RETURNS | STRATEGY_COVARIANCE | STRATEGY_SQUARE |
             STRATEGY_BENCHMARK,
    .standard_lookback = 252,
    .scratch = 1,
    .weigh = weigh,
};
