/*
 * db.h - one interface to the serving database, two back ends: db_sqlite.c and db_pg.c.
 *
 * SQL text is shared: "$1".."$n" parameters, columns listed, ISO dates as text. Where the two dialects
 * differ, db_kind() tells which one is spoken. A struct db is one connection: borrowed from the pool,
 * used by one thread, given back. Any call may be stopped through the stop word given to db_acquire.
 *
 * Errors: DB_UNAVAILABLE (cannot connect, connection lost, pool exhausted within its wait: retry_after_s
 * is set), DB_TIMEOUT, DB_CONFLICT (serialisation, lock), DB_ERROR (a statement was refused: a bug or a
 * foreign schema), BAD_DATA (a value broke a constraint), CLIENT_GONE / DEADLINE / DRAINING (stopped).
 * Details never contain SQL, passwords or host names.
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/err.h"
#include "base/stop.h"

#include <stdatomic.h>
#include <stdint.h>

enum db_kind { DB_SQLITE, DB_POSTGRESQL, DB_REDSHIFT };

struct db_bulk;

struct db_options {
    const char *url;         /* postgresql://..., redshift://... ; NULL or "" for SQLite */
    const char *sqlite_path; /* used when url is empty; its folder must exist */
    unsigned pool_max;       /* connections at most */
    unsigned acquire_ms;     /* longest wait for one */
    unsigned statement_ms;   /* statement_timeout for reads */
    const char *read_urls;   /* replicas, or the same server with a role that only reads: URLs
                                separated by commas; NULL or "": none */
    const char *session;     /* SQL that each new connection to a server begins with; NULL: none */
    const struct db_bulk *bulk; /* how Redshift takes rows; the pool's owner keeps it */
};

struct db_pool;
struct db;

/* Opening does not need the database to be up: connections are made on demand. */
enum status db_pool_open(const struct db_options *options, struct db_pool **ret_pool,
                         struct err *err) NODISCARD;
void db_pool_close(struct db_pool *pool);
void db_pool_usage(struct db_pool *pool, unsigned *ret_in_use, unsigned *ret_open,
                   unsigned *ret_max);

/* Of the primary and its replicas together. */
enum db_cancel {
    DB_CANCEL_CLIENT_GONE,
    DB_CANCEL_DEADLINE,
    DB_CANCEL_DRAINING,
    DB_CANCEL_ABANDONED
};
enum { DB_CANCELS = DB_CANCEL_ABANDONED + 1 };
struct db_stats {
    unsigned in_use, open, max;
    unsigned waiting; /* threads that wait for a connection */
    int64_t copied;   /* rows that came in by db_copy_row, of connections that were given back */
    uint64_t cancelled
        [DB_CANCELS]; /* statements that were still running when nobody wanted them any more */
};
void db_pool_stats(struct db_pool *pool, struct db_stats *ret);

/*
 * DB_READ runs read-only. DB_READ_MARTS is DB_READ for those who read marts only through mart_read.h,
 * mart_query.h or after generation_pin: it may be a replica, if the pool has any (see db_to_primary). stop may
 * be NULL and must outlive the borrow.
 */
enum db_mode { DB_READ, DB_WRITE, DB_READ_MARTS };
enum status db_acquire(struct db_pool *pool, enum db_mode mode, const struct stop *stop,
                       struct db **ret_db, struct err *err) NODISCARD;
/* A second one beside another: never waits, for two who each hold one could wait for each other. NULL: there is none now. */
struct db *db_try_acquire(struct db_pool *pool, enum db_mode mode, const struct stop *stop);
void db_release(struct db *db); /* rolls back what is open; a broken connection is discarded */
void db_releasep(struct db **db);

/*
 * When db is a replica, exchanges what is inside for a connection to the primary: for reads that the replica cannot
 * serve. Nothing of it may be open; a transaction is rolled back. db stays the caller's, whatever happens.
 */
bool db_is_replica(const struct db *db);
enum status db_to_primary(struct db *db, struct err *err) NODISCARD;

/* Longest time for each statement of the transactions begun from here to the release, instead of the pool's; 0: none. */
void db_limit(struct db *db, unsigned statement_ms);

/*
 * Puts a comment in front of each statement from here to the release, so that it is found again in the server's
 * log and in pg_stat_activity. Such statements are not prepared. text is ours: letters, digits, "-='" and
 * spaces, at most DB_COMMENT_BYTES - 1. Nothing happens on SQLite.
 */
