/* price_series.c - loads one instrument's bars and computes what a price query asks of them. */
#include "handlers/price_query.h"

#include "base/array.h"
#include "base/date.h"
#include "handlers/instrument.h"
#include "handlers/warnings.h"
#include "store/mart_query.h"
#include "store/price_store.h"

/* The days that must be read so that every bar of the window is computed from whole data. */
static struct window days_needed(const struct price_query *query)
{
    struct window days = query->window;
    if (query->transform != TRANSFORM_LIN)
        days.from = DATE_MIN; /* the value before may lie anywhere before */
    else if (days.from > DATE_MIN)
        days.from = period_first(query->interval, period_index(query->interval, days.from));
    if (query->adjust == ADJUST_SPLIT)
        days.to = DATE_MAX; /* later splits divide earlier prices */
    else if (days.to < DATE_MAX)
        days.to = period_last(query->interval, period_index(query->interval, days.to));
    if (days.from < DATE_MIN)
        days.from = DATE_MIN;
    if (days.to > DATE_MAX)
        days.to = DATE_MAX;
    return days;
}

static struct str keep(struct arena *arena, struct str text, struct str last)
{
    if (text.ptr == NULL || str_eq(text, last))
        return text.ptr == NULL ? STR_NONE : last; /* a series has few currencies and sources */
    return (struct str){arena_dup(arena, text), text.len};
}

static enum status read_bar(const struct rows *rows, struct arena *arena, const struct bar *last,
                            struct bar *ret, struct err *err)
{
    struct bar bar = {.quality = rows_i64(rows, PRICE_QUALITY), .sessions = 1};
    if (!rows_date(rows, PRICE_DATE, &bar.date) ||
        !rows_instant(rows, PRICE_KNOWN_AT, &bar.known_at))
        return err_set(err, STATUS_DB_ERROR, "A stored bar has a date that cannot be read.");
    for (size_t f = 0; f < BAR_FIELDS; f++) {
        struct str text = mart_value_text(rows, PRICE_OPEN + f, COLUMN_DECIMAL, arena);
        if (text.ptr == NULL) {
            bar.field[f] = CELL_NONE;
            continue;
        }
        const char *copy = arena_dup(arena, text);
        if (copy == NULL)
            return err_request_memory(err);
        bar.field[f] = cell_exact((struct str){copy, text.len});
    }
    bar.currency =
        keep(arena, rows_text(rows, PRICE_CURRENCY), last == NULL ? STR_NONE : last->currency);
    bar.source = keep(arena, rows_text(rows, PRICE_SOURCE), last == NULL ? STR_NONE : last->source);
    *ret = bar;
    return STATUS_OK;
}

static enum status read_bars(struct rows *rows, struct arena *arena, struct bars *ret,
                             struct err *err)
{
    size_t cap = 0;
    bool has_row = false;
    enum status s;
    while ((s = rows_next(rows, &has_row, err)) == STATUS_OK && has_row) {
        struct bar *all = arena_reserve(arena, ret->bar, ret->n + 1, &cap, sizeof *all);
        if (all == NULL)
            return err_request_memory(err);
        ret->bar = all;
        s = read_bar(rows, arena, ret->n == 0 ? NULL : &ret->bar[ret->n - 1], &ret->bar[ret->n],
                     err);
        if (s != STATUS_OK)
            return s;
        ret->n++;
    }
    return s;
}

/* EUR into currency, loaded once; n 0 when there are none. */
static enum status euro_rates(struct price_loader *loader, struct str currency, struct rates *ret,
                              struct err *err)
{
    for (size_t i = 0; i < loader->n_rates; i++)
        if (str_eq(loader->rates[i].currency, currency)) {
            *ret = loader->rates[i].rates;
            return STATUS_OK;
        }
    if (loader->n_rates == ARRAY_LEN(loader->rates))
        return err_set(err, STATUS_TOO_LARGE,
                       "There are more currencies than one request may convert.");
    struct price_column column = {0};
    const char *name = arena_dup(loader->kept, currency);
    enum status s = name == NULL ? err_request_memory(err)
                                 : fx_load(loader->db, STR("EUR"), currency,
                                           loader->resource->read_at, loader->kept, &column, err);
    if (s != STATUS_OK)
        return s;
    *ret = (struct rates){.n = column.n, .date = column.date, .rate = column.price};
    loader->rates[loader->n_rates++] =
        (struct price_rates){.currency = {name, currency.len}, .rates = *ret};
    return STATUS_OK;
}

static const int32_t never[] = {DATE_MAX};
static const double no_rate[] = {0};

