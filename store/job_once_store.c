/* job_once_store.c - SQL of idempotent requests, each with the job it made. */
#include "store/job_rows.h"

#include "store/statements.h"

#define ONCE(now)                                                                          \
    "INSERT INTO idempotent_request (owner, idempotency_key, hash, job_id, created_ms) "   \
    "VALUES ($1, $2, $3, $4, " now ") ON CONFLICT (owner, idempotency_key) DO UPDATE SET " \
    "hash = excluded.hash, job_id = excluded.job_id, created_ms = excluded.created_ms "    \
    "WHERE idempotent_request.created_ms < " now " - $5"
PAIR(stmt_once, ONCE);
static const char stmt_once_get[] =
    "SELECT hash, job_id FROM idempotent_request WHERE owner = $1 AND idempotency_key = $2";
#define ONCE_PURGE(now) "DELETE FROM idempotent_request WHERE created_ms < " now " - $1"
PAIR(stmt_once_purge, ONCE_PURGE);
#define ONCE_OLD(now) \
    "SELECT owner FROM idempotent_request WHERE created_ms < " now " - 86400000 LIMIT 1"
PAIR(stmt_once_old, ONCE_OLD);

static enum status mismatch(struct str key, struct err *err)
{
    (void)err_set(err, STATUS_IDEMPOTENCY_MISMATCH,
                  "This Idempotency-Key came with another request within the last day.");
    err_at(err, ERR_HEADER, STR("Idempotency-Key"), key);
    err_allow(err, "the same body and address again, or a new key");
    return STATUS_IDEMPOTENCY_MISMATCH;
}

enum status job_once(struct db *db, const struct job_once *once, struct arena *arena,
                     bool *ret_is_new, struct str *ret_job_id, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_once[db_kind(db)],
                            PARAMS(db_i64(once->owner), db_text(once->key), db_text(once->hash),
                                   db_text(once->job_id), db_i64(JOB_ONCE_MS)),
                            &changed, err);
    *ret_is_new = changed > 0;
    *ret_job_id = STR_NONE;
    if (s != STATUS_OK || changed > 0)
        return s;
    s = db_query_one(db, stmt_once_get, PARAMS(db_i64(once->owner), db_text(once->key)), &rows,
                     &found, err);
    if (s != STATUS_OK || !found)
        return s != STATUS_OK ? s : err_set(err, STATUS_DB_CONFLICT, "The key expired just now.");
    if (!str_eq(rows_text(&rows, 0), once->hash))
        return mismatch(once->key, err);
    return job_copy(&rows, 1, arena, ret_job_id) ? STATUS_OK : err_out_of_memory(err);
}

enum status job_once_purge(struct db *db, struct err *err)
{
    bool is_one = false;
    enum status s = job_is_any(db, stmt_once_old[db_kind(db)], &is_one, err);
    return s == STATUS_OK && is_one
               ? db_exec(db, stmt_once_purge[db_kind(db)], PARAMS(db_i64(JOB_ONCE_MS)), NULL, err)
               : s;
}

const struct statement job_once_statements[] = {STATEMENT_PAIR(stmt_once), STATEMENT(stmt_once_get),
                                                STATEMENT_PAIR(stmt_once_purge),
                                                STATEMENT_PAIR(stmt_once_old), STATEMENTS_END};
