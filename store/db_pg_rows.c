/*
 * db_pg_rows.c - results, one row in memory at a time, and COPY FROM STDIN, of the PostgreSQL back end.
 */
#include "store/db_pg.h"

#include "base/clock.h"

#include <libpq-fe.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEFTOVER_LIMIT_MS = 50,
    NS_PER_MS = 1000000,
    COPY_SQL_BYTES = 8192,
    COPY_UNSENT_MAX = 1 << 20
};

struct pg_rows {
    PGresult *row; /* holds the current row, or the first one waiting to be current; NULL: none */
    int at;        /* the current row in it */
    int n_buffered;
    bool is_buffered; /* row is the whole result; otherwise it holds one */
    bool is_first_waiting;
    bool is_over;  /* nothing is left on the wire */
    char *scratch; /* decoded bytes of the current row */
};

/* Takes one message: a row into rows->row, or the end. */
static enum status fetch(struct db *db, struct pg_rows *rows, struct err *err)
{
    PGresult *result = NULL;
    PQclear(rows->row);
    rows->row = NULL;
    enum status s = pg_take(db, &result, err);
    if (s != STATUS_OK) {
        rows->is_over = true;
        return s;
    }
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE) {
        rows->row = result;
        return STATUS_OK;
    }
    rows->is_over = true;
    if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK) {
        PQclear(result);
        return pg_drain(db, err);
    }
    s = pg_fail(db, result, err);
    if (!db->is_broken && pg_drain(db, NULL) != STATUS_OK)
        db->is_broken = true;
    return s;
}

static enum status start_query(struct db *db, const char *sql, const struct db_param *params,
                               size_t n_params, bool may_prepare, struct pg_rows *rows,
                               struct err *err)
{
    struct pg_wire *wire = db->conn;
    *rows = (struct pg_rows){0};
    enum status s = pg_send(db, sql, params, n_params, may_prepare, err);
    if (s != STATUS_OK)
        return s;
    (void)PQsetSingleRowMode(wire->handle);
    wire->was_single_row = true;
    return fetch(db, rows, err);
}

/* The first row is waited for here, so that a refused statement fails when it is asked. */
enum status pg_query(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                     void **ret_impl, struct err *err)
{
    struct pg_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while sending a query.");
    enum status s = start_query(db, sql, params, n_params, true, rows, err);
    if (s != STATUS_OK && pg_prepared_forget(db))
        s = start_query(db, sql, params, n_params, false, rows, err);
    if (s != STATUS_OK) {
        free(rows);
        return s;
    }
    rows->is_first_waiting = rows->row != NULL;
    *ret_impl = rows;
    return STATUS_OK;
}

enum status pg_rows_of(PGresult *result, void **ret_impl, struct err *err)
{
    struct pg_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL) {
        PQclear(result);
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading rows.");
    }
    *rows = (struct pg_rows){.row = result,
                             .at = -1,
                             .n_buffered = PQntuples(result),
                             .is_buffered = true,
                             .is_over = true};
    *ret_impl = rows;
    return STATUS_OK;
}

enum status pg_row_next(struct rows *rows, bool *ret_has_row, struct err *err)
{
    struct pg_rows *impl = rows->impl;
    free(impl->scratch);
    impl->scratch = NULL;
    if (stop_is_raised(rows->db->stop))
        return stop_status(rows->db->stop, err);
    if (impl->is_buffered) {
        if (impl->at < impl->n_buffered)
            impl->at++;
        *ret_has_row = impl->at < impl->n_buffered;
        return STATUS_OK;
    }
    if (impl->is_first_waiting) {
        impl->is_first_waiting = false;
    } else if (!impl->is_over) {
        enum status s = fetch(rows->db, impl, err);
        if (s != STATUS_OK)
            return s;
    }
    *ret_has_row = impl->row != NULL;
    return STATUS_OK;
}

void pg_rows_free(void *impl)
{
    struct pg_rows *rows = impl;
    if (rows == NULL)
        return;
    PQclear(rows->row);
    free(rows->scratch);
    free(rows);
}

