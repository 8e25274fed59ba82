/* panel.c - builds the aligned panel of a run: clock, exchange rates, one column per asset. */
#include "backtest/panel.h"

#include "backtest/coverage.h"
#include "backtest/panel_benchmark.h"
#include "backtest/panel_builder.h"
#include "backtest/panel_clock.h"
#include "backtest/panel_columns.h"
#include "base/date.h"

#include <math.h>
#include <string.h>

/* Columns of the held assets, in request order. Assets with weight 0 only have to exist. */
static enum status select_held(struct panel_builder *b, struct err *err)
{
    struct panel *panel = b->panel;
    for (size_t i = 0; i < b->spec->n_assets; i++) {
        const struct price_series *series = NULL;
        enum status s = panel_find_series(b, b->spec->assets[i].uid, &series, err);
        if (s != STATUS_OK)
            return s;
        if (!(fabs(b->spec->assets[i].weight) > 0))
            continue;
        s = coverage_check(series, b->spec->start, b->spec->end, err);
        if (s != STATUS_OK)
            return s;
        panel->assets[panel->n_held].series = series;
        panel->held[panel->n_held++] = i;
    }
    panel->n_assets = panel->n_held;
    return STATUS_OK;
}

static enum status fill_held(struct panel_builder *b, const struct stop *stop, struct err *err)
{
    for (size_t a = 0; a < b->panel->n_held; a++) {
        const struct price_series *series = b->panel->assets[a].series;
        bool is_covered = false;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        enum status s = panel_fill_column(b, a, &is_covered, err);
        if (s != STATUS_OK)
            return s;
        if (!is_covered) {
            char first[DATE_TEXT_BYTES];
            date_format(b->panel->clock[0], first);
            (void)err_set(
                err, STATUS_OUTSIDE_COVERAGE,
                "%.*s cannot be valued in %s from %s on: a price or an exchange rate between "
                "%s and %s is missing.",
                STR_ARG(series->uid), b->spec->currency, first, series->currency,
                b->spec->currency);
            err_at(err, ERR_POINTER, STR("/start"), str_of(first));
            err_allow(err, "a later start, or currency \"%s\"", series->currency);
            return STATUS_OUTSIDE_COVERAGE;
        }
        panel_count_column(b->panel, a);
    }
    return STATUS_OK;
}

/* Whether a universe asset reaches the whole clock; a delisted one must be alive at its start. */
static bool reaches(const struct panel *panel, const struct price_series *series)
{
    size_t n = coverage_bars(series);
    if (n == 0)
        return false;
    if (series->delisted_on != DATE_NONE)
        return series->delisted_on > panel->clock[0];
    return series->date[n - 1] >= panel->clock[panel->n_sessions - 1];
}

/* An asset whose market closes after the clock's own is never open at a session: nobody could buy it then. */
static bool is_ever_tradable(const struct panel *panel, size_t a)
{
    const uint8_t *state = panel->state + panel_cell(panel, a, 0);
    for (size_t t = 0; t < panel->n_sessions; t++)
        if (state[t] & PANEL_TRADABLE)
            return true;
    return false;
}

/* Columns of what is received from the i-th of the list on, up to the end-th, unless there is one. */
static enum status fill_received(struct panel_builder *b, size_t from, size_t end, struct err *err)
{
    struct panel *panel = b->panel;
    for (size_t i = from; i < end; i++) {
        const struct price_series *series = b->received.series[i];
        size_t a = panel->n_assets;
        bool is_covered = false;
        if (panel_column_of(panel, series->uid) < panel->n_assets)
            continue;
        enum status s = market_check_series(series, b->spec->prices, err);
        panel->assets[a] = (struct panel_asset){.series = series, .is_received = true};
        if (s == STATUS_OK)
            s = panel_fill_column(b, a, &is_covered, err);
        if (s != STATUS_OK)
            return s;
        if (is_covered) {
            panel_count_column(panel, a);
            panel->n_assets++;
        }
    }
    return STATUS_OK;
}

