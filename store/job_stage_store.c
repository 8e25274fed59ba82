/* job_stage_store.c - SQL of job_stage. */
#include "store/job_stage_store.h"

#include "store/job_rows.h"
#include "store/statements.h"

#define BEGUN(now)                                                                             \
    "INSERT INTO job_stage (job_id, seq, stage, state, attempts, started_ms) "                 \
    "VALUES ($1, $2, $3, 'running', 1, " now ") ON CONFLICT (job_id, seq) DO UPDATE SET "      \
    "state = 'running', attempts = job_stage.attempts + 1, started_ms = excluded.started_ms, " \
    "finished_ms = NULL, report = NULL"
PAIR(stmt_stage_begin, BEGUN);

#define ENDED(now)                                                         \
    "UPDATE job_stage SET state = $3, finished_ms = " now ", report = $4 " \
    "WHERE job_id = $1 AND seq = $2"
PAIR(stmt_stage_end, ENDED);

static const char stmt_stage_list[] =
    "SELECT seq, stage, state, attempts, started_ms, finished_ms, report FROM job_stage "
    "WHERE job_id = $1 ORDER BY seq LIMIT $2";

static const char stmt_stage_held[] =
    "UPDATE job SET n_done = n_done WHERE id = $1 AND worker = $2 AND attempt = $3 AND "
    "state = 'running'";

/* Takes the job's row, so that no other worker claims it before the transaction's end. */
static enum status hold(struct db *db, const struct job_fence *fence, bool *ret_is_held,
                        struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(
        db, stmt_stage_held,
        PARAMS(db_text(fence->id), db_text(fence->worker), db_i64(fence->attempt)), &changed, err);
    *ret_is_held = s == STATUS_OK && changed == 1;
    return s;
}

static enum status settle(struct db *db, enum status s, bool is_held, struct err *err)
{
    if (s == STATUS_OK && is_held)
        s = db_commit(db, err);
    if (s != STATUS_OK || !is_held)
        db_rollback(db);
    return s;
}

enum status job_stage_begin(struct db *db, const struct job_fence *fence, int64_t seq,
                            struct str name, bool *ret_is_held, struct err *err)
{
    *ret_is_held = false;
    enum status s = db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    s = hold(db, fence, ret_is_held, err);
    if (s == STATUS_OK && *ret_is_held)
        s = db_exec(db, stmt_stage_begin[db_kind(db)],
                    PARAMS(db_text(fence->id), db_i64(seq), db_text(name)), NULL, err);
    return settle(db, s, *ret_is_held, err);
}

enum status job_stage_end(struct db *db, const struct job_fence *fence, int64_t seq,
                          bool has_succeeded, struct str report, bool *ret_is_held, struct err *err)
{
    struct str state = str_of(has_succeeded ? "succeeded" : "failed");
    *ret_is_held = false;
    enum status s = db_begin(db, err);
    if (s != STATUS_OK)
        return s;
    s = has_succeeded ? job_progress(db, fence, seq + 1, 0, ret_is_held, err)
                      : hold(db, fence, ret_is_held, err);
    if (s == STATUS_OK && *ret_is_held)
        s = db_exec(db, stmt_stage_end[db_kind(db)],
                    PARAMS(db_text(fence->id), db_i64(seq), db_text(state), db_text(report)), NULL,
                    err);
    return settle(db, s, *ret_is_held, err);
}

enum status job_stage_read(struct db *db, struct arena *arena, struct job_record *job,
                           struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct job_stage *stages = arena_array(arena, JOB_STAGES_MAX, sizeof *stages);
    bool has_row = false;
    size_t n = 0;
    if (stages == NULL)
        return err_out_of_memory(err);
    enum status s =
        db_query(db, stmt_stage_list, PARAMS(db_text(job->id), db_i64(JOB_STAGES_MAX)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct job_stage *stage = &stages[n++];
        *stage = (struct job_stage){.seq = rows_i64(&rows, 0),
                                    .attempts = rows_i64(&rows, 3),
                                    .started_ms = rows_i64(&rows, 4),
                                    .finished_ms = rows_i64(&rows, 5)};
        if (!job_copy(&rows, 1, arena, &stage->name) || !job_copy(&rows, 2, arena, &stage->state) ||
            !job_copy(&rows, 6, arena, &stage->report))
            return err_out_of_memory(err);
    }
    job->stages = stages;
    job->n_stages = n;
    return s;
}

const struct statement job_stage_statements[] = {
    STATEMENT_PAIR(stmt_stage_begin), STATEMENT_PAIR(stmt_stage_end), STATEMENT(stmt_stage_list),
    STATEMENT(stmt_stage_held), STATEMENTS_END};
