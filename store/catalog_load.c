/*
 * catalog_load.c - reads which marts there are, and whether that has changed. Here and in catalog_mart.c the two databases
 * are asked about their schemas; everything above works with the snapshot.
 */
#include "store/catalog.h"

#include "store/catalog_impl.h"
#include "store/statements.h"

enum { MARTS_MAX = 1000 };

#define PG_RELATIONS                                                                                    \
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() " \
    "AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND left(c.relname::text, 5) = 'mart_' "                \
    "AND c.relname <> 'mart_generation' AND has_table_privilege(c.oid, 'SELECT')"

/* Rows as of the last ANALYZE or VACUUM, -1 without one; views have none. */
#define PG_ESTIMATE \
    "CASE WHEN c.relkind IN ('r', 'p', 'm', 'f') THEN c.reltuples::bigint ELSE -1 END"

#define SQLITE_RELATIONS                                                                   \
    "FROM sqlite_master WHERE type IN ('table', 'view') AND substr(name, 1, 5) = 'mart_' " \
    "AND name <> 'mart_generation'"

/* Asked differently of the two back ends; indexed by enum db_kind. */
static const char *const stmt_catalog_relations[] = {
    [DB_SQLITE] = "SELECT name, '', -1 " SQLITE_RELATIONS " ORDER BY name LIMIT 1001",
    [DB_POSTGRESQL] =
        "SELECT c.relname, COALESCE(obj_description(c.oid, 'pg_class'), ''), " PG_ESTIMATE
        " " PG_RELATIONS " ORDER BY c.relname::text COLLATE \"C\" LIMIT 1001",
};

/* newest generation, oldest one, digest of the schema and of what else is served with it, to a power of ten its size */
static const char *const stmt_catalog_state[] = {
    [DB_SQLITE] = "SELECT (SELECT COALESCE(max(generation), 0) FROM publication), "
                  "(SELECT COALESCE(min(generation), 0) FROM publication), "
                  "(SELECT schema_version FROM pragma_schema_version) || '.' || "
                  "(SELECT count(*) FROM schema_migration) || '.' || "
                  "(SELECT COALESCE(group_concat(mart || next_due_at), '') FROM mart_generation)",
    [DB_POSTGRESQL] =
        "SELECT (SELECT COALESCE(max(generation), 0) FROM publication), "
        "(SELECT COALESCE(min(generation), 0) FROM publication), "
        "md5((SELECT COALESCE(string_agg(concat_ws('.', r.relname, a.attname, a.atttypid, a.atttypmod, a.attnotnull, "
        "col_description(r.oid, a.attnum)), ',' ORDER BY r.relname, a.attnum), '') "
        "FROM (SELECT c.oid, c.relname " PG_RELATIONS ") r "
        "JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped)) || '.' || "
        "md5((SELECT COALESCE(string_agg(concat_ws('.', c.relname, obj_description(c.oid, 'pg_class'), "
        "length((" PG_ESTIMATE ")::text)), ',' "
        "ORDER BY c.relname), '') " PG_RELATIONS ")) || '.' || "
        "(SELECT count(*) FROM schema_migration) || '.' || "
        "md5((SELECT COALESCE(string_agg(concat_ws('.', mart, next_due_at), ',' ORDER BY mart), '') "
        "FROM mart_generation))",
};

struct state {
    int64_t newest, oldest;
    struct str shape; /* in the arena */
};

