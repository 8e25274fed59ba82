/*
 * db_pg.c - the PostgreSQL back end: connecting and running statements. The only users of libpq are this
 * file, db_pg_wire.c and db_pg_rows.c.
 */
#include "store/db_pg.h"

#include "base/arena.h"
#include "base/clock.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION_MIN = 120000,
    CHECK_AFTER_IDLE_MS = 30000,
    CHECK_LIMIT_MS = 1000,
    ROLLBACK_LIMIT_MS = 2000
};
enum { NS_PER_MS = 1000000, GRACE_MS = 1000, PARAM_TEXT_BYTES = 32 };

static enum status check_options(const struct db_options *options, struct err *err)
{
    char *message = NULL;
    PQconninfoOption *parsed = PQconninfoParse(options->url, &message);
    bool is_ok = parsed != NULL;
    PQconninfoFree(parsed);
    PQfreemem(message); /* never shown: it may quote the password */
    if (!is_ok)
        return err_set(err, STATUS_CONFIG,
                       "The database URL cannot be read; it should look like "
                       "postgresql://user@host:5432/name.");
    return STATUS_OK;
}

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static enum status cannot_connect(const PGconn *handle, struct err *err)
{
    /* libpq's own text names hosts and users. The server's refusals start with FATAL. */
    bool is_refused = handle != NULL && strstr(PQerrorMessage(handle), "FATAL:") != NULL;
    enum status s = err_set(err, STATUS_DB_UNAVAILABLE, "%s",
                            is_refused ? "The database refuses the connection."
                                       : "The database cannot be reached.");
    if (err != NULL)
        err->retry_after_s = 1;
    return s;
}

/* Blocks for connect_timeout (2 s for each host in the URL) at most. */
static enum status connect_server(struct db *db, struct err *err)
{
    /* Before dbname: the URL may override them. After it: it may not. */
    static const char *const keys[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname",
        "application_name", "client_encoding",  NULL};
    const char *const values[] = {"2",    "10",   "5", "3", "5000", db->options->url,
                                  "cmmc", "UTF8", NULL};
    struct pg_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY,
                       "Out of memory while connecting to the database.");
    db->conn = wire;
    wire->handle = PQconnectdbParams(keys, values, 1);
    if (wire->handle == NULL || PQstatus(wire->handle) != CONNECTION_OK)
        return cannot_connect(wire->handle, err);
    (void)PQsetNoticeReceiver(wire->handle, ignore_notice, NULL);
    if (PQserverVersion(wire->handle) < VERSION_MIN)
        return err_set(err, STATUS_DB_ERROR,
                       "The database server is too old: PostgreSQL 12 or newer is needed.");
    if (PQsetnonblocking(wire->handle, 1) != 0)
        return cannot_connect(wire->handle, err);
    /* Compiling a plan takes longer than any statement here runs. */
    return db->backend->exec_script(
        db,
        "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET client_min_messages = warning;"
        "SET standard_conforming_strings = on; SET bytea_output = 'hex';"
        "SET jit = off",
        err);
}

static void disconnect(struct db *db)
{
    struct pg_wire *wire = db->conn;
    if (wire == NULL)
        return;
    PQfinish(wire->handle);
    free(wire->copy_line);
    free(wire);
    db->conn = NULL;
}

static enum status set_mode(struct db *db, enum db_mode mode, struct err *err)
{
    char sql[160];
    (void)snprintf(
        sql, sizeof sql,
        "SET default_transaction_read_only = %s; SET statement_timeout = %u; SET lock_timeout = %d",
        mode == DB_READ ? "on" : "off", mode == DB_READ ? db->options->statement_ms : 0,
        (int)DB_WRITER_WAIT_MS);
    return db->backend->exec_script(db, sql, err);
}

/* Nothing was asked, so whatever can be read is the server's farewell or the end of the stream. */
static bool is_alive(struct db *db, int64_t idle_ns)
{
    struct pg_wire *wire = db->conn;
    struct pollfd fd = {.fd = PQsocket(wire->handle), .events = POLLIN};
    if (poll(&fd, 1, 0) != 0)
        return false;
    if (PQstatus(wire->handle) != CONNECTION_OK)
        return false;
    if (idle_ns < (int64_t)CHECK_AFTER_IDLE_MS * NS_PER_MS)
        return true;
    if (PQsendQuery(wire->handle, "SELECT 1") == 0)
        return false;
    wire->limit_ns = clock_mono_ns() + (int64_t)CHECK_LIMIT_MS * NS_PER_MS;
    return pg_drain(db, NULL) == STATUS_OK;
}

/* Our own limit behind the server's statement_timeout, for a server that no longer answers at all. */
static void start_clock(struct db *db)
{
    struct pg_wire *wire = db->conn;
    wire->limit_ns = 0;
    if (db->mode == DB_READ && db->options->statement_ms > 0)
        wire->limit_ns =
            clock_mono_ns() + ((int64_t)db->options->statement_ms + GRACE_MS) * NS_PER_MS;
}