enum { DB_COMMENT_BYTES = 96 };
void db_comment(struct db *db, const char *text);

/* Adds the nanoseconds that are waited for PostgreSQL from here to the release; nothing on SQLite, which is no wait. */
void db_meter(struct db *db, atomic_int_fast64_t *waited_ns);

enum db_kind db_kind(const struct db *db);

struct db_param {
    enum { DB_NULL, DB_TEXT, DB_I64, DB_F64, DB_BOOL, DB_BYTES } type;
    struct str text; /* DB_TEXT, DB_BYTES: borrowed for the call */
    int64_t i64;     /* DB_I64, DB_BOOL */
    double f64;
};

struct db_param db_text(struct str s); /* ptr NULL binds NULL */
struct db_param db_i64(int64_t value);
struct db_param db_f64(double value);
struct db_param db_bool(bool value);
struct db_param db_bytes(struct str s);
struct db_param db_date(int32_t date, char room[11]); /* ISO text kept in room */

/* For literal lists: db_exec(db, sql, PARAMS(db_text(a), db_i64(b)), &changed, err). */
#define PARAMS(...)                         \
    (const struct db_param[]){__VA_ARGS__}, \
        sizeof((const struct db_param[]){__VA_ARGS__}) / sizeof(struct db_param)
#define NO_PARAMS NULL, 0

enum status db_exec(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    int64_t *ret_changed, struct err *err) NODISCARD; /* ret_changed may be NULL */

/* Several statements separated by ';', no parameters; for migrations and set-up. */
enum status db_exec_script(struct db *db, const char *sql, struct err *err) NODISCARD;

/*
 * A forward-only result that streams: bounded memory whatever the row count. One open query per db.
 * Values are borrowed until the next rows_next. rows_text is as the database writes it; the typed getters
 * give the same value on both back ends, and mart_value_text (mart_query.h) the same spelling.
 */
struct rows {
    struct db *db;
    void *impl;
};

enum status db_query(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                     struct rows *ret_rows, struct err *err) NODISCARD;
enum status rows_next(struct rows *rows, bool *ret_has_row, struct err *err) NODISCARD;
void rows_clear(struct rows *rows); /* also for CLEANUP; a result may be left half-read */

size_t rows_width(const struct rows *rows);
bool rows_is_null(const struct rows *rows, size_t column);
struct str rows_text(const struct rows *rows,
                     size_t column); /* ptr NULL for NULL; as the database writes it */
/* rows_text of the first n columns at once; false when the back end has them one by one only. */
bool rows_texts(const struct rows *rows, size_t n, struct str *ret);
int64_t rows_i64(const struct rows *rows, size_t column); /* 0 for NULL */
double rows_f64(const struct rows *rows, size_t column);  /* NaN for NULL */
bool rows_bool(const struct rows *rows, size_t column);
struct str rows_bytes(const struct rows *rows, size_t column);
bool rows_date(const struct rows *rows, size_t column, int32_t *ret_date); /* false for NULL */
bool rows_instant(const struct rows *rows, size_t column,
                  int64_t *ret_seconds); /* false for NULL */

/* The single row of a query that must return at most one: *ret_found false when none. */
enum status db_query_one(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, struct rows *ret_rows, bool *ret_found, struct err *err)
    NODISCARD;

/*
 * PostgreSQL only: n queries, one after the other, in one round trip. Each result is held in memory as a whole:
 * for pages, not for tables. Outside a transaction each query sees what was committed before it began. On
 * success ret_rows[0..n) are open; on failure none is.
 */
struct db_statement {
    const char *sql;
    const struct db_param *params;
    size_t n_params;
};
enum { DB_BATCH_MAX = 4 };
enum status db_query_batch(struct db *db, const struct db_statement *statements, size_t n,
                           struct rows *ret_rows, struct err *err) NODISCARD;
size_t rows_held(const struct rows *rows); /* how many such a result has */

/*
 * db_query for many rows: on PostgreSQL they come out of a COPY, which costs both sides less for each row. sql is
 * one SELECT; "$n" stands only where a literal of unknown type may stand.
 */
enum status db_query_stream(struct db *db, const char *sql, const struct db_param *params,
                            size_t n_params, struct rows *ret_rows, struct err *err) NODISCARD;

/*
 * PostgreSQL only: the rows of such a SELECT as the server writes CSV, each a call of line, which ends in LF and
 * is borrowed for the call. A failure of line ends the COPY, and db is discarded when it is released.
 */
