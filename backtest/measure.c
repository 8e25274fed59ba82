/* measure.c - the rows of metrics.def that need the portfolio's own path only. */
#include "backtest/measure.h"

#include "backtest/elementary.h"
#include "backtest/measure_set.h"
#include "backtest/stats.h"
#include "base/date.h"

#include <math.h>
#include <string.h>

const struct measure_info measure_infos[MEASURE_COUNT] = {
#define METRIC(name, unit, needs_benchmark, convention) \
    [MEASURE_##name] = {#name, unit, convention, needs_benchmark},
#include "backtest/metrics.def"
#undef METRIC
};

const char *const measure_reason_codes[REASON_COUNT] = {
#define REASON(name, code, text) [REASON_##name] = (code),
#include "backtest/reasons.def"
#undef REASON
};

static const double NORMAL_QUANTILE_05 = -1.6448536269514722; /* Phi^-1(0.05) */

/* Everything the groups below share. */
struct work {
    const struct measure_input *in;
    struct measure_path path; /* up to ruin */
    struct measure_value *out;
    size_t n;             /* returns */
    double *r, *drawdown; /* n returns; n drawdowns of sessions 1..n */
    double *scratch;      /* n values that may be reordered */
    double periods, root; /* P and sqrt(P) */
    double rate;          /* rf per session */
    bool is_ruined;
    struct stats_moments m;
};

void measure_set(struct measure_value *out, double value, size_t n)
{
    if (isfinite(value))
        *out = (struct measure_value){value + 0.0, n, REASON_NONE};
    else
        measure_deny(out, REASON_NOT_FINITE, n);
}

void measure_deny(struct measure_value *out, enum measure_reason reason, size_t n)
{
    *out = (struct measure_value){0, n, reason};
}

void measure_ratio(struct measure_value *out, double numerator, double denominator,
                   enum measure_reason reason, size_t n)
{
    if (denominator > 0)
        measure_set(out, numerator / denominator, n);
    else
        measure_deny(out, reason, n);
}

size_t measure_live_length(struct measure_path path)
{
    for (size_t t = 0; t < path.n; t++) {
        if (!(path.value[t] > 0))
            return t + 1;
    }
    return path.n;
}

double measure_rate_per_period(double annual, double periods_per_year)
{
    return elementary_pow(1 + annual, 1 / periods_per_year) - 1;
}

double measure_cagr(struct measure_path path)
{
    double years = date_years_between(path.date[0], path.date[path.n - 1]);
    return elementary_pow(path.value[path.n - 1] / path.value[0], 1 / years) - 1;
}

/* total_return to annual_mean. */
static void growth(struct work *w)
{
    double total = w->path.value[w->n] / w->path.value[0];
    measure_set(&w->out[MEASURE_total_return], total - 1, w->n);
    measure_set(&w->out[MEASURE_cagr], measure_cagr(w->path), w->n);
    measure_set(&w->out[MEASURE_cagr_periods], elementary_pow(total, w->periods / (double)w->n) - 1,
                w->n);
    measure_set(&w->out[MEASURE_annual_mean], w->m.mean * w->periods, w->n);
}

/* volatility to kurtosis_excess. */
static void dispersion(struct work *w)
{
    struct measure_value *out = w->out;
    enum measure_reason flat = w->m.is_zero ? REASON_NO_VARIATION : REASON_ZERO_VARIANCE;

    if (w->n < 2)
        measure_deny(&out[MEASURE_volatility], REASON_TOO_SHORT, w->n);
    else
        measure_set(&out[MEASURE_volatility], w->m.sd * w->root, w->n);
    measure_set(&out[MEASURE_downside_deviation], stats_downside(w->r, w->n, w->rate) * w->root,
                w->n);
    measure_set(&out[MEASURE_semideviation],
                w->m.is_constant ? 0 : stats_downside(w->r, w->n, w->m.mean), w->n);

    if (w->n < 3)
        measure_deny(&out[MEASURE_skewness], REASON_TOO_SHORT, w->n);
    else if (w->m.is_constant)
        measure_deny(&out[MEASURE_skewness], flat, w->n);
    else
        measure_set(&out[MEASURE_skewness], w->m.skew, w->n);

    if (w->n < 4)
        measure_deny(&out[MEASURE_kurtosis_excess], REASON_TOO_SHORT, w->n);
    else if (w->m.is_constant)
        measure_deny(&out[MEASURE_kurtosis_excess], flat, w->n);
    else
        measure_set(&out[MEASURE_kurtosis_excess], w->m.excess, w->n);
}

/* The Sharpe family: all of it needs returns that vary. */
static void sharpe_family(struct work *w)
{
    static const enum measure_id family[] = {MEASURE_sharpe, MEASURE_sharpe_se,
                                             MEASURE_smart_sharpe, MEASURE_psr_0};
    struct measure_value *out = w->out;
    double rho = 0;

    if (w->n < 2 || w->m.is_constant) {
        enum measure_reason why = w->n < 2       ? REASON_TOO_SHORT
                                  : w->m.is_zero ? REASON_NO_VARIATION
                                                 : REASON_ZERO_VARIANCE;
        for (size_t i = 0; i < ARRAY_LEN(family); i++)
            measure_deny(&out[family[i]], why, w->n);
        return;
    }
    double sharpe = (w->m.mean - w->rate) / w->m.sd; /* per session */
    measure_set(&out[MEASURE_sharpe], sharpe * w->root, w->n);
    if (stats_autocorrelation(w->r, w->n, &rho))
        measure_set(&out[MEASURE_smart_sharpe],
                    sharpe * w->root / stats_autocorrelation_penalty(rho, w->n), w->n);
    else
        measure_deny(&out[MEASURE_smart_sharpe], w->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE,
                     w->n);
    if (w->n < 4) {
        measure_deny(&out[MEASURE_sharpe_se], REASON_TOO_SHORT, w->n);
        measure_deny(&out[MEASURE_psr_0], REASON_TOO_SHORT, w->n);
        return;
    }
    double variance = stats_sharpe_variance(sharpe, w->m.skew, w->m.excess);
    measure_set(&out[MEASURE_sharpe_se], sqrt(variance / (double)(w->n - 1)) * w->root, w->n);
    if (variance > 0)
        measure_set(&out[MEASURE_psr_0], stats_psr(sharpe, 0, w->n, w->m.skew, w->m.excess), w->n);
    else
        measure_deny(&out[MEASURE_psr_0], REASON_NOT_FINITE, w->n);
}

/* sortino, omega, gain_to_pain, stability, k_ratio_2003, autocorrelation_1. */
static void other_ratios(struct work *w)
{
    struct measure_value *out = w->out;
    struct stats_gains around_rate = stats_gains(w->r, w->n, w->rate);
    struct stats_gains around_zero = stats_gains(w->r, w->n, 0);
    struct stats_trend trend = {0};
    double rho = 0;

    measure_ratio(&out[MEASURE_sortino], (w->m.mean - w->rate) * w->periods,
                  out[MEASURE_downside_deviation].value, REASON_NO_DOWNSIDE, w->n);
    measure_ratio(&out[MEASURE_omega], around_rate.gains, around_rate.losses, REASON_NO_DOWNSIDE,
                  w->n);
    measure_ratio(&out[MEASURE_gain_to_pain], w->m.sum, around_zero.losses, REASON_NO_LOSSES, w->n);

    for (size_t t = 0; t < w->n && !w->is_ruined; t++)
        w->scratch[t] = elementary_log(w->path.value[t + 1] / w->path.value[0]);
    if (!w->is_ruined && stats_trend(w->scratch, w->n, &trend)) {
        measure_set(&out[MEASURE_stability], trend.r_squared, w->n);
        measure_ratio(&out[MEASURE_k_ratio_2003], trend.slope, trend.slope_error * (double)w->n,
                      REASON_ZERO_VARIANCE, w->n);
    } else {
        enum measure_reason why = w->is_ruined ? REASON_RUINED
                                  : w->n < 3   ? REASON_TOO_SHORT
                                               : REASON_NO_VARIATION;
        measure_deny(&out[MEASURE_stability], why, w->n);
        measure_deny(&out[MEASURE_k_ratio_2003], why, w->n);
    }

    if (stats_autocorrelation(w->r, w->n, &rho))
        measure_set(&out[MEASURE_autocorrelation_1], rho, w->n);
    else
        measure_deny(&out[MEASURE_autocorrelation_1],
                     w->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE, w->n);
}

static double days_of(const struct work *w, struct drawdown d)
{
    size_t to = d.recovery == DRAWDOWN_OPEN ? w->n : d.recovery;
    return (double)(w->path.date[to] - w->path.date[d.peak]);
}

/* The figures that come from the list of declines; without one they are 0 or denied. */
static void drawdown_episodes(struct work *w, struct drawdown *list, size_t count)
{
    struct measure_value *out = w->out;
    double depth = 0, days = 0, longest = 0;

    drawdown_sort(list, count);
    for (size_t i = 0; i < count; i++) {
        double lasted = days_of(w, list[i]);
        depth += list[i].depth;
        days += lasted;
        longest = lasted > longest ? lasted : longest;
    }
    measure_set(&out[MEASURE_max_drawdown], count > 0 ? list[0].depth : 0, w->n);
    if (count == 0) {
        measure_deny(&out[MEASURE_max_drawdown_days], REASON_NO_DRAWDOWN, 0);
        measure_deny(&out[MEASURE_average_drawdown], REASON_NO_DRAWDOWN, 0);
        measure_deny(&out[MEASURE_average_drawdown_days], REASON_NO_DRAWDOWN, 0);
        measure_deny(&out[MEASURE_longest_drawdown_days], REASON_NO_DRAWDOWN, 0);
        return;
    }
    measure_set(&out[MEASURE_max_drawdown_days], days_of(w, list[0]), count);
    measure_set(&out[MEASURE_average_drawdown], depth / (double)count, count);
    measure_set(&out[MEASURE_average_drawdown_days], days / (double)count, count);
    measure_set(&out[MEASURE_longest_drawdown_days], longest, count);
}

/* What is measured on the path D_1..D_n, and the ratios over it. */
static void drawdown_ratios(struct work *w)
{
    struct measure_value *out = w->out;
    double total = out[MEASURE_total_return].value, cagr = out[MEASURE_cagr].value;
    double excess = cagr - w->in->risk_free_rate, depth = -out[MEASURE_max_drawdown].value;
    double ulcer = drawdown_ulcer(w->drawdown, w->n), pain = drawdown_pain(w->drawdown, w->n);
    size_t underwater = 0;

    for (size_t t = 0; t < w->n; t++)
        underwater += w->drawdown[t] < 0 ? 1 : 0;
    measure_set(&out[MEASURE_underwater_share], (double)underwater / (double)w->n, w->n);
    measure_set(&out[MEASURE_ulcer_index], ulcer, w->n);
    measure_set(&out[MEASURE_pain_index], pain, w->n);
    measure_ratio(&out[MEASURE_calmar], cagr, depth, REASON_NO_DRAWDOWN, w->n);
    measure_ratio(&out[MEASURE_recovery_factor], total, depth, REASON_NO_DRAWDOWN, w->n);
    measure_ratio(&out[MEASURE_ulcer_performance_index], excess, ulcer, REASON_NO_DRAWDOWN, w->n);
    measure_ratio(&out[MEASURE_pain_ratio], excess, pain, REASON_NO_DRAWDOWN, w->n);

    memcpy(w->scratch, w->drawdown, w->n * sizeof *w->scratch);
    double limit = stats_quantile(w->scratch, w->n, 0.05);
    measure_set(&out[MEASURE_cdar_95], stats_mean_below(w->drawdown, w->n, limit), w->n);
}

/* var_95 to worst_day. */
static void tails(struct work *w)
{
    struct measure_value *out = w->out;
    double z = NORMAL_QUANTILE_05, g1 = w->m.skew_population, g2 = w->m.excess_population;

    memcpy(w->scratch, w->r, w->n * sizeof *w->scratch);
    double low = stats_quantile(w->scratch, w->n, 0.05);
    double high = stats_quantile(w->scratch, w->n, 0.95);
    measure_set(&out[MEASURE_var_95], low, w->n);
    measure_set(&out[MEASURE_cvar_95], stats_mean_below(w->r, w->n, low), w->n);
    measure_ratio(&out[MEASURE_tail_ratio], fabs(high), fabs(low), REASON_NO_DOWNSIDE, w->n);
    measure_set(&out[MEASURE_best_day], w->m.max, w->n);
    measure_set(&out[MEASURE_worst_day], w->m.min, w->n);
    if (w->n < 2) {
        measure_deny(&out[MEASURE_var_95_normal], REASON_TOO_SHORT, w->n);
        measure_deny(&out[MEASURE_var_95_cornish_fisher], REASON_TOO_SHORT, w->n);
        return;
    }
    double bend = z + (z * z - 1) * g1 / 6 + (z * z * z - 3 * z) * g2 / 24 -
                  (2 * z * z * z - 5 * z) * g1 * g1 / 36;
    measure_set(&out[MEASURE_var_95_normal], w->m.mean + z * w->m.sd, w->n);
    measure_set(&out[MEASURE_var_95_cornish_fisher], w->m.mean + bend * w->m.sd_population, w->n);
}

static void put_extremes(struct measure_value *best, struct measure_value *worst,
                         struct table_extremes e)
{
    measure_set(best, e.best, e.n);
    measure_set(worst, e.worst, e.n);
}

/* best_month to positive_months. */
static enum status calendar(struct work *w, struct arena *arena, struct err *err)
{
    struct table_years years;
    enum status s = tables_years(w->path.date, w->path.value, w->path.n, arena, &years, err);
    if (s != STATUS_OK)
        return s;
    struct table_extremes months = tables_months(&years);
    put_extremes(&w->out[MEASURE_best_month], &w->out[MEASURE_worst_month], months);
    put_extremes(&w->out[MEASURE_best_year], &w->out[MEASURE_worst_year], tables_totals(&years));
    measure_set(&w->out[MEASURE_positive_months], (double)months.n_positive / (double)months.n,
                months.n);
    return STATUS_OK;
}

/* positive_days, win_rate to kelly. */
static void bets(struct work *w)
{
    struct measure_value *out = w->out;
    struct stats_gains g = stats_gains(w->r, w->n, 0);
    size_t n_nonzero = g.n_gains + g.n_losses;

    measure_set(&out[MEASURE_positive_days], (double)g.n_gains / (double)w->n, w->n);
    measure_ratio(&out[MEASURE_win_rate], (double)g.n_gains, (double)n_nonzero, REASON_NO_NONZERO,
                  n_nonzero);
    measure_ratio(&out[MEASURE_profit_factor], g.gains, g.losses, REASON_NO_LOSSES, n_nonzero);
    if (g.n_gains == 0 || g.n_losses == 0) {
        enum measure_reason why = n_nonzero == 0    ? REASON_NO_NONZERO
                                  : g.n_losses == 0 ? REASON_NO_LOSSES
                                                    : REASON_NO_UPSIDE;
        measure_deny(&out[MEASURE_payoff], why, n_nonzero);
        measure_deny(&out[MEASURE_kelly], why, n_nonzero);
        return;
    }
    double payoff = (g.gains / (double)g.n_gains) / (g.losses / (double)g.n_losses);
    double p = (double)g.n_gains / (double)n_nonzero;
    measure_set(&out[MEASURE_payoff], payoff, n_nonzero);
    measure_set(&out[MEASURE_kelly], p - (1 - p) / payoff, n_nonzero);
}

/* turnover_annual to n_rebalances. */
static void trading(struct work *w)
{
    static const enum measure_id rows[] = {MEASURE_turnover_annual, MEASURE_exposure,
                                           MEASURE_effective_n, MEASURE_cost_ratio,
                                           MEASURE_n_rebalances};
    const struct measure_trading *t = w->in->trading;
    struct measure_value *out = w->out;

    if (t == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], REASON_NOT_APPLICABLE, 0);
        return;
    }
    double years = date_years_between(w->path.date[0], w->path.date[w->n]);
    measure_set(&out[MEASURE_turnover_annual], t->turnover / years, t->n_rebalances);
    measure_set(&out[MEASURE_exposure], t->exposure, w->n);
    measure_set(&out[MEASURE_cost_ratio], t->cost_ratio / years, w->n);
    measure_set(&out[MEASURE_n_rebalances], (double)t->n_rebalances, w->n);
    if (t->effective_n > 0)
        measure_set(&out[MEASURE_effective_n], t->effective_n, w->n);
    else
        measure_deny(&out[MEASURE_effective_n], REASON_NO_NONZERO, w->n);
}

