/*
 * catalog_load.c - reads which marts there are. The only place that asks the two databases about their
 * schemas; everything above works with the snapshot.
 */
#include "store/catalog.h"

#include "store/catalog_impl.h"
#include "store/statements.h"

#include <stdlib.h>
#include <string.h>

enum { MARTS_MAX = 1000, COLUMNS_MAX = 1600, VERSIONS_MAX = 101 };

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

/* name, type, is not null, place in the primary key (0: none), comment, whether it leads a whole index */
static const char *const stmt_catalog_columns[] = {
    [DB_SQLITE] =
        "SELECT name, type, \"notnull\", pk, '', CASE WHEN pk = 1 OR EXISTS (SELECT 1 FROM pragma_index_list($1) l, "
        "pragma_index_info(l.name) i WHERE l.partial = 0 AND i.seqno = 0 AND i.name = c.name) THEN 1 ELSE 0 END "
        "FROM pragma_table_xinfo($1) c WHERE hidden <> 1 ORDER BY cid LIMIT 1600",
    [DB_POSTGRESQL] =
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 1 ELSE 0 END, "
        "COALESCE(k.place, 0), COALESCE(col_description(a.attrelid, a.attnum), ''), "
        "CASE WHEN EXISTS (SELECT 1 FROM pg_index l WHERE l.indrelid = a.attrelid AND l.indkey[0] = a.attnum "
        "AND l.indpred IS NULL AND l.indisvalid) THEN 1 ELSE 0 END "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
        "LEFT JOIN (SELECT i.indrelid, u.attnum, u.place FROM pg_index i "
        "CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, place) WHERE i.indisprimary) k "
        "ON k.indrelid = a.attrelid AND k.attnum = a.attnum "
        "WHERE n.nspname = current_schema() AND c.relname = $1 AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum LIMIT 1600",
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

static const char stmt_catalog_meta[] =
    "SELECT m.title, m.description, m.grain, m.key_columns, m.time_column, m.source_table, "
    "g.generation, g.published_at, g.n_rows, g.as_of, g.next_due_at "
    "FROM meta_mart m LEFT JOIN mart_generation g ON g.mart = m.mart WHERE m.mart = $1";
static const char stmt_catalog_versions[] =
    "SELECT generation, as_of, published_at FROM publication_mart WHERE mart = $1 ORDER BY generation DESC LIMIT 101";
static const char stmt_catalog_column_notes[] =
    "SELECT column_name, unit, description FROM meta_column WHERE mart = $1 LIMIT 1600";

struct state {
    int64_t newest, oldest;
    struct str shape; /* in the arena */
};

/* A copy that lives as long as the catalog; ptr NULL when out of memory. */
static struct str keep(struct arena *arena, struct str s)
{
    return (struct str){arena_dup(arena, s), s.len};
}

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "Out of memory while reading the catalogue.");
}

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
    *ret = (struct state){rows_i64(&rows, 0), rows_i64(&rows, 1), keep(arena, rows_text(&rows, 2))};
    return ret->shape.ptr == NULL ? no_memory(err) : STATUS_OK;
}

/* Not part of a mart's shape: the columns of generations, and names that begin with an underscore. */
static bool is_hidden(const struct mart *mart, struct str name)
{
    return str_starts(name, STR("_")) ||
           (mart->is_managed && (str_eq(name, STR("gen_from")) || str_eq(name, STR("gen_to"))));
}

/* places[i] is column i's place in the primary key, from 1; 0: not in it. */
static enum status read_columns(struct db *db, struct mart *mart, struct arena *arena,
                                int64_t *places, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = db_query(db, stmt_catalog_columns[db_kind(db)],
                             PARAMS(db_text(mart->source_table)), &rows, err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (is_hidden(mart, rows_text(&rows, 0)))
            continue;
        struct mart_column *column = &mart->columns[mart->n_columns];
        *column = (struct mart_column){
            .name = keep(arena, rows_text(&rows, 0)),
            .type = keep(arena, rows_text(&rows, 1)),
            .is_nullable = rows_i64(&rows, 2) == 0,
            .is_indexed = rows_i64(&rows, 5) != 0,
            .unit = STR(""),
            .description = keep(arena, rows_text(&rows, 4)),
        };
        if (column->name.ptr == NULL || column->type.ptr == NULL || column->description.ptr == NULL)
            return no_memory(err);
        column->kind = catalog_column_kind(db_kind(db), column->type);
        places[mart->n_columns++] = rows_i64(&rows, 3);
    }
    return s;
}

