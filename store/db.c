/* db.c - parameters, transactions, and the calls that forward to a back end; db_borrow.c lends connections. */
#include "store/db.h"

#include "base/date.h"
#include "store/db_impl.h"

#include <assert.h>
#include <stdio.h>

enum db_kind db_kind(const struct db *db)
{
    return db->backend->kind;
}

void db_limit(struct db *db, unsigned statement_ms)
{
    db->statement_ms = statement_ms;
}

void db_comment(struct db *db, const char *text)
{
    (void)snprintf(db->comment, sizeof db->comment, "%s", text);
}

void db_meter(struct db *db, atomic_int_fast64_t *waited_ns)
{
    db->waited_ns = waited_ns;
}

struct db_param db_text(struct str s)
{
    return (struct db_param){.type = s.ptr == NULL ? DB_NULL : DB_TEXT, .text = s};
}

struct db_param db_i64(int64_t value)
{
    return (struct db_param){.type = DB_I64, .i64 = value};
}

struct db_param db_f64(double value)
{
    return (struct db_param){.type = DB_F64, .f64 = value};
}

struct db_param db_bool(bool value)
{
    return (struct db_param){.type = DB_BOOL, .i64 = value};
}

struct db_param db_bytes(struct str s)
{
    return (struct db_param){.type = s.ptr == NULL ? DB_NULL : DB_BYTES, .text = s};
}

struct db_param db_date(int32_t date, char room[11])
{
    date_format(date, room);
    return db_text((struct str){room, DATE_TEXT_BYTES - 1});
}

enum status db_exec(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    int64_t *ret_changed, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying);
    int64_t changed = 0;
    enum status s = db->backend->exec(db, sql, params, n_params, &changed, err);
    if (s == STATUS_OK && ret_changed != NULL)
        *ret_changed = changed;
    return s;
}

enum status db_exec_script(struct db *db, const char *sql, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying);
    return db->backend->exec_script(db, sql, err);
}

enum status db_query(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                     struct rows *ret_rows, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying);
    void *impl = NULL;
    enum status s = db->backend->query(db, sql, params, n_params, &impl, err);
    if (s != STATUS_OK)
        return s;
    db->n_rows++;
    *ret_rows = (struct rows){.db = db, .impl = impl};
    return STATUS_OK;
}

enum status db_query_one(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, struct rows *ret_rows, bool *ret_found, struct err *err)
{
    struct rows rows = {0};
    bool found = false;
    enum status s = db_query(db, sql, params, n_params, &rows, err);
    if (s == STATUS_OK)
        s = rows_next(&rows, &found, err);
    if (s != STATUS_OK || !found)
        rows_clear(&rows);
    if (s != STATUS_OK)
        return s;
    *ret_rows = rows;
    *ret_found = found;
    return STATUS_OK;
}

enum status db_query_batch(struct db *db, const struct db_statement *statements, size_t n,
                           struct rows *ret_rows, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying && n <= DB_BATCH_MAX);
    assert(db->backend->query_batch != NULL);
    void *impls[DB_BATCH_MAX] = {NULL};
    enum status s = db->backend->query_batch(db, statements, n, impls, err);
    if (s != STATUS_OK)
        return s;
    db->n_rows += (unsigned)n;
    for (size_t i = 0; i < n; i++)
        ret_rows[i] = (struct rows){.db = db, .impl = impls[i]};
    return STATUS_OK;
}

enum status db_query_stream(struct db *db, const char *sql, const struct db_param *params,
                            size_t n_params, struct rows *ret_rows, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying);
    void *impl = NULL;
    enum status s = db->backend->query_stream(db, sql, params, n_params, &impl, err);
    if (s != STATUS_OK)
        return s;
    db->n_rows++;
    *ret_rows = (struct rows){.db = db, .impl = impl};
    return STATUS_OK;
}

enum status db_copy_csv(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, db_line_fn *line, void *cls, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying && db->backend->copy_csv != NULL);
    return db->backend->copy_csv(db, sql, params, n_params, line, cls, err);
}

enum status rows_next(struct rows *rows, bool *ret_has_row, struct err *err)
{
    return rows->db->backend->row_next(rows, ret_has_row, err);
}

void rows_clear(struct rows *rows)
{
    if (rows->impl == NULL)
        return;
    rows->db->backend->rows_clear(rows);
    rows->db->n_rows--;
    *rows = (struct rows){0};
}

size_t rows_held(const struct rows *rows)
{
    return rows->db->backend->held(rows);
}

size_t rows_width(const struct rows *rows)
{
    return rows->db->backend->width(rows);
}

bool rows_is_null(const struct rows *rows, size_t column)
{
    return rows->db->backend->is_null(rows, column);
}

struct str rows_text(const struct rows *rows, size_t column)
{
    return rows->db->backend->text(rows, column);
}

bool rows_texts(const struct rows *rows, size_t n, struct str *ret)
{
    const struct db_backend *backend = rows->db->backend;
    if (backend->texts == NULL)
        return false;
    backend->texts(rows, n, ret);
    return true;
}

int64_t rows_i64(const struct rows *rows, size_t column)
{
    return rows->db->backend->i64(rows, column);
}

