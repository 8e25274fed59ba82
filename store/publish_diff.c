/*
 * publish_diff.c - staging tables and the comparison with what the generation holds.
 * Every statement is driven by the staged rows, so a small publish into a large mart stays cheap; only
 * PUBLISH_REPLACE reads the mart, which it must. What is staged for a mart without rows needs no table of its own.
 */
#include "store/generation.h"
#include "store/mart_sql.h"
#include "store/publish_impl.h"

#include <stdio.h>

enum { FEW_OF_MART = 16 }; /* one row of so many */

/* Migration 0017: indexes that a mart of PostgreSQL leaves out as long as it holds no rows. */
static const char left_out_sql[] =
    "SELECT definition FROM meta_index "
    "WHERE source_table = $1 AND to_regclass(quote_ident(index_name)) IS NULL ORDER BY index_name";

/* Name of a mart's helper table: prefix and the mart's name without "mart_", quoted. */
static const char *quoted_name(struct publish *publish, const char *prefix, struct str name)
{
    struct buf plain, quoted;
    buf_init(&plain, &publish->arena, 256);
    buf_init(&quoted, &publish->arena, 512);
    buf_add_c(&plain, prefix);
    buf_add(&plain, name);
    sql_identifier(&quoted, buf_str(&plain));
    return plain.failed ? NULL : buf_c_str(&quoted);
}

