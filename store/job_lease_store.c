/* job_lease_store.c - SQL of a job in work. Every write of a worker names its fence: id, worker and attempt. */
#include "store/job_rows.h"

#include "store/statements.h"

#define CLAIM(now, lock, find)                                                           \
    "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, "             \
    "lease_ms = " now " + $3, started_ms = COALESCE(started_ms, " now ") "               \
    "WHERE id = (SELECT q.id FROM job AS q WHERE q.state = 'queued' AND "                \
    "q.ready_ms <= " now " AND " find " "                                                \
    "ORDER BY q.priority, (SELECT COUNT(*) FROM job AS r WHERE r.state = 'running' AND " \
    "r.owner = q.owner), q.created_ms, q.id LIMIT 1" lock                                \
    ") AND state = 'queued' RETURNING " RECORD now
static const char *const stmt_job_claim[] = {
    [DB_SQLITE] = CLAIM(NOW_SQLITE, "", "INSTR($2, ',' || q.type || ',') > 0"),
    [DB_POSTGRESQL] =
        CLAIM(NOW_PG, " FOR UPDATE SKIP LOCKED", "STRPOS($2, ',' || q.type || ',') > 0"),
};

/* Looked at first, so that an idle queue never takes SQLite's write lock. */
#define WAITS(now) "SELECT id FROM job WHERE state = 'queued' AND ready_ms <= " now " LIMIT 1"
PAIR(stmt_job_waits, WAITS);

#define EXPIRE(now)                                                                    \
    "UPDATE job SET state = CASE WHEN cancel_requested THEN 'cancelled' "              \
    "WHEN crashes + 1 >= $1 THEN 'failed' ELSE 'queued' END, "                         \
    "finished_ms = CASE WHEN cancel_requested OR crashes + 1 >= $1 THEN " now " END, " \
    "problem = CASE WHEN NOT cancel_requested AND crashes + 1 >= $1 THEN $2 END, "     \
    "crashes = crashes + 1, worker = NULL, lease_ms = NULL "                           \
    "WHERE state = 'running' AND lease_ms < " now
PAIR(stmt_job_expire, EXPIRE);
#define EXPIRED(now) "SELECT id FROM job WHERE state = 'running' AND lease_ms < " now " LIMIT 1"
PAIR(stmt_job_expired, EXPIRED);

#define FENCE "WHERE id = $1 AND worker = $2 AND attempt = $3 AND state = 'running'"

#define BEAT(now) "UPDATE job SET lease_ms = " now " + $4 " FENCE " RETURNING cancel_requested"
PAIR(stmt_job_beat, BEAT);

static const char stmt_job_progress[] =
    "UPDATE job SET crashes = CASE WHEN n_done < $4 THEN 0 ELSE crashes END, n_done = $4, "
    "n_failed = $5 " FENCE;

#define FINISH(now)                                                                 \
    "UPDATE job SET state = $4, result = $5, problem = $6, finished_ms = " now ", " \
    "worker = NULL, lease_ms = NULL " FENCE
PAIR(stmt_job_finish, FINISH);

#define RETRY(now)                                                                         \
    "UPDATE job SET state = 'queued', worker = NULL, lease_ms = NULL, tries = tries + 1, " \
    "ready_ms = " now " + $4, problem = $5 " FENCE
PAIR(stmt_job_retry, RETRY);

static const char stmt_job_hand_back[] =
    "UPDATE job SET state = 'queued', worker = NULL, lease_ms = NULL " FENCE;

static const char gave_up[] =
    "{\"code\":\"X103\",\"title\":\"Internal error\",\"detail\":\"Every server that took this job "
    "ended before it made progress.\"}";

enum status job_claim(struct db *db, struct str worker, struct str types, int64_t lease_ms,
                      struct arena *arena, struct job_record *ret, bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = job_is_any(db, stmt_job_waits[db_kind(db)], ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    s = db_query_one(db, stmt_job_claim[db_kind(db)],
                     PARAMS(db_text(worker), db_text(types), db_i64(lease_ms)), &rows, ret_found,
                     err);
    return s == STATUS_OK && *ret_found ? job_read_record(&rows, arena, ret, err) : s;
}

enum status job_requeue_expired(struct db *db, int64_t *ret_n, struct err *err)
{
    bool is_one = false;
    enum status s = job_is_any(db, stmt_job_expired[db_kind(db)], &is_one, err);
    *ret_n = 0;
    if (s != STATUS_OK || !is_one)
        return s;
    return db_exec(db, stmt_job_expire[db_kind(db)],
                   PARAMS(db_i64(JOB_CRASHES_MAX), db_text(str_of(gave_up))), ret_n, err);
}

enum status job_beat(struct db *db, const struct job_fence *fence, int64_t lease_ms,
                     bool *ret_is_held, bool *ret_is_cancelled, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = db_query_one(db, stmt_job_beat[db_kind(db)],
                                 PARAMS(db_text(fence->id), db_text(fence->worker),
                                        db_i64(fence->attempt), db_i64(lease_ms)),
                                 &rows, ret_is_held, err);
    if (s == STATUS_OK)
        *ret_is_cancelled = *ret_is_held && rows_bool(&rows, 0);
    return s;
}

enum status job_progress(struct db *db, const struct job_fence *fence, int64_t n_done,
                         int64_t n_failed, bool *ret_is_held, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_job_progress,
                            PARAMS(db_text(fence->id), db_text(fence->worker),
                                   db_i64(fence->attempt), db_i64(n_done), db_i64(n_failed)),
                            &changed, err);
    *ret_is_held = changed == 1;
    return s;
}

enum status job_finish(struct db *db, const struct job_fence *fence, enum job_state state,
                       struct str result, struct str problem, bool *ret_is_held, struct err *err)
{
    int64_t changed = 0;
    enum status s =
        db_exec(db, stmt_job_finish[db_kind(db)],
                PARAMS(db_text(fence->id), db_text(fence->worker), db_i64(fence->attempt),
                       db_text(str_of(job_state_names[state])), db_text(result), db_text(problem)),
                &changed, err);
    *ret_is_held = changed == 1;
    return s;
}

enum status job_retry(struct db *db, const struct job_fence *fence, int64_t delay_ms,
                      struct str problem, bool *ret_is_held, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_job_retry[db_kind(db)],
                            PARAMS(db_text(fence->id), db_text(fence->worker),
                                   db_i64(fence->attempt), db_i64(delay_ms), db_text(problem)),
                            &changed, err);
    *ret_is_held = changed == 1;
    return s;
}

enum status job_hand_back(struct db *db, const struct job_fence *fence, struct err *err)
{
    return db_exec(db, stmt_job_hand_back,
                   PARAMS(db_text(fence->id), db_text(fence->worker), db_i64(fence->attempt)), NULL,
                   err);
}

const struct statement job_lease_statements[] = {
    STATEMENT_PAIR(stmt_job_claim),  STATEMENT_PAIR(stmt_job_waits),
    STATEMENT_PAIR(stmt_job_expire), STATEMENT_PAIR(stmt_job_expired),
    STATEMENT_PAIR(stmt_job_beat),   STATEMENT(stmt_job_progress),
    STATEMENT_PAIR(stmt_job_finish), STATEMENT_PAIR(stmt_job_retry),
    STATEMENT(stmt_job_hand_back),   STATEMENTS_END};
