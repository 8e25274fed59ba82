/* measure_relative.c - the rows of metrics.def that compare a portfolio with a benchmark. */
#include "backtest/elementary.h"
#include "backtest/measure_facts.h"
#include "backtest/measure_sides.h"

#include <math.h>

/* Returns closer than this are equal: a portfolio that is its own benchmark neither wins nor loses. */
static const double ROUNDING = 1e-14;

static void deny_all(struct measure_value *ret, enum measure_reason reason, size_t n)
{
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        if (measure_infos[i].needs_benchmark)
            measure_deny(&ret[i], reason, n);
    }
}

/* r minus a rate, one for all or one for each; r itself where that is 0. *ret_n: how many have a rate. */
static const double *less(const struct relative *w, const double *r, double rate,
                          const double *series, double *room, size_t *ret_n)
{
    *ret_n = w->n;
    if (series == NULL && !(fabs(rate) > 0))
        return r;
    *ret_n = measure_subtract(r, w->n, rate, series, room);
    return room;
}

/* The mean of the rates that are known. */
static double mean_rate(const struct relative *w, const double *series)
{
    double sum = 0;
    if (w->n_x == w->n)
        return w->mean_r - w->excess.mean_x;
    for (size_t t = 0; t < w->n; t++)
        sum += isnan(series[t]) ? 0 : series[t];
    return sum / (double)w->n_x;
}

static void take_common(struct facts *f, struct relative *w)
{
    const struct measure_input *in = f->in;
    size_t n = w->n + 1;
    double *lines[7];
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        lines[i] = arena_room(f->arena, n, sizeof *lines[i]);
        if (lines[i] == NULL) {
            measure_out_of_memory(f);
            return;
        }
    }
    /* A benchmark without gaps: the common sessions are all, and their returns are there. */
    bool is_whole =
        in->common.value == in->path.value && in->common_returns == NULL && w->n == f->n;
    if (in->common_returns == NULL && !is_whole)
        w->k->returns(in->common.value, n, lines[0]);
    if (in->benchmark_returns == NULL)
        w->k->returns(in->benchmark.value, n, lines[1]);
    w->r = is_whole ? f->r : in->common_returns != NULL ? in->common_returns : lines[0];
    w->b = in->benchmark_returns != NULL ? in->benchmark_returns : lines[1];
    double rate = measure_rate_per_period(in->risk_free_rate, w->periods), mar = in->options.mar;
    bool has_mar = in->options.has_mar;
    w->x = less(w, w->r, rate, in->common_risk_free, lines[2], &w->n_x);
    w->bx = less(w, w->b, rate, in->common_risk_free, lines[3], &w->n_x);
    w->n_y = w->n_x;
    w->y = has_mar ? less(w, w->r, mar, NULL, lines[4], &w->n_y) : w->x;
    w->by = has_mar ? less(w, w->b, mar, NULL, lines[5], &w->n_y) : w->bx;
    w->scratch = lines[6];
    w->raw = stats_pair_with(w->k, w->r, w->b, w->n);
    w->excess = w->x == w->r ? w->raw : stats_pair_with(w->k, w->x, w->bx, w->n_x);
    w->mean_r = w->raw.mean_x;
    w->mean_rf = mean_rate(w, in->common_risk_free);
    w->sd_r = stats_varies(w->r, w->n) ? sqrt(w->raw.variance_x) : 0;
    w->sd_b = stats_varies(w->b, w->n) ? sqrt(w->raw.variance_y) : 0;
    f->relative = w;
}

/* Rows that compare are denied here where too few sessions are common; the steps after this leave them alone. */
void measure_take_pairs(struct facts *f)
{
    struct measure_path common = f->in->common;
    if (common.n == 0) {
        deny_all(f->out, REASON_NO_BENCHMARK, 0);
        return;
    }
    common.n = measure_live_length(common);
    size_t n = common.n - 1;
    if (n < 2)
        deny_all(f->out, REASON_TOO_SHORT, n);
    if (n == 0)
        return;
    struct relative *w = ARENA_NEW(f->arena, struct relative);
    if (w == NULL) {
        measure_out_of_memory(f);
        return;
    }
    *w = (struct relative){.k = f->k,
                           .n = n,
                           .n_rows = f->in->n_rows > n ? f->in->n_rows : n,
                           .periods = f->periods,
                           .rf = f->rf,
                           .all_r = 1 + f->total,
                           .rows = f->in->benchmark_rows,
                           .total = common.value[n] / common.value[0] - 1,
                           .out = f->out};
    take_common(f, w);
}

