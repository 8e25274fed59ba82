/*
 * period.h - calendar periods: which one a date lies in, and where it begins and ends.
 * Pure functions; callable from any thread. Weeks begin on Monday and know nothing of years, as in ISO 8601.
 */
#ifndef BACKTEST_PERIOD_H
#define BACKTEST_PERIOD_H

#include <stdint.h>

enum frequency {
    FREQUENCY_DAY,
    FREQUENCY_WEEK,
    FREQUENCY_MONTH,
    FREQUENCY_QUARTER,
    FREQUENCY_YEAR,
    FREQUENCY_COUNT
};

/* Number of the period that contains date: consecutive periods have consecutive numbers. */
int32_t period_index(enum frequency frequency, int32_t date);

/* First and last calendar day of a period. */
int32_t period_first(enum frequency frequency, int32_t index);
int32_t period_last(enum frequency frequency, int32_t index);

#endif
