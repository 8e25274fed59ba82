/* measure_depth.c - reward over how deep the value lay below its peak. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"

#include <math.h>

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

void measure_take_burke(struct facts *f)
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

void measure_take_over_depth(struct facts *f)
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

void measure_take_over_ulcer(struct facts *f)
{
    struct measure_value *out = f->out;
    enum measure_reason why = REASON_NO_DRAWDOWN;
    double n = (double)f->n;
    double ulcer = sqrt(f->declines.squares / n), pain = -f->declines.sum / n;
    double sample = f->n > 1 ? ulcer * sqrt(n / (n - 1)) : 0;
    double percent = 100 * ulcer * sqrt(n / (n + 1));

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
}

void measure_take_serenity(struct facts *f)
{
    struct measure_value *out = f->out;
    enum measure_reason why = REASON_NO_DRAWDOWN;
    if (f->m.is_constant) {
        measure_deny(ROW(out, serenity), f->flat, f->n);
        measure_deny(ROW(out, serenity_quantstats), f->flat, f->n);
        return;
    }
    double n = (double)f->n, sum = f->m.sum, ulcer = sqrt(f->declines.squares / n);
    double sample = f->n > 1 ? ulcer * sqrt(n / (n - 1)) : 0, cdar = -out[MEASURE_cdar_95].value;
    measure_ratio(ROW(out, serenity), sum, ulcer * cdar / f->m.sd, why, f->n);
    measure_ratio(ROW(out, serenity_quantstats), sum - f->rf,
                  sample * -tail_of_drawdown(f) / f->m.sd, why, f->n);
}
