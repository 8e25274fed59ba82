/*
 * db_pg_rows.c - results of the PostgreSQL back end: row by row, as a whole, or out of a COPY.
 */
#include "store/db_pg.h"

#include "base/clock.h"

#include <libpq-fe.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEFTOVER_LIMIT_MS = 50, NS_PER_MS = 1000000 };

/* Takes one message: a row into rows->row, or the end. */
static enum status fetch(struct db *db, struct pg_rows *rows, struct err *err)
{
    PGresult *result = NULL;
    if (rows->is_copy)
        return pg_copy_out_next(db, rows, err);
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
    return pg_fail_and_drain(db, result, err);
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
    *ret_has_row = impl->is_copy ? impl->line != NULL : impl->row != NULL;
    return STATUS_OK;
}

void pg_rows_free(void *impl)
{
    struct pg_rows *rows = impl;
    if (rows == NULL)
        return;
    PQclear(rows->row);
    PQfreemem(rows->line);
    free(rows->fields);
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
            pg_cancel(db);
            db->is_broken = true;
        }
    }
    pg_rows_free(impl);
}

size_t pg_held(const struct rows *rows)
{
    const struct pg_rows *impl = rows->impl;
    return (size_t)impl->n_buffered;
}

size_t pg_width(const struct rows *rows)
{
    const struct pg_rows *impl = rows->impl;
    if (impl->is_copy)
        return impl->n_fields;
    return impl->row == NULL ? 0 : (size_t)PQnfields(impl->row);
}

bool pg_is_null(const struct rows *rows, size_t column)
{
    const struct pg_rows *impl = rows->impl;
    if (impl->is_copy)
        return impl->fields[column].ptr == NULL;
    return PQgetisnull(impl->row, impl->at, (int)column) != 0;
}

struct str pg_text(const struct rows *rows, size_t column)
{
    const struct pg_rows *impl = rows->impl;
    if (impl->is_copy)
        return impl->fields[column];
    int len = PQgetlength(impl->row, impl->at, (int)column); /* 0 for NULL too */
    if (len == 0 && pg_is_null(rows, column))
        return STR_NONE;
    return (struct str){PQgetvalue(impl->row, impl->at, (int)column), (size_t)len};
}

/* Every value of every page comes by here: libpq's two calls for each, and nothing beside them. */
void pg_texts(const struct rows *rows, size_t n, struct str *ret)
{
    const struct pg_rows *impl = rows->impl;
    const PGresult *row = impl->row;
    int at = impl->at;
    for (size_t i = 0; i < n; i++) {
        int len = impl->is_copy ? 0 : PQgetlength(row, at, (int)i);
        ret[i] =
            len > 0 ? (struct str){PQgetvalue(row, at, (int)i), (size_t)len} : pg_text(rows, i);
    }
}

unsigned pg_type(const struct rows *rows, size_t column)
{
    const struct pg_rows *impl = rows->impl;
    return PQftype(impl->row, (int)column);
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
    unsigned char *bytes = PQunescapeBytea((const unsigned char *)pg_text(rows, column).ptr, &len);
    if (bytes == NULL)
        return STR_NONE;
    free(impl->scratch);
    impl->scratch = (char *)bytes;
    return (struct str){impl->scratch, len};
}
