/* measure_tails.c - value at risk and expected shortfall by every convention, and ratios of tails. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/order.h"

#include <math.h>

static const double TAIL = 0.05;

static double cornish_fisher(double z, double g1, double g2)
{
    return z + (z * z - 1) * g1 / 6 + (z * z * z - 3 * z) * g2 / 24 -
           (2 * z * z * z - 5 * z) * g1 * g1 / 36;
}

/* Incomplete moments of the normal density: even powers times phi, odd ones also with Phi. */
static double even_moment(int half, double h)
{
    double sum = 0, all = 1;
    for (int j = 1; j <= half; j++)
        all *= 2 * j;
    double part = 1, power = 1;
    for (int i = 1; i <= half; i++) {
        part *= 2 * i;
        power *= h * h;
        sum += all / part * power;
    }
    return (sum + all) * elementary_normal_density(h);
}

static double odd_moment(int half, double h)
{
    double sum = 0, all = 1, part = 1, power = h;
    for (int j = 0; j <= half; j++)
        all *= 2 * j + 1;
    for (int i = 0; i <= half; i++) {
        part *= 2 * i + 1;
        sum += all / part * power;
        power *= h * h;
    }
    return sum * elementary_normal_density(h) - all * elementary_normal_cdf(h);
}

/*
 * Standardised expected shortfall of the second-order Edgeworth density beyond the Cornish-Fisher quantile.
 * Source: K. Boudt, B. Peterson, C. Croux, "Estimation and Decomposition of Downside Risk for Portfolios with
 * Non-Normal Returns", Journal of Risk 11(2), 2008.
 */
static double edgeworth_shortfall(double z, double share, double g1, double g2)
{
    double h = cornish_fisher(z, g1, g2), phi = elementary_normal_density(h);
    double i1 = odd_moment(0, h), i2 = even_moment(1, h), i3 = odd_moment(1, h);
    double i4 = even_moment(2, h), i6 = even_moment(3, h);
    double sum = phi + g2 / 24 * (i4 - 6 * i2 + 3 * phi) + g1 / 6 * (i3 - 3 * i1) +
                 g1 * g1 / 72 * (i6 - 15 * i4 + 45 * i2 - 15 * phi);
    return sum / share;
}

/* The normal and Cornish-Fisher forms need a standard deviation. */
static void fitted(struct facts *f, double share, const enum measure_id id[6])
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double z = elementary_normal_quantile(share), tail = elementary_normal_density(z) / share;
    double g1 = m->skew_population, g2 = m->excess_population, sd = m->sd_population;
    double values[6] = {m->mean + z * m->sd,
                        m->mean - m->sd * tail,
                        m->mean + z * sd,
                        m->mean - sd * tail,
                        m->mean + cornish_fisher(z, g1, g2) * sd,
                        m->mean - edgeworth_shortfall(z, share, g1, g2) * sd};
    for (size_t i = 0; i < 6; i++) {
        if (id[i] != MEASURE_COUNT)
            measure_maybe(&out[id[i]], f->n >= 2, values[i], REASON_TOO_SHORT, f->n);
    }
}

/* mean(x) over a loss, which stands in its row below 0. */
static void over_modified(struct facts *f, struct measure_value *out,
                          const struct measure_value *loss)
{
    enum measure_reason why = loss->reason != REASON_NONE ? loss->reason : REASON_NO_DOWNSIDE;
    measure_ratio(out, f->excess_mean, loss->reason == REASON_NONE ? -loss->value : 0, why, f->n);
}

void measure_take_fitted(struct facts *f)
{
    static const enum measure_id at_95[6] = {
        MEASURE_var_95_normal, MEASURE_cvar_95_normal,        MEASURE_COUNT,
        MEASURE_COUNT,         MEASURE_var_95_cornish_fisher, MEASURE_cvar_95_cornish_fisher};
    fitted(f, TAIL, at_95);
}

