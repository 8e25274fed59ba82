/* batch_measure.c - the headline figures of one equity line, in the passes that they share. */
#include "backtest/batch.h"

#include "backtest/kernels.h"
#include "backtest/stats.h"

#include <math.h>

const enum measure_id batch_measures[BATCH_MEASURE_COUNT] = {
    [BATCH_TOTAL_RETURN] = MEASURE_total_return,
    [BATCH_CAGR] = MEASURE_cagr,
    [BATCH_VOLATILITY] = MEASURE_volatility,
    [BATCH_DOWNSIDE_DEVIATION] = MEASURE_downside_deviation,
    [BATCH_SKEWNESS] = MEASURE_skewness,
    [BATCH_KURTOSIS_EXCESS] = MEASURE_kurtosis_excess,
    [BATCH_SHARPE] = MEASURE_sharpe,
    [BATCH_SORTINO] = MEASURE_sortino,
    [BATCH_MAX_DRAWDOWN] = MEASURE_max_drawdown,
    [BATCH_CALMAR] = MEASURE_calmar,
    [BATCH_ULCER_INDEX] = MEASURE_ulcer_index,
    [BATCH_WORST_DAY] = MEASURE_worst_day,
};

/* NaN where measure.h has a reason instead of a value. */
static double known_if(bool is_known, double value)
{
    return is_known && isfinite(value) ? value + 0.0 : (double)NAN;
}

struct batch_row batch_measure(const struct batch *batch, struct batch_workspace *ws, size_t p)
{
    const struct kernels *k = batch->panel->kernels;
    struct measure_path path = {batch->panel->clock, ws->equity[p], batch->panel->n_sessions};
    struct batch_row row = {.terminal = ws->terminal[p]};
    double rate = measure_rate_per_period(batch->risk_free_rate, batch->periods_per_year);
    double root = sqrt(batch->periods_per_year);
    path.n = measure_live_length(path);
    size_t n = path.n - 1;

    k->returns(path.value, path.n, ws->returns);
    struct kernel_gains gains = k->gains(ws->returns, n, rate);
    struct kernel_declines declines = k->declines(path.value, path.n, ws->drawdown);
    struct stats_moments m = stats_moments_with(k, ws->returns, n);
    double excess = m.mean - rate, downside = sqrt(gains.losses_squared / (double)n);
    double cagr = measure_cagr(path), depth = -declines.lowest;
    double *value = row.value;
    value[BATCH_TOTAL_RETURN] = known_if(true, path.value[n] / path.value[0] - 1);
    value[BATCH_CAGR] = known_if(true, cagr);
    value[BATCH_VOLATILITY] = known_if(n >= 2, m.sd * root);
    value[BATCH_DOWNSIDE_DEVIATION] = known_if(true, downside * root);
    value[BATCH_SKEWNESS] = known_if(n >= 3 && !m.is_constant, m.skew);
    value[BATCH_KURTOSIS_EXCESS] = known_if(n >= 4 && !m.is_constant, m.excess);
    value[BATCH_SHARPE] = known_if(n >= 2 && !m.is_constant, excess / m.sd * root);
    value[BATCH_SORTINO] = known_if(downside > 0, excess / downside * root);
    value[BATCH_MAX_DRAWDOWN] = known_if(true, declines.lowest);
    value[BATCH_CALMAR] = known_if(depth > 0, cagr / depth);
    value[BATCH_ULCER_INDEX] = known_if(true, sqrt(declines.squares / (double)n));
    value[BATCH_WORST_DAY] = known_if(true, m.min);
    return row;
}
