/* measure_growth.c - growth, trailing windows and dispersion: rows of metrics.def. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/order.h"
#include "base/date.h"

#include <math.h>

/* V_n over the last value on or before day; annualised over so many years when years > 0. */
static void trailing(struct facts *f, struct measure_value *out, int32_t day, double years)
{
    size_t last = f->n, at = dates_until(f->path.date, f->path.n, day);
    if (at == 0) {
        measure_deny(out, REASON_TOO_SHORT, f->n);
        return;
    }
    double total = f->path.value[last] / f->path.value[at - 1];
    measure_set(out, (years > 0 ? elementary_pow(total, 1 / years) : total) - 1, last - (at - 1));
}

/* The same over the values from day on, by the days between them: as ffn cuts its prices. */
static void trailing_ffn(struct facts *f, struct measure_value *out, int32_t day)
{
    size_t at = dates_until(f->path.date, f->path.n, day - 1);
    if (day < f->path.date[0] || at >= f->n) {
        measure_deny(out, REASON_TOO_SHORT, f->n);
        return;
    }
    double days = (double)(f->path.date[f->n] - f->path.date[at]);
    measure_set(out, elementary_pow(f->path.value[f->n] / f->path.value[at], 365.25 / days) - 1,
                f->n - at);
}

void measure_take_windows(struct facts *f)
{
    static const struct {
        enum measure_id id;
        int months;
        double years; /* 0: not annualised */
    } rows[] = {
        {MEASURE_return_3m, 3, 0}, {MEASURE_return_6m, 6, 0}, {MEASURE_return_1y, 12, 0},
        {MEASURE_cagr_3y, 36, 3},  {MEASURE_cagr_5y, 60, 5},  {MEASURE_cagr_10y, 120, 10},
    };
    static const struct {
        enum measure_id id;
        int months;
    } of_ffn[] = {
        {MEASURE_cagr_3y_ffn, 36}, {MEASURE_cagr_5y_ffn, 60}, {MEASURE_cagr_10y_ffn, 120}};
    struct measure_value *out = f->out;
    if (f->path.date == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i].id], REASON_NO_DATES, f->n);
        for (size_t i = 0; i < ARRAY_LEN(of_ffn); i++)
            measure_deny(&out[of_ffn[i].id], REASON_NO_DATES, f->n);
        measure_deny(ROW(out, return_mtd), REASON_NO_DATES, f->n);
        measure_deny(ROW(out, return_ytd), REASON_NO_DATES, f->n);
        return;
    }
    int32_t last = f->path.date[f->n];
    struct civil day = date_to_civil(last);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        trailing(f, &out[rows[i].id], date_add_months(last, -rows[i].months), rows[i].years);
    for (size_t i = 0; i < ARRAY_LEN(of_ffn); i++)
        trailing_ffn(f, &out[of_ffn[i].id], date_add_months(last, -of_ffn[i].months));
    trailing(f, ROW(out, return_mtd), last - day.day, 0);
    trailing(f, ROW(out, return_ytd), date_from_civil((struct civil){day.year - 1, 12, 31}), 0);
}

void measure_take_clocks(struct facts *f)
{
    struct measure_value *out = f->out;
    double total = f->total + 1;
    measure_set(ROW(out, cagr_rows), measure_annualised(total, f->periods, (double)f->n_rows),
                f->n_rows);
    if (f->path.date == NULL) {
        measure_deny(ROW(out, cagr_365), REASON_NO_DATES, f->n);
        measure_deny(ROW(out, cagr_365_25), REASON_NO_DATES, f->n);
        return;
    }
    double days = (double)(f->path.date[f->n] - f->path.date[0]);
    measure_set(ROW(out, cagr_365), measure_annualised(total, 365, days), f->n);
    measure_set(ROW(out, cagr_365_25), measure_annualised(total, 365.25, days), f->n);
}

void measure_take_excess_growth(struct facts *f)
{
    double growth = f->k->growth(f->x, f->n_x);
    measure_set(ROW(f->out, return_annualised_excess),
                measure_annualised(growth, f->periods, (double)f->n_x), f->n_x);
}

void measure_take_totals(struct facts *f)
{
    struct measure_value *out = f->out;
    measure_set(ROW(out, total_return), f->total, f->n);
    measure_set(ROW(out, cagr), f->cagr, f->n);
    measure_set(ROW(out, cagr_periods), f->cagr_periods, f->n);
    measure_set(ROW(out, geometric_mean), measure_annualised(f->total + 1, 1, (double)f->n), f->n);
}

void measure_take_means(struct facts *f)
{
    struct measure_value *out = f->out;
    measure_set(ROW(out, annual_mean), f->m.mean * f->periods, f->n);
    measure_set(ROW(out, mean_return), f->m.mean, f->n);
    measure_set(ROW(out, risk_premium), f->excess_mean, f->n);
    measure_set(ROW(out, simple_sum), f->m.sum, f->n);
    measure_set(ROW(out, annual_mean_compounded), elementary_pow(1 + f->m.mean, f->periods) - 1,
                f->n);
}

/* Where the mean of all returns that there could have been lies, at the confidence. */
void measure_take_bounds_of_mean(struct facts *f)
{
    bool has_two = f->n >= 2;
    double n = (double)f->n, reach = 0;
    if (has_two)
        reach = stats_student_quantile(1 - measure_confidence(f), n - 1) * f->m.sd / sqrt(n);
    measure_maybe(ROW(f->out, mean_lower_bound), has_two, f->m.mean - reach, REASON_TOO_SHORT,
                  f->n);
    measure_maybe(ROW(f->out, mean_upper_bound), has_two, f->m.mean + reach, REASON_TOO_SHORT,
                  f->n);
}

