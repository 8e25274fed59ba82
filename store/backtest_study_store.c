/* backtest_study_store.c - SQL of backtest_study. */
#include "store/backtest_study_store.h"

#include "store/statements.h"

#include <string.h>

static const char stmt_study_forget_state[] =
    "UPDATE backtest_study SET state = NULL WHERE job_id = $1 AND state IS NOT NULL";
static const char stmt_study_add[] =
    "INSERT INTO backtest_study (job_id, n_done, trials, state) VALUES ($1, $2, $3, $4)";
static const char stmt_study_size[] =
    "SELECT COALESCE(CAST(SUM(LENGTH(trials)) AS BIGINT), 0) FROM backtest_study WHERE job_id = $1";
static const char stmt_study_read[] =
    "SELECT n_done, trials, state FROM backtest_study WHERE job_id = $1 ORDER BY n_done";
static const char stmt_study_delete[] = "DELETE FROM backtest_study WHERE job_id = $1";

enum status backtest_study_add(struct db *db, struct str job_id, int64_t n_done, struct str trials,
                               struct str state, struct err *err)
{
    enum status s = db_exec(db, stmt_study_forget_state, PARAMS(db_text(job_id)), NULL, err);
    return s != STATUS_OK
               ? s
               : db_exec(db, stmt_study_add,
                         PARAMS(db_text(job_id), db_i64(n_done), db_bytes(trials), db_bytes(state)),
                         NULL, err);
}

static enum status read_size(struct db *db, struct str job_id, size_t *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_study_size, PARAMS(db_text(job_id)), &rows, &found, err);
    *ret = s == STATUS_OK && found ? (size_t)rows_i64(&rows, 0) : 0;
    return s;
}

enum status backtest_study_read(struct db *db, struct str job_id, struct arena *arena,
                                struct backtest_study_kept *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct backtest_study_kept kept = {.state = STR_NONE};
    size_t size = 0, len = 0;
    bool has_row = false;
    enum status s = read_size(db, job_id, &size, err);
    if (s != STATUS_OK)
        return s;
    char *trials = arena_alloc(arena, size);
    if (trials == NULL)
        return err_out_of_memory(err);
    s = db_query(db, stmt_study_read, PARAMS(db_text(job_id)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str part = rows_bytes(&rows, 1); /* until the next rows_bytes */
        if (part.len > size - len)
            return err_set(err, STATUS_DB_CONFLICT, "The job's study is being written.");
        if (part.len > 0)
            memcpy(trials + len, part.ptr, part.len);
        len += part.len;
        kept.n_done = rows_i64(&rows, 0);
        kept.state = STR_NONE;
        if (rows_is_null(&rows, 2))
            continue;
        struct str state = rows_bytes(&rows, 2);
        kept.state = (struct str){arena_dup(arena, state), state.len};
        if (kept.state.ptr == NULL)
            return err_out_of_memory(err);
    }
    kept.trials = (struct str){trials, len};
    if (s == STATUS_OK)
        *ret = kept;
    return s;
}

enum status backtest_study_delete(struct db *db, struct str job_id, struct err *err)
{
    return db_exec(db, stmt_study_delete, PARAMS(db_text(job_id)), NULL, err);
}

const struct statement backtest_study_statements[] = {
    STATEMENT(stmt_study_forget_state), STATEMENT(stmt_study_add),    STATEMENT(stmt_study_size),
    STATEMENT(stmt_study_read),         STATEMENT(stmt_study_delete), STATEMENTS_END};
