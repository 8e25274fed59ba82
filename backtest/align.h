/*
 * align.h - which row of a dated series was the latest one known at each session of a clock.
 * Pure functions over borrowed arrays; callable from any thread.
 */
#ifndef BACKTEST_ALIGN_H
#define BACKTEST_ALIGN_H

#include <stddef.h>
#include <stdint.h>

#define ALIGN_NO_ROW UINT32_MAX

/* n dated instants, oldest first, dates strictly rising: a clock's sessions or a series' rows. */
struct dated {
    size_t n;
    const int32_t *date;
    const int64_t *known_at;
};

/* The last row with date <= day and known_at <= instant, or ALIGN_NO_ROW. */
uint32_t align_row_at(struct dated rows, int32_t day, int64_t instant);

/* The same for every session of the clock; ret_row has room for clock.n. */
void align_rows(struct dated rows, struct dated clock, uint32_t *ret_row);

#endif
