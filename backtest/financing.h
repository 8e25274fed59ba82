/*
 * financing.h - what cash earns, what debt and borrowed securities cost, and how much of it is allowed.
 * Plain values of one run.
 */
#ifndef BACKTEST_FINANCING_H
#define BACKTEST_FINANCING_H

#include "backtest/dated_rate.h"
#include "base/str.h"

#include <stdbool.h>

enum { FINANCING_RATES_MAX = 64 };

/* What it costs to borrow one asset. */
struct asset_fee {
    struct str uid;
    double percent; /* a year, on the value sold short */
};

/* Simple interest for the calendar days between two sessions, added at the later one. */
struct financing {
    double cash_rate; /* a year, on cash above 0 */
    double debt_rate; /* a year, on cash below 0 */
    double day_basis; /* 365 or 360 days a year; 0: no financing at all */
    struct dated_rate borrow_fee[FINANCING_RATES_MAX]; /* a year, on the value sold short */
    size_t n_borrow_fee;
    const struct asset_fee *asset_fees; /* instead of borrow_fee for these; rising by uid */
    size_t n_asset_fees;
};

enum liquidation { LIQUIDATION_REDUCE, LIQUIDATION_CLOSE, LIQUIDATION_COUNT };

struct leverage {
    bool is_allowed;           /* weights below 0, or adding up to more than 1 */
    double max_gross;          /* of the targets: sum of abs(w) */
    double maintenance_margin; /* least equity / gross position on a close; 0: not tested */
    double liquidation_fee;    /* fraction of what is sold or bought back by force */
    enum liquidation liquidation;
    bool tests_extremes; /* the margin at the day's lows and highs, too */
};

#endif