static enum status read_state(struct db *db, struct arena *arena, struct state *ret,
                              struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(db, stmt_catalog_state[db_kind(db)], NO_PARAMS, &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    if (!found)
        return err_set(err, STATUS_INTERNAL, "The database did not describe its state.");
    *ret = (struct state){rows_i64(&rows, 0), rows_i64(&rows, 1),
                          catalog_keep(arena, rows_text(&rows, 2))};
    return ret->shape.ptr == NULL ? catalog_no_memory(err) : STATUS_OK;
}

static enum status read_relations(struct db *db, struct catalog_box *box, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct catalog *catalog = &box->catalog;
    catalog->marts = arena_array(&box->arena, MARTS_MAX, sizeof *catalog->marts);
    if (catalog->marts == NULL)
        return catalog_no_memory(err);
    enum status s = db_query(db, stmt_catalog_relations[db_kind(db)], NO_PARAMS, &rows, err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (catalog->n_marts == MARTS_MAX)
            return err_set(err, STATUS_TOO_LARGE, "The database has more than %d marts.",
                           (int)MARTS_MAX);
        struct mart *mart = &catalog->marts[catalog->n_marts++];
        mart->name = catalog_keep(&box->arena, rows_text(&rows, 0));
        mart->description = catalog_keep(&box->arena, rows_text(&rows, 1));
        if (mart->name.ptr == NULL || mart->description.ptr == NULL)
            return catalog_no_memory(err);
        mart->title = mart->name;
        mart->grain = mart->as_of = STR("");
        mart->source_table = mart->name;
        mart->n_rows = -1;
        mart->n_rows_estimated = rows_i64(&rows, 2);
        mart->time_column = -1;
    }
    return s;
}

static uint64_t fingerprint(struct str shape, int64_t generation)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (size_t i = 0; i < shape.len; i++)
        hash = (hash ^ (unsigned char)shape.ptr[i]) * 0x100000001b3u;
    for (unsigned shift = 0; shift < 64; shift += 8)
        hash = (hash ^ ((uint64_t)generation >> shift & 0xff)) * 0x100000001b3u;
    return hash;
}

static enum status fill_catalog(struct db *db, struct catalog_box *box, struct err *err)
{
    struct catalog *catalog = &box->catalog;
    struct state state = {0};
    enum status s = read_state(db, &box->arena, &state, err);
    if (s == STATUS_OK)
        s = read_relations(db, box, err);
    size_t n_served = 0;
    for (size_t i = 0; i < catalog->n_marts && s == STATUS_OK; i++) {
        struct mart mart = catalog->marts[i];
        s = catalog_fill_mart(db, &mart, &box->arena, err);
        /* A foreign view may be broken by what it reads from; that one is left out, the others are served. */
        if (s == STATUS_DB_ERROR && !mart.is_managed && db_kind(db) == DB_SQLITE) {
            s = STATUS_OK;
            continue;
        }
        if (s == STATUS_OK && mart.n_columns > 0)
            catalog->marts[n_served++] = mart;
    }
    catalog->n_marts = n_served;
    if (s != STATUS_OK)
        return s;
    catalog->generation = state.newest;
    catalog->oldest_generation = state.oldest;
    box->shape = state.shape;
    catalog->fingerprint = fingerprint(state.shape, state.newest);
    return s;
}

enum status catalog_load(struct db *db, struct catalog **ret_catalog, struct err *err)
{
    struct catalog_box *box = catalog_box_new();
    if (box == NULL)
        return catalog_no_memory(err);
    enum status s = db_begin(db, err);
    if (s == STATUS_OK)
        s = fill_catalog(db, box, err);
    db_rollback(db);
    if (s != STATUS_OK) {
        catalog_unref(&box->catalog);
        return s;
    }
    *ret_catalog = &box->catalog;
    return STATUS_OK;
}

enum status catalog_is_stale(struct db *db, const struct catalog *catalog, bool *ret_is_stale,
                             struct err *err)
{
    const struct catalog_box *box = (const struct catalog_box *)(const void *)catalog;
    CLEANUP(arena_clear) struct arena arena;
    arena_init(&arena, 128 * 1024);
    struct state state = {0};
    enum status s = read_state(db, &arena, &state, err);
    if (s == STATUS_OK)
        *ret_is_stale = state.newest != catalog->generation ||
                        state.oldest != catalog->oldest_generation ||
                        !str_eq(state.shape, box->shape);
    return s;
}

const struct statement catalog_statements[] = {
    STATEMENT_PAIR(stmt_catalog_relations),
    STATEMENT_PAIR(stmt_catalog_state),
    STATEMENTS_END,
};
