/* backtest_store.c - content-addressed answers; bodies are stored as zstd, older ones as gzip. */
#include "store/backtest_store.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/gzip.h"
#include "base/zstd.h"
#include "store/statements.h"

#include <math.h>

enum { BODY_BYTES_MAX = 256 << 20, PACK_LEVEL = 1 };

static const char stmt_backtest_load[] = "SELECT body FROM backtest_result WHERE id = $1";
static const char stmt_backtest_exists[] = "SELECT id FROM backtest_result WHERE id = $1";
static const char stmt_backtest_save[] =
    "INSERT INTO backtest_result (id, spec, generation, body, created_at, strategy, currency, "
    "start_on, end_on, n_assets, total_return, cagr, sharpe, max_drawdown) VALUES ($1, $2, $3, $4, "
    "$5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO NOTHING";
static const char stmt_backtest_delete[] = "DELETE FROM backtest_result WHERE id = $1";
static const char stmt_backtest_old[] =
    "SELECT id FROM backtest_result WHERE created_at < $1 ORDER BY created_at LIMIT 1";
static const char stmt_backtest_purge_old[] =
    "DELETE FROM backtest_result WHERE id IN (SELECT id FROM backtest_result WHERE created_at < $1 "
    "ORDER BY created_at, id LIMIT 1000)";
static const char stmt_backtest_count[] = "SELECT COUNT(*) FROM backtest_result";
static const char stmt_backtest_purge_many[] =
    "DELETE FROM backtest_result WHERE id IN (SELECT id FROM backtest_result "
    "ORDER BY created_at, id LIMIT $1)";

enum status backtest_pack(struct str body, struct arena *arena, struct str *ret, struct err *err)
{
    return zstd_pack(body, PACK_LEVEL, arena, ret, err);
}

enum status backtest_unpack(struct str packed, struct arena *arena, struct str *ret,
                            struct err *err)
{
    return zstd_is_frame(packed) ? zstd_unpack(packed, BODY_BYTES_MAX, arena, ret, err)
                                 : gzip_unpack(packed, BODY_BYTES_MAX, arena, ret, err);
}

enum status backtest_load(struct db *db, struct str id, struct arena *arena, struct str *ret_body,
                          bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    struct str body = STR_NONE;
    enum status s = db_query_one(db, stmt_backtest_load, PARAMS(db_text(id)), &rows, &found, err);
    if (s == STATUS_OK && found)
        s = backtest_unpack(rows_bytes(&rows, 0), arena, &body, err);
    if (s == STATUS_BAD_DATA || s == STATUS_TOO_LARGE)
        s = err_set(err, STATUS_DB_ERROR, "A stored backtest is damaged.");
    if (s != STATUS_OK)
        return s;
    *ret_body = body;
    *ret_found = found;
    return STATUS_OK;
}

enum status backtest_exists(struct db *db, struct str id, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    return db_query_one(db, stmt_backtest_exists, PARAMS(db_text(id)), &rows, ret, err);
}

static struct db_param number_or_null(double value)
{
    return isfinite(value) ? db_f64(value) : db_text(STR_NONE);
}

enum status backtest_save(struct db *db, struct str id, struct str spec, int64_t generation,
                          struct str body, const struct backtest_summary *summary, struct err *err)
{
    static const struct backtest_summary nothing = {.start = DATE_NONE, .end = DATE_NONE};
    bool has_summary = summary != NULL;
    const struct backtest_summary *of = has_summary ? summary : &nothing;
    char start[DATE_TEXT_BYTES], end[DATE_TEXT_BYTES];
    CLEANUP(arena_clear) struct arena arena;
    char now[INSTANT_TEXT_BYTES];
    struct str packed = body;
    arena_init(&arena, body.len + body.len / 8 + (1 << 20));
    enum status s = zstd_is_frame(body) ? STATUS_OK : backtest_pack(body, &arena, &packed, err);
    if (s != STATUS_OK)
        return s;
    instant_format(clock_wall_s(), now);
    return db_exec(db, stmt_backtest_save,
                   PARAMS(db_text(id), db_text(spec), db_i64(generation), db_bytes(packed),
                          db_text(str_of(now)), db_text(of->strategy), db_text(of->currency),
                          has_summary ? db_date(of->start, start) : db_text(STR_NONE),
                          has_summary ? db_date(of->end, end) : db_text(STR_NONE),
                          has_summary ? db_i64(of->n_assets) : db_text(STR_NONE),
                          number_or_null(has_summary ? of->total_return : (double)NAN),
                          number_or_null(has_summary ? of->cagr : (double)NAN),
                          number_or_null(has_summary ? of->sharpe : (double)NAN),
                          number_or_null(has_summary ? of->max_drawdown : (double)NAN)),
                   NULL, err);
}

enum status backtest_delete(struct db *db, struct str id, bool *ret_found, struct err *err)
{
    int64_t changed = 0;
    enum status s = db_exec(db, stmt_backtest_delete, PARAMS(db_text(id)), &changed, err);
    *ret_found = changed > 0;
    return s;
}

static enum status purge_old(struct db *db, const char *before, int64_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s =
        db_query_one(db, stmt_backtest_old, PARAMS(db_text(str_of(before))), &rows, &found, err);
    rows_clear(&rows);
    return s == STATUS_OK && found
               ? db_exec(db, stmt_backtest_purge_old, PARAMS(db_text(str_of(before))), ret_n, err)
               : s;
}

static enum status purge_many(struct db *db, int64_t max, int64_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    enum status s = db_query_one(db, stmt_backtest_count, NO_PARAMS, &rows, &found, err);
    int64_t n_over = s == STATUS_OK ? rows_i64(&rows, 0) - max : 0;
    rows_clear(&rows);
    if (s != STATUS_OK || n_over <= 0)
        return s;
    return db_exec(db, stmt_backtest_purge_many, PARAMS(db_i64(n_over < 1000 ? n_over : 1000)),
                   ret_n, err);
}

enum status backtest_purge(struct db *db, const char *before, int64_t max, int64_t *ret_n,
                           struct err *err)
{
    int64_t n_old = 0, n_many = 0;
    enum status s = before[0] == '\0' ? STATUS_OK : purge_old(db, before, &n_old, err);
    if (s == STATUS_OK)
        s = purge_many(db, max, &n_many, err);
    *ret_n = n_old + n_many;
    return s;
}

const struct statement backtest_statements[] = {STATEMENT(stmt_backtest_load),
                                                STATEMENT(stmt_backtest_save),
                                                STATEMENT(stmt_backtest_exists),
                                                STATEMENT(stmt_backtest_delete),
                                                STATEMENT(stmt_backtest_old),
                                                STATEMENT(stmt_backtest_purge_old),
                                                STATEMENT(stmt_backtest_count),
                                                STATEMENT(stmt_backtest_purge_many),
                                                STATEMENTS_END};
