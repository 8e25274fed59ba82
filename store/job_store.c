/* job_store.c - SQL of job as its clients see it: made, looked at, cancelled, counted and removed. */
#include "store/job_rows.h"

#include "store/statements.h"

static const char stmt_job_gate[] = "SELECT pg_advisory_xact_lock(7262144601)";
static const char stmt_job_load[] =
    "SELECT COUNT(CASE WHEN state = 'queued' THEN 1 END), COUNT(CASE WHEN owner = $1 THEN 1 END), "
    "COALESCE(CAST(SUM(CASE WHEN owner = $1 THEN cost ELSE 0 END) AS BIGINT), 0) "
    "FROM job WHERE state = 'queued' OR state = 'running'";

#define INSERT(now)                                                                       \
    "INSERT INTO job (id, type, owner, state, request, priority, cost, n_items, n_done, " \
    "n_failed, attempt, crashes, cancel_requested, created_ms, deadline_ms, n_log, "      \
    "only_one, tries_max) "                                                               \
    "VALUES ($1, $2, $3, 'queued', $4, $5, $6, $7, 0, 0, 0, 0, $8, " now ", " now         \
    " + $9, 0, $10, $11)"
PAIR(stmt_job_insert, INSERT);

static const char stmt_job_rival[] =
    "SELECT id FROM job WHERE only_one = $1 AND (state = 'queued' OR state = 'running')";

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
static const char stmt_job_delete_stages[] = "DELETE FROM job_stage WHERE job_id = $1";
static const char stmt_job_delete_keys[] = "DELETE FROM idempotent_request WHERE job_id = $1";
static const char stmt_job_delete[] =
    "DELETE FROM job WHERE id = $1 AND state <> 'queued' AND state <> 'running'";

#define OLDEST(now)                                                                    \
    "SELECT id FROM job WHERE finished_ms IS NOT NULL AND finished_ms < " now " - $1 " \
    "ORDER BY finished_ms LIMIT 1"
PAIR(stmt_job_oldest, OLDEST);

static const char stmt_job_count[] = "SELECT state, COUNT(*) FROM job GROUP BY state";

#define PEEK(now)                                                                             \
    "SELECT state, cancel_requested, n_items, n_done, n_failed, n_log, started_ms, " now ", " \
    "problem FROM job WHERE id = $1"
PAIR(stmt_job_peek, PEEK);

enum status job_unknown(struct err *err, struct str id)
{
    (void)err_set(err, STATUS_UNKNOWN_JOB, "There is no job with this id.");
    err_at(err, ERR_PARAMETER, STR("id"), id);
    err_allow(err, "the id of a job of yours, as POST answered it");
    return STATUS_UNKNOWN_JOB;
}

/* what and whats are the word for one of them and for more; there are at least two. */
static enum status too_many(struct err *err, const char *what, const char *whats, int64_t there,
                            int64_t limit)
{
    (void)err_set(err, STATUS_TOO_MANY_JOBS,
                  "Your jobs that wait or run have %lld %s with this one.", (long long)there,
                  whats);
    err_allow(err, "at most %lld %s at the same time; see /v1/limits", (long long)limit,
              str_plural((uint64_t)limit, what, whats));
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
        return too_many(err, "job", "jobs", jobs, limits->per_owner);
    if (limits->cost_of_owner > 0 && cost > limits->cost_of_owner)
        return too_many(err, "cell", "cells", cost, limits->cost_of_owner);
    if (limits->queued == 0 || queued < limits->queued)
        return STATUS_OK;
    (void)err_set(err, STATUS_BUSY, "%lld %s waiting already.", (long long)queued,
                  str_plural((uint64_t)queued, "job is", "jobs are"));
    err_allow(err, "at most %lld %s in the queue", (long long)limits->queued,
              str_plural((uint64_t)limits->queued, "job", "jobs"));
    if (err != NULL)
        err->retry_after_s = 10;
    return STATUS_BUSY;
}

