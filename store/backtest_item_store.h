/*
 * backtest_item_store.h - the items of a batch of backtests: what each asks for, and the row of what came of it.
 * An item is finished once; whoever finishes it holds the job's fence in the same transaction (job_progress).
 */
#ifndef STORE_BACKTEST_ITEM_STORE_H
#define STORE_BACKTEST_ITEM_STORE_H

#include "base/arena.h"
#include "store/db.h"

enum backtest_row_metric {
#define ROW_METRIC(name) ROW_##name,
#include "store/backtest_row.def"
#undef ROW_METRIC
    BACKTEST_ROW_METRICS
};
extern const char *const backtest_row_names[BACKTEST_ROW_METRICS];

enum { ITEM_NUMBERS = 12, ITEM_TEXTS = 6 }; /* columns n1.. and t1.. for values of a grid point */

struct backtest_item_new {
    struct str request;          /* whole; ptr NULL: the job's base with parameters */
    struct str parameters;       /* JSON object of pointers and values; ptr NULL: none */
    double number[ITEM_NUMBERS]; /* NaN: none */
    struct str text[ITEM_TEXTS]; /* ptr NULL: none */
};

/* In a transaction; items are numbered from first on. */
enum status backtest_items_add(struct db *db, struct str job_id, int64_t first,
                               const struct backtest_item_new *items, size_t n, struct err *err)
    NODISCARD;

struct backtest_item {
    int64_t item;
    struct str request, parameters;
};

/* Items after the one named, at most max: those that are still to be run, or those that have a result. */
enum status backtest_items_open(struct db *db, struct str job_id, int64_t after, size_t max,
                                struct arena *arena, struct backtest_item *ret, size_t *ret_n,
                                struct err *err) NODISCARD;
enum status backtest_items_done(struct db *db, struct str job_id, int64_t after, size_t max,
                                struct arena *arena, struct backtest_item *ret, size_t *ret_n,
                                struct err *err) NODISCARD;
enum status backtest_items_count(struct db *db, struct str job_id, int64_t *ret_done,
                                 int64_t *ret_failed, struct err *err) NODISCARD;

/* What came of an item. */
struct backtest_row {
    int64_t item;
    struct str id;            /* of the backtest; ptr NULL: it failed before it had one */
    struct str error, detail; /* of a failure: a problem's slug and sentence; ptr NULL: none */
    double final_equity;      /* NaN is NULL, as in metric */
    double metric[BACKTEST_ROW_METRICS];
};
enum status backtest_item_finish(struct db *db, struct str job_id, const struct backtest_row *row,
                                 struct err *err) NODISCARD;

/* The item that has this backtest, and its job's request: enough to run it again. */
enum status backtest_item_find(struct db *db, struct str id, struct arena *arena,
                               struct backtest_item *ret, struct str *ret_job_request,
                               bool *ret_found, struct err *err) NODISCARD;
/* The item with the highest (or lowest) value of a metric; the first of equals. */
struct backtest_best {
    int64_t item;
    struct str id, parameters;
    double value;
};
enum status backtest_items_best(struct db *db, struct str job_id, enum backtest_row_metric metric,
                                bool is_lowest, struct arena *arena, struct backtest_best *ret,
                                bool *ret_found, struct err *err) NODISCARD;

enum status backtest_items_delete(struct db *db, struct str job_id, struct err *err) NODISCARD;

#endif
