/*
 * factor_levels.h - a factor that has dates of its own, beside a track record: what it stood at on the record's days, and its
 * returns from one of them to the next. Pure apart from the arena; callable from any thread.
 *
 * On a day it stands where its last row on or before it left it, unless that is older than FACTOR_STALE_DAYS.
 */
#ifndef BACKTEST_FACTOR_LEVELS_H
#define BACKTEST_FACTOR_LEVELS_H

#include "backtest/market.h"
#include "base/arena.h"

enum { FACTOR_STALE_DAYS = 7 };

/* n levels > 0 at rising dates. */
struct factor_table {
    const int32_t *date;
    const double *level;
    size_t n; /* 0: none */
};

/* Levels from n returns above -1: 1 on the day before the first (record_start), and what they compound to. */
enum status factor_table_of_returns(const int32_t *date, const double *r, size_t n,
                                    struct arena *arena, struct factor_table *ret, struct err *err)
    NODISCARD;

/* ret[i]: the level on day[i], NaN when it is not known. day rises. */
void factor_levels(const struct factor_table *table, const int32_t *day, size_t n, double *ret);

/*
 * The same of an instrument, adjusted prices in that currency. Errors: STATUS_UNKNOWN_ASSET when market lacks it, those of
 * market_check_series, basis_init and fx_table_add; STATUS_OUT_OF_MEMORY.
 */
struct factor_instrument {
    const struct market_data *market;
    struct str uid;
    const char *currency;
};
enum status factor_levels_of(const struct factor_instrument *instrument, const int32_t *day,
                             size_t n, struct arena *arena, double *ret, struct err *err) NODISCARD;

#endif
