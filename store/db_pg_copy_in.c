/* db_pg_copy_in.c - COPY FROM STDIN of the PostgreSQL back end: bulk inserts. */
#include "store/db_pg.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

enum { COPY_SQL_BYTES = 8192, COPY_UNSENT_MAX = 1 << 20 };

enum status pg_start_copy(struct db *db, const char *sql, int wanted, struct err *err)
{
    PGresult *result = NULL;
    enum status s = pg_send(db, sql, NO_PARAMS, false, err);
    if (s == STATUS_OK)
        s = pg_take(db, &result, err);
    if (s != STATUS_OK)
        return s;
    if ((int)PQresultStatus(result) == wanted) {
        PQclear(result);
        return STATUS_OK;
    }
    return pg_fail_and_drain(db, result, err);
}

enum status pg_copy_in_start(struct db *db, const char *table, const char *const *columns,
                             size_t n_columns, const char *form, struct err *err)
{
    char sql[COPY_SQL_BYTES] = "COPY ";
    size_t at = strlen(sql);
    struct pg_wire *wire = db->conn;
    const char *before = " (";
    size_t n_pieces = 2 * n_columns + 3;
    for (size_t i = 0; i < n_pieces; i++) {
        const char *piece = i == 0              ? table
                            : i == n_pieces - 1 ? form
                            : i == n_pieces - 2 ? ") FROM STDIN"
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
    wire->is_copy_of_values = false;
    return pg_start_copy(db, sql, PGRES_COPY_IN, err);
}

enum status pg_copy_begin(struct db *db, const char *table, const char *const *columns,
                          size_t n_columns, struct err *err)
{
    return pg_copy_in_start(db, table, columns, n_columns, "", err);
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

enum status pg_copy_line_room(struct db *db, size_t bytes, struct err *err)
{
    struct pg_wire *wire = db->conn;
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

enum status pg_copy_in_put(struct db *db, const char *bytes, size_t n, struct err *err)
{
    struct pg_wire *wire = db->conn;
    enum status s = STATUS_OK;
    /* libpq would keep whatever the server has not taken yet: let it catch up now and then. */
    wire->copy_unsent_bytes += n;
    if (wire->copy_unsent_bytes > COPY_UNSENT_MAX || stop_is_raised(db->stop)) {
        wire->copy_unsent_bytes = 0;
        s = stop_is_raised(db->stop) ? pg_wait(db, true, err) : pg_flush(db, err);
        if (s != STATUS_OK)
            return s;
    }
    int rc = PQputCopyData(wire->handle, bytes, (int)n);
    if (rc == 0)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while copying rows.");
    return rc < 0 ? copy_failed(db, err) : STATUS_OK;
}

enum status pg_copy_row(struct db *db, const struct str *fields, struct err *err)
{
    struct pg_wire *wire = db->conn;
    size_t need = 1;
    for (size_t i = 0; i < wire->n_copy_columns; i++)
        need += 2 * fields[i].len + 3;
    enum status s = pg_copy_line_room(db, need, err);
    if (s != STATUS_OK)
        return s;
    size_t len = 0;
    for (size_t i = 0; i < wire->n_copy_columns; i++) {
        if (i > 0)
            wire->copy_line[len++] = '\t';
        len += write_field(wire->copy_line + len, fields[i]);
    }
    wire->copy_line[len++] = '\n';
    return pg_copy_in_put(db, wire->copy_line, len, err);
}

enum status pg_copy_in_finish(struct db *db, const char *abort_reason, int64_t *ret_rows,
                              struct err *err)
{
    struct pg_wire *wire = db->conn;
    PGresult *result = NULL;
    int rc;
    while ((rc = PQputCopyEnd(wire->handle, abort_reason)) == 0) {
        enum status s = pg_wait(db, true, err);
        if (s != STATUS_OK)
            return s;
    }
    if (rc < 0)
        return copy_failed(db, err);
    enum status s = pg_flush(db, err);
    if (s != STATUS_OK || ret_rows == NULL)
        return s == STATUS_OK ? pg_drain(db, err) : s;
    s = pg_take(db, &result, err);
    if (s != STATUS_OK)
        return s;
    if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        (void)str_to_i64(str_of(PQcmdTuples(result)), ret_rows);
        PQclear(result);
        return pg_drain(db, err);
    }
    return pg_fail_and_drain(db, result, err);
}

/* What a COPY in the binary form has instead of a row's number of fields. */
static enum status put_trailer(struct db *db, struct err *err)
{
    const struct pg_wire *wire = db->conn;
    return wire->is_copy_of_values ? pg_copy_in_put(db, "\377\377", 2, err) : STATUS_OK;
}

enum status pg_copy_end(struct db *db, struct err *err)
{
    enum status s = put_trailer(db, err);
    return s == STATUS_OK ? pg_copy_in_finish(db, NULL, NULL, err) : s;
}

enum status pg_copy_end_soon(struct db *db, struct err *err)
{
    struct pg_wire *wire = db->conn;
    enum status s = put_trailer(db, err);
    if (s != STATUS_OK)
        return s;
    int rc = PQputCopyEnd(wire->handle, NULL);
    if (rc == 0) /* nothing of it was taken */
        return pg_copy_in_finish(db, NULL, NULL, err);
    if (rc < 0)
        return copy_failed(db, err);
    wire->is_copy_ending = true;
    return STATUS_OK;
}

enum status pg_copy_settle(struct db *db, struct err *err)
{
    struct pg_wire *wire = db->conn;
    if (!wire->is_copy_ending)
        return STATUS_OK;
    wire->is_copy_ending = false;
    enum status s = pg_flush(db, err);
    return s == STATUS_OK ? pg_drain(db, err) : s;
}

void pg_copy_abort(struct db *db)
{
    const struct pg_wire *wire = db->conn;
    int64_t bad_row = db->copy_bad_row;
    if (!db->is_broken && !wire->is_copy_over &&
        pg_copy_in_finish(db, "abandoned", NULL, NULL) == STATUS_OK)
        db->is_broken = true; /* an abandoned COPY cannot succeed */
    db->copy_bad_row = bad_row;
}
