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

enum status backtest_exists(struct db *db, struct str id, bool *ret, struct err *err) NODISCARD;

/* What a list of backtests shows of each. */
struct backtest_summary {
    struct str strategy, currency; /* ptr NULL: unknown */
    int32_t start, end;
    int64_t n_assets;
    double total_return, cagr, sharpe, max_drawdown; /* NaN: undefined */
};

/* A body as it is stored, compressed; without the database. Errors: STATUS_OUT_OF_MEMORY. */
enum status backtest_pack(struct str body, struct arena *arena, struct str *ret, struct err *err)
    NODISCARD;

/* The body again. Errors: STATUS_BAD_DATA when it is damaged, STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY. */
enum status backtest_unpack(struct str packed, struct arena *arena, struct str *ret,
                            struct err *err) NODISCARD;

/*
 * Keeps the first one: storing an id again changes nothing. A body that is not packed is packed first. summary may be NULL.
 */
enum status backtest_save(struct db *db, struct str id, struct str spec, int64_t generation,
                          struct str body, const struct backtest_summary *summary, struct err *err)
    NODISCARD;

/* UNKNOWN_BACKTEST is the caller's to say when *ret_found is false. */
enum status backtest_delete(struct db *db, struct str id, bool *ret_found, struct err *err)
    NODISCARD;

/* Removes what was kept before an instant (RFC 3339; "": nothing) and the oldest beyond max, some at a time. */
enum status backtest_purge(struct db *db, const char *before, int64_t max, int64_t *ret_n,
                           struct err *err) NODISCARD;

#endif
