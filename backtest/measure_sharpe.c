/* measure_sharpe.c - the Sharpe ratio, its errors and corrections, and what serial correlation does. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/smoothing.h"

#include <math.h>

static const enum measure_id family[] = {
    MEASURE_sharpe,
    MEASURE_sharpe_per_session,
    MEASURE_sharpe_geometric,
    MEASURE_sharpe_se,
    MEASURE_sharpe_se_iid,
    MEASURE_sharpe_lo,
    MEASURE_adjusted_sharpe,
    MEASURE_adjusted_sharpe_periods,
    MEASURE_smart_sharpe,
    MEASURE_psr_0,
    MEASURE_psr,
    MEASURE_psr_population,
    MEASURE_psr_excess,
    MEASURE_psr_skewness,
    MEASURE_min_track_record_skewness,
    MEASURE_min_track_record_length,
    MEASURE_sharpe_lean,
    MEASURE_min_track_record_population,
    MEASURE_kelly_continuous,
    MEASURE_kelly_half,
    MEASURE_system_quality,
    MEASURE_system_quality_population,
    MEASURE_downside_sharpe,
    MEASURE_return_over_semideviation,
    MEASURE_mean_over_deviation,
};

static void ratios(struct facts *f, double sharpe)
{
    measure_set(ROW(f->out, sharpe), sharpe * f->root, f->n_x);
    measure_set(ROW(f->out, sharpe_per_session), sharpe, f->n_x);
}

static void plain(struct facts *f, double sharpe)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double volatility = m->sd * f->root, root_n = sqrt((double)f->n);

    ratios(f, sharpe);
    measure_set(ROW(out, mean_over_deviation), m->mean / m->sd, f->n);
    measure_set(ROW(out, sharpe_geometric), (f->cagr - f->rf) / volatility, f->n);
    measure_set(ROW(out, sharpe_lean),
                (elementary_pow(1 + m->mean, f->periods) - 1 - f->rf) / volatility, f->n);
    measure_set(ROW(out, sharpe_se_iid), stats_sharpe_se_iid(sharpe, f->n) * f->root, f->n);
    measure_set(ROW(out, kelly_continuous), f->excess_mean / (m->sd * m->sd), f->n);
    measure_set(ROW(out, kelly_half), f->excess_mean / (m->sd * m->sd) / 2, f->n);
    measure_set(ROW(out, system_quality), root_n * m->mean / m->sd, f->n);
    measure_set(ROW(out, system_quality_population), root_n * m->mean / m->sd_population, f->n);
    measure_ratio(ROW(out, return_over_semideviation), f->excess_mean,
                  out[MEASURE_semideviation].value, REASON_NO_DOWNSIDE, f->n);
    measure_ratio(ROW(out, downside_sharpe), f->excess_mean,
                  sqrt(2) * out[MEASURE_semideviation].value, REASON_NO_DOWNSIDE, f->n);
}

static double adjusted(const struct stats_moments *m, double annual)
{
    return annual *
           (1 + m->skew_population / 6 * annual - m->excess_population / 24 * annual * annual);
}

static void corrected(struct facts *f, double sharpe)
{
    struct measure_value *out = f->out;
    double annual = sharpe * f->root;
    enum measure_reason why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;

    measure_set(ROW(out, adjusted_sharpe), adjusted(&f->m, annual), f->n);
    measure_set(ROW(out, adjusted_sharpe_periods),
                adjusted(&f->m, (f->cagr_periods - f->rf) / (f->m.sd * f->root)), f->n);
    measure_maybe(ROW(out, smart_sharpe), f->has_rho,
                  annual / stats_autocorrelation_penalty(f->rho, f->n), why, f->n);
    measure_maybe(ROW(out, sharpe_lo), f->has_rho,
                  sharpe * stats_lo_factor(f->periods, f->has_rho ? f->rho : 0), why, f->n);
}

void measure_psr(struct facts *f, enum measure_id id, double ratio, double target, double skew,
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
    double confidence = f->in->options.confidence > 0 ? f->in->options.confidence : 0.95;
    double target = f->in->options.target_sharpe;
    bool is_known = sharpe > target && stats_sharpe_variance(sharpe, skew, excess) > 0;
    measure_maybe(&f->out[id], is_known,
                  is_known ? stats_min_track_record(sharpe, target, skew, excess, confidence) : 0,
                  REASON_NO_UPSIDE, f->n);
}

static void probabilistic(struct facts *f, double sharpe)
{
    struct measure_value *out = f->out;
    const struct stats_moments *m = &f->m;
    double target = f->in->options.target_sharpe;
    double variance = stats_sharpe_variance(sharpe, m->skew, m->excess);

    measure_maybe(ROW(out, sharpe_se), variance >= 0,
                  sqrt(fmax(variance, 0) / (double)(f->n - 1)) * f->root, REASON_NOT_FINITE, f->n);
    measure_psr(f, MEASURE_psr_0, sharpe, 0, m->skew, m->excess);
    measure_psr(f, MEASURE_psr, sharpe, target, m->skew, m->excess);
    measure_psr(f, MEASURE_psr_population, sharpe, target, m->skew_population,
                m->excess_population);
    measure_psr(f, MEASURE_psr_skewness, sharpe, target, m->skew_population, 0);
    min_track_record(f, MEASURE_min_track_record_skewness, sharpe, m->skew_population, 0);
    measure_psr(f, MEASURE_psr_excess, m->mean / m->sd, target, m->skew, m->excess - 3);
    min_track_record(f, MEASURE_min_track_record_length, sharpe, m->skew, m->excess);
    min_track_record(f, MEASURE_min_track_record_population, sharpe, m->skew_population,
                     m->excess_population);
}

void measure_sharpe_family(struct facts *f)
{
    static const enum measure_id four[] = {MEASURE_sharpe_se,
                                           MEASURE_psr_0,
                                           MEASURE_psr,
                                           MEASURE_psr_population,
                                           MEASURE_psr_excess,
                                           MEASURE_psr_skewness,
                                           MEASURE_min_track_record_skewness,
                                           MEASURE_min_track_record_length,
                                           MEASURE_min_track_record_population};
    double sharpe = f->excess_mean / f->excess_sd; /* per session */
    if (f->n < 2 || f->m.is_constant || !f->excess_varies) {
        for (size_t i = 0; i < ARRAY_LEN(family); i++)
            measure_deny(&f->out[family[i]], f->flat, f->n);
        if (f->n >= 2 &&
            f->excess_varies) /* the risk-free rate does; nothing is divided by sd(r) */
            ratios(f, sharpe);
        return;
    }
    plain(f, sharpe);
    corrected(f, sharpe);
    if (f->n >= 4) {
        probabilistic(f, sharpe);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(four); i++)
        measure_deny(&f->out[four[i]], REASON_TOO_SHORT, f->n);
}

