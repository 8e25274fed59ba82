/*
 * db_impl.h - what db.c and the two back ends share. Included by db.c, db_sqlite.c and db_pg*.c, and by
 * generation.c for the pin; nobody else looks inside a connection.
 */
#ifndef STORE_DB_IMPL_H
#define STORE_DB_IMPL_H

#include "store/db.h"

#include "base/lock.h"

/* Writers wait this long for another writer before DB_CONFLICT. */
enum { DB_WRITER_WAIT_MS = 30000 };

struct db {
    struct db_pool *pool;
    const struct db_backend *backend;
    const struct db_options *options; /* the pool's copy */
    void *conn;                       /* the back end's own */
    enum db_mode mode;
    const struct stop *stop;
    bool is_broken; /* discarded on release */
    bool in_transaction;
    unsigned n_rows;       /* open results */
    unsigned statement_ms; /* see db_limit */
    char comment[DB_COMMENT_BYTES];
    atomic_int_fast64_t *waited_ns; /* see db_meter; NULL: nobody asks */
    bool is_copying;
    const struct db_column *copy_columns; /* of db_copy_values_begin */
    size_t n_copy_columns;
    int64_t n_copied;          /* rows since it was borrowed */
    int64_t copy_bad_row;      /* see db_copy_bad_row */
    struct db_bulk_load *bulk; /* of Redshift: rows that wait; NULL: none */
    char bulk_table[64];
    int64_t pinned_generation; /* -1: none; see generation.h */
    int64_t newest_seen;       /* generation that this server is known to have; see mart_read.c */
    int64_t idle_since_ns;
    struct db *next_idle;
};

struct db_replicas;

struct db_backend {
    enum db_kind kind;
    enum status (*check_options)(const struct db_options *options, struct err *err);
    enum status (*connect)(struct db *db, struct err *err); /* sets db->conn */
    void (*disconnect)(struct db *db);
    enum status (*set_mode)(struct db *db, enum db_mode mode, struct err *err);
    bool (*is_alive)(struct db *db, int64_t idle_ns); /* cheap; false: discard */

    enum status (*exec)(struct db *db, const char *sql, const struct db_param *params,
                        size_t n_params, int64_t *ret_changed, struct err *err);
    enum status (*exec_script)(struct db *db, const char *sql, struct err *err);
    enum status (*query)(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, void **ret_impl, struct err *err);
    enum status (*query_batch)(struct db *db, const struct db_statement *statements, size_t n,
                               void **ret_impls, struct err *err); /* NULL: not offered */
    enum status (*query_stream)(struct db *db, const char *sql, const struct db_param *params,
                                size_t n_params, void **ret_impl, struct err *err);
    enum status (*copy_csv)(struct db *db, const char *sql, const struct db_param *params,
                            size_t n_params, db_line_fn *line, void *cls,
                            struct err *err); /* NULL: not offered */
    enum status (*wait_notify)(struct db *db, unsigned wait_ms, bool *ret_heard,
                               struct err *err); /* NULL: nothing is ever notified */
    void (*rollback)(struct db *db); /* never stopped; marks the connection broken when it fails */

    enum status (*row_next)(struct rows *rows, bool *ret_has_row, struct err *err);
    void (*rows_clear)(struct rows *rows);
    size_t (*held)(const struct rows *rows); /* of query_batch's; NULL without it */
    size_t (*width)(const struct rows *rows);
    bool (*is_null)(const struct rows *rows, size_t column);
    struct str (*text)(const struct rows *rows, size_t column);
    void (*texts)(const struct rows *rows, size_t n, struct str *ret); /* NULL: not offered */
    int64_t (*i64)(const struct rows *rows, size_t column);
    double (*f64)(const struct rows *rows, size_t column);
    bool (*boolean)(const struct rows *rows, size_t column);
    struct str (*bytes)(const struct rows *rows, size_t column);

    enum status (*copy_begin)(struct db *db, const char *table, const char *const *columns,
                              size_t n_columns, struct err *err);
    enum status (*copy_row)(struct db *db, const struct str *fields, struct err *err);
    /* NULL, both: rows come as text. */
    enum status (*copy_values_begin)(struct db *db, const char *table, const char *const *columns,
                                     size_t n_columns, struct err *err);
    enum status (*copy_values)(struct db *db, const union db_value *values, struct err *err);
    enum status (*copy_end)(struct db *db, struct err *err);
    enum status (*copy_end_soon)(struct db *db, struct err *err); /* NULL: copy_end */
    void (*copy_abort)(struct db *db);
    enum status (*copy_relay)(struct db *to, const char *table, const char *const *columns,
                              size_t n_columns, struct db *from, const char *sql, int64_t *ret_rows,
                              struct err *err); /* from one's own kind; NULL: not offered */
};

/*
 * For cancelling a statement on a thread of its own. hold: db_pool_close waits until it is let go; counts the cancel
 * by why db was stopped. spare: an idle connection that db_release gives back, or NULL.
 */
void db_pool_hold(struct db *db);
void db_pool_let_go(struct db_pool *pool);
struct db *db_pool_spare(struct db_pool *pool);

/* db_replica.c: pools of their own for options->read_urls; and a connection of one, NULL when none has any. */
enum status db_replicas_open(const struct db_options *options, struct db_pool *primary,
                             struct db_replicas **ret, struct err *err) NODISCARD;
void db_replicas_close(struct db_replicas *replicas); /* accepts NULL */
struct db *db_replicas_acquire(struct db_replicas *replicas, const struct stop *stop);
void db_replicas_add_stats(struct db_replicas *replicas, struct db_stats *stats);
enum status db_pool_open_for(const struct db_options *options, struct db_pool *primary,
                             struct db_pool **ret_pool, struct err *err) NODISCARD;
struct db_pool *db_pool_primary(const struct db_pool *pool); /* NULL: it is one */

/* What a connection of this pool needs to connect; for one that the pool does not count. */
void db_pool_describe(struct db_pool *pool, struct db *ret);

extern const struct db_backend db_backend_sqlite;
extern const struct db_backend db_backend_pg;
extern const struct db_backend db_backend_redshift;

#endif
