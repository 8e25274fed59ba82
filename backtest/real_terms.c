/* real_terms.c - deflates lines by prices as they were known, and sums the years of withdrawals. */
#include "backtest/real_terms.h"

#include "backtest/spec.h"
#include "backtest/stats.h"
#include "base/date.h"

#include <math.h>
#include <stdio.h>

static enum status refuse(const struct spec *spec, enum status status, const char *detail,
                          const char *allowed, struct err *err)
{
    (void)err_set(err, status, "%.*s %s", STR_ARG(spec->inflation), detail);
    err_at(err, ERR_POINTER, STR("/inflation"), spec->inflation);
    err_allow(err, "%s", allowed);
    return status;
}

/* level[] of the series as it was known at each session. */
static enum status take_level(const struct spec *spec, const struct market_data *market,
                              const struct panel *panel, double *level, struct err *err)
{
    const struct rate_series *series = market_find_rates(market, spec->inflation);
    char day[DATE_TEXT_BYTES + 32];
    if (series == NULL)
        return refuse(spec, STATUS_UNKNOWN_ASSET, "is not there.", "an id of /v1/indicators", err);
    enum status s = rates_check(series, err);
    if (s != STATUS_OK)
        return s;
    rates_as_known(series, (struct dated){panel->n_sessions, panel->clock, panel->visible_until},
                   level);
    if (isnan(level[0])) {
        char first[DATE_TEXT_BYTES];
        date_format(series->date[0], first);
        (void)snprintf(day, sizeof day, "a start after %s", first);
        return refuse(spec, STATUS_NO_DATA, "was not published yet at the first session.", day,
                      err);
    }
    double base = level[0];
    for (size_t t = 0; t < panel->n_sessions; t++) {
        if (!(level[t] > 0))
            return refuse(spec, STATUS_BAD_DATA, "is 0 or less at some session: no price level.",
                          "an index of prices, as indicator:CPILFESL:USA:M", err);
        level[t] /= base;
    }
    return STATUS_OK;
}

enum status real_terms_take(const struct real_input *in, struct arena *arena,
                            struct real_terms *ret, struct err *err)
{
    const struct panel *panel = in->panel;
    size_t n = panel->n_sessions;
    struct real_terms real = {0};
    if (in->spec->inflation.ptr == NULL)
        return STATUS_OK;
    double *level = arena_array(arena, n, sizeof *level);
    double *line = arena_array(arena, n, sizeof *line);
    if (level == NULL || line == NULL)
        return err_out_of_memory(err);
    enum status s = take_level(in->spec, in->market, panel, level, err);
    if (s != STATUS_OK)
        return s;
    for (size_t t = 0; t < n; t++)
        line[t] = in->equity[t] / level[t];
    real.level = level;
    real.equity = line;
    real.terminal_wealth = in->terminal_wealth / level[n - 1];
    real.inflation = level[n - 1] - 1;
    real.inflation_annual = measure_cagr((struct measure_path){panel->clock, level, n});
    const struct measure_set wanted = measure_set_of(measure_headlines, MEASURE_HEADLINE_COUNT);
    struct measure_input input = {.path = {panel->clock, line, n},
                                  .calendar = &panel->calendar,
                                  .periods_per_year = in->periods_per_year,
                                  .kernels = panel->kernels,
                                  .wanted = &wanted};
    s = measure_compute(&input, arena, real.measures, err);
    if (s == STATUS_OK)
        *ret = real;
    return s;
}

/* First session on or after a day, from `from` on; n when there is none. */
static size_t session_of(const int32_t *clock, size_t n, size_t from, int32_t day)
{
    size_t low = from, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (clock[middle] < day)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Both rates from start on; false when the years do not fit. */
static bool rates_from(unsigned years, const int32_t *clock, const double *value, size_t n,
                       size_t start, double *ret_safe, double *ret_perpetual)
{
    double sum = 0;
    size_t at = start;
    bool is_ruined = false;
    for (unsigned k = 0; k <= years; k++) {
        at = session_of(clock, n, at, date_add_months(clock[start], 12 * (int)k));
        if (at == n)
            return false;
        is_ruined = is_ruined || !(value[at] > 0);
        sum += k < years ? value[start] / value[at] : 0;
    }
    *ret_safe = is_ruined ? 0 : 1 / sum;
    *ret_perpetual = is_ruined ? (double)NAN : (1 - value[start] / value[at]) / sum;
    return true;
}

/* The place of the lowest of n values that are numbers, and their median; scratch[n]. */
static size_t lowest(const double *value, size_t n, double *scratch, double *ret_median)
{
    size_t at = n, count = 0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(value[i]))
            continue;
        at = at == n || value[i] < value[at] ? i : at;
        scratch[count++] = value[i];
    }
    *ret_median = count > 0 ? stats_quantile(scratch, count, 0.5) : (double)NAN;
    return at;
}

enum status withdrawal_rates_take(unsigned years, const int32_t *clock, const double *value,
                                  size_t n, struct arena *arena, struct withdrawal_rates *ret,
                                  struct err *err)
{
    struct withdrawal_rates rates = {.years = years};
    size_t room = 2, m = 0;
    if (years == 0)
        return STATUS_OK;
    if (n > 0)
        room += (size_t)(clock[n - 1] - clock[0]) / 28;
    int32_t *start = arena_array(arena, room, sizeof *start);
    double *safe = arena_array(arena, room, sizeof *safe);
    double *perpetual = arena_array(arena, room, sizeof *perpetual);
    double *scratch = arena_array(arena, room, sizeof *scratch);
    if (start == NULL || safe == NULL || perpetual == NULL || scratch == NULL)
        return err_out_of_memory(err);
    int last_month = 0;
    for (size_t t = 0; t < n && value[t] > 0; t++) {
        int month = date_to_civil(clock[t]).month;
        if (month == last_month)
            continue;
        last_month = month;
        if (!rates_from(years, clock, value, n, t, &safe[m], &perpetual[m]))
            break;
        start[m++] = clock[t];
    }
    rates.n = m;
    rates.start = start;
    rates.safe = safe;
    rates.perpetual = perpetual;
    rates.worst = lowest(safe, m, scratch, &rates.median);
    rates.worst_perpetual = lowest(perpetual, m, scratch, &rates.median_perpetual);
    *ret = rates;
    return STATUS_OK;
}
