/* measure_downside.c - reward over what lies below the target, and over depth. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/order.h"

#include <math.h>
#include <string.h>

/* sortino and what is made of it. */
static void sortino_rows(struct facts *f)
{
    struct measure_value *out = f->out;
    bool has_down = f->downside > 0 && f->n_y >= 2;
    enum measure_reason why = f->n_y < 2 ? REASON_TOO_SHORT : REASON_NO_DOWNSIDE;
    double per_session = has_down ? f->y_mean / f->downside : 0, annual = per_session * f->root;
    double penalty = f->has_rho ? stats_autocorrelation_penalty(f->rho, f->n) : 1;

    measure_maybe(ROW(out, sortino), has_down, annual, why, f->n_y);
    measure_maybe(ROW(out, sortino_per_session), has_down, per_session, why, f->n_y);
    measure_maybe(ROW(out, adjusted_sortino), has_down, annual / sqrt(2), why, f->n_y);
    if (!f->has_rho)
        why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    measure_maybe(ROW(out, smart_sortino), has_down && f->has_rho, annual / penalty, why, f->n);
}

/* quantstats' probabilistic forms: the ratio knows no risk-free rate. */
static void probabilistic_sortino(struct facts *f)
{
    struct measure_value *out = f->out;
    double low = sqrt(f->around_zero.losses_squared / (double)f->n),
           target = f->in->options.target_sharpe;
    double ratio = low > 0 ? f->m.mean / low : 0, adjusted = ratio / sqrt(2);
    double skew = f->m.skew, excess = f->m.excess - 3;
    bool is_known = low > 0 && f->n >= 4 && !f->m.is_constant;
    enum measure_reason why = f->n < 4 ? REASON_TOO_SHORT : low > 0 ? f->flat : REASON_NO_DOWNSIDE;
    measure_maybe(ROW(out, psr_sortino_excess), is_known,
                  is_known ? stats_psr(ratio, target, f->n, skew, excess) : 0, why, f->n);
    measure_maybe(ROW(out, psr_adjusted_sortino_excess), is_known,
                  is_known ? stats_psr(adjusted, target, f->n, skew, excess) : 0, why, f->n);
}

/* The sd of the negative returns alone, and ((1 + mu)^P - 1 - rf) over it. */
static void sortino_lean(struct facts *f)
{
    size_t n = 0;
    for (size_t t = 0; t < f->n; t++) {
        f->scratch[n] = f->r[t];
        n += f->r[t] < 0;
    }
    struct stats_moments m = stats_moments_short_with(f->k, f->scratch, n);
    measure_ratio(ROW(f->out, sortino_lean), elementary_pow(1 + f->m.mean, f->periods) - 1 - f->rf,
                  m.sd * f->root, REASON_NO_DOWNSIDE, n);
    enum measure_reason why = n == 0 ? REASON_NO_DOWNSIDE : REASON_TOO_SHORT;
    measure_maybe(ROW(f->out, downside_variance_lean), n >= 2, m.sd * m.sd * f->periods, why, n);
    measure_maybe(ROW(f->out, downside_deviation_lean), n >= 2, m.sd * f->root, why, n);
}

/* omega_required: the threshold compounds to required_return in a year. */
static void omega_required(struct facts *f)
{
    struct measure_value *out = ROW(f->out, omega_required);
    double required = f->in->options.required_return;
    if (!(required > -1)) {
        measure_deny(out, REASON_NOT_FINITE, f->n);
        return;
    }
    double threshold = measure_rate_per_period(required, f->periods);
    struct kernel_gains g = f->k->gains(f->x, f->n_x, threshold);
    if (f->n < 2)
        measure_deny(out, REASON_TOO_SHORT, f->n);
    else
        measure_ratio(out, g.gains, g.losses, REASON_NO_DOWNSIDE, f->n_x);
}

