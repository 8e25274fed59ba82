/* job_store.c - SQL of job and job_log. Every write of a worker names its fence: id, worker and attempt. */
#include "store/job_store.h"

#include "store/statements.h"

const char *const job_state_names[JOB_STATES] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_SUCCEEDED] = "succeeded",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

/* Milliseconds since 1970 by the database's clock. */
#define NOW_PG "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::BIGINT"
#define NOW_SQLITE "CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER)"

#define RECORD                                                                                     \
    "id, type, owner, state, request, cost, n_items, n_done, n_failed, attempt, crashes, worker, " \
    "cancel_requested, created_ms, started_ms, finished_ms, deadline_ms, n_log, result, problem, "

/* One text for each back end, made of the expression for now. */
#define PAIR(name, text)                \
    static const char *const name[] = { \
        [DB_SQLITE] = text(NOW_SQLITE), [DB_POSTGRESQL] = text(NOW_PG)}

static const char stmt_job_gate[] = "SELECT pg_advisory_xact_lock(7262144601)";
static const char stmt_job_load[] =
    "SELECT COUNT(CASE WHEN state = 'queued' THEN 1 END), COUNT(CASE WHEN owner = $1 THEN 1 END), "
    "COALESCE(CAST(SUM(CASE WHEN owner = $1 THEN cost ELSE 0 END) AS BIGINT), 0) "
    "FROM job WHERE state = 'queued' OR state = 'running'";

#define INSERT(now)                                                                       \
    "INSERT INTO job (id, type, owner, state, request, priority, cost, n_items, n_done, " \
    "n_failed, attempt, crashes, cancel_requested, created_ms, deadline_ms, n_log) "      \
    "VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, 0, 0, 0, 0, $8, " now ", " now " + $9, 0)"
PAIR(stmt_job_insert, INSERT);

#define CLAIM(now, lock, find)                                                           \
    "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $1, "             \
    "lease_ms = " now " + $3, started_ms = COALESCE(started_ms, " now ") "               \
    "WHERE id = (SELECT q.id FROM job AS q WHERE q.state = 'queued' AND " find " "       \
    "ORDER BY q.priority, (SELECT COUNT(*) FROM job AS r WHERE r.state = 'running' AND " \
    "r.owner = q.owner), q.created_ms, q.id LIMIT 1" lock                                \
    ") AND state = 'queued' RETURNING " RECORD now
static const char *const stmt_job_claim[] = {
    [DB_SQLITE] = CLAIM(NOW_SQLITE, "", "INSTR($2, ',' || q.type || ',') > 0"),
    [DB_POSTGRESQL] =
        CLAIM(NOW_PG, " FOR UPDATE SKIP LOCKED", "STRPOS($2, ',' || q.type || ',') > 0"),
};

/* Looked at first, so that an idle queue never takes SQLite's write lock. */
static const char stmt_job_waits[] = "SELECT id FROM job WHERE state = 'queued' LIMIT 1";

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

static const char stmt_job_hand_back[] =
    "UPDATE job SET state = 'queued', worker = NULL, lease_ms = NULL " FENCE;

#define CANCEL(now)                                                                \
    "UPDATE job SET cancel_requested = $2, "                                       \
    "finished_ms = CASE WHEN state = 'queued' THEN " now " ELSE finished_ms END, " \
    "state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END "          \
    "WHERE id = $1 AND (state = 'queued' OR state = 'running')"
PAIR(stmt_job_cancel, CANCEL);

static const char stmt_job_state[] = "SELECT state FROM job WHERE id = $1";

#define GET(now) "SELECT " RECORD now " FROM job WHERE id = $1"
PAIR(stmt_job_get, GET);

static const char stmt_job_delete_log[] = "DELETE FROM job_log WHERE job_id = $1";
static const char stmt_job_delete[] =
    "DELETE FROM job WHERE id = $1 AND state <> 'queued' AND state <> 'running'";

#define OLDEST(now)                                                                    \
    "SELECT id FROM job WHERE finished_ms IS NOT NULL AND finished_ms < " now " - $1 " \
    "ORDER BY finished_ms LIMIT 1"
PAIR(stmt_job_oldest, OLDEST);

static const char stmt_job_count_line[] =
    "UPDATE job SET n_log = n_log + 1 WHERE id = $1 AND n_log < $2 RETURNING n_log";
