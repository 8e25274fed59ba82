/*
 * series_risk.c - risk of a series by the end of each month, over windows of days before it, by the engine's own measures
 * (backtest/measure.h): what a backtest that holds the instrument alone would say of it.
 */
#include "backtest/measure.h"
#include "base/number.h"
#include "ingest/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { OBSERVATIONS_MIN = 20, WINDOWS = 2, SCRATCH_BYTES_MAX = 16 << 20, BENCHMARK_STALE_DAYS = 7 };

static const int32_t windows[WINDOWS] = {90, 365};
static const double SESSIONS_PER_YEAR = 252, DAYS_PER_YEAR = 365;

static const enum measure_id figures[] = {MEASURE_cagr,
                                          MEASURE_volatility,
                                          MEASURE_sharpe,
                                          MEASURE_sortino,
                                          MEASURE_calmar,
                                          MEASURE_max_drawdown,
                                          MEASURE_max_drawdown_days,
                                          MEASURE_var_95,
                                          MEASURE_cvar_95,
                                          MEASURE_skewness,
                                          MEASURE_kurtosis_excess,
                                          MEASURE_beta};
enum { FIGURES = sizeof figures / sizeof figures[0], KEYS = 5 };

/* A series in one currency up to the end of a month. */
struct cut {
    const struct series *s;
    const char *currency;
    const double *rate; /* by row; NULL: 1 */
    const struct series_benchmark *benchmark;
    struct arena *arena;
    int32_t as_of, window;
    size_t a, b; /* rows of the window */
};

static double value_of(const struct cut *c, size_t i)
{
    return c->rate == NULL ? c->s->adj[i] : c->s->adj[i] * c->rate[i];
}

struct paths {
    int32_t *date;
    double *value, *benchmark;
    size_t n;
};

static bool paths_init(struct paths *p, struct arena *arena, size_t n)
{
    p->n = 0;
    p->date = arena_room(arena, n, sizeof *p->date);
    p->value = arena_room(arena, n, sizeof *p->value);
    p->benchmark = arena_room(arena, n, sizeof *p->benchmark);
    return p->date != NULL && p->value != NULL && p->benchmark != NULL;
}

/* Days with a value, and among them those on which the benchmark has one, too. */
static bool read_paths(const struct cut *c, struct paths *own, struct paths *common)
{
    if (!paths_init(own, c->arena, c->b - c->a) || !paths_init(common, c->arena, c->b - c->a))
        return false;
    for (size_t i = c->a; i < c->b; i++) {
        double value = value_of(c, i);
        if (!isfinite(value) || value <= 0)
            continue;
        own->date[own->n] = c->s->date[i];
        own->value[own->n++] = value;
        double level = series_benchmark_at(c->benchmark, c->s->date[i], BENCHMARK_STALE_DAYS);
        if (!isfinite(level) || level <= 0)
            continue;
        common->date[common->n] = c->s->date[i];
        common->value[common->n] = value;
        common->benchmark[common->n++] = level;
    }
    return true;
}

static enum status write_figures(const struct cut *c, size_t n, const struct measure_value *values,
                                 struct outbox *box, struct db *db, struct err *err)
{
    union db_value row[OUTBOX_COLUMNS_MAX] = {{.text = str_of(c->s->touch->uid)},
                                              {.i64 = c->as_of},
                                              {.i64 = c->window},
                                              {.text = str_of(c->currency)},
                                              {.i64 = (int64_t)n - 1}};
    for (size_t i = 0; i < FIGURES; i++) {
        const struct measure_value *v = &values[figures[i]];
        row[KEYS + i].f64 = v->reason == REASON_NONE ? v->value : (double)NAN;
    }
    return outbox_add(box, db, row, err);
}

static enum status measure(const struct cut *c, const struct kernels *kernels, struct outbox *box,
                           struct db *db, struct err *err)
{
    struct measure_value values[MEASURE_ALL_COUNT];
    struct paths own, common;
    arena_reset(c->arena);
    if (c->b - c->a <= OBSERVATIONS_MIN)
        return STATUS_OK;
    if (!read_paths(c, &own, &common))
        return err_out_of_memory(err);
    if (own.n <= OBSERVATIONS_MIN)
        return STATUS_OK;
    bool is_daily = strcmp(c->s->touch->market, "24_7") == 0;
    bool has_benchmark = common.n > OBSERVATIONS_MIN;
    const struct measure_set wanted = measure_set_of(measure_headlines, MEASURE_HEADLINE_COUNT);
    struct measure_input input = {
        .path = {own.date, own.value, own.n},
        .periods_per_year = is_daily ? DAYS_PER_YEAR : SESSIONS_PER_YEAR,
        .common = {common.date, common.value, has_benchmark ? common.n : 0},
        .benchmark = {common.date, common.benchmark, has_benchmark ? common.n : 0},
        .kernels = kernels,
        .wanted = &wanted};
    enum status s = measure_compute(&input, c->arena, values, err);
    return s == STATUS_OK ? write_figures(c, own.n, values, box, db, err) : s;
}

/* Its own currency, the won and the dollar, each once. */
static enum status month(struct cut *c, const struct series_benchmark *benchmarks,
                         const struct kernels *kernels, struct outbox *box, struct db *db,
                         struct err *err)
{
    const struct series *s = c->s;
    const struct {
        const char *currency;
        const double *rate;
    } views[] = {{s->touch->currency, NULL}, {"KRW", s->fx_krw}, {"USD", s->fx_usd}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_LEN(views) && status == STATUS_OK; i++) {
        if (i > 0 && strcmp(views[i].currency, s->touch->currency) == 0)
            continue;
        c->currency = views[i].currency;
        c->rate = views[i].rate;
        c->benchmark = series_benchmark_of(benchmarks, c->currency);
        for (size_t w = 0; w < WINDOWS && status == STATUS_OK; w++) {
            c->window = windows[w];
            for (c->a = c->b; c->a > 0 && s->date[c->a - 1] >= c->as_of - c->window;)
                c->a--;
            status = measure(c, kernels, box, db, err);
        }
    }
    return status;
}

enum status series_risk(const struct series *s, const struct series_benchmark *benchmarks,
                        struct outbox *box, struct db *db, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    const struct kernels *kernels = kernels_choose(KERNELS_AUTO);
    struct cut c = {.s = s, .arena = &arena};
    enum status status = STATUS_OK;
    arena_init(&arena, SCRATCH_BYTES_MAX);
    for (size_t i = 0; i < s->n && status == STATUS_OK; i = c.b) {
        c.as_of = series_month_end(s->date[i]);
        for (c.b = i; c.b < s->n && s->date[c.b] <= c.as_of;)
            c.b++;
        if (c.as_of >= s->touch->from && c.as_of <= s->touch->to)
            status = month(&c, benchmarks, kernels, box, db, err);
    }
    return status;
}