static void partial_moments(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct kernel_partials *g = &f->around_target;
    enum measure_reason why = REASON_NO_DOWNSIDE;
    double n = (double)f->n_y, cubes = g->losses_cubed;
    for (size_t t = 0; t < f->n_y; t++)
        f->scratch[t] = f->y[t] < 0 ? f->y[t] : 0;
    double fourth = f->k->powers(f->scratch, f->n_y, 0).p4;
    double prospect = f->m.sum - 1.25 * f->around_zero.losses;
    double target = f->m.mean - f->y_mean;
    measure_ratio(ROW(out, omega), g->gains, g->losses, why, f->n_y);
    measure_maybe(ROW(out, omega_sharpe), g->losses > 0, f->y_mean * n / g->losses, why, f->n);
    measure_maybe(ROW(out, kappa_1), g->losses > 0, f->y_mean * n / g->losses, why, f->n);
    measure_maybe(ROW(out, kappa_3), cubes > 0, f->y_mean / elementary_pow(cubes / n, 1.0 / 3), why,
                  f->n);
    measure_maybe(ROW(out, kappa_4), fourth > 0, f->y_mean / sqrt(sqrt(fourth / n)), why, f->n);
    measure_ratio(ROW(out, upside_potential_ratio), g->gains / n, f->downside, why, f->n);
    measure_maybe(ROW(out, upside_potential_ratio_subset), g->n_losses > 0 && g->n_gains > 0,
                  g->gains / (double)g->n_gains / (f->downside * sqrt(n / (double)g->n_losses)),
                  g->n_losses == 0 ? why : REASON_NO_UPSIDE, f->n);
    measure_ratio(ROW(out, prospect_ratio), prospect / n - target, f->downside, why, f->n);
    measure_ratio(ROW(out, prospect_ratio_pa), prospect - target, n * f->downside, why, f->n);
    measure_ratio(ROW(out, volatility_skewness), f->upside * f->upside, f->downside * f->downside,
                  why, f->n);
    measure_ratio(ROW(out, variability_skewness), f->upside, f->downside, why, f->n);
}

void measure_downside_family(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct kernel_partials *g = &f->around_zero;
    sortino_rows(f);
    probabilistic_sortino(f);
    sortino_lean(f);
    partial_moments(f);
    omega_required(f);
    measure_ratio(ROW(out, bernardo_ledoit), g->gains, g->losses, REASON_NO_LOSSES, f->n);
    measure_ratio(ROW(out, gain_to_pain), f->m.sum, g->losses, REASON_NO_LOSSES, f->n);
    measure_ratio(ROW(out, d_ratio), (double)g->n_losses * g->losses, (double)g->n_gains * g->gains,
                  REASON_NO_UPSIDE, f->n);
}

/* Part of a record, so that products of one part do not wait for those of another. */
enum { BURKE_PARTS = 4 };
struct burke_part {
    const double *r;
    size_t n;
    double squares, product;
};

/* No branch: where a run ends cannot be predicted. */
static inline void burke_step(struct burke_part *part, size_t i)
{
    double r = part->r[i], depth = (part->product - 1) * 100, is_down = r < 0;
    part->squares += (1 - is_down) * (depth * depth);
    part->product = part->product * (is_down * (1 + 0.01 * r)) + (1 - is_down);
}

/* The root of the sum of squares of PerformanceAnalytics' drawdowns of the Burke ratio: runs of negative returns. */
static double burke_runs(const struct facts *f)
{
    struct burke_part part[BURKE_PARTS];
    size_t shortest = f->n, from = 1;
    double squares = 0;
    for (size_t q = 0; q < BURKE_PARTS; q++) { /* a part begins where no run goes on */
        size_t to = q + 1 < BURKE_PARTS ? from + (f->n - from) / (BURKE_PARTS - q) : f->n;
        while (to < f->n && f->r[to] < 0)
            to++;
        part[q] = (struct burke_part){f->r + from, to - from, 0, 1};
        shortest = to - from < shortest ? to - from : shortest;
        from = to;
    }
    for (size_t i = 0; i < shortest; i++) {
        for (size_t q = 0; q < BURKE_PARTS; q++)
            burke_step(&part[q], i);
    }
    for (size_t q = 0; q < BURKE_PARTS; q++) {
        for (size_t i = shortest; i < part[q].n; i++)
            burke_step(&part[q], i);
        double last = (part[q].product - 1) * 100;
        squares += part[q].squares + last * last;
    }
    return sqrt(squares);
}

static void burke_rows(struct facts *f)
{
    struct measure_value *out = f->out;
    double squares = 0, root_n = sqrt((double)f->n), excess = f->cagr - f->rf;
    double premium = f->cagr_periods - f->rf, runs = burke_runs(f);
    for (size_t i = 0; i < f->n_episodes; i++)
        squares += f->episodes[i].depth * f->episodes[i].depth;
    double depths = sqrt(squares);
    measure_ratio(ROW(out, burke), excess, depths, REASON_NO_DRAWDOWN, f->n);
    measure_ratio(ROW(out, burke_modified), excess * root_n, depths, REASON_NO_DRAWDOWN, f->n);
    measure_ratio(ROW(out, burke_pa), premium, runs, REASON_NO_LOSSES, f->n);
    measure_ratio(ROW(out, burke_modified_pa), premium * root_n, runs, REASON_NO_LOSSES, f->n);
    measure_set(ROW(out, drawdown_deviation), depths / root_n, f->n);
}

