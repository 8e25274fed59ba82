/*
 * publish_books.c - what a publish writes beside its rows: publication, mart_generation, mart_freshness; the
 * versions that no readable generation sees any more; and word to PostgreSQL's listeners.
 */
#include "base/array.h"
#include "base/date.h"
#include "base/digest.h"
#include "store/generation.h"
#include "store/publish_impl.h"
#include "store/statements.h"

#include <stdio.h>

enum { ANALYZE_ROWS_MIN = 10000 };

static const char stmt_publication_add[] =
    "INSERT INTO publication (generation, published_at, n_inserted, n_updated, n_deleted) "
    "VALUES ($1, $2, $3, $4, $5)";
static const char stmt_publication_purge[] = "DELETE FROM publication WHERE generation < $1";
static const char stmt_mart_generation_set[] =
    "INSERT INTO mart_generation (mart, generation, published_at, n_rows, as_of, schema_hash) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (mart) DO UPDATE SET generation = excluded.generation, "
    "published_at = excluded.published_at, n_rows = mart_generation.n_rows + excluded.n_rows, "
    "as_of = excluded.as_of, schema_hash = excluded.schema_hash";
static const char stmt_publication_mart_add[] =
    "INSERT INTO publication_mart (mart, generation, as_of, published_at) VALUES ($1, $2, $3, $4)";
/* All but the versions that some generation from $1 on shows. */
static const char stmt_publication_mart_purge[] =
    "DELETE FROM publication_mart WHERE generation < (SELECT max(newer.generation) "
    "FROM publication_mart newer WHERE newer.mart = publication_mart.mart AND newer.generation <= $1)";
static const char stmt_mart_generation_rows[] =
    "SELECT n_rows FROM mart_generation WHERE mart = $1";
static const char stmt_notify[] = "SELECT pg_notify('mart_published', $1)";

static bool is_changed(const struct stage *stage)
{
    return stage->changes.inserted + stage->changes.updated + stage->changes.deleted > 0;
}

/* The last date in the mart's time column: max() is the form that both back ends answer from its index. */
static enum status read_as_of(struct publish *publish, const struct stage *stage,
                              char ret[DATE_TEXT_BYTES], struct err *err)
{
    char sql[256];
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    ret[0] = '\0';
    if (stage->mart->time_column < 0)
        return STATUS_OK;
    struct str column = stage->mart->columns[stage->mart->time_column].name;
    (void)snprintf(sql, sizeof sql, "SELECT max(\"%.*s\") FROM %s WHERE gen_to = %lld",
                   STR_ARG(column), stage->source, (long long)GENERATION_OPEN);
    enum status s = db_query_one(publish->db, sql, NO_PARAMS, &rows, &found, err);
    int32_t date = 0;
    if (s == STATUS_OK && found && rows_date(&rows, 0, &date))
        date_format(date, ret);
    return s;
}

static enum status schema_hash(const struct mart *mart, char ret[DIGEST_HEX_BYTES], struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf text;
    arena_init(&arena, 1 << 20);
    buf_init(&text, &arena, 256 * 1024);
    for (size_t i = 0; i < mart->n_columns; i++)
        buf_printf(&text, "%.*s %.*s %d %d\n", STR_ARG(mart->columns[i].name),
                   STR_ARG(mart->columns[i].type), mart->columns[i].is_nullable,
                   mart->columns[i].is_key);
    return text.failed ? publish_no_memory(err) : digest_hex(buf_str(&text), ret, err);
}

enum status publish_count_rows(struct publish *publish, const struct mart *mart, int64_t *ret,
                               struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(publish->db, stmt_mart_generation_rows,
                                 PARAMS(db_text(mart->name)), &rows, &found, err);
    if (s == STATUS_OK)
        *ret = found ? rows_i64(&rows, 0) : 0;
    return s;
}

/* mart_generation's row of one changed mart; what the caller then needs for mart_freshness comes back. */
static enum status book_mart(struct publish *publish, const struct stage *stage,
                             char ret_as_of[DATE_TEXT_BYTES], int64_t *ret_n_rows, struct err *err)
{
    char hash[DIGEST_HEX_BYTES];
    int64_t more = stage->changes.inserted - stage->changes.deleted;
    enum status s = read_as_of(publish, stage, ret_as_of, err);
    if (s == STATUS_OK)
        s = schema_hash(stage->mart, hash, err);
    if (s != STATUS_OK)
        return s;
    struct str as_of = ret_as_of[0] == '\0' ? STR_NONE : str_of(ret_as_of);
    s = db_exec(publish->db, stmt_mart_generation_set,
                PARAMS(db_text(stage->mart->name), db_i64(publish->next),
                       db_text(str_of(publish->now)), db_i64(more), db_text(as_of),
                       db_text(str_of(hash))),
                NULL, err);
    if (s == STATUS_OK)
        s = db_exec(publish->db, stmt_publication_mart_add,
                    PARAMS(db_text(stage->mart->name), db_i64(publish->next), db_text(as_of),
                           db_text(str_of(publish->now))),
                    NULL, err);
    return s == STATUS_OK ? publish_count_rows(publish, stage->mart, ret_n_rows, err) : s;
}

/* A first load is too much for the server's own statistics to wait for; coarse ones do until it takes them by itself. */
static enum status analyze(struct publish *publish, const struct stage *stage, struct err *err)
{
    const struct changes *changes = &stage->changes;
    if (db_kind(publish->db) != DB_POSTGRESQL ||
        changes->inserted + changes->updated < ANALYZE_ROWS_MIN)
        return STATUS_OK;
    enum status s =
        publish_exec(publish, NO_PARAMS, NULL, err, "SET LOCAL default_statistics_target TO 20");
    return s == STATUS_OK ? publish_exec(publish, NO_PARAMS, NULL, err, "ANALYZE %s", stage->source)
                          : s;
}

