/* risk_free.c - a published rate becomes what a saver got from one session to the next. */
#include "backtest/risk_free.h"

#include "backtest/elementary.h"
#include "backtest/market_rates.h"
#include "backtest/measure.h"
#include "base/date.h"
#include "base/number.h"

#include <math.h>

static enum status unknown_at_start(const struct spec *spec, const struct rate_series *series,
                                    struct err *err)
{
    char day[DATE_TEXT_BYTES];
    date_format(series->date[0], day);
    (void)err_set(err, STATUS_NO_DATA, "%.*s was not published yet at the first session.",
                  STR_ARG(spec->risk_free));
    err_at(err, ERR_POINTER, STR("/risk_free_rate/indicator"), spec->risk_free);
    err_allow(err, "a start after %s, or a number", day);
    return STATUS_NO_DATA;
}

static enum status check_rate(const struct spec *spec, double rate, struct err *err)
{
    if (rate >= -0.5 && rate <= 1)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_DATA, "%.*s is %g per cent a year, which is no risk-free rate.",
                  STR_ARG(spec->risk_free), rate * 100);
    err_at(err, ERR_POINTER, STR("/risk_free_rate/indicator"), spec->risk_free);
    err_allow(err, "a series between -50 and 100 per cent a year");
    return STATUS_BAD_DATA;
}

enum status risk_free_take(const struct spec *spec, const struct market_data *market,
                           const struct panel *panel, double periods_per_year, struct arena *arena,
                           struct risk_free *ret, struct err *err)
{
    *ret = (struct risk_free){.mean = spec->risk_free_rate,
                              .per_session =
                                  measure_rate_per_period(spec->risk_free_rate, periods_per_year)};
    if (spec->risk_free.ptr == NULL)
        return STATUS_OK;
    size_t n = panel->n_sessions;
    const struct rate_series *series = market_find_rates(market, spec->risk_free);
    double *annual = arena_array(arena, n, sizeof *annual);
    double *session = arena_array(arena, n, sizeof *session);
    if (annual == NULL || session == NULL)
        return err_out_of_memory(err);
    if (series == NULL)
        return err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series %.*s.",
                       STR_ARG(spec->risk_free));
    enum status s = rates_check(series, err);
    if (s != STATUS_OK)
        return s;
    rates_as_known(series, (struct dated){n, panel->clock, panel->visible_until}, annual);
    if (isnan(annual[0]))
        return unknown_at_start(spec, series, err);
    double sum = 0;
    for (size_t t = 0; t < n && s == STATUS_OK; t++) {
        annual[t] = spec->risk_free_per == RATE_PER_MONTH
                        ? elementary_pow(1 + annual[t] / 100, 12) - 1
                        : annual[t] / 100;
        bool is_same = t > 0 && number_is_same(annual[t], annual[t - 1]);
        session[t] =
            is_same ? session[t - 1] : measure_rate_per_period(annual[t], periods_per_year);
        s = check_rate(spec, annual[t], err);
        sum += annual[t];
    }
    double mean = sum / (double)n;
    *ret =
        (struct risk_free){annual, session, mean, measure_rate_per_period(mean, periods_per_year)};
    return s;
}

double risk_free_between(const struct risk_free *rate, size_t from, size_t to)
{
    double growth = 1;
    for (size_t t = from; t < to; t++)
        growth *= 1 + (rate->session != NULL ? rate->session[t] : rate->per_session);
    return growth - 1;
}