static void over_depth(struct facts *f)
{
    struct measure_value *out = f->out;
    enum measure_reason why = REASON_NO_DRAWDOWN;
    double sum = f->m.sum;

    measure_ratio(ROW(out, calmar), f->cagr, f->depth, why, f->n);
    measure_ratio(ROW(out, calmar_periods), f->cagr_periods, f->depth, why, f->n);
    measure_ratio(ROW(out, calmar_rows), out[MEASURE_cagr_rows].value, f->depth, why, f->n);
    if (f->path.date == NULL)
        measure_deny(ROW(out, calmar_365_25), REASON_NO_DATES, f->n);
    else
        measure_ratio(ROW(out, calmar_365_25), out[MEASURE_cagr_365_25].value, f->depth, why, f->n);
    measure_set(ROW(out, sterling), f->cagr / (f->depth + 0.1), f->n);
    measure_set(ROW(out, sterling_periods), f->cagr_periods / (f->depth + 0.1), f->n);
    measure_ratio(ROW(out, recovery_factor), f->total, f->depth, why, f->n);
    measure_ratio(ROW(out, recovery_factor_sum), fabs(sum - f->rf), f->depth, why, f->n);
}

/* quantstats takes its value at risk of the drawdown series: mean and sd, then the mean strictly below. */
static double tail_of_drawdown(struct facts *f)
{
    struct stats_moments m = stats_moments_short_with(f->k, f->drawdown, f->n);
    double limit = m.mean + elementary_normal_quantile(0.05) * m.sd;
    struct kernel_below below = f->k->below(f->drawdown, f->n, limit);
    return below.n > 0 ? below.sum / (double)below.n : limit;
}

static void over_ulcer(struct facts *f)
{
    struct measure_value *out = f->out;
    enum measure_reason why = REASON_NO_DRAWDOWN;
    double n = (double)f->n, sum = f->m.sum;
    double ulcer = sqrt(f->declines.squares / n), pain = -f->declines.sum / n;
    double sample = f->n > 1 ? ulcer * sqrt(n / (n - 1)) : 0;
    double percent = 100 * ulcer * sqrt(n / (n + 1));
    double cdar = -out[MEASURE_cdar_95].value;

    measure_set(ROW(out, ulcer_index), ulcer, f->n);
    measure_maybe(ROW(out, ulcer_index_sample), f->n > 1, sample, REASON_TOO_SHORT, f->n);
    measure_set(ROW(out, ulcer_index_percent), percent, f->n);
    measure_set(ROW(out, pain_index), pain, f->n);
    measure_ratio(ROW(out, ulcer_performance_index), f->cagr - f->rf, ulcer, why, f->n);
    measure_ratio(ROW(out, martin_periods), f->cagr_periods - f->rf, ulcer, why, f->n);
    measure_ratio(ROW(out, upi_total), f->total - f->rf, sample, why, f->n);
    measure_ratio(ROW(out, upi_mean), 100 * f->excess_mean, percent, why, f->n);
    if (f->path.date == NULL)
        measure_deny(ROW(out, upi_percent), REASON_NO_DATES, f->n);
    else
        measure_ratio(ROW(out, upi_percent), 100 * (out[MEASURE_cagr_365_25].value - f->rf),
                      percent, why, f->n);
    measure_ratio(ROW(out, pain_ratio), f->cagr - f->rf, pain, why, f->n);
    measure_ratio(ROW(out, pain_ratio_periods), f->cagr_periods - f->rf, pain, why, f->n);
    if (f->m.is_constant) {
        measure_deny(ROW(out, serenity), f->flat, f->n);
        measure_deny(ROW(out, serenity_quantstats), f->flat, f->n);
        return;
    }
    measure_ratio(ROW(out, serenity), sum, ulcer * cdar / f->m.sd, why, f->n);
    measure_ratio(ROW(out, serenity_quantstats), sum - f->rf,
                  sample * -tail_of_drawdown(f) / f->m.sd, why, f->n);
}

void measure_depth_ratios(struct facts *f)
{
    over_depth(f);
    over_ulcer(f);
    burke_rows(f);
}