/* Compounded r, b and x, the first two annualised by count. */
void measure_take_compounds(struct facts *f)
{
    struct relative *w = f->relative;
    if (w == NULL)
        return;
    double r = w->k->growth(w->r, w->n), b = w->k->growth(w->b, w->n);
    if (!(w->rows.growth > 0)) { /* every row is a common one */
        w->all_r = r;
        w->rows.growth = b;
    }
    w->annual_r = measure_annualised(r, w->periods, (double)w->n);
    w->annual_b = measure_annualised(b, w->periods, (double)w->n);
    w->growth_x = w->x == w->r ? r : w->k->growth(w->x, w->n_x);
    w->cagr = f->in->common.date == NULL ? w->annual_r
                                         : measure_cagr((struct measure_path){
                                               f->in->common.date, f->in->common.value, w->n + 1});
}

static void deny_rows(const struct relative *w, const enum measure_id *rows, size_t n_rows,
                      enum measure_reason reason)
{
    for (size_t i = 0; i < n_rows; i++)
        measure_deny(&w->out[rows[i]], reason, w->n);
}

/* beta and the alphas. A constant rate moves none of the covariances. */
void measure_take_regression(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    static const enum measure_id rows[] = {
        MEASURE_beta,         MEASURE_alpha,      MEASURE_alpha_per_session,
        MEASURE_alpha_no_rf,  MEASURE_beta_no_rf, MEASURE_alpha_compounded,
        MEASURE_jensen_alpha, MEASURE_epsilon,    MEASURE_alpha_beta_no_rf};
    struct measure_value *out = w->out;
    if (!stats_varies(w->bx, w->n_x) || !stats_varies(w->b, w->n)) {
        deny_rows(w, rows, ARRAY_LEN(rows), REASON_ZERO_VARIANCE);
        return;
    }
    struct stats_pair p = w->excess, raw = w->raw;
    w->has_beta = true;
    w->beta = p.covariance / p.variance_y;
    w->alpha = p.mean_x - w->beta * p.mean_y;
    w->jensen = w->annual_r - w->rf - w->beta * (w->annual_b - w->rf);
    double beta_no_rf = raw.covariance / raw.variance_y;
    measure_set(ROW(out, beta), w->beta, w->n_x);
    measure_set(ROW(out, alpha), w->alpha * w->periods, w->n_x);
    measure_set(ROW(out, alpha_per_session), w->alpha, w->n_x);
    measure_set(ROW(out, alpha_compounded), elementary_pow(1 + w->alpha, w->periods) - 1, w->n_x);
    measure_set(ROW(out, beta_no_rf), beta_no_rf, w->n);
    measure_set(ROW(out, alpha_beta_no_rf),
                elementary_pow(1 + p.mean_x - beta_no_rf * p.mean_y, w->periods) - 1, w->n_x);
    measure_set(ROW(out, alpha_no_rf), (raw.mean_x - beta_no_rf * raw.mean_y) * w->periods, w->n);
    measure_set(ROW(out, jensen_alpha), w->jensen, w->n);
    measure_set(ROW(out, epsilon), w->annual_r - w->beta * w->annual_b - w->alpha, w->n);
}

