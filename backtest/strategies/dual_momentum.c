/*
 * dual_momentum.c - the assets that rose most over the window, each only while it rose more than the safe
 * asset did (without one: than the risk-free rate); its part is in the safe asset (or cash) otherwise.
 */
#include "backtest/elementary.h"
#include "backtest/ranking.h"
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("top", 1, 500, 1),
    STRATEGY_PARAM_ASSET("safe"),
};

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    size_t m = input->m, k = (size_t)input->strategy->param[0];
    size_t safe = strategy_asset(input, 1);
    double sessions = (double)input->strategy->lookback;
    double *gain = input->scratch;
    ranking_returns(input->price, m, input->strategy->lookback + 1, gain);
    double hurdle =
        safe < m
            ? gain[safe]
            : elementary_pow(1 + input->risk_free_rate, sessions / input->periods_per_year) - 1;

    size_t n = ranking_best(gain, m, safe, k, input->index);
    for (size_t i = 0; i < m; i++)
        ret_weight[i] = 0;
    for (size_t j = 0; j < n; j++) {
        size_t i = input->index[j];
        size_t to = gain[i] > hurdle ? i : safe;
        if (to < m)
            ret_weight[to] += 1 / (double)n;
    }
    if (n == 0 && safe < m)
        ret_weight[safe] = 1;
    return NOTE_NONE;
}

const struct strategy_kind strategy_dual_momentum = {
    .name = "dual_momentum",
    .needs = STRATEGY_WINDOW,
    .standard_lookback = 252,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .scratch = 1,
    .weigh = weigh,
};
