/* mart_sql_group.c - compiles groups and distinct values to SQL of one dialect. */
#include "store/mart_sql_impl.h"

#include "store/generation.h"
#include "store/mart_group.h"

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): one text on several lines */

/* The first day of the period, as a date on PostgreSQL and as ISO text on SQLite; "@" is the column. */
static const char *const period_forms[][PERIOD_YEAR + 1] = {
    [DB_SQLITE] = {[PERIOD_DAY] = "substr(@, 1, 10)",
                   [PERIOD_WEEK] = "date(substr(@, 1, 10), 'weekday 0', '-6 days')",
                   [PERIOD_MONTH] = "(substr(@, 1, 7) || '-01')",
                   [PERIOD_QUARTER] = "(substr(@, 1, 5) || substr('010101040404070707101010', "
                                      "2 * CAST(substr(@, 6, 2) AS INTEGER) - 1, 2) || '-01')",
                   [PERIOD_YEAR] = "(substr(@, 1, 4) || '-01-01')"},
    [DB_POSTGRESQL] = {[PERIOD_DAY] = "CAST(@ AS DATE)",
                       [PERIOD_WEEK] = "CAST(DATE_TRUNC('week', CAST(@ AS DATE)) AS DATE)",
                       [PERIOD_MONTH] = "CAST(DATE_TRUNC('month', CAST(@ AS DATE)) AS DATE)",
                       [PERIOD_QUARTER] = "CAST(DATE_TRUNC('quarter', CAST(@ AS DATE)) AS DATE)",
                       [PERIOD_YEAR] = "CAST(DATE_TRUNC('year', CAST(@ AS DATE)) AS DATE)"},
};

/*
 * Metrics; "@" is the column as it stands, "#" with its order. PostgreSQL's division rounds where it likes, so the
 * average is the whole-number quotient of twice the sum in units of the last digit, and that is exact.
 */
static const char *const metric_forms[][FN_AVG + 1] = {
    [DB_SQLITE] = {[FN_COUNT] = "COUNT(@)",
                   [FN_COUNT_DISTINCT] = "COUNT(DISTINCT #)",
                   [FN_MIN] = "MIN(#)",
                   [FN_MAX] = "MAX(#)",
                   [FN_SUM] = "decimal_sum(@)",
                   [FN_AVG] = "decimal_average(@)"},
    [DB_POSTGRESQL] = {[FN_COUNT] = "COUNT(@)",
                       [FN_COUNT_DISTINCT] = "COUNT(DISTINCT #)",
                       [FN_MIN] = "MIN(#)",
                       [FN_MAX] = "MAX(#)",
                       [FN_SUM] = "SUM(CAST(@ AS NUMERIC))",
                       [FN_AVG] =
                           "(SIGN(SUM(CAST(@ AS NUMERIC))) * DIV(ABS(SUM(CAST(@ AS NUMERIC))) * "
                           "2000000000000 + COUNT(@), NULLIF(2 * COUNT(@), 0)) * 0.000000000001)"},
};

/* NOLINTEND(bugprone-suspicious-missing-comma) */

static void add_form(struct builder *b, const char *form, size_t column)
{
    for (; *form != '\0'; form++) {
        if (*form == '@')
            sql_add_column(b, column);
        else if (*form == '#')
            sql_add_ordered(b, column);
        else
            buf_add_char(&b->out, *form);
    }
}

static void add_metric(struct builder *b, const struct group_output *output)
{
    bool adds_up = output->metric == FN_SUM || output->metric == FN_AVG;
    if (output->counts_rows)
        buf_add_c(&b->out, "COUNT(*)");
    else if (adds_up && output->kind == COLUMN_FLOAT)
        add_form(b, output->metric == FN_SUM ? "SUM(@)" : "AVG(@)", output->column);
    else
        add_form(b, metric_forms[b->kind][output->metric], output->column);
    if (output->kind == COLUMN_DECIMAL && b->kind == DB_SQLITE)
        buf_add_c(&b->out, " COLLATE decimal"); /* for sorting by it */
}

static void add_output(struct builder *b, const struct group_output *output)
{
    if (output->is_metric)
        add_metric(b, output);
    else if (output->period != PERIOD_NONE)
        add_form(b, period_forms[b->kind][output->period], output->column);
    else
        sql_add_ordered(b, output->column);
}

static void add_group_order(struct builder *b, const struct mart_group *group)
{
    for (size_t i = 0; i < group->n_order; i++) {
        const struct group_order *order = &group->order[i];
        buf_printf(&b->out, "%s%zu%s", i > 0 ? ", " : " ORDER BY ", order->output + 1,
                   order->is_descending ? " DESC" : "");
        if (b->kind == DB_SQLITE)
            buf_add_c(&b->out, order->is_descending ? " NULLS FIRST" : " NULLS LAST");
    }
}

