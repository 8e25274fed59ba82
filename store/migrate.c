/*
 * migrate.c - brings the database to this binary's schema. Called by cli/ before serving; each round of
 * migrate_up takes the writer lock, reads the state and applies at most one file, so that servers that
 * start together take turns.
 */
#include "store/migrate.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/digest.h"
#include "store/migrations_embedded.h"
#include "store/statements.h"

#include <string.h>

enum { SCRIPT_BYTES_MAX = 4 << 20 };

static const char stmt_create_state[] = "CREATE TABLE IF NOT EXISTS schema_migration ("
                                        "version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
                                        "checksum TEXT NOT NULL, applied_at TEXT NOT NULL)";
static const char stmt_state_exists_sqlite[] =
    "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'";
static const char stmt_state_exists_pg[] =
    "SELECT CASE WHEN to_regclass('schema_migration') IS NULL THEN 0 ELSE 1 END";
static const char stmt_state_exists_redshift[] =
    "SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_migration'";
static const char stmt_state_read[] =
    "SELECT version, name, checksum, applied_at FROM schema_migration "
    "ORDER BY version LIMIT 10000";
static const char stmt_state_add[] =
    "INSERT INTO schema_migration (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)";

static enum status state_exists(struct db *db, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    static const char *const sql_of[] = {[DB_SQLITE] = stmt_state_exists_sqlite,
                                         [DB_POSTGRESQL] = stmt_state_exists_pg,
                                         [DB_REDSHIFT] = stmt_state_exists_redshift};
    const char *sql = sql_of[db_kind(db)];
    enum status s = db_query_one(db, sql, NO_PARAMS, &rows, &found, err);
    if (s == STATUS_OK)
        *ret = found && rows_i64(&rows, 0) > 0;
    return s;
}

static void copy_text(char *to, size_t size, struct str from)
{
    size_t n = from.len < size - 1 ? from.len : size - 1;
    if (n > 0)
        memcpy(to, from.ptr, n);
    to[n] = '\0';
}

static enum status embedded_state(const struct migration_file *file, struct migration_state *ret,
                                  struct err *err)
{
    *ret = (struct migration_state){.version = file->version, .name = file->name};
    return digest_hex(str_of(file->sql), ret->checksum, err);
}

/* Marks the built-in migration that row records; a row without one means a newer binary was here. */
static enum status note_applied(const struct rows *row, struct migration_state *states, size_t n,
                                struct err *err)
{
    int64_t version = rows_i64(row, 0);
    for (size_t i = 0; i < n; i++) {
        if (states[i].version != version)
            continue;
        states[i].is_applied = true;
        states[i].is_changed = !str_eq_c(rows_text(row, 2), states[i].checksum);
        copy_text(states[i].applied_at, sizeof states[i].applied_at, rows_text(row, 3));
        return STATUS_OK;
    }
    struct str name = rows_text(row, 1);
    return err_set(
        err, STATUS_DB_ERROR,
        "The database holds migration %.*s, which this version of the server does not have: "
        "it was changed by a newer one.",
        STR_ARG(name));
}

/* states[set->n] are the built-in migrations, oldest first. */
static enum status read_states(struct db *db, const struct migration_set *set,
                               struct migration_state *states, struct err *err)
{
    for (size_t i = 0; i < set->n; i++) {
        enum status s = embedded_state(&set->files[i], &states[i], err);
        if (s != STATUS_OK)
            return s;
    }
    bool exists = false;
    enum status s = state_exists(db, &exists, err);
    if (s != STATUS_OK || !exists)
        return s;
    CLEANUP(rows_clear) struct rows rows = {0};
    s = db_query(db, stmt_state_read, NO_PARAMS, &rows, err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = note_applied(&rows, states, set->n, err);
    return s;
}

static enum status refuse_changed(const struct migration_state *states, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++)
        if (states[i].is_changed)
            return err_set(
                err, STATUS_DB_ERROR,
                "Migration %s was applied on %s with another content than this server's.",
                states[i].name, states[i].applied_at);
    return STATUS_OK;
}

