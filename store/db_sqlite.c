/*
 * db_sqlite.c - the embedded back end: connections, modes and errors. The only users of sqlite3 are this
 * file and those named db_sqlite_*.c. Write-ahead logging lets readers go on while the one writer works; the
 * progress handler looks at the stop word and the statement's deadline.
 */
#include "store/db_sqlite.h"

#include "base/clock.h"
#include "base/number.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { VERSION_MIN = 3039000 }; /* IS DISTINCT FROM */
enum { PROGRESS_STEPS = 2000, BUSY_SLEEP_MS = 5, NS_PER_MS = 1000000 };

/* A status for what SQLite answered; db's stop word explains an interruption. */
enum status sqlite_fail(struct db *db, int rc, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    if ((rc & 0xff) == SQLITE_INTERRUPT || (rc & 0xff) == SQLITE_BUSY) {
        if (stop_is_raised(db->stop))
            return stop_status(db->stop, err);
    }
    switch (rc & 0xff) {
    case SQLITE_INTERRUPT:
        return err_set(err, STATUS_DB_TIMEOUT, "The query did not finish within %u ms.",
                       db->statement_ms);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, STATUS_DB_CONFLICT, "Another writer holds the database.");
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
        return err_set(err, STATUS_BAD_DATA, "A value breaks a constraint of the database.");
    case SQLITE_NOMEM:
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory in the database.");
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT: {
        db->is_broken = true;
        enum status s = err_set(err, STATUS_DB_UNAVAILABLE,
                                "The database file cannot be used (%s).", sqlite3_errstr(rc));
        if (err != NULL)
            err->retry_after_s = 1;
        return s;
    }
    default:
        return err_set(err, STATUS_DB_ERROR, "The database refused a statement: %s.",
                       conn != NULL ? sqlite3_errmsg(conn->handle) : sqlite3_errstr(rc));
    }
}

static enum status check_options(const struct db_options *options, struct err *err)
{
    if (options->sqlite_path == NULL || options->sqlite_path[0] == '\0')
        return err_set(err, STATUS_CONFIG, "The embedded database needs a path.");
    if (sqlite3_libversion_number() < VERSION_MIN)
        return err_set(err, STATUS_CONFIG, "SQLite %s is too old: 3.39 or newer is needed.",
                       sqlite3_libversion());
    if (sqlite3_threadsafe() == 0)
        return err_set(err, STATUS_CONFIG, "This SQLite was built without support for threads.");
    return STATUS_OK;
}

/* Nonzero interrupts the running statement. */
static int on_progress(void *arg)
{
    struct db *db = arg;
    struct sqlite_conn *conn = db->conn;
    return stop_is_raised(db->stop) ||
           (conn->deadline_ns != 0 && clock_mono_ns() > conn->deadline_ns);
}

/* Zero gives up waiting for another connection's lock. */
static int on_busy(void *arg, int n_calls)
{
    struct db *db = arg;
    unsigned wait_ms = db->mode == DB_WRITE ? (unsigned)DB_WRITER_WAIT_MS : db->statement_ms;
    if (stop_is_raised(db->stop) || (unsigned)n_calls >= wait_ms / BUSY_SLEEP_MS)
        return 0;
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)BUSY_SLEEP_MS * NS_PER_MS}, NULL);
    return 1;
}

/* Orders decimals by value. What is not a decimal sorts after all of them, bytewise. */
static int collate_decimal(void *arg, int a_len, const void *a, int b_len, const void *b)
{
    (void)arg;
    struct str x = {a, (size_t)a_len};
    struct str y = {b, (size_t)b_len};
    bool x_ok = decimal_is_valid(x);
    bool y_ok = decimal_is_valid(y);
    if (x_ok && y_ok)
        return decimal_cmp(x, y);
    return x_ok != y_ok ? (x_ok ? -1 : 1) : str_cmp(x, y);
}

/*
 * The file is made here first, so that it and its log are readable by its owner only. One that exists must not
 * be opened: closing any descriptor of it drops every POSIX lock that this process's SQLite holds on it.
 */
static enum status create_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return STATUS_OK;
    if (fd < 0) {
        enum status s = err_set(err, STATUS_DB_UNAVAILABLE,
                                "The database file cannot be opened: error %d.", errno);
        if (err != NULL)
            err->retry_after_s = 1;
        return s;
    }
    (void)close(fd);
    return STATUS_OK;
}

