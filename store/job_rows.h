/*
 * job_rows.h - what the files that hold the SQL of jobs share: time by the database, and rows of job as records.
 * For job_store.c, job_lease_store.c, job_log_store.c and job_once_store.c alone.
 */
#ifndef STORE_JOB_ROWS_H
#define STORE_JOB_ROWS_H

#include "store/job_store.h"

/* Milliseconds since 1970 by the database's clock. */
#define NOW_PG "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT"
#define NOW_SQLITE "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"

#define RECORD                                                                                     \
    "id, type, owner, state, request, cost, n_items, n_done, n_failed, attempt, crashes, worker, " \
    "cancel_requested, created_ms, started_ms, finished_ms, deadline_ms, n_log, result, problem, " \
    "tries, tries_max, ready_ms, "

/* One text for each back end, made of the expression for now. */
#define PAIR(name, text)                \
    static const char *const name[] = { \
        [DB_SQLITE] = text(NOW_SQLITE), [DB_POSTGRESQL] = text(NOW_PG)}

/* JOB_FAILED for a name that is none. */
enum job_state job_state_of(struct str name);

/* The text of a column in the arena; ptr NULL for NULL. False without memory. */
bool job_copy(const struct rows *rows, size_t column, struct arena *arena, struct str *ret)
    NODISCARD;

/* Columns in the order of RECORD, then now. */
enum status job_read_record(const struct rows *rows, struct arena *arena, struct job_record *ret,
                            struct err *err) NODISCARD;

/* Whether a statement without parameters has a row. */
enum status job_is_any(struct db *db, const char *sql, bool *ret, struct err *err) NODISCARD;

#endif
