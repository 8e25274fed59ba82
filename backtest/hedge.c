/* hedge.c - the paths of hedged exchange rates, on one clock of all rates. */
#include "backtest/hedge.h"

#include "backtest/elementary.h"

#include <math.h>
#include <string.h>

struct hedger {
    const struct market_data *market;
    const struct spec_hedge *hedge; /* NULL: all of every currency, without a premium */
    const char *base;
    int32_t day; /* of the first session, and until when it sees */
    int64_t instant;
    struct dated clock; /* every day with a rate */
    uint32_t *row;      /* [clock.n] of scratch */
    const double *home; /* [clock.n] annual short rate of base; NULL: none */
    struct arena *arena;
};

static size_t anchor_of(const struct hedger *h)
{
    uint32_t row = align_row_at(h->clock, h->day, h->instant);
    return row == ALIGN_NO_ROW ? 0 : row;
}

/* The days on which some rate was published, each known when the last of them was. */
static enum status merge_clock(struct hedger *h, struct err *err)
{
    const struct market_data *market = h->market;
    size_t most = 0, n = 0;
    for (size_t i = 0; i < market->n_fx; i++)
        most += market->fx[i].n;
    int32_t *date = arena_array(h->arena, most + 1, sizeof *date);
    int64_t *known_at = arena_array(h->arena, most + 1, sizeof *known_at);
    size_t *at = arena_array(h->arena, market->n_fx + 1, sizeof *at);
    h->row = arena_array(h->arena, most + 1, sizeof *h->row);
    if (date == NULL || known_at == NULL || at == NULL || h->row == NULL)
        return err_out_of_memory(err);
    for (;;) {
        int32_t next = INT32_MAX;
        for (size_t i = 0; i < market->n_fx; i++) {
            const struct fx_series *fx = &market->fx[i];
            next = at[i] < fx->n && fx->date[at[i]] < next ? fx->date[at[i]] : next;
        }
        if (next == INT32_MAX)
            break;
        date[n] = next;
        known_at[n] = INT64_MIN;
        for (size_t i = 0; i < market->n_fx; i++) {
            const struct fx_series *fx = &market->fx[i];
            if (at[i] == fx->n || fx->date[at[i]] != next)
                continue;
            known_at[n] = fx->known_at[at[i]] > known_at[n] ? fx->known_at[at[i]] : known_at[n];
            at[i]++;
        }
        n++;
    }
    h->clock = (struct dated){n, date, known_at};
    return STATUS_OK;
}

/* Units of quote for one EUR at every day of the clock; NaN before the first. */
static void fill_leg(const struct hedger *h, const char *quote, double *ret)
{
    const struct fx_series *fx = market_find_fx(h->market, quote);
    bool is_eur = strcmp(quote, "EUR") == 0;
    if (fx != NULL && !is_eur)
        align_rows((struct dated){fx->n, fx->date, fx->known_at}, h->clock, h->row);
    for (size_t t = 0; t < h->clock.n; t++) {
        bool is_known = fx != NULL && !is_eur && h->row[t] != ALIGN_NO_ROW;
        ret[t] = is_eur ? 1 : is_known ? fx->rate[h->row[t]] : (double)NAN;
    }
}

static const struct hedge_rate *find_rate(const struct spec_hedge *hedge, const char *currency)
{
    for (size_t i = 0; i < hedge->n_rates; i++) {
        if (strcmp(hedge->rates[i].currency, currency) == 0)
            return &hedge->rates[i];
    }
    return NULL;
}

static enum status refuse_series(const struct hedge_rate *rate, enum status status,
                                 const char *what, const char *allowed, struct err *err)
{
    (void)err_set(err, status, "%.*s %s.", STR_ARG(rate->rate.indicator), what);
    err_at(err, ERR_POINTER, str_of(rate->at), rate->rate.indicator);
    err_allow(err, "%s", allowed);
    return status;
}

/* The annual rate known on each day of the clock; NaN before it was published, which is no later than the first session. */
static enum status take_rate(const struct hedger *h, const struct hedge_rate *rate, double **ret,
                             struct err *err)
{
    double *annual = arena_array(h->arena, h->clock.n + 1, sizeof *annual);
    if (annual == NULL)
        return err_out_of_memory(err);
    *ret = annual;
    if (rate->rate.indicator.ptr == NULL) {
        for (size_t t = 0; t < h->clock.n; t++)
            annual[t] = rate->rate.annual;
        return STATUS_OK;
    }
    const struct rate_series *series = market_find_rates(h->market, rate->rate.indicator);
    if (series == NULL)
        return refuse_series(rate, STATUS_UNKNOWN_ASSET, "is no economic series that is there",
                             "an id of /v1/indicators", err);
    enum status s = rates_check(series, err);
    if (s != STATUS_OK)
        return s;
    rates_as_known(series, h->clock, annual);
    for (size_t t = 0; t < h->clock.n; t++) {
        if (isnan(annual[t]))
            continue;
        annual[t] = spec_rate_annual(rate->rate.per, annual[t]);
        if (!(annual[t] >= -0.5 && annual[t] <= 1))
            return refuse_series(rate, STATUS_BAD_DATA, "is no short rate",
                                 "a series between -50 and 100 per cent a year", err);
    }
    if (h->clock.n > 0 && isnan(annual[anchor_of(h)]))
        return refuse_series(rate, STATUS_NO_DATA, "was not published yet at the first session",
                             "a later start, or a number", err);
    return STATUS_OK;
}