double rows_f64(const struct rows *rows, size_t column)
{
    return rows->db->backend->f64(rows, column);
}

bool rows_bool(const struct rows *rows, size_t column)
{
    return rows->db->backend->boolean(rows, column);
}

struct str rows_bytes(const struct rows *rows, size_t column)
{
    return rows->db->backend->bytes(rows, column);
}

bool rows_date(const struct rows *rows, size_t column, int32_t *ret_date)
{
    struct str text = rows_text(rows, column);
    return text.ptr != NULL && date_parse(text, ret_date);
}

bool rows_instant(const struct rows *rows, size_t column, int64_t *ret_seconds)
{
    struct str text = rows_text(rows, column);
    return text.ptr != NULL && instant_parse(text, ret_seconds);
}

enum status db_begin(struct db *db, struct err *err)
{
    static const char *const sql[][2] = {
        [DB_SQLITE] = {[DB_READ] = "BEGIN", [DB_WRITE] = "BEGIN IMMEDIATE"},
        [DB_POSTGRESQL] =
            {[DB_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", [DB_WRITE] = "BEGIN"},
        [DB_REDSHIFT] = {[DB_READ] = "BEGIN READ ONLY", [DB_WRITE] = "BEGIN"},
    };
    assert(!db->in_transaction);
    const char *begin = sql[db->backend->kind][db->mode];
    char with_limit[160];
    enum status s;
    if (db->backend->kind == DB_POSTGRESQL && db->mode == DB_READ &&
        db->statement_ms != db->options->statement_ms) {
        (void)snprintf(with_limit, sizeof with_limit, "%s; SET LOCAL statement_timeout = %u", begin,
                       db->statement_ms);
        s = db_exec_script(db, with_limit, err);
    } else {
        s = db_exec(db, begin, NO_PARAMS, NULL, err);
    }
    if (s == STATUS_OK)
        db->in_transaction = true;
    else if (!db->is_broken) /* it may have begun before its time was up or its limit was refused */
        db->backend->rollback(db);
    return s;
}

enum status db_commit(struct db *db, struct err *err)
{
    assert(db->in_transaction);
    enum status s = db_exec(db, "COMMIT", NO_PARAMS, NULL, err);
    if (s != STATUS_OK)
        return s;
    db->in_transaction = false;
    db->pinned_generation = -1;
    return STATUS_OK;
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    assert(db->n_rows == 0);
    if (!db->is_broken)
        db->backend->rollback(db);
    db->in_transaction = false;
    db->pinned_generation = -1;
}

enum status db_lock_writers(struct db *db, struct err *err)
{
    assert(db->in_transaction && db->mode == DB_WRITE);
    if (db->backend->kind == DB_SQLITE)
        return STATUS_OK; /* BEGIN IMMEDIATE has done it */
    if (db->backend->kind == DB_REDSHIFT)
        return db_exec(db, "LOCK TABLE " DB_REDSHIFT_LOCK, NO_PARAMS, NULL, err);
    const int64_t key = 0x636d6d6370756231; /* "cmmcpub1" */
    return db_exec(db, "SELECT pg_advisory_xact_lock($1)", PARAMS(db_i64(key)), NULL, err);
}

enum status db_copy_begin(struct db *db, const char *table, const char *const *columns,
                          size_t n_columns, struct err *err)
{
    assert(db->n_rows == 0 && !db->is_copying && n_columns <= DB_COPY_COLUMNS_MAX);
    db->copy_bad_row = 0;
    enum status s = db->backend->copy_begin(db, table, columns, n_columns, err);
    db->is_copying = s == STATUS_OK;
    return s;
}

enum status db_copy_row(struct db *db, const struct str *fields, struct err *err)
{
    assert(db->is_copying);
    db->n_copied++;
    return db->backend->copy_row(db, fields, err);
}

enum status db_copy_end(struct db *db, struct err *err)
{
    assert(db->is_copying);
    db->is_copying = false;
    return db->backend->copy_end(db, err);
}

enum status db_copy_end_soon(struct db *db, struct err *err)
{
    if (db->backend->copy_end_soon == NULL)
        return db_copy_end(db, err);
    assert(db->is_copying);
    db->is_copying = false;
    return db->backend->copy_end_soon(db, err);
}

void db_copy_abort(struct db *db)
{
    if (!db->is_copying)
        return;
    db->is_copying = false;
    db->backend->copy_abort(db);
}

int64_t db_copy_bad_row(const struct db *db)
{
    return db->copy_bad_row;
}

bool db_can_relay(const struct db *to, const struct db *from)
{
    return to->backend == from->backend && to->backend->copy_relay != NULL;
}

enum status db_copy_relay(struct db *to, const char *table, const char *const *columns,
                          size_t n_columns, struct db *from, const char *sql, int64_t *ret_rows,
                          struct err *err)
{
    assert(db_can_relay(to, from) && to != from);
    assert(to->n_rows == 0 && !to->is_copying && n_columns <= DB_COPY_COLUMNS_MAX);
    assert(from->n_rows == 0 && !from->is_copying);
    to->copy_bad_row = 0;
    return to->backend->copy_relay(to, table, columns, n_columns, from, sql, ret_rows, err);
}
