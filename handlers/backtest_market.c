/* backtest_market.c - from uids to series: the loading half of backtest_run. */
#include "handlers/market_read.h"
#include "handlers/series_file.h"

#include "backtest/spec_portfolio.h"
#include "backtest/succession.h"
#include "backtest/yield_bond.h"

#include <stdio.h>
#include <string.h>

enum { OTHERS_MAX = 256 };

struct loader {
    struct market_reader reader;
    struct arena *arena;
    struct market_hold *hold;
    enum price_mode mode;
    struct price_series *series;
    size_t n_series, max_series;
    struct fx_series *fx;
    size_t n_fx;
};

/* The shared series of a name, held until the run is over. */
static enum status hold_series(struct loader *loader, struct str name, const char *pointer,
                               price_book_read_fn *read, const struct price_series **ret,
                               struct err *err)
{
    const struct market_source *source = loader->reader.source;
    struct price_page *page = NULL;
    loader->reader.pointer = pointer;
    enum status s = price_book_get(source->book, source->version, name, read, &loader->reader,
                                   source->stop, &page, err);
    if (s != STATUS_OK)
        return s;
    loader->hold->pages[loader->hold->n++] = page;
    *ret = price_page_series(page);
    return STATUS_OK;
}

/* The series that a bond is to be made of is not there: said of the uid that names it, not of the series' own. */
static enum status no_yields(const struct loader *loader, struct str uid,
                             const struct spec_indicator *wanted, struct err *err)
{
    if (err == NULL)
        return STATUS_UNKNOWN_ASSET;
    const size_t prefix = sizeof "indicator:" - 1, own = sizeof "yield:" - 1;
    struct str series = str_sub(wanted->uid, prefix, wanted->uid.len);
    struct str terms = str_sub(uid, own + series.len, uid.len), near = str_of(err->suggestion);
    char nearest[sizeof err->suggestion] = "";
    if (near.len > 0)
        (void)snprintf(nearest, sizeof nearest, "yield:%.*s%.*s",
                       STR_ARG(str_sub(near, prefix, near.len)), STR_ARG(terms));
    (void)err_set(err, STATUS_UNKNOWN_ASSET,
                  "There is no economic series \"%.*s\" to make the bond \"%.*s\" of.",
                  STR_ARG(series), STR_ARG(uid));
    err_at(err, ERR_POINTER, str_of(wanted->at), uid);
    err_suggest(err, str_of(nearest));
    err_allow(err,
              "yield:, an id of %s in per cent a year, and :MATURITY:COUPONS:CURRENCY, as in "
              "yield:DGS10:USA:D:10Y:2:USD",
              loader->reader.source->file != NULL ? "the file that --series names"
                                                  : "/v1/indicators");
    return STATUS_UNKNOWN_ASSET;
}

static enum status read_rates(struct loader *loader, const struct spec_indicator *wanted,
                              struct rate_series *ret, struct err *err)
{
    const struct price_file *file = loader->reader.source->file;
    return file != NULL ? series_file_find(file, wanted, ret, err)
                        : market_read_indicator(&loader->reader, wanted, loader->arena, ret, err);
}

/* What the yields of a bond's uid, as they were published, make of it. */
static enum status make_bond(struct loader *loader, struct str uid, const char *pointer,
                             struct price_series *ret, struct err *err)
{
    struct yield_bond bond;
    struct rate_series rates;
    struct buf name;
    const char *fault = yield_bond_parse(uid, &bond);
    if (fault != NULL)
        return err_set(err, STATUS_BAD_SPEC, "%s", fault);
    buf_init(&name, loader->arena, SPEC_UID_BYTES_MAX + sizeof "indicator:");
    buf_printf(&name, "indicator:%.*s:%.*s:%.*s", STR_ARG(bond.code), STR_ARG(bond.country),
               STR_ARG(bond.frequency));
    if (name.failed)
        return err_out_of_memory(err);
    const struct spec_indicator wanted = {buf_str(&name), pointer};
    enum status s = read_rates(loader, &wanted, &rates, err);
    if (s == STATUS_UNKNOWN_ASSET)
        return no_yields(loader, uid, &wanted, err);
    if (s != STATUS_OK)
        return s;
    s = yield_bond_prices(uid, &bond, &rates, loader->arena, ret, err);
    if (s == STATUS_BAD_DATA)
        err_at(err, ERR_POINTER, str_of(pointer), uid);
    return s;
}

/* The rows of an instrument that have a price. */
static enum status take_priced(struct loader *loader, struct str uid, const char *pointer,
                               struct price_series *ret, struct err *err)
{
    const struct price_series *shared = NULL;
    enum status s = hold_series(loader, uid, pointer, market_read_series, &shared, err);
    if (s != STATUS_OK)
        return s;
    *ret = *shared;
    return market_keep_priced(ret, loader->mode, loader->arena, err);
}

