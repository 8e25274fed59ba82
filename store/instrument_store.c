/* instrument_store.c - instruments and their series as backtests and the instrument routes read them. */
#include "store/instrument_store.h"

#include "base/array.h"
#include "base/uid_near.h"
#include "store/generation.h"
#include "store/statements.h"

#include <math.h>
#include <stdlib.h>

#define INSTRUMENT_COLUMNS                                                                               \
    "uid, asset_class, symbol, name, name_local, market, country, currency, sector, industry, source, "  \
    "quote_unit, price_basis, first_date, last_date, n_rows, is_active, delisted_on, delisting_return, " \
    "is_survivor_biased, maturity_date, coupon_rate, coupons_per_year, day_count"

static const char stmt_instrument_get[] =
    "SELECT " INSTRUMENT_COLUMNS " FROM gen_instrument WHERE uid = $1 "
    "AND gen_from <= $2 AND gen_to > $2";
static const char stmt_instrument_uids[] =
    "SELECT uid FROM gen_instrument WHERE gen_from <= $1 AND gen_to > $1 LIMIT 100000";
static const char stmt_prices_load[] =
    "SELECT date, adj_close, known_at, quality, source FROM gen_price_daily WHERE uid = $1 AND gen_from <= $2 "
    "AND gen_to > $2 AND adj_close IS NOT NULL AND (quality & 4) = 0 ORDER BY date LIMIT 200000";
static const char stmt_fx_load[] =
    "SELECT date, rate, known_at, 0, source FROM gen_fx_daily WHERE base = $1 AND quote = $2 AND gen_from <= $3 "
    "AND gen_to > $3 ORDER BY date LIMIT 200000";

static const char stmt_instrument_peers[] =
    "SELECT uid FROM gen_instrument WHERE asset_class = $1 AND gen_from <= $2 AND gen_to > $2 "
    "AND n_rows > 0 ORDER BY uid LIMIT 100000";

#define VALUES(column)                                                      \
    "SELECT DISTINCT " column                                               \
    " FROM gen_instrument WHERE gen_from <= $1 AND gen_to > $1 AND " column \
    " IS NOT NULL ORDER BY " column " LIMIT 10000"
static const char stmt_instrument_classes[] = VALUES("asset_class");
static const char stmt_instrument_markets[] = VALUES("market");
static const char stmt_instrument_currencies[] = VALUES("currency");
static const char stmt_instrument_countries[] = VALUES("country");
static const char stmt_instrument_sectors[] = VALUES("sector");

/* A copy that outlives the row; ptr NULL stays "no value". False when out of memory. */
static bool keep(struct arena *arena, struct str text, struct str *ret)
{
    if (text.ptr == NULL) {
        *ret = STR_NONE;
        return true;
    }
    *ret = (struct str){arena_dup(arena, text), text.len};
    return ret->ptr != NULL;
}

static int32_t date_or_none(const struct rows *rows, size_t column)
{
    int32_t date = DATE_NONE;
    return rows_date(rows, column, &date) ? date : DATE_NONE;
}

static enum status read_instrument(const struct rows *rows, struct arena *arena,
                                   struct instrument *ret, struct err *err)
{
    struct str *texts[] = {&ret->uid,        &ret->asset_class, &ret->symbol,  &ret->name,
                           &ret->name_local, &ret->market,      &ret->country, &ret->currency,
                           &ret->sector,     &ret->industry,    &ret->source,  &ret->quote_unit,
                           &ret->price_basis};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!keep(arena, rows_text(rows, i), texts[i]))
            return err_request_memory(err);
    size_t at = ARRAY_LEN(texts);
    ret->first_date = date_or_none(rows, at);
    ret->last_date = date_or_none(rows, at + 1);
    ret->n_rows = rows_i64(rows, at + 2);
    ret->is_active = rows_bool(rows, at + 3);
    ret->delisted_on = date_or_none(rows, at + 4);
    ret->delisting_return = rows_is_null(rows, at + 5) ? 0.0 : rows_f64(rows, at + 5);
    ret->is_survivor_biased = rows_bool(rows, at + 6);
    ret->maturity = date_or_none(rows, at + 7);
    ret->coupon_rate = rows_is_null(rows, at + 8) ? 0.0 : rows_f64(rows, at + 8);
    ret->coupons_per_year = rows_i64(rows, at + 9);
    return keep(arena, rows_text(rows, at + 10), &ret->day_count) ? STATUS_OK
                                                                  : err_request_memory(err);
}

