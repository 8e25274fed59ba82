/* backtest_item_store.c - SQL of backtest_item. */
#include "store/backtest_item_store.h"

#include "base/number.h"
#include "store/statements.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const backtest_row_names[BACKTEST_ROW_METRICS] = {
#define ROW_METRIC(name) #name,
#include "store/backtest_row.def"
#undef ROW_METRIC
};

static const char stmt_items_open[] =
    "SELECT item, request, parameters FROM backtest_item "
    "WHERE job_id = $1 AND item > $2 AND NOT is_done ORDER BY item LIMIT $3";
static const char stmt_items_done[] =
    "SELECT item, request, parameters FROM backtest_item "
    "WHERE job_id = $1 AND item > $2 AND is_done AND error IS NULL ORDER BY item LIMIT $3";
static const char stmt_items_count[] =
    "SELECT COUNT(*), COUNT(error) FROM backtest_item WHERE job_id = $1 AND is_done";
static const char stmt_item_finish[] =
    "UPDATE backtest_item SET "
    "is_done = $3, id = $4, error = $5, detail = $6, final_equity = $7, "
    "total_return = $8, cagr = $9, volatility = $10, sharpe = $11, sortino = $12, "
    "calmar = $13, max_drawdown = $14, max_drawdown_days = $15, ulcer_index = $16, "
    "skewness = $17, kurtosis_excess = $18, var_95 = $19, cvar_95 = $20, "
    "best_year = $21, worst_year = $22, positive_months = $23, psr_0 = $24, "
    "turnover_annual = $25, cost_ratio = $26, exposure = $27, effective_n = $28, "
    "n_rebalances = $29, beta = $30, alpha = $31, tracking_error = $32, "
    "information_ratio = $33, excess_return = $34 "
    "WHERE job_id = $1 AND item = $2";
static const char stmt_item_find[] =
    "SELECT i.request, i.parameters, j.request, j.id FROM backtest_item AS i "
    "JOIN job AS j ON j.id = i.job_id WHERE i.id = $1 LIMIT 1";
static const char stmt_items_delete[] = "DELETE FROM backtest_item WHERE job_id = $1";

static const char *const columns[] = {
    "job_id", "item", "is_done", "request", "parameters", "n1", "n2", "n3", "n4", "n5", "n6", "n7",
    "n8",     "n9",   "n10",     "n11",     "n12",        "t1", "t2", "t3", "t4", "t5", "t6"};
enum { FIRST_NUMBER = 5, FIRST_TEXT = FIRST_NUMBER + ITEM_NUMBERS };
_Static_assert(ARRAY_LEN(columns) == FIRST_TEXT + ITEM_TEXTS, "a column for each value");

static enum status add_one(struct db *db, struct str job_id, int64_t number,
                           const struct backtest_item_new *item, struct err *err)
{
    char digits[24], numbers[ITEM_NUMBERS][NUMBER_TEXT_BYTES];
    struct str fields[ARRAY_LEN(columns)] = {job_id, STR_NONE, STR("0"), item->request,
                                             item->parameters};
    (void)snprintf(digits, sizeof digits, "%lld", (long long)number);
    fields[1] = str_of(digits);
    if (db_kind(db) == DB_POSTGRESQL)
        fields[2] = STR("false");
    for (size_t i = 0; i < ITEM_NUMBERS; i++) {
        fields[FIRST_NUMBER + i] = STR_NONE;
        if (isfinite(item->number[i]))
            fields[FIRST_NUMBER + i] =
                (struct str){numbers[i], number_format(item->number[i], numbers[i])};
    }
    memcpy(fields + FIRST_TEXT, item->text, sizeof item->text);
    return db_copy_row(db, fields, err);
}

enum status backtest_items_add(struct db *db, struct str job_id, int64_t first,
                               const struct backtest_item_new *items, size_t n, struct err *err)
{
    enum status s = db_copy_begin(db, "backtest_item", columns, ARRAY_LEN(columns), err);
    if (s != STATUS_OK)
        return s;
    for (size_t i = 0; i < n && s == STATUS_OK; i++)
        s = add_one(db, job_id, first + (int64_t)i, &items[i], err);
    if (s == STATUS_OK)
        return db_copy_end(db, err);
    db_copy_abort(db);
    return s;
}

static bool copy(const struct rows *rows, size_t column, struct arena *arena, struct str *ret)
{
    struct str text = rows_text(rows, column);
    *ret = STR_NONE;
    if (text.ptr == NULL)
        return true;
    *ret = (struct str){arena_dup(arena, text), text.len};
    return ret->ptr != NULL;
}

