/* market.c - looking up series and checking the contract of their arrays before a run trusts them. */
#include "backtest/market.h"

#include "base/date.h"

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

const struct fx_series *market_find_fx(const struct market_data *market, const char *quote)
{
    for (size_t i = 0; i < market->n_fx; i++) {
        if (strcmp(market->fx[i].base, "EUR") == 0 && strcmp(market->fx[i].quote, quote) == 0)
            return &market->fx[i];
    }
    return NULL;
}

/* Dates strictly rising and values usable as prices; name is the uid or the currency pair. */
static enum status check_rows(struct str name, size_t n, const int32_t *date, const double *value,
                              struct err *err)
{
    char text[DATE_TEXT_BYTES];

    if (n == 0)
        return err_set(err, STATUS_NO_DATA, "%.*s has no rows.", STR_ARG(name));
    for (size_t i = 0; i < n; i++) {
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

enum status market_check_series(const struct price_series *series, struct err *err)
{
    enum status s = check_rows(series->uid, series->n, series->date, series->price, err);
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

enum status market_check_fx(const struct fx_series *fx, struct err *err)
{
    char pair[2 * CURRENCY_TEXT_BYTES];

    memcpy(pair, fx->base, 3);
    pair[3] = '/';
    memcpy(pair + 4, fx->quote, 3);
    return check_rows((struct str){pair, 7}, fx->n, fx->date, fx->rate, err);
}