void measure_take_at_confidence(struct facts *f)
{
    static const enum measure_id at[6] = {MEASURE_var_normal_at,
                                          MEASURE_cvar_normal_at,
                                          MEASURE_var_normal_population_at,
                                          MEASURE_cvar_normal_population_at,
                                          MEASURE_var_cornish_fisher_at,
                                          MEASURE_cvar_cornish_fisher_at};
    struct measure_value *out = f->out;
    double confidence = measure_confidence(f);
    double share = 1 - confidence, var = order_quantile(f->sorted, f->n, share), below = 0;
    size_t first = (size_t)((double)(f->n_rows - 1) * share) + 1;

    measure_set(ROW(out, var_at), var, f->n);
    measure_maybe(ROW(out, var_complete), f->n_rows == f->n, var, REASON_NOT_FINITE, f->n);
    measure_set(ROW(out, cvar_at), order_mean_to(f->sorted, f->n, var), f->n);
    measure_maybe(ROW(out, cvar_first), first <= f->n,
                  order_mean(f->sorted, 0, first < f->n ? first : f->n), REASON_TOO_SHORT, f->n);
    fitted(f, share, at);
    double normal = out[MEASURE_var_normal_at].value;
    over_modified(f, ROW(out, return_over_var_modified), ROW(out, var_cornish_fisher_at));
    over_modified(f, ROW(out, return_over_cvar_modified), ROW(out, cvar_cornish_fisher_at));
    measure_maybe(ROW(out, cvar_below_normal), f->n >= 2,
                  order_mean_below(f->sorted, f->n, normal, &below) ? below : normal,
                  REASON_TOO_SHORT, f->n);
}

/* Shares of both ends of the sorted returns. */
void measure_take_rachev_at(struct facts *f)
{
    double a = f->in->options.tail > 0 ? f->in->options.tail : 0.1, n = (double)f->n;
    size_t from = (size_t)((1 - a) * n), to = (size_t)ceil(a * n);
    from = from > 0 ? from - 1 : 0; /* counted from 1 */
    double low = -order_mean(f->sorted, 0, to > 0 ? to : 1);
    measure_ratio(ROW(f->out, rachev_at), order_mean(f->sorted, from, f->n), low,
                  REASON_NO_DOWNSIDE, f->n);
}

/* Only the lowest returns need an order, unless all have one: those up to the quantile, between two of them. */
void measure_take_lowest(struct facts *f)
{
    const double *x = f->sorted;
    size_t found = f->n;
    if (!f->is_due[STEP_ordered]) {
        size_t wanted = (size_t)((double)(f->n - 1) * TAIL) + 2;
        found = order_tail(f->k, f->r, f->n, wanted, f->sorted, f->spare, f->count);
    }
    double quantile = order_quantile(x, f->n, TAIL);
    measure_set(ROW(f->out, var_95), quantile, f->n);
    measure_set(ROW(f->out, cvar_95), order_mean_to(x, found, quantile), f->n);
}

void measure_take_extremes(struct facts *f)
{
    measure_set(ROW(f->out, best_day), f->m.max, f->n);
    measure_set(ROW(f->out, worst_day), f->m.min, f->n);
}

void measure_take_tails(struct facts *f)
{
    struct measure_value *out = f->out;
    const double *x = f->sorted;
    double q01 = order_quantile(x, f->n, 0.01), q95 = order_quantile(x, f->n, 0.95);
    double q05 = out[MEASURE_var_95].value, low = out[MEASURE_cvar_95].value;
    double high = order_mean_from(x, f->n, q95);

    measure_set(ROW(out, var_99), q01, f->n);
    measure_set(ROW(out, cvar_99), order_mean_to(x, f->n, q01), f->n);
    measure_ratio(ROW(out, return_over_var), f->excess_mean, -q05, REASON_NO_DOWNSIDE, f->n);
    measure_ratio(ROW(out, return_over_cvar), f->excess_mean, -low, REASON_NO_DOWNSIDE, f->n);
    measure_ratio(ROW(out, tail_ratio), fabs(q95), fabs(q05), REASON_NO_DOWNSIDE, f->n);
    measure_ratio(ROW(out, rachev), high, -low, REASON_NO_DOWNSIDE, f->n);
}
