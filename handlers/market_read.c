/* market_read.c - one instrument, calendar, rate or economic series out of the store, as the engine takes it. */
#include "handlers/market_read.h"

#include "backtest/quality.h"
#include "base/date.h"
#include "base/suggest.h"
#include "store/action_store.h"
#include "store/bar_store.h"
#include "store/calendar_store.h"
#include "store/indicator_store.h"
#include "store/instrument_store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static enum status unknown_asset(const char *pointer, struct str uid, struct str nearest,
                                 struct err *err)
{
    (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no instrument \"%.*s\".",
                  STR_ARG(str_utf8_cut(uid, 64)));
    err_at(err, ERR_POINTER, str_of(pointer), uid);
    err_suggest(err, nearest);
    err_allow(err, "a uid from /v1/instruments, as class:SYMBOL");
    return STATUS_UNKNOWN_ASSET;
}

static enum status open_db(struct market_reader *reader, struct err *err)
{
    const struct market_source *source = reader->source;
    if (reader->db != NULL)
        return STATUS_OK;
    enum status s = db_acquire(source->pool, DB_READ_MARTS, source->stop, &reader->db, err);
    if (s == STATUS_OK)
        db_limit(reader->db, source->statement_ms);
    return s;
}

static unsigned flags_of(const struct instrument *instrument, const struct bar_columns *bars)
{
    unsigned flags = 0;
    if (bars->is_simulated || str_eq_c(instrument->source, "simulated"))
        flags |= SERIES_SIMULATED;
    if (str_eq_c(instrument->price_basis, "adjusted"))
        flags |= SERIES_ADJUSTED_ONLY;
    if (instrument->is_survivor_biased)
        flags |= SERIES_SURVIVOR_BIASED;
    if (str_eq_c(instrument->asset_class, "index") && str_eq_c(instrument->price_basis, "price"))
        flags |= SERIES_PRICE_INDEX;
    return flags;
}

static struct price_series series_of(const struct instrument *instrument,
                                     const struct bar_columns *bars)
{
    struct price_series series = {
        .uid = instrument->uid,
        .n = bars->n,
        .date = bars->date,
        .price = bars->price,
        .known_at = bars->known_at,
        .open = bars->open,
        .high = bars->high,
        .low = bars->low,
        .close = bars->close,
        .volume = bars->volume,
        .dividend = bars->dividend,
        .split = bars->split,
        /* The store keeps the last day that had a price; the proceeds come on the day after. */
        .delisted_on =
            instrument->delisted_on == DATE_NONE ? DATE_NONE : instrument->delisted_on + 1,
        .delisting_return = instrument->delisting_return,
        .trades_24_7 = str_eq_c(instrument->market, "24_7"),
        .flags = flags_of(instrument, bars),
    };
    struct str currency = str_sub(instrument->currency, 0, sizeof series.currency - 1);
    memcpy(series.currency, currency.ptr,
           currency.len); /* the rest is zero: a NUL-terminated code */
    return series;
}

/* The terms of a bond whose maturity is known; what they lack is refused when a run needs them. */
static enum status take_terms(const struct instrument *instrument, struct arena *arena,
                              struct price_series *series, struct err *err)
{
    if (instrument->maturity == DATE_NONE)
        return STATUS_OK;
    struct bond_terms *bond = ARENA_NEW(arena, struct bond_terms);
    if (bond == NULL)
        return err_out_of_memory(err);
    bool is_30_360 = str_eq_c(instrument->day_count, "30_360");
    if (instrument->day_count.ptr != NULL && !is_30_360 &&
        !str_eq_c(instrument->day_count, "act_act_icma"))
        return err_set(err, STATUS_BAD_DATA, "%.*s has a day count that is not known: \"%.*s\".",
                       STR_ARG(instrument->uid), STR_ARG(str_utf8_cut(instrument->day_count, 32)));
    int64_t n = instrument->coupons_per_year;
    *bond = (struct bond_terms){.maturity = instrument->maturity,
                                .coupon_rate = instrument->coupon_rate,
                                .coupons_per_year = n < 0 || n > 12 ? 12 + 1 : (unsigned)n,
                                .day_count = is_30_360 ? DAY_COUNT_30_360 : DAY_COUNT_ACT_ACT_ICMA};
    series->bond = bond;
    return STATUS_OK;
}

/* Payments and splits are columns of the bars: here they say when they are paid, and are not counted again. */
static bool is_in_bars(struct str kind)
{
    return str_eq_c(kind, "dividend") || str_eq_c(kind, "capital_gain") || str_eq_c(kind, "split");
}

