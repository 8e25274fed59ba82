/*
 * indicator_timing.c - equal parts of the assets while an economic series, as it was known at the decision, is above or
 * below a threshold; the safe asset (without one: cash) otherwise, and before its first publication.
 */
#include "backtest/strategies/kinds.h"

static const char *const sides[] = {"above", "below"};

static const struct strategy_param params[] = {
    STRATEGY_PARAM_NUMBER("threshold", -1e15, 1e15, 0),
    STRATEGY_PARAM_CHOICE("when", sides, 0),
    STRATEGY_PARAM_ASSET("safe"),
};
enum { THRESHOLD, WHEN, SAFE };

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    const double *param = input->strategy->param;
    bool is_above = input->signal > param[THRESHOLD], is_below = input->signal < param[THRESHOLD];
    strategy_in_or_safe(input, SAFE, param[WHEN] > 0 ? is_below : is_above, ret_weight);
    return NOTE_NONE;
}

const struct strategy_kind strategy_indicator_timing = {
    .name = "indicator_timing",
    .needs = STRATEGY_SIGNAL,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .weigh = weigh,
};
