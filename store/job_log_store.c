/* job_log_store.c - SQL of job_log. */
#include "store/job_rows.h"

#include "store/statements.h"

static const char stmt_job_count_line[] =
    "UPDATE job SET n_log = n_log + 1 WHERE id = $1 AND n_log < $2 RETURNING n_log";
#define LINE(now) "INSERT INTO job_log (job_id, seq, at_ms, line) VALUES ($1, $2, " now ", $3)"
PAIR(stmt_job_line, LINE);
static const char stmt_job_lines[] =
    "SELECT seq, at_ms, line FROM job_log WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT 1000";
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
        if (!job_copy(&rows, 2, arena, &lines[n].line))
            return err_out_of_memory(err);
        n++;
    }
    if (s != STATUS_OK)
        return s;
    *ret = lines;
    *ret_n = n;
    return STATUS_OK;
}

const struct statement job_log_statements[] = {STATEMENT(stmt_job_count_line),
                                               STATEMENT_PAIR(stmt_job_line),
                                               STATEMENT(stmt_job_lines), STATEMENTS_END};