enum status measure_compute(const struct measure_input *input, struct arena *arena,
                            struct measure_value ret[MEASURE_COUNT], struct err *err)
{
    struct work w = {.in = input, .path = input->path, .out = ret};
    w.path.n = measure_live_length(input->path);
    w.n = w.path.n - 1;
    w.is_ruined = !(w.path.value[w.n] > 0);
    w.periods = input->periods_per_year;
    w.root = sqrt(w.periods);
    w.rate = measure_rate_per_period(input->risk_free_rate, w.periods);
    w.r = arena_array(arena, w.path.n, sizeof *w.r);
    w.scratch = arena_array(arena, w.path.n, sizeof *w.scratch);
    double *drawdown = arena_array(arena, w.path.n, sizeof *drawdown);
    struct drawdown *list = arena_array(arena, w.path.n / 2 + 1, sizeof *list);
    if (w.r == NULL || w.scratch == NULL || drawdown == NULL || list == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");

    stats_returns(w.path.value, w.path.n, w.r);
    drawdown_path(w.path.value, w.path.n, drawdown);
    w.drawdown = drawdown + 1;
    w.m = stats_moments(w.r, w.n);
    growth(&w);
    dispersion(&w);
    sharpe_family(&w);
    other_ratios(&w);
    drawdown_episodes(&w, list, drawdown_list(w.path.value, w.path.n, list));
    drawdown_ratios(&w);
    tails(&w);
    bets(&w);
    trading(&w);
    enum status s = calendar(&w, arena, err);
    return s == STATUS_OK ? measure_relative(input, arena, ret, err) : s;
}