#define LINE(now) "INSERT INTO job_log (job_id, seq, at_ms, line) VALUES ($1, $2, " now ", $3)"
PAIR(stmt_job_line, LINE);
static const char stmt_job_lines[] =
    "SELECT seq, at_ms, line FROM job_log WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT 1000";
static const char stmt_job_count[] = "SELECT state, COUNT(*) FROM job GROUP BY state";

#define PEEK(now)                                                                             \
    "SELECT state, cancel_requested, n_items, n_done, n_failed, n_log, started_ms, " now ", " \
    "problem FROM job WHERE id = $1"
PAIR(stmt_job_peek, PEEK);

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

static const char gave_up[] =
    "{\"code\":\"X103\",\"title\":\"Internal error\",\"detail\":\"Every server that took this job "
    "ended before it made progress.\"}";

enum status job_unknown(struct err *err, struct str id)
{
    (void)err_set(err, STATUS_UNKNOWN_JOB, "There is no job with this id.");
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the id of a job of yours, as POST answered it");
    return STATUS_UNKNOWN_JOB;
}

static enum status too_many(struct err *err, const char *what, int64_t there, int64_t limit)
{
    (void)err_set(err, STATUS_TOO_MANY_JOBS,
                  "Your jobs that wait or run have %lld %s with this one.", (long long)there, what);
    err_allow(err, "at most %lld %s at the same time; see /v1/limits", (long long)limit, what);
    if (err != NULL)
        err->retry_after_s = 5;
    return STATUS_TOO_MANY_JOBS;
}

static enum status check_limits(struct db *db, const struct job_new *job,
                                const struct job_limits *limits, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_job_load, PARAMS(db_i64(job->owner)), &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    int64_t queued = rows_i64(&rows, 0), jobs = rows_i64(&rows, 1) + 1;
    int64_t cost = rows_i64(&rows, 2) + job->cost;
    if (limits->per_owner > 0 && jobs > limits->per_owner)
        return too_many(err, "jobs", jobs, limits->per_owner);
    if (limits->cost_of_owner > 0 && cost > limits->cost_of_owner)
        return too_many(err, "cells", cost, limits->cost_of_owner);
    if (limits->queued == 0 || queued < limits->queued)
        return STATUS_OK;
    (void)err_set(err, STATUS_BUSY, "There are %lld jobs waiting already.", (long long)queued);
    err_allow(err, "at most %lld jobs in the queue", (long long)limits->queued);
    if (err != NULL)
        err->retry_after_s = 10;
    return STATUS_BUSY;
}

enum status job_create(struct db *db, const struct job_new *job, const struct job_limits *limits,
                       struct err *err)
{
    enum status s = STATUS_OK;
    if (db_kind(db) == DB_POSTGRESQL) { /* SQLite has one writer as it is */
        CLEANUP(rows_clear) struct rows rows = {0};
        bool found = false;
        s = db_query_one(db, stmt_job_gate, NO_PARAMS, &rows, &found, err);
    }
    if (s == STATUS_OK)
        s = check_limits(db, job, limits, err);
    if (s != STATUS_OK)
        return s;
    struct db_param deadline = job->deadline_ms == 0 ? db_text(STR_NONE) : db_i64(job->deadline_ms);
    return db_exec(db, stmt_job_insert[db_kind(db)],
                   PARAMS(db_text(job->id), db_text(job->type), db_i64(job->owner),
                          db_text(job->request), db_i64(job->priority), db_i64(job->cost),
                          db_i64(job->n_items), db_bool(false), deadline),
                   NULL, err);
}

static enum job_state state_of(struct str name)
{
    for (int i = 0; i < JOB_STATES; i++)
        if (str_eq_c(name, job_state_names[i]))
            return (enum job_state)i;
    return JOB_FAILED;
}

static bool copy(const struct rows *rows, size_t column, struct arena *arena, struct str *ret)
{
    struct str text = rows_text(rows, column);
    *ret = STR_NONE;
    if (text.ptr == NULL)
        return true;
    *ret = (struct str){arena_dup(arena, text), text.len};
    return ret->ptr != NULL;
}

