/*
 * publish_coverage.c - first_date, last_date and n_rows of mart_instrument, as of the new generation. Where prices were
 * only added or changed they follow from those of the generation before, so that a day costs the same behind any history;
 * they are counted for instruments that are new or lost prices. The others keep what they had.
 */
#include "store/generation.h"
#include "store/publish_impl.h"

static const char *const computed[] = {"first_date", "last_date", "n_rows"};

bool publish_is_computed(struct str mart, struct str column)
{
    if (!str_eq(mart, STR("mart_instrument")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(computed); i++)
        if (str_eq_c(column, computed[i]))
            return true;
    return false;
}

static enum status make_touched(struct publish *publish, struct err *err)
{
    bool is_pg = db_kind(publish->db) == DB_POSTGRESQL;
    if (publish->has_touched)
        return STATUS_OK;
    enum status s = publish_exec(
        publish, NO_PARAMS, NULL, err,
        "CREATE TEMPORARY TABLE touched_instrument (uid TEXT%s NOT NULL PRIMARY KEY, first_date %s, "
        "last_date %s, n_more BIGINT)%s",
        is_pg ? " COLLATE \"C\"" : "", is_pg ? "DATE" : "TEXT", is_pg ? "DATE" : "TEXT",
        is_pg ? " ON COMMIT DROP" : "");
    publish->has_touched = s == STATUS_OK;
    return s;
}

enum status coverage_diff_prices(struct publish *publish, struct stage *prices, struct err *err)
{
    enum status s = make_touched(publish, err);
    if (s == STATUS_OK)
        s = publish_diff(publish, prices, err);
    /* What is left in the stage is new or changed; what was closed is changed or gone. n_more NULL: to be counted. */
    const char *how =
        prices->changes.deleted > 0 ? "NULL, NULL, NULL" : "min(date), max(date), sum(n)";
    if (s == STATUS_OK)
        s = publish_exec(
            publish, PARAMS(db_i64(publish->next)), NULL, err,
            "INSERT INTO touched_instrument SELECT uid, %s FROM "
            "(SELECT uid, date, 1 AS n FROM %s UNION ALL SELECT uid, date, -1 AS n FROM %s "
            "WHERE gen_to = $1 AND gen_to < %lld) changed GROUP BY uid",
            how, prices->table, prices->source, (long long)GENERATION_OPEN);
    return s;
}

/* Brings the touched instruments that were not staged into the stage, as they are now. */
static enum status stage_touched(struct publish *publish, const struct stage *stage,
                                 struct err *err)
{
    const char *columns = publish_column_list(publish, stage->mart, "");
    const char *from_g = publish_column_list(publish, stage->mart, "g.");
    if (columns == NULL || from_g == NULL)
        return publish_no_memory(err);
    enum status s = publish_exec(
        publish, NO_PARAMS, NULL, err,
        "INSERT INTO touched_instrument SELECT s.uid, NULL, NULL, NULL FROM %s s WHERE NOT EXISTS "
        "(SELECT 1 FROM %s g WHERE g.uid = s.uid AND g.gen_to = %lld) "
        "ON CONFLICT (uid) DO UPDATE SET n_more = NULL",
        stage->table, stage->source, (long long)GENERATION_OPEN);
    if (s != STATUS_OK)
        return s;
    return publish_exec(
        publish, NO_PARAMS, NULL, err,
        "INSERT INTO %s (%s) SELECT %s FROM touched_instrument t JOIN %s g ON g.uid = t.uid "
        "WHERE g.gen_to = %lld AND NOT EXISTS (SELECT 1 FROM %s s WHERE s.uid = t.uid)",
        stage->table, columns, from_g, stage->source, (long long)GENERATION_OPEN, stage->table);
}

/* Of instruments that are not touched: as it was. */
static enum status keep_coverage(struct publish *publish, const struct stage *stage,
                                 struct err *err)
{
    return publish_exec(publish, NO_PARAMS, NULL, err,
                        "UPDATE %s SET (first_date, last_date, n_rows) = "
                        "(SELECT g.first_date, g.last_date, g.n_rows FROM %s g "
                        "WHERE g.uid = %s.uid AND g.gen_to = %lld) "
                        "WHERE uid NOT IN (SELECT uid FROM touched_instrument)",
                        stage->table, stage->source, stage->table, (long long)GENERATION_OPEN);
}

static enum status extend_coverage(struct publish *publish, const struct stage *stage,
                                   struct err *err)
{
    return publish_exec(
        publish, NO_PARAMS, NULL, err,
        "UPDATE %s SET (first_date, last_date, n_rows) = "
        "(SELECT CASE WHEN t.first_date < g.first_date THEN t.first_date ELSE coalesce(g.first_date, t.first_date) END, "
        "CASE WHEN t.last_date > g.last_date THEN t.last_date ELSE coalesce(g.last_date, t.last_date) END, "
        "g.n_rows + t.n_more FROM touched_instrument t JOIN %s g ON g.uid = t.uid AND g.gen_to = %lld "
        "WHERE t.uid = %s.uid) "
        "WHERE uid IN (SELECT uid FROM touched_instrument WHERE n_more IS NOT NULL)",
        stage->table, stage->source, (long long)GENERATION_OPEN, stage->table);
}

static enum status count_coverage(struct publish *publish, const struct stage *stage,
                                  const struct mart *prices, struct err *err)
{
    return publish_exec(publish, NO_PARAMS, NULL, err,
                        "UPDATE %s SET (first_date, last_date, n_rows) = "
                        "(SELECT min(p.date), max(p.date), count(*) FROM \"%.*s\" p "
                        "WHERE p.uid = %s.uid AND p.gen_to = %lld) "
                        "WHERE uid IN (SELECT uid FROM touched_instrument WHERE n_more IS NULL)",
                        stage->table, STR_ARG(prices->source_table), stage->table,
                        (long long)GENERATION_OPEN);
}

enum status coverage_refresh(struct publish *publish, struct err *err)
{
    const struct mart *mart = catalog_mart(publish->catalog, STR("mart_instrument"));
    const struct mart *prices = catalog_mart(publish->catalog, STR("mart_price_daily"));
    struct stage *stage = publish_stage_of(publish, STR("mart_instrument"));
    if (mart == NULL || prices == NULL || (stage == NULL && !publish->has_touched))
        return STATUS_OK;
    enum status s = make_touched(publish, err);
    if (s == STATUS_OK && stage == NULL)
        s = publish_stage_new(publish, mart, PUBLISH_MERGE, &stage, err);
    if (s == STATUS_OK && stage->mode == PUBLISH_REPLACE) {
        s = publish_diff_replace(publish, stage, err);
        stage->is_diffed = true;
    }
    if (s == STATUS_OK)
        s = stage_touched(publish, stage, err);
    if (s == STATUS_OK)
        s = keep_coverage(publish, stage, err);
    if (s == STATUS_OK)
        s = extend_coverage(publish, stage, err);
    if (s == STATUS_OK)
        s = count_coverage(publish, stage, prices, err);
    return s == STATUS_OK ? publish_diff(publish, stage, err) : s;
}
