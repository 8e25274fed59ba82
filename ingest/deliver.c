/* deliver.c - from the models to the marts of the serving database: what is new is streamed into one generation. */
#include "base/array.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/number.h"
#include "ingest/gold_marts.h"
#include "ingest/warehouse_impl.h"
#include "store/publish.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SQL_BYTES_MAX = 8192, SCOPES_BYTES_MAX = 64 << 20 };

struct delivery {
    struct db *from;
    struct publish *publish;
    const struct catalog *catalog;
    const struct warehouse_task *task;
    const struct stop *stop;
    int64_t since[GOLD_MARTS];
    bool is_held[GOLD_MARTS];
    int64_t last, n_rows;
    char stale[WAREHOUSE_STALE_BYTES];
    char failing[64], failing_day[16], failing_reason[32];
};

/* Since when each mart has not been published. A serving database that is older than that begins anew. */
static enum status read_since(struct delivery *d, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s =
        warehouse_number(d->from, "SELECT max(load_id) FROM load_ledger", NO_PARAMS, &d->last, err);
    if (s == STATUS_OK)
        s = db_query(d->from, "SELECT mart, load_id, generation FROM load_published", NO_PARAMS,
                     &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        for (size_t i = 0; i < GOLD_MARTS; i++)
            if (str_eq_c(rows_text(&rows, 0), gold_marts[i].name))
                d->since[i] = rows_i64(&rows, 2) > d->catalog->generation ? 0 : rows_i64(&rows, 1);
    return s;
}

/* Data sets with a day that fails its contract hold back the marts that they feed. */
static enum status read_failing(struct delivery *d, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s = db_query(
        d->from,
        "SELECT dataset, ymd, reason FROM load_verdict WHERE status = 'fail' ORDER BY ymd, dataset",
        NO_PARAMS, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str dataset = rows_text(&rows, 0);
        for (size_t i = 0; i < GOLD_MARTS; i++)
            d->is_held[i] = d->is_held[i] || gold_mart_is_fed_by(&gold_marts[i], dataset);
        if (d->failing[0] != '\0')
            continue;
        (void)snprintf(d->failing, sizeof d->failing, "%.*s", STR_ARG(dataset));
        (void)snprintf(d->failing_day, sizeof d->failing_day, "%.*s", STR_ARG(rows_text(&rows, 1)));
        (void)snprintf(d->failing_reason, sizeof d->failing_reason, "%.*s",
                       STR_ARG(rows_text(&rows, 2)));
    }
    return s;
}

/* The columns of the mart that are to be staged. */
static size_t staged_columns(const struct mart *mart, size_t ret[DB_COPY_COLUMNS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < mart->n_columns && n < DB_COPY_COLUMNS_MAX; i++)
        if (!publish_is_computed(mart->name, mart->columns[i].name))
            ret[n++] = i;
    return n;
}

/* Whole numbers, texts, dates and decimals stand as the database writes them; others in the spelling of the marts. */
static struct str field_of(const struct rows *rows, size_t i, enum column_kind kind,
                           char room[NUMBER_TEXT_BYTES])
{
    if (rows_is_null(rows, i))
        return STR_NONE;
    if (kind == COLUMN_BOOL)
        return rows_bool(rows, i) ? STR("true") : STR("false");
    if (kind == COLUMN_FLOAT) {
        double value = rows_f64(rows, i);
        return isfinite(value) ? (struct str){room, number_format(value, room)} : STR_NONE;
    }
    return rows_text(rows, i);
}

static enum status send_row(struct delivery *d, const struct mart *mart, const size_t *columns,
                            size_t n, const struct rows *rows, struct err *err)
{
    struct str fields[DB_COPY_COLUMNS_MAX];
    char rooms[DB_COPY_COLUMNS_MAX][NUMBER_TEXT_BYTES];
    for (size_t i = 0; i < n; i++)
        fields[i] = field_of(rows, i, mart->columns[columns[i]].kind, rooms[i]);
    return publish_row(d->publish, fields, err);
}

static enum status select_of(const struct mart *mart, const size_t *columns, size_t n,
                             const char *what, struct buf *out, struct err *err)
{
    buf_add_c(out, "SELECT ");
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(mart->columns[columns[i]].name));
    buf_printf(out, " FROM %s", what);
    return buf_c_str(out) == NULL ? err_out_of_memory(err) : STATUS_OK;
}