/* H_t / H_(t-1) - of the clock's days t - 1 and t. foreign: the currency's annual short rate; NULL: it is not hedged. */
static double growth(const struct hedger *h, const double *spot, const double *foreign, size_t t)
{
    double moved = spot[t] / spot[t - 1], premium = 1;
    if (h->hedge == NULL)
        return 1;
    if (h->home == NULL || foreign == NULL)
        return moved;
    double ratio = (1 + h->home[t - 1]) / (1 + foreign[t - 1]);
    if (isfinite(ratio))
        premium = elementary_pow(ratio, (double)(h->clock.date[t] - h->clock.date[t - 1]) / 365);
    return (1 - h->hedge->share) * moved + h->hedge->share * premium;
}

/* spot becomes H; *ret_first: the first day that has one. */
static void walk(const struct hedger *h, const double *foreign, double *spot, double *path,
                 size_t *ret_first)
{
    size_t n = h->clock.n, first = 0, anchor = anchor_of(h);
    while (first < n && isnan(spot[first]))
        first++;
    *ret_first = first;
    if (first == n)
        return;
    anchor = anchor < first ? first : anchor;
    path[anchor] = spot[anchor];
    for (size_t t = anchor; t > first; t--)
        path[t - 1] = path[t] / growth(h, spot, foreign, t);
    for (size_t t = anchor + 1; t < n; t++)
        path[t] = path[t - 1] * growth(h, spot, foreign, t);
    memcpy(spot + first, path + first, (n - first) * sizeof *spot);
}

/* The hedged rate of a currency in base. */
static enum status make_path(const struct hedger *h, const char *currency, double **ret,
                             size_t *ret_first, struct err *err)
{
    double *spot = arena_array(h->arena, h->clock.n + 1, sizeof *spot), *foreign = NULL;
    double *other = arena_array(h->arena, h->clock.n + 1, sizeof *other);
    const struct hedge_rate *rate = h->hedge != NULL ? find_rate(h->hedge, currency) : NULL;
    if (spot == NULL || other == NULL)
        return err_out_of_memory(err);
    enum status s = rate != NULL ? take_rate(h, rate, &foreign, err) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    fill_leg(h, h->base, spot);
    fill_leg(h, currency, other);
    for (size_t t = 0; t < h->clock.n; t++)
        spot[t] /= other[t];
    walk(h, foreign, spot, other, ret_first);
    *ret = spot;
    return STATUS_OK;
}

/*
 * The EUR reference rates that give H: the run's own is the path of EUR in it, and that over its own path is another's.
 */
static enum status remake(const struct hedger *h, struct fx_series *ret, struct err *err)
{
    double *euro = NULL, *path = NULL;
    size_t from = 0, first = 0;
    bool is_euro = strcmp(h->base, "EUR") == 0;
    enum status s = is_euro ? STATUS_OK : make_path(h, "EUR", &euro, &from, err);
    for (size_t i = 0; i < h->market->n_fx && s == STATUS_OK; i++) {
        struct fx_series fx = h->market->fx[i];
        first = from;
        path = euro;
        if (strcmp(fx.quote, h->base) != 0) {
            s = make_path(h, fx.quote, &path, &first, err);
            for (size_t t = first; s == STATUS_OK && t < h->clock.n; t++)
                path[t] = (euro == NULL ? 1 : euro[t]) / path[t];
        }
        if (s != STATUS_OK)
            return s;
        fx.n = h->clock.n - first;
        fx.date = h->clock.date + first;
        fx.known_at = h->clock.known_at + first;
        fx.rate = path + first;
        ret[i] = fx;
    }
    return s;
}

static enum status need_rate(const struct spec_hedge *hedge, const char *currency, struct err *err)
{
    if (find_rate(hedge, currency) != NULL)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_SPEC, "The hedge has no short rate of %s.", currency);
    err_at(err, ERR_POINTER, STR("/currency_modes/rates"), STR_NONE);
    err_allow(err, "a rate of %s, and of every other currency of the assets and the run", currency);
    return STATUS_BAD_SPEC;
}

static enum status check_currencies(const struct panel *panel, const struct spec_hedge *hedge,
                                    struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t a = 0; a < panel->n_positions && s == STATUS_OK; a++) {
        const char *currency = panel->assets[a].series->currency;
        if (strcmp(currency, panel->fx.base) == 0)
            continue;
        s = need_rate(hedge, panel->fx.base, err);
        if (s == STATUS_OK)
            s = need_rate(hedge, currency, err);
    }
    return s;
}

enum status hedge_rates(const struct market_data *market, const struct panel *panel,
                        const struct spec_hedge *hedge, struct arena *arena,
                        struct market_data *ret, struct err *err)
{
    struct hedger h = {.market = market,
                       .hedge = hedge,
                       .base = panel->fx.base,
                       .day = panel->clock[0],
                       .instant = panel->visible_until[0],
                       .arena = arena};
    double *home = NULL;
    struct fx_series *fx = arena_array(arena, market->n_fx + 1, sizeof *fx);
    if (fx == NULL)
        return err_out_of_memory(err);
    enum status s = hedge != NULL ? check_currencies(panel, hedge, err) : STATUS_OK;
    if (s == STATUS_OK)
        s = merge_clock(&h, err);
    const struct hedge_rate *own =
        s == STATUS_OK && hedge != NULL ? find_rate(hedge, h.base) : NULL;
    if (own != NULL)
        s = take_rate(&h, own, &home, err);
    h.home = home;
    if (s == STATUS_OK)
        s = remake(&h, fx, err);
    if (s != STATUS_OK)
        return s;
    *ret = *market;
    ret->fx = fx;
    return STATUS_OK;
}