/* The column of the money that asset a pays in, made where there is none; none for the run's own. */
static enum status find_money(struct panel_builder *b, size_t a, struct err *err)
{
    struct panel *panel = b->panel;
    const char *currency = panel->assets[a].series->currency;
    const struct price_series *series = NULL;
    bool is_covered = false;
    panel->assets[a].money = PANEL_NEVER;
    if (b->spec->cash_currency != CASH_LOCAL || panel->assets[a].is_local)
        return STATUS_OK;
    for (size_t i = 0; i < panel->n_assets; i++)
        if (panel->assets[i].is_money && strcmp(panel->assets[i].series->currency, currency) == 0)
            panel->assets[a].money = (uint32_t)i;
    if (panel->assets[a].money != PANEL_NEVER)
        return STATUS_OK;
    size_t column = panel->n_assets;
    enum status s = money_series(panel, currency, b->arena, &series, err);
    if (s != STATUS_OK)
        return s;
    panel->assets[column] = (struct panel_asset){
        .series = series, .is_received = true, .is_money = true, .money = PANEL_NEVER};
    s = panel_fill_column(b, column, &is_covered, err);
    if (s != STATUS_OK || !is_covered)
        return s;
    panel_count_column(panel, column);
    panel->n_assets++;
    panel->has_money = true;
    panel->assets[a].money = (uint32_t)column;
    return STATUS_OK;
}

/* Those of the columns from the first-th on; they are appended. */
static enum status fill_money(struct panel_builder *b, size_t first, struct err *err)
{
    size_t n = b->panel->n_assets;
    enum status s = STATUS_OK;
    for (size_t a = first; a < n && s == STATUS_OK; a++)
        s = find_money(b, a, err);
    return s;
}

/* The universe's columns: held assets are shared, others appended or left out by name. */
static enum status fill_universe(struct panel_builder *b, const struct stop *stop, struct err *err)
{
    struct panel *panel = b->panel;
    for (size_t i = 0; i < b->spec->n_universe; i++) {
        const struct price_series *series = NULL;
        bool is_covered = true;
        size_t a = 0;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        while (a < panel->n_positions &&
               !str_eq(panel->assets[a].series->uid, b->spec->universe[i]))
            a++;
        if (a < panel->n_positions) { /* it has been checked */
            series = panel->assets[a].series;
            is_covered =
                a < panel->n_held || (panel->assets[a].first_at == 0 && reaches(panel, series));
        } else {
            enum status s = panel_find_series(b, b->spec->universe[i], &series, err);
            if (s != STATUS_OK)
                return s;
            a = panel->n_assets;
            panel->assets[a] = (struct panel_asset){.series = series};
            is_covered = reaches(panel, series);
            if (is_covered)
                s = panel_fill_column(b, a, &is_covered, err);
            if (s != STATUS_OK)
                return s;
            is_covered = is_covered && is_ever_tradable(panel, a);
            if (is_covered) {
                panel_count_column(panel, a);
                panel->n_assets++;
            }
        }
        if (is_covered)
            panel->universe[panel->n_universe++] = a;
        else
            panel->excluded[panel->n_excluded++] = series->uid;
    }
    return STATUS_OK;
}

static enum status fill_benchmark(struct panel_builder *b, struct err *err)
{
    struct panel *panel = b->panel;
    size_t currency = 0;
    struct basis basis;

    if (b->spec->benchmark.ptr == NULL)
        return STATUS_OK;
    enum status s = panel_find_series(b, b->spec->benchmark, &panel->benchmark_series, err);
    if (s == STATUS_OK)
        s = basis_init(&basis, panel->benchmark_series, panel->benchmark_series->n,
                       basis_line_mode(b->spec), b->arena, err);
    if (s == STATUS_OK)
        s = fx_table_add(&panel->fx, b->market, b->clock, panel->benchmark_series->currency,
                         &currency, err);
    if (s != STATUS_OK)
        return s;
    panel->benchmark = arena_array(b->arena, panel->n_sessions, sizeof *panel->benchmark);
    if (panel->benchmark == NULL)
        return panel_too_large(b, err);
    const struct price_series *series = panel->benchmark_series;
    align_rows((struct dated){series->n, series->date, series->known_at}, b->clock, b->row);
    basis_gather(&basis, b->row, panel->n_sessions, panel->benchmark);
    panel_line_value(panel, series, b->row, panel->fx.rate[currency], b->spec->max_stale,
                     panel->benchmark);
    return STATUS_OK;
}