/* The columns of the mart that are to be staged, and which rows. */
struct news {
    const struct mart *mart;
    size_t columns[DB_COPY_COLUMNS_MAX];
    struct str names[DB_COPY_COLUMNS_MAX];
    size_t n;
    char what[160]; /* "mart_x WHERE load_id > 7" */
};

static enum status send_rows(struct delivery *d, const struct news *news, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char sql[SQL_BYTES_MAX];
    struct buf text;
    bool has_row = false;
    buf_init_fixed(&text, sql, sizeof sql);
    enum status s = select_of(news->mart, news->columns, news->n, news->what, &text, err);
    if (s == STATUS_OK)
        s = db_query_stream(d->from, sql, NO_PARAMS, &rows, err);
    if (s == STATUS_OK)
        s = publish_mart_begin(d->publish, news->mart->name, PUBLISH_MERGE, news->names, news->n,
                               err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = send_row(d, news->mart, news->columns, news->n, &rows, err);
    return s == STATUS_OK ? publish_mart_end(d->publish, err) : s;
}

static enum status send_mart(struct delivery *d, size_t at, const struct mart *mart,
                             struct err *err)
{
    struct news news = {.mart = mart};
    news.n = staged_columns(mart, news.columns);
    for (size_t i = 0; i < news.n; i++)
        news.names[i] = mart->columns[news.columns[i]].name;
    (void)snprintf(news.what, sizeof news.what, "%s WHERE load_id > %lld", gold_marts[at].name,
                   (long long)d->since[at]);
    if (!publish_can_pull(d->publish, d->from))
        return send_rows(d, &news, err);
    return publish_mart_pull(d->publish, mart->name, news.names, news.n, d->from, news.what, err);
}

/* What was made anew as a whole. The texts are of the arena. */
static enum status read_scopes(struct delivery *d, size_t at, struct arena *arena, struct str **ret,
                               size_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    size_t cap = 0;
    bool has_row = false;
    enum status s =
        db_query(d->from, "SELECT DISTINCT scope FROM load_scope WHERE mart = $1 AND load_id > $2",
                 PARAMS(db_text(str_of(gold_marts[at].name)), db_i64(d->since[at])), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct str scope = rows_text(&rows, 0);
        struct str *all = arena_reserve(arena, *ret, *ret_n + 1, &cap, sizeof *all);
        char *copy = arena_dup(arena, scope);
        if (all == NULL || copy == NULL)
            return err_out_of_memory(err);
        *ret = all;
        all[(*ret_n)++] = (struct str){copy, scope.len};
    }
    return s;
}

static enum status has_news(struct delivery *d, size_t at, bool *ret, struct err *err)
{
    char sql[128];
    int64_t found = 0;
    (void)snprintf(sql, sizeof sql, "SELECT 1 FROM %s WHERE load_id > $1 LIMIT 1",
                   gold_marts[at].name);
    enum status s = warehouse_number(d->from, sql, PARAMS(db_i64(d->since[at])), &found, err);
    *ret = found != 0;
    return s;
}

/* When there is anything to say of it. */
static enum status send_news(struct delivery *d, size_t at, const struct mart *mart,
                             struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str *scopes = NULL;
    size_t n_scopes = 0;
    bool is_new = false;
    arena_init(&arena, SCOPES_BYTES_MAX);
    enum status s = read_scopes(d, at, &arena, &scopes, &n_scopes, err);
    if (s == STATUS_OK)
        s = has_news(d, at, &is_new, err);
    if (s != STATUS_OK || (!is_new && n_scopes == 0))
        return s;
    publish_within(d->publish, scopes, n_scopes);
    return send_mart(d, at, mart, err);
}

static enum status send_all(struct delivery *d, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < GOLD_MARTS && s == STATUS_OK; i++) {
        const struct mart *mart = catalog_mart(d->catalog, str_of(gold_marts[i].name));
        if (stop_is_raised(d->stop))
            return stop_status(d->stop, err);
        if (mart == NULL || (d->is_held[i] && !d->task->force))
            continue;
        s = send_news(d, i, mart, err);
    }
    return s;
}

