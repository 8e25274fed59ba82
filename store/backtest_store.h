/*
 * backtest_store.h - finished backtests, kept under the id that their content gives them.
 */
#ifndef STORE_BACKTEST_STORE_H
#define STORE_BACKTEST_STORE_H

#include "base/arena.h"
#include "store/db.h"

/* *ret_found false when there is no such id. The body is the stored answer, byte for byte. */
enum status backtest_load(struct db *db, struct str id, struct arena *arena, struct str *ret_body,
                          bool *ret_found, struct err *err) NODISCARD;

/* Keeps the first one: storing an id again changes nothing. Bodies are stored compressed. */
enum status backtest_save(struct db *db, struct str id, struct str spec, int64_t generation,
                          struct str body, struct err *err) NODISCARD;

#endif
