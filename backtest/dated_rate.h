/*
 * dated_rate.h - a rate that changes on given dates: a sales tax, a borrow fee. Pure; any thread.
 */
#ifndef BACKTEST_DATED_RATE_H
#define BACKTEST_DATED_RATE_H

#include <stddef.h>
#include <stdint.h>

struct dated_rate {
    int32_t from; /* first day it is in force; DATE_NONE: always */
    double rate;  /* fraction */
};

/* The rate in force on a date: that of the last row whose from is not after it; 0 before the first. */
double dated_rate_on(const struct dated_rate *rates, size_t n, int32_t date);

#endif
