/*
 * calendar.h - rising dates and the months of the calendar that they fall into: worked out once for a clock, and read
 * by everything that goes by months, quarters or years. Pure apart from the arena; callable from any thread.
 */
#ifndef BACKTEST_CALENDAR_H
#define BACKTEST_CALENDAR_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

/* A month with at least one date. */
struct calendar_month {
    int year, month; /* month 1..12 */
    size_t first;    /* place of its first date */
};

struct calendar {
    const int32_t *date; /* n, rising */
    size_t n;
    const struct calendar_month *months; /* rising */
    size_t n_months;
};

/* The dates are borrowed. Errors: STATUS_OUT_OF_MEMORY. */
enum status calendar_of(const int32_t *date, size_t n, struct arena *arena, struct calendar *ret,
                        struct err *err) NODISCARD;

/* The place after the last date of month m. */
static inline size_t calendar_end(const struct calendar *calendar, size_t m)
{
    return m + 1 < calendar->n_months ? calendar->months[m + 1].first : calendar->n;
}

#endif