/* As LEAN has them: what the mean return compounds to in a year, less and over that of the benchmark. */
void measure_take_lean_relative(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    struct measure_value *out = w->out;
    const struct measure_value *error = ROW(out, tracking_error), *beta = ROW(out, beta_no_rf);
    bool has_error = error->reason == REASON_NONE && error->value > 0;
    bool has_beta = beta->reason == REASON_NONE && fabs(beta->value) > 0;
    double own = elementary_pow(1 + w->raw.mean_x, w->periods) - 1;
    double other = elementary_pow(1 + w->raw.mean_y, w->periods) - 1;
    measure_maybe(ROW(out, information_ratio_lean), has_error, (own - other) / error->value,
                  REASON_ZERO_VARIANCE, w->n);
    measure_maybe(ROW(out, alpha_lean), has_beta, own - w->rf - beta->value * (other - w->rf),
                  REASON_ZERO_VARIANCE, w->n);
    measure_maybe(ROW(out, treynor_lean), has_beta, (own - w->rf) / beta->value,
                  REASON_ZERO_VARIANCE, w->n);
}

void measure_take_correlations(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    static const enum measure_id rows[] = {MEASURE_correlation, MEASURE_r_squared};
    struct measure_value *out = w->out;
    struct stats_pair p = w->raw;
    if (!stats_varies(w->r, w->n) || !stats_varies(w->b, w->n)) {
        deny_rows(w, rows, ARRAY_LEN(rows), REASON_ZERO_VARIANCE);
        return;
    }
    double correlation = p.covariance / sqrt(p.variance_x * p.variance_y);
    measure_set(ROW(out, correlation), correlation, w->n);
    measure_set(ROW(out, r_squared), correlation * correlation, w->n);
}

/* tracking_error, the information ratios, batting_average; a single session has the last alone. */
void measure_take_active(struct facts *f)
{
    struct relative *w = f->relative;
    struct measure_value *out = f->out;
    if (w == NULL)
        return;
    double *active = w->scratch;
    w->k->residuals(w->r, w->b, w->n, &(struct kernel_line){0, 1, ROUNDING}, active);
    measure_batting(w, active);
    if (w->n < 2)
        return;
    struct stats_moments m = stats_moments_short_with(w->k, active, w->n);
    double premium = w->annual_r - w->annual_b, root = sqrt(w->periods);
    enum measure_reason why = REASON_ZERO_VARIANCE;

    measure_set(ROW(out, tracking_error), m.sd * root, w->n);
    measure_ratio(ROW(out, information_ratio), m.mean * root, m.sd, why, w->n);
    measure_ratio(ROW(out, information_ratio_per_session), m.mean, m.sd, why, w->n);
    measure_set(ROW(out, active_premium), premium, w->n);
    measure_set(ROW(out, active_premium_geometric), (1 + w->annual_r) / (1 + w->annual_b) - 1,
                w->n);
    measure_ratio(ROW(out, information_ratio_premium), premium, m.sd * root, why, w->n);
}

void measure_take_risks(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    static const enum measure_id rows[] = {
        MEASURE_systematic_risk, MEASURE_specific_risk,      MEASURE_total_risk,
        MEASURE_appraisal_ratio, MEASURE_appraisal_modified, MEASURE_appraisal_alternative,
        MEASURE_net_selectivity, MEASURE_treynor_modified,   MEASURE_treynor,
        MEASURE_treynor_total,   MEASURE_treynor_excess};
    struct measure_value *out = w->out;
    enum measure_reason why = REASON_ZERO_VARIANCE;
    if (!w->has_beta) {
        deny_rows(w, rows, ARRAY_LEN(rows), why);
        return;
    }
    w->k->residuals(w->x, w->bx, w->n_x, &(struct kernel_line){w->alpha, w->beta, 0}, w->scratch);
    double sd_e = stats_moments_short_with(w->k, w->scratch, w->n_x).sd_population,
           root = sqrt(w->periods);
    double systematic = w->beta * w->sd_b * root, specific = sd_e * root;
    bool has_specific = sd_e > ROUNDING, has_beta = fabs(w->beta) > 0;
    double annual_x = measure_annualised(w->growth_x, w->periods, (double)w->n_x);
    double d = w->sd_r / w->sd_b - w->beta;

    measure_set(ROW(out, systematic_risk), systematic, w->n);
    measure_set(ROW(out, specific_risk), specific, w->n);
    measure_set(ROW(out, total_risk), sqrt(systematic * systematic + specific * specific), w->n);
    measure_maybe(ROW(out, appraisal_ratio), has_specific, w->jensen / specific, why, w->n);
    measure_maybe(ROW(out, appraisal_modified), has_beta, w->jensen / w->beta, why, w->n);
    measure_maybe(ROW(out, appraisal_alternative), has_beta, w->jensen / systematic, why, w->n);
    measure_set(ROW(out, net_selectivity), w->jensen - d * (w->annual_b - w->rf), w->n);
    measure_maybe(ROW(out, treynor_modified), has_beta, annual_x / systematic, why, w->n);
    measure_maybe(ROW(out, treynor), has_beta, (w->cagr - w->rf) / w->beta, why, w->n);
    measure_maybe(ROW(out, treynor_total), has_beta, (w->total - w->rf) / w->beta, why, w->n);
    measure_maybe(ROW(out, treynor_excess), has_beta, annual_x / w->beta, why, w->n);
}

