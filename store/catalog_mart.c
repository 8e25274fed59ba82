/* catalog_mart.c - reads one mart: its columns, its key, what is said about it, and the generations that are kept. */
#include "store/catalog_impl.h"
#include "store/statements.h"

#include <string.h>

enum { COLUMNS_MAX = 1600, VERSIONS_MAX = 101 };

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

static const char stmt_catalog_meta[] =
    "SELECT m.title, m.description, m.grain, m.key_columns, m.time_column, m.source_table, "
    "g.generation, g.published_at, g.n_rows, g.as_of, g.next_due_at "
    "FROM meta_mart m LEFT JOIN mart_generation g ON g.mart = m.mart WHERE m.mart = $1";
static const char stmt_catalog_versions[] =
    "SELECT generation, as_of, published_at FROM publication_mart WHERE mart = $1 ORDER BY generation DESC LIMIT 101";
static const char stmt_catalog_column_notes[] =
    "SELECT column_name, unit, description FROM meta_column WHERE mart = $1 LIMIT 1600";

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
            .name = catalog_keep(arena, rows_text(&rows, 0)),
            .type = catalog_keep(arena, rows_text(&rows, 1)),
            .is_nullable = rows_i64(&rows, 2) == 0,
            .is_indexed = rows_i64(&rows, 5) != 0,
            .unit = STR(""),
            .description = catalog_keep(arena, rows_text(&rows, 4)),
        };
        if (column->name.ptr == NULL || column->type.ptr == NULL || column->description.ptr == NULL)
            return catalog_no_memory(err);
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
        mart->columns[i].unit = catalog_keep(arena, rows_text(&rows, 1));
        mart->columns[i].description = catalog_keep(arena, rows_text(&rows, 2));
        if (mart->columns[i].unit.ptr == NULL || mart->columns[i].description.ptr == NULL)
            return catalog_no_memory(err);
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
    mart->title = catalog_keep(arena, rows_text(&rows, 0));
    mart->description = catalog_keep(arena, rows_text(&rows, 1));
    mart->grain = catalog_keep(arena, rows_text(&rows, 2));
    mart->source_table = catalog_keep(arena, rows_text(&rows, 5));
    mart->as_of = catalog_keep(arena, rows_text(&rows, 9));
    mart->generation = rows_i64(&rows, 6);
    mart->n_rows = rows_i64(&rows, 8);
    if (!rows_instant(&rows, 7, &mart->published_at))
        mart->published_at = 0;
    if (!rows_instant(&rows, 10, &mart->next_due_at))
        mart->next_due_at = 0;
    ret->key_columns = catalog_keep(arena, rows_text(&rows, 3));
    ret->time_column = rows_is_null(&rows, 4) ? STR_NONE : catalog_keep(arena, rows_text(&rows, 4));
    bool is_kept = mart->title.ptr != NULL && mart->description.ptr != NULL &&
                   mart->grain.ptr != NULL && mart->source_table.ptr != NULL &&
                   mart->as_of.ptr != NULL && ret->key_columns.ptr != NULL;
    return is_kept ? STATUS_OK : catalog_no_memory(err);
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
            (struct mart_version){rows_i64(&rows, 0), catalog_keep(arena, rows_text(&rows, 1)), 0};
        if (!rows_instant(&rows, 2, &newest_first[n].published_at))
            newest_first[n].published_at = 0;
        if (newest_first[n++].as_of.ptr == NULL)
            return catalog_no_memory(err);
    }
    if (s != STATUS_OK)
        return s;
    mart->versions = arena_array(arena, n, sizeof *mart->versions);
    if (mart->versions == NULL)
        return catalog_no_memory(err);
    for (size_t i = 0; i < n; i++)
        mart->versions[i] = newest_first[n - 1 - i];
    mart->n_versions = n;
    return STATUS_OK;
}

enum status catalog_fill_mart(struct db *db, struct mart *mart, struct arena *arena,
                              struct err *err)
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
        return catalog_no_memory(err);
    s = read_columns(db, mart, arena, places, err);
    if (s != STATUS_OK)
        return s;
    struct mart_column *columns = arena_array(arena, mart->n_columns, sizeof *columns);
    mart->key = arena_array(arena, mart->n_columns, sizeof *mart->key);
    if (columns == NULL || mart->key == NULL)
        return catalog_no_memory(err);
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

const struct statement catalog_mart_statements[] = {
    STATEMENT_PAIR(stmt_catalog_columns),
    STATEMENT(stmt_catalog_meta),
    STATEMENT(stmt_catalog_column_notes),
    STATEMENT(stmt_catalog_versions),
    STATEMENTS_END,
};
