/* warehouse_impl.h - what the files of the warehouse share; for them alone. */
#ifndef INGEST_WAREHOUSE_IMPL_H
#define INGEST_WAREHOUSE_IMPL_H

#include "base/arena.h"
#include "ingest/warehouse.h"

/* Runs SQL that printf makes, of at most 64 KiB. */
enum status warehouse_exec(struct db *db, const struct db_param *params, size_t n_params,
                           int64_t *ret_changed, struct err *err, const char *format, ...)
    NODISCARD PRINTF(6, 7);

/* The first column of the only row as a number; 0 when there is none. */
enum status warehouse_number(struct db *db, const char *sql, const struct db_param *params,
                             size_t n_params, int64_t *ret, struct err *err) NODISCARD;

/* After n rows were written to it: what planners go by, unless they are few. */
enum status warehouse_analyze(struct db *db, const char *table, int64_t n, struct err *err)
    NODISCARD;

/*
 * Before a table without rows takes many: PostgreSQL builds an index after them in a fraction of the time that it keeps one up
 * with. Drops all of them, keys too; what makes them again is added to ret_script, for db_exec_script.
 */
enum status warehouse_unindex(struct db *db, const char *table, struct buf *ret_script,
                              struct err *err) NODISCARD;
enum { WAREHOUSE_INDEXES_BYTES = 16 * 1024 };

/*
 * How current each data set is goes with the publish. *ret_stale: those that are older than contract.def allows today, with
 * their newest days; "" when none are.
 */
struct publish;
enum status warehouse_freshness(struct db *db, int32_t today, struct publish *publish,
                                char ret_stale[WAREHOUSE_STALE_BYTES], struct err *err) NODISCARD;

/* Begins a transaction that has the warehouse to itself, and gives it the next number. */
enum status warehouse_begin(struct db *db, int64_t *ret_load_id, struct err *err) NODISCARD;

/* What is written about a load when it ends. */
struct load_entry {
    int64_t load_id;
    const char *stage; /* "silver", "gold" */
    struct str dataset;
    int32_t from, to; /* DATE_NONE: no window */
    int64_t n_objects, n_rows, n_changed, n_bad;
    const char *status; /* "ok", "fail" */
};
enum status warehouse_book(struct db *db, const struct load_entry *entry, struct err *err)
    NODISCARD;

#endif
