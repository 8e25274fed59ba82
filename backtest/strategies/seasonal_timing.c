/*
 * seasonal_timing.c - equal parts of the assets in the months from one to another; the safe asset (without one: cash)
 * in the others.
 */
#include "backtest/strategies/kinds.h"
#include "base/date.h"

static const struct strategy_param params[] = {
    STRATEGY_PARAM_INTEGER("from_month", 1, 12, 11),
    STRATEGY_PARAM_INTEGER("to_month", 1, 12, 4),
    STRATEGY_PARAM_ASSET("safe"),
};

/* Whether month is among those from `from` to `to`, both counted, over the year's end where it must be. */
static bool is_within(int month, int from, int to)
{
    return from <= to ? month >= from && month <= to : month >= from || month <= to;
}

static enum strategy_note weigh(const struct strategy_input *input, double *ret_weight)
{
    const double *param = input->strategy->param;
    int month = date_to_civil(input->today).month;
    strategy_in_or_safe(input, 2, is_within(month, (int)param[0], (int)param[1]), ret_weight);
    return NOTE_NONE;
}

const struct strategy_kind strategy_seasonal_timing = {
    .name = "seasonal_timing",
    .needs = STRATEGY_DATES,
    .params = params,
    .n_params = ARRAY_LEN(params),
    .weigh = weigh,
};
