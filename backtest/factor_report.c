/* factor_report.c - lines of the factors at the run's sessions, their returns, and the regression. */
#include "backtest/factor_report.h"

#include "backtest/measure.h"
#include "backtest/panel_benchmark.h"

#include <assert.h>
#include <math.h>

struct lines {
    const struct panel *panel;
    const struct spec *spec;
    const struct market_data *market;
    struct arena *arena;
    struct fx_table fx;
    uint32_t *row;                            /* scratch, n_sessions */
    double *value[REGRESSION_FACTORS_MAX][2]; /* of uid and of minus; NULL: none */
};

static enum status make_line(struct lines *l, struct str uid, double **ret, struct err *err)
{
    const struct panel *panel = l->panel;
    struct dated clock = {panel->n_sessions, panel->clock, panel->visible_until};
    const struct price_series *series = market_find(l->market, uid);
    struct basis basis;
    size_t currency = 0;
    *ret = NULL;
    if (uid.ptr == NULL)
        return STATUS_OK;
    if (series == NULL)
        return market_unknown(l->market, uid, err);
    enum status s = market_check_series(series, l->spec->prices, err);
    if (s == STATUS_OK)
        s = basis_init(&basis, series, series->n, basis_line_mode(l->spec), l->arena, err);
    if (s == STATUS_OK)
        s = fx_table_add(&l->fx, l->market, clock, series->currency, &currency, err);
    if (s != STATUS_OK)
        return s;
    double *line = arena_array(l->arena, clock.n, sizeof *line);
    if (line == NULL)
        return err_out_of_memory(err);
    align_rows((struct dated){series->n, series->date, series->known_at}, clock, l->row);
    basis_gather(&basis, l->row, clock.n, line);
    panel_line_value(panel, series, l->row, l->fx.rate[currency], l->spec->max_stale, line);
    *ret = line;
    return STATUS_OK;
}

static enum status make_lines(struct lines *l, struct err *err)
{
    const struct spec_factors *factors = &l->spec->factors;
    l->row = arena_array(l->arena, l->panel->n_sessions, sizeof *l->row);
    if (l->row == NULL)
        return err_out_of_memory(err);
    enum status s = fx_table_init(&l->fx, l->arena, 2 * factors->n + 1, l->spec->currency, err);
    for (size_t j = 0; j < factors->n && s == STATUS_OK; j++) {
        s = make_line(l, factors->factor[j].uid, &l->value[j][0], err);
        if (s == STATUS_OK)
            s = make_line(l, factors->factor[j].minus, &l->value[j][1], err);
    }
    return s;
}

static bool is_complete(const struct lines *l, size_t t)
{
    bool is_known = true;
    for (size_t j = 0; j < l->spec->factors.n; j++) {
        assert(l->value[j][0] != NULL);
        is_known = is_known && !isnan(l->value[j][0][t]) &&
                   (l->value[j][1] == NULL || !isnan(l->value[j][1][t]));
    }
    return is_known;
}

/* One row of the regression: from one complete session to the next. */
static void take_row(const struct lines *l, const double *equity, double rf, size_t from, size_t to,
                     size_t i, double *y, double *const *factor)
{
    y[i] = equity[to] / equity[from] - 1 - rf;
    for (size_t j = 0; j < l->spec->factors.n; j++) {
        const double *uid = l->value[j][0], *minus = l->value[j][1];
        assert(uid != NULL && factor[j] != NULL);
        factor[j][i] = uid[to] / uid[from] - 1 - (minus != NULL ? minus[to] / minus[from] - 1 : rf);
    }
}

enum status factor_report_make(const struct panel *panel, const struct spec *spec,
                               const struct market_data *market, const double *equity,
                               const struct risk_free *rate, struct arena *arena,
                               struct factor_report *ret, struct err *err)
{
    struct lines l = {.panel = panel, .spec = spec, .market = market, .arena = arena};
    double *factor[REGRESSION_FACTORS_MAX] = {NULL};
    const double *columns[REGRESSION_FACTORS_MAX] = {NULL};
    *ret = (struct factor_report){.first = DATE_NONE, .last = DATE_NONE};
    if (spec->factors.n == 0)
        return STATUS_OK;
    double *y = arena_array(arena, panel->n_sessions, sizeof *y);
    ret->is_asked = true;
    if (y == NULL)
        return err_out_of_memory(err);
    enum status s = make_lines(&l, err);
    for (size_t j = 0; j < spec->factors.n && s == STATUS_OK; j++) {
        columns[j] = factor[j] = arena_array(arena, panel->n_sessions, sizeof *factor[j]);
        s = factor[j] == NULL ? err_out_of_memory(err) : s;
    }
    if (s != STATUS_OK)
        return s;
    size_t live = measure_live_length((struct measure_path){NULL, equity, panel->n_sessions});
    size_t n = 0, before = live;
    for (size_t t = 0; t < live; t++) {
        if (!is_complete(&l, t))
            continue;
        if (before < live) {
            take_row(&l, equity, risk_free_between(rate, before, t), before, t, n++, y, factor);
            ret->first = ret->first == DATE_NONE ? panel->clock[before] : ret->first;
            ret->last = panel->clock[t];
        }
        before = t;
    }
    return regression_fit(y, columns, spec->factors.n, n, spec->factors.hac_lag, arena, &ret->fit,
                          err);
}