/* Columns in the order of RECORD. */
static enum status read_record(const struct rows *rows, struct arena *arena, struct job_record *ret,
                               struct err *err)
{
    struct job_record job = {
        .owner = rows_i64(rows, 2),
        .state = state_of(rows_text(rows, 3)),
        .cost = rows_i64(rows, 5),
        .n_items = rows_i64(rows, 6),
        .n_done = rows_i64(rows, 7),
        .n_failed = rows_i64(rows, 8),
        .attempt = rows_i64(rows, 9),
        .crashes = rows_i64(rows, 10),
        .cancel_requested = rows_bool(rows, 12),
        .created_ms = rows_i64(rows, 13),
        .started_ms = rows_i64(rows, 14),
        .finished_ms = rows_i64(rows, 15),
        .deadline_ms = rows_i64(rows, 16),
        .n_log = rows_i64(rows, 17),
        .now_ms = rows_i64(rows, 20),
    };
    bool is_copied = copy(rows, 0, arena, &job.id) && copy(rows, 1, arena, &job.type) &&
                     copy(rows, 4, arena, &job.request) && copy(rows, 11, arena, &job.worker) &&
                     copy(rows, 18, arena, &job.result) && copy(rows, 19, arena, &job.problem);
    if (!is_copied)
        return err_out_of_memory(err);
    *ret = job;
    return STATUS_OK;
}

static enum status is_any(struct db *db, const char *sql, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    return db_query_one(db, sql, NO_PARAMS, &rows, ret, err);
}

