/* coverage.c - compares what a spec asks for with the dates that its series have. */
#include "backtest/coverage.h"

#include "base/date.h"

#include <math.h>
#include <string.h>

size_t coverage_bars(const struct price_series *series)
{
    size_t n = series->n;
    while (n > 0 && series->delisted_on != DATE_NONE && series->date[n - 1] > series->delisted_on)
        n--;
    return n;
}

static enum status outside(const struct price_series *series, size_t n_bars, const char *pointer,
                           int32_t date, struct err *err)
{
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES], asked[DATE_TEXT_BYTES];
    date_format(series->date[0], first);
    date_format(series->date[n_bars - 1], last);
    date_format(date, asked);
    (void)err_set(err, STATUS_OUTSIDE_COVERAGE, "%.*s covers %s to %s%s; the backtest asks for %s.",
                  STR_ARG(series->uid), first, last,
                  series->delisted_on == DATE_NONE ? "" : " (then delisted)", asked);
    err_at(err, ERR_POINTER, str_of(pointer), str_of(asked));
    err_allow(err, "%s to %s for %.*s", first, last, STR_ARG(series->uid));
    return STATUS_OUTSIDE_COVERAGE;
}

enum status coverage_check(const struct price_series *series, int32_t start, int32_t end,
                           struct err *err)
{
    size_t n = coverage_bars(series);
    if (n == 0)
        return err_set(err, STATUS_NO_DATA, "%.*s has no bar before its delisting.",
                       STR_ARG(series->uid));
    if (series->date[0] > start)
        return outside(series, n, "/start", start, err);
    if (series->delisted_on != DATE_NONE)
        return series->delisted_on <= start ? outside(series, n, "/start", start, err) : STATUS_OK;
    if (series->date[n - 1] < end)
        return outside(series, n, "/end", end, err);
    return STATUS_OK;
}

/* The first day on which currency can be converted into base; DATE_NONE when no rate is needed. */
static int32_t fx_first(const struct market_data *market, const char *currency, const char *base)
{
    const char *legs[2] = {currency, base};
    int32_t first = DATE_NONE;

    if (strcmp(currency, base) == 0)
        return DATE_NONE;
    for (size_t i = 0; i < ARRAY_LEN(legs); i++) {
        const struct fx_series *fx = market_find_fx(market, legs[i]);
        if (fx != NULL && fx->n > 0 && fx->date[0] > first)
            first = fx->date[0];
    }
    return first;
}

static enum status nothing_common(const struct price_series *latest,
                                  const struct price_series *earliest, struct err *err)
{
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    date_format(latest->date[0], from);
    date_format(earliest->date[earliest->n - 1], to);
    (void)err_set(err, STATUS_OUTSIDE_COVERAGE,
                  "The assets have no common dates: %.*s starts on %s, %.*s ends on %s.",
                  STR_ARG(latest->uid), from, STR_ARG(earliest->uid), to);
    err_at(err, ERR_POINTER, STR("/assets"), STR_NONE);
    err_allow(err, "assets whose data overlap");
    return STATUS_OUTSIDE_COVERAGE;
}

enum status coverage_resolve(struct spec *spec, const struct market_data *market, struct err *err)
{
    int32_t from = DATE_NONE, listed_to = INT32_MAX, delisted_to = DATE_NONE;
    const struct price_series *latest = NULL, *earliest = NULL;

    for (size_t i = 0; i < spec->n_assets; i++) {
        if (!(fabs(spec->assets[i].weight) > 0))
            continue;
        const struct price_series *series = market_find(market, spec->assets[i].uid);
        if (series == NULL)
            return market_unknown(market, spec->assets[i].uid, err);
        size_t n = coverage_bars(series);
        if (n == 0)
            return err_set(err, STATUS_NO_DATA, "%.*s has no bars.", STR_ARG(series->uid));
        int32_t first_rate = fx_first(market, series->currency, spec->currency);
        int32_t first = series->date[0] > first_rate ? series->date[0] : first_rate;
        if (latest == NULL || first > from) {
            from = first;
            latest = series;
        }
        if (series->delisted_on != DATE_NONE) {
            delisted_to = series->delisted_on > delisted_to ? series->delisted_on : delisted_to;
        } else if (series->date[n - 1] < listed_to) {
            listed_to = series->date[n - 1];
            earliest = series;
        }
    }
    /* At the base's close, what closes or is published later that day is not known yet. */
    if (spec->start == DATE_NONE)
        spec->start = spec->clock == CLOCK_BASE ? from + 1 : from;
    if (spec->end == DATE_NONE) {
        spec->end = earliest != NULL ? listed_to : delisted_to;
        if (spec->end < spec->start && earliest != NULL && latest != NULL)
            return nothing_common(latest, earliest, err);
    }
    return spec_check_window(spec->start, spec->end, err);
}
