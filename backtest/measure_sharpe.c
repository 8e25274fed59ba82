/* measure_sharpe.c - the Sharpe ratio, its errors and corrections, and what serial correlation does. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/smoothing.h"

#include <math.h>

/* Denies the rows where nothing can be divided by sd(r), or by sd(x). */
static bool is_denied(struct facts *f, const enum measure_id *rows, size_t n_rows)
{
    if (f->n >= 2 && !f->m.is_constant && f->excess_varies)
        return false;
    for (size_t i = 0; i < n_rows; i++)
        measure_deny(&f->out[rows[i]], f->flat, f->n);
    return true;
}

static double sharpe_of(const struct facts *f) /* per session */
{
    return f->excess_mean / f->excess_sd;
}

/* A rate that varies gives equal returns a ratio, too: these are not divided by sd(r). */
void measure_take_sharpe(struct facts *f)
{
    bool is_known = f->n >= 2 && f->excess_varies;
    double sharpe = is_known ? sharpe_of(f) : 0;
    size_t n = is_known ? f->n_x : f->n;
    measure_maybe(ROW(f->out, sharpe), is_known, sharpe * f->root, f->flat, n);
    measure_maybe(ROW(f->out, sharpe_per_session), is_known, sharpe, f->flat, n);
}

static double adjusted(const struct stats_moments *m, double annual)
{
    return annual *
           (1 + m->skew_population / 6 * annual - m->excess_population / 24 * annual * annual);
}

void measure_take_sharpe_family(struct facts *f)
{
    static const enum measure_id rows[] = {
        MEASURE_mean_over_deviation,    MEASURE_sharpe_geometric,          MEASURE_sharpe_lean,
        MEASURE_sharpe_se_iid,          MEASURE_kelly_continuous,          MEASURE_kelly_half,
        MEASURE_system_quality,         MEASURE_system_quality_population, MEASURE_adjusted_sharpe,
        MEASURE_adjusted_sharpe_periods};
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double volatility = m->sd * f->root, root_n = sqrt((double)f->n), sharpe = sharpe_of(f);

    if (is_denied(f, rows, ARRAY_LEN(rows)))
        return;
    measure_set(ROW(out, mean_over_deviation), m->mean / m->sd, f->n);
    measure_set(ROW(out, sharpe_geometric), (f->cagr - f->rf) / volatility, f->n);
    measure_set(ROW(out, sharpe_lean),
                (elementary_pow(1 + m->mean, f->periods) - 1 - f->rf) / volatility, f->n);
    measure_set(ROW(out, sharpe_se_iid), stats_sharpe_se_iid(sharpe, f->n) * f->root, f->n);
    measure_set(ROW(out, kelly_continuous), f->excess_mean / (m->sd * m->sd), f->n);
    measure_set(ROW(out, kelly_half), f->excess_mean / (m->sd * m->sd) / 2, f->n);
    measure_set(ROW(out, system_quality), root_n * m->mean / m->sd, f->n);
    measure_set(ROW(out, system_quality_population), root_n * m->mean / m->sd_population, f->n);
    measure_set(ROW(out, adjusted_sharpe), adjusted(m, sharpe * f->root), f->n);
    measure_set(ROW(out, adjusted_sharpe_periods),
                adjusted(m, (f->cagr_periods - f->rf) / volatility), f->n);
}

void measure_take_over_semideviation(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_return_over_semideviation,
                                           MEASURE_downside_sharpe};
    double semideviation = f->out[MEASURE_semideviation].value;
    if (is_denied(f, rows, ARRAY_LEN(rows)))
        return;
    measure_ratio(ROW(f->out, return_over_semideviation), f->excess_mean, semideviation,
                  REASON_NO_DOWNSIDE, f->n);
    measure_ratio(ROW(f->out, downside_sharpe), f->excess_mean, sqrt(2) * semideviation,
                  REASON_NO_DOWNSIDE, f->n);
}

void measure_take_serial_sharpe(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_smart_sharpe, MEASURE_sharpe_lo};
    enum measure_reason why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    double sharpe = sharpe_of(f);
    if (is_denied(f, rows, ARRAY_LEN(rows)))
        return;
    measure_maybe(ROW(f->out, smart_sharpe), f->has_rho,
                  sharpe * f->root / stats_autocorrelation_penalty(f->rho, f->n), why, f->n);
    measure_maybe(ROW(f->out, sharpe_lo), f->has_rho,
                  sharpe * stats_lo_factor(f->periods, f->has_rho ? f->rho : 0), why, f->n);
}

static void psr(struct facts *f, enum measure_id id, double ratio, double target, double skew,
                double excess)
{
    bool is_known = stats_sharpe_variance(ratio, skew, excess) > 0;
    measure_maybe(&f->out[id], is_known,
                  is_known ? stats_psr(ratio, target, f->n, skew, excess) : 0, REASON_NOT_FINITE,
                  f->n);
}

