/* warehouse.c - opening the warehouse, its books, and the calendar of days. */
#include "ingest/warehouse.h"

#include "base/clock.h"
#include "base/date.h"
#include "ingest/warehouse_impl.h"
#include "store/migrate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { SQL_BYTES_MAX = 64 * 1024, ANALYZE_ROWS_MIN = 20000 };

static const char schemas[] =
    "CREATE SCHEMA IF NOT EXISTS silver; CREATE SCHEMA IF NOT EXISTS gold; "
    "CREATE SCHEMA IF NOT EXISTS staging";
static const char search_path[] = "SET search_path TO silver, gold, staging";
/*
 * Models are planned before their tables are filled: guesses of their cost are no reason to compile them. Statistics that are
 * taken in between have to tell few rows from many; the server takes finer ones by itself later.
 */
static const char search_path_pg[] = "SET search_path TO silver, gold, staging; SET jit TO off; "
                                     "SET default_statistics_target TO 20";
static const char lock_table[] =
    "CREATE TABLE IF NOT EXISTS silver." DB_REDSHIFT_LOCK " (place BIGINT)";

enum status warehouse_exec(struct db *db, const struct db_param *params, size_t n_params,
                           int64_t *ret_changed, struct err *err, const char *format, ...)
{
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, (size_t)2 * SQL_BYTES_MAX);
    char *sql = arena_alloc(&arena, SQL_BYTES_MAX);
    if (sql == NULL)
        return err_out_of_memory(err);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(sql, SQL_BYTES_MAX, format, args);
    va_end(args);
    if (n < 0 || n >= SQL_BYTES_MAX)
        return err_set(err, STATUS_INTERNAL, "A statement of the warehouse is too long.");
    return db_exec(db, sql, params, n_params, ret_changed, err);
}

enum status warehouse_number(struct db *db, const char *sql, const struct db_param *params,
                             size_t n_params, int64_t *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, sql, params, n_params, &rows, &found, err);
    if (s == STATUS_OK)
        *ret = found ? rows_i64(&rows, 0) : 0;
    return s;
}

enum status warehouse_analyze(struct db *db, const char *table, int64_t n, struct err *err)
{
    if (n < ANALYZE_ROWS_MIN || db_kind(db) != DB_POSTGRESQL)
        return STATUS_OK;
    return warehouse_exec(db, NO_PARAMS, NULL, err, "ANALYZE %s", table);
}

/* What drops each index of a table, and what makes it again; that of a key goes and comes with its constraint. */
static const char indexes_sql[] =
    "SELECT CASE WHEN k.oid IS NULL THEN 'DROP INDEX ' || CAST(i.indexrelid AS regclass) "
    "ELSE 'ALTER TABLE ' || CAST(i.indrelid AS regclass) || ' DROP CONSTRAINT ' || quote_ident(k.conname) END, "
    "CASE WHEN k.oid IS NULL THEN pg_get_indexdef(i.indexrelid) "
    "ELSE 'ALTER TABLE ' || CAST(i.indrelid AS regclass) || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' "
    "|| pg_get_constraintdef(k.oid) END "
    "FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid "
    "WHERE i.indrelid = to_regclass($1) ORDER BY i.indexrelid";

enum status warehouse_unindex(struct db *db, const char *table, struct buf *ret_script,
                              struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char room[1024];
    struct buf drops;
    bool has_row = false;
    if (db_kind(db) != DB_POSTGRESQL)
        return STATUS_OK;
    buf_init_fixed(&drops, room, sizeof room);
    enum status s = db_query(db, indexes_sql, PARAMS(db_text(str_of(table))), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        buf_printf(&drops, "%.*s; ", STR_ARG(rows_text(&rows, 0)));
        buf_printf(ret_script, "%.*s; ", STR_ARG(rows_text(&rows, 1)));
    }
    rows_clear(&rows);
    const char *script = buf_c_str(&drops);
    if (s == STATUS_OK && (script == NULL || ret_script->failed))
        s = err_out_of_memory(err);
    return s == STATUS_OK && drops.len > 0 ? db_exec_script(db, script, err) : s;
}

enum status warehouse_begin(struct db *db, int64_t *ret_load_id, struct err *err)
{
    int64_t last = 0;
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = warehouse_number(db, "SELECT max(load_id) FROM load_ledger", NO_PARAMS, &last, err);
    if (s == STATUS_OK)
        *ret_load_id = last + 1;
    return s;
}

static struct db_param day_or_none(int32_t date, char room[DATE_TEXT_BYTES])
{
    return date == DATE_NONE ? db_text(STR_NONE) : db_date(date, room);
}

enum status warehouse_book(struct db *db, const struct load_entry *entry, struct err *err)
{
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES], now[INSTANT_TEXT_BYTES];
    instant_format(clock_wall_s(), now);
    return db_exec(
        db,
        "INSERT INTO load_ledger (load_id, stage, dataset, from_date, to_date, n_objects, "
        "n_rows, n_changed, n_bad, status, finished_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        PARAMS(db_i64(entry->load_id), db_text(str_of(entry->stage)), db_text(entry->dataset),
               day_or_none(entry->from, from), day_or_none(entry->to, to), db_i64(entry->n_objects),
               db_i64(entry->n_rows), db_i64(entry->n_changed), db_i64(entry->n_bad),
               db_text(str_of(entry->status)), db_text(str_of(now))),
        NULL, err);
}