/* What PQsendQueryParams takes, n of each. */
struct wire_params {
    const char **values;
    int *lengths;
    int *formats; /* 1: binary */
};

/* Text needs its NUL, so it is copied; numbers are spelled out; types are left to the server. */
static bool fill_param(const struct db_param *param, struct arena *arena, struct wire_params *to,
                       size_t i)
{
    char *room;
    switch (param->type) {
    case DB_TEXT:
        to->values[i] = arena_dup(arena, param->text);
        return to->values[i] != NULL;
    case DB_BYTES:
        to->values[i] = param->text.ptr;
        to->lengths[i] = (int)param->text.len;
        to->formats[i] = 1;
        return param->text.len <= INT32_MAX;
    case DB_I64:
    case DB_F64:
        room = arena_alloc(arena, PARAM_TEXT_BYTES);
        if (room != NULL && param->type == DB_I64)
            (void)snprintf(room, PARAM_TEXT_BYTES, "%lld", (long long)param->i64);
        else if (room != NULL)
            (void)snprintf(room, PARAM_TEXT_BYTES, "%.17g", param->f64);
        to->values[i] = room;
        return room != NULL;
    case DB_BOOL:
        to->values[i] = param->i64 != 0 ? "true" : "false";
        return true;
    case DB_NULL:
        break;
    }
    return true;
}

static size_t params_bytes(const struct db_param *params, size_t n)
{
    size_t bytes = 256 * 1024 + n * 128;
    for (size_t i = 0; i < n; i++)
        if (params[i].type == DB_TEXT)
            bytes += 2 * params[i].text.len;
    return bytes;
}

enum status pg_send(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    struct err *err)
{
    struct pg_wire *wire = db->conn;
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, params_bytes(params, n_params));
    struct wire_params to = {.values = arena_array(&arena, n_params, sizeof *to.values),
                             .lengths = arena_array(&arena, n_params, sizeof *to.lengths),
                             .formats = arena_array(&arena, n_params, sizeof *to.formats)};
    bool is_ok = to.values != NULL && to.lengths != NULL && to.formats != NULL;
    for (size_t i = 0; i < n_params && is_ok; i++)
        is_ok = fill_param(&params[i], &arena, &to, i);
    if (!is_ok)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while sending a query.");
    start_clock(db);
    if (stop_is_raised(db->stop))
        return stop_status(db->stop, err);
    if (PQsendQueryParams(wire->handle, sql, (int)n_params, NULL, to.values, to.lengths, to.formats,
                          0) == 0)
        return pg_fail(db, NULL, err);
    return pg_flush(db, err);
}

static enum status exec(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, int64_t *ret_changed, struct err *err)
{
    enum status s = pg_send(db, sql, params, n_params, err);
    if (s != STATUS_OK)
        return s;
    PGresult *result = NULL;
    s = pg_take(db, &result, err);
    if (s != STATUS_OK)
        return s;
    ExecStatusType type = PQresultStatus(result);
    if (type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK) {
        s = pg_fail(db, result, err);
        if (!db->is_broken && pg_drain(db, NULL) != STATUS_OK)
            db->is_broken = true;
        return s;
    }
    int64_t changed = 0;
    if (!str_to_i64(str_of(PQcmdTuples(result)), &changed))
        changed = 0;
    PQclear(result);
    s = pg_drain(db, err);
    if (s == STATUS_OK)
        *ret_changed = changed;
    return s;
}

static enum status exec_script(struct db *db, const char *sql, struct err *err)
{
    struct pg_wire *wire = db->conn;
    start_clock(db);
    if (PQsendQuery(wire->handle, sql) == 0)
        return pg_fail(db, NULL, err);
    enum status s = pg_flush(db, err);
    return s == STATUS_OK ? pg_drain(db, err) : s;
}

static void rollback(struct db *db)
{
    struct pg_wire *wire = db->conn;
    const struct stop *stop = db->stop;
    db->stop = NULL;
    wire->limit_ns = clock_mono_ns() + (int64_t)ROLLBACK_LIMIT_MS * NS_PER_MS;
    if (PQsendQuery(wire->handle, "ROLLBACK") == 0 || pg_flush(db, NULL) != STATUS_OK ||
        pg_drain(db, NULL) != STATUS_OK)
        db->is_broken = true;
    db->stop = stop;
}

const struct db_backend db_backend_pg = {
    .kind = DB_POSTGRESQL,
    .check_options = check_options,
    .connect = connect_server,
    .disconnect = disconnect,
    .set_mode = set_mode,
    .is_alive = is_alive,
    .exec = exec,
    .exec_script = exec_script,
    .query = pg_query,
    .rollback = rollback,
    .row_next = pg_row_next,
    .rows_clear = pg_rows_clear,
    .width = pg_width,
    .is_null = pg_is_null,
    .text = pg_text,
    .i64 = pg_i64,
    .f64 = pg_f64,
    .boolean = pg_boolean,
    .bytes = pg_bytes,
    .copy_begin = pg_copy_begin,
    .copy_row = pg_copy_row,
    .copy_end = pg_copy_end,
    .copy_abort = pg_copy_abort,
};
