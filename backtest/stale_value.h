/*
 * stale_value.h - how much of the wealth was valued at prices older than the session. Pure apart from the arena; any thread.
 */
#ifndef BACKTEST_STALE_VALUE_H
#define BACKTEST_STALE_VALUE_H

#include "backtest/engine.h"

/* Shares of the wealth at a close, after its trades: the sum of abs(position) over assets that had no new price. */
struct stale_value {
    bool is_known;        /* false: more trades than the ledger lists */
    double mean_share;    /* over sessions 1..n, those without any included */
    double highest_share; /* and its session, the first of equals; 0 without any */
    size_t highest_at;
    size_t n_sessions; /* with a share above 0 */
};

/* wealth is the line of the run that recorder kept. Errors: STATUS_OUT_OF_MEMORY. */
enum status stale_value_take(const struct panel *panel, const struct sim_recorder *recorder,
                             const double *wealth, struct arena *arena, struct stale_value *ret,
                             struct err *err) NODISCARD;

#endif
