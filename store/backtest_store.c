/* backtest_store.c - content-addressed answers; bodies are stored as gzip. */
#include "store/backtest_store.h"

#include "base/clock.h"
#include "base/date.h"
#include "base/gzip.h"
#include "store/statements.h"

enum { BODY_BYTES_MAX = 256 << 20, PACK_LEVEL = 6 };

static const char stmt_backtest_load[] = "SELECT body FROM backtest_result WHERE id = $1";
static const char stmt_backtest_save[] =
    "INSERT INTO backtest_result (id, spec, generation, body, created_at) "
    "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING";

enum status backtest_load(struct db *db, struct str id, struct arena *arena, struct str *ret_body,
                          bool *ret_found, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool found = false;
    struct str body = STR_NONE;
    enum status s = db_query_one(db, stmt_backtest_load, PARAMS(db_text(id)), &rows, &found, err);
    if (s == STATUS_OK && found)
        s = gzip_unpack(rows_bytes(&rows, 0), BODY_BYTES_MAX, arena, &body, err);
    if (s == STATUS_BAD_DATA || s == STATUS_TOO_LARGE)
        s = err_set(err, STATUS_DB_ERROR, "A stored backtest is damaged.");
    if (s != STATUS_OK)
        return s;
    *ret_body = body;
    *ret_found = found;
    return STATUS_OK;
}

enum status backtest_save(struct db *db, struct str id, struct str spec, int64_t generation,
                          struct str body, struct err *err)
{
    CLEANUP(arena_clear) struct arena arena;
    char now[INSTANT_TEXT_BYTES];
    struct str packed;
    arena_init(&arena, body.len + body.len / 8 + (1 << 20));
    enum status s = gzip_pack(body, PACK_LEVEL, &arena, &packed, err);
    if (s != STATUS_OK)
        return s;
    instant_format(clock_wall_s(), now);
    return db_exec(db, stmt_backtest_save,
                   PARAMS(db_text(id), db_text(spec), db_i64(generation), db_bytes(packed),
                          db_text(str_of(now))),
                   NULL, err);
}

const struct statement backtest_statements[] = {STATEMENT(stmt_backtest_load),
                                                STATEMENT(stmt_backtest_save), STATEMENTS_END};
