/* mart_count.c - counting, exactly, up to a bound, or as the planner sees it. */
#include "store/mart_count.h"

#include "store/generation.h"
#include "store/mart_sql.h"

#include <string.h>

static enum status run_one(struct db *db, const struct mart_query *query,
                           const struct mart_sql *sql, struct rows *ret_rows, bool *ret_found,
                           struct err *err)
{
    enum status s = generation_pin_mart(db, query->mart, query->generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query_one(db, sql->text, sql->params, sql->n_params, ret_rows, ret_found, err);
}

enum status mart_count(struct db *db, const struct mart_query *query, int64_t max,
                       struct arena *arena, int64_t *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct mart_sql sql;
    bool found = false;
    enum status s = mart_sql_count(query, max, db_kind(db), arena, &sql, err);
    if (s == STATUS_OK)
        s = run_one(db, query, &sql, &rows, &found, err);
    if (s == STATUS_OK && !found)
        s = err_set(err, STATUS_INTERNAL, "The database did not count.");
    if (s == STATUS_OK)
        *ret = rows_i64(&rows, 0);
    return s;
}

enum status mart_count_planned(struct db *db, const struct mart_query *query, struct arena *arena,
                               int64_t *ret, struct err *err)
{
    static const char member[] = "\"Plan Rows\": ";
    CLEANUP(rows_clear) struct rows rows = {0};
    struct mart_sql sql;
    bool found = false;
    enum status s = mart_sql_explain(query, db_kind(db), arena, &sql, err);
    if (s == STATUS_OK)
        s = run_one(db, query, &sql, &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    *ret = -1;
    const char *text =
        found && !rows_is_null(&rows, 0) ? arena_dup(arena, rows_text(&rows, 0)) : NULL;
    const char *at = text == NULL ? NULL : strstr(text, member); /* the first is the whole plan's */
    if (at == NULL)
        return STATUS_OK;
    at += sizeof member - 1;
    int64_t n = 0;
    if (str_to_i64((struct str){at, strspn(at, "0123456789")}, &n))
        *ret = n;
    return STATUS_OK;
}