/* A short rest is read away; a long one is not worth waiting for, and its connection is given up. */
void pg_rows_clear(struct rows *rows)
{
    struct pg_rows *impl = rows->impl;
    struct db *db = rows->db;
    struct pg_wire *wire = db->conn;
    if (!impl->is_over && !db->is_broken) {
        const struct stop *stop = db->stop;
        int64_t until = clock_mono_ns() + (int64_t)LEFTOVER_LIMIT_MS * NS_PER_MS;
        db->stop = NULL;
        wire->limit_ns = until;
        while (!impl->is_over && !db->is_broken && clock_mono_ns() < until)
            (void)fetch(db, impl, NULL);
        db->stop = stop;
        if (!impl->is_over || db->is_broken) {
            pg_cancel(wire->handle);
            db->is_broken = true;
        }
    }
    pg_rows_free(impl);
}

size_t pg_width(const struct rows *rows)
{
    const struct pg_rows *impl = rows->impl;
    return impl->row == NULL ? 0 : (size_t)PQnfields(impl->row);
}

bool pg_is_null(const struct rows *rows, size_t column)
{
    const struct pg_rows *impl = rows->impl;
    return PQgetisnull(impl->row, impl->at, (int)column) != 0;
}

struct str pg_text(const struct rows *rows, size_t column)
{
    const struct pg_rows *impl = rows->impl;
    if (pg_is_null(rows, column))
        return STR_NONE;
    return (struct str){PQgetvalue(impl->row, impl->at, (int)column),
                        (size_t)PQgetlength(impl->row, impl->at, (int)column)};
}

int64_t pg_i64(const struct rows *rows, size_t column)
{
    int64_t value = 0;
    return str_to_i64(pg_text(rows, column), &value) ? value : 0;
}

double pg_f64(const struct rows *rows, size_t column)
{
    struct str text = pg_text(rows, column);
    double value = (double)NAN;
    if (str_to_f64(text, &value))
        return value;
    if (str_eq_c(text, "Infinity"))
        return (double)INFINITY;
    return str_eq_c(text, "-Infinity") ? -(double)INFINITY : (double)NAN;
}

bool pg_boolean(const struct rows *rows, size_t column)
{
    struct str text = pg_text(rows, column);
    return text.len > 0 && (text.ptr[0] == 't' || text.ptr[0] == '1');
}

struct str pg_bytes(const struct rows *rows, size_t column)
{
    struct pg_rows *impl = rows->impl;
    size_t len = 0;
    if (pg_is_null(rows, column))
        return STR_NONE;
    unsigned char *bytes =
        PQunescapeBytea((const unsigned char *)PQgetvalue(impl->row, impl->at, (int)column), &len);
    if (bytes == NULL)
        return STR_NONE;
    free(impl->scratch);
    impl->scratch = (char *)bytes;
    return (struct str){impl->scratch, len};
}

enum status pg_copy_begin(struct db *db, const char *table, const char *const *columns,
                          size_t n_columns, struct err *err)
{
    char sql[COPY_SQL_BYTES] = "COPY ";
    size_t at = strlen(sql);
    struct pg_wire *wire = db->conn;
    const char *before = " (";
    size_t n_pieces = 2 * n_columns + 2;
    for (size_t i = 0; i < n_pieces; i++) {
        const char *piece = i == 0              ? table
                            : i == n_pieces - 1 ? ") FROM STDIN"
                            : i % 2 == 1        ? before
                                                : columns[i / 2 - 1];
        size_t len = strlen(piece);
        if (at + len + 1 > sizeof sql)
            return err_set(err, STATUS_INTERNAL,
                           "A table has more columns than a bulk insert takes.");
        memcpy(sql + at, piece, len + 1);
        at += len;
        if (i % 2 == 1)
            before = ", ";
    }
    wire->n_copy_columns = n_columns;
    wire->copy_unsent_bytes = 0;
    wire->is_copy_over = false;
    enum status s = pg_send(db, sql, NO_PARAMS, false, err);
    PGresult *result = NULL;
    if (s == STATUS_OK)
        s = pg_take(db, &result, err);
    if (s != STATUS_OK)
        return s;
    if (PQresultStatus(result) == PGRES_COPY_IN) {
        PQclear(result);
        return STATUS_OK;
    }
    s = pg_fail(db, result, err);
    if (!db->is_broken && pg_drain(db, NULL) != STATUS_OK)
        db->is_broken = true;
    return s;
}