static enum status allocate_lists(struct panel_builder *b, struct err *err)
{
    struct panel *panel = b->panel;
    size_t n_universe = b->spec->n_universe;
    b->max_assets = b->spec->n_assets + n_universe;
    if (b->spec->spin_offs == SPIN_OFFS_KEEP)
        b->max_assets += b->market->n_series;
    if (b->spec->cash_currency == CASH_LOCAL)
        b->max_assets += money_most(b->market);
    panel->assets = arena_array(b->arena, b->max_assets + 1, sizeof *panel->assets);
    panel->held = arena_array(b->arena, b->spec->n_assets, sizeof *panel->held);
    panel->universe = arena_array(b->arena, n_universe + 1, sizeof *panel->universe);
    panel->excluded = arena_array(b->arena, n_universe + 1, sizeof *panel->excluded);
    if (panel->assets == NULL || panel->held == NULL || panel->universe == NULL ||
        panel->excluded == NULL)
        return panel_too_large(b, err);
    return STATUS_OK;
}

/* Columns that may be needed: the held assets and the universe members that are not held. */
static size_t count_columns(const struct panel_builder *b)
{
    size_t n = b->panel->n_held + b->received.n;
    n += b->spec->cash_currency == CASH_LOCAL ? money_most(b->market) : 0;
    for (size_t i = 0; i < b->spec->n_universe; i++) {
        bool is_held = false;
        for (size_t a = 0; a < b->panel->n_held && !is_held; a++)
            is_held = str_eq(b->panel->assets[a].series->uid, b->spec->universe[i]);
        n += is_held ? 0 : 1;
    }
    return n;
}

static enum status allocate_cells(struct panel_builder *b, struct err *err)
{
    struct panel *panel = b->panel;
    size_t n = panel->n_sessions;

    b->max_assets = count_columns(b);
    panel->price = arena_room(b->arena, b->max_assets * n, sizeof *panel->price);
    panel->state = arena_room(b->arena, b->max_assets * n, sizeof *panel->state);
    panel->n_closed = arena_array(b->arena, n, sizeof *panel->n_closed);
    b->row = arena_array(b->arena, n, sizeof *b->row);
    if (panel->price == NULL || panel->state == NULL || panel->n_closed == NULL || b->row == NULL ||
        !panel_columns_init(panel, b->spec, b->max_assets, b->arena))
        return panel_too_large(b, err);
    return fx_table_init(&panel->fx, b->arena, b->max_assets + 1, b->spec->currency, err);
}

enum status panel_build(const struct spec *spec, const struct market_data *market,
                        struct arena *arena, const struct stop *stop, struct panel **ret_panel,
                        struct err *err)
{
    struct panel_builder b = {.spec = spec, .market = market, .arena = arena};
    b.panel = ARENA_NEW(arena, struct panel);
    if (b.panel == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    b.panel->kernels = market->kernels != NULL ? market->kernels : &kernels_ref;

    enum status s = allocate_lists(&b, err);
    if (s == STATUS_OK)
        s = select_held(&b, err);
    if (s == STATUS_OK)
        s = received_find(&b.received, b.panel, spec, market, arena, err);
    if (s == STATUS_OK)
        s = panel_clock_build(b.panel, spec, market, arena, &b.clock, err);
    if (s == STATUS_OK)
        s = allocate_cells(&b, err);
    if (s == STATUS_OK)
        s = fill_held(&b, stop, err);
    if (s == STATUS_OK)
        s = fill_received(&b, 0, b.received.n_of_held, err);
    if (s == STATUS_OK)
        s = fill_money(&b, 0, err);
    b.panel->n_positions = b.panel->n_assets;
    if (s == STATUS_OK)
        s = fill_universe(&b, stop, err);
    if (s == STATUS_OK)
        s = fill_received(&b, b.received.n_of_held, b.received.n, err);
    if (s == STATUS_OK)
        s = fill_money(&b, b.panel->n_positions, err);
    if (s == STATUS_OK)
        s = fill_benchmark(&b, err);
    if (s == STATUS_OK && !panel_events_build(b.panel, spec->pay_on, arena))
        s = panel_too_large(&b, err);
    if (s != STATUS_OK)
        return s;
    *ret_panel = b.panel;
    return STATUS_OK;
}