/* The days on which dividends are paid, beside the rows of their ex-dates; a day without a row is the next one's. */
static enum status take_pay_dates(const struct stored_action *actions, size_t n,
                                  struct arena *arena, struct price_series *series, struct err *err)
{
    double *pay_date = NULL;
    size_t row = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_in_bars(actions[i].kind) || actions[i].pay_date == DATE_NONE)
            continue;
        while (row < series->n && series->date[row] < actions[i].date)
            row++;
        if (row == series->n)
            break;
        if (pay_date == NULL) {
            pay_date = arena_array(arena, series->n, sizeof *pay_date);
            if (pay_date == NULL)
                return err_out_of_memory(err);
            for (size_t k = 0; k < series->n; k++)
                pay_date[k] = (double)NAN;
        }
        pay_date[row] = actions[i].pay_date;
    }
    series->pay_date = pay_date;
    return STATUS_OK;
}

/* What became of the shares; kinds that are not known are refused, for leaving them out would lose their worth. */
static enum status take_changes(const struct stored_action *actions, size_t n, struct arena *arena,
                                struct price_series *series, struct err *err)
{
    struct series_change *changes = arena_array(arena, n + 1, sizeof *changes);
    if (changes == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        size_t kind = 0;
        if (is_in_bars(actions[i].kind))
            continue;
        while (kind < CHANGE_KIND_COUNT && !str_eq_c(actions[i].kind, change_kind_names[kind]))
            kind++;
        if (kind == CHANGE_KIND_COUNT)
            return err_set(err, STATUS_BAD_DATA,
                           "%.*s has a corporate action of a kind that is not known: \"%.*s\".",
                           STR_ARG(series->uid), STR_ARG(str_utf8_cut(actions[i].kind, 32)));
        changes[series->n_changes++] = (struct series_change){.date = actions[i].date,
                                                              .kind = (enum change_kind)kind,
                                                              .into = actions[i].into,
                                                              .ratio = actions[i].ratio,
                                                              .cash = actions[i].cash};
    }
    series->changes = changes;
    return STATUS_OK;
}

static enum status take_actions(struct market_reader *reader, struct arena *arena,
                                struct price_series *series, struct err *err)
{
    struct stored_action *actions = NULL;
    size_t n = 0;
    enum status s =
        actions_load(reader->db, series->uid, reader->source->generation, arena, &actions, &n, err);
    if (s == STATUS_OK)
        s = take_changes(actions, n, arena, series, err);
    return s == STATUS_OK ? take_pay_dates(actions, n, arena, series, err) : s;
}

/* The name of a market's open days in the book; no instrument has it. */
#define CALENDAR_PREFIX "calendar/"

/* A price_book_read_fn: the open days of a market, as dates alone. */
static enum status read_calendar(void *cls, struct str name, struct arena *arena,
                                 struct price_series *ret, struct err *err)
{
    struct market_reader *reader = cls;
    struct str market = str_sub(name, strlen(CALENDAR_PREFIX), name.len);
    int32_t *days = NULL;
    size_t n = 0;
    enum status s = open_db(reader, err);
    if (s == STATUS_OK)
        s = calendar_open_days_load(reader->db, market, reader->source->generation, arena, &days,
                                    &n, err);
    if (s == STATUS_OK)
        *ret = (struct price_series){.uid = name, .n = n, .date = days};
    return s;
}

/* Looks the series over against the calendar of its market, which is in the book as well. */
static enum status look_over(struct market_reader *reader, struct str market, struct arena *arena,
                             struct price_series *series, struct err *err)
{
    const struct market_source *source = reader->source;
    struct price_page *page = NULL;
    struct quality_calendar calendar = {0};
    char name[SPEC_UID_BYTES_MAX + 1];
    int length = snprintf(name, sizeof name, CALENDAR_PREFIX "%.*s", STR_ARG(market));
    if (market.len > 0 && length > 0 && (size_t)length < sizeof name) {
        enum status s = price_book_get(source->book, source->version, str_of(name), read_calendar,
                                       reader, source->stop, &page, err);
        if (s != STATUS_OK)
            return s;
        const struct price_series *days = price_page_series(page);
        calendar = (struct quality_calendar){days->n, days->date};
    }
    enum status s = quality_check(series, calendar, arena, &series->quality, err);
    price_book_release(source->book, page);
    return s;
}

