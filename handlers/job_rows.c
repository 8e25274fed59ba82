/*
 * job_rows.c - tables of our own answered like marts: the rows of a batch, the caller's jobs, finished backtests. Each
 * is described by a struct mart that no catalogue lists; filters, order, pages, formats and streams are rows_answer's.
 */
#include "handlers/handlers.h"

#include "handlers/backtest_keeper.h"
#include "handlers/database.h"
#include "handlers/ingest_request.h"
#include "handlers/job_answer.h"
#include "handlers/params.h"
#include "handlers/rows_answer.h"
#include "handlers/sweep.h"
#include "server/app.h"
#include "store/backtest_item_store.h"

#include <stdio.h>
#include <string.h>

/* Parameters that are not column names. */
static const char *const row_parameters[] = {"select", "order", "limit",         "offset",
                                             "cursor", "count", TABLE_PARAMETERS};

/* The longest time that a list waits for what was answered before it, and is still to be stored. */
enum { SETTLE_MS = 1000 };

enum { COLUMNS_MAX = 16 + SWEEP_POINTERS_MAX + BACKTEST_ROW_METRICS };

struct described {
    struct mart mart;
    struct mart_column *columns;
    size_t key;
    bool is_full;
};

static struct described *new_table(struct request *request, const char *name, const char *table)
{
    struct described *described = ARENA_NEW(&request->arena, struct described);
    if (described == NULL)
        return NULL;
    described->columns = arena_array(&request->arena, COLUMNS_MAX, sizeof(struct mart_column));
    described->mart = (struct mart){.name = str_of(name),
                                    .title = STR(""),
                                    .description = STR(""),
                                    .grain = STR(""),
                                    .is_internal = true,
                                    .source_table = str_of(table),
                                    .columns = described->columns,
                                    .key = &described->key,
                                    .n_key = 1,
                                    .time_column = -1,
                                    .n_rows = -1,
                                    .n_rows_estimated = -1,
                                    .as_of = STR("")};
    return described->columns == NULL ? NULL : described;
}

static bool has_column(const struct described *described, struct str name)
{
    return mart_column_index(&described->mart, name) >= 0;
}

/* source: the database's name of it; NULL: the same. */
static void add_column(struct described *described, const char *name, const char *source,
                       enum column_kind kind, bool is_nullable)
{
    if (described->mart.n_columns == COLUMNS_MAX || has_column(described, str_of(name)))
        return;
    described->columns[described->mart.n_columns++] =
        (struct mart_column){.name = str_of(name),
                             .type = STR(""),
                             .source = source == NULL ? STR_NONE : str_of(source),
                             .kind = kind,
                             .is_nullable = is_nullable,
                             .is_indexed = true,
                             .unit = STR(""),
                             .description = STR("")};
}

static void set_key(struct described *described, const char *name)
{
    int at = mart_column_index(&described->mart, str_of(name));
    described->key = at < 0 ? 0 : (size_t)at;
    described->columns[described->key].is_key = true;
}

static enum status begin(struct request *request, const struct described *described,
                         const char *about, struct rows_request *rows, struct err *err)
{
    rows->query = ARENA_NEW(&request->arena, struct mart_query);
    struct filter *filters = arena_array(&request->arena, MART_FILTERS_MAX + 1, sizeof *filters);
    if (rows->query == NULL || filters == NULL)
        return err_out_of_memory(err);
    *rows->query = (struct mart_query){
        .mart = &described->mart, .filters = filters, .limit = MART_LIMIT_DEFAULT};
    rows->version = (struct mart_version){.as_of = STR("")};
    rows->describedby = str_of(about);
    return STATUS_OK;
}

