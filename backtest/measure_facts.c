/* measure_facts.c - passes over the series that several rows share: steps of measure_steps.def without rows. */
#include "backtest/measure_facts.h"

#include "backtest/order.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>

void measure_out_of_memory(struct facts *f)
{
    f->status = err_set(f->err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");
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

enum status measure_facts_open(struct facts *f)
{
    f->k = f->in->kernels != NULL ? f->in->kernels : &kernels_ref;
    f->path.n = measure_live_length_with(f->k, f->path);
    f->n = f->path.n - 1;
    f->n_rows = f->in->n_rows > 0 ? f->in->n_rows : f->n;
    f->is_ruined = !(f->path.value[f->n] > 0);
    f->periods = f->in->periods_per_year;
    f->root = sqrt(f->periods);
    size_t n = f->path.n;
    double *drawdown = arena_room(f->arena, n, sizeof *drawdown);
    f->sorted = arena_room(f->arena, n, sizeof *f->sorted);
    f->scratch = arena_room(f->arena, n + 1, sizeof *f->scratch);
    f->spare = arena_room(f->arena, n + 1, sizeof *f->spare);
    f->count = arena_room(f->arena, 2 * n + 1, sizeof *f->count);
    f->episodes = arena_room(f->arena, n / 2 + 1, sizeof *f->episodes);
    f->log_value = arena_room(f->arena, n, sizeof *f->log_value);
    if (drawdown == NULL || f->sorted == NULL || f->scratch == NULL || f->spare == NULL ||
        f->count == NULL || f->episodes == NULL || f->log_value == NULL) {
        measure_out_of_memory(f);
        return f->status;
    }
    f->drawdown = drawdown + 1;
    take_growth(f);
    return STATUS_OK;
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
void measure_take_returns(struct facts *f)
{
    const struct measure_input *in = f->in;
    const struct measure_options *o = &in->options;
    double *own = arena_room(f->arena, f->path.n, sizeof *own);
    double *x = arena_room(f->arena, f->path.n, sizeof *x);
    double *y = arena_room(f->arena, f->path.n, sizeof *y);
    if (own == NULL || x == NULL || y == NULL) {
        measure_out_of_memory(f);
        return;
    }
    if (in->returns == NULL)
        f->k->returns(f->path.value, f->path.n, own);
    f->r = in->returns != NULL ? in->returns : own;
    f->rate = measure_rate_per_period(in->risk_free_rate, f->periods);
    f->x = f->r;
    f->n_x = f->n;
    if (in->risk_free != NULL || fabs(f->rate) > 0) {
        f->n_x = measure_subtract(f->r, f->n, f->rate, in->risk_free, x);
        f->x = x;
    }
    f->y = f->x;
    f->n_y = f->n_x;
    if (o->has_mar || o->mar_series != NULL) {
        f->n_y = measure_subtract(f->r, f->n, o->mar, o->mar_series, y);
        f->y = y;
    }
    f->rf = in->risk_free_rate;
    if (in->risk_free != NULL)
        f->rf = annual_rate(f, in->risk_free);
}

void measure_take_moments(struct facts *f)
{
    f->m = stats_moments_with(f->k, f->r, f->n);
    f->excess_mean = f->m.mean - f->rate;
    f->excess_sd = f->m.sd;
    f->excess_varies = !f->m.is_constant;
    if (f->in->risk_free != NULL) {
        struct stats_moments m = stats_moments_short_with(f->k, f->x, f->n_x);
        f->excess_mean = f->n_x > 0 ? m.mean : (double)NAN;
        f->excess_sd = m.sd;
        f->excess_varies = !m.is_constant;
    }
    f->flat = f->n < 2       ? REASON_TOO_SHORT
              : f->m.is_zero ? REASON_NO_VARIATION
                             : REASON_ZERO_VARIANCE;
}

/* Root mean squares of the two sides of y, its mean, and the sums of gains and losses. */
void measure_take_partials(struct facts *f)
{
    assert(f->y != NULL);
    f->around_zero = f->k->partials(f->r, f->n, 0);
    double n = (double)f->n_y;
    f->around_target = f->y == f->r ? f->around_zero : f->k->partials(f->y, f->n_y, 0);
    f->y_mean = f->y == f->x ? f->excess_mean : f->k->range(f->y, f->n_y).sum / n;
    f->downside = sqrt(f->around_target.losses_squared / n);
    f->upside = sqrt(f->around_target.gains_squared / n);
}

void measure_take_declines(struct facts *f)
{
    f->declines = f->k->declines(f->path.value, f->path.n, f->drawdown - 1);
}

void measure_take_episodes(struct facts *f)
{
    size_t n = f->n_episodes = drawdown_list(f->k, f->path.value, f->path.n, f->episodes);
    double *scratch = arena_room(f->arena, 3 * n, sizeof *scratch);
    if (scratch == NULL) {
        measure_out_of_memory(f);
        return;
    }
    drawdown_sort_deepest(f->k, f->episodes, n, n / 10 + MEASURE_DEEPEST, scratch, f->count);
}

/* Looked up alone where the list of all declines is not there. */
void measure_take_deepest(struct facts *f)
{
    if (!f->is_due[STEP_episodes])
        f->n_episodes =
            drawdown_deepest(f->k, f->drawdown - 1, f->path.n, &f->declines, f->episodes);
    f->depth = f->n_episodes > 0 ? -f->episodes[0].depth : 0;
}

void measure_take_ordered(struct facts *f)
{
    assert(f->r != NULL);
    order_sort(f->k, f->r, f->n, f->sorted, f->count);
}

void measure_take_logs(struct facts *f)
{
    if (!f->is_ruined)
        f->k->logs(f->path.value, f->path.n, f->path.value[0], f->log_value);
}

void measure_take_rho(struct facts *f)
{
    f->has_rho = stats_autocorrelation(f->k, f->r, f->n, &f->rho);
}

void measure_take_years(struct facts *f)
{
    struct calendar own;
    const struct calendar *calendar = f->in->calendar != NULL ? f->in->calendar : &own;
    if (f->path.date == NULL)
        return;
    if (calendar == &own)
        f->status = calendar_of(f->path.date, f->path.n, f->arena, &own, f->err);
    if (f->status == STATUS_OK)
        f->status =
            tables_years(calendar, f->path.value, f->path.n, f->arena, &f->calendar, f->err);
}
