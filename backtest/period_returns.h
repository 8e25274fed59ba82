/*
 * period_returns.h - what a value path returned in each week, month, quarter or year.
 * Pure functions; callable from any thread.
 */
#ifndef BACKTEST_PERIOD_RETURNS_H
#define BACKTEST_PERIOD_RETURNS_H

#include "backtest/measure.h"
#include "backtest/period.h"

struct period_rows {
    struct measure_path path; /* dated, at least V_0; all of it counts */
    const int32_t *date; /* n rising: those of the path after V_0, and others, of a return of 0 */
    size_t n;
    enum frequency frequency; /* weeks, months, quarters or years */
    bool
        has_weeks_of_year; /* weeks are the number of ISO 8601 within the calendar year, as empyrical groups them */
};

struct period_return {
    int64_t order;   /* rises from period to period */
    int32_t end;     /* the last row in it */
    double growth;   /* 1 + return */
    bool is_partial; /* V_0 lies inside, or a session after the last row would */
};

/*
 * In the order of the calendar; ret has room for n. By weeks of the year the last days of December that ISO gives to week 1
 * are compounded with week 1 of that January, and the first days of January that it gives to week 52 or 53 are that
 * year's last: what empyrical.aggregate_returns does (empyrical-reloaded 0.5.12, stats.py). Weeks by default begin on Monday
 * and know nothing of years. A session may lie on a weekend where periods_per_year is above 300. Returns how many.
 */
size_t period_returns(const struct period_rows *rows, double periods_per_year,
                      struct period_return *ret);

#endif