void measure_take_spread(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    bool has_two = f->n >= 2;

    measure_maybe(ROW(out, volatility), has_two, m->sd * f->root, REASON_TOO_SHORT, f->n);
    measure_maybe(ROW(out, standard_deviation), has_two, m->sd, REASON_TOO_SHORT, f->n);
    measure_maybe(ROW(out, mean_standard_error), has_two, m->sd / sqrt((double)f->n),
                  REASON_TOO_SHORT, f->n);
    measure_maybe(ROW(out, annual_variance), has_two, m->sd * m->sd * f->periods, REASON_TOO_SHORT,
                  f->n);
    measure_maybe(ROW(out, volatility_population), has_two, m->sd_population * f->root,
                  REASON_TOO_SHORT, f->n);
}

void measure_take_around_mean(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    struct kernel_gains around = f->k->gains(f->r, f->n, m->mean);
    double below = around.losses_squared / (double)f->n, n_below = (double)around.n_losses;
    double absolute = f->k->absolute(f->r, f->n, m->mean) / (double)f->n;
    measure_set(ROW(out, semideviation), m->is_constant ? 0 : sqrt(below), f->n);
    measure_maybe(ROW(out, semideviation_subset), n_below > 0 && !m->is_constant,
                  sqrt(around.losses_squared / fmax(n_below, 1)), f->flat, f->n);
    measure_set(ROW(out, mean_absolute_deviation), m->is_constant ? 0 : absolute, f->n);
}

void measure_take_gini(struct facts *f)
{
    if (f->n >= 2)
        measure_set(ROW(f->out, gini_mean_difference),
                    f->m.is_constant ? 0 : order_gini(f->sorted, f->n), f->n);
    else
        measure_deny(ROW(f->out, gini_mean_difference), REASON_TOO_SHORT, f->n);
}

void measure_moment(struct facts *f, struct measure_value *out, double value, size_t needs)
{
    enum measure_reason why = f->n < needs ? REASON_TOO_SHORT : f->flat;
    measure_maybe(out, f->n >= needs && !f->m.is_constant, value, why, f->n);
}

void measure_take_shape(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double n = (double)f->n, share = m->sd > 0 ? m->sd_population / m->sd : 0;
    double fourth = (m->excess_population + 3) * share * share * share * share;

    double variance = m->sd_population * m->sd_population;
    measure_set(ROW(out, central_moment_2), variance, f->n);
    measure_set(ROW(out, central_moment_3), m->skew_population * variance * m->sd_population, f->n);
    measure_set(ROW(out, central_moment_4),
                m->is_constant ? 0 : (m->excess_population + 3) * variance * variance, f->n);
    measure_moment(f, ROW(out, skewness), m->skew, 3);
    out[MEASURE_skewness_fisher] = out[MEASURE_skewness];
    measure_moment(f, ROW(out, skewness_population), m->skew_population, 2);
    measure_moment(f, ROW(out, skewness_sample), n * n / ((n - 1) * (n - 2)) * m->skew_population,
                   3);
    measure_moment(f, ROW(out, kurtosis_excess), m->excess, 4);
    out[MEASURE_kurtosis_fisher] = out[MEASURE_kurtosis_excess];
    measure_moment(f, ROW(out, kurtosis_excess_population), m->excess_population, 2);
    measure_moment(f, ROW(out, kurtosis_population), m->excess_population + 3, 2);
    measure_moment(f, ROW(out, kurtosis_sample),
                   n * n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * fourth, 4);
    measure_moment(f, ROW(out, skewness_kurtosis_ratio),
                   m->skew_population / (m->excess_population + 3), 2);
    measure_moment(f, ROW(out, hurst),
                   elementary_log((m->max - m->min) / m->sd) / elementary_log(n), 2);
}

void measure_take_sides(struct facts *f)
{
    struct measure_value *out = f->out;
    const struct kernel_partials *g = &f->around_target;
    double n = (double)f->n_y, below = (double)g->n_losses;

    measure_set(ROW(out, downside_deviation), f->downside * f->root, f->n_y);
    measure_set(ROW(out, downside_deviation_per_session), f->downside, f->n_y);
    measure_maybe(ROW(out, downside_deviation_subset), below > 0,
                  f->downside * sqrt(n / fmax(below, 1)), REASON_NO_DOWNSIDE, g->n_losses);
    measure_maybe(ROW(out, lower_partial_moment_subset), below > 0,
                  f->downside * f->downside * n / fmax(below, 1), REASON_NO_DOWNSIDE, g->n_losses);
    measure_set(ROW(out, downside_potential), g->losses / n, f->n);
    measure_set(ROW(out, downside_frequency), below / n, f->n);
    measure_set(ROW(out, upside_deviation), f->upside * f->root, f->n);
    measure_set(ROW(out, upside_deviation_per_session), f->upside, f->n);
    measure_set(ROW(out, upside_variance), f->upside * f->upside, f->n);
    measure_set(ROW(out, upside_potential), g->gains / n, f->n);
    measure_set(ROW(out, upside_frequency), (double)g->n_gains / n, f->n);
}
