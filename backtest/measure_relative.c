/* measure_relative.c - the rows of metrics.def that compare a portfolio with a benchmark. */
#include "backtest/elementary.h"
#include "backtest/measure_set.h"
#include "backtest/stats.h"

#include <math.h>

/* Returns closer than this are equal: a portfolio that is its own benchmark neither wins nor loses. */
static const double ROUNDING = 1e-14;

struct relative {
    size_t n;
    const double *r, *b;  /* returns over the common sessions */
    const double *active; /* r - b, 0 where that is rounding */
    double periods, rate;
    double rf; /* annual */
    struct measure_value *out;
};

/* beta, alpha, correlation, r_squared. A constant rate moves none of the covariances. */
static void regression(const struct relative *w)
{
    struct measure_value *out = w->out;
    struct stats_pair p = stats_pair(w->r, w->b, w->n);
    bool b_varies = !stats_moments(w->b, w->n).is_constant;
    bool r_varies = !stats_moments(w->r, w->n).is_constant;

    if (!b_varies) {
        measure_deny(&out[MEASURE_beta], REASON_ZERO_VARIANCE, w->n);
        measure_deny(&out[MEASURE_alpha], REASON_ZERO_VARIANCE, w->n);
    } else {
        double beta = p.covariance / p.variance_y;
        double alpha = (p.mean_x - w->rate) - beta * (p.mean_y - w->rate);
        measure_set(&out[MEASURE_beta], beta, w->n);
        measure_set(&out[MEASURE_alpha], alpha * w->periods, w->n);
    }
    if (!b_varies || !r_varies) {
        measure_deny(&out[MEASURE_correlation], REASON_ZERO_VARIANCE, w->n);
        measure_deny(&out[MEASURE_r_squared], REASON_ZERO_VARIANCE, w->n);
        return;
    }
    double correlation = p.covariance / sqrt(p.variance_x * p.variance_y);
    measure_set(&out[MEASURE_correlation], correlation, w->n);
    measure_set(&out[MEASURE_r_squared], correlation * correlation, w->n);
}

/* tracking_error, information_ratio, batting_average. */
static void active_return(const struct relative *w)
{
    struct stats_moments m = stats_moments(w->active, w->n);
    size_t n_better = 0;

    for (size_t i = 0; i < w->n; i++)
        n_better += w->active[i] > 0 ? 1 : 0;
    measure_set(&w->out[MEASURE_tracking_error], m.sd * sqrt(w->periods), w->n);
    measure_ratio(&w->out[MEASURE_information_ratio], m.mean * sqrt(w->periods), m.sd,
                  REASON_ZERO_VARIANCE, w->n);
    measure_set(&w->out[MEASURE_batting_average], (double)n_better / (double)w->n, w->n);
}

/* Annualised return of x over the count sessions with b on side; the product is taken in logs. */
static double annualised_on_side(const struct relative *w, const double *x, int side, size_t *count)
{
    double log_growth = 0;
    *count = 0;
    for (size_t i = 0; i < w->n; i++) {
        if (!(w->b[i] * side > 0))
            continue;
        ++*count;
        if (!(1 + x[i] > 0))
            return -1;
        log_growth += elementary_log(1 + x[i]);
    }
    return *count > 0 ? elementary_exp(log_growth * w->periods / (double)*count) - 1 : 0;
}

static void capture(const struct relative *w, struct measure_value *out, int side,
                    enum measure_reason reason)
{
    size_t n = 0, n_again = 0;
    double benchmark = annualised_on_side(w, w->b, side, &n);
    if (n == 0) {
        measure_deny(out, reason, 0);
        return;
    }
    double portfolio = annualised_on_side(w, w->r, side, &n_again);
    measure_set(out, portfolio / benchmark, n);
}

static void growth(const struct measure_input *input, const struct relative *w,
                   struct measure_path common)
{
    struct measure_value *out = w->out;
    struct measure_path benchmark = input->benchmark;
    benchmark.n = common.n;
    double cagr = measure_cagr(common);

    measure_set(&out[MEASURE_excess_return], cagr - measure_cagr(benchmark), w->n);
    if (out[MEASURE_beta].reason != REASON_NONE)
        measure_deny(&out[MEASURE_treynor], out[MEASURE_beta].reason, w->n);
    else
        measure_set(&out[MEASURE_treynor], (cagr - w->rf) / out[MEASURE_beta].value, w->n);
}

static void deny_all(struct measure_value *ret, enum measure_reason reason, size_t n)
{
    for (size_t i = 0; i < MEASURE_COUNT; i++) {
        if (measure_infos[i].needs_benchmark)
            measure_deny(&ret[i], reason, n);
    }
}

enum status measure_relative(const struct measure_input *input, struct arena *arena,
                             struct measure_value *ret, struct err *err)
{
    struct measure_path common = input->common;
    if (common.n == 0) {
        deny_all(ret, REASON_NO_BENCHMARK, 0);
        return STATUS_OK;
    }
    common.n = measure_live_length(common);
    if (common.n < 3) {
        deny_all(ret, REASON_TOO_SHORT, common.n - 1);
        return STATUS_OK;
    }
    double *r = arena_array(arena, common.n, sizeof *r);
    double *b = arena_array(arena, common.n, sizeof *b);
    double *active = arena_array(arena, common.n, sizeof *active);
    if (r == NULL || b == NULL || active == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");

    stats_returns(common.value, common.n, r);
    stats_returns(input->benchmark.value, common.n, b);
    for (size_t i = 0; i + 1 < common.n; i++)
        active[i] = fabs(r[i] - b[i]) > ROUNDING ? r[i] - b[i] : 0;
    struct relative w = {
        .n = common.n - 1,
        .r = r,
        .b = b,
        .active = active,
        .periods = input->periods_per_year,
        .rate = measure_rate_per_period(input->risk_free_rate, input->periods_per_year),
        .rf = input->risk_free_rate,
        .out = ret,
    };
    regression(&w);
    active_return(&w);
    capture(&w, &ret[MEASURE_up_capture], 1, REASON_NO_UPSIDE);
    capture(&w, &ret[MEASURE_down_capture], -1, REASON_NO_DOWNSIDE);
    growth(input, &w, common);
    return STATUS_OK;
}
