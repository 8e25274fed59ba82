/* db_pg.h - what the parts of the PostgreSQL back end share; only they include it. */
#ifndef STORE_DB_PG_H
#define STORE_DB_PG_H

#include "store/db_impl.h"

#include "base/arena.h"

struct pg_conn;
struct pg_result;

enum { PG_PREPARED_MAX = 128, PG_PREPARED_SQL_BYTES_MAX = 16 * 1024 };

/* A statement that was seen on this connection; prepared when it came again. */
struct pg_prepared {
    uint64_t hash;
    char *sql;
    uint64_t used_at;
    char name[24]; /* "" while not prepared */
};

struct pg_wire {
    struct pg_conn *handle;
    int64_t limit_ns; /* of the running statement, on our clock; 0: none */
    size_t n_copy_columns;
    size_t copy_unsent_bytes; /* given to libpq since it was last made to send */
    bool is_copy_over;        /* the server ended the running COPY by itself */
    bool is_copy_of_values;   /* the running COPY has the binary form */
    bool
        is_copy_ending; /* see db_copy_end_soon: the result of the last COPY has not been looked at */
    char *copy_line;    /* grows to the longest line of the running COPY */
    size_t copy_line_size;
    struct arena arena; /* of the statement being sent */
    struct pg_prepared prepared[PG_PREPARED_MAX];
    uint64_t prepared_tick;
    bool was_single_row; /* the last statement was read row by row */
    bool is_plan_stale;  /* the last failure asks to forget prepared statements and try again */
};

/* An open result. libpq ends every value with a NUL, and so does db_pg_copy_out.c. */
struct pg_rows {
    struct pg_result
        *row; /* holds the current row, or the first one waiting to be current; NULL: none */
    int at;   /* the current row in it */
    int n_buffered;
    bool is_buffered; /* row is the whole result; otherwise it holds one */
    bool is_first_waiting;
    bool is_over;  /* nothing is left on the wire */
    char *scratch; /* decoded bytes of the current row */

    bool is_copy; /* rows come out of a COPY, and these hold the current one: */
    char *line;   /* libpq's; NULL: none */
    struct str *fields;
    size_t n_fields;
    size_t max_fields;
};

/* What the back end of Redshift is made of, too. */
enum status pg_check_options(const struct db_options *options, struct err *err) NODISCARD;
enum status pg_connect(struct db *db, const char *url, int version_min, const char *session,
                       struct err *err) NODISCARD;
void pg_disconnect(struct db *db);
bool pg_is_alive(struct db *db, int64_t idle_ns);
enum status pg_exec(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    int64_t *ret_changed, struct err *err) NODISCARD;
enum status pg_exec_script(struct db *db, const char *sql, struct err *err) NODISCARD;
void pg_rollback(struct db *db);

/* Describes a failed result (NULL: the connection's own failure) and frees it. */
enum status pg_fail(struct db *db, struct pg_result *result, struct err *err);

/* The same, and reads to the end of its statement; the connection is broken when that fails. */
enum status pg_fail_and_drain(struct db *db, struct pg_result *result, struct err *err);

/*
 * Waits until a result can be taken without blocking, then takes it (NULL: the statement is over).
 * Fails when stopped, out of time or disconnected; the connection is then broken.
 */
enum status pg_take(struct db *db, struct pg_result **ret, struct err *err) NODISCARD;

/* Reads to the end of the running statement; the first failure found is returned. */
enum status pg_drain(struct db *db, struct err *err) NODISCARD;

/* Waits until the socket can be read or written (as asked), looking at the stop word. */
enum status pg_wait(struct db *db, bool for_write, struct err *err) NODISCARD;
enum status pg_flush(struct db *db, struct err *err) NODISCARD;

/* Starts the clock, sends one statement and flushes. Runs it prepared when that is worth it and may_prepare. */
enum status pg_send(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                    bool may_prepare, struct err *err) NODISCARD;

/* Sends a COPY statement; wanted is how it has to begin: PGRES_COPY_IN or PGRES_COPY_OUT. */
enum status pg_start_copy(struct db *db, const char *sql, int wanted, struct err *err) NODISCARD;

/* The middle part of pg_send: hands one statement to libpq; name NULL: as text. */
enum status pg_submit(struct db *db, const struct db_statement *statement, const char *name,
                      struct err *err) NODISCARD;
enum status pg_start(struct db *db, struct err *err) NODISCARD; /* the clock; fails when stopped */

/*
 * The name under which sql is prepared on this connection; NULL: send it as text. One round trip when sql comes
 * for the second time, none otherwise. Only outside transactions, where a statement that the server has
 * forgotten can be sent again as text: see pg_prepared_forget.
 */