static enum status check_rival(struct db *db, struct str only_one, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    if (only_one.ptr == NULL)
        return STATUS_OK;
    enum status s = db_query_one(db, stmt_job_rival, PARAMS(db_text(only_one)), &rows, &found, err);
    if (s != STATUS_OK || !found)
        return s;
    (void)err_set(err, STATUS_JOB_EXISTS, "Job %.*s does the same and is not over.",
                  STR_ARG(rows_text(&rows, 0)));
    err_allow(err, "to wait for it, or to cancel it: /v1/jobs/%.*s", STR_ARG(rows_text(&rows, 0)));
    return STATUS_JOB_EXISTS;
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
        s = check_rival(db, job->only_one, err);
    if (s == STATUS_OK)
        s = check_limits(db, job, limits, err);
    if (s != STATUS_OK)
        return s;
    struct db_param deadline = job->deadline_ms == 0 ? db_text(STR_NONE) : db_i64(job->deadline_ms);
    return db_exec(db, stmt_job_insert[db_kind(db)],
                   PARAMS(db_text(job->id), db_text(job->type), db_i64(job->owner),
                          db_text(job->request), db_i64(job->priority), db_i64(job->cost),
                          db_i64(job->n_items), db_bool(false), deadline, db_text(job->only_one),
                          db_i64(job->tries_max > 0 ? job->tries_max : 1)),
                   NULL, err);
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
        *ret_state = job_state_of(rows_text(&rows, 0));
    return s;
}

enum status job_get(struct db *db, struct str id, struct arena *arena, struct job_record *ret,
                    bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query_one(db, stmt_job_get[db_kind(db)], PARAMS(db_text(id)), &rows, ret_found, err);
    return s == STATUS_OK && *ret_found ? job_read_record(&rows, arena, ret, err) : s;
}

enum status job_peek(struct db *db, struct str id, struct arena *arena, struct job_glimpse *ret,
                     bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query_one(db, stmt_job_peek[db_kind(db)], PARAMS(db_text(id)), &rows, ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    *ret = (struct job_glimpse){.state = job_state_of(rows_text(&rows, 0)),
                                .cancel_requested = rows_bool(&rows, 1),
                                .n_items = rows_i64(&rows, 2),
                                .n_done = rows_i64(&rows, 3),
                                .n_failed = rows_i64(&rows, 4),
                                .n_log = rows_i64(&rows, 5),
                                .started_ms = rows_i64(&rows, 6),
                                .now_ms = rows_i64(&rows, 7)};
    return job_copy(&rows, 8, arena, &ret->problem) ? STATUS_OK : err_out_of_memory(err);
}

enum status job_delete(struct db *db, struct str id, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_job_delete, PARAMS(db_text(id)), &changed, err);
    if (s != STATUS_OK || changed == 0)
        return s;
    s = db_exec(db, stmt_job_delete_stages, PARAMS(db_text(id)), NULL, err);
    if (s == STATUS_OK)
        s = db_exec(db, stmt_job_delete_keys, PARAMS(db_text(id)), NULL, err);
    return s == STATUS_OK ? db_exec(db, stmt_job_delete_log, PARAMS(db_text(id)), NULL, err) : s;
}

enum status job_oldest(struct db *db, int64_t age_ms, struct arena *arena, struct str *ret_id,
                       bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = db_query_one(db, stmt_job_oldest[db_kind(db)], PARAMS(db_i64(age_ms)), &rows,
                                 ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    return job_copy(&rows, 0, arena, ret_id) ? STATUS_OK : err_out_of_memory(err);
}

enum status job_count(struct db *db, int64_t ret[JOB_STATES], struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    for (size_t i = 0; i < JOB_STATES; i++)
        ret[i] = 0;
    enum status s = db_query(db, stmt_job_count, NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        ret[job_state_of(rows_text(&rows, 0))] = rows_i64(&rows, 1);
    return s;
}

const struct statement job_statements[] = {STATEMENT_FOR(DB_POSTGRESQL, stmt_job_gate),
                                           STATEMENT(stmt_job_load),
                                           STATEMENT_PAIR(stmt_job_insert),
                                           STATEMENT_PAIR(stmt_job_cancel),
                                           STATEMENT(stmt_job_state),
                                           STATEMENT_PAIR(stmt_job_get),
                                           STATEMENT_PAIR(stmt_job_peek),
                                           STATEMENT(stmt_job_rival),
                                           STATEMENT(stmt_job_delete_log),
                                           STATEMENT(stmt_job_delete_stages),
                                           STATEMENT(stmt_job_delete_keys),
                                           STATEMENT(stmt_job_delete),
                                           STATEMENT_PAIR(stmt_job_oldest),
                                           STATEMENT(stmt_job_count),
                                           STATEMENTS_END};