void measure_take_modigliani(struct facts *f)
{
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    static const enum measure_id rows[] = {MEASURE_m_squared, MEASURE_m_squared_excess,
                                           MEASURE_m_squared_excess_geometric, MEASURE_modigliani};
    struct measure_value *out = w->out;
    const struct stats_pair *p = &w->excess;
    double sd_x = stats_varies(w->x, w->n_x) ? sqrt(p->variance_x) : 0;
    double sd_bx = stats_varies(w->bx, w->n_x) ? sqrt(p->variance_y) : 0;
    enum measure_reason why = REASON_ZERO_VARIANCE;
    bool has_r = w->sd_r > 0 && sd_x > 0;
    double m2 = has_r ? (w->annual_r - w->rf) * w->sd_b / w->sd_r + w->rf : 0;

    if (!has_r) {
        deny_rows(w, rows, ARRAY_LEN(rows), why);
    } else {
        measure_set(ROW(out, m_squared), m2, w->n);
        measure_set(ROW(out, m_squared_excess), m2 - w->annual_b, w->n);
        out[MEASURE_m_squared_excess_arithmetic] = out[MEASURE_m_squared_excess];
        measure_set(ROW(out, m_squared_excess_geometric), (1 + m2) / (1 + w->annual_b) - 1, w->n);
        measure_set(ROW(out, modigliani), p->mean_x / sd_x * w->sd_b + w->mean_rf, w->n_x);
    }
    measure_ratio(ROW(out, fama_beta), w->sd_r, w->sd_b, why, w->n);
    measure_set(ROW(out, market_risk_premium), p->mean_y, w->n);
    measure_ratio(ROW(out, capital_market_line_slope), p->mean_y, sd_bx, why, w->n);
    measure_maybe(ROW(out, capital_market_line), sd_bx > 0,
                  w->mean_rf + p->mean_y / sd_bx * w->mean_r, why, w->n);
    measure_maybe(ROW(out, security_market_line_slope), fabs(p->mean_y) > 0, 1 / p->mean_y, why,
                  w->n);
    double n_y = (double)w->n_y;
    double own = sqrt(w->k->gains(w->y, w->n_y, 0).losses_squared / n_y);
    double other = sqrt(w->k->gains(w->by, w->n_y, 0).losses_squared / n_y);
    double root = sqrt(w->periods);
    double mean_y = w->y == w->x ? p->mean_x : w->k->range(w->y, w->n_y).sum / n_y;
    measure_maybe(ROW(out, m2_sortino), own > 0, w->annual_r + mean_y / own * (other - own) * root,
                  REASON_NO_DOWNSIDE, w->n);
    measure_set(ROW(out, omega_excess), w->annual_r - 3 * own * other * w->periods, w->n);
}

/* By date where there are dates. */
void measure_take_excess_return(struct facts *f)
{
    const struct measure_input *in = f->in;
    struct relative *w = measure_two_pairs(f);
    if (w == NULL)
        return;
    bool has_dates = in->common.date != NULL;
    struct measure_path benchmark = {in->benchmark.date, in->benchmark.value, w->n + 1};
    double other = has_dates ? measure_cagr(benchmark) : w->annual_b;
    measure_set(ROW(w->out, excess_return), w->cagr - other, w->n);
}
