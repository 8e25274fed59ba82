/*
 * expense.h - what funds charge a year where prices do not contain it yet: an index that stands for a fund. Plain values
 * of one run; pure functions, any thread.
 *
 * Each calendar day takes rate / 365 of what a holding unit is worth, as funds accrue it: over the days d of a gap the
 * unit keeps the product of 1 - rate(d) / 365.
 */
#ifndef BACKTEST_EXPENSE_H
#define BACKTEST_EXPENSE_H

#include "backtest/dated_rate.h"
#include "base/str.h"

enum { EXPENSE_RATES_MAX = 64 };

/* Of one asset; per cent a year. */
struct asset_expense {
    struct str uid;
    struct dated_rate rates[EXPENSE_RATES_MAX];
    size_t n;
};

struct expenses {
    struct dated_rate rates[EXPENSE_RATES_MAX]; /* of all assets; per cent a year */
    size_t n;
    const struct asset_expense *own; /* instead of rates for these; rising by uid */
    size_t n_own;
};

static inline bool expenses_are_none(const struct expenses *expenses)
{
    return expenses->n == 0 && expenses->n_own == 0;
}

/*
 * kept[t]: the share of a unit of uid that is left at clock[t] of what it was at clock[0]; n sessions, n > 0.
 */
void expenses_kept(const struct expenses *expenses, struct str uid, const int32_t *clock, size_t n,
                   double *kept);

#endif
