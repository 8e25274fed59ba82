/*
 * db_pg_copy_out.c - COPY TO STDOUT of the PostgreSQL back end: many rows, one message each. COPY takes no
 * parameters, so they are written into the text as escaped literals of unknown type, which the server reads as
 * it would have read the parameters.
 */
#include "store/db_pg.h"

#include "base/array.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL_SQL_BYTES_MAX = 16 << 20 };

static bool add_literal(PGconn *handle, const struct db_param *param, struct buf *out)
{
    char *escaped;
    switch (param->type) {
    case DB_NULL:
        buf_add_c(out, "NULL");
        return true;
    case DB_I64:
        buf_printf(out, "'%lld'", (long long)param->i64);
        return true;
    case DB_F64:
        buf_printf(out, "'%.17g'", param->f64);
        return true;
    case DB_BOOL:
        buf_add_c(out, param->i64 != 0 ? "'true'" : "'false'");
        return true;
    case DB_BYTES:
        buf_add_c(out, "'\\x");
        for (size_t i = 0; i < param->text.len; i++)
            buf_printf(out, "%02x", (unsigned)(unsigned char)param->text.ptr[i]);
        buf_add_char(out, '\'');
        return true;
    case DB_TEXT:
        break;
    }
    /* Fails for text that is not UTF-8; a NUL would end it. */
    escaped = PQescapeLiteral(handle, param->text.ptr, param->text.len);
    if (escaped == NULL || memchr(param->text.ptr, '\0', param->text.len) != NULL) {
        PQfreemem(escaped);
        return false;
    }
    buf_add_c(out, escaped);
    PQfreemem(escaped);
    return true;
}

/* End of the quoted text that begins at sql; doubled quotes are two texts in a row. */
static const char *skip_quoted(const char *sql)
{
    const char *end = strchr(sql + 1, *sql);
    return end == NULL ? sql + strlen(sql) : end + 1;
}

/* sql with its "$n" replaced, but not within quotes. */
static bool add_with_literals(PGconn *handle, const char *sql, const struct db_param *params,
                              size_t n_params, struct buf *out)
{
    while (*sql != '\0') {
        const char *from = sql;
        if (*sql == '\'' || *sql == '"') {
            sql = skip_quoted(sql);
            buf_add(out, (struct str){from, (size_t)(sql - from)});
            continue;
        }
        if (*sql != '$') {
            sql += strcspn(sql, "'\"$");
            buf_add(out, (struct str){from, (size_t)(sql - from)});
            continue;
        }
        int64_t number = 0;
        size_t digits = strspn(sql + 1, "0123456789");
        if (!str_to_i64((struct str){sql + 1, digits}, &number) || number < 1 ||
            (size_t)number > n_params || !add_literal(handle, &params[number - 1], out))
            return false;
        sql += 1 + digits;
    }
    return true;
}

/* Sends the COPY and waits until the server has begun it. */
enum status pg_copy_out_start(struct db *db, const char *sql, const struct db_param *params,
                              size_t n_params, const char *form, struct err *err)
{
    struct pg_wire *wire = db->conn;
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, (size_t)2 * LITERAL_SQL_BYTES_MAX);
    struct buf text;
    buf_init(&text, &arena, LITERAL_SQL_BYTES_MAX);
    buf_add_c(&text, "COPY (");
    if (!add_with_literals(wire->handle, sql, params, n_params, &text))
        return err_set(err, STATUS_BAD_DATA, "A value cannot be sent to the database.");
    buf_add_c(&text, ") TO STDOUT");
    buf_add_c(&text, form);
    const char *whole = buf_c_str(&text);
    if (whole == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while sending a query.");
    return pg_start_copy(db, whole, PGRES_COPY_OUT, err);
}

enum status pg_copy_out_take(struct db *db, char **ret_line, size_t *ret_len, struct err *err)
{
    struct pg_wire *wire = db->conn;
    char *line = NULL;
    int n;
    while ((n = PQgetCopyData(wire->handle, &line, 1)) == 0) {
        enum status s = pg_wait(db, false, err);
        if (s != STATUS_OK)
            return s;
        if (PQconsumeInput(wire->handle) == 0)
            return pg_fail(db, NULL, err);
    }
    if (n == -2)
        return pg_fail(db, NULL, err);
    *ret_line = line;
    *ret_len = n > 0 ? (size_t)n : 0;
    return n > 0 ? STATUS_OK : pg_drain(db, err);
}

/* What stands for the letter behind a backslash. */
static char unescape(char c)
{
    static const char from[] = "bfnrtv", to[] = "\b\f\n\r\t\v";
    const char *at = strchr(from, c);
    return at == NULL || c == '\0' ? c : to[at - from];
}

/* Splits a line of COPY's text format in place; every field ends in a NUL. False when out of memory. */
static bool split_line(struct pg_rows *rows, char *line, size_t len)
{
    char *at = line;
    char *end = line + len - 1; /* the LF */
    rows->n_fields = 0;
    for (;;) {
        char *from = at;
        char *to = at;
        bool is_null = end - at >= 2 && at[0] == '\\' && at[1] == 'N';
        while (at < end && *at != '\t') {
            char c = *at++;
            if (c == '\\' && at < end)
                c = unescape(*at++);
            *to++ = c;
        }
        bool is_last = at >= end;
        *to = '\0';
        struct str *fields =
            heap_reserve(rows->fields, rows->n_fields + 1, &rows->max_fields, sizeof *fields);
        if (fields == NULL)
            return false;
        rows->fields = fields;
        rows->fields[rows->n_fields++] =
            is_null ? STR_NONE : (struct str){from, (size_t)(to - from)};
        if (is_last)
            return true;
        at++;
    }
}

enum status pg_copy_out_next(struct db *db, struct pg_rows *rows, struct err *err)
{
    size_t len = 0;
    PQfreemem(rows->line);
    rows->line = NULL;
    enum status s = pg_copy_out_take(db, &rows->line, &len, err);
    if (s != STATUS_OK || rows->line == NULL)
        rows->is_over = true;
    else if (!split_line(rows, rows->line, len))
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading rows.");
    return s;
}

/* The first row is waited for here, as in pg_query. */
enum status pg_query_stream(struct db *db, const char *sql, const struct db_param *params,
                            size_t n_params, void **ret_impl, struct err *err)
{
    struct pg_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while sending a query.");
    rows->is_copy = true;
    enum status s = pg_copy_out_start(db, sql, params, n_params, "", err);
    if (s == STATUS_OK) {
        s = pg_copy_out_next(db, rows, err);
        if (!rows->is_over && s != STATUS_OK)
            db->is_broken = true; /* the COPY goes on, unread */
    }
    if (s != STATUS_OK) {
        pg_rows_free(rows);
        return s;
    }
    rows->is_first_waiting = rows->line != NULL;
    *ret_impl = rows;
    return STATUS_OK;
}

enum status pg_copy_csv(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, db_line_fn *line, void *cls, struct err *err)
{
    enum status s = pg_copy_out_start(db, sql, params, n_params, " (FORMAT csv)", err);
    while (s == STATUS_OK) {
        char *text = NULL;
        size_t len = 0;
        s = pg_copy_out_take(db, &text, &len, err);
        if (s != STATUS_OK || text == NULL)
            return s;
        s = stop_is_raised(db->stop) ? stop_status(db->stop, err)
                                     : line(cls, (struct str){text, len}, err);
        PQfreemem(text);
        if (s != STATUS_OK) {
            pg_cancel(db);
            db->is_broken = true;
        }
    }
    return s;
}
