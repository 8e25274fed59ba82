/* panel_benchmark.c - what a line is worth at each session, and when its last price is too old. */
#include "backtest/panel_benchmark.h"

#include "backtest/align.h"
#include "base/date.h"

#include <math.h>

/* Days on which an exchange could have traded, strictly between two dates; every day counts where coins do. */
static size_t days_between(int32_t from, int32_t to, bool trades_24_7)
{
    size_t n = 0;
    for (int32_t day = from + 1; day < to && n <= SPEC_STALE_MAX; day++)
        n += trades_24_7 || date_weekday(day) < 5 ? 1 : 0;
    return n;
}

void panel_line_value(const struct panel *panel, const struct price_series *series,
                      const uint32_t *row, const double *rate, unsigned max_stale, double *line)
{
    size_t next = 0; /* first session after the row's date */
    for (size_t t = 0; t < panel->n_sessions; t++) {
        double value = line[t];
        line[t] = (double)NAN;
        if (row[t] == ALIGN_NO_ROW)
            continue;
        int32_t date = series->date[row[t]];
        while (next <= t && panel->clock[next] <= date)
            next++;
        size_t age = t + 1 - next;
        if (date < panel->clock[0])
            age += days_between(date, panel->clock[0], series->trades_24_7);
        if (age <= max_stale)
            line[t] = value * rate[t];
    }
}
