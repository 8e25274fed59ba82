/*
 * world.h - the made-up market of the benchmark: weekday random walks that every party is given.
 * One set of dates for all names; the same numbers for the same name on any machine.
 */
#ifndef BENCH_ENGINE_WORLD_H
#define BENCH_ENGINE_WORLD_H

#include "backtest/backtest.h"

enum { SESSIONS_PER_YEAR = 252 };

struct world {
    struct arena arena;
    struct market_data market;
    size_t n_assets, n_sessions;
    const int32_t *date;
    double **price;
};

/* n_assets names x:0, x:1 ... and the benchmark x:n_assets over so many years. Exits when memory runs out. */
void world_make(struct world *world, size_t n_assets, size_t years);

/* The request: weights 1 to 7 in turn, 5 + 5 bps, a benchmark; rebalance is JSON. */
struct str world_request(struct world *world, const char *rebalance, unsigned n_monkeys);

/* The same by the month, with no benchmark and no monkeys, and ffn's forms of the metrics. */
struct str world_request_of_ffn(struct world *world);

#endif
