/* risk_free.c - a published rate becomes what a saver got from one session to the next. */
#include "backtest/risk_free.h"

#include "backtest/elementary.h"
#include "backtest/market_rates.h"
#include "backtest/measure.h"
#include "base/date.h"
#include "base/number.h"

#include <assert.h>
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

/* What was known at each session, in the unit of the series; NaN before its first publication. */
static enum status take_known(const struct spec *spec, const struct market_data *market,
                              const struct panel *panel, struct arena *arena,
                              const struct rate_series **ret_series, double **ret, struct err *err)
{
    size_t n = panel->n_sessions;
    const struct rate_series *series = market_find_rates(market, spec->risk_free);
    double *known = arena_array(arena, n, sizeof *known);
    if (known == NULL)
        return err_out_of_memory(err);
    if (series == NULL)
        return err_set(err, STATUS_UNKNOWN_ASSET, "There is no economic series %.*s.",
                       STR_ARG(spec->risk_free));
    enum status s = rates_check(series, err);
    if (s != STATUS_OK)
        return s;
    rates_as_known(series, (struct dated){n, panel->clock, panel->visible_until}, known);
    *ret_series = series;
    *ret = known;
    return STATUS_OK;
}

/* annual[] per session; the same rate twice in a row is compounded down once. */
static enum status compound_down(const struct spec *spec, const double *annual, size_t n,
                                 double periods_per_year, double *session, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t t = 0; t < n && s == STATUS_OK; t++) {
        bool is_same = t > 0 && number_is_same(annual[t], annual[t - 1]);
        session[t] =
            is_same ? session[t - 1] : measure_rate_per_period(annual[t], periods_per_year);
        s = check_rate(spec, annual[t], err);
    }
    return s;
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
    const struct rate_series *series = NULL;
    double *annual = NULL, *session = arena_array(arena, n, sizeof *session), sum = 0;
    if (session == NULL)
        return err_out_of_memory(err);
    enum status s = take_known(spec, market, panel, arena, &series, &annual, err);
    if (s != STATUS_OK)
        return s;
    assert(annual != NULL);
    if (isnan(annual[0]))
        return unknown_at_start(spec, series, err);
    for (size_t t = 0; t < n; t++) {
        annual[t] = spec_rate_annual(spec->risk_free_per, annual[t]);
        sum += annual[t];
    }
    s = compound_down(spec, annual, n, periods_per_year, session, err);
    double mean = sum / (double)n;
    *ret =
        (struct risk_free){annual, session, mean, measure_rate_per_period(mean, periods_per_year)};
    return s;
}

enum status risk_free_over(const struct spec *spec, const struct market_data *market,
                           const struct panel *panel, double annual, double periods_per_year,
                           struct arena *arena, const double **ret, struct err *err)
{
    size_t n = panel->n_sessions;
    const struct rate_series *series = NULL;
    double *known = NULL, *session = arena_array(arena, n, sizeof *session);
    if (session == NULL)
        return err_out_of_memory(err);
    enum status s = take_known(spec, market, panel, arena, &series, &known, err);
    if (s != STATUS_OK)
        return s;
    assert(known != NULL);
    for (size_t t = 0; t < n; t++)
        known[t] = isnan(known[t]) ? annual : spec_rate_annual(spec->risk_free_per, known[t]);
    s = compound_down(spec, known, n, periods_per_year, session, err);
    *ret = session;
    return s;
}

double risk_free_between(const struct risk_free *rate, size_t from, size_t to)
{
    double growth = 1;
    for (size_t t = from; t < to; t++)
        growth *= 1 + (rate->session != NULL ? rate->session[t] : rate->per_session);
    return growth - 1;
}
