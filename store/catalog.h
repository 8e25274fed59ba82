/*
 * catalog.h - what marts there are, read from the database: nothing about a mart is compiled in.
 *
 * A catalog is an immutable snapshot, counted by references and swapped as a whole; any thread may read
 * one it holds. Marts of ours are *managed*: their rows carry the generations in which they hold, in the
 * table gen_<name>, and mart_<name> is a view of the current generation. Any other table or view named
 * mart_* is served too, *unmanaged*: without generations, its pages are not pinned and its validators
 * come from its content.
 */
#ifndef STORE_CATALOG_H
#define STORE_CATALOG_H

#include "store/db.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_INT,
    COLUMN_DECIMAL, /* exact; text in transit, never through a double */
    COLUMN_FLOAT,
    COLUMN_BOOL,
    COLUMN_DATE,
    COLUMN_INSTANT,
    COLUMN_OTHER /* served as the database's text; only eq, neq, in, is */
};

struct mart_column {
    struct str name;
    struct str type; /* the database's own spelling */
    struct str
        source; /* the column of source_table when that has another name; ptr NULL: the same */
    enum column_kind kind;
    bool is_nullable;
    bool is_indexed;        /* leads an index, so that comparing it does not read the whole mart */
    bool is_key;            /* part of the row's key, in key order among columns */
    struct str unit;        /* "" when unknown */
    struct str description; /* "" when unknown */
};

/* The rows of a mart from one publish that changed it until the next: one of mart->versions. */
struct mart_version {
    int64_t
        generation; /* of the publish that made it: the version's name in tags, cursors and answers */
    struct str as_of;     /* last date in the time column, "" when unknown */
    int64_t published_at; /* seconds since 1970; 0 when unknown */
};

struct mart {
    struct str name; /* "mart_price_daily" */
    struct str title, description, grain;
    bool is_managed;
    bool
        is_internal; /* a table of ours that is answered like a mart: it has no generations either */
    struct str source_table; /* where rows are read: gen_price_daily, or the mart itself */
    struct mart_column *columns;
    size_t n_columns;
    size_t *key; /* indexes into columns, in key order; for an unmanaged mart without a
                                declared key: all columns */
    size_t n_key;
    int time_column;          /* index of the column that from/to/last speak of; -1 when none */
    int64_t generation;       /* last publish that changed it; 0 for unmanaged */
    int64_t n_rows;           /* -1 when unknown */
    int64_t n_rows_estimated; /* by PostgreSQL, when the catalogue was loaded; -1 when unknown */
    struct str as_of;         /* last date in the time column, "" when unknown */
    struct mart_version *versions; /* oldest first; those that a readable generation shows */
    size_t n_versions;             /* 0 for unmanaged, and before the first publish */
    int64_t published_at;          /* seconds since 1970; 0 when unknown */
    int64_t next_due_at; /* when its next publish is due, seconds since 1970; 0 when unknown */
};

struct catalog {
    struct mart *marts; /* sorted by name */
    size_t n_marts;
    int64_t generation;        /* newest publish of the whole store; 0 before the first */
    int64_t oldest_generation; /* oldest one still readable */
    uint64_t fingerprint;      /* changes when any mart's shape or generation changes */
};

/* Reads a fresh snapshot. The caller holds one reference. */
enum status catalog_load(struct db *db, struct catalog **ret_catalog, struct err *err) NODISCARD;

/* True when the database no longer matches catalog (cheap: one query). */
enum status catalog_is_stale(struct db *db, const struct catalog *catalog, bool *ret_is_stale,
                             struct err *err) NODISCARD;
struct catalog *catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog);
void catalog_unrefp(struct catalog **catalog);

const struct mart *catalog_mart(const struct catalog *catalog,
                                struct str name);                /* NULL when unknown */
int mart_column_index(const struct mart *mart, struct str name); /* -1 when unknown */
enum status catalog_unknown_mart(const struct catalog *catalog, struct str name, struct err *err);
enum status mart_unknown_column(const struct mart *mart, struct str name, const char *parameter,
                                struct err *err);

/*
 * The version of a managed mart that generation shows, and a generation to read it at that is still kept.
 * A version stays readable for as long as it is current, however old the publish that made it.
 * Errors: GENERATION_RETIRED; BAD_VALUE when generation has not been published yet.
 */
enum status catalog_resolve(const struct catalog *catalog, const struct mart *mart,
                            int64_t generation, const struct mart_version **ret_version,
                            int64_t *ret_read_at, struct err *err) NODISCARD;
const char *column_kind_json(enum column_kind kind); /* "string", "integer", "number", "boolean" */

/* The current snapshot, shared by threads; refreshed by one maintenance thread. */
struct catalog_cell;
struct catalog_cell *catalog_cell_new(void);
void catalog_cell_free(struct catalog_cell *cell);
struct catalog *
catalog_cell_get(struct catalog_cell *cell); /* a reference, or NULL before the first load */
void catalog_cell_set(struct catalog_cell *cell, struct catalog *catalog); /* takes the reference */
uint64_t
catalog_cell_fingerprint(struct catalog_cell *cell); /* without the lock; 0: no catalogue */

/* Loads if absent or stale; *ret_changed tells whether the cell was set. */
enum status catalog_cell_refresh(struct catalog_cell *cell, struct db_pool *pool, bool *ret_changed,
                                 struct err *err) NODISCARD;

#endif
