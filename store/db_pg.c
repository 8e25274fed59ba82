/*
 * db_pg.c - the PostgreSQL back end: connecting and running statements. The only users of libpq are the files
 * db_pg*.c.
 */
#include "store/db_pg.h"

#include "base/arena.h"
#include "base/clock.h"

#include <libpq-fe.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION_MIN = 120000,
    TRUSTED_IDLE_MS = 5,
    CHECK_AFTER_IDLE_MS = 30000,
    CHECK_LIMIT_MS = 1000,
    ROLLBACK_LIMIT_MS = 2000
};
enum { NS_PER_MS = 1000000, GRACE_MS = 1000, PARAM_TEXT_BYTES = 32 };

enum status pg_check_options(const struct db_options *options, struct err *err)
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
enum status pg_connect(struct db *db, const char *url, int version_min, const char *session,
                       struct err *err)
{
    /* Before dbname: the URL may override them. After it: it may not. */
    static const char *const keys[] = {
        "connect_timeout",  "keepalives_idle",  "keepalives_interval",
        "keepalives_count", "tcp_user_timeout", "dbname",
        "application_name", "client_encoding",  NULL};
    const char *const values[] = {"2", "10", "5", "3", "5000", url, "cmmc", "UTF8", NULL};
    struct pg_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY,
                       "Out of memory while connecting to the database.");
    db->conn = wire;
    arena_init(&wire->arena, SIZE_MAX);
    wire->handle = PQconnectdbParams(keys, values, 1);
    if (wire->handle == NULL || PQstatus(wire->handle) != CONNECTION_OK)
        return cannot_connect(wire->handle, err);
    (void)PQsetNoticeReceiver(wire->handle, ignore_notice, NULL);
    if (PQserverVersion(wire->handle) < version_min)
        return err_set(err, STATUS_DB_ERROR,
                       "The database server is too old: PostgreSQL 12 or newer is needed.");
    if (PQsetnonblocking(wire->handle, 1) != 0)
        return cannot_connect(wire->handle, err);
    enum status s = pg_exec_script(db, session, err);
    return s == STATUS_OK && db->options->session != NULL
               ? pg_exec_script(db, db->options->session, err)
               : s;
}

static enum status connect_server(struct db *db, struct err *err)
{
    /* Compiling a plan takes longer than any statement here runs. */
    return pg_connect(
        db, db->options->url, VERSION_MIN,
        "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET client_min_messages = warning;"
        "SET standard_conforming_strings = on; SET bytea_output = 'hex';"
        "SET jit = off",
        err);
}

