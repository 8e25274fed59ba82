/*
 * migrate.h - numbered, forward-only, checksummed migrations, built into the binary.
 * Each runs in one transaction with its row in schema_migration. Two servers that start at once are
 * safe: the writer lock is taken before the state is read. An applied file whose checksum differs from
 * the built-in one, or a database newer than this binary, is STATUS_DB_ERROR with a sentence naming it.
 */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include "base/arena.h"
#include "store/db.h"
#include "store/migrations_embedded.h"

struct migration_state {
    int version;
    const char *name;
    bool is_applied;
    bool is_changed;     /* applied, but the recorded checksum differs from the built-in file */
    char checksum[65];   /* SHA-256 of the built-in text, hexadecimal */
    char applied_at[24]; /* RFC 3339, empty when pending */
};

enum status migrate_up(struct db_pool *pool, int *ret_applied, struct err *err) NODISCARD;

/* The same with the migrations of another database than the serving one (ingest/warehouse.h). */
struct migration_set {
    const struct migration_file *files; /* oldest first */
    size_t n;
};
enum status migrate_up_set(struct db_pool *pool, const struct migration_set *set, int *ret_applied,
                           struct err *err) NODISCARD;

/* Redshift speaks the protocol of PostgreSQL, and a dialect of its own. */
enum sql_dialect { SQL_SQLITE, SQL_POSTGRESQL, SQL_REDSHIFT };
enum sql_dialect migrate_dialect(enum db_kind kind);

/* The text of one file in a dialect; see migrations/README.md. INTERNAL for an unknown {{token}}. */
enum status migrate_render(const struct migration_file *file, enum sql_dialect dialect,
                           struct buf *out, struct err *err) NODISCARD;

/* Fills up to max states, oldest first; *ret_n is how many there are. Works on an empty database. */
enum status migrate_status(struct db_pool *pool, struct migration_state *ret_states, size_t max,
                           size_t *ret_n, struct err *err) NODISCARD;

#endif
