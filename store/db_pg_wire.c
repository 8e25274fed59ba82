/*
 * db_pg_wire.c - waiting for the server, stopping it, and what its failures mean. A wait wakes at least
 * every 50 ms to look at the stop word. After a stop the connection is given up rather than drained: a
 * late cancel request could otherwise hit the next statement on it.
 */
#define _GNU_SOURCE /* SCHED_BATCH */
#include "store/db_pg.h"

#include "base/clock.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_SLICE_MS = 50,
    CANCEL_LIMIT_MS = 2000,
    PIECES_AT_ONCE = 2 /* of an answer; for more the thread waits its turn */
};

static enum status lost(struct db *db, struct err *err)
{
    db->is_broken = true;
    enum status s = err_set(err, STATUS_DB_UNAVAILABLE, "The connection to the database was lost.");
    if (err != NULL)
        err->retry_after_s = 1;
    return s;
}

static bool starts(const char *sqlstate, const char *prefix)
{
    return strncmp(sqlstate, prefix, strlen(prefix)) == 0;
}

/* The record number of "COPY stage_x, line 12, column date: ..." */
static int64_t copy_line_of(const char *context)
{
    const char *at = context == NULL ? NULL : strstr(context, ", line ");
    int64_t line = 0;
    if (at == NULL)
        return 0;
    at += strlen(", line ");
    return str_to_i64((struct str){at, strspn(at, "0123456789")}, &line) ? line : 0;
}

static enum status refused(struct db *db, const char *sqlstate, const char *message,
                           struct err *err)
{
    if (starts(sqlstate, "57014"))
        return stop_is_raised(db->stop)
                   ? stop_status(db->stop, err)
                   : err_set(err, STATUS_DB_TIMEOUT, "The query did not finish within %u ms.",
                             db->statement_ms);
    if (starts(sqlstate, "08") || starts(sqlstate, "57P0") || starts(sqlstate, "53") ||
        starts(sqlstate, "58") || (starts(sqlstate, "25006") && db->mode == DB_WRITE)) {
        db->is_broken = true;
        enum status s = err_set(err, STATUS_DB_UNAVAILABLE,
                                "The database cannot serve now (SQLSTATE %s).", sqlstate);
        if (err != NULL)
            err->retry_after_s = 1;
        return s;
    }
    if (starts(sqlstate, "40") || starts(sqlstate, "55P03"))
        return err_set(err, STATUS_DB_CONFLICT,
                       "Another transaction stands in the way (SQLSTATE %s).", sqlstate);
    if (starts(sqlstate, "22") || starts(sqlstate, "23"))
        return err_set(err, STATUS_BAD_DATA,
                       "A value breaks a constraint of the database (SQLSTATE %s).", sqlstate);
    return err_set(err, STATUS_DB_ERROR, "The database refused a statement: %s (SQLSTATE %s).",
                   message, sqlstate);
}

enum status pg_fail(struct db *db, PGresult *result, struct err *err)
{
    const char *sqlstate = result == NULL ? NULL : PQresultErrorField(result, PG_DIAG_SQLSTATE);
    enum status s;
    if (sqlstate == NULL) {
        s = lost(db, err);
    } else {
        const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        /* Forgotten by the server (DISCARD, a pooler in between), or its columns have changed. */
        ((struct pg_wire *)db->conn)->is_plan_stale =
            starts(sqlstate, "26000") || starts(sqlstate, "0A000");
        db->copy_bad_row = copy_line_of(PQresultErrorField(result, PG_DIAG_CONTEXT));
        s = refused(db, sqlstate, message == NULL ? "no reason given" : message, err);
    }
    PQclear(result);
    return s;
}

enum status pg_fail_and_drain(struct db *db, PGresult *result, struct err *err)
{
    enum status s = pg_fail(db, result, err);
    if (!db->is_broken && pg_drain(db, NULL) != STATUS_OK)
        db->is_broken = true;
    return s;
}

struct cancel {
    struct db_pool *pool;
    PGcancel *handle;
    int backend_pid;
};

static void cancel_free(struct cancel *cancel)
{
    PQfreeCancel(cancel->handle);
    db_pool_let_go(cancel->pool);
    free(cancel);
}

/* By an idle connection of the same user, which is as encrypted as the others; false: none was of use. */
static bool cancel_by_spare(const struct cancel *cancel)
{
    struct db *spare = db_pool_spare(cancel->pool);
    if (spare == NULL)
        return false;
    enum db_mode mode = spare->mode;
    spare->mode = DB_READ; /* whose statements have a limit */
    spare->stop = NULL;
    spare->statement_ms = CANCEL_LIMIT_MS;
    spare->comment[0] = '\0';
    int64_t ignored = 0;
    enum status s = spare->backend->exec(spare, "SELECT pg_cancel_backend($1)",
                                         PARAMS(db_i64(cancel->backend_pid)), &ignored, NULL);
    if (s != STATUS_OK)
        spare->is_broken = true;
    spare->mode = mode;
    db_release(spare);
    return s == STATUS_OK;
}

static void *run_cancel(void *arg)
{
    struct cancel *cancel = arg;
    char ignored[256];
    if (!cancel_by_spare(cancel))
        (void)PQcancel(cancel->handle, ignored, sizeof ignored);
    cancel_free(cancel);
    return NULL;
}