void pg_disconnect(struct db *db)
{
    struct pg_wire *wire = db->conn;
    if (wire == NULL)
        return;
    PQfinish(wire->handle);
    free(wire->copy_line);
    pg_prepared_clear(wire);
    arena_clear(&wire->arena);
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
bool pg_is_alive(struct db *db, int64_t idle_ns)
{
    struct pg_wire *wire = db->conn;
    struct pollfd fd = {.fd = PQsocket(wire->handle), .events = POLLIN};
    if (idle_ns < (int64_t)TRUSTED_IDLE_MS * NS_PER_MS)
        return true; /* it was answering just now: a busy pool saves a system call a query */
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
    if (db->mode == DB_READ && db->statement_ms > 0)
        wire->limit_ns = clock_mono_ns() + ((int64_t)db->statement_ms + GRACE_MS) * NS_PER_MS;
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

/* The statement's text, behind the comment if there is one. NULL when out of memory. */
static const char *commented(struct db *db, const char *sql)
{
    struct pg_wire *wire = db->conn;
    if (db->comment[0] == '\0')
        return sql;
    size_t room = strlen(sql) + sizeof db->comment + 8;
    char *text = arena_alloc(&wire->arena, room);
    if (text != NULL)
        (void)snprintf(text, room, "/*%s*/ %s", db->comment, sql);
    return text;
}

enum status pg_start(struct db *db, struct err *err)
{
    struct pg_wire *wire = db->conn;
    start_clock(db);
    wire->is_plan_stale = false;
    wire->was_single_row = false;
    return stop_is_raised(db->stop) ? stop_status(db->stop, err) : pg_copy_settle(db, err);
}

enum status pg_submit(struct db *db, const struct db_statement *statement, const char *name,
                      struct err *err)
{
    struct pg_wire *wire = db->conn;
    struct arena *arena = &wire->arena;
    size_t n = statement->n_params;
    arena_reset(arena);
    struct wire_params to = {.values = arena_array(arena, n, sizeof *to.values),
                             .lengths = arena_array(arena, n, sizeof *to.lengths),
                             .formats = arena_array(arena, n, sizeof *to.formats)};
    const char *sql = commented(db, statement->sql);
    bool is_ok = to.values != NULL && to.lengths != NULL && to.formats != NULL && sql != NULL &&
                 n <= INT_MAX;
    for (size_t i = 0; i < n && is_ok; i++)
        is_ok = fill_param(&statement->params[i], arena, &to, i);
    if (!is_ok)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while sending a query.");
    int is_sent = name != NULL ? PQsendQueryPrepared(wire->handle, name, (int)n, to.values,
                                                     to.lengths, to.formats, 0)
                               : PQsendQueryParams(wire->handle, sql, (int)n, NULL, to.values,
                                                   to.lengths, to.formats, 0);
    return is_sent == 0 ? pg_fail(db, NULL, err) : STATUS_OK;
}

enum status pg_send(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    bool may_prepare, struct err *err)
{
    const struct db_statement statement = {sql, params, n_params};
    enum status s = pg_start(db, err);
    if (s != STATUS_OK)
        return s;
    const char *name = may_prepare ? pg_prepared_name(db, sql) : NULL;
    s = pg_submit(db, &statement, name, err);
    return s == STATUS_OK ? pg_flush(db, err) : s;
}

static enum status exec_once(struct db *db, const struct db_statement *statement, bool may_prepare,
                             int64_t *ret_changed, struct err *err)
{
    enum status s =
        pg_send(db, statement->sql, statement->params, statement->n_params, may_prepare, err);
    if (s != STATUS_OK)
        return s;
    PGresult *result = NULL;
    s = pg_take(db, &result, err);
    if (s != STATUS_OK)
        return s;
    ExecStatusType type = PQresultStatus(result);
    if (type != PGRES_COMMAND_OK && type != PGRES_TUPLES_OK)
        return pg_fail_and_drain(db, result, err);
    int64_t changed = 0;
    if (!str_to_i64(str_of(PQcmdTuples(result)), &changed))
        changed = 0;
    PQclear(result);
    s = pg_drain(db, err);
    if (s == STATUS_OK)
        *ret_changed = changed;
    return s;
}

enum status pg_exec(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    int64_t *ret_changed, struct err *err)
{
    const struct db_statement statement = {sql, params, n_params};
    enum status s = exec_once(db, &statement, true, ret_changed, err);
    return s != STATUS_OK && pg_prepared_forget(db)
               ? exec_once(db, &statement, false, ret_changed, err)
               : s;
}

enum status pg_exec_script(struct db *db, const char *sql, struct err *err)
{
    struct pg_wire *wire = db->conn;
    start_clock(db);
    enum status s = pg_copy_settle(db, err);
    if (s != STATUS_OK)
        return s;
    if (PQsendQuery(wire->handle, sql) == 0)
        return pg_fail(db, NULL, err);
    s = pg_flush(db, err);
    return s == STATUS_OK ? pg_drain(db, err) : s;
}

void pg_rollback(struct db *db)
{
    struct pg_wire *wire = db->conn;
    const struct stop *stop = db->stop;
    db->stop = NULL;
    wire->limit_ns = clock_mono_ns() + (int64_t)ROLLBACK_LIMIT_MS * NS_PER_MS;
    if (pg_copy_settle(db, NULL) != STATUS_OK && db->is_broken) {
        db->stop = stop;
        return;
    }
    if (PQsendQuery(wire->handle, "ROLLBACK") == 0 || pg_flush(db, NULL) != STATUS_OK ||
        pg_drain(db, NULL) != STATUS_OK)
        db->is_broken = true;
    db->stop = stop;
}

const struct db_backend db_backend_pg = {
    .kind = DB_POSTGRESQL,
    .check_options = pg_check_options,
    .connect = connect_server,
    .disconnect = pg_disconnect,
    .set_mode = set_mode,
    .is_alive = pg_is_alive,
    .exec = pg_exec,
    .exec_script = pg_exec_script,
    .query = pg_query,
    .query_batch = pg_query_batch,
    .query_stream = pg_query_stream,
    .copy_csv = pg_copy_csv,
    .wait_notify = pg_wait_notify,
    .rollback = pg_rollback,
    .row_next = pg_row_next,
    .rows_clear = pg_rows_clear,
    .held = pg_held,
    .width = pg_width,
    .is_null = pg_is_null,
    .text = pg_text,
    .texts = pg_texts,
    .i64 = pg_i64,
    .f64 = pg_f64,
    .boolean = pg_boolean,
    .bytes = pg_bytes,
    .copy_begin = pg_copy_begin,
    .copy_row = pg_copy_row,
    .copy_values_begin = pg_copy_values_begin,
    .copy_values = pg_copy_values,
    .copy_end = pg_copy_end,
    .copy_end_soon = pg_copy_end_soon,
    .copy_abort = pg_copy_abort,
    .copy_relay = pg_copy_relay,
};
