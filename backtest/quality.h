/*
 * quality.h - what is doubtful about one series: gaps, stale runs, spikes, unrecorded splits, misfits.
 * Made once when a series is read; runs look only at the findings inside their window. Pure; any thread.
 *
 * gap          open days of the calendar without a bar; without a calendar, five weekdays in a row (the
 *              longest closure of New York since 1950 had four), or any day where every day trades
 * stale run    the same close in more than QUALITY_STALE_BARS bars in a row
 * spike        one close at least QUALITY_SPIKE_RATIO times, or at most 1 / QUALITY_SPIKE_RATIO of, both its neighbours
 * jump         what a split that is not recorded looks like: the open has made the move, the close keeps it, and
 *              it is to less than 0.52 or more than 1.92 of the bar before, or near a usual ratio; with only
 *              closes, a move to less than 0.55 or more than 1.9
 * misfit       a bar on a day on which the calendar is closed; without one, on a Saturday or Sunday
 * zero volume  bars without trading, run by run
 * mismatch     an ex-date or any other day on which close and actions do not give the return of the
 *              adjusted close, whichever way it was adjusted (basis.h); more than 1 basis point apart
 *
 * Bars that are not sorted, are there twice, or have no positive price never come this far: market.h refuses
 * them. Neither row of a halt nor what it lacks is a finding: its source has said so.
 */
#ifndef BACKTEST_QUALITY_H
#define BACKTEST_QUALITY_H

#include "backtest/market.h"

enum quality_kind {
    QUALITY_GAP,
    QUALITY_STALE_RUN,
    QUALITY_SPIKE,
    QUALITY_JUMP,
    QUALITY_MISFIT,
    QUALITY_ZERO_VOLUME,
    QUALITY_MISMATCH,
    QUALITY_KINDS
};
extern const char *const quality_names[QUALITY_KINDS];

enum { QUALITY_STALE_BARS = 5, QUALITY_SPIKE_RATIO = 4, QUALITY_PER_KIND_MAX = 512 };

struct quality_finding {
    enum quality_kind kind;
    int32_t from, to; /* dates of the bars, or of the missing days, inclusive */
    double size;      /* missing days; bars; ratio to the bar before; basis points */
};

struct series_quality {
    size_t n;
    const struct quality_finding *findings; /* kind by kind, oldest first; a kind has at most
                                               QUALITY_PER_KIND_MAX, later ones are only counted */
    size_t n_unlisted[QUALITY_KINDS];
    bool has_calendar;
};

/* Open days of the series' market, strictly rising; n 0: no calendar. */
struct quality_calendar {
    size_t n;
    const int32_t *open;
};

/*
 * The series is one that market_check_series accepts, but for rows without a price (NaN), which are halts.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status quality_check(const struct price_series *series, struct quality_calendar calendar,
                          struct arena *arena, const struct series_quality **ret, struct err *err)
    NODISCARD;

/* Whether a finding touches the days from..to, and how many of each kind do; unlisted ones count as the last. */
bool quality_is_within(const struct quality_finding *finding, int32_t from, int32_t to);
void quality_count(const struct series_quality *quality, int32_t from, int32_t to,
                   size_t ret_n[QUALITY_KINDS]);

#endif
