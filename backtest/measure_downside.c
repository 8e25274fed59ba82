/* measure_downside.c - reward over what lies below the target. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"

#include <math.h>

void measure_take_sortino(struct facts *f)
{
    struct measure_value *out = f->out;
    bool has_down = f->downside > 0 && f->n_y >= 2;
    enum measure_reason why = f->n_y < 2 ? REASON_TOO_SHORT : REASON_NO_DOWNSIDE;
    double per_session = has_down ? f->y_mean / f->downside : 0, annual = per_session * f->root;

    measure_maybe(ROW(out, sortino), has_down, annual, why, f->n_y);
    measure_maybe(ROW(out, sortino_per_session), has_down, per_session, why, f->n_y);
    measure_maybe(ROW(out, adjusted_sortino), has_down, annual / sqrt(2), why, f->n_y);
}

void measure_take_smart_sortino(struct facts *f)
{
    bool is_known = f->downside > 0 && f->n_y >= 2 && f->has_rho;
    enum measure_reason why = f->n_y < 2 ? REASON_TOO_SHORT : REASON_NO_DOWNSIDE;
    if (!f->has_rho)
        why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    double annual = is_known ? f->y_mean / f->downside * f->root : 0;
    double penalty = f->has_rho ? stats_autocorrelation_penalty(f->rho, f->n) : 1;
    measure_maybe(ROW(f->out, smart_sortino), is_known, annual / penalty, why, f->n);
}

/* quantstats' probabilistic forms: the ratio knows no risk-free rate. */
void measure_take_probabilistic_sortino(struct facts *f)
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
void measure_take_lean_downside(struct facts *f)
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
void measure_take_required(struct facts *f)
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

void measure_take_partial_moments(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct kernel_partials *g = &f->around_target;
    enum measure_reason why = REASON_NO_DOWNSIDE;
    double n = (double)f->n_y, cubes = g->losses_cubed;
    double prospect = f->m.sum - 1.25 * f->around_zero.losses;
    double target = f->m.mean - f->y_mean;
    measure_ratio(ROW(out, omega), g->gains, g->losses, why, f->n_y);
    measure_maybe(ROW(out, omega_sharpe), g->losses > 0, f->y_mean * n / g->losses, why, f->n);
    measure_maybe(ROW(out, kappa_1), g->losses > 0, f->y_mean * n / g->losses, why, f->n);
    measure_maybe(ROW(out, kappa_3), cubes > 0, f->y_mean / elementary_pow(cubes / n, 1.0 / 3), why,
                  f->n);
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

void measure_take_fourth_moment(struct facts *f)
{
    for (size_t t = 0; t < f->n_y; t++)
        f->scratch[t] = f->y[t] < 0 ? f->y[t] : 0;
    double fourth = f->k->powers(f->scratch, f->n_y, 0).p4;
    measure_maybe(ROW(f->out, kappa_4), fourth > 0, f->y_mean / sqrt(sqrt(fourth / (double)f->n_y)),
                  REASON_NO_DOWNSIDE, f->n);
}

void measure_take_gains(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct kernel_partials *g = &f->around_zero;
    measure_ratio(ROW(out, bernardo_ledoit), g->gains, g->losses, REASON_NO_LOSSES, f->n);
    measure_ratio(ROW(out, gain_to_pain), f->m.sum, g->losses, REASON_NO_LOSSES, f->n);
    measure_ratio(ROW(out, d_ratio), (double)g->n_losses * g->losses, (double)g->n_gains * g->gains,
                  REASON_NO_UPSIDE, f->n);
}
