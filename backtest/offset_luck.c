/* offset_luck.c - runs a finished request at its other rebalance offsets and measures the spread. */
#include "backtest/offset_luck.h"

#include "backtest/backtest.h"
#include "backtest/order.h"
#include "backtest/schedule.h"

#include <math.h>

unsigned offset_luck_count(const struct spec *spec)
{
    const struct rebalance_rule *rule = &spec->rebalance;
    if (rule->every == REBALANCE_NEVER)
        return 1;
    unsigned n = schedule_offsets(rule->every, rule->n_sessions);
    return n > 1 ? n : 1;
}

static double known(const struct measure_value *value)
{
    return value->reason == REASON_NONE ? value->value : (double)NAN;
}

static struct offset_row row_of(const struct backtest_result *r)
{
    struct offset_row row = {.offset = r->spec->rebalance.offset};
    row.score.value[MONKEY_CAGR] = known(&r->measures[MEASURE_cagr]);
    row.score.value[MONKEY_SHARPE] = known(&r->measures[MEASURE_sharpe]);
    row.score.value[MONKEY_MAX_DRAWDOWN] = known(&r->measures[MEASURE_max_drawdown]);
    row.score.value[MONKEY_TERMINAL_WEALTH] = r->wealth[r->panel->n_sessions - 1];
    return row;
}

/* value has room for report->n, scratch too, places for twice as many and one. */
static struct offset_band band_of(const struct offset_report *report, size_t k, double *value,
                                  double *scratch, uint32_t *places)
{
    struct offset_band band = {.own = (double)NAN};
    for (size_t i = 0; i < report->n; i++) {
        double x = report->rows[i].score.value[k];
        if (report->rows[i].offset == report->own)
            band.own = x;
        if (!isnan(x))
            scratch[band.n++] = x;
    }
    if (band.n == 0)
        return band;
    order_sort(&kernels_ref, scratch, band.n, value, places);
    band.lowest = value[0];
    band.median = order_quantile(value, band.n, 0.5);
    band.highest = value[band.n - 1];
    band.percentile =
        isnan(band.own) ? (double)NAN : monkey_rank(band.own, value, band.n).percentile;
    return band;
}

static enum status fill_bands(struct offset_report *report, struct arena *arena, struct err *err)
{
    double *value = arena_array(arena, 2 * report->n, sizeof *value);
    uint32_t *places = arena_array(arena, 2 * report->n + 1, sizeof *places);
    if (value == NULL || places == NULL)
        return err_out_of_memory(err);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
        report->band[k] = band_of(report, k, value, value + report->n, places);
    return STATUS_OK;
}

enum status offset_luck_run(const struct backtest_result *run, const struct market_data *market,
                            struct arena *arena, const struct stop *stop, struct offset_report *ret,
                            struct err *err)
{
    struct offset_report report = {.n = offset_luck_count(run->spec),
                                   .own = run->spec->rebalance.offset};
    struct spec spec = *run->spec;
    struct arena scratch; /* given back after every run: they do not add up */
    enum status s = STATUS_OK;
    if (report.n == 1) {
        *ret = (struct offset_report){0};
        return STATUS_OK;
    }
    report.rows = arena_array(arena, report.n, sizeof *report.rows);
    if (report.rows == NULL)
        return err_out_of_memory(err);
    arena_init(&scratch, arena->limit_bytes - arena->used_bytes);
    for (size_t i = 0; i < report.n && s == STATUS_OK; i++) {
        struct backtest_result *other = NULL;
        spec.rebalance.offset = (unsigned)i;
        arena_reset(&scratch);
        s = backtest_run_bare(&spec, market, &scratch, stop, &other, err);
        if (s == STATUS_OK)
            report.rows[i] = row_of(other);
    }
    arena_clear(&scratch);
    if (s == STATUS_OK)
        s = fill_bands(&report, arena, err);
    if (s == STATUS_OK)
        *ret = report;
    return s;
}
