/* market.c - looking up series and checking the contract of their arrays before a run trusts them. */
#include "backtest/market.h"

#include "base/date.h"
#include "base/uid_near.h"

#include <float.h>
#include <math.h>
#include <string.h>

const struct price_series *market_find(const struct market_data *market, struct str uid)
{
    for (size_t i = 0; i < market->n_series; i++) {
        if (str_eq(market->series[i].uid, uid))
            return &market->series[i];
    }
    return NULL;
}

enum status market_unknown(const struct market_data *market, struct str uid, struct err *err)
{
    struct uid_near search = uid_near_start(uid);
    for (size_t i = 0; i < market->n_series; i++)
        (void)uid_near_offer(&search, market->series[i].uid);
    (void)err_set(err, STATUS_UNKNOWN_ASSET, "There is no instrument %.*s.",
                  STR_ARG(str_utf8_cut(uid, 64)));
    err_suggest(err, search.best);
    return STATUS_UNKNOWN_ASSET;
}

const struct fx_series *market_find_fx(const struct market_data *market, const char *quote)
{
    for (size_t i = 0; i < market->n_fx; i++) {
        if (strcmp(market->fx[i].base, "EUR") == 0 && strcmp(market->fx[i].quote, quote) == 0)
            return &market->fx[i];
    }
    return NULL;
}

const struct rate_series *market_find_rates(const struct market_data *market, struct str uid)
{
    for (size_t i = 0; i < market->n_rates; i++) {
        if (str_eq(market->rates[i].uid, uid))
            return &market->rates[i];
    }
    return NULL;
}

static const double *price_column_of(const struct price_series *series, enum price_mode mode)
{
    return mode == PRICES_RAW ? series->close : series->price;
}

static enum status lacks_mode(const struct price_series *series, enum price_mode mode,
                              struct err *err)
{
    bool is_raw = mode == PRICES_RAW;
    (void)err_set(err, STATUS_BAD_SPEC, "%.*s has no %s prices.", STR_ARG(series->uid),
                  is_raw ? "raw" : "adjusted");
    err_at(err, ERR_POINTER, STR("/prices"), is_raw ? STR("raw") : STR("adjusted"));
    err_allow(err, "%s for all assets of a run, or leave this one out: modes are not mixed",
              is_raw ? "\"adjusted\"" : "\"raw\"");
    return STATUS_BAD_SPEC;
}

enum { CHECKED = 64 }; /* rows at a time */

/* Rows [from, to), from > 0: in order, with a price; no branch on any of them. */
static bool are_sound(const int32_t *date, const double *value, size_t from, size_t to)
{
    unsigned sound = 1;
    for (size_t i = from; i < to; i++)
        sound &= (unsigned)(date[i] > date[i - 1]) & (unsigned)(value[i] > 0) &
                 (unsigned)(value[i] <= DBL_MAX);
    return sound != 0;
}

/* Dates strictly rising and values usable as prices; name is the uid or the currency pair. */
static enum status check_rows(struct str name, size_t n, const int32_t *date, const double *value,
                              struct err *err)
{
    char text[DATE_TEXT_BYTES];

    if (n == 0)
        return err_set(err, STATUS_NO_DATA, "%.*s has no rows.", STR_ARG(name));
    for (size_t i = 0; i < n; i++) {
        while (i > 0 && i + CHECKED < n && are_sound(date, value, i, i + CHECKED))
            i += CHECKED;
        bool is_ordered = i == 0 || date[i] > date[i - 1];
        if (is_ordered && isfinite(value[i]) && value[i] > 0)
            continue;
        date_format(date[i], text);
        if (!is_ordered)
            return err_set(err, STATUS_BAD_DATA, "%.*s is not sorted by date at %s.", STR_ARG(name),
                           text);
        return err_set(err, STATUS_BAD_DATA, "%.*s has no positive finite price on %s.",
                       STR_ARG(name), text);
    }
    return STATUS_OK;
}

enum status market_check_series(const struct price_series *series, enum price_mode mode,
                                struct err *err)
{
    const double *used = price_column_of(series, mode);
    if (used == NULL && series->n > 0)
        return lacks_mode(series, mode, err);
    enum status s = check_rows(series->uid, series->n, series->date, used, err);
    if (s != STATUS_OK || series->delisted_on == DATE_NONE)
        return s;
    if (isfinite(series->delisting_return) && series->delisting_return >= -1)
        return STATUS_OK;
    char text[DATE_TEXT_BYTES];
    date_format(series->delisted_on, text);
    return err_set(err, STATUS_BAD_DATA,
                   "%.*s was delisted on %s with a return that is not at least -1.",
                   STR_ARG(series->uid), text);
}

