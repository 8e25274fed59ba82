/* price_store.c - the two reads behind the price resources: a window of one instrument, and the newest bars. */
#include "store/price_store.h"

#include "base/date.h"
#include "store/generation.h"
#include "store/statements.h"

#define BAR(p)                                                                            \
    p "date, " p "open, " p "high, " p "low, " p "close, " p "adj_close, " p "volume, " p \
      "dividend, " p "split_ratio, " p "currency, " p "source, " p "quality, " p "known_at"

static const char stmt_price_bars[] =
    "SELECT " BAR("") " FROM gen_price_daily WHERE uid = $1 AND gen_from <= $2 AND gen_to > $2 "
                      "AND date >= $3 AND date <= $4 ORDER BY date LIMIT 200000";

#define WHICH                                                                                         \
    " WHERE i.gen_from <= $1 AND i.gen_to > $1 AND (CAST($2 AS TEXT) IS NULL OR i.asset_class = $2) " \
    "AND (CAST($3 AS TEXT) IS NULL OR i.uid = $3) AND i.uid > $4"

/* A probe of the price key for each instrument: PostgreSQL by LATERAL, SQLite by a correlated IN. */
static const char *const stmt_price_latest[] = {
    [DB_SQLITE] = "SELECT i.uid, " BAR(
        "p.") " FROM gen_instrument i CROSS JOIN gen_price_daily p" WHICH
              " AND p.uid = i.uid AND p.gen_from <= $1 AND p.gen_to > $1 AND p.date IN (SELECT q.date FROM "
              "gen_price_daily q WHERE q.uid = i.uid AND q.gen_from <= $1 AND q.gen_to > $1 "
              "ORDER BY q.date DESC LIMIT 2) ORDER BY i.uid, p.date DESC LIMIT $5",
    [DB_POSTGRESQL] = "SELECT i.uid, " BAR(
        "p.") " FROM gen_instrument i CROSS JOIN LATERAL (SELECT * FROM "
              "gen_price_daily q WHERE q.uid = i.uid AND q.gen_from <= $1 AND q.gen_to > $1 "
              "ORDER BY q.date DESC LIMIT 2) p" WHICH " ORDER BY i.uid, p.date DESC LIMIT $5",
};

enum status price_bars_open(struct db *db, struct str uid, int64_t generation, int32_t from,
                            int32_t to, struct rows *ret_rows, struct err *err)
{
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(
        db, stmt_price_bars,
        PARAMS(db_text(uid), db_i64(generation), db_date(from, first), db_date(to, last)), ret_rows,
        err);
}

enum status price_latest_open(struct db *db, const struct price_latest *which, int64_t generation,
                              struct rows *ret_rows, struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, stmt_price_latest[db_kind(db)],
                    PARAMS(db_i64(generation), db_text(which->asset_class), db_text(which->uid),
                           db_text(which->after), db_i64(2 * which->limit)),
                    ret_rows, err);
}

const struct statement price_statements[] = {
    STATEMENT(stmt_price_bars),
    STATEMENT_PAIR(stmt_price_latest),
    STATEMENTS_END,
};