/* The text format of COPY: tabs between fields, \N for NULL, backslash before what would be misread. */
static size_t write_field(char *to, struct str field)
{
    if (field.ptr == NULL) {
        to[0] = '\\';
        to[1] = 'N';
        return 2;
    }
    size_t n = 0;
    for (size_t i = 0; i < field.len; i++) {
        char c = field.ptr[i];
        char escaped = c == '\\'   ? '\\'
                       : c == '\n' ? 'n'
                       : c == '\r' ? 'r'
                       : c == '\t' ? 't'
                                   : '\0';
        if (escaped != '\0') {
            to[n++] = '\\';
            c = escaped;
        }
        to[n++] = c;
    }
    return n;
}

static enum status line_room(struct pg_wire *wire, size_t bytes, struct err *err)
{
    if (bytes <= wire->copy_line_size)
        return STATUS_OK;
    char *grown = realloc(wire->copy_line, 2 * bytes);
    if (grown == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while copying rows.");
    wire->copy_line = grown;
    wire->copy_line_size = 2 * bytes;
    return STATUS_OK;
}

/* The server has ended the COPY by itself: its reason is waiting on the wire. */
static enum status copy_failed(struct db *db, struct err *err)
{
    struct pg_wire *wire = db->conn;
    wire->is_copy_over = true;
    enum status s = pg_drain(db, err);
    return s == STATUS_OK ? pg_fail(db, NULL, err) : s;
}

enum status pg_copy_row(struct db *db, const struct str *fields, struct err *err)
{
    struct pg_wire *wire = db->conn;
    size_t need = 1;
    for (size_t i = 0; i < wire->n_copy_columns; i++)
        need += 2 * fields[i].len + 3;
    enum status s = line_room(wire, need, err);
    if (s != STATUS_OK)
        return s;
    size_t len = 0;
    for (size_t i = 0; i < wire->n_copy_columns; i++) {
        if (i > 0)
            wire->copy_line[len++] = '\t';
        len += write_field(wire->copy_line + len, fields[i]);
    }
    wire->copy_line[len++] = '\n';
    /* libpq would keep whatever the server has not taken yet: let it catch up now and then. */
    wire->copy_unsent_bytes += len;
    if (wire->copy_unsent_bytes > COPY_UNSENT_MAX || stop_is_raised(db->stop)) {
        wire->copy_unsent_bytes = 0;
        s = stop_is_raised(db->stop) ? pg_wait(db, true, err) : pg_flush(db, err);
        if (s != STATUS_OK)
            return s;
    }
    int rc = PQputCopyData(wire->handle, wire->copy_line, (int)len);
    if (rc == 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while copying rows.");
    return rc < 0 ? copy_failed(db, err) : STATUS_OK;
}

static enum status finish_copy(struct db *db, const char *abort_reason, struct err *err)
{
    struct pg_wire *wire = db->conn;
    int rc;
    while ((rc = PQputCopyEnd(wire->handle, abort_reason)) == 0) {
        enum status s = pg_wait(db, true, err);
        if (s != STATUS_OK)
            return s;
    }
    if (rc < 0)
        return copy_failed(db, err);
    enum status s = pg_flush(db, err);
    return s == STATUS_OK ? pg_drain(db, err) : s;
}

enum status pg_copy_end(struct db *db, struct err *err)
{
    return finish_copy(db, NULL, err);
}

void pg_copy_abort(struct db *db)
{
    const struct pg_wire *wire = db->conn;
    int64_t bad_row = db->copy_bad_row;
    if (!db->is_broken && !wire->is_copy_over && finish_copy(db, "abandoned", NULL) == STATUS_OK)
        db->is_broken = true; /* an abandoned COPY cannot succeed */
    db->copy_bad_row = bad_row;
}
