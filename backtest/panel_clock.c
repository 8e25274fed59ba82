/* panel_clock.c - which days are sessions, and what is known at each; called by panel_build. */
#include "backtest/panel_clock.h"

#include "backtest/coverage.h"
#include "base/date.h"

struct days {
    int32_t start;
    size_t n;
    int64_t *known; /* when day start + d was known; NOT_A_SESSION: it is none */
};

static const int64_t NOT_A_SESSION = INT64_MIN;

static int64_t end_of_day(int32_t date)
{
    return ((int64_t)date + 1) * 86400;
}

/* Every day with a bar of the series is a session, known when the last of its bars was. */
static void mark_series(struct days *days, const struct price_series *series, int32_t *last)
{
    int32_t end = days->start + (int32_t)days->n - 1;
    size_t n = dates_until(series->date, coverage_bars(series), end);
    for (size_t i = dates_until(series->date, n, days->start - 1); i < n; i++) {
        size_t d = (size_t)(series->date[i] - days->start);
        int64_t known = days->known[d];
        days->known[d] = series->known_at[i] > known ? series->known_at[i] : known;
        *last = series->date[i] > *last ? series->date[i] : *last;
    }
}

/* The days of all held assets; a delisting after all of them is a session too, so that it takes place. */
static void mark_union(struct days *days, const struct panel *panel, int32_t end)
{
    int32_t last = days->start - 1;
    for (size_t a = 0; a < panel->n_held; a++)
        mark_series(days, panel->assets[a].series, &last);
    for (size_t a = 0; a < panel->n_held; a++) {
        int32_t gone = panel->assets[a].series->delisted_on;
        if (gone != DATE_NONE && gone > last && gone <= end)
            days->known[gone - days->start] = end_of_day(gone) - 1;
    }
}

static enum status mark_base(struct days *days, struct panel *panel, const struct spec *spec,
                             const struct market_data *market, struct err *err)
{
    const struct price_series *base = market_find(market, spec->clock_base);
    int32_t last = days->start - 1;
    if (base == NULL)
        return market_unknown(market, spec->clock_base, err);
    enum status s = market_check_series(base, spec->prices, err);
    if (s != STATUS_OK)
        return s;
    mark_series(days, base, &last);
    panel->trades_every_day = base->trades_24_7;
    return STATUS_OK;
}

static enum status mark_days(struct days *days, struct panel *panel, const struct spec *spec,
                             const struct market_data *market, struct err *err)
{
    for (size_t d = 0; d < days->n; d++)
        days->known[d] =
            spec->clock == CLOCK_DAILY_24_7 ? end_of_day(spec->start + (int32_t)d) : NOT_A_SESSION;
    switch (spec->clock) {
    case CLOCK_UNION:
        mark_union(days, panel, spec->end);
        for (size_t a = 0; a < panel->n_held; a++)
            panel->trades_every_day |= panel->assets[a].series->trades_24_7;
        return STATUS_OK;
    case CLOCK_DAILY_24_7:
        panel->trades_every_day = true;
        return STATUS_OK;
    case CLOCK_BASE:
        break;
    }
    return mark_base(days, panel, spec, market, err);
}

static enum status too_few(const struct spec *spec, size_t n, struct err *err)
{
    const char *days = str_plural(n, "day", "days");
    if (spec->clock == CLOCK_BASE)
        (void)err_set(err, STATUS_NO_DATA, "%.*s trades on %zu %s of this window.",
                      STR_ARG(spec->clock_base), n, days);
    else
        (void)err_set(err, STATUS_NO_DATA, "The held assets trade on %zu %s of this window.", n,
                      days);
    err_at(err, ERR_POINTER, STR("/start"), STR_NONE);
    err_allow(err, "a window with at least 2 sessions");
    return STATUS_NO_DATA;
}

enum status panel_clock_build(struct panel *panel, const struct spec *spec,
                              const struct market_data *market, struct arena *arena,
                              struct dated *ret_clock, struct err *err)
{
    struct days days = {.start = spec->start, .n = (size_t)(spec->end - spec->start) + 1};
    days.known = arena_array(arena, days.n, sizeof *days.known);
    int32_t *date = arena_array(arena, days.n, sizeof *date);
    int64_t *limit = arena_array(arena, days.n, sizeof *limit);
    if (days.known == NULL || date == NULL || limit == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "A clock of %zu days needs more memory than a request may use.", days.n);
    enum status s = mark_days(&days, panel, spec, market, err);
    if (s != STATUS_OK)
        return s;
    size_t n = 0;
    for (size_t d = 0; d < days.n; d++) {
        if (days.known[d] == NOT_A_SESSION)
            continue;
        date[n] = days.start + (int32_t)d;
        days.known[n] = days.known[d];
        limit[n] = spec->alignment == ALIGNMENT_SAME_LABEL ? INT64_MAX : days.known[n];
        n++;
    }
    if (n < 2)
        return too_few(spec, n, err);
    panel->n_sessions = n;
    panel->clock = date;
    panel->known_at = days.known;
    panel->visible_until = limit;
    *ret_clock = (struct dated){n, date, limit};
    return calendar_of(date, n, arena, &panel->calendar, err);
}