static void min_track_record(struct facts *f, enum measure_id id, double sharpe, double skew,
                             double excess)
{
    double confidence = measure_confidence(f);
    double target = f->in->options.target_sharpe;
    bool is_known = sharpe > target && stats_sharpe_variance(sharpe, skew, excess) > 0;
    measure_maybe(&f->out[id], is_known,
                  is_known ? stats_min_track_record(sharpe, target, skew, excess, confidence) : 0,
                  REASON_NO_UPSIDE, f->n);
}

void measure_take_probabilistic(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_sharpe_se,
                                           MEASURE_psr_0,
                                           MEASURE_psr,
                                           MEASURE_psr_population,
                                           MEASURE_psr_excess,
                                           MEASURE_psr_skewness,
                                           MEASURE_min_track_record_skewness,
                                           MEASURE_min_track_record_length,
                                           MEASURE_min_track_record_population};
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double target = f->in->options.target_sharpe, sharpe = sharpe_of(f);
    if (is_denied(f, rows, ARRAY_LEN(rows)))
        return;
    for (size_t i = 0; i < ARRAY_LEN(rows) && f->n < 4; i++)
        measure_deny(&out[rows[i]], REASON_TOO_SHORT, f->n);
    if (f->n < 4)
        return;
    double variance = stats_sharpe_variance(sharpe, m->skew, m->excess);

    measure_maybe(ROW(out, sharpe_se), variance >= 0,
                  sqrt(fmax(variance, 0) / (double)(f->n - 1)) * f->root, REASON_NOT_FINITE, f->n);
    psr(f, MEASURE_psr_0, sharpe, 0, m->skew, m->excess);
    psr(f, MEASURE_psr, sharpe, target, m->skew, m->excess);
    psr(f, MEASURE_psr_population, sharpe, target, m->skew_population, m->excess_population);
    psr(f, MEASURE_psr_skewness, sharpe, target, m->skew_population, 0);
    min_track_record(f, MEASURE_min_track_record_skewness, sharpe, m->skew_population, 0);
    psr(f, MEASURE_psr_excess, m->mean / m->sd, target, m->skew, m->excess - 3);
    min_track_record(f, MEASURE_min_track_record_length, sharpe, m->skew, m->excess);
    min_track_record(f, MEASURE_min_track_record_population, sharpe, m->skew_population,
                     m->excess_population);
}

void measure_take_trend(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_stability, MEASURE_k_ratio_1996,
                                           MEASURE_k_ratio_2003, MEASURE_k_ratio_2013};
    struct measure_value *out = f->out;
    struct stats_trend trend = {0};
    double n = (double)f->n;

    if (f->is_ruined || !stats_trend(f->k, f->log_value + 1, f->n, &trend)) {
        enum measure_reason why = f->is_ruined ? REASON_RUINED
                                  : f->n < 3   ? REASON_TOO_SHORT
                                               : REASON_NO_VARIATION;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], why, f->n);
        return;
    }
    measure_set(ROW(out, stability), trend.r_squared, f->n);
    measure_ratio(ROW(out, k_ratio_1996), trend.slope, trend.slope_error * sqrt(n),
                  REASON_ZERO_VARIANCE, f->n);
    measure_ratio(ROW(out, k_ratio_2003), trend.slope, trend.slope_error * n, REASON_ZERO_VARIANCE,
                  f->n);
    measure_ratio(ROW(out, k_ratio_2013), trend.slope * f->root, trend.slope_error * n,
                  REASON_ZERO_VARIANCE, f->n);
}

void measure_take_smoothing(struct facts *f)
{
    double index = 0;
    bool is_known = smoothing_index(f->r, f->n, &index);
    measure_maybe(ROW(f->out, smoothing_index), is_known, index,
                  f->n < 4 ? REASON_TOO_SHORT : REASON_NO_VARIATION, f->n);
}

void measure_take_serial(struct facts *f)
{
    enum measure_reason why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    measure_maybe(ROW(f->out, autocorrelation_1), f->has_rho, f->rho, why, f->n);
    measure_maybe(ROW(f->out, autocorrelation_penalty), f->has_rho,
                  stats_autocorrelation_penalty(f->rho, f->n), why, f->n);
}

void measure_take_ljung_box(struct facts *f)
{
    struct measure_value *out = f->out;
    double box = 0, a[STATS_LJUNG_BOX_LAGS] = {0};
    bool has_box = stats_ljung_box(f->k, f->r, &f->m, f->scratch, a, &box);
    enum measure_reason why = f->n <= STATS_LJUNG_BOX_LAGS ? REASON_TOO_SHORT : f->flat;

    measure_maybe(ROW(out, autocorrelation_2), has_box, a[1], why, f->n);
    measure_maybe(ROW(out, autocorrelation_5), has_box, a[4], why, f->n);
    measure_maybe(ROW(out, ljung_box_10), has_box, box, why, f->n);
    measure_maybe(ROW(out, ljung_box_10_p), has_box, stats_chi_square_10_above(box), why, f->n);
}
