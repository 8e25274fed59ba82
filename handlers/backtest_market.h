/*
 * backtest_market.h - the prices, exchange rates and economic series that a backtest asks for, out of the store or a file.
 * Everything is as of one generation. What the book does not have is read with one connection.
 */
#ifndef HANDLERS_BACKTEST_MARKET_H
#define HANDLERS_BACKTEST_MARKET_H

#include "backtest/spec.h"
#include "handlers/panels.h"
#include "handlers/price_book.h"
#include "handlers/price_file.h"
#include "store/db.h"

/* Where the data is. */
struct market_source {
    struct db_pool *pool; /* a connection is borrowed when the first series has to be read */
    const struct stop *stop;
    unsigned statement_ms; /* longest time for one statement; 0: none */
    int64_t generation;
    int64_t version;               /* rises whenever instruments, prices or exchange rates change */
    struct price_book *book;       /* NULL: every series is read for this run */
    const struct price_file *file; /* prices and series from there alone; NULL: the store's */
};

/* The shared series and the shared panel that a run uses: given back when nothing looks at the run's market or result any more. */
struct market_hold {
    struct price_book *book;
    struct price_page **pages;
    size_t n;
    struct panels *panels;
    struct panel_lease *panel; /* NULL: none */
};
void market_hold_release(struct market_hold *hold); /* also for CLEANUP, and of a zeroed one */

/*
 * Loads every series that spec names: assets, the monkeys' universe, the benchmark, the clock's base, what flows
 * follow, and EUR rates when more than one currency meets. UNKNOWN_ASSET names the JSON pointer of the uid and the
 * nearest known one. Of a file, uids that it does not have are left to the run to refuse. *hold has to be released whatever the outcome.
 */
enum status backtest_market_load(const struct market_source *source, const struct spec *spec,
                                 struct arena *arena, struct market_data *ret,
                                 struct market_hold *hold, struct err *err) NODISCARD;

#endif
