/*
 * db_pg_redshift.c - the back end of Amazon Redshift: PostgreSQL's protocol, without what Redshift does not have. Rows are
 * gathered and loaded from objects (struct db_bulk); a read streams row by row, for there is no COPY TO STDOUT.
 */
#include "store/db_pg.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

enum { NUMERIC_OID = 1700, URL_BYTES = 4096 };

/* libpq knows the protocol by its own name. False: too long. */
static bool address_of(const char *url, char ret[URL_BYTES])
{
    int n = snprintf(ret, URL_BYTES, "postgresql://%s", url + strlen("redshift://"));
    return n > 0 && n < URL_BYTES;
}

static enum status check_options(const struct db_options *options, struct err *err)
{
    char url[URL_BYTES];
    struct db_options own = *options;
    if (options->bulk == NULL)
        return err_set(err, STATUS_CONFIG,
                       "Redshift holds the warehouse; marts are not served from it.");
    if (!address_of(options->url, url))
        return err_set(err, STATUS_CONFIG, "The address of the warehouse is longer than %d bytes.",
                       URL_BYTES - 14);
    own.url = url;
    return pg_check_options(&own, err);
}

static enum status connect_server(struct db *db, struct err *err)
{
    char url[URL_BYTES];
    if (!address_of(db->options->url, url))
        return err_set(err, STATUS_INTERNAL, "The address of the warehouse was not checked.");
    return pg_connect(db, url, 0,
                      "SET timezone TO 'UTC'; SET datestyle TO 'ISO, YMD'; "
                      "SET client_min_messages TO warning",
                      err);
}

static enum status set_mode(struct db *db, enum db_mode mode, struct err *err)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "SET statement_timeout TO %u",
                   mode == DB_READ ? db->options->statement_ms : 0);
    return pg_exec_script(db, sql, err);
}

static void drop_load(struct db *db)
{
    if (db->bulk == NULL)
        return;
    db->options->bulk->drop(db->bulk);
    db->bulk = NULL;
}

static void disconnect(struct db *db)
{
    drop_load(db);
    pg_disconnect(db);
}

static void rollback(struct db *db)
{
    drop_load(db);
    pg_rollback(db);
}

static enum status load_rows(struct db *db, struct err *err)
{
    struct db_bulk_load *load = db->bulk;
    if (load == NULL)
        return STATUS_OK;
    db->bulk = NULL; /* finish runs statements of its own */
    enum status s = db->options->bulk->finish(load, db, db->stop, err);
    db->options->bulk->drop(load);
    return s;
}

/* Rows that wait are in their table before a statement that names it, and before the end of the transaction. */
static enum status prepare(struct db *db, const char *sql, struct err *err)
{
    bool is_concerned =
        db->bulk != NULL && (strstr(sql, db->bulk_table) != NULL || strcmp(sql, "COMMIT") == 0);
    return is_concerned ? load_rows(db, err) : STATUS_OK;
}

static enum status exec(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, int64_t *ret_changed, struct err *err)
{
    enum status s = prepare(db, sql, err);
    return s == STATUS_OK ? pg_exec(db, sql, params, n_params, ret_changed, err) : s;
}

static enum status exec_script(struct db *db, const char *sql, struct err *err)
{
    enum status s = prepare(db, sql, err);
    return s == STATUS_OK ? pg_exec_script(db, sql, err) : s;
}

static enum status query(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, void **ret_impl, struct err *err)
{
    enum status s = prepare(db, sql, err);
    return s == STATUS_OK ? pg_query(db, sql, params, n_params, ret_impl, err) : s;
}

/* A number has the scale of its column there; here it is spelled without the zeros that add nothing. */
static struct str text(const struct rows *rows, size_t column)
{
    struct str value = pg_text(rows, column);
    if (value.ptr == NULL || pg_type(rows, column) != NUMERIC_OID ||
        memchr(value.ptr, '.', value.len) == NULL)
        return value;
    while (value.ptr[value.len - 1] == '0')
        value.len--;
    value.len -= value.ptr[value.len - 1] == '.';
    return value;
}

static enum status copy_begin(struct db *db, const char *table, const char *const *columns,
                              size_t n_columns, struct err *err)
{
    bool is_same = db->bulk != NULL && strcmp(db->bulk_table, table) == 0;
    if (is_same)
        return STATUS_OK;
    if (strlen(table) >= sizeof db->bulk_table)
        return err_set(err, STATUS_INTERNAL, "A table's name is longer than a bulk insert takes.");
    enum status s = load_rows(db, err);
    if (s != STATUS_OK)
        return s;
    (void)snprintf(db->bulk_table, sizeof db->bulk_table, "%s", table);
    const struct db_bulk *bulk = db->options->bulk;
    return bulk->begin(bulk->cls, table, columns, n_columns, &db->bulk, err);
}

static enum status copy_row(struct db *db, const struct str *fields, struct err *err)
{
    return db->options->bulk->add(db->bulk, fields, db->stop, err);
}

static enum status copy_end(struct db *db, struct err *err)
{
    (void)err;
    return db->in_transaction ? STATUS_OK : load_rows(db, err);
}

static void copy_abort(struct db *db)
{
    drop_load(db); /* what is open is rolled back as a whole */
}

const struct db_backend db_backend_redshift = {
    .kind = DB_REDSHIFT,
    .check_options = check_options,
    .connect = connect_server,
    .disconnect = disconnect,
    .set_mode = set_mode,
    .is_alive = pg_is_alive,
    .exec = exec,
    .exec_script = exec_script,
    .query = query,
    .query_stream = query,
    .rollback = rollback,
    .row_next = pg_row_next,
    .rows_clear = pg_rows_clear,
    .width = pg_width,
    .is_null = pg_is_null,
    .text = text,
    .i64 = pg_i64,
    .f64 = pg_f64,
    .boolean = pg_boolean,
    .bytes = pg_bytes,
    .copy_begin = copy_begin,
    .copy_row = copy_row,
    .copy_end = copy_end,
    .copy_abort = copy_abort,
};
