/*
 * mart_facets.c - the most frequent values of some columns, each counted within a time of its own: one that takes
 * too long is named in meta.timed_out, and the others are answered all the same.
 */
#include "handlers/handlers.h"

#include "handlers/database.h"
#include "handlers/mart_grouped.h"
#include "handlers/params.h"
#include "handlers/warnings.h"
#include "server/app.h"

enum { FACETS_MAX = 10, TOP_DEFAULT = 20, TOP_MAX = 1000 };

struct facets {
    struct mart_table what;
    size_t columns[FACETS_MAX];
    bool is_late[FACETS_MAX];
    size_t n_columns;
    int64_t top;
};

static void facets_end(struct facets *facets)
{
    mart_table_end(&facets->what);
}

static struct mart_group group_of(const struct facets *facets, size_t column)
{
    const struct mart_query *query = facets->what.rows.query;
    struct mart_group group = {.query = query, .n_outputs = 2, .limit = facets->top, .n_order = 2};
    group.outputs[0] =
        (struct group_output){.column = column, .kind = query->mart->columns[column].kind};
    group.outputs[1] = (struct group_output){
        .is_metric = true, .counts_rows = true, .metric = FN_COUNT, .kind = COLUMN_INT};
    group.order[0] = (struct group_order){1, true};
    group.order[1] = (struct group_order){0, false};
    return group;
}

static enum status count_all(struct request *request, struct facets *facets, struct table *table,
                             struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    const struct mart *mart = facets->what.rows.query->mart;
    enum status s = database_acquire(request, DB_READ_MARTS, &db, err);
    if (s != STATUS_OK)
        return s;
    db_limit(db, (unsigned)request->app->config->facet_ms);
    for (size_t i = 0; i < facets->n_columns && s == STATUS_OK; i++) {
        struct mart_group group = group_of(facets, facets->columns[i]);
        s = grouped_write_on(request, db, &group, mart->columns[facets->columns[i]].name, table,
                             err);
        facets->is_late[i] = s == STATUS_DB_TIMEOUT;
        if (!facets->is_late[i])
            continue;
        db_rollback(
            db); /* the failed statement ended the transaction; the next one pins the generation again */
        reply_header(request, "Cache-Control", "no-store"); /* next time it may be in time */
        s = STATUS_OK;
    }
    return s == STATUS_GENERATION_RETIRED ? rows_moved_on(err) : s;
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    static const struct table_column columns[] = {
        {{"column", 6}, COLUMN_TEXT}, {{"value", 5}, COLUMN_TEXT}, {{"count", 5}, COLUMN_INT}};
    struct facets *facets = cls;
    if (!facets->what.rows.query->mart->is_managed)
        table_warn(table, 1u << WARNING_UNMANAGED);
    enum status s = table_columns(table, columns, ARRAY_LEN(columns), err);
    return s != STATUS_OK ? s : count_all(request, facets, table, err);
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct facets *facets = cls;
    mart_table_put_meta(json, &facets->what);
    jw_key(json, "timed_out");
    jw_array(json);
    for (size_t i = 0; i < facets->n_columns; i++)
        if (facets->is_late[i])
            jw_str(json, facets->what.rows.query->mart->columns[facets->columns[i]].name);
    jw_end_array(json);
}

/* Without by=: the first columns of text and booleans. */
static void choose_columns(struct facets *facets)
{
    const struct mart *mart = facets->what.rows.query->mart;
    for (size_t i = 0; i < mart->n_columns && facets->n_columns < FACETS_MAX; i++)
        if (mart->columns[i].kind == COLUMN_TEXT || mart->columns[i].kind == COLUMN_BOOL)
            facets->columns[facets->n_columns++] = i;
}

static enum status read_by(struct request *request, struct facets *facets, struct err *err)
{
    const struct mart *mart = facets->what.rows.query->mart;
    struct str rest = request_param(request, "by");
    struct str name;
    if (rest.ptr == NULL)
        choose_columns(facets);
    while (str_next_field(&rest, ',', &name)) {
        int column = mart_column_index(mart, name);
        if (column < 0)
            return mart_unknown_column(mart, name, "by", err);
        for (size_t i = 0; i < facets->n_columns; i++)
            if (facets->columns[i] == (size_t)column)
                return params_refuse(err, "by", name, "each column once");
        if (facets->n_columns == FACETS_MAX)
            return params_refuse(err, "by", name, "at most 10 columns");
        facets->columns[facets->n_columns++] = (size_t)column;
    }
    return STATUS_OK;
}

enum status mart_facets_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"by", "top", MART_TABLE_PARAMETERS};
    CLEANUP(facets_end) struct facets facets = {.top = TOP_DEFAULT};
    enum status s = mart_table_begin(request, names, ARRAY_LEN(names), true, &facets.what, err);
    if (s == STATUS_OK)
        s = read_by(request, &facets, err);
    if (s == STATUS_OK)
        s = params_i64(request, "top", 1, TOP_MAX, &facets.top, err);
    if (s != STATUS_OK)
        return s;
    struct buf detail;
    buf_init(&detail, &request->arena, 1024);
    buf_printf(&detail, "%lld", (long long)facets.top);
    for (size_t i = 0; i < facets.n_columns; i++)
        buf_printf(&detail, ",%zu", facets.columns[i]);
    facets.what.detail = buf_str(&detail);
    return mart_table_answer(request, &facets.what, fill, put_meta, &facets, err);
}
