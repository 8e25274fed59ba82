/*
 * moving_average_timing.c - equal parts of the assets; each is held only while its price is above its mean
 * over the window, and is in the safe asset (without one: in cash) otherwise.
 */
#include "backtest/strategies/kinds.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_ASSET("safe"),
};

/* The last price against the mean of the last n, itself among them. */
static bool is_above(const double *price, size_t n)
{
    double sum = 0;
    for (size_t t = 1; t <= n; t++)
        sum += price[t];
    return price[n] > sum / (double)n;
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    size_t m = input->m, safe = strategy_asset(input, 0);
    double part = 1 / (double)(safe < m && m > 1 ? m - 1 : m);
    double rest = 0;
    for (size_t i = 0; i < m; i++) {
        bool is_held = i != safe && is_above(input->price[i], input->strategy->lookback);
        ret_weight[i] = is_held ? part : 0;
        rest += is_held || i == safe ? 0 : part;
    }
    if (safe < m)
        ret_weight[safe] = m > 1 ? rest : 1;
    return NOTE_NONE;
}

const struct strategy_kind strategy_moving_average_timing = {
    .name = "moving_average_timing",
    .needs = STRATEGY_WINDOW,
    .standard_lookback = 200,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .weigh = weigh,
};