static enum status load_series(struct loader *loader, struct str uid, const char *pointer,
                               struct err *err)
{
    const struct price_file *file = loader->reader.source->file;
    const struct price_series *of_file = file == NULL ? NULL : market_find(&file->market, uid);
    struct price_series series = {.n = 0};
    for (size_t i = 0; i < loader->n_series; i++)
        if (str_eq(loader->series[i].uid, uid))
            return STATUS_OK;
    if (of_file != NULL) {
        loader->series[loader->n_series++] = *of_file;
        return STATUS_OK;
    }
    if (file != NULL && !yield_bond_is(uid)) {
        (void)market_unknown(&file->market, uid, err);
        err_at(err, ERR_POINTER, str_of(pointer), uid);
        err_allow(err, "a name that the file of prices has");
        return STATUS_UNKNOWN_ASSET;
    }
    enum status s = yield_bond_is(uid) ? make_bond(loader, uid, pointer, &series, err)
                                       : take_priced(loader, uid, pointer, &series, err);
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

/* What the shares of a raw run became, and what those became. */
static enum status load_others(struct loader *loader, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < loader->n_series && loader->mode == PRICES_RAW; i++) {
        const struct price_series series = loader->series[i];
        for (size_t k = 0; k < series.n_changes && s == STATUS_OK; k++) {
            if (loader->n_series == loader->max_series)
                return err_set(err, STATUS_TOO_LARGE,
                               "The assets of this run became more than %d others.",
                               (int)OTHERS_MAX);
            if (change_needs_other(&series.changes[k]))
                s = load_series(loader, series.changes[k].into, "/assets", err);
        }
        if (s != STATUS_OK)
            return s;
    }
    return STATUS_OK;
}

/* EUR to currency, once; EUR itself needs none. */
static enum status load_rate(struct loader *loader, const char *currency, const char *pointer,
                             struct err *err)
{
    char name[sizeof MARKET_RATE_PREFIX + CURRENCY_TEXT_BYTES];
    const struct price_series *rates = NULL;
    if (strcmp(currency, "EUR") == 0)
        return STATUS_OK;
    for (size_t i = 0; i < loader->n_fx; i++)
        if (strcmp(loader->fx[i].quote, currency) == 0)
            return STATUS_OK;
    (void)snprintf(name, sizeof name, MARKET_RATE_PREFIX "%s", currency);
    enum status s = hold_series(loader, str_of(name), pointer, market_read_rate, &rates, err);
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

static enum status load_indicators(struct loader *loader, const struct spec *spec,
                                   struct market_data *to, struct err *err)
{
    struct rate_series *rates = arena_array(loader->arena, spec->n_indicators + 1, sizeof *rates);
    enum status s = STATUS_OK;
    if (rates == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < spec->n_indicators && s == STATUS_OK; i++)
        s = read_rates(loader, &spec->indicators[i], &rates[i], err);
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
    bool has_store = loader->reader.source->file == NULL;
    enum status s = load_all_series(loader, spec, err);
    if (s == STATUS_OK && has_store)
        s = load_others(loader, err);
    if (s == STATUS_OK && has_store)
        s = load_rates(loader, spec, err);
    struct market_data market = {.series = loader->series,
                                 .n_series = loader->n_series,
                                 .fx = loader->fx,
                                 .n_fx = loader->n_fx};
    if (s == STATUS_OK && has_store && loader->mode == PRICES_RAW)
        s = market_follow(&market, loader->arena, err);
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
    struct loader loader = {
        .reader = {.source = source}, .arena = arena, .hold = hold, .mode = spec->prices};
    /* Beside the assets: the benchmark, the clock's base, what flows follow, and factors. */
    size_t max_series =
        spec_count_assets(spec) + spec->n_universe + 2 + spec->n_flows + 2 * spec->factors.n;
    max_series += spec->prices == PRICES_RAW ? OTHERS_MAX : 0;
    loader.max_series = max_series;
    loader.series = arena_array(arena, max_series, sizeof *loader.series);
    loader.fx = arena_array(arena, max_series + 1, sizeof *loader.fx);
    *hold = (struct market_hold){.book = source->book};
    hold->pages = arena_array(arena, 2 * max_series + 1, sizeof(struct price_page *));
    if (loader.series == NULL || loader.fx == NULL || hold->pages == NULL)
        return err_out_of_memory(err);
    enum status s = load_market(&loader, spec, ret, err);
    db_release(loader.reader.db);
    return s;
}
