/* schedule_store.c - SQL of job_schedule and job_slot. */
#include "store/schedule_store.h"

#include "store/job_rows.h"
#include "store/statements.h"

const char *const schedule_catch_up_names[CATCH_UPS] = {
    [CATCH_UP_NONE] = "none", [CATCH_UP_LATEST] = "latest", [CATCH_UP_ALL] = "all"};

#define COLUMNS "name, type, cron, request, catch_up, is_paused, slot_ms, changed_ms, "
#define LIST(now) "SELECT " COLUMNS now " FROM job_schedule ORDER BY name LIMIT $1"
PAIR(stmt_schedule_list, LIST);
#define GET(now) "SELECT " COLUMNS now " FROM job_schedule WHERE name = $1"
PAIR(stmt_schedule_get, GET);
static const char stmt_schedule_count[] = "SELECT COUNT(*) FROM job_schedule";

#define UPDATE_ONE(now)                                                             \
    "UPDATE job_schedule SET type = $2, cron = $3, request = $4, catch_up = $5, "   \
    "is_paused = $6, slot_ms = CASE WHEN is_paused AND slot_ms < " now " THEN " now \
    " ELSE slot_ms END, changed_ms = " now " WHERE name = $1"
PAIR(stmt_schedule_update, UPDATE_ONE);

#define INSERT_ONE(now)                                                                   \
    "INSERT INTO job_schedule (name, type, cron, request, catch_up, is_paused, slot_ms, " \
    "changed_ms) VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN CAST($7 AS BIGINT) > 0 THEN "  \
    "CAST($7 AS BIGINT) ELSE " now " END, " now ")"
PAIR(stmt_schedule_insert, INSERT_ONE);

#define PAUSE(now)                                                                          \
    "UPDATE job_schedule SET slot_ms = CASE WHEN is_paused AND slot_ms < " now " THEN " now \
    " ELSE slot_ms END, is_paused = $2, changed_ms = " now " WHERE name = $1"
PAIR(stmt_schedule_pause, PAUSE);

static const char stmt_schedule_delete_slots[] = "DELETE FROM job_slot WHERE schedule = $1";
static const char stmt_schedule_delete[] = "DELETE FROM job_schedule WHERE name = $1";
static const char stmt_slot_add[] =
    "INSERT INTO job_slot (schedule, slot_ms, job_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
static const char stmt_schedule_seen[] =
    "UPDATE job_schedule SET slot_ms = $2 WHERE name = $1 AND slot_ms < $2";
#define PURGE(now) "DELETE FROM job_slot WHERE slot_ms < " now " - $1"
PAIR(stmt_slot_purge, PURGE);

static enum schedule_catch_up catch_up_of(struct str name)
{
    for (int i = 0; i < CATCH_UPS; i++)
        if (str_eq_c(name, schedule_catch_up_names[i]))
            return (enum schedule_catch_up)i;
    return CATCH_UP_NONE;
}

static enum status read_schedule(const struct rows *rows, struct arena *arena, struct schedule *ret,
                                 struct err *err)
{
    *ret = (struct schedule){.catch_up = catch_up_of(rows_text(rows, 4)),
                             .is_paused = rows_bool(rows, 5),
                             .slot_ms = rows_i64(rows, 6),
                             .changed_ms = rows_i64(rows, 7),
                             .now_ms = rows_i64(rows, 8)};
    return job_copy(rows, 0, arena, &ret->name) && job_copy(rows, 1, arena, &ret->type) &&
                   job_copy(rows, 2, arena, &ret->cron) && job_copy(rows, 3, arena, &ret->request)
               ? STATUS_OK
               : err_out_of_memory(err);
}

static enum status unknown(struct err *err, struct str name)
{
    (void)err_set(err, STATUS_UNKNOWN_SCHEDULE, "There is no schedule of this name.");
    err_at(err, ERR_PARAMETER, STR("name"), name);
    err_allow(err, "a name of GET /v1/admin/schedules");
    return STATUS_UNKNOWN_SCHEDULE;
}