const char *pg_prepared_name(struct db *db, const char *sql);

/* After a failure: true when it came from a prepared statement that is no longer good; all are forgotten. */
bool pg_prepared_forget(struct db *db);
void pg_prepared_clear(struct pg_wire *wire);

enum status pg_wait_notify(struct db *db, unsigned wait_ms, bool *ret_heard, struct err *err)
    NODISCARD;

enum status pg_query_batch(struct db *db, const struct db_statement *statements, size_t n,
                           void **ret_impls, struct err *err) NODISCARD;

/* A whole result as rows; takes result, also on failure. */
enum status pg_rows_of(struct pg_result *result, void **ret_impl, struct err *err) NODISCARD;
void pg_rows_free(void *impl); /* accepts NULL */

/*
 * Asks the server to abandon what db runs, on a thread of its own: by pg_cancel_backend over an idle connection of the
 * pool, else by PQcancel, which could block for long and is never encrypted.
 */
void pg_cancel(struct db *db);

enum status pg_query(struct db *db, const char *sql, const struct db_param *params, size_t n_params,
                     void **ret_impl, struct err *err) NODISCARD;
enum status pg_row_next(struct rows *rows, bool *ret_has_row, struct err *err) NODISCARD;
void pg_rows_clear(struct rows *rows);
size_t pg_held(const struct rows *rows);
size_t pg_width(const struct rows *rows);
bool pg_is_null(const struct rows *rows, size_t column);
struct str pg_text(const struct rows *rows, size_t column);
void pg_texts(const struct rows *rows, size_t n, struct str *ret);
unsigned pg_type(const struct rows *rows, size_t column); /* its OID; not of query_stream's */
int64_t pg_i64(const struct rows *rows, size_t column);
double pg_f64(const struct rows *rows, size_t column);
bool pg_boolean(const struct rows *rows, size_t column);
struct str pg_bytes(const struct rows *rows, size_t column);

/* The same query through COPY TO STDOUT: parameters become literals. */
enum status pg_query_stream(struct db *db, const char *sql, const struct db_param *params,
                            size_t n_params, void **ret_impl, struct err *err) NODISCARD;
enum status pg_copy_out_next(struct db *db, struct pg_rows *rows, struct err *err) NODISCARD;
enum status pg_copy_csv(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, db_line_fn *line, void *cls, struct err *err) NODISCARD;

enum status pg_copy_begin(struct db *db, const char *table, const char *const *columns,
                          size_t n_columns, struct err *err) NODISCARD;
enum status pg_copy_row(struct db *db, const struct str *fields, struct err *err) NODISCARD;
enum status pg_copy_end(struct db *db, struct err *err) NODISCARD;
enum status pg_copy_end_soon(struct db *db, struct err *err) NODISCARD;
void pg_copy_abort(struct db *db);
/* Waits for a COPY that ends soon; before anything else is sent. */
enum status pg_copy_settle(struct db *db, struct err *err) NODISCARD;

enum status pg_copy_values_begin(struct db *db, const char *table, const char *const *columns,
                                 size_t n_columns, struct err *err) NODISCARD;
enum status pg_copy_values(struct db *db, const union db_value *values, struct err *err) NODISCARD;

enum status pg_copy_line_room(struct db *db, size_t bytes, struct err *err)
    NODISCARD; /* in copy_line */

/* The parts of both that db_pg_copy_relay.c joins. form: what follows STDIN or the SELECT. */
enum status pg_copy_in_start(struct db *db, const char *table, const char *const *columns,
                             size_t n_columns, const char *form, struct err *err) NODISCARD;
enum status pg_copy_in_put(struct db *db, const char *bytes, size_t n, struct err *err) NODISCARD;
enum status pg_copy_in_finish(struct db *db, const char *abort_reason, int64_t *ret_rows,
                              struct err *err) NODISCARD; /* ret_rows may be NULL */
enum status pg_copy_out_start(struct db *db, const char *sql, const struct db_param *params,
                              size_t n_params, const char *form, struct err *err) NODISCARD;
/* One message: libpq's, or NULL at the end, when the server has said how it went. */
enum status pg_copy_out_take(struct db *db, char **ret_line, size_t *ret_len, struct err *err)
    NODISCARD;
enum status pg_copy_relay(struct db *to, const char *table, const char *const *columns,
                          size_t n_columns, struct db *from, const char *sql, int64_t *ret_rows,
                          struct err *err) NODISCARD;

#endif
