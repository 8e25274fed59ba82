/* backtest_market.c - from uids to series: the loading half of backtest_run. */
#include "handlers/backtest_market.h"

#include "backtest/quality.h"
#include "backtest/spec_portfolio.h"
#include "base/date.h"
#include "store/bar_store.h"
#include "store/calendar_store.h"
#include "store/indicator_store.h"
#include "store/instrument_store.h"

#include <stdio.h>
#include <string.h>

struct loader {
    const struct market_source *source;
    struct db *db; /* NULL until something has to be read */
    struct arena *arena;
    struct market_hold *hold;
    const char *pointer; /* of the uid or currency that is being loaded */
    enum price_mode mode;
    struct price_series *series;
    size_t n_series;
    struct fx_series *fx;
    size_t n_fx;
};

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while loading prices.");
}

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

static enum status open_db(struct loader *loader, struct err *err)
{
    const struct market_source *source = loader->source;
    if (loader->db != NULL)
        return STATUS_OK;
    enum status s = db_acquire(source->pool, DB_READ_MARTS, source->stop, &loader->db, err);
    if (s == STATUS_OK)
        db_limit(loader->db, source->statement_ms);
    return s;
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
        return out_of_memory(err);
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

/* The name of a market's open days in the book; no instrument has it. */
#define CALENDAR_PREFIX "calendar/"

/* A price_book_read_fn: the open days of a market, as dates alone. */
static enum status read_calendar(void *cls, struct str name, struct arena *arena,
                                 struct price_series *ret, struct err *err)
{
    struct loader *loader = cls;
    struct str market = str_sub(name, strlen(CALENDAR_PREFIX), name.len);
    int32_t *days = NULL;
    size_t n = 0;
    enum status s = open_db(loader, err);
    if (s == STATUS_OK)
        s = calendar_open_days_load(loader->db, market, loader->source->generation, arena, &days,
                                    &n, err);
    if (s == STATUS_OK)
        *ret = (struct price_series){.uid = name, .n = n, .date = days};
    return s;
}

/* Looks the series over against the calendar of its market, which is in the book as well. */
static enum status look_over(struct loader *loader, struct str market, struct arena *arena,
                             struct price_series *series, struct err *err)
{
    const struct market_source *source = loader->source;
    struct price_page *page = NULL;
    struct quality_calendar calendar = {0};
    char name[SPEC_UID_BYTES_MAX + 1];
    int length = snprintf(name, sizeof name, CALENDAR_PREFIX "%.*s", STR_ARG(market));
    if (market.len > 0 && length > 0 && (size_t)length < sizeof name) {
        enum status s = price_book_get(source->book, source->version, str_of(name), read_calendar,
                                       loader, source->stop, &page, err);
        if (s != STATUS_OK)
            return s;
        const struct price_series *days = price_page_series(page);
        calendar = (struct quality_calendar){days->n, days->date};
    }
    enum status s = quality_check(series, calendar, arena, &series->quality, err);
    price_book_release(source->book, page);
    return s;
}

/* A price_book_read_fn: one instrument and its bars. */
static enum status read_series(void *cls, struct str uid, struct arena *arena,
                               struct price_series *ret, struct err *err)
{
    struct loader *loader = cls;
    struct instrument instrument;
    struct bar_columns bars;
    bool is_found = false;
    enum status s = open_db(loader, err);
    if (s == STATUS_OK)
        s = instrument_get(loader->db, uid, loader->source->generation, arena, &instrument,
                           &is_found, err);
    if (s == STATUS_OK && !is_found)
        return unknown_asset(loader->pointer, uid, instrument.uid, err);
    if (s == STATUS_OK)
        s = bars_load(loader->db, uid, loader->source->generation, arena, &bars, err);
    if (s != STATUS_OK)
        return s;
    struct price_series series = series_of(&instrument, &bars);
    s = take_terms(&instrument, arena, &series, err);
    if (s == STATUS_OK)
        s = look_over(loader, instrument.market, arena, &series, err);
    if (s == STATUS_OK)
        *ret = series;
    return s;
}

/* The shared series of a name, held until the run is over. */
static enum status hold_series(struct loader *loader, struct str name, const char *pointer,
                               price_book_read_fn *read, const struct price_series **ret,
                               struct err *err)
{
    const struct market_source *source = loader->source;
    struct price_page *page = NULL;
    loader->pointer = pointer;
    enum status s =
        price_book_get(source->book, source->version, name, read, loader, source->stop, &page, err);
    if (s != STATUS_OK)
        return s;
    loader->hold->pages[loader->hold->n++] = page;
    *ret = price_page_series(page);
    return STATUS_OK;
}

static enum status load_series(struct loader *loader, struct str uid, const char *pointer,
                               struct err *err)
{
    const struct price_series *shared = NULL;
    for (size_t i = 0; i < loader->n_series; i++)
        if (str_eq(loader->series[i].uid, uid))
            return STATUS_OK;
    enum status s = hold_series(loader, uid, pointer, read_series, &shared, err);
    if (s != STATUS_OK)
        return s;
    struct price_series series = *shared;
    s = market_keep_priced(&series, loader->mode, loader->arena, err);
    loader->series[loader->n_series] = series;
    loader->n_series += s == STATUS_OK ? 1 : 0;
    return s;
}

static bool is_indicator(struct str uid)
{
    struct str code, country, frequency;
    return rates_uid_split(uid, &code, &country, &frequency);
}

/* The assets of a portfolio and of those inside it. */
static enum status load_assets(struct loader *loader, const struct spec *spec, struct err *err)
{
    char pointer[192];
    bool is_list_of_uids = strcmp(spec->assets_at, "/universe") == 0 ||
                           strcmp(spec->assets_at, "/monkeys/universe") == 0;
    const char *assets_tail = is_list_of_uids ? "" : "/uid";
    enum status s = STATUS_OK;
    for (size_t i = 0; i < spec->n_assets && s == STATUS_OK; i++) {
        (void)snprintf(pointer, sizeof pointer, "%s/%zu%s", spec->assets_at, i, assets_tail);
        s = spec->assets[i].portfolio != NULL
                ? load_assets(loader, spec->assets[i].portfolio, err)
                : load_series(loader, spec->assets[i].uid, pointer, err);
    }
    return s;
}

static bool is_portfolio(const struct spec *spec, struct str uid)
{
    for (size_t i = 0; i < spec->n_assets; i++) {
        if (spec->assets[i].portfolio != NULL && str_eq(spec->assets[i].uid, uid))
            return true;
    }
    return false;
}

static enum status load_factor(struct loader *loader, const struct spec_factor *factor, size_t i,
                               struct err *err)
{
    char pointer[64];
    if (factor->uid.ptr == NULL)
        return STATUS_OK; /* of a track record: given by other means */
    (void)snprintf(pointer, sizeof pointer, "/factors/%zu/uid", i);
    enum status s = load_series(loader, factor->uid, pointer, err);
    (void)snprintf(pointer, sizeof pointer, "/factors/%zu/minus", i);
    return s == STATUS_OK && factor->minus.ptr != NULL
               ? load_series(loader, factor->minus, pointer, err)
               : s;
}

static enum status load_all_series(struct loader *loader, const struct spec *spec, struct err *err)
{
    char pointer[64];
    enum status s = load_assets(loader, spec, err);
    for (size_t i = 0; i < spec->n_universe && s == STATUS_OK; i++) {
        if (is_portfolio(spec, spec->universe[i]))
            continue;
        (void)snprintf(pointer, sizeof pointer, "%s/%zu", spec->universe_at, i);
        s = load_series(loader, spec->universe[i], pointer, err);
    }
    if (s == STATUS_OK && spec->benchmark.ptr != NULL)
        s = load_series(loader, spec->benchmark, "/benchmark", err);
    for (size_t i = 0; i < spec->factors.n && s == STATUS_OK; i++)
        s = load_factor(loader, &spec->factors.factor[i], i, err);
    if (s == STATUS_OK && spec->clock == CLOCK_BASE)
        s = load_series(loader, spec->clock_base, "/clock/base", err);
    for (size_t i = 0; i < spec->n_flows && s == STATUS_OK; i++)
        if (spec->flows[i].index.ptr != NULL && !is_indicator(spec->flows[i].index))
            s = load_series(loader, spec->flows[i].index, spec->flows[i].index_at, err);
    return s;
}

static enum status no_rates(struct str currency, const char *pointer, struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC, "There are no exchange rates for %.*s.", STR_ARG(currency));
    err_at(err, ERR_POINTER, str_of(pointer), currency);
    err_allow(err, "EUR, or a quote currency of /v1/marts/mart_fx_daily");
    return STATUS_BAD_SPEC;
}