/* After the commit of the serving database: sending the same rows again does no harm. */
static enum status note_sent(const struct delivery *d, struct db_pool *warehouse,
                             int64_t generation, struct err *err)
{
    CLEANUP(db_releasep) struct db *db = NULL;
    enum status s = db_acquire(warehouse, DB_WRITE, d->stop, &db, err);
    if (s == STATUS_OK)
        s = db_begin(db, err);
    if (s == STATUS_OK)
        s = db_lock_writers(db, err);
    for (size_t i = 0; i < GOLD_MARTS && s == STATUS_OK; i++) {
        struct db_param name = db_text(str_of(gold_marts[i].name));
        if (d->is_held[i] && !d->task->force)
            continue;
        s = db_exec(db, "DELETE FROM load_published WHERE mart = $1", &name, 1, NULL, err);
        if (s == STATUS_OK)
            s = db_exec(
                db, "INSERT INTO load_published (mart, load_id, generation) VALUES ($1, $2, $3)",
                PARAMS(name, db_i64(d->last), db_i64(generation)), NULL, err);
    }
    return s == STATUS_OK ? db_commit(db, err) : s;
}

/* One snapshot for all marts. Rows come in the order in which they lie: that of the marts' keys, where they came at once. */
static enum status begin_reading(struct delivery *d, struct err *err)
{
    enum status s = db_begin(d->from, err);
    if (s == STATUS_OK && db_kind(d->from) == DB_POSTGRESQL)
        s = db_exec(d->from, "SET LOCAL max_parallel_workers_per_gather TO 0", NO_PARAMS, NULL,
                    err);
    return s == STATUS_OK ? read_since(d, err) : s;
}

static enum status deliver(struct delivery *d, struct db *to, struct publish_result *ret,
                           struct err *err)
{
    enum status s = begin_reading(d, err);
    if (s == STATUS_OK)
        s = read_failing(d, err);
    if (s == STATUS_OK)
        s = publish_begin(to, d->catalog, &d->publish, err);
    if (s != STATUS_OK)
        return s;
    s = warehouse_freshness(d->from, (int32_t)(clock_wall_s() / 86400), d->publish, d->stale, err);
    int64_t before = publish_staged(d->publish);
    if (s == STATUS_OK)
        s = send_all(d, err);
    d->n_rows = publish_staged(d->publish) - before;
    if (s == STATUS_OK)
        return publish_commit(d->publish, d->task->generations, ret, err);
    publish_abort(d->publish);
    return s;
}

enum status warehouse_publish(struct db_pool *warehouse, struct db_pool *serving,
                              const struct warehouse_task *task, const struct stop *stop,
                              struct warehouse_report *ret, struct err *err)
{
    CLEANUP(db_releasep) struct db *from = NULL;
    CLEANUP(db_releasep) struct db *to = NULL;
    CLEANUP(catalog_unrefp) struct catalog *catalog = NULL;
    struct publish_result result = {0};
    enum status s = db_acquire(warehouse, DB_READ, stop, &from, err);
    if (s == STATUS_OK)
        s = db_acquire(serving, DB_WRITE, stop, &to, err);
    if (s == STATUS_OK)
        s = catalog_load(to, &catalog, err);
    struct delivery d = {.from = from, .catalog = catalog, .task = task, .stop = stop};
    if (s == STATUS_OK)
        s = deliver(&d, to, &result, err);
    db_release(from);
    from = NULL;
    if (s == STATUS_OK)
        s = note_sent(&d, warehouse, result.generation, err);
    if (s != STATUS_OK)
        return s;
    *ret = (struct warehouse_report){.load_id = d.last,
                                     .n_rows = d.n_rows,
                                     .n_changed = result.inserted + result.updated,
                                     .generation = result.generation,
                                     .is_blocked = d.failing[0] != '\0' && !task->force};
    memcpy(ret->stale, d.stale, sizeof ret->stale);
    if (ret->is_blocked)
        return err_set(
            err, STATUS_BAD_DATA,
            "%s fails its contract on %s (%s): the marts that it feeds stay as they were.",
            d.failing, d.failing_day, d.failing_reason);
    return STATUS_OK;
}
