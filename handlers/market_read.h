/*
 * market_read.h - one instrument, calendar, rate or economic series out of the store, as the engine takes it. All of one
 * reader with one connection, which is borrowed when the first of them is read; the owner gives it back (db_release).
 */
#ifndef HANDLERS_MARKET_READ_H
#define HANDLERS_MARKET_READ_H

#include "handlers/backtest_market.h"

struct market_reader {
    const struct market_source *source;
    struct db *db;       /* NULL until something has to be read */
    const char *pointer; /* of the uid or currency that is read, for errors */
};

/* The name of the rates from EUR to a currency in the book; no instrument has it. */
#define MARKET_RATE_PREFIX "EUR/"

/*
 * Both are a price_book_read_fn of a struct market_reader: an instrument with its bars, looked over; and the rates of such
 * a name. UNKNOWN_ASSET and BAD_SPEC name the reader's pointer.
 */
enum status market_read_series(void *cls, struct str uid, struct arena *arena,
                               struct price_series *ret, struct err *err) NODISCARD;
enum status market_read_rate(void *cls, struct str name, struct arena *arena,
                             struct price_series *ret, struct err *err) NODISCARD;

/* UNKNOWN_ASSET names the place of wanted. */
enum status market_read_indicator(struct market_reader *reader, const struct spec_indicator *wanted,
                                  struct arena *arena, struct rate_series *ret, struct err *err)
    NODISCARD;

#endif