static void add_key(struct mart *mart, int column)
{
    if (column < 0 || mart->columns[column].is_key)
        return;
    mart->columns[column].is_key = true;
    mart->key[mart->n_key++] = (size_t)column;
}

static void key_from_list(struct mart *mart, struct str list)
{
    struct str name;
    while (str_next_field(&list, ',', &name))
        add_key(mart, mart_column_index(mart, name));
}

/* The primary key, or every column when there is none. */
static void key_from_places(struct mart *mart, const int64_t *places)
{
    for (size_t place = 1; place <= mart->n_columns; place++)
        for (size_t i = 0; i < mart->n_columns; i++)
            if (places[i] == (int64_t)place)
                add_key(mart, (int)i);
    for (size_t i = 0; i < mart->n_columns && mart->n_key == 0; i++)
        mart->key[i] = i;
    if (mart->n_key == 0)
        mart->n_key = mart->n_columns;
}

static bool ends_with(struct str s, struct str end)
{
    return s.len >= end.len && str_eq(str_sub(s, s.len - end.len, s.len), end);
}

static int guess_time_column(const struct mart *mart)
{
    for (size_t i = 0; i < mart->n_columns; i++) {
        struct str name = mart->columns[i].name;
        if (mart->columns[i].kind == COLUMN_DATE &&
            (str_eq(name, STR("date")) || ends_with(name, STR("_date")) ||
             ends_with(name, STR("day"))))
            return (int)i;
    }
    return -1;
}

/* Units and descriptions; for an unmanaged mart the database's own comments are already there. */
static enum status read_notes(struct db *db, struct mart *mart, struct arena *arena,
                              struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query(db, stmt_catalog_column_notes, PARAMS(db_text(mart->name)), &rows, err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        int i = mart_column_index(mart, rows_text(&rows, 0));
        if (i < 0)
            continue;
        mart->columns[i].unit = keep(arena, rows_text(&rows, 1));
        mart->columns[i].description = keep(arena, rows_text(&rows, 2));
        if (mart->columns[i].unit.ptr == NULL || mart->columns[i].description.ptr == NULL)
            return no_memory(err);
    }
    return s;
}

struct meta {
    struct str key_columns, time_column;
};

/* Turns mart into a managed one when there is a row about it. */
static enum status read_meta(struct db *db, struct mart *mart, struct arena *arena,
                             struct meta *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(db, stmt_catalog_meta, PARAMS(db_text(mart->name)), &rows, &found, err);
    if (s != STATUS_OK || !found)
        return s;
    mart->is_managed = true;
    mart->title = keep(arena, rows_text(&rows, 0));
    mart->description = keep(arena, rows_text(&rows, 1));
    mart->grain = keep(arena, rows_text(&rows, 2));
    mart->source_table = keep(arena, rows_text(&rows, 5));
    mart->as_of = keep(arena, rows_text(&rows, 9));
    mart->generation = rows_i64(&rows, 6);
    mart->n_rows = rows_i64(&rows, 8);
    if (!rows_instant(&rows, 7, &mart->published_at))
        mart->published_at = 0;
    if (!rows_instant(&rows, 10, &mart->next_due_at))
        mart->next_due_at = 0;
    ret->key_columns = keep(arena, rows_text(&rows, 3));
    ret->time_column = rows_is_null(&rows, 4) ? STR_NONE : keep(arena, rows_text(&rows, 4));
    bool is_kept = mart->title.ptr != NULL && mart->description.ptr != NULL &&
                   mart->grain.ptr != NULL && mart->source_table.ptr != NULL &&
                   mart->as_of.ptr != NULL && ret->key_columns.ptr != NULL;
    return is_kept ? STATUS_OK : no_memory(err);
}

