/*
 * price_store.h - daily bars as of one generation, streamed. Every read pins it (generation.h).
 */
#ifndef STORE_PRICE_STORE_H
#define STORE_PRICE_STORE_H

#include "store/db.h"

/* Columns of both results, after the uid that price_latest_open puts first. */
enum price_result {
    PRICE_DATE,
    PRICE_OPEN,
    PRICE_HIGH,
    PRICE_LOW,
    PRICE_CLOSE,
    PRICE_ADJ_CLOSE,
    PRICE_VOLUME,
    PRICE_DIVIDEND,
    PRICE_SPLIT_RATIO,
    PRICE_CURRENCY,
    PRICE_SOURCE,
    PRICE_QUALITY,
    PRICE_KNOWN_AT
};

/* All bars of one instrument with from <= date <= to, oldest first; halted ones too. */
enum status price_bars_open(struct db *db, struct str uid, int64_t generation, int32_t from,
                            int32_t to, struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * The last two bars of instruments after the uid after, newest first within each, in the order of uids, for
 * at least limit instruments if there are as many. asset_class and uid, when given, must match. One index
 * probe for each instrument, however long its history.
 */
struct price_latest {
    struct str asset_class, uid; /* ptr NULL: all */
    struct str after;            /* "" from the first */
    int64_t limit;
};

enum status price_latest_open(struct db *db, const struct price_latest *which, int64_t generation,
                              struct rows *ret_rows, struct err *err) NODISCARD;

#endif
