/*
 * instrument_store.h - instruments and their price and FX series, as of one generation. Every read pins it
 * (generation.h), so that the reads of one borrowed connection see the same data: GENERATION_RETIRED when it
 * is gone.
 */
#ifndef STORE_INSTRUMENT_STORE_H
#define STORE_INSTRUMENT_STORE_H

#include "base/arena.h"
#include "base/date.h"
#include "store/db.h"

struct instrument {
    struct str uid, asset_class, symbol, name, name_local, market, country, currency;
    struct str sector, industry, source, quote_unit, price_basis;
    int32_t first_date, last_date; /* DATE_NONE when it has no prices */
    int64_t n_rows;
    bool is_active;
    int32_t delisted_on;     /* DATE_NONE while listed */
    double delisting_return; /* fraction; 0 when unknown */
    bool is_survivor_biased;
    int32_t maturity;   /* of a bond; DATE_NONE: none is known, and what follows means nothing */
    double coupon_rate; /* a year, fraction of par; 0 when unknown */
    int64_t coupons_per_year;
    struct str day_count; /* "act_act_icma" or "30_360"; ptr NULL: the first */
};

/* *ret_found false (and *ret the nearest known uid in its uid, if any) when there is no such instrument. */
enum status instrument_get(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                           struct instrument *ret, bool *ret_found, struct err *err) NODISCARD;

/* uid of every instrument of an asset class that has prices, in their order: one column. */
enum status instrument_peers_open(struct db *db, struct str asset_class, int64_t generation,
                                  struct rows *ret_rows, struct err *err) NODISCARD;

/* The different values of a column that instruments are filtered by, without NULL, in their order: one column. */
enum instrument_facet {
    FACET_ASSET_CLASS,
    FACET_MARKET,
    FACET_CURRENCY,
    FACET_COUNTRY,
    FACET_SECTOR,
    FACET_COUNT
};
enum status instrument_values_open(struct db *db, enum instrument_facet facet, int64_t generation,
                                   struct rows *ret_rows, struct err *err) NODISCARD;

/* Total-return closes (adj_close) of one instrument, oldest first; rows without one are left out,
 * and so are those of a halt (quality bit 4): nobody could trade at them. */
struct price_column {
    size_t n;
    int32_t *date;
    double *price;
    int64_t *known_at; /* seconds since 1970 */
    int quality;       /* the union of the rows' quality bits */
    bool is_simulated; /* any row's source is "simulated" */
};

enum status prices_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                        struct price_column *ret, struct err *err) NODISCARD;

/* base to quote, e.g. EUR to KRW; n is 0 when the store has no such pair. */
enum status fx_load(struct db *db, struct str base, struct str quote, int64_t generation,
                    struct arena *arena, struct price_column *ret, struct err *err) NODISCARD;

#endif
