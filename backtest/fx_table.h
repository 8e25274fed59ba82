/*
 * fx_table.h - exchange rates into one base currency at every session of a clock.
 * Filled while a panel is built, read-only afterwards; any number of threads may read it then.
 *
 * Rates are EUR reference rates, so X into Y goes through EUR: rate(X to Y) = EURY / EURX, each the
 * last rate with date <= the session's and known_at <= T(t) (panel.h).
 */
#ifndef BACKTEST_FX_TABLE_H
#define BACKTEST_FX_TABLE_H

#include "backtest/align.h"
#include "backtest/market.h"
#include "base/arena.h"

enum { FX_STALE_DAYS = 10 }; /* an older rate is counted and reported */

struct fx_table {
    char base[CURRENCY_TEXT_BYTES];
    size_t n;
    char (*currency)[CURRENCY_TEXT_BYTES];
    double **rate;         /* [currency][session]; NaN where no rate was known yet */
    bool uses_fx;          /* some currency differs from base */
    size_t stale_sessions; /* rate-sessions at which a rate was older than FX_STALE_DAYS */
    struct arena *arena;
};

/* An empty table with room for max currencies. Errors: STATUS_OUT_OF_MEMORY. */
enum status fx_table_init(struct fx_table *table, struct arena *arena, size_t max, const char *base,
                          struct err *err) NODISCARD;

/*
 * The index of currency in the table, its rates filled when it is new; a pair without data is all
 * NaN. Errors: STATUS_BAD_DATA naming the pair and date, STATUS_OUT_OF_MEMORY.
 */
enum status fx_table_add(struct fx_table *table, const struct market_data *market,
                         struct dated clock, const char *currency, size_t *ret_index,
                         struct err *err) NODISCARD;

#endif
