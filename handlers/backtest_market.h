/*
 * backtest_market.h - the prices and exchange rates that a backtest asks for, out of the store.
 * Everything is read as of one generation, with one connection, and lives in the arena.
 */
#ifndef HANDLERS_BACKTEST_MARKET_H
#define HANDLERS_BACKTEST_MARKET_H

#include "backtest/spec.h"
#include "store/db.h"

/*
 * Loads every series that spec names: assets, the monkeys' universe, the benchmark, and EUR rates when more
 * than one currency meets. UNKNOWN_ASSET names the JSON pointer of the uid and the nearest known one.
 */
enum status backtest_market_load(struct db *db, const struct spec *spec, int64_t generation,
                                 struct arena *arena, struct market_data *ret, struct err *err)
    NODISCARD;

#endif