/* One side of a conversion through EUR: n 0 is EUR itself; a currency without rates has none on any date. */
static enum status side(struct price_loader *loader, struct str currency, struct rates *ret,
                        struct err *err)
{
    *ret = (struct rates){.n = 0};
    if (str_eq(currency, STR("EUR")))
        return STATUS_OK;
    enum status s = euro_rates(loader, currency, ret, err);
    if (s == STATUS_OK && ret->n == 0)
        *ret = (struct rates){.n = 1, .date = never, .rate = no_rate};
    return s;
}

static enum status convert(struct price_loader *loader, const struct instrument *instrument,
                           struct price_series *series, struct err *err)
{
    struct str to = loader->query->currency;
    struct rates y = {0}, x = {0};
    if (to.ptr == NULL || str_eq(to, instrument->currency))
        return STATUS_OK;
    enum status s = side(loader, to, &y, err);
    if (s == STATUS_OK)
        s = side(loader, instrument->currency, &x, err);
    if (s != STATUS_OK)
        return s;
    loader->is_converted = true;
    if (bars_convert(series->bars, y, x, to) > 0)
        series->warnings |= 1u << WARNING_NO_RATE;
    return STATUS_OK;
}

/* The last weekday of a period, or its last day where weekends are sessions too. */
static int32_t last_session(enum frequency interval, int32_t date, bool is_seven_day)
{
    int32_t last = period_last(interval, period_index(interval, date));
    int weekday = date_weekday(last);
    return !is_seven_day && weekday > 4 ? last - (weekday - 4) : last;
}

static void cut(struct price_series *series, const struct window *window)
{
    struct bars *bars = &series->bars;
    while (bars->n > 0 && bars->bar[bars->n - 1].date > window->to)
        bars->n--;
    size_t skip = 0;
    while (skip < bars->n && bars->bar[skip].date < window->from)
        skip++;
    if (skip == 0)
        return;
    bars->bar += skip;
    bars->n -= skip;
}

static void note_sources(struct price_series *series)
{
    for (size_t i = 0; i < series->bars.n; i++)
        series->warnings |= warnings_of(series->bars.bar[i].source, series->bars.bar[i].quality);
}

static enum status compute(struct price_loader *loader, const struct instrument *instrument,
                           struct arena *arena, struct price_series *series, struct err *err)
{
    const struct price_query *query = loader->query;
    const unsigned prices = (1u << (BAR_VOLUME + 1)) - 1; /* open to volume */
    bool is_seven_day = str_eq_c(instrument->market, "24_7");
    bars_adjust(series->bars, query->adjust);
    enum status s = convert(loader, instrument, series, err);
    if (s != STATUS_OK)
        return s;
    bars_gather(&series->bars, query->interval, arena);
    s = bars_transform(series->bars, prices, query->transform, query->interval, is_seven_day, arena,
                       err);
    if (s != STATUS_OK)
        return s;
    cut(series, &query->window);
    if (series->bars.n > 0 && query->interval != FREQUENCY_DAY && instrument->is_active) {
        int32_t date = series->bars.bar[series->bars.n - 1].date;
        series->is_partial =
            last_session(query->interval, date, is_seven_day) > loader->resource->as_of;
    }
    note_sources(series);
    return STATUS_OK;
}

enum status price_loader_start(struct price_loader *loader, struct err *err)
{
    const struct price_query *query = loader->query;
    loader->instruments = arena_array(loader->kept, query->n_uids, sizeof *loader->instruments);
    if (loader->instruments == NULL)
        return err_request_memory(err);
    const char *parameter =
        loader->resource->request->path_params[0].ptr != NULL ? "uid" : "instruments";
    enum status s = STATUS_OK;
    for (size_t i = 0; i < query->n_uids && s == STATUS_OK; i++)
        s = instrument_find(loader->db, parameter, query->uids[i], loader->resource->read_at,
                            loader->kept, &loader->instruments[i], err);
    return s;
}

enum status price_series_load(struct price_loader *loader, size_t i, struct arena *arena,
                              struct price_series *ret, struct err *err)
{
    struct price_series series = {.bars = {.n = 0}};
    struct window days = days_needed(loader->query);
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = price_bars_open(loader->db, loader->query->uids[i], loader->resource->read_at,
                                    days.from, days.to, &rows, err);
    if (s == STATUS_OK)
        s = read_bars(&rows, arena, &series.bars, err);
    rows_clear(&rows); /* the connection has other questions now */
    if (s == STATUS_OK)
        s = compute(loader, &loader->instruments[i], arena, &series, err);
    if (s == STATUS_OK)
        *ret = series;
    return s;
}
