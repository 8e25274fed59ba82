/*
 * series.h - the series pass of gold: the prices of each touched instrument are read once, in order, and adjusted, measured,
 * laid on the panel and summed up by period. In C rather than SQL so that every back end gives the same doubles: sums over a
 * window are added up in the same order, wherever the window's series begins. Rows are written as SQL writes them.
 */
#ifndef INGEST_SERIES_H
#define INGEST_SERIES_H

#include "backtest/bond.h"
#include "base/arena.h"
#include "base/date.h"
#include "base/stop.h"
#include "store/db.h"

/* Nothing looks further back than this many days: stg_touch reads so much before what it writes. */
enum { SERIES_LOOKBACK_DAYS = 400, SERIES_GAP_DAYS = 31 };

/* What happens to holders before trading on a day, in the units of today. */
struct series_event {
    int32_t date;
    double dividend_factor, dividend, split_ratio;
};
struct series_events {
    const struct series_event *all; /* oldest first */
    size_t n;
};

/* A touched instrument. */
struct series_touch {
    const char *uid, *asset_class, *market, *currency, *symbol;
    bool is_biased, is_bond; /* is_bond: its terms are known */
    struct bond_terms bond;
    int32_t from, to, lookback;
    int64_t utc_offset_s;        /* of its market's clock, about */
    struct series_events events; /* after lookback */
};

/* Fills in the events of n touches in the order of their uids, n > 0. They stay in arena until the next call. */
enum status series_events_read(struct db *db, struct arena *arena, struct series_touch *touches,
                               size_t n, struct err *err) NODISCARD;
/* What one unit of a day is today, and which part of its price is not distributed until then. */
double series_units_since(const struct series_events *events, int32_t day);
double series_distributed_since(const struct series_events *events, int32_t day);

/* One instrument's prices from the look-back to the last day that is written, oldest first. n may be 0. */
struct series {
    const struct series_touch *touch;
    size_t n, first; /* rows; the first one that is written */
    int32_t *date;
    struct str *open, *high, *low, *close, *adj_text, *volume, *source; /* as published */
    double *adj;    /* adjusted for distributions and splits */
    double *quoted; /* the close as it is quoted, or the adjusted one where that is all */
    double *high_price, *low_price; /* NaN: none */
    double *fx_krw, *fx_usd;        /* of one unit of the currency; NaN: not known */
    /* From the row before; NaN: none, or more than SERIES_GAP_DAYS earlier, or not above 0. */
    double *ret;
    double *units;             /* volume; NaN: none */
    double *nav, *index_close; /* of a fund; NaN: none */
    struct str *value_traded;  /* as the source says; ptr NULL: nothing */
    double *market_cap;        /* NaN: none */
    struct str *dividend, *split;
    struct str *known, *quality_told; /* of a told price; ptr NULL: not told */
};

/* Rates of currencies against the won and the dollar, in memory. */
struct fx_book;
enum status fx_book_load(struct db *db, struct arena *arena, int32_t from, int32_t to,
                         struct fx_book **ret, struct err *err) NODISCARD;
/* The rate of the day, or of at most seven days before; NaN when there is none. */
double fx_book_rate(const struct fx_book *book, const char *base, const char *quote, int32_t date);

/* The prices of one instrument over its look-back and what is to be written. Stays in arena. */
enum status series_prices_read(struct db *db, const struct fx_book *fx,
                               const struct series_touch *touch, struct arena *arena,
                               struct series *ret, struct err *err) NODISCARD;

/* What a currency's instruments are measured against: an index of that currency. */
enum { SERIES_BENCHMARKS = 2 };
struct series_benchmark {
    const char *uid, *currency;
    int32_t *date;
    double *level;
    size_t n;
};
enum status series_benchmarks_load(struct db *db, struct arena *arena, int32_t from, int32_t to,
                                   struct series_benchmark ret[SERIES_BENCHMARKS], struct err *err)
    NODISCARD;
/* That of the currency; NULL: none. */
const struct series_benchmark *series_benchmark_of(const struct series_benchmark *all,
                                                   const char *currency);
/* The level of the day, or of at most stale_days before; NaN when there is none. benchmark may be NULL. */
double series_benchmark_at(const struct series_benchmark *benchmark, int32_t date,
                           int32_t stale_days);

/* The last day of its month. */
int32_t series_month_end(int32_t date);

/* Rows of a table that wait to be written together: so few that they fit on the way to a server, which then takes them in alone. */
enum { OUTBOX_COLUMNS_MAX = 34, OUTBOX_ROWS_MAX = 2000 };
struct outbox {
    const char *table;
    const struct db_column *columns; /* ends with load_id */
    size_t n_columns, n_rows;
    struct arena arena;
    union db_value *values; /* OUTBOX_ROWS_MAX rows */
    int64_t n_written;
    bool was_empty; /* the table, when the pass began: nothing has to be deleted */
    int64_t load_id;
};
enum status outbox_init(struct outbox *box, struct db *db, const char *table,
                        const struct db_column *columns, size_t n_columns, int64_t load_id,
                        struct err *err) NODISCARD;
void outbox_clear(struct outbox *box);
/* n_columns - 1 values, copied: load_id is the box's. */
enum status outbox_add(struct outbox *box, struct db *db, const union db_value *values,
                       struct err *err) NODISCARD;
enum status outbox_flush(struct outbox *box, struct db *db, struct err *err) NODISCARD;

/* The rows of one series for each table; a bond's only where its terms are known. */
enum status series_measures(const struct series *series, struct outbox *box, struct db *db,
                            struct err *err) NODISCARD;
enum status series_panel(const struct series *series, const struct fx_book *fx, struct outbox *box,
                         struct db *db, struct err *err) NODISCARD;
enum status series_periods(const struct series *series, struct outbox *box, struct db *db,
                           struct err *err) NODISCARD;

enum status series_risk(const struct series *series, const struct series_benchmark *benchmarks,
                        struct outbox *box, struct db *db, struct err *err) NODISCARD;
enum status series_bond(const struct series *series, struct outbox *box, struct db *db,
                        struct err *err) NODISCARD;

/*
 * Everything that stg_touch names. reader: another connection, which reads the facts while db writes; NULL: db reads them.
 * The writers' lock, which db holds, keeps them from changing.
 */
enum status series_pass(struct db *db, struct db *reader, int64_t load_id, const struct stop *stop,
                        int64_t *ret_rows, struct err *err) NODISCARD;

/* Before stg_touch is made: dim_adjustment and mart_corporate_action of instruments with new actions or prices; changes are noted in load_touch. */
enum status adjustments_refresh(struct db *db, int64_t load_id, int64_t since, struct err *err)
    NODISCARD;

/* After the pass: mart_correlation from the first touched month on. */
enum status correlations_refresh(struct db *db, int64_t load_id, const struct stop *stop,
                                 struct err *err) NODISCARD;

#endif