/* The name of the rates from EUR to a currency in the book; no instrument has it. */
#define RATE_PREFIX "EUR/"

/* A price_book_read_fn: the rates of such a name. */
static enum status read_rate(void *cls, struct str name, struct arena *arena,
                             struct price_series *ret, struct err *err)
{
    struct loader *loader = cls;
    struct price_column rates;
    struct str currency = str_sub(name, strlen(RATE_PREFIX), name.len);
    enum status s = open_db(loader, err);
    if (s == STATUS_OK)
        s = fx_load(loader->db, STR("EUR"), currency, loader->source->generation, arena, &rates,
                    err);
    if (s == STATUS_OK && rates.n == 0)
        s = no_rates(currency, loader->pointer, err);
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

/* EUR to currency, once; EUR itself needs none. */
static enum status load_rate(struct loader *loader, const char *currency, const char *pointer,
                             struct err *err)
{
    char name[sizeof RATE_PREFIX + CURRENCY_TEXT_BYTES];
    const struct price_series *rates = NULL;
    if (strcmp(currency, "EUR") == 0)
        return STATUS_OK;
    for (size_t i = 0; i < loader->n_fx; i++)
        if (strcmp(loader->fx[i].quote, currency) == 0)
            return STATUS_OK;
    (void)snprintf(name, sizeof name, RATE_PREFIX "%s", currency);
    enum status s = hold_series(loader, str_of(name), pointer, read_rate, &rates, err);
    if (s != STATUS_OK)
        return s;
    struct fx_series fx = {.base = "EUR",
                           .n = rates->n,
                           .date = rates->date,
                           .rate = rates->price,
                           .known_at = rates->known_at,
                           .flags = rates->flags};
    memcpy(fx.quote, currency, sizeof fx.quote);
    loader->fx[loader->n_fx] = fx;
    loader->n_fx++;
    return STATUS_OK;
}

static enum status load_rates(struct loader *loader, const struct spec *spec, struct err *err)
{
    bool needs_rates = false;
    for (size_t i = 0; i < loader->n_series; i++)
        needs_rates |= strcmp(loader->series[i].currency, spec->currency) != 0;
    if (!needs_rates)
        return STATUS_OK;
    enum status s = load_rate(loader, spec->currency, "/currency", err);
    for (size_t i = 0; i < loader->n_series && s == STATUS_OK; i++)
        s = load_rate(loader, loader->series[i].currency, "/assets", err);
    return s;
}

static enum status load_indicator(struct loader *loader, const struct spec_indicator *wanted,
                                  struct rate_series *ret, struct err *err)
{
    struct series_filter filter;
    struct step_columns steps = {0};
    if (!rates_uid_split(wanted->uid, &filter.stat_code, &filter.country, &filter.frequency))
        return unknown_asset(wanted->at, wanted->uid, STR_NONE, err);
    enum status s = open_db(loader, err);
    if (s == STATUS_OK)
        s = indicator_steps_load(loader->db, &filter, loader->source->generation, loader->arena,
                                 &steps, err);
    if (s == STATUS_OK && steps.n == 0) {
        (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series \"%.*s\".",
                      STR_ARG(str_utf8_cut(wanted->uid, 64)));
        err_at(err, ERR_POINTER, str_of(wanted->at), wanted->uid);
        err_allow(err, "indicator: and an id of /v1/indicators");
        return STATUS_UNKNOWN_ASSET;
    }
    *ret = (struct rate_series){.uid = wanted->uid,
                                .n = steps.n,
                                .date = steps.date,
                                .known_at = steps.known_at,
                                .value = steps.value};
    return s;
}

static enum status load_indicators(struct loader *loader, const struct spec *spec,
                                   struct market_data *to, struct err *err)
{
    struct rate_series *rates = arena_array(loader->arena, spec->n_indicators + 1, sizeof *rates);
    enum status s = STATUS_OK;
    if (rates == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < spec->n_indicators && s == STATUS_OK; i++)
        s = load_indicator(loader, &spec->indicators[i], &rates[i], err);
    to->rates = rates;
    to->n_rates = spec->n_indicators;
    return s;
}

void market_hold_release(struct market_hold *hold)
{
    for (size_t i = 0; i < hold->n; i++)
        price_book_release(hold->book, hold->pages[i]);
    hold->n = 0;
    panels_release(hold->panels, hold->panel);
    hold->panel = NULL;
}

static enum status load_market(struct loader *loader, const struct spec *spec,
                               struct market_data *ret, struct err *err)
{
    enum status s = load_all_series(loader, spec, err);
    if (s == STATUS_OK)
        s = load_rates(loader, spec, err);
    struct market_data market = {.series = loader->series,
                                 .n_series = loader->n_series,
                                 .fx = loader->fx,
                                 .n_fx = loader->n_fx};
    if (s == STATUS_OK)
        s = load_indicators(loader, spec, &market, err);
    if (s == STATUS_OK)
        *ret = market;
    return s;
}

enum status backtest_market_load(const struct market_source *source, const struct spec *spec,
                                 struct arena *arena, struct market_data *ret,
                                 struct market_hold *hold, struct err *err)
{
    struct loader loader = {.source = source, .arena = arena, .hold = hold, .mode = spec->prices};
    /* Beside the assets: the benchmark, the clock's base, what flows follow, and factors. */
    size_t max_series =
        spec_count_assets(spec) + spec->n_universe + 2 + spec->n_flows + 2 * spec->factors.n;
    loader.series = arena_array(arena, max_series, sizeof *loader.series);
    loader.fx = arena_array(arena, max_series + 1, sizeof *loader.fx);
    *hold = (struct market_hold){.book = source->book};
    hold->pages = arena_array(arena, 2 * max_series + 1, sizeof(struct price_page *));
    if (loader.series == NULL || loader.fx == NULL || hold->pages == NULL)
        return out_of_memory(err);
    enum status s = load_market(&loader, spec, ret, err);
    db_release(loader.db);
    return s;
}