static enum status apply(struct db *db, const struct migration_file *file,
                         const struct migration_state *state, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf script;
    arena_init(&arena, (size_t)4 * SCRIPT_BYTES_MAX);
    buf_init(&script, &arena, SCRIPT_BYTES_MAX);
    enum status s = migrate_render(file, migrate_dialect(db_kind(db)), &script, err);
    if (s != STATUS_OK)
        return s;
    const char *sql = buf_c_str(&script);
    if (sql == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while preparing migration %s.",
                       file->name);
    s = db_exec_script(db, sql, err);
    if (s != STATUS_OK)
        return s;
    char now[INSTANT_TEXT_BYTES];
    instant_format(clock_wall_s(), now);
    return db_exec(db, stmt_state_add,
                   PARAMS(db_i64(file->version), db_text(str_of(file->name)),
                          db_text(str_of(state->checksum)), db_text(str_of(now))),
                   NULL, err);
}

/* One transaction; *ret_applied false when nothing was left to do. */
static enum status apply_next(struct db *db, const struct migration_set *set,
                              struct migration_state *states, bool *ret_applied, struct err *err)
{
    size_t n = set->n;
    enum status s = db_lock_writers(db, err);
    if (s == STATUS_OK)
        s = db_exec(db, stmt_create_state, NO_PARAMS, NULL, err);
    if (s == STATUS_OK)
        s = read_states(db, set, states, err);
    if (s == STATUS_OK)
        s = refuse_changed(states, n, err);
    if (s != STATUS_OK)
        return s;
    size_t next = 0;
    while (next < n && states[next].is_applied)
        next++;
    if (next < n)
        s = apply(db, &set->files[next], &states[next], err);
    if (s == STATUS_OK)
        s = db_commit(db, err);
    if (s == STATUS_OK)
        *ret_applied = next < n;
    return s;
}

enum status migrate_up(struct db_pool *pool, int *ret_applied, struct err *err)
{
    struct migration_set serving = {migrations_embedded, migrations_embedded_count};
    return migrate_up_set(pool, &serving, ret_applied, err);
}

enum status migrate_up_set(struct db_pool *pool, const struct migration_set *set, int *ret_applied,
                           struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, sizeof(struct migration_state) * (set->n + 1) + 64 * 1024);
    struct migration_state *states = arena_array(&arena, set->n + 1, sizeof *states);
    if (states == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while migrating.");
    enum status s = db_acquire(pool, DB_WRITE, NULL, &db, err);
    int applied = 0;
    bool more = true;
    while (s == STATUS_OK && more) {
        s = db_begin(db, err);
        if (s == STATUS_OK)
            s = apply_next(db, set, states, &more, err);
        if (s == STATUS_OK && more)
            applied++;
    }
    if (s != STATUS_OK)
        return s;
    *ret_applied = applied;
    return STATUS_OK;
}

enum status migrate_status(struct db_pool *pool, struct migration_state *ret_states, size_t max,
                           size_t *ret_n, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    CLEANUP(arena_clear) struct arena arena;
    struct migration_set serving = {migrations_embedded, migrations_embedded_count};
    size_t n = serving.n;
    arena_init(&arena, sizeof(struct migration_state) * (n + 1) + 64 * 1024);
    struct migration_state *states = arena_array(&arena, n + 1, sizeof *states);
    if (states == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY,
                       "Out of memory while reading the schema's state.");
    enum status s = db_acquire(pool, DB_READ, NULL, &db, err);
    if (s == STATUS_OK)
        s = read_states(db, &serving, states, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < n && i < max; i++)
        ret_states[i] = states[i];
    *ret_n = n;
    return STATUS_OK;
}

const struct statement migrate_statements[] = {
    STATEMENT_FOR(DB_SQLITE, stmt_state_exists_sqlite),
    STATEMENT_FOR(DB_POSTGRESQL, stmt_state_exists_pg),
    STATEMENT_FOR(DB_REDSHIFT, stmt_state_exists_redshift),
    STATEMENT(stmt_state_read),
    STATEMENT(stmt_state_add),
    STATEMENTS_END,
};