enum status market_read_series(void *cls, struct str uid, struct arena *arena,
                               struct price_series *ret, struct err *err)
{
    struct market_reader *reader = cls;
    struct instrument instrument;
    struct bar_columns bars;
    bool is_found = false;
    enum status s = open_db(reader, err);
    if (s == STATUS_OK)
        s = instrument_get(reader->db, uid, reader->source->generation, arena, &instrument,
                           &is_found, err);
    if (s == STATUS_OK && !is_found)
        return unknown_asset(reader->pointer, uid, instrument.uid, err);
    if (s == STATUS_OK)
        s = bars_load(reader->db, uid, reader->source->generation, arena, &bars, err);
    if (s != STATUS_OK)
        return s;
    struct price_series series = series_of(&instrument, &bars);
    s = take_terms(&instrument, arena, &series, err);
    if (s == STATUS_OK)
        s = take_actions(reader, arena, &series, err);
    if (s == STATUS_OK)
        s = look_over(reader, instrument.market, arena, &series, err);
    market_mark_whole(&series);
    if (s == STATUS_OK)
        *ret = series;
    return s;
}

static enum status no_rates(struct str currency, const char *pointer, struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC, "There are no exchange rates for %.*s.", STR_ARG(currency));
    err_at(err, ERR_POINTER, str_of(pointer), currency);
    err_allow(err, "EUR, or a quote currency of /v1/marts/mart_fx_daily");
    return STATUS_BAD_SPEC;
}

enum status market_read_rate(void *cls, struct str name, struct arena *arena,
                             struct price_series *ret, struct err *err)
{
    struct market_reader *reader = cls;
    struct price_column rates;
    struct str currency = str_sub(name, strlen(MARKET_RATE_PREFIX), name.len);
    enum status s = open_db(reader, err);
    if (s == STATUS_OK)
        s = fx_load(reader->db, STR("EUR"), currency, reader->source->generation, arena, &rates,
                    err);
    if (s == STATUS_OK && rates.n == 0)
        s = no_rates(currency, reader->pointer, err);
    if (s != STATUS_OK)
        return s;
    *ret = (struct price_series){.uid = name,
                                 .n = rates.n,
                                 .date = rates.date,
                                 .price = rates.price,
                                 .known_at = rates.known_at,
                                 .flags = rates.is_simulated ? SERIES_SIMULATED : 0};
    return STATUS_OK;
}

/* uid of the row's series, if its code is nearer to the one that is searched for than those before. */
static enum status offer_series(const struct rows *rows, struct suggest *search,
                                struct arena *arena, struct str *ret_uid)
{
    struct str code = rows_text(rows, SERIES_STAT_CODE);
    struct suggest before = *search;
    struct buf uid;
    suggest_offer(search, code);
    if (search->best.ptr == before.best.ptr && search->best_score == before.best_score)
        return STATUS_OK;
    buf_init(&uid, arena, SPEC_UID_BYTES_MAX);
    buf_printf(&uid, "indicator:%.*s:", STR_ARG(code));
    search->best = str_sub(buf_str(&uid), sizeof "indicator:" - 1, uid.len - 1);
    buf_printf(&uid, "%.*s:%.*s", STR_ARG(rows_text(rows, SERIES_COUNTRY_CODE)),
               STR_ARG(rows_text(rows, SERIES_FREQUENCY)));
    *ret_uid = buf_str(&uid);
    return uid.failed ? STATUS_OUT_OF_MEMORY : STATUS_OK;
}

/* Suggests the series whose code is the same or nearest. */
static enum status unknown_series(struct market_reader *reader, const struct spec_indicator *wanted,
                                  struct str code, struct arena *arena, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    const struct series_filter all = {.stat_code = STR_NONE};
    struct suggest search = suggest_start(code);
    struct str nearest = STR_NONE;
    bool has_row = false;
    enum status s = series_open(reader->db, &all, reader->source->generation, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = offer_series(&rows, &search, arena, &nearest);
    if (s != STATUS_OK)
        return s;
    (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series \"%.*s\".",
                  STR_ARG(str_utf8_cut(wanted->uid, 64)));
    err_at(err, ERR_POINTER, str_of(wanted->at), wanted->uid);
    err_suggest(err, nearest);
    err_allow(err, "indicator: and an id of /v1/indicators");
    return STATUS_UNKNOWN_ASSET;
}

enum status market_read_indicator(struct market_reader *reader, const struct spec_indicator *wanted,
                                  struct arena *arena, struct rate_series *ret, struct err *err)
{
    struct series_filter filter;
    struct step_columns steps = {0};
    if (!rates_uid_split(wanted->uid, &filter.stat_code, &filter.country, &filter.frequency))
        return unknown_asset(wanted->at, wanted->uid, STR_NONE, err);
    enum status s = open_db(reader, err);
    if (s == STATUS_OK)
        s = indicator_steps_load(reader->db, &filter, reader->source->generation, arena, &steps,
                                 err);
    if (s == STATUS_OK && steps.n == 0)
        return unknown_series(reader, wanted, filter.stat_code, arena, err);
    *ret = (struct rate_series){.uid = wanted->uid,
                                .n = steps.n,
                                .date = steps.date,
                                .known_at = steps.known_at,
                                .value = steps.value};
    return s;
}
