/*
 * prefix.h - the look-ahead proof: change everything that was not yet known at a date, run again, and
 * nothing up to that date may differ in one bit. Pure apart from the arena.
 *
 * A cut is a session c. What is known at it: rows dated no later than clock[c] and known no later than
 * the latest moment at which any session up to c is known. Every other row gets other prices, volumes,
 * payments and rates, and later delistings another return. The dates of sessions stay: calendars are
 * published ahead.
 *
 * With same_label the dates alone decide.
 *
 * Proved: equity, cash, trades and target weights up to c do not depend on what came after c. Not
 * proved: that one could have traded at the prices of c (same_close decides and fills on one close).
 */
#ifndef BACKTEST_PREFIX_H
#define BACKTEST_PREFIX_H

#include "backtest/market.h"
#include "backtest/spec.h"
#include "base/stop.h"

struct backtest_result;

struct prefix_cut {
    int32_t date;
    size_t session;
    size_t n_rows;    /* of prices and rates that were changed */
    size_t n_points;  /* equity, cash, and wealth with flows, up to the cut, compared bit for bit */
    size_t n_trades;  /* likewise */
    size_t n_weights; /* target weights of decisions up to the cut */
    size_t n_differ;  /* of all these; 0: the proof holds */
    size_t first_differ; /* the earliest session concerned, when n_differ > 0 */
    size_t n_later; /* sessions after the cut whose equity did change: the corruption was felt */
};

struct prefix_report {
    size_t n_cuts;           /* 0: not asked for, or the run is too short to be cut */
    struct prefix_cut *cuts; /* by rising session */
    bool holds;
};

/* Compares two runs up to the session of cut and fills its counts. */
void prefix_compare(const struct backtest_result *run, const struct backtest_result *again,
                    struct prefix_cut *cut);

/* What comes after a cut, drawn by (seed, stream). */
struct prefix_future {
    int32_t date;     /* of the cut */
    int64_t known_at; /* its moment */
    uint64_t seed, stream;
};

/*
 * A copy of market in which what is not known at the cut is different; *ret_n_rows says how many rows
 * that are. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status prefix_corrupt(const struct market_data *market, const struct prefix_future *future,
                           struct arena *arena, struct market_data *ret, size_t *ret_n_rows,
                           struct err *err) NODISCARD;

/* Errors: STATUS_OUT_OF_MEMORY, the stop's own status, and those of backtest_run. */
enum status prefix_verify(const struct backtest_result *run, const struct market_data *market,
                          struct arena *arena, const struct stop *stop, struct prefix_report *ret,
                          struct err *err) NODISCARD;

#endif