typedef enum status db_line_fn(void *cls, struct str line, struct err *err);
enum status db_copy_csv(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, db_line_fn *line, void *cls, struct err *err) NODISCARD;

/* DB_READ: one snapshot until the end. DB_WRITE: SQLite's single write lock is taken at once. */
enum status db_begin(struct db *db, struct err *err) NODISCARD;
enum status db_commit(struct db *db, struct err *err) NODISCARD;
void db_rollback(struct db *db); /* harmless when nothing is open */

/*
 * Serialises writers across processes until the transaction ends: BEGIN IMMEDIATE, pg_advisory_xact_lock, or on Redshift the
 * lock of a table that the session's search_path finds.
 */
#define DB_REDSHIFT_LOCK "writer_lock"
enum status db_lock_writers(struct db *db, struct err *err) NODISCARD;

/*
 * Bulk insert: COPY FROM STDIN on PostgreSQL, one prepared INSERT on SQLite. Fields are text in the
 * target's spelling; ptr NULL is NULL. table and columns come from our own catalogue, never from outside.
 * PostgreSQL may report a bad row only at a later row or at the end.
 */
enum { DB_COPY_COLUMNS_MAX = 64 };
enum status db_copy_begin(struct db *db, const char *table, const char *const *columns,
                          size_t n_columns, struct err *err) NODISCARD;
enum status db_copy_row(struct db *db, const struct str *fields, struct err *err) NODISCARD;
enum status db_copy_end(struct db *db, struct err *err) NODISCARD;
/* Does not wait for PostgreSQL: the next use of db does, and fails as this would have. */
enum status db_copy_end_soon(struct db *db, struct err *err) NODISCARD;
void db_copy_abort(struct db *db);

/*
 * The same for rows that a program has computed: values as it holds them, by the types of their columns. PostgreSQL takes
 * them in its binary form and SQLite binds them: no number is spelled here to be read again there. columns are borrowed until
 * db_copy_end.
 */
enum db_type {
    DB_TYPE_TEXT,
    DB_TYPE_DECIMAL, /* text: "-12.50" */
    DB_TYPE_INSTANT, /* text as instant_parse takes it; its fraction counts */
    DB_TYPE_DATE,    /* i64: days since 1970-01-01 */
    DB_TYPE_BOOL,    /* i64: 0 or 1 */
    DB_TYPE_I64,
    DB_TYPE_F64
};
struct db_column {
    const char *name;
    enum db_type type;
};
union db_value {
    struct str text; /* ptr NULL: NULL */
    int64_t i64;     /* never NULL */
    double f64;      /* not finite: NULL */
};
bool db_type_is_text(enum db_type type); /* of its values the text counts */
enum status db_copy_values_begin(struct db *db, const char *table, const struct db_column *columns,
                                 size_t n_columns, struct err *err) NODISCARD;
enum status db_copy_values(struct db *db, const union db_value *values, struct err *err) NODISCARD;
int64_t db_copy_bad_row(
    const struct db *db); /* after a failure: the row at fault, from 1; 0 when unknown */

/*
 * Where both are of PostgreSQL: the rows of one SELECT go into a table as they are, in the server's binary form, and nobody
 * reads them in between. The SELECT casts each of its columns to the type that the table has. After a failure from is
 * discarded when it is released; the COPY into the table is over.
 */
bool db_can_relay(const struct db *to, const struct db *from);
enum status db_copy_relay(struct db *to, const char *table, const char *const *columns,
                          size_t n_columns, struct db *from, const char *sql, int64_t *ret_rows,
                          struct err *err) NODISCARD;

/*
 * Redshift has no COPY FROM STDIN: the rows of db_copy_row go through objects that it reads. They are gathered for one
 * table, over several db_copy_begin to db_copy_end, until a statement names the table or the transaction commits; a
 * bad row is reported then. A load belongs to one connection and one thread.
 */
struct db_bulk_load;
struct db_bulk {
    void *cls;
    enum status (*begin)(void *cls, const char *table, const char *const *columns, size_t n_columns,
                         struct db_bulk_load **ret, struct err *err);
    enum status (*add)(struct db_bulk_load *load, const struct str *fields, const struct stop *stop,
                       struct err *err);
    /* Brings the rows into the table. load is drop's afterwards as before. */
    enum status (*finish)(struct db_bulk_load *load, struct db *db, const struct stop *stop,
                          struct err *err);
    void (*drop)(struct db_bulk_load *load);
};

#endif
