/* measure_bets.c - sessions as bets: hit rates, sizes, streaks, Kelly's fraction, ruin; and the calendar. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/order.h"
#include "base/date.h"

#include <math.h>

void measure_take_streaks(struct facts *f)
{
    struct kernel_runs longest = f->k->runs(f->r, f->n);
    measure_set(ROW(f->out, consecutive_wins), (double)longest.up, f->n);
    measure_set(ROW(f->out, consecutive_losses), (double)longest.down, f->n);
}

/* The chance that a Brownian motion with the drift and variance of ln(1 + r) ever loses the fraction L. */
void measure_take_ruin(struct facts *f)
{
    struct measure_value *out = ROW(f->out, risk_of_ruin);
    double loss = f->in->options.ruin_loss > 0 ? f->in->options.ruin_loss : 0.5;
    if (f->is_ruined) {
        measure_deny(out, REASON_RUINED, f->n);
        return;
    }
    for (size_t t = 0; t < f->n; t++)
        f->scratch[t] = f->log_value[t + 1] - f->log_value[t];
    struct stats_moments m = stats_moments_short_with(f->k, f->scratch, f->n);
    if (f->n < 2 || f->m.is_constant)
        measure_deny(out, f->flat, f->n);
    else
        measure_set(out, m.mean > 0 ? elementary_pow(1 - loss, 2 * m.mean / (m.sd * m.sd)) : 1,
                    f->n);
}

/* Rows that need both a gain and a loss. */
void measure_take_bets(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_payoff, MEASURE_kelly, MEASURE_expectancy,
                                           MEASURE_cpc_index};
    struct measure_value *out = f->out;
    struct kernel_partials g = f->around_zero;
    size_t n = g.n_gains + g.n_losses;
    if (g.n_gains == 0 || g.n_losses == 0) {
        enum measure_reason why = n == 0            ? REASON_NO_NONZERO
                                  : g.n_losses == 0 ? REASON_NO_LOSSES
                                                    : REASON_NO_UPSIDE;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], why, n);
        return;
    }
    double payoff = (g.gains / (double)g.n_gains) / (g.losses / (double)g.n_losses);
    double p = (double)g.n_gains / (double)n;
    measure_set(ROW(out, payoff), payoff, n);
    measure_set(ROW(out, kelly), p - (1 - p) / payoff, n);
    measure_set(ROW(out, expectancy), p * payoff - (1 - p), n);
    measure_set(ROW(out, cpc_index), g.gains / g.losses * p * payoff, n);
}

static void averages(struct facts *f)
{
    struct measure_value *out = f->out;
    struct kernel_partials g = f->around_zero;
    size_t n = g.n_gains + g.n_losses, n_zero = f->n - n;
    double wins = (double)g.n_gains, losses = (double)g.n_losses;

    measure_ratio(ROW(out, win_rate), wins, (double)n, REASON_NO_NONZERO, n);
    measure_maybe(ROW(out, average_return), n > 0, f->m.sum / (double)n, REASON_NO_NONZERO, n);
    measure_ratio(ROW(out, average_win), g.gains, wins, REASON_NO_UPSIDE, g.n_gains);
    measure_maybe(ROW(out, average_loss), g.n_losses > 0, -g.losses / losses, REASON_NO_LOSSES,
                  g.n_losses);
    measure_ratio(ROW(out, profit_factor), g.gains, g.losses, REASON_NO_LOSSES, n);
    measure_maybe(ROW(out, profit_ratio), g.n_losses > 0 && g.n_gains > 0,
                  g.gains / ((wins + (double)n_zero) * (wins + (double)n_zero)) /
                      (g.losses / (losses * losses)),
                  g.n_losses == 0 ? REASON_NO_LOSSES : REASON_NO_UPSIDE, f->n);
}

void measure_take_outliers(struct facts *f)
{
    struct kernel_partials g = f->around_zero;
    double n_win = (double)(f->n - g.n_losses), n_loss = (double)g.n_losses;
    measure_maybe(ROW(f->out, outlier_win), g.gains > 0,
                  order_quantile(f->sorted, f->n, 0.99) * n_win / g.gains, REASON_NO_UPSIDE, f->n);
    measure_maybe(ROW(f->out, outlier_loss), g.n_losses > 0,
                  order_quantile(f->sorted, f->n, 0.01) * n_loss / -g.losses, REASON_NO_LOSSES,
                  f->n);
}