/* Copies column's kept rows; a column that is not there stays NULL. False when out of memory. */
static bool keep_rows(const double **column, const bool *is_kept, size_t n, size_t n_kept,
                      struct arena *arena)
{
    if (*column == NULL)
        return true;
    double *kept = arena_array(arena, n_kept, sizeof *kept);
    size_t count = 0;
    if (kept == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_kept[i])
            kept[count++] = (*column)[i];
    *column = kept;
    return true;
}

/* Moves the actions of rows that go to the next row that stays, in shares of that row's day. */
static bool carry_actions(struct price_series *series, const bool *is_kept, struct arena *arena)
{
    double *dividend = arena_array(arena, series->n, sizeof *dividend);
    double *split = arena_array(arena, series->n, sizeof *split);
    double *pay_date = arena_array(arena, series->n, sizeof *pay_date);
    double pending_dividend = 0, pending_split = 1, pending_date = (double)NAN;
    if (dividend == NULL || split == NULL || pay_date == NULL)
        return false;
    for (size_t i = 0; i < series->n; i++) {
        double s = series->split == NULL || isnan(series->split[i]) ? 1 : series->split[i];
        double d = series->dividend == NULL || isnan(series->dividend[i]) ? 0 : series->dividend[i];
        pending_split *= s;
        pending_dividend = pending_dividend / s + d;
        if (d > 0 && series->pay_date != NULL)
            pending_date = series->pay_date[i];
        dividend[i] = pending_dividend;
        split[i] = pending_split;
        pay_date[i] = pending_date;
        if (is_kept[i]) {
            pending_dividend = 0;
            pending_split = 1;
            pending_date = (double)NAN;
        }
    }
    series->dividend = series->dividend != NULL ? dividend : NULL;
    series->split = series->split != NULL ? split : NULL;
    series->pay_date = series->pay_date != NULL ? pay_date : NULL;
    return true;
}

/* Dates and instants of the kept rows. */
static bool keep_dates(struct price_series *series, const bool *is_kept, size_t n_kept,
                       struct arena *arena)
{
    int32_t *date = arena_array(arena, n_kept, sizeof *date);
    int64_t *known_at = arena_array(arena, n_kept, sizeof *known_at);
    size_t count = 0;
    if (date == NULL || known_at == NULL)
        return false;
    for (size_t i = 0; i < series->n; i++) {
        if (!is_kept[i])
            continue;
        date[count] = series->date[i];
        known_at[count++] = series->known_at[i];
    }
    series->date = date;
    series->known_at = known_at;
    return true;
}

static size_t count_prices(const struct price_series *series, enum price_mode mode)
{
    const double *used = price_column_of(series, mode);
    size_t n_priced = 0;
    for (size_t i = 0; i < series->n && used != NULL; i++)
        n_priced += isnan(used[i]) ? 0 : 1;
    return n_priced;
}

void market_mark_whole(struct price_series *series)
{
    for (enum price_mode mode = PRICES_ADJUSTED; mode <= PRICES_RAW; mode++)
        series->is_whole[mode] = series->n > 0 && count_prices(series, mode) == series->n;
}

enum status market_keep_priced(struct price_series *series, enum price_mode mode,
                               struct arena *arena, struct err *err)
{
    const double *used = price_column_of(series, mode);
    /* What the bars call the end of a bond that lived to its maturity is that maturity. */
    if (mode == PRICES_RAW && series->bond != NULL && series->delisted_on != DATE_NONE &&
        series->delisted_on >= series->bond->maturity)
        series->delisted_on = series->bond->maturity;
    if (series->n == 0 || series->is_whole[mode])
        return STATUS_OK; /* market_check_series says when it is empty */
    size_t n_kept = count_prices(series, mode);
    if (n_kept == 0)
        return lacks_mode(series, mode, err);
    if (n_kept == series->n)
        return STATUS_OK;
    struct price_series kept = *series;
    bool *is_kept = arena_array(arena, series->n, sizeof *is_kept);
    bool fits = is_kept != NULL;
    for (size_t i = 0; i < series->n && fits; i++)
        is_kept[i] = !isnan(used[i]);
    fits = fits && carry_actions(&kept, is_kept, arena);
    const double **columns[] = {&kept.price,    &kept.open,  &kept.high,
                                &kept.low,      &kept.close, &kept.volume,
                                &kept.dividend, &kept.split, &kept.pay_date};
    for (size_t i = 0; i < ARRAY_LEN(columns) && fits; i++)
        fits = keep_rows(columns[i], is_kept, series->n, n_kept, arena);
    if (!fits || !keep_dates(&kept, is_kept, n_kept, arena))
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the prices of this run.");
    kept.n = n_kept;
    *series = kept;
    return STATUS_OK;
}

enum status market_check_fx(const struct fx_series *fx, struct err *err)
{
    char pair[2 * CURRENCY_TEXT_BYTES];

    memcpy(pair, fx->base, 3);
    pair[3] = '/';
    memcpy(pair + 4, fx->quote, 3);
    return check_rows((struct str){pair, 7}, fx->n, fx->date, fx->rate, err);
}