/* Columns stand by their number: what is grouped and sorted is what is selected. */
static enum status build_group(const struct mart_group *group, enum db_kind kind,
                               struct arena *arena, struct mart_sql *ret, struct err *err)
{
    struct builder b;
    enum status s = sql_begin(&b, group->query, kind, arena, err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < group->n_outputs; i++) {
        buf_add_c(&b.out, i > 0 ? ", " : "SELECT ");
        add_output(&b, &group->outputs[i]);
    }
    sql_add_where(&b);
    for (size_t i = 0; i < group->n_outputs && !group->outputs[i].is_metric; i++)
        buf_printf(&b.out, "%s%zu", i > 0 ? ", " : " GROUP BY ", i + 1);
    add_group_order(&b, group);
    buf_printf(&b.out, " LIMIT %lld", (long long)group->limit);
    return sql_finish(&b, ret, err);
}

static enum status run(struct db *db, const struct mart_query *query, const struct mart_sql *sql,
                       struct rows *ret_rows, struct err *err)
{
    enum status s = generation_pin_mart(db, query->mart, query->generation, err);
    return s != STATUS_OK ? s : db_query(db, sql->text, sql->params, sql->n_params, ret_rows, err);
}

enum status mart_group_open(struct db *db, const struct mart_group *group, struct arena *arena,
                            struct rows *ret_rows, struct err *err)
{
    struct mart_sql sql;
    enum status s = build_group(group, db_kind(db), arena, &sql, err);
    return s != STATUS_OK ? s : run(db, group->query, &sql, ret_rows, err);
}

/* Whether an index can be read from one value of the column to the next: it begins with it, and nothing else is asked. */
static bool can_skip(const struct mart_query *query, size_t column)
{
    const struct mart_column *at = &query->mart->columns[column];
    bool is_only = query->n_search_columns == 0;
    for (size_t i = 0; i < query->n_filters; i++)
        is_only = is_only && query->filters[i].n_terms == 0 && query->filters[i].column == column;
    /* Decimals on SQLite are not in the index by value. */
    return is_only && query->mart->is_managed && at->is_indexed && at->kind != COLUMN_DECIMAL;
}

/* (SELECT column ... [AND column > value.x] ORDER BY column LIMIT 1) */
static void add_step(struct builder *b, size_t column, bool is_first)
{
    buf_add_c(&b->out, "(SELECT ");
    sql_add_column(b, column);
    sql_add_where(b);
    if (is_first) {
        buf_add_c(&b->out, " AND ");
        sql_add_column(b, column);
        buf_add_c(&b->out, " IS NOT NULL");
    } else {
        buf_add_c(&b->out, " AND ");
        sql_add_column(b, column);
        buf_add_c(&b->out, " > value.x");
    }
    buf_add_c(&b->out, " ORDER BY ");
    sql_add_column(b, column);
    buf_add_c(&b->out, " LIMIT 1)");
}

static void add_skipping(struct builder *b, size_t column)
{
    buf_add_c(&b->out, "WITH RECURSIVE value(x) AS (SELECT ");
    add_step(b, column, true);
    buf_add_c(&b->out, " UNION ALL SELECT ");
    add_step(b, column, false);
    buf_add_c(&b->out,
              " FROM value WHERE value.x IS NOT NULL) SELECT x FROM value WHERE x IS NOT NULL");
}

static void add_distinct(struct builder *b, size_t column)
{
    buf_add_c(&b->out, "SELECT ");
    sql_add_ordered(b, column);
    sql_add_where(b);
    buf_add_c(&b->out, " AND ");
    sql_add_column(b, column);
    buf_add_c(&b->out, " IS NOT NULL GROUP BY 1 ORDER BY 1");
}

enum status mart_values_open(struct db *db, const struct mart_query *query, size_t column,
                             int64_t limit, struct arena *arena, struct rows *ret_rows,
                             struct err *err)
{
    struct builder b;
    struct mart_sql sql;
    enum status s = sql_begin(&b, query, db_kind(db), arena, err);
    if (s != STATUS_OK)
        return s;
    if (can_skip(query, column))
        add_skipping(&b, column);
    else
        add_distinct(&b, column);
    buf_printf(&b.out, " LIMIT %lld", (long long)limit);
    s = sql_finish(&b, &sql, err);
    return s != STATUS_OK ? s : run(db, query, &sql, ret_rows, err);
}