/* Newest first from the database, oldest first in the catalogue. At most the generations kept and one more. */
static enum status read_versions(struct db *db, struct mart *mart, struct arena *arena,
                                 struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct mart_version newest_first[VERSIONS_MAX];
    size_t n = 0;
    bool has_row = false;
    enum status s = db_query(db, stmt_catalog_versions, PARAMS(db_text(mart->name)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        newest_first[n] =
            (struct mart_version){rows_i64(&rows, 0), keep(arena, rows_text(&rows, 1)), 0};
        if (!rows_instant(&rows, 2, &newest_first[n].published_at))
            newest_first[n].published_at = 0;
        if (newest_first[n++].as_of.ptr == NULL)
            return no_memory(err);
    }
    if (s != STATUS_OK)
        return s;
    mart->versions = arena_array(arena, n, sizeof *mart->versions);
    if (mart->versions == NULL)
        return no_memory(err);
    for (size_t i = 0; i < n; i++)
        mart->versions[i] = newest_first[n - 1 - i];
    mart->n_versions = n;
    return STATUS_OK;
}

static enum status fill_mart(struct db *db, struct mart *mart, struct arena *arena, struct err *err)
{
    struct meta meta = {STR_NONE, STR_NONE};
    enum status s = read_meta(db, mart, arena, &meta, err);
    if (s == STATUS_OK && mart->is_managed)
        s = read_versions(db, mart, arena, err);
    if (s != STATUS_OK)
        return s;
    CLEANUP(arena_clear) struct arena scratch;
    arena_init(&scratch, 256 * 1024);
    int64_t *places = arena_array(&scratch, COLUMNS_MAX, sizeof *places);
    mart->columns = arena_array(&scratch, COLUMNS_MAX, sizeof *mart->columns);
    if (places == NULL || mart->columns == NULL)
        return no_memory(err);
    s = read_columns(db, mart, arena, places, err);
    if (s != STATUS_OK)
        return s;
    struct mart_column *columns = arena_array(arena, mart->n_columns, sizeof *columns);
    mart->key = arena_array(arena, mart->n_columns, sizeof *mart->key);
    if (columns == NULL || mart->key == NULL)
        return no_memory(err);
    if (mart->n_columns > 0)
        memcpy(columns, mart->columns, mart->n_columns * sizeof *columns);
    mart->columns = columns;
    if (mart->is_managed)
        key_from_list(mart, meta.key_columns);
    else
        key_from_places(mart, places);
    mart->time_column =
        mart->is_managed ? mart_column_index(mart, meta.time_column) : guess_time_column(mart);
    return read_notes(db, mart, arena, err);
}

static enum status read_relations(struct db *db, struct catalog_box *box, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct catalog *catalog = &box->catalog;
    catalog->marts = arena_array(&box->arena, MARTS_MAX, sizeof *catalog->marts);
    if (catalog->marts == NULL)
        return no_memory(err);
    enum status s = db_query(db, stmt_catalog_relations[db_kind(db)], NO_PARAMS, &rows, err);
    bool has_row = false;
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        if (catalog->n_marts == MARTS_MAX)
            return err_set(err, STATUS_TOO_LARGE, "The database has more than %d marts.",
                           (int)MARTS_MAX);
        struct mart *mart = &catalog->marts[catalog->n_marts++];
        mart->name = keep(&box->arena, rows_text(&rows, 0));
        mart->description = keep(&box->arena, rows_text(&rows, 1));
        if (mart->name.ptr == NULL || mart->description.ptr == NULL)
            return no_memory(err);
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
        s = fill_mart(db, &mart, &box->arena, err);
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
        return no_memory(err);
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
    STATEMENT_PAIR(stmt_catalog_columns),
    STATEMENT_PAIR(stmt_catalog_state),
    STATEMENT(stmt_catalog_meta),
    STATEMENT(stmt_catalog_column_notes),
    STATEMENT(stmt_catalog_versions),
    STATEMENTS_END,
};