static enum status read_items(struct rows *rows, size_t max, struct arena *arena,
                              struct backtest_item *ret, size_t *ret_n, struct err *err)
{
    size_t n = 0;
    bool has_row = false;
    enum status s = STATUS_OK;
    while (n < max && (s = rows_next(rows, &has_row, err)) == STATUS_OK && has_row) {
        ret[n].item = rows_i64(rows, 0);
        if (!copy(rows, 1, arena, &ret[n].request) || !copy(rows, 2, arena, &ret[n].parameters))
            return err_out_of_memory(err);
        n++;
    }
    *ret_n = n;
    return s;
}

enum status backtest_items_open(struct db *db, struct str job_id, int64_t after, size_t max,
                                struct arena *arena, struct backtest_item *ret, size_t *ret_n,
                                struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query(db, stmt_items_open, PARAMS(db_text(job_id), db_i64(after), db_i64((int64_t)max)),
                 &rows, err);
    return s != STATUS_OK ? s : read_items(&rows, max, arena, ret, ret_n, err);
}

enum status backtest_items_done(struct db *db, struct str job_id, int64_t after, size_t max,
                                struct arena *arena, struct backtest_item *ret, size_t *ret_n,
                                struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s =
        db_query(db, stmt_items_done, PARAMS(db_text(job_id), db_i64(after), db_i64((int64_t)max)),
                 &rows, err);
    return s != STATUS_OK ? s : read_items(&rows, max, arena, ret, ret_n, err);
}

enum status backtest_items_count(struct db *db, struct str job_id, int64_t *ret_done,
                                 int64_t *ret_failed, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_items_count, PARAMS(db_text(job_id)), &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    *ret_done = rows_i64(&rows, 0);
    *ret_failed = rows_i64(&rows, 1);
    return STATUS_OK;
}

static struct db_param number_or_null(double value)
{
    return isfinite(value) ? db_f64(value) : db_text(STR_NONE);
}

enum status backtest_item_finish(struct db *db, struct str job_id, const struct backtest_row *row,
                                 struct err *err)
{
    struct db_param params[7 + BACKTEST_ROW_METRICS] = {
        db_text(job_id),
        db_i64(row->item),
        db_bool(true),
        db_text(row->id),
        db_text(row->error),
        db_text(row->detail),
        number_or_null(row->final_equity),
    };
    for (size_t i = 0; i < BACKTEST_ROW_METRICS; i++)
        params[7 + i] = number_or_null(row->metric[i]);
    return db_exec(db, stmt_item_finish, params, ARRAY_LEN(params), NULL, err);
}

enum status backtest_item_find(struct db *db, struct str id, struct arena *arena,
                               struct backtest_item *ret, struct str *ret_job_request,
                               bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    struct str request;
    struct backtest_item item = {.item = 0};
    enum status s = db_query_one(db, stmt_item_find, PARAMS(db_text(id)), &rows, &found, err);
    if (s != STATUS_OK)
        return s;
    *ret_found = found;
    if (!found)
        return STATUS_OK;
    if (!copy(&rows, 0, arena, &item.request) || !copy(&rows, 1, arena, &item.parameters) ||
        !copy(&rows, 2, arena, &request))
        return err_out_of_memory(err);
    *ret = item;
    *ret_job_request = request;
    return STATUS_OK;
}

enum status backtest_items_best(struct db *db, struct str job_id, enum backtest_row_metric metric,
                                bool is_lowest, struct arena *arena, struct backtest_best *ret,
                                bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char sql[512];
    const char *name = backtest_row_names[metric]; /* from our own table */
    (void)snprintf(sql, sizeof sql,
                   "SELECT item, id, parameters, %s FROM backtest_item WHERE job_id = $1 AND "
                   "%s IS NOT NULL ORDER BY %s %s, item LIMIT 1",
                   name, name, name, is_lowest ? "ASC" : "DESC");
    enum status s = db_query_one(db, sql, PARAMS(db_text(job_id)), &rows, ret_found, err);
    if (s != STATUS_OK || !*ret_found)
        return s;
    *ret = (struct backtest_best){.item = rows_i64(&rows, 0), .value = rows_f64(&rows, 3)};
    return copy(&rows, 1, arena, &ret->id) && copy(&rows, 2, arena, &ret->parameters)
               ? STATUS_OK
               : err_out_of_memory(err);
}

enum status backtest_items_delete(struct db *db, struct str job_id, struct err *err)
{
    return db_exec(db, stmt_items_delete, PARAMS(db_text(job_id)), NULL, err);
}

const struct statement backtest_item_statements[] = {STATEMENT(stmt_items_open),
                                                     STATEMENT(stmt_items_done),
                                                     STATEMENT(stmt_items_count),
                                                     STATEMENT(stmt_item_finish),
                                                     STATEMENT(stmt_item_find),
                                                     STATEMENT(stmt_items_delete),
                                                     STATEMENTS_END};