/* The n-th Sunday of a month, from 1; 0: the last. */
static int32_t sunday_of(int year, int month, int n)
{
    int32_t first = date_from_civil((struct civil){year, month, 1});
    int32_t last = first + date_days_in_month(year, month) - 1;
    return n == 0 ? last - (date_weekday(last) + 1) % 7
                  : first + (6 - date_weekday(first)) + 7 * (n - 1);
}

/* Since 2007 in the United States; in Europe since 1996. Earlier years are given the same rule. */
static bool is_summer(int32_t date, int year, bool is_us)
{
    return is_us ? date >= sunday_of(year, 3, 2) && date < sunday_of(year, 11, 1)
                 : date >= sunday_of(year, 3, 0) && date < sunday_of(year, 10, 0);
}

enum { DAY_COLUMNS = 12 };

static enum status add_day(struct db *db, int32_t date, struct err *err)
{
    struct civil c = date_to_civil(date);
    int quarter = (c.month - 1) / 3 + 1;
    int32_t first = date - c.day + 1;
    char text[5][DATE_TEXT_BYTES], number[3][24], quarter_id[24], month_id[24];
    date_format(date, text[0]);
    date_format(date + 6 - date_weekday(date), text[1]);
    date_format(first + date_days_in_month(c.year, c.month) - 1, text[2]);
    int32_t quarter_first = date_from_civil((struct civil){c.year, 3 * quarter - 2, 1});
    date_format(date_add_months(quarter_first, 3) - 1, text[3]);
    date_format(date_from_civil((struct civil){c.year, 12, 31}), text[4]);
    (void)snprintf(number[0], sizeof number[0], "%d", (int)date);
    (void)snprintf(number[1], sizeof number[1], "%d", date_weekday(date));
    (void)snprintf(number[2], sizeof number[2], "%d", c.year);
    (void)snprintf(quarter_id, sizeof quarter_id, "%dQ%d", c.year, quarter);
    (void)snprintf(month_id, sizeof month_id, "%d-%02d", c.year, c.month);
    struct str fields[DAY_COLUMNS] = {str_of(text[0]),
                                      str_of(number[0]),
                                      str_of(number[1]),
                                      str_of(number[2]),
                                      str_of(quarter_id),
                                      str_of(month_id),
                                      str_of(text[1]),
                                      str_of(text[2]),
                                      str_of(text[3]),
                                      str_of(text[4]),
                                      is_summer(date, c.year, true) ? STR("1") : STR("0"),
                                      is_summer(date, c.year, false) ? STR("1") : STR("0")};
    return db_copy_row(db, fields, err);
}

static enum status fill_days(struct db *db, struct err *err)
{
    static const char *const columns[DAY_COLUMNS] = {
        "date",     "day_number", "weekday",     "year",     "quarter_id",   "month_id",
        "week_end", "month_end",  "quarter_end", "year_end", "is_summer_us", "is_summer_eu"};
    int64_t load_id = 0, has_days = 0;
    enum status s = warehouse_begin(db, &load_id, err);
    if (s == STATUS_OK)
        s = warehouse_number(db, "SELECT 1 FROM dim_date LIMIT 1", NO_PARAMS, &has_days, err);
    if (s == STATUS_OK && has_days == 0) {
        s = db_copy_begin(db, "dim_date", columns, DAY_COLUMNS, err);
        for (int32_t date = DATE_MIN; date <= DATE_MAX && s == STATUS_OK; date++)
            s = add_day(db, date, err);
        if (s == STATUS_OK)
            s = db_copy_end(db, err);
        if (s == STATUS_OK && db_kind(db) == DB_POSTGRESQL)
            s = db_exec(db, "ANALYZE dim_date", NO_PARAMS, NULL, err);
    }
    if (s == STATUS_OK)
        s = db_commit(db, err);
    return s;
}

static enum status make_schemas(struct db *db, struct err *err)
{
    bool is_redshift = db_kind(db) == DB_REDSHIFT; /* whose lock is a table of them */
    enum status s = db_begin(db, err);
    if (s == STATUS_OK && !is_redshift)
        s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = db_exec_script(db, schemas, err);
    if (s == STATUS_OK && is_redshift)
        s = db_exec(db, lock_table, NO_PARAMS, NULL, err);
    return s == STATUS_OK ? db_commit(db, err) : s;
}

static enum status prepare(struct db_pool *pool, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    struct migration_set set = {warehouse_migrations, warehouse_migrations_count};
    int n_applied = 0;
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, err);
    if (s == STATUS_OK && db_kind(db) != DB_SQLITE)
        s = make_schemas(db, err);
    db_release(db);
    db = NULL;
    if (s == STATUS_OK)
        s = migrate_up_set(pool, &set, &n_applied, err);
    if (s == STATUS_OK)
        s = db_acquire(pool, DB_WRITE, NULL, &db, err);
    return s == STATUS_OK ? fill_days(db, err) : s;
}

enum status warehouse_open(const struct db_options *options, struct db_pool **ret, struct err *err)
{
    struct db_options own = *options;
    bool is_redshift = own.url != NULL && str_starts(str_of(own.url), STR("redshift:"));
    own.session = is_redshift ? search_path : search_path_pg;
    own.read_urls = NULL;
    struct db_pool *pool = NULL;
    enum status s = db_pool_open(&own, &pool, err);
    if (s == STATUS_OK)
        s = prepare(pool, err);
    if (s != STATUS_OK) {
        db_pool_close(pool);
        return s;
    }
    *ret = pool;
    return STATUS_OK;
}