enum status schedule_list(struct db *db, struct arena *arena, struct schedule **ret, size_t *ret_n,
                          struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct schedule *list = arena_array(arena, SCHEDULES_MAX, sizeof *list);
    bool has_row = false;
    *ret_n = 0;
    if (list == NULL)
        return err_out_of_memory(err);
    enum status s =
        db_query(db, stmt_schedule_list[db_kind(db)], PARAMS(db_i64(SCHEDULES_MAX)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = read_schedule(&rows, arena, &list[(*ret_n)++], err);
    *ret = list;
    return s;
}

enum status schedule_get(struct db *db, struct str name, struct arena *arena, struct schedule *ret,
                         struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(db, stmt_schedule_get[db_kind(db)], PARAMS(db_text(name)), &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    return found ? read_schedule(&rows, arena, ret, err) : unknown(err, name);
}

static enum status check_room(struct db *db, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_schedule_count, NO_PARAMS, &rows, &found, err);
    if (s != STATUS_OK || rows_i64(&rows, 0) < SCHEDULES_MAX)
        return s;
    (void)err_set(err, STATUS_BAD_VALUE, "There are %d schedules already.", SCHEDULES_MAX);
    err_allow(err, "at most %d schedules", SCHEDULES_MAX);
    return STATUS_BAD_VALUE;
}

enum status schedule_put(struct db *db, const struct schedule *schedule, bool *ret_is_new,
                         struct err *err)
{
    int64_t changed = 0;
    const struct db_param params[] = {db_text(schedule->name),
                                      db_text(schedule->type),
                                      db_text(schedule->cron),
                                      db_text(schedule->request),
                                      db_text(str_of(schedule_catch_up_names[schedule->catch_up])),
                                      db_bool(schedule->is_paused),
                                      db_i64(schedule->slot_ms)};
    enum status s = db_exec(db, stmt_schedule_update[db_kind(db)], params, ARRAY_LEN(params) - 1,
                            &changed, err);
    *ret_is_new = changed == 0;
    if (s != STATUS_OK || changed > 0)
        return s;
    s = check_room(db, err);
    return s != STATUS_OK ? s
                          : db_exec(db, stmt_schedule_insert[db_kind(db)], params,
                                    ARRAY_LEN(params), NULL, err);
}

enum status schedule_pause(struct db *db, struct str name, bool is_paused, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_schedule_pause[db_kind(db)],
                            PARAMS(db_text(name), db_bool(is_paused)), &changed, err);
    return s == STATUS_OK && changed == 0 ? unknown(err, name) : s;
}

enum status schedule_delete(struct db *db, struct str name, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = db_exec(db, stmt_schedule_delete_slots, PARAMS(db_text(name)), NULL, err);
    if (s == STATUS_OK)
        s = db_exec(db, stmt_schedule_delete, PARAMS(db_text(name)), &changed, err);
    if (s == STATUS_OK && changed == 0)
        s = unknown(err, name);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s != STATUS_OK)
        db_rollback(db);
    return s;
}

enum status schedule_slot(struct db *db, struct str name, int64_t slot_ms, struct str job_id,
                          bool *ret_is_new, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_slot_add,
                            PARAMS(db_text(name), db_i64(slot_ms), db_text(job_id)), &changed, err);
    *ret_is_new = s == STATUS_OK && changed == 1;
    if (s == STATUS_OK)
        s = db_exec(db, stmt_schedule_seen, PARAMS(db_text(name), db_i64(slot_ms)), NULL, err);
    return s;
}

enum status schedule_slots_purge(struct db *db, int64_t age_ms, struct err *err)
{
    return db_exec(db, stmt_slot_purge[db_kind(db)], PARAMS(db_i64(age_ms)), NULL, err);
}

const struct statement schedule_statements[] = {STATEMENT_PAIR(stmt_schedule_list),
                                                STATEMENT_PAIR(stmt_schedule_get),
                                                STATEMENT(stmt_schedule_count),
                                                STATEMENT_PAIR(stmt_schedule_update),
                                                STATEMENT_PAIR(stmt_schedule_insert),
                                                STATEMENT_PAIR(stmt_schedule_pause),
                                                STATEMENT(stmt_schedule_delete_slots),
                                                STATEMENT(stmt_schedule_delete),
                                                STATEMENT(stmt_slot_add),
                                                STATEMENT(stmt_schedule_seen),
                                                STATEMENT_PAIR(stmt_slot_purge),
                                                STATEMENTS_END};