static enum status set_up(struct db *db, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    static const char pragmas[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
        "PRAGMA cache_size=-16000; PRAGMA journal_size_limit=67108864";
    (void)sqlite3_extended_result_codes(conn->handle, 1);
    (void)sqlite3_busy_handler(conn->handle, on_busy, db);
    sqlite3_progress_handler(conn->handle, PROGRESS_STEPS, on_progress, db);
    (void)sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    int rc = sqlite3_create_collation_v2(conn->handle, "decimal", SQLITE_UTF8, NULL,
                                         collate_decimal, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite_add_functions(conn->handle);
    /* Two processes that turn a new file to WAL at once see BUSY without the handler being asked. */
    for (int i = 0; rc == SQLITE_OK &&
                    (rc = sqlite3_exec(conn->handle, pragmas, NULL, NULL, NULL)) == SQLITE_BUSY;
         i++) {
        if (on_busy(db, i) == 0)
            break;
        rc = SQLITE_OK;
    }
    return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(db, rc, err);
}

static enum status connect_file(struct db *db, struct err *err)
{
    const char *path = db->options->sqlite_path;
    enum status s = create_private(path, err);
    if (s != STATUS_OK)
        return s;
    struct sqlite_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while opening the database.");
    db->conn = conn;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(path, &conn->handle, flags, NULL);
    if (rc != SQLITE_OK)
        return sqlite_fail(db, rc, err);
    return set_up(db, err);
}

static void disconnect(struct db *db)
{
    struct sqlite_conn *conn = db->conn;
    if (conn == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(conn->cache); i++)
        (void)sqlite3_finalize(conn->cache[i].stmt);
    (void)sqlite3_close_v2(conn->handle);
    free(conn);
    db->conn = NULL;
}

static enum status set_mode(struct db *db, enum db_mode mode, struct err *err)
{
    const char *sql = mode == DB_READ ? "PRAGMA query_only=1" : "PRAGMA query_only=0";
    int rc = sqlite3_exec(((struct sqlite_conn *)db->conn)->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(db, rc, err);
}

static bool is_alive(struct db *db, int64_t idle_ns)
{
    (void)db;
    (void)idle_ns;
    return true;
}

static enum status exec(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, int64_t *ret_changed, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    struct sqlite_cached *slot = NULL;
    enum status s = sqlite_prepare(db, sql, &slot, err);
    if (s != STATUS_OK)
        return s;
    assert(slot != NULL);
    s = sqlite_bind(db, slot->stmt, params, n_params, err);
    int64_t before = sqlite3_total_changes64(conn->handle);
    int rc = SQLITE_ROW;
    while (s == STATUS_OK && rc == SQLITE_ROW)
        rc = sqlite3_step(slot->stmt);
    if (s == STATUS_OK && rc != SQLITE_DONE)
        s = sqlite_fail(db, rc, err);
    if (s == STATUS_OK)
        *ret_changed = sqlite3_total_changes64(conn->handle) - before;
    sqlite_finish(slot);
    return s;
}

static enum status exec_script(struct db *db, const char *sql, struct err *err)
{
    struct sqlite_conn *conn = db->conn;
    conn->deadline_ns = 0;
    int rc = sqlite3_exec(conn->handle, sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(db, rc, err);
}

static void rollback(struct db *db)
{
    struct sqlite_conn *conn = db->conn;
    const struct stop *stop = db->stop;
    db->stop = NULL;
    conn->deadline_ns = 0;
    /* After some errors SQLite has rolled back by itself. */
    if (sqlite3_get_autocommit(conn->handle) == 0 &&
        sqlite3_exec(conn->handle, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
        db->is_broken = true;
    db->stop = stop;
}

const struct db_backend db_backend_sqlite = {
    .kind = DB_SQLITE,
    .check_options = check_options,
    .connect = connect_file,
    .disconnect = disconnect,
    .set_mode = set_mode,
    .is_alive = is_alive,
    .exec = exec,
    .exec_script = exec_script,
    .query = sqlite_query,
    .query_stream = sqlite_query,
    .rollback = rollback,
    .row_next = sqlite_row_next,
    .rows_clear = sqlite_rows_clear,
    .width = sqlite_width,
    .is_null = sqlite_is_null,
    .text = sqlite_text,
    .i64 = sqlite_i64,
    .f64 = sqlite_f64,
    .boolean = sqlite_boolean,
    .bytes = sqlite_bytes,
    .copy_begin = sqlite_copy_begin,
    .copy_row = sqlite_copy_row,
    .copy_values_begin = sqlite_copy_begin,
    .copy_values = sqlite_copy_values,
    .copy_end = sqlite_copy_end,
    .copy_abort = sqlite_copy_abort,
};
