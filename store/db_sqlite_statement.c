/* db_sqlite_statement.c - prepared statements of one connection: kept, found again by their text, and bound. */
#include "store/db_sqlite.h"

#include "base/clock.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

enum { NS_PER_MS = 1000000 };

/* The slot that already holds sql, or else the one unused for longest. NULL when all are running. */
static struct sqlite_cached *find_slot(struct sqlite_conn *conn, const char *sql)
{
    struct sqlite_cached *oldest = NULL;
    for (size_t i = 0; i < ARRAY_LEN(conn->cache); i++) {
        struct sqlite_cached *slot = &conn->cache[i];
        if (slot->is_running)
            continue;
        if (slot->stmt != NULL && strcmp(sqlite3_sql(slot->stmt), sql) == 0)
            return slot;
        if (oldest == NULL || slot->used_at < oldest->used_at)
            oldest = slot;
    }
    return oldest;
}

enum status sqlite_prepare(struct db *db, const char *sql, struct sqlite_cached **ret,
                           struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    struct sqlite_cached *slot = find_slot(conn, sql);
    assert(slot != NULL); /* one result, one copy and one statement at most run at a time */
    conn->deadline_ns = 0;
    if (db->mode == DB_READ && db->statement_ms > 0)
        conn->deadline_ns = clock_mono_ns() + (int64_t)db->statement_ms * NS_PER_MS;
    if (slot->stmt == NULL || strcmp(sqlite3_sql(slot->stmt), sql) != 0) {
        sqlite3_stmt *stmt = NULL;
        int rc = sqlite3_prepare_v3(conn->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
        if (rc != SQLITE_OK)
            return sqlite_fail(db, rc, err);
        (void)sqlite3_finalize(slot->stmt);
        slot->stmt = stmt;
    }
    slot->used_at = ++conn->tick;
    slot->is_running = true;
    slot->is_at_end = false;
    *ret = slot;
    return STATUS_OK;
}

void sqlite_finish(struct sqlite_cached *slot)
{
    (void)sqlite3_reset(slot->stmt);
    (void)sqlite3_clear_bindings(slot->stmt);
    slot->is_running = false;
}

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_param *param)
{
    switch (param->type) {
    case DB_TEXT:
        /* Copied: the caller lends it for this call only, and a result is stepped through later. */
        return sqlite3_bind_text64(stmt, at, param->text.ptr, param->text.len, SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    case DB_BYTES:
        return sqlite3_bind_blob64(stmt, at, param->text.ptr, param->text.len, SQLITE_STATIC);
    case DB_I64:
    case DB_BOOL:
        return sqlite3_bind_int64(stmt, at, param->i64);
    case DB_F64:
        return sqlite3_bind_double(stmt, at, param->f64);
    case DB_NULL:
        break;
    }
    return sqlite3_bind_null(stmt, at);
}

/* Parameters are found by the number in their name: "$3" is params[2], wherever and how often it stands. */
enum status sqlite_bind(struct db *db, sqlite3_stmt *stmt, const struct db_param *params,
                        size_t n_params, struct err *err)
{
    int n = sqlite3_bind_parameter_count(stmt);
    for (int at = 1; at <= n; at++) {
        const char *name = sqlite3_bind_parameter_name(stmt, at);
        int64_t number = 0;
        bool is_numbered = name != NULL && str_to_i64(str_of(name + 1), &number);
        assert(is_numbered && number >= 1 && (size_t)number <= n_params);
        if (!is_numbered)
            return err_set(err, STATUS_INTERNAL, "A statement has a parameter without a number.");
        int rc = bind_one(stmt, at, &params[number - 1]);
        if (rc != SQLITE_OK)
            return sqlite_fail(db, rc, err);
    }
    return STATUS_OK;
}
