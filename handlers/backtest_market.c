/* backtest_market.c - from uids to series: the loading half of backtest_run. */
#include "handlers/backtest_market.h"

#include "base/date.h"
#include "store/bar_store.h"
#include "store/indicator_store.h"
#include "store/instrument_store.h"

#include <stdio.h>
#include <string.h>

struct loader {
    struct db *db;
    int64_t generation;
    struct arena *arena;
    enum price_mode mode;
    struct price_series *series;
    size_t n_series, max_series;
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

static enum status load_series(struct loader *loader, struct str uid, const char *pointer,
                               struct err *err)
{
    for (size_t i = 0; i < loader->n_series; i++)
        if (str_eq(loader->series[i].uid, uid))
            return STATUS_OK;
    struct instrument instrument;
    struct bar_columns bars;
    bool is_found = false;
    enum status s = instrument_get(loader->db, uid, loader->generation, loader->arena, &instrument,
                                   &is_found, err);
    if (s == STATUS_OK && !is_found)
        return unknown_asset(pointer, uid, instrument.uid, err);
    if (s == STATUS_OK)
        s = bars_load(loader->db, uid, loader->generation, loader->arena, &bars, err);
    if (s != STATUS_OK)
        return s;
    struct price_series series = {
        .uid = uid,
        .n = bars.n,
        .date = bars.date,
        .price = bars.price,
        .known_at = bars.known_at,
        .open = bars.open,
        .close = bars.close,
        .volume = bars.volume,
        .dividend = bars.dividend,
        .split = bars.split,
        /* The store keeps the last day that had a price; the proceeds come on the day after. */
        .delisted_on = instrument.delisted_on == DATE_NONE ? DATE_NONE : instrument.delisted_on + 1,
        .delisting_return = instrument.delisting_return,
        .trades_24_7 = str_eq_c(instrument.market, "24_7"),
        .flags = flags_of(&instrument, &bars),
    };
    struct str currency = str_sub(instrument.currency, 0, sizeof series.currency - 1);
    memcpy(series.currency, currency.ptr,
           currency.len); /* the rest is zero: a NUL-terminated code */
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

static enum status load_all_series(struct loader *loader, const struct spec *spec, struct err *err)
{
    char pointer[64];
    const char *assets_tail = strcmp(spec->assets_at, "/assets") == 0 ? "/uid" : "";
    enum status s = STATUS_OK;
    for (size_t i = 0; i < spec->n_assets && s == STATUS_OK; i++) {
        (void)snprintf(pointer, sizeof pointer, "%s/%zu%s", spec->assets_at, i, assets_tail);
        s = load_series(loader, spec->assets[i].uid, pointer, err);
    }
    for (size_t i = 0; i < spec->n_universe && s == STATUS_OK; i++) {
        (void)snprintf(pointer, sizeof pointer, "%s/%zu", spec->universe_at, i);
        s = load_series(loader, spec->universe[i], pointer, err);
    }
    if (s == STATUS_OK && spec->benchmark.ptr != NULL)
        s = load_series(loader, spec->benchmark, "/benchmark", err);
    if (s == STATUS_OK && spec->clock == CLOCK_BASE)
        s = load_series(loader, spec->clock_base, "/clock/base", err);
    for (size_t i = 0; i < spec->n_flows && s == STATUS_OK; i++)
        if (spec->flows[i].index.ptr != NULL && !is_indicator(spec->flows[i].index))
            s = load_series(loader, spec->flows[i].index, spec->flows[i].index_at, err);
    return s;
}

static enum status no_rates(const char *currency, const char *pointer, struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC, "There are no exchange rates for %s.", currency);
    err_at(err, ERR_POINTER, str_of(pointer), str_of(currency));
    err_allow(err, "EUR, or a quote currency of /v1/marts/mart_fx_daily");
    return STATUS_BAD_SPEC;
}

/* EUR to currency, once; EUR itself needs none. */
static enum status load_rate(struct loader *loader, const char *currency, const char *pointer,
                             struct err *err)
{
    if (strcmp(currency, "EUR") == 0)
        return STATUS_OK;
    for (size_t i = 0; i < loader->n_fx; i++)
        if (strcmp(loader->fx[i].quote, currency) == 0)
            return STATUS_OK;
    struct price_column rates;
    enum status s = fx_load(loader->db, STR("EUR"), str_of(currency), loader->generation,
                            loader->arena, &rates, err);
    if (s == STATUS_OK && rates.n == 0)
        s = no_rates(currency, pointer, err);
    if (s != STATUS_OK)
        return s;
    struct fx_series fx = {.base = "EUR",
                           .n = rates.n,
                           .date = rates.date,
                           .rate = rates.price,
                           .known_at = rates.known_at,
                           .flags = rates.is_simulated ? SERIES_SIMULATED : 0};
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
    enum status s =
        indicator_steps_load(loader->db, &filter, loader->generation, loader->arena, &steps, err);
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

enum status backtest_market_load(struct db *db, const struct spec *spec, int64_t generation,
                                 struct arena *arena, struct market_data *ret, struct err *err)
{
    struct loader loader = {
        .db = db, .generation = generation, .arena = arena, .mode = spec->prices};
    loader.max_series =
        spec->n_assets + spec->n_universe + 2 + spec->n_flows; /* benchmark and base */
    loader.series = arena_array(arena, loader.max_series, sizeof *loader.series);
    loader.fx = arena_array(arena, loader.max_series + 1, sizeof *loader.fx);
    if (loader.series == NULL || loader.fx == NULL)
        return out_of_memory(err);
    enum status s = load_all_series(&loader, spec, err);
    if (s == STATUS_OK)
        s = load_rates(&loader, spec, err);
    struct market_data market = {
        .series = loader.series, .n_series = loader.n_series, .fx = loader.fx, .n_fx = loader.n_fx};
    if (s == STATUS_OK)
        s = load_indicators(&loader, spec, &market, err);
    if (s == STATUS_OK)
        *ret = market;
    return s;
}