const char *publish_column_list(struct publish *publish, const struct mart *mart,
                                const char *prefix)
{
    struct buf out;
    buf_init(&out, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    for (size_t i = 0; i < mart->n_columns; i++) {
        buf_add_c(&out, i > 0 ? ", " : "");
        buf_add_c(&out, prefix);
        sql_identifier(&out, mart->columns[i].name);
    }
    return buf_c_str(&out);
}

/* "a.k1 = b.k1 AND ..." over the key. NULL when out of memory. */
static const char *key_match(struct publish *publish, const struct mart *mart, const char *a,
                             const char *b)
{
    struct buf out;
    buf_init(&out, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    for (size_t i = 0; i < mart->n_key; i++) {
        struct str name = mart->columns[mart->key[i]].name;
        buf_printf(&out, "%s%s.", i > 0 ? " AND " : "", a);
        sql_identifier(&out, name);
        buf_printf(&out, " = %s.", b);
        sql_identifier(&out, name);
    }
    return buf_c_str(&out);
}

static const char *key_list(struct publish *publish, const struct mart *mart)
{
    struct buf out;
    buf_init(&out, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    for (size_t i = 0; i < mart->n_key; i++) {
        buf_add_c(&out, i > 0 ? ", " : "");
        sql_identifier(&out, mart->columns[mart->key[i]].name);
    }
    return buf_c_str(&out);
}

/* "s.c IS NOT DISTINCT FROM g.c AND ..." over the columns outside the key; "1 = 1" when there are none. */
static const char *same_values(struct publish *publish, const struct mart *mart)
{
    struct buf out;
    buf_init(&out, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    buf_add_c(&out, "1 = 1");
    for (size_t i = 0; i < mart->n_columns; i++) {
        if (mart->columns[i].is_key)
            continue;
        buf_add_c(&out, " AND g.");
        sql_identifier(&out, mart->columns[i].name);
        buf_add_c(&out, " IS NOT DISTINCT FROM s.");
        sql_identifier(&out, mart->columns[i].name);
    }
    return buf_c_str(&out);
}

static void add_definition(struct buf *out, const struct mart_column *column, enum db_kind kind)
{
    sql_identifier(out, column->name);
    buf_add_char(out, ' ');
    buf_add(out, column->type);
    if (kind == DB_POSTGRESQL && column->kind == COLUMN_TEXT)
        buf_add_c(out, " COLLATE \"C\"");
    buf_add_c(out, ", ");
}

static enum status name_stage(struct publish *publish, const struct mart *mart,
                              enum publish_mode mode, struct stage *stage, struct err *err)
{
    *stage = (struct stage){.mart = mart, .mode = mode};
    stage->table = quoted_name(publish, "stage_", mart->name);
    stage->source = quoted_name(publish, "", mart->source_table);
    stage->keys = key_list(publish, mart);
    return stage->table == NULL || stage->source == NULL || stage->keys == NULL
               ? publish_no_memory(err)
               : STATUS_OK;
}

static enum status create_table(struct publish *publish, const struct stage *stage, struct err *err)
{
    enum db_kind kind = db_kind(publish->db);
    struct buf columns;
    buf_init(&columns, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    for (size_t i = 0; i < stage->mart->n_columns; i++)
        add_definition(&columns, &stage->mart->columns[i], kind);
    const char *definitions = buf_c_str(&columns);
    if (definitions == NULL)
        return publish_no_memory(err);
    return publish_exec(publish, NO_PARAMS, NULL, err,
                        "CREATE TEMPORARY TABLE %s (%sPRIMARY KEY (%s))%s", stage->table,
                        definitions, stage->keys,
                        kind == DB_POSTGRESQL ? " ON COMMIT DROP" : " WITHOUT ROWID");
}

enum status publish_stage_new(struct publish *publish, const struct mart *mart,
                              enum publish_mode mode, struct stage **ret, struct err *err)
{
    struct stage *stage = &publish->stages[publish->n_stages];
    enum status s = name_stage(publish, mart, mode, stage, err);
    if (s == STATUS_OK)
        s = create_table(publish, stage, err);
    if (s != STATUS_OK)
        return s;
    publish->n_stages++;
    *ret = stage;
    return STATUS_OK;
}

/* Without any version of any row there is nothing to compare with. */
static enum status is_empty(struct publish *publish, const struct stage *stage, bool *ret,
                            struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char sql[256];
    bool found = false;
    int n = snprintf(sql, sizeof sql, "SELECT 1 FROM %s LIMIT 1", stage->source);
    if (n < 0 || n >= (int)sizeof sql)
        return err_set(err, STATUS_TOO_LARGE, "The mart's name is too long to be published.");
    enum status s = db_query_one(publish->db, sql, NO_PARAMS, &rows, &found, err);
    *ret = !found;
    return s;
}

enum status publish_stage_open(struct publish *publish, const struct mart *mart,
                               enum publish_mode mode, struct stage **ret, struct err *err)
{
    struct stage *stage = &publish->stages[publish->n_stages];
    enum status s = name_stage(publish, mart, mode, stage, err);
    /* Instruments are completed in their stage. */
    if (s == STATUS_OK && !str_eq(mart->name, STR("mart_instrument")))
        s = is_empty(publish, stage, &stage->is_direct, err);
    if (s == STATUS_OK && !stage->is_direct)
        return publish_stage_new(publish, mart, mode, ret, err);
    if (s != STATUS_OK)
        return s;
    stage->table = stage->source;
    publish->n_stages++;
    *ret = stage;
    return STATUS_OK;
}

enum status publish_diff_replace(struct publish *publish, struct stage *stage, struct err *err)
{
    const char *match = key_match(publish, stage->mart, "s", stage->source);
    if (match == NULL)
        return publish_no_memory(err);
    return publish_exec(publish, PARAMS(db_i64(publish->next)), &stage->changes.deleted, err,
                        "UPDATE %s SET gen_to = $1 WHERE gen_to = %lld AND NOT EXISTS "
                        "(SELECT 1 FROM %s s WHERE %s)",
                        stage->source, (long long)GENERATION_OPEN, stage->table, match);
}

/* Deletes what was not staged of that which is staged as a whole. */
static enum status close_within(struct publish *publish, struct stage *stage, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf column;
    enum status s = STATUS_OK;
    arena_init(&arena, 4096);
    buf_init(&column, &arena, 1024);
    sql_identifier(&column, stage->mart->columns[stage->mart->key[0]].name);
    const char *first = buf_c_str(&column);
    const char *match = key_match(publish, stage->mart, "s", stage->source);
    if (first == NULL || match == NULL)
        return publish_no_memory(err);
    for (size_t i = 0; i < stage->n_scopes && s == STATUS_OK; i++) {
        int64_t n = 0;
        s = publish_exec(publish, PARAMS(db_i64(publish->next), db_text(stage->scopes[i])), &n, err,
                         "UPDATE %s SET gen_to = $1 WHERE gen_to = %lld AND %s = $2 AND NOT EXISTS "
                         "(SELECT 1 FROM %s s WHERE %s)",
                         stage->source, (long long)GENERATION_OPEN, first, stage->table, match);
        stage->changes.deleted += n;
    }
    return s;
}

/* Leaves only new and changed rows in the stage. */
static enum status drop_unchanged(struct publish *publish, const struct stage *stage,
                                  struct err *err)
{
    const char *same = same_values(publish, stage->mart);
    const char *match = key_match(publish, stage->mart, "g", "s");
    if (same == NULL || match == NULL)
        return publish_no_memory(err);
    return publish_exec(
        publish, NO_PARAMS, NULL, err,
        "DELETE FROM %s AS s WHERE EXISTS (SELECT 1 FROM %s g WHERE %s AND g.gen_to = %lld AND %s)",
        stage->table, stage->source, match, (long long)GENERATION_OPEN, same);
}

/*
 * PostgreSQL would rather read all of a mart than look up more than a few of its keys, for it reckons with disks that have to
 * seek: a day's publish would cost what its history does. So a stage of few rows is compared by keys, whatever the planner
 * thinks; where they are many of the mart's it may choose, and reads no more than so many times the stage.
 */
static enum status choose_joins(struct publish *publish, const struct stage *stage, struct err *err)
{
    int64_t n_mart = 0;
    if (db_kind(publish->db) != DB_POSTGRESQL)
        return STATUS_OK;
    enum status s = publish_count_rows(publish, stage->mart, &n_mart, err);
    if (s != STATUS_OK)
        return s;
    bool is_few = stage->mode == PUBLISH_MERGE && stage->n_rows * FEW_OF_MART < n_mart;
    return db_exec_script(
        publish->db,
        is_few ? "SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off"
               : "SET LOCAL enable_hashjoin TO DEFAULT; SET LOCAL enable_mergejoin TO DEFAULT",
        err);
}

/* After the first rows of a mart, which it was quicker to take without them. Readers go on meanwhile. */
static enum status make_indexes(struct publish *publish, const struct stage *stage, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct buf script;
    bool has_row = false;
    if (db_kind(publish->db) != DB_POSTGRESQL || stage->changes.inserted == 0)
        return STATUS_OK;
    buf_init(&script, &publish->arena, PUBLISH_SQL_BYTES_MAX);
    enum status s =
        db_query(publish->db, left_out_sql, PARAMS(db_text(stage->mart->source_table)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        buf_printf(&script, "%.*s; ", STR_ARG(rows_text(&rows, 0)));
    rows_clear(&rows);
    const char *text = buf_c_str(&script);
    if (s == STATUS_OK && text == NULL)
        s = publish_no_memory(err);
    return s == STATUS_OK && script.len > 0 ? db_exec_script(publish->db, text, err) : s;
}

static enum status write_changes(struct publish *publish, struct stage *stage, struct err *err)
{
    int64_t opened = 0;
    if (stage->is_direct) {
        stage->changes.inserted = stage->n_rows;
        return STATUS_OK;
    }
    const char *columns = publish_column_list(publish, stage->mart, "");
    if (columns == NULL)
        return publish_no_memory(err);
    enum status s = choose_joins(publish, stage, err);
    if (s == STATUS_OK && stage->mode == PUBLISH_REPLACE && !stage->is_diffed)
        s = publish_diff_replace(publish, stage, err);
    if (s == STATUS_OK && stage->n_scopes > 0)
        s = close_within(publish, stage, err);
    if (s == STATUS_OK)
        s = drop_unchanged(publish, stage, err);
    if (s == STATUS_OK)
        s = publish_exec(
            publish, PARAMS(db_i64(publish->next)), &stage->changes.updated, err,
            "UPDATE %s SET gen_to = $1 WHERE gen_to = %lld AND (%s) IN (SELECT %s FROM %s)",
            stage->source, (long long)GENERATION_OPEN, stage->keys, stage->keys, stage->table);
    if (s == STATUS_OK)
        s = publish_exec(publish, PARAMS(db_i64(publish->next)), &opened, err,
                         "INSERT INTO %s (%s, gen_from, gen_to) SELECT %s, $1, %lld FROM %s",
                         stage->source, columns, columns, (long long)GENERATION_OPEN, stage->table);
    if (s == STATUS_OK)
        stage->changes.inserted = opened - stage->changes.updated;
    return s;
}

enum status publish_diff(struct publish *publish, struct stage *stage, struct err *err)
{
    enum status s = write_changes(publish, stage, err);
    if (s == STATUS_OK)
        s = make_indexes(publish, stage, err);
    stage->is_diffed = s == STATUS_OK || stage->is_diffed;
    return s;
}
