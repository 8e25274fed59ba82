/*
 * price_book.h - the series of one version of the data, read once and shared read-only by all backtests.
 *
 * A version is a number that rises with each publish of what the series come from. The first run that asks for a
 * later one moves the book: series of the old version are no longer found, and go when the last run that holds them
 * gives them back. A run that still reads an older version is served from outside the book.
 * A series that several runs ask for at once is read by the first; the others wait for it, as long as their
 * own stop word lets them. When the book is full, the series that nobody holds and that was asked for longest ago
 * goes first; what does not fit is read for the one run and not kept.
 * Threads: any. One leaf lock; nothing is read, allocated or freed under it but the table's own links.
 */
#ifndef HANDLERS_PRICE_BOOK_H
#define HANDLERS_PRICE_BOOK_H

#include "backtest/market.h"
#include "base/stop.h"

struct price_book;
struct price_page; /* one series, while somebody holds it */

struct price_book_stats {
    uint64_t hits, misses; /* found or waited for; read */
    uint64_t evictions;
    uint64_t bytes;
    uint64_t series;
};

/* Keeps at most max_bytes of series. Errors: STATUS_OUT_OF_MEMORY. */
enum status price_book_new(size_t max_bytes, struct price_book **ret, struct err *err) NODISCARD;
void price_book_free(struct price_book *book); /* nobody holds a page any more */
struct price_book_stats price_book_stats(struct price_book *book);

/*
 * Reads one series into the arena, which belongs to the page from then on. Called without the lock. A failure is
 * that of the run that called; those that waited for it try themselves.
 */
typedef enum status price_book_read_fn(void *cls, struct str uid, struct arena *arena,
                                       struct price_series *ret, struct err *err);

/*
 * The page of uid at version, to be given back with price_book_release. book NULL: read for this run alone.
 * Errors: those of read; STATUS_OUT_OF_MEMORY; the stop's own status.
 */
enum status price_book_get(struct price_book *book, int64_t version, struct str uid,
                           price_book_read_fn *read, void *cls, const struct stop *stop,
                           struct price_page **ret, struct err *err) NODISCARD;
const struct price_series *price_page_series(const struct price_page *page);
void price_book_release(struct price_book *book, struct price_page *page); /* page may be NULL */

/* The server's book, as large as its settings say, with its metrics; in app->prices. */
struct app;
enum status price_book_open(struct app *app, struct err *err) NODISCARD;
void price_book_close(struct app *app); /* after the server has stopped */

#endif
