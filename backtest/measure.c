/* measure.c - the table of metrics: prepares what the families share, then fills their rows. */
#include "backtest/measure.h"

#include "backtest/elementary.h"
#include "backtest/kernels.h"
#include "backtest/measure_facts.h"
#include "backtest/order.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>

const struct measure_info measure_infos[MEASURE_ALL_COUNT] = {
#define METRIC(name, unit, needs_benchmark, convention) \
    [MEASURE_##name] = {#name, unit, convention, needs_benchmark},
#include "backtest/metrics.def"
#include "backtest/variants.def"
#undef METRIC
};

const char *const measure_reason_codes[REASON_COUNT] = {
#define REASON(name, code, text) [REASON_##name] = (code),
#include "backtest/reasons.def"
#undef REASON
};

void measure_set(struct measure_value *out, double value, size_t n)
{
    if (isfinite(value))
        *out = (struct measure_value){value + 0.0, n, REASON_NONE};
    else
        measure_deny(out, REASON_NOT_FINITE, n);
}

void measure_deny(struct measure_value *out, enum measure_reason reason, size_t n)
{
    *out = (struct measure_value){0, n, reason};
}

void measure_ratio(struct measure_value *out, double numerator, double denominator,
                   enum measure_reason reason, size_t n)
{
    measure_maybe(out, denominator > 0, numerator / denominator, reason, n);
}

void measure_maybe(struct measure_value *out, bool is_known, double value,
                   enum measure_reason reason, size_t n)
{
    if (is_known)
        measure_set(out, value, n);
    else
        measure_deny(out, reason, n);
}

size_t measure_live_length(struct measure_path path)
{
    size_t n = kernels_ref.live(path.value, path.n);
    return n < path.n ? n + 1 : n;
}

double measure_rate_per_period(double annual, double periods_per_year)
{
    return elementary_pow(1 + annual, 1 / periods_per_year) - 1;
}

double measure_cagr(struct measure_path path)
{
    double years = date_years_between(path.date[0], path.date[path.n - 1]);
    return elementary_pow(path.value[path.n - 1] / path.value[0], 1 / years) - 1;
}

double measure_annualised(double total, double periods, double n)
{
    return elementary_pow(total, periods / n) - 1;
}

size_t measure_subtract(const double *r, size_t n, double rate, const double *series, double *ret)
{
    size_t n_known = 0;
    for (size_t t = 0; t < n; t++) {
        double each = series != NULL ? series[t] : rate;
        if (!isnan(each))
            ret[n_known++] = r[t] - each;
    }
    return n_known;
}

/* What the rates that are known compound to in a year. */
static double annual_rate(const struct facts *f, const double *series)
{
    size_t n_known = 0;
    for (size_t t = 0; t < f->n; t++) {
        if (!isnan(series[t]))
            f->scratch[n_known++] = series[t];
    }
    return measure_annualised(f->k->growth(f->scratch, n_known), f->periods, (double)n_known);
}

/* Returns, and what is left of them above the risk-free rate and above the target. */
static enum status take_returns(struct facts *f, struct arena *arena, struct err *err)
{
    const struct measure_input *in = f->in;
    const struct measure_options *o = &in->options;
    double *own = arena_room(arena, f->path.n, sizeof *own);
    double *x = arena_room(arena, f->path.n, sizeof *x);
    double *y = arena_room(arena, f->path.n, sizeof *y);
    if (own == NULL || x == NULL || y == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");
    if (in->returns == NULL)
        f->k->returns(f->path.value, f->path.n, own);
    f->r = in->returns != NULL ? in->returns : own;
    double rate = measure_rate_per_period(in->risk_free_rate, f->periods);
    f->x = f->r;
    f->n_x = f->n;
    if (in->risk_free != NULL || fabs(rate) > 0) {
        f->n_x = measure_subtract(f->r, f->n, rate, in->risk_free, x);
        f->x = x;
    }
    f->y = f->x;
    f->n_y = f->n_x;
    if (o->has_mar || o->mar_series != NULL) {
        f->n_y = measure_subtract(f->r, f->n, o->mar, o->mar_series, y);
        f->y = y;
    }
    f->m = stats_moments_with(f->k, f->r, f->n);
    f->excess_mean = f->m.mean - rate;
    f->excess_sd = f->m.sd;
    f->excess_varies = !f->m.is_constant;
    f->rf = in->risk_free_rate;
    if (in->risk_free != NULL) {
        struct stats_moments m = stats_moments_short_with(f->k, x, f->n_x);
        f->excess_mean = f->n_x > 0 ? m.mean : (double)NAN;
        f->excess_sd = m.sd;
        f->excess_varies = !m.is_constant;
        f->rf = annual_rate(f, in->risk_free);
    }
    return STATUS_OK;
}

/* Root mean squares of the two sides of y, its mean, and the sums of gains and losses. */
static void take_sides(struct facts *f)
{
    assert(f->y != NULL);
    f->around_zero = f->k->partials(f->r, f->n, 0);
    double n = (double)f->n_y;
    f->around_target = f->y == f->r ? f->around_zero : f->k->partials(f->y, f->n_y, 0);
    f->y_mean = f->y == f->x ? f->excess_mean : f->k->range(f->y, f->n_y).sum / n;
    f->downside = sqrt(f->around_target.losses_squared / n);
    f->upside = sqrt(f->around_target.gains_squared / n);
}

static void take_growth(struct facts *f)
{
    double total = f->path.value[f->n] / f->path.value[0];
    f->total = total - 1;
    f->years = f->path.date != NULL
                   ? date_years_between(f->path.date[0], f->path.date[f->path.n - 1])
                   : (double)f->n / f->periods;
    f->cagr_periods = measure_annualised(total, f->periods, (double)f->n);
    f->cagr = f->path.date != NULL ? measure_cagr(f->path) : f->cagr_periods;
}

/* What every row needs. */
static enum status prepare(struct facts *f, struct arena *arena, struct err *err)
{
    size_t n = f->path.n;
    double *drawdown = arena_room(arena, n, sizeof *drawdown);
    f->sorted = arena_room(arena, n, sizeof *f->sorted);
    f->scratch = arena_room(arena, n + 1, sizeof *f->scratch);
    f->spare = arena_room(arena, n + 1, sizeof *f->spare);
    f->count = arena_room(arena, 2 * n + 1, sizeof *f->count);
    f->episodes = arena_room(arena, n / 2 + 1, sizeof *f->episodes);
    if (drawdown == NULL || f->sorted == NULL || f->scratch == NULL || f->spare == NULL ||
        f->count == NULL || f->episodes == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");
    enum status s = take_returns(f, arena, err);
    if (s != STATUS_OK)
        return s;
    take_sides(f);
    take_growth(f);
    f->declines = f->k->declines(f->path.value, n, drawdown);
    f->drawdown = drawdown + 1;
    f->flat = f->n < 2       ? REASON_TOO_SHORT
              : f->m.is_zero ? REASON_NO_VARIATION
                             : REASON_ZERO_VARIANCE;
    return STATUS_OK;
}

/* What only some rows need: logarithms, and returns and declines in order. */
static enum status prepare_all(struct facts *f, struct arena *arena, struct err *err)
{
    size_t n_episodes = drawdown_list(f->path.value, f->path.n, f->episodes);
    f->n_episodes = n_episodes;
    f->log_value = arena_room(arena, f->path.n, sizeof *f->log_value);
    double *scratch = arena_room(arena, 3 * n_episodes, sizeof *scratch);
    if (f->log_value == NULL || scratch == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");
    if (!f->is_ruined)
        f->k->logs(f->path.value, f->path.n, f->path.value[0], f->log_value);
    assert(f->r != NULL);
    order_sort(f->k, f->r, f->n, f->sorted, f->count);
    drawdown_sort_deepest(f->k, f->episodes, n_episodes, n_episodes / 10 + MEASURE_DEEPEST, scratch,
                          f->count);
    f->depth = n_episodes > 0 ? -f->episodes[0].depth : 0;
    f->has_rho = stats_autocorrelation(f->k, f->r, f->n, &f->rho);
    return STATUS_OK;
}

/* turnover_annual to n_rebalances. */
void measure_trades(struct facts *f)
{
    static const enum measure_id rows[] = {MEASURE_turnover_annual,
                                           MEASURE_exposure,
                                           MEASURE_effective_n,
                                           MEASURE_cost_ratio,
                                           MEASURE_n_rebalances,
                                           MEASURE_concentration,
                                           MEASURE_largest_weight,
                                           MEASURE_five_largest_weights,
                                           MEASURE_final_gross_exposure,
                                           MEASURE_final_net_exposure,
                                           MEASURE_average_gross_exposure,
                                           MEASURE_average_net_exposure,
                                           MEASURE_income_yield};
    const struct measure_trading *t = f->in->trading;
    struct measure_value *out = f->out;

    if (t == NULL) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            measure_deny(&out[rows[i]], REASON_NOT_APPLICABLE, 0);
        return;
    }
    measure_set(ROW(out, turnover_annual), t->turnover / f->years, t->n_rebalances);
    measure_set(ROW(out, exposure), t->exposure, f->n);
    measure_set(ROW(out, cost_ratio), t->cost_ratio / f->years, f->n);
    measure_set(ROW(out, n_rebalances), (double)t->n_rebalances, f->n);
    bool is_held = t->effective_n > 0;
    measure_maybe(ROW(out, effective_n), is_held, t->effective_n, REASON_NO_NONZERO, f->n);
    measure_maybe(ROW(out, concentration), is_held, 1 / t->effective_n, REASON_NO_NONZERO, f->n);
    measure_set(ROW(out, largest_weight), t->largest, f->n);
    measure_set(ROW(out, five_largest_weights), t->five_largest, f->n);
    measure_set(ROW(out, average_gross_exposure), t->mean_gross, f->n);
    measure_set(ROW(out, average_net_exposure), t->exposure, f->n);
    measure_set(ROW(out, final_gross_exposure), t->gross, f->n);
    measure_set(ROW(out, final_net_exposure), t->net, f->n);
    measure_set(ROW(out, income_yield), t->income_ratio / f->years, f->n);
}

enum status measure_compute(const struct measure_input *input, struct arena *arena,
                            struct measure_value ret[MEASURE_ALL_COUNT], struct err *err)
{
    struct facts f = {.in = input, .path = input->path, .out = ret};
    f.k = input->kernels != NULL ? input->kernels : &kernels_ref;
    f.path.n = measure_live_length(input->path);
    f.n = f.path.n - 1;
    f.n_rows = input->n_rows > 0 ? input->n_rows : f.n;
    f.is_ruined = !(f.path.value[f.n] > 0);
    f.periods = input->periods_per_year;
    f.root = sqrt(f.periods);
    enum status s = prepare(&f, arena, err);
    if (s == STATUS_OK && input->is_headline)
        return measure_headline(&f, arena, err);
    if (s == STATUS_OK)
        s = prepare_all(&f, arena, err);
    if (s != STATUS_OK)
        return s;
    measure_growth(&f);
    measure_dispersion(&f);
    measure_drawdowns(&f);
    measure_tails(&f);
    measure_bets(&f);
    measure_sharpe_family(&f);
    measure_downside_family(&f);
    measure_depth_ratios(&f);
    measure_serial(&f);
    measure_trades(&f);
    s = measure_calendar(&f, arena, err);
    if (input->details != NULL)
        *input->details = (struct measure_details){f.path.n, f.drawdown - 1, f.episodes,
                                                   f.n_episodes, f.calendar};
    return s == STATUS_OK ? measure_relative(&f, arena, err) : s;
}