enum status publish_note_dataset(struct publish *publish, const struct publish_dataset *dataset,
                                 struct err *err)
{
    struct arena *arena = &publish->arena;
    struct publish_dataset *all = arena_reserve(arena, publish->datasets, publish->n_datasets + 1,
                                                &publish->max_datasets, sizeof *all);
    if (all == NULL)
        return publish_no_memory(err);
    publish->datasets = all;
    struct publish_dataset *copy = &publish->datasets[publish->n_datasets];
    *copy = *dataset;
    struct str *texts[] = {&copy->name, &copy->last_date, &copy->last_success_at, &copy->status};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (texts[i]->ptr != NULL && (texts[i]->ptr = arena_dup(arena, *texts[i])) == NULL)
            return publish_no_memory(err);
    publish->n_datasets++;
    return STATUS_OK;
}

static enum status book_freshness(struct publish *publish, const struct stage *freshness,
                                  const struct publish_dataset *row, struct err *err)
{
    return publish_exec(publish,
                        PARAMS(db_text(row->name), db_text(row->last_date), db_i64(row->n_rows),
                               db_text(row->last_success_at), db_text(row->status)),
                        NULL, err,
                        "INSERT INTO %s (dataset, last_date, n_rows, last_success_at, status) "
                        "VALUES ($1, $2, $3, $4, $5)",
                        freshness->table);
}

/* Books every changed mart, and mart_freshness, which says so to everybody. */
static enum status book_marts(struct publish *publish, struct err *err)
{
    const struct mart *mart = catalog_mart(publish->catalog, STR("mart_freshness"));
    struct stage *freshness = NULL;
    char as_of[DATE_TEXT_BYTES];
    int64_t n_rows = 0;
    enum status s =
        mart == NULL ? STATUS_OK : publish_stage_new(publish, mart, PUBLISH_MERGE, &freshness, err);
    for (size_t i = 0; i < publish->n_stages && s == STATUS_OK; i++) {
        const struct stage *stage = &publish->stages[i];
        if (stage == freshness || !is_changed(stage))
            continue;
        s = analyze(publish, stage, err);
        if (s == STATUS_OK)
            s = book_mart(publish, stage, as_of, &n_rows, err);
        if (s == STATUS_OK && freshness != NULL)
            s = book_freshness(publish, freshness,
                               &(struct publish_dataset){
                                   stage->mart->name, as_of[0] == '\0' ? STR_NONE : str_of(as_of),
                                   str_of(publish->now), STR("ok"), n_rows},
                               err);
    }
    for (size_t i = 0; i < publish->n_datasets && s == STATUS_OK && freshness != NULL; i++)
        s = book_freshness(publish, freshness, &publish->datasets[i], err);
    if (s == STATUS_OK && freshness != NULL)
        s = publish_diff(publish, freshness, err);
    if (s == STATUS_OK && freshness != NULL && is_changed(freshness))
        s = book_mart(publish, freshness, as_of, &n_rows, err);
    return s;
}

/* Versions that no readable generation sees any more. Each mart's index on gen_to makes this cheap. */
static enum status purge(struct publish *publish, int keep, struct err *err)
{
    int64_t oldest = publish->next - keep + 1;
    enum status s = db_exec(publish->db, stmt_publication_purge, PARAMS(db_i64(oldest)), NULL, err);
    if (s == STATUS_OK)
        s = db_exec(publish->db, stmt_publication_mart_purge, PARAMS(db_i64(oldest)), NULL, err);
    for (size_t i = 0; i < publish->catalog->n_marts && s == STATUS_OK; i++) {
        const struct mart *mart = &publish->catalog->marts[i];
        if (mart->is_managed)
            s = publish_exec(publish, PARAMS(db_i64(oldest)), NULL, err,
                             "DELETE FROM \"%.*s\" WHERE gen_to <= $1 AND gen_to < %lld",
                             STR_ARG(mart->source_table), (long long)GENERATION_OPEN);
    }
    return s;
}

enum status publish_write_books(struct publish *publish, int keep, struct publish_result *result,
                                struct err *err)
{
    enum status s =
        db_exec(publish->db, stmt_publication_add,
                PARAMS(db_i64(publish->next), db_text(str_of(publish->now)),
                       db_i64(result->inserted), db_i64(result->updated), db_i64(result->deleted)),
                NULL, err);
    if (s == STATUS_OK)
        s = book_marts(publish, err);
    if (s == STATUS_OK)
        s = purge(publish, keep, err);
    for (size_t i = 0; i < publish->n_stages && s == STATUS_OK; i++)
        if (!publish->stages[i].is_direct)
            s = publish_exec(publish, NO_PARAMS, NULL, err, "DROP TABLE %s",
                             publish->stages[i].table);
    if (s == STATUS_OK && publish->has_touched)
        s = publish_exec(publish, NO_PARAMS, NULL, err, "DROP TABLE touched_instrument");
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)publish->next);
    if (s == STATUS_OK && db_kind(publish->db) == DB_POSTGRESQL)
        s = db_exec(publish->db, stmt_notify, PARAMS(db_text(str_of(number))), NULL, err);
    if (s == STATUS_OK)
        result->generation = publish->next;
    return s;
}

const struct statement publish_statements[] = {
    STATEMENT(stmt_publication_add),           STATEMENT(stmt_publication_purge),
    STATEMENT(stmt_mart_generation_set),       STATEMENT(stmt_mart_generation_rows),
    STATEMENT(stmt_publication_mart_add),      STATEMENT(stmt_publication_mart_purge),
    STATEMENT_FOR(DB_POSTGRESQL, stmt_notify), STATEMENTS_END,
};