/* rar_252: the annual rate comes off every session, as quantstats does it. */
void measure_take_per_exposure(struct facts *f)
{
    double growth = 1, n = (double)f->n, n_nonzero = 0;
    for (size_t t = 0; t < f->n; t++) {
        double x = f->r[t] - f->rf;
        growth *= 1 + x;
        n_nonzero += fabs(x) > 0 ? 1 : 0;
    }
    measure_ratio(ROW(f->out, rar_252), measure_annualised(growth, 252, n),
                  ceil(n_nonzero / n * 100) / 100, REASON_NO_NONZERO, f->n);
}

void measure_take_hits(struct facts *f)
{
    struct measure_value *out = f->out;
    struct kernel_partials g = f->around_zero;
    double n = (double)f->n, nonzero = (double)(g.n_gains + g.n_losses);

    measure_set(ROW(out, positive_days), (double)g.n_gains / n, f->n);
    measure_set(ROW(out, negative_days), (double)g.n_losses / n, f->n);
    averages(f);
    double w = out[MEASURE_win_rate].value, share = ceil(nonzero / n * 100) / 100;
    measure_maybe(ROW(out, risk_of_ruin_quantstats), nonzero > 0,
                  elementary_pow((1 - w) / (1 + w), n), REASON_NO_NONZERO, f->n);
    measure_set(ROW(out, exposure_nonzero), share, f->n);
}

void measure_take_common_sense(struct facts *f)
{
    struct kernel_partials g = f->around_zero;
    const struct measure_value *tail = ROW(f->out, tail_ratio);
    enum measure_reason why = tail->reason != REASON_NONE ? tail->reason : REASON_NO_LOSSES;
    measure_maybe(ROW(f->out, common_sense_ratio), g.losses > 0 && tail->reason == REASON_NONE,
                  g.gains / g.losses * tail->value, why, f->n);
}

static void put_extremes(struct measure_value *best, struct measure_value *worst,
                         struct table_extremes e)
{
    measure_set(best, e.best, e.n);
    measure_set(worst, e.worst, e.n);
}

/*
 * Months and years as ffn has them: those of values, of which the first has no period before it to have grown from. It is
 * the first of the calendar only when V_0 lies in it.
 */
static void after_the_first(struct facts *f, size_t n_months, size_t n_years)
{
    struct measure_value *out = f->out;
    const struct table_years *years = &f->calendar;
    struct civil start = date_to_civil(f->path.date[0]), next = date_to_civil(f->path.date[1]);
    size_t skips_year = start.year == next.year ? 1 : 0;
    size_t skips_month = skips_year == 1 && start.month == next.month ? 1 : 0;
    double up = 0, down = 0, n_up = 0, n_down = 0, n_up_years = 0;
    for (size_t y = 0; y < years->n; y++) {
        n_up_years += y >= skips_year && years->rows[y].total > 0 ? 1 : 0;
        size_t from = y == 0 ? (size_t)next.month - 1 + skips_month : 0;
        for (size_t m = from; m < 12; m++) {
            double r = years->rows[y].month[m];
            up += r > 0 ? r : 0;
            n_up += r > 0 ? 1 : 0;
            down += r <= 0 ? r : 0;
            n_down += r <= 0 ? 1 : 0;
        }
    }
    measure_ratio(ROW(out, positive_months_ffn), n_up, (double)(n_months - skips_month),
                  REASON_TOO_SHORT, n_months);
    measure_ratio(ROW(out, positive_years_ffn), n_up_years, (double)(n_years - skips_year),
                  REASON_TOO_SHORT, n_years);
    measure_ratio(ROW(out, average_up_month_ffn), up, n_up, REASON_NO_UPSIDE, (size_t)n_up);
    measure_ratio(ROW(out, average_down_month_ffn), down, n_down, REASON_NO_DOWNSIDE,
                  (size_t)n_down);
}

void measure_take_calendar(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_best_month,
                                           MEASURE_worst_month,
                                           MEASURE_best_year,
                                           MEASURE_worst_year,
                                           MEASURE_positive_months,
                                           MEASURE_positive_years,
                                           MEASURE_positive_months_ffn,
                                           MEASURE_positive_years_ffn,
                                           MEASURE_average_up_month_ffn,
                                           MEASURE_average_down_month_ffn};
    struct measure_value *out = f->out;
    if (f->path.date == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], REASON_NO_DATES, f->n);
        return;
    }
    struct table_extremes months = tables_months(&f->calendar),
                          totals = tables_totals(&f->calendar);
    put_extremes(ROW(out, best_month), ROW(out, worst_month), months);
    put_extremes(ROW(out, best_year), ROW(out, worst_year), totals);
    measure_set(ROW(out, positive_months), (double)months.n_positive / (double)months.n, months.n);
    measure_set(ROW(out, positive_years), (double)totals.n_positive / (double)totals.n, totals.n);
    after_the_first(f, months.n, totals.n);
}