/* A filter on a column that is not shown unless it is asked for. */
static enum status hide(struct request *request, struct rows_request *rows, size_t n_hidden,
                        struct err *err)
{
    struct mart_query *query = rows->query;
    if (query->n_select > 0)
        return STATUS_OK;
    size_t n = query->mart->n_columns - n_hidden;
    query->select = arena_array(&request->arena, n, sizeof *query->select);
    if (query->select == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        query->select[i] = i + n_hidden;
    query->n_select = n;
    return STATUS_OK;
}

static enum status finish(struct request *request, struct rows_request *rows, size_t n_hidden,
                          const char *default_order, struct err *err)
{
    enum status s =
        rows_read_filters(request, rows, row_parameters, ARRAY_LEN(row_parameters), err);
    if (s == STATUS_OK)
        s = rows_read_page(request, rows, err);
    if (s == STATUS_OK && default_order != NULL && rows->query->n_order == 0)
        s = order_parse(rows->query->mart, str_of(default_order), &request->arena, rows->query,
                        err);
    if (s == STATUS_OK)
        s = hide(request, rows, n_hidden, err);
    return s != STATUS_OK ? s : rows_answer(request, rows, err);
}

static void add_parameter(struct request *request, struct described *described,
                          const struct sweep_parameter *parameter)
{
    char source[16];
    if (parameter->slot < 0)
        return;
    (void)snprintf(source, sizeof source, "%c%d", parameter->is_number ? 'n' : 't',
                   parameter->slot + 1);
    const char *name = arena_dup(&request->arena, str_of(parameter->name));
    const char *from = arena_dup(&request->arena, str_of(source));
    if (name == NULL || from == NULL)
        described->is_full = true;
    else
        add_column(described, name, from, parameter->is_number ? COLUMN_FLOAT : COLUMN_TEXT, true);
}

static enum status describe_items(struct request *request, const struct job_record *job,
                                  struct described **ret, struct err *err)
{
    struct sweep_kept kept;
    struct described *described = new_table(request, "backtest_rows", "backtest_item");
    if (described == NULL)
        return err_out_of_memory(err);
    enum status s = sweep_recall(job->request, &request->arena, &kept, err);
    if (s != STATUS_OK)
        return s;
    add_column(described, "job", "job_id", COLUMN_TEXT, false);
    add_column(described, "item", NULL, COLUMN_INT, false);
    add_column(described, "is_done", NULL, COLUMN_BOOL, false);
    add_column(described, "id", NULL, COLUMN_TEXT, true);
    add_column(described, "error", NULL, COLUMN_TEXT, true);
    add_column(described, "detail", NULL, COLUMN_TEXT, true);
    add_column(described, "final_equity", NULL, COLUMN_FLOAT, true);
    for (size_t i = 0; i < BACKTEST_ROW_METRICS; i++)
        add_column(described, backtest_row_names[i], NULL, COLUMN_FLOAT, true);
    add_column(described, "parameters", NULL, COLUMN_TEXT, true);
    for (size_t i = 0; i < kept.n_parameters; i++)
        add_parameter(request, described, &kept.parameters[i]);
    set_key(described, "item");
    *ret = described;
    return described->is_full ? err_out_of_memory(err) : STATUS_OK;
}

/* The rows of a batch: one for each item, finished or not. */
enum status job_rows_get(struct request *request, struct err *err)
{
    struct rows_request rows = {0};
    struct job_record job;
    struct described *described = NULL;
    struct db *db = NULL;
    enum status s = database_acquire(request, DB_READ, &db, err);
    if (s == STATUS_OK)
        s = job_find(request, db, request->path_params[0], &job, err);
    db_release(db);
    if (s == STATUS_OK && str_eq_c(job.type, INGEST_JOB_TYPE))
        return err_set(err, STATUS_NOT_FOUND, "A job of ingestion has stages and no rows.");
    if (s == STATUS_OK)
        s = describe_items(request, &job, &described, err);
    if (s == STATUS_OK)
        s = begin(request, described, "/docs", &rows, err);
    if (s == STATUS_OK)
        s = rows_add_equal(request, &rows, "job", job.id, err);
    return s != STATUS_OK ? s : finish(request, &rows, 1, NULL, err);
}

/* The caller's jobs, newest first; of everyone for an administrator. */
enum status jobs_list(struct request *request, struct err *err)
{
    struct rows_request rows = {0};
    char owner[24];
    struct described *described = new_table(request, "jobs", "job");
    bool is_admin = (request->principal.scopes & 1U << ACCESS_ADMIN) != 0;
    if (described == NULL)
        return err_out_of_memory(err);
    add_column(described, "owner", NULL, COLUMN_INT, false);
    add_column(described, "id", NULL, COLUMN_TEXT, false);
    add_column(described, "type", NULL, COLUMN_TEXT, false);
    add_column(described, "state", NULL, COLUMN_TEXT, false);
    add_column(described, "items", "n_items", COLUMN_INT, false);
    add_column(described, "done", "n_done", COLUMN_INT, false);
    add_column(described, "failed", "n_failed", COLUMN_INT, false);
    add_column(described, "cells", "cost", COLUMN_INT, false);
    add_column(described, "attempt", NULL, COLUMN_INT, false);
    add_column(described, "created_ms", NULL, COLUMN_INT, false);
    add_column(described, "started_ms", NULL, COLUMN_INT, true);
    add_column(described, "finished_ms", NULL, COLUMN_INT, true);
    set_key(described, "id");
    enum status s = begin(request, described, "/docs", &rows, err);
    (void)snprintf(owner, sizeof owner, "%lld", (long long)job_owner(request));
    const char *copy = arena_dup(&request->arena, str_of(owner));
    if (s == STATUS_OK && copy == NULL)
        s = err_out_of_memory(err);
    if (s == STATUS_OK && !is_admin)
        s = rows_add_equal(request, &rows, "owner", str_of(copy), err);
    return s != STATUS_OK ? s : finish(request, &rows, 1, "created_ms.desc", err);
}

/* Finished backtests of this server's database, newest first. */
enum status backtests_list(struct request *request, struct err *err)
{
    struct rows_request rows = {0};
    backtest_keeper_settle(request->app->keeper, SETTLE_MS);
    struct described *described = new_table(request, "backtests", "backtest_result");
    if (described == NULL)
        return err_out_of_memory(err);
    add_column(described, "id", NULL, COLUMN_TEXT, false);
    add_column(described, "created_at", NULL, COLUMN_INSTANT, false);
    add_column(described, "generation", NULL, COLUMN_INT, false);
    add_column(described, "strategy", NULL, COLUMN_TEXT, true);
    add_column(described, "currency", NULL, COLUMN_TEXT, true);
    add_column(described, "start", "start_on", COLUMN_DATE, true);
    add_column(described, "end", "end_on", COLUMN_DATE, true);
    add_column(described, "assets", "n_assets", COLUMN_INT, true);
    add_column(described, "total_return", NULL, COLUMN_FLOAT, true);
    add_column(described, "cagr", NULL, COLUMN_FLOAT, true);
    add_column(described, "sharpe", NULL, COLUMN_FLOAT, true);
    add_column(described, "max_drawdown", NULL, COLUMN_FLOAT, true);
    set_key(described, "id");
    enum status s = begin(request, described, "/docs", &rows, err);
    return s != STATUS_OK ? s : finish(request, &rows, 0, "created_at.desc", err);
}
