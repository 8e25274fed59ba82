/*
 * price_query.h - what is asked of prices, and the bars of one instrument that answer it.
 *
 * The same parameters for one instrument, for many, and as the JSON body of a query: instruments, from, to, last,
 * interval, adjust, currency, transform, fields, layout, field, order. docs/resources.md says what they mean.
 */
#ifndef HANDLERS_PRICE_QUERY_H
#define HANDLERS_PRICE_QUERY_H

#include "backtest/bars.h"
#include "handlers/params.h"
#include "handlers/resource.h"
#include "store/instrument_store.h"

/* Columns of the long layout: the fields of a bar, and what stands around them. */
enum price_show {
    PRICE_COLUMN_UID = BAR_FIELDS,
    PRICE_COLUMN_DATE,
    PRICE_COLUMN_CURRENCY,
    PRICE_COLUMN_SOURCE,
    PRICE_COLUMN_QUALITY,
    PRICE_COLUMN_KNOWN_AT,
    PRICE_COLUMN_SESSIONS,
    PRICE_COLUMNS
};

struct price_query {
    struct str *uids;
    size_t n_uids;
    struct window window;
    enum frequency interval;
    enum bar_adjust adjust;
    enum transform transform;
    struct str currency; /* ptr NULL: each in its own */
    bool is_wide;
    bool is_descending;
    unsigned columns[PRICE_COLUMNS]; /* of the long layout: enum bar_field or price_show */
    size_t n_columns;
    enum bar_field field; /* of the wide layout */
};

/*
 * Reads them all, instruments= too when max_uids > 0, and says them to the resource's canonical query.
 * Errors: BAD_VALUE, UNKNOWN_COLUMN.
 */
enum status price_query_read(struct resource *resource, size_t max_uids, struct price_query *ret,
                             struct err *err) NODISCARD;

const char *price_column_name(unsigned column);
enum column_kind price_column_kind(const struct price_query *query, unsigned column);
void price_query_put_meta(const struct price_query *query, struct json_out *json);

/* One instrument's bars as asked: adjusted, converted, gathered, transformed, within the window. */
struct price_series {
    struct bars bars;
    bool is_partial; /* the last bar's period is not over yet */
    unsigned warnings;
};

/* What is loaded once for all series of a query. */
struct price_loader {
    const struct resource *resource;
    const struct price_query *query;
    struct db *db;
    struct arena *kept;             /* for what follows; the request's */
    struct instrument *instruments; /* one for each uid */
    struct price_rates {
        struct str currency;
        struct rates rates; /* EUR into it */
    } rates[64];
    size_t n_rates;
    bool is_converted; /* some series needed rates: for meta.fx */
};

/*
 * Before the first series: every uid must be known. db and kept are set.
 * Errors: UNKNOWN_INSTRUMENT with the nearest, those of the store.
 */
enum status price_loader_start(struct price_loader *loader, struct err *err) NODISCARD;

/* Loads and computes the series of uid number i into the arena. */
enum status price_series_load(struct price_loader *loader, size_t i, struct arena *arena,
                              struct price_series *ret, struct err *err) NODISCARD;

#endif
