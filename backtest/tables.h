/*
 * tables.h - calendar returns of a value path. Pure apart from the arena; callable from any thread.
 * The return of a month is its last value over the last value before it (over V_0 in the first one);
 * a month without a return is absent. Years likewise.
 */
#ifndef BACKTEST_TABLES_H
#define BACKTEST_TABLES_H

#include "backtest/calendar.h"

struct table_year {
    int year;
    double month[12]; /* NaN: no return in this month */
    double total;
    bool is_partial; /* the path begins after 7 January or ends before 25 December of this year */
};

struct table_years {
    struct table_year *rows; /* oldest first */
    size_t n;
};

/* Shape: values > 0 of the first n dates of a calendar, n >= 2. Errors: STATUS_OUT_OF_MEMORY. */
enum status tables_years(const struct calendar *calendar, const double *value, size_t n,
                         struct arena *arena, struct table_years *ret, struct err *err) NODISCARD;

struct table_extremes {
    double best, worst;
    size_t n, n_positive;
};
struct table_extremes tables_months(const struct table_years *years);
struct table_extremes tables_totals(const struct table_years *years);

#endif
