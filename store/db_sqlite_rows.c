/* db_sqlite_rows.c - results and bulk inserts of the embedded back end. */
#include "store/db_sqlite.h"

#include "base/arena.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>

enum { COPY_SQL_MAX = 16 * 1024 };

enum status sqlite_query(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, void **ret_impl, struct err *err)
{
    struct sqlite_cached *slot = NULL;
    enum status s = sqlite_prepare(db, sql, &slot, err);
    if (s != STATUS_OK)
        return s;
    s = sqlite_bind(db, slot->stmt, params, n_params, err);
    if (s != STATUS_OK) {
        sqlite_finish(slot);
        return s;
    }
    *ret_impl = slot;
    return STATUS_OK;
}

enum status sqlite_row_next(struct rows *rows, bool *ret_has_row, struct err *err)
{
    struct sqlite_cached *slot = rows->impl;
    if (stop_is_raised(rows->db->stop))
        return stop_status(rows->db->stop, err);
    int rc = slot->is_at_end ? SQLITE_DONE : sqlite3_step(slot->stmt);
    slot->is_at_end = rc != SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sqlite_fail(rows->db, rc, err);
    *ret_has_row = rc == SQLITE_ROW;
    return STATUS_OK;
}

void sqlite_rows_clear(struct rows *rows)
{
    sqlite_finish(rows->impl);
}

static sqlite3_stmt *stmt_of(const struct rows *rows)
{
    return ((struct sqlite_cached *)rows->impl)->stmt;
}

size_t sqlite_width(const struct rows *rows)
{
    return (size_t)sqlite3_column_count(stmt_of(rows));
}

bool sqlite_is_null(const struct rows *rows, size_t column)
{
    return sqlite3_column_type(stmt_of(rows), (int)column) == SQLITE_NULL;
}

struct str sqlite_text(const struct rows *rows, size_t column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    const unsigned char *text = sqlite3_column_text(stmt, (int)column);
    return (struct str){(const char *)text, (size_t)sqlite3_column_bytes(stmt, (int)column)};
}

int64_t sqlite_i64(const struct rows *rows, size_t column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    int64_t value = 0;
    if (sqlite3_column_type(stmt, (int)column) == SQLITE_TEXT)
        return str_to_i64(sqlite_text(rows, column), &value) ? value : 0;
    return sqlite3_column_int64(stmt, (int)column);
}

/* Text goes through our own conversion: SQLite's is not correctly rounded. */
double sqlite_f64(const struct rows *rows, size_t column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    double value = (double)NAN;
    switch (sqlite3_column_type(stmt, (int)column)) {
    case SQLITE_INTEGER:
    case SQLITE_FLOAT:
        return sqlite3_column_double(stmt, (int)column);
    case SQLITE_TEXT:
        return str_to_f64(sqlite_text(rows, column), &value) ? value : (double)NAN;
    default:
        return value;
    }
}

bool sqlite_boolean(const struct rows *rows, size_t column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    if (sqlite3_column_type(stmt, (int)column) == SQLITE_TEXT) {
        struct str text = sqlite_text(rows, column);
        return str_eq_c(text, "true") || str_eq_c(text, "t") || str_eq_c(text, "1");
    }
    return sqlite3_column_int64(stmt, (int)column) != 0;
}

struct str sqlite_bytes(const struct rows *rows, size_t column)
{
    sqlite3_stmt *stmt = stmt_of(rows);
    const void *bytes = sqlite3_column_blob(stmt, (int)column);
    size_t len = (size_t)sqlite3_column_bytes(stmt, (int)column);
    if (bytes == NULL && sqlite3_column_type(stmt, (int)column) != SQLITE_NULL)
        return STR(""); /* SQLite's pointer for an empty value */
    return (struct str){bytes, len};
}