static enum status nearest_uid(struct db *db, struct str uid, int64_t generation,
                               struct arena *arena, struct str *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct uid_near search = uid_near_start(uid);
    bool has_row = false;
    enum status s = db_query(db, stmt_instrument_uids, PARAMS(db_i64(generation)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        bool is_better = uid_near_offer(&search, rows_text(&rows, 0));
        if (is_better && !keep(arena, search.best, &search.best)) /* the row's own bytes go away */
            return err_request_memory(err);
    }
    if (s == STATUS_OK)
        *ret = search.best;
    return s;
}

enum status instrument_get(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                           struct instrument *ret, bool *ret_found, struct err *err)
{
    struct instrument instrument = {0};
    bool found = false;
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    {
        CLEANUP(rows_clear) struct rows rows = {0};
        s = db_query_one(db, stmt_instrument_get, PARAMS(db_text(uid), db_i64(generation)), &rows,
                         &found, err);
        if (s == STATUS_OK && found)
            s = read_instrument(&rows, arena, &instrument, err);
    }
    if (s == STATUS_OK && !found)
        s = nearest_uid(db, uid, generation, arena, &instrument.uid, err);
    if (s != STATUS_OK)
        return s;
    *ret = instrument;
    *ret_found = found;
    return STATUS_OK;
}

/* Rows as they arrive; their number is known only at the end, when exact columns go to the arena. */
struct series_row {
    int32_t date;
    double price;
    int64_t known_at;
};

struct series_rows {
    struct series_row *row;
    size_t n, cap;
    int quality;
    bool is_simulated;
};

static enum status add_row(struct series_rows *to, const struct rows *rows, struct err *err)
{
    struct series_row *all = heap_reserve(to->row, to->n + 1, &to->cap, sizeof *all);
    if (all == NULL)
        return err_request_memory(err);
    to->row = all;
    struct series_row row = {.price = rows_f64(rows, 1)};
    if (!rows_date(rows, 0, &row.date) || !isfinite(row.price) ||
        !rows_instant(rows, 2, &row.known_at))
        return err_set(err, STATUS_DB_ERROR,
                       "A stored row has a date, price or instant that cannot be read.");
    to->row[to->n++] = row;
    to->quality |= (int)rows_i64(rows, 3);
    to->is_simulated = to->is_simulated || str_eq(rows_text(rows, 4), STR("simulated"));
    return STATUS_OK;
}

static enum status read_series(struct db *db, const char *sql, const struct db_param *params,
                               size_t n_params, struct series_rows *to, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s = db_query(db, sql, params, n_params, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_row(to, &rows, err);
    return s;
}

static enum status to_columns(const struct series_rows *read, struct arena *arena,
                              struct price_column *ret, struct err *err)
{
    struct price_column column = {.n = read->n,
                                  .date = arena_array(arena, read->n, sizeof *column.date),
                                  .price = arena_array(arena, read->n, sizeof *column.price),
                                  .known_at = arena_array(arena, read->n, sizeof *column.known_at),
                                  .quality = read->quality,
                                  .is_simulated = read->is_simulated};
    if (column.date == NULL || column.price == NULL || column.known_at == NULL)
        return err_request_memory(err);
    for (size_t i = 0; i < read->n; i++) {
        column.date[i] = read->row[i].date;
        column.price[i] = read->row[i].price;
        column.known_at[i] = read->row[i].known_at;
    }
    *ret = column;
    return STATUS_OK;
}

static enum status load_series(struct db *db, const char *sql, const struct db_param *params,
                               size_t n_params, struct arena *arena, struct price_column *ret,
                               struct err *err)
{
    struct series_rows read = {0};
    enum status s = read_series(db, sql, params, n_params, &read, err);
    if (s == STATUS_OK)
        s = to_columns(&read, arena, ret, err);
    free(read.row);
    return s;
}

enum status prices_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                        struct price_column *ret, struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return load_series(db, stmt_prices_load, PARAMS(db_text(uid), db_i64(generation)), arena, ret,
                       err);
}

enum status fx_load(struct db *db, struct str base, struct str quote, int64_t generation,
                    struct arena *arena, struct price_column *ret, struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return load_series(db, stmt_fx_load, PARAMS(db_text(base), db_text(quote), db_i64(generation)),
                       arena, ret, err);
}

enum status instrument_peers_open(struct db *db, struct str asset_class, int64_t generation,
                                  struct rows *ret_rows, struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    return s != STATUS_OK
               ? s
               : db_query(db, stmt_instrument_peers,
                          PARAMS(db_text(asset_class), db_i64(generation)), ret_rows, err);
}

enum status instrument_values_open(struct db *db, enum instrument_facet facet, int64_t generation,
                                   struct rows *ret_rows, struct err *err)
{
    static const char *const statements[FACET_COUNT] = {
        [FACET_ASSET_CLASS] = stmt_instrument_classes,
        [FACET_MARKET] = stmt_instrument_markets,
        [FACET_CURRENCY] = stmt_instrument_currencies,
        [FACET_COUNTRY] = stmt_instrument_countries,
        [FACET_SECTOR] = stmt_instrument_sectors};
    enum status s = generation_pin(db, generation, err);
    return s != STATUS_OK
               ? s
               : db_query(db, statements[facet], PARAMS(db_i64(generation)), ret_rows, err);
}

const struct statement instrument_statements[] = {
    STATEMENT(stmt_instrument_peers),
    STATEMENT(stmt_instrument_classes),
    STATEMENT(stmt_instrument_markets),
    STATEMENT(stmt_instrument_currencies),
    STATEMENT(stmt_instrument_countries),
    STATEMENT(stmt_instrument_sectors),
    STATEMENT(stmt_instrument_get),
    STATEMENT(stmt_instrument_uids),
    STATEMENT(stmt_prices_load),
    STATEMENT(stmt_fx_load),
    STATEMENTS_END,
};