void pg_cancel(struct db *db)
{
    PGconn *handle = ((struct pg_wire *)db->conn)->handle;
    struct cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return;
    *cancel = (struct cancel){db->pool, PQgetCancel(handle), PQbackendPID(handle)};
    db_pool_hold(db);
    pthread_attr_t attr;
    pthread_t thread;
    if (cancel->handle == NULL || pthread_attr_init(&attr) != 0) {
        cancel_free(cancel);
        return;
    }
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attr, run_cancel, cancel) != 0)
        cancel_free(cancel);
    (void)pthread_attr_destroy(&attr);
}

static int wait_once(struct db *db, short events)
{
    struct pollfd fd = {.fd = PQsocket(((struct pg_wire *)db->conn)->handle), .events = events};
    int64_t from_ns = db->waited_ns == NULL ? 0 : clock_mono_ns();
    int n = poll(&fd, 1, POLL_SLICE_MS);
    if (db->waited_ns != NULL)
        (void)atomic_fetch_add(db->waited_ns, clock_mono_ns() - from_ns);
    return n;
}

enum status pg_wait(struct db *db, bool for_write, struct err *err)
{
    struct pg_wire *wire = db->conn;
    for (;;) {
        if (stop_is_raised(db->stop)) {
            pg_cancel(db);
            db->is_broken = true;
            return stop_status(db->stop, err);
        }
        if (wire->limit_ns != 0 && clock_mono_ns() > wire->limit_ns)
            return lost(db, err);
        short events = POLLIN;
        if (for_write)
            events |= POLLOUT;
        int n = wait_once(db, events);
        if (n < 0 && errno != EINTR)
            return lost(db, err);
        if (n > 0)
            return STATUS_OK;
    }
}

enum status pg_flush(struct db *db, struct err *err)
{
    struct pg_wire *wire = db->conn;
    for (;;) {
        int rc = PQflush(wire->handle);
        if (rc == 0)
            return STATUS_OK;
        if (rc < 0)
            return lost(db, err);
        enum status s = pg_wait(db, true, err);
        if (s != STATUS_OK)
            return s;
        if (PQconsumeInput(wire->handle) == 0)
            return lost(db, err);
    }
}

/*
 * The server sends a long answer in pieces of 8 KiB. When it runs on this machine and no processor is idle, each piece
 * would wake the waiting thread in place of the server that is about to write the next one, and both would pay for the
 * change: of a page of 1,000 rows, a dozen times. A thread of SCHED_BATCH waits its turn and finds several pieces; on
 * an idle processor it runs at once, as before. Whatever else the thread's policy is stays.
 */
static bool wait_in_turn(void)
{
    const struct sched_param none = {0};
    return sched_getscheduler(0) == SCHED_OTHER && sched_setscheduler(0, SCHED_BATCH, &none) == 0;
}

static void wait_as_before(bool is_in_turn)
{
    const struct sched_param none = {0};
    if (is_in_turn)
        (void)sched_setscheduler(0, SCHED_OTHER, &none);
}

enum status pg_take(struct db *db, PGresult **ret, struct err *err)
{
    struct pg_wire *wire = db->conn;
    enum status s = STATUS_OK;
    bool is_in_turn = false;
    for (unsigned n = 0; s == STATUS_OK && PQisBusy(wire->handle) != 0; n++) {
        if (n == PIECES_AT_ONCE)
            is_in_turn = wait_in_turn();
        s = pg_wait(db, false, err);
        if (s == STATUS_OK && PQconsumeInput(wire->handle) == 0)
            s = lost(db, err);
    }
    wait_as_before(is_in_turn);
    if (s == STATUS_OK)
        *ret = PQgetResult(wire->handle);
    return s;
}

enum status pg_drain(struct db *db, struct err *err)
{
    enum status first = STATUS_OK;
    for (;;) {
        PGresult *result = NULL;
        enum status s = pg_take(db, &result, err);
        if (s != STATUS_OK || result == NULL)
            return first == STATUS_OK ? s : first;
        ExecStatusType type = PQresultStatus(result);
        if (type == PGRES_FATAL_ERROR || type == PGRES_BAD_RESPONSE) {
            if (first == STATUS_OK)
                first = pg_fail(db, result, err);
            else
                PQclear(result);
            if (db->is_broken)
                return first;
        } else {
            PQclear(result);
        }
    }
}

enum status pg_wait_notify(struct db *db, unsigned wait_ms, bool *ret_heard, struct err *err)
{
    struct pg_wire *wire = db->conn;
    struct pollfd fd = {.fd = PQsocket(wire->handle), .events = POLLIN};
    bool is_heard = false;
    int n = poll(&fd, 1, (int)wait_ms);
    if (n < 0 && errno != EINTR)
        return lost(db, err);
    if (n > 0 && (PQconsumeInput(wire->handle) == 0 || PQstatus(wire->handle) != CONNECTION_OK))
        return lost(db, err);
    for (PGnotify *notify; (notify = PQnotifies(wire->handle)) != NULL; is_heard = true)
        PQfreemem(notify);
    *ret_heard = is_heard;
    return STATUS_OK;
}
