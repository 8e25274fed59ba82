/* align.c - as-of joins by date and by the instant of publication: the look-ahead guard of a run. */
#include "backtest/align.h"

#include "base/date.h"

/* Steps back from the rows dated in time to the last that was also published in time. */
static uint32_t last_known(struct dated rows, size_t n_dated, int64_t instant)
{
    while (n_dated > 0 && rows.known_at[n_dated - 1] > instant)
        n_dated--;
    return n_dated > 0 ? (uint32_t)(n_dated - 1) : ALIGN_NO_ROW;
}

uint32_t align_row_at(struct dated rows, int32_t day, int64_t instant)
{
    return last_known(rows, dates_until(rows.date, rows.n, day), instant);
}

void align_rows(struct dated rows, struct dated clock, uint32_t *ret_row)
{
    size_t n_dated = 0;
    for (size_t t = 0; t < clock.n; t++) {
        while (n_dated < rows.n && rows.date[n_dated] <= clock.date[t])
            n_dated++;
        ret_row[t] = last_known(rows, n_dated, clock.known_at[t]);
    }
}
