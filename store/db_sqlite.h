/* db_sqlite.h - what the parts of the SQLite back end share; only they include it. */
#ifndef STORE_DB_SQLITE_H
#define STORE_DB_SQLITE_H

#include "store/db_impl.h"

struct sqlite3;
struct sqlite3_stmt;

enum { SQLITE_CACHE_SLOTS = 24 };

struct sqlite_cached {
    struct sqlite3_stmt *stmt;
    uint64_t used_at;
    bool is_running;
    bool is_at_end; /* stepping again would start over */
};

struct sqlite_conn {
    struct sqlite3 *handle;
    int64_t deadline_ns; /* of the running statement; 0: none */
    uint64_t tick;
    struct sqlite_cached cache[SQLITE_CACHE_SLOTS];

    struct sqlite_cached *copy; /* the running bulk insert */
    size_t n_copy_columns;
    int64_t n_copied;
    bool copy_is_real[DB_COPY_COLUMNS_MAX]; /* bound as a double, converted by us */
};

/* Functions of our own on a new connection (db_sqlite_functions.c); an SQLite result code. */
int sqlite_add_functions(struct sqlite3 *handle);

enum status sqlite_fail(struct db *db, int rc, struct err *err);
enum status sqlite_prepare(struct db *db, const char *sql, struct sqlite_cached **ret,
                           struct err *err) NODISCARD;
void sqlite_finish(struct sqlite_cached *slot);
enum status sqlite_bind(struct db *db, struct sqlite3_stmt *stmt, const struct db_param *params,
                        size_t n_params, struct err *err) NODISCARD;

enum status sqlite_query(struct db *db, const char *sql, const struct db_param *params,
                         size_t n_params, void **ret_impl, struct err *err) NODISCARD;
enum status sqlite_row_next(struct rows *rows, bool *ret_has_row, struct err *err) NODISCARD;
void sqlite_rows_clear(struct rows *rows);
size_t sqlite_width(const struct rows *rows);
bool sqlite_is_null(const struct rows *rows, size_t column);
struct str sqlite_text(const struct rows *rows, size_t column);
int64_t sqlite_i64(const struct rows *rows, size_t column);
double sqlite_f64(const struct rows *rows, size_t column);
bool sqlite_boolean(const struct rows *rows, size_t column);
struct str sqlite_bytes(const struct rows *rows, size_t column);

enum status sqlite_copy_begin(struct db *db, const char *table, const char *const *columns,
                              size_t n_columns, struct err *err) NODISCARD;
enum status sqlite_copy_row(struct db *db, const struct str *fields, struct err *err) NODISCARD;
enum status sqlite_copy_values(struct db *db, const union db_value *values, struct err *err)
    NODISCARD;
enum status sqlite_copy_end(struct db *db, struct err *err) NODISCARD;
void sqlite_copy_abort(struct db *db);

#endif