/* Which of the target's columns are declared as floating point. */
static enum status find_real_columns(struct db *db, const char *table, const char *const *columns,
                                     struct buf *sql, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    buf_add_c(sql, "SELECT ");
    for (size_t i = 0; i < conn->n_copy_columns; i++)
        buf_printf(sql, "%s%s", i > 0 ? ", " : "", columns[i]);
    buf_printf(sql, " FROM %s", table);
    const char *text = buf_c_str(sql);
    if (text == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing a bulk insert.");
    struct sqlite_cached *slot = NULL;
    enum status s = sqlite_prepare(db, text, &slot, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < conn->n_copy_columns; i++) {
        const char *type = sqlite3_column_decltype(slot->stmt, (int)i);
        conn->copy_is_real[i] =
            type != NULL && (strcmp(type, "REAL") == 0 || strcmp(type, "DOUBLE PRECISION") == 0);
    }
    sqlite_finish(slot);
    return STATUS_OK;
}

static enum status prepare_insert(struct db *db, const char *table, const char *const *columns,
                                  struct buf *sql, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    buf_printf(sql, "INSERT INTO %s(", table);
    for (size_t i = 0; i < conn->n_copy_columns; i++)
        buf_printf(sql, "%s%s", i > 0 ? ", " : "", columns[i]);
    buf_add_c(sql, ") VALUES (");
    for (size_t i = 0; i < conn->n_copy_columns; i++)
        buf_add_c(sql, i > 0 ? ", ?" : "?");
    buf_add_char(sql, ')');
    const char *text = buf_c_str(sql);
    if (text == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing a bulk insert.");
    return sqlite_prepare(db, text, &conn->copy, err);
}

enum status sqlite_copy_begin(struct db *db, const char *table, const char *const *columns,
                              size_t n_columns, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, (size_t)4 * COPY_SQL_MAX);
    struct buf probe, insert;
    buf_init(&probe, &arena, COPY_SQL_MAX);
    buf_init(&insert, &arena, COPY_SQL_MAX);
    conn->n_copy_columns = n_columns;
    conn->n_copied = 0;
    enum status s = find_real_columns(db, table, columns, &probe, err);
    if (s != STATUS_OK)
        return s;
    return prepare_insert(db, table, columns, &insert, err);
}

static int bind_field(struct sqlite_conn *conn, size_t i, struct str field)
{
    sqlite3_stmt *stmt = conn->copy->stmt;
    double real = 0;
    if (field.ptr == NULL)
        return sqlite3_bind_null(stmt, (int)i + 1);
    if (conn->copy_is_real[i] && str_to_f64(field, &real))
        return sqlite3_bind_double(stmt, (int)i + 1, real);
    return sqlite3_bind_text64(stmt, (int)i + 1, field.ptr, field.len, SQLITE_STATIC, SQLITE_UTF8);
}

/* The insert with what has been bound; rc: how that went. */
static enum status insert_bound(struct db *db, int rc, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    conn->n_copied++;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(conn->copy->stmt);
    (void)sqlite3_reset(conn->copy->stmt);
    if (rc == SQLITE_DONE)
        return STATUS_OK;
    db->copy_bad_row = conn->n_copied;
    return sqlite_fail(db, rc, err);
}

enum status sqlite_copy_row(struct db *db, const struct str *fields, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    assert(conn->copy != NULL);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < conn->n_copy_columns && rc == SQLITE_OK; i++)
        rc = bind_field(conn, i, fields[i]);
    return insert_bound(db, rc, err);
}

static int bind_value(struct sqlite_conn *conn, size_t i, enum db_type type,
                      const union db_value *value, char day[DATE_TEXT_BYTES])
{
    int at = (int)i + 1;
    if (db_type_is_text(type))
        return bind_field(conn, i, value->text);
    if (type == DB_TYPE_F64)
        return isfinite(value->f64) ? sqlite3_bind_double(conn->copy->stmt, at, value->f64)
                                    : sqlite3_bind_null(conn->copy->stmt, at);
    if (type != DB_TYPE_DATE)
        return sqlite3_bind_int64(conn->copy->stmt, at, value->i64);
    date_format((int32_t)value->i64, day);
    return sqlite3_bind_text64(conn->copy->stmt, at, day, DATE_TEXT_BYTES - 1, SQLITE_STATIC,
                               SQLITE_UTF8);
}

enum status sqlite_copy_values(struct db *db, const union db_value *values, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    char days[DB_COPY_COLUMNS_MAX][DATE_TEXT_BYTES];
    assert(conn->copy != NULL);
    int rc = SQLITE_OK;
    for (size_t i = 0; i < conn->n_copy_columns && rc == SQLITE_OK; i++)
        rc = bind_value(conn, i, db->copy_columns[i].type, &values[i], days[i]);
    return insert_bound(db, rc, err);
}

enum status sqlite_copy_end(struct db *db, struct err *err)
{
    (void)err;
    sqlite_copy_abort(db);
    return STATUS_OK;
}

/* Rows already inserted go away with the transaction. */
void sqlite_copy_abort(struct db *db)
{
    struct sqlite_conn *conn = db->conn;
    sqlite_finish(conn->copy);
    conn->copy = NULL;
}
