/*
 * offset_luck.h - how much of a result is the day of the month: the same rule at every rebalance offset.
 * A calendar rule may be shifted by 0 .. n - 1 sessions (schedule_offsets: 5 weekly, 21 monthly ...). Each
 * shift is run on the same data; the spread between them is what choosing another day would have
 * changed. Pure apart from the arena.
 * Source: C. Hoffstein, N. Faber, S. Braun, "Rebalance Timing Luck: The (Dumb) Luck of Smart Beta", 2020.
 */
#ifndef BACKTEST_OFFSET_LUCK_H
#define BACKTEST_OFFSET_LUCK_H

#include "backtest/market.h"
#include "backtest/monkey.h"

struct backtest_result;

struct offset_row {
    unsigned offset;
    struct monkey_score score; /* CAGR, Sharpe ratio, drawdown, money at the end; NaN: undefined */
};

struct offset_band {
    double lowest, median, highest;
    double own;        /* of the request's offset */
    double percentile; /* of own among the n; ties count half */
    size_t n;          /* offsets with a value; 0: nothing else is known */
};

struct offset_report {
    size_t n; /* offsets; 0: not asked for, or the rule has no calendar to shift */
    unsigned own;
    struct offset_row *rows; /* by rising offset */
    struct offset_band band[MONKEY_STATISTIC_COUNT];
};

/* Offsets that the rule of spec may have; 1: there is nothing to compare. */
unsigned offset_luck_count(const struct spec *spec);

/* Errors: STATUS_OUT_OF_MEMORY, the stop's own status, and those of backtest_run. */
enum status offset_luck_run(const struct backtest_result *run, const struct market_data *market,
                            struct arena *arena, const struct stop *stop, struct offset_report *ret,
                            struct err *err) NODISCARD;

#endif