enum status job_claim(struct db *db, struct str worker, struct str types, int64_t lease_ms,
                      struct arena *arena, struct job_record *ret, bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = is_any(db, stmt_job_waits, ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    s = db_query_one(db, stmt_job_claim[db_kind(db)],
                     PARAMS(db_text(worker), db_text(types), db_i64(lease_ms)), &rows, ret_found,
                     err);
    return s == STATUS_OK && *ret_found ? read_record(&rows, arena, ret, err) : s;
}

enum status job_requeue_expired(struct db *db, int64_t *ret_n, struct err *err)
{
    bool is_one = false;
    enum status s = is_any(db, stmt_job_expired[db_kind(db)], &is_one, err);
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

enum status job_hand_back(struct db *db, const struct job_fence *fence, struct err *err)
{
    return db_exec(db, stmt_job_hand_back,
                   PARAMS(db_text(fence->id), db_text(fence->worker), db_i64(fence->attempt)), NULL,
                   err);
}

enum status job_cancel(struct db *db, struct str id, enum job_state *ret_state, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_exec(db, stmt_job_cancel[db_kind(db)], PARAMS(db_text(id), db_bool(true)), NULL, err);
    if (s == STATUS_OK)
        s = db_query_one(db, stmt_job_state, PARAMS(db_text(id)), &rows, &found, err);
    if (s == STATUS_OK && !found)
        return job_unknown(err, id);
    if (s == STATUS_OK)
        *ret_state = state_of(rows_text(&rows, 0));
    return s;
}

enum status job_get(struct db *db, struct str id, struct arena *arena, struct job_record *ret,
                    bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query_one(db, stmt_job_get[db_kind(db)], PARAMS(db_text(id)), &rows, ret_found, err);
    return s == STATUS_OK && *ret_found ? read_record(&rows, arena, ret, err) : s;
}

enum status job_peek(struct db *db, struct str id, struct arena *arena, struct job_glimpse *ret,
                     bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query_one(db, stmt_job_peek[db_kind(db)], PARAMS(db_text(id)), &rows, ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    *ret = (struct job_glimpse){.state = state_of(rows_text(&rows, 0)),
                                .cancel_requested = rows_bool(&rows, 1),
                                .n_items = rows_i64(&rows, 2),
                                .n_done = rows_i64(&rows, 3),
                                .n_failed = rows_i64(&rows, 4),
                                .n_log = rows_i64(&rows, 5),
                                .started_ms = rows_i64(&rows, 6),
                                .now_ms = rows_i64(&rows, 7)};
    return copy(&rows, 8, arena, &ret->problem) ? STATUS_OK : err_out_of_memory(err);
}

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
    return copy(&rows, 1, arena, ret_job_id) ? STATUS_OK : err_out_of_memory(err);
}

enum status job_once_purge(struct db *db, struct err *err)
{
    bool is_one = false;
    enum status s = is_any(db, stmt_once_old[db_kind(db)], &is_one, err);
    return s == STATUS_OK && is_one
               ? db_exec(db, stmt_once_purge[db_kind(db)], PARAMS(db_i64(JOB_ONCE_MS)), NULL, err)
               : s;
}

enum status job_delete(struct db *db, struct str id, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_job_delete, PARAMS(db_text(id)), &changed, err);
    return s == STATUS_OK && changed == 1
               ? db_exec(db, stmt_job_delete_log, PARAMS(db_text(id)), NULL, err)
               : s;
}

enum status job_oldest(struct db *db, int64_t age_ms, struct arena *arena, struct str *ret_id,
                       bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = db_query_one(db, stmt_job_oldest[db_kind(db)], PARAMS(db_i64(age_ms)), &rows,
                                 ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    return copy(&rows, 0, arena, ret_id) ? STATUS_OK : err_out_of_memory(err);
}

static enum status count_line(struct db *db, struct str id, int64_t *ret_seq, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(db, stmt_job_count_line, PARAMS(db_text(id), db_i64(JOB_LOG_LINES_MAX)), &rows,
                     &found, err);
    *ret_seq = s == STATUS_OK && found ? rows_i64(&rows, 0) : 0;
    return s;
}

enum status job_log_add(struct db *db, struct str id, struct str line, struct err *err)
{
    int64_t seq = 0;
    enum status s = count_line(db, id, &seq, err);
    if (s != STATUS_OK || seq == 0)
        return s;
    return db_exec(db, stmt_job_line[db_kind(db)], PARAMS(db_text(id), db_i64(seq), db_text(line)),
                   NULL, err);
}

enum status job_log_read(struct db *db, struct str id, int64_t after_seq, struct arena *arena,
                         struct job_line **ret, size_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct job_line *lines = arena_array(arena, JOB_LOG_LINES_MAX, sizeof *lines);
    size_t n = 0;
    bool has_row = false;
    if (lines == NULL)
        return err_out_of_memory(err);
    enum status s =
        db_query(db, stmt_job_lines, PARAMS(db_text(id), db_i64(after_seq)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        lines[n] = (struct job_line){.seq = rows_i64(&rows, 0), .at_ms = rows_i64(&rows, 1)};
        if (!copy(&rows, 2, arena, &lines[n].line))
            return err_out_of_memory(err);
        n++;
    }
    if (s != STATUS_OK)
        return s;
    *ret = lines;
    *ret_n = n;
    return STATUS_OK;
}

enum status job_count(struct db *db, int64_t ret[JOB_STATES], struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    for (size_t i = 0; i < JOB_STATES; i++)
        ret[i] = 0;
    enum status s = db_query(db, stmt_job_count, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        ret[state_of(rows_text(&rows, 0))] = rows_i64(&rows, 1);
    return s;
}

const struct statement job_statements[] = {STATEMENT_FOR(DB_POSTGRESQL, stmt_job_gate),
                                           STATEMENT(stmt_job_load),
                                           STATEMENT_PAIR(stmt_job_insert),
                                           STATEMENT_PAIR(stmt_job_claim),
                                           STATEMENT(stmt_job_waits),
                                           STATEMENT_PAIR(stmt_job_expire),
                                           STATEMENT_PAIR(stmt_job_expired),
                                           STATEMENT_PAIR(stmt_job_beat),
                                           STATEMENT(stmt_job_progress),
                                           STATEMENT_PAIR(stmt_job_finish),
                                           STATEMENT(stmt_job_hand_back),
                                           STATEMENT_PAIR(stmt_job_cancel),
                                           STATEMENT(stmt_job_state),
                                           STATEMENT_PAIR(stmt_job_get),
                                           STATEMENT_PAIR(stmt_job_peek),
                                           STATEMENT_PAIR(stmt_once),
                                           STATEMENT(stmt_once_get),
                                           STATEMENT_PAIR(stmt_once_purge),
                                           STATEMENT_PAIR(stmt_once_old),
                                           STATEMENT(stmt_job_delete_log),
                                           STATEMENT(stmt_job_delete),
                                           STATEMENT_PAIR(stmt_job_oldest),
                                           STATEMENT(stmt_job_count_line),
                                           STATEMENT_PAIR(stmt_job_line),
                                           STATEMENT(stmt_job_lines),
                                           STATEMENT(stmt_job_count),
                                           STATEMENTS_END};
