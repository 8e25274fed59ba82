/* job_rows.c - rows of job as records. */
#include "store/job_rows.h"

const char *const job_state_names[JOB_STATES] = {
    [JOB_QUEUED] = "queued", [JOB_RUNNING] = "running",     [JOB_SUCCEEDED] = "succeeded",
    [JOB_FAILED] = "failed", [JOB_CANCELLED] = "cancelled",
};

enum job_state job_state_of(struct str name)
{
    for (int i = 0; i < JOB_STATES; i++)
        if (str_eq_c(name, job_state_names[i]))
            return (enum job_state)i;
    return JOB_FAILED;
}

bool job_copy(const struct rows *rows, size_t column, struct arena *arena, struct str *ret)
{
    struct str text = rows_text(rows, column);
    *ret = STR_NONE;
    if (text.ptr == NULL)
        return true;
    *ret = (struct str){arena_dup(arena, text), text.len};
    return ret->ptr != NULL;
}

/* Columns in the order of RECORD. */
enum status job_read_record(const struct rows *rows, struct arena *arena, struct job_record *ret,
                            struct err *err)
{
    struct job_record job = {
        .owner = rows_i64(rows, 2),
        .state = job_state_of(rows_text(rows, 3)),
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
        .tries = rows_i64(rows, 20),
        .tries_max = rows_i64(rows, 21),
        .ready_ms = rows_i64(rows, 22),
        .now_ms = rows_i64(rows, 23),
    };
    bool is_copied =
        job_copy(rows, 0, arena, &job.id) && job_copy(rows, 1, arena, &job.type) &&
        job_copy(rows, 4, arena, &job.request) && job_copy(rows, 11, arena, &job.worker) &&
        job_copy(rows, 18, arena, &job.result) && job_copy(rows, 19, arena, &job.problem);
    if (!is_copied)
        return err_out_of_memory(err);
    *ret = job;
    return STATUS_OK;
}

enum status job_is_any(struct db *db, const char *sql, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    return db_query_one(db, sql, NO_PARAMS, &rows, ret, err);
}