static void trend_rows(struct facts *f)
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

static void smoothing(struct facts *f)
{
    struct measure_value *out = ROW(f->out, smoothing_index);
    double index = 0;
    bool is_asked = f->in->has_smoothing;
    bool is_known = is_asked && smoothing_index(f->r, f->n, &index);
    enum measure_reason why = !is_asked  ? REASON_NOT_APPLICABLE
                              : f->n < 4 ? REASON_TOO_SHORT
                                         : REASON_NO_VARIATION;
    measure_maybe(out, is_known, index, why, f->n);
}

void measure_serial(struct facts *f)
{
    struct measure_value *out = f->out;
    enum measure_reason why = f->n < 3 ? REASON_TOO_SHORT : REASON_ZERO_VARIANCE;
    double box = 0, a[STATS_LJUNG_BOX_LAGS] = {0};
    bool has_box = stats_ljung_box(f->k, f->r, &f->m, f->scratch, a, &box);
    enum measure_reason box_why = f->n <= STATS_LJUNG_BOX_LAGS ? REASON_TOO_SHORT : f->flat;

    measure_maybe(ROW(out, autocorrelation_1), f->has_rho, f->rho, why, f->n);
    measure_maybe(ROW(out, autocorrelation_penalty), f->has_rho,
                  stats_autocorrelation_penalty(f->rho, f->n), why, f->n);
    measure_maybe(ROW(out, autocorrelation_2), has_box, a[1], box_why, f->n);
    measure_maybe(ROW(out, autocorrelation_5), has_box, a[4], box_why, f->n);
    measure_maybe(ROW(out, ljung_box_10), has_box, box, box_why, f->n);
    measure_maybe(ROW(out, ljung_box_10_p), has_box, stats_chi_square_10_above(box), box_why, f->n);
    trend_rows(f);
    smoothing(f);
}
