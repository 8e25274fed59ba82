/* action_store.c - reads corporate actions; backtests ask it through handlers/market_read.c. */
#include "store/action_store.h"

#include "base/array.h"
#include "base/date.h"
#include "store/generation.h"
#include "store/statements.h"

static const char stmt_actions_load[] =
    "SELECT date, kind, into_uid, pay_date, ratio, cash FROM gen_corporate_action "
    "WHERE uid = $1 AND gen_from <= $2 AND gen_to > $2 ORDER BY date, kind, into_uid LIMIT 10000";

static struct str copy(struct arena *arena, struct str text)
{
    return (struct str){arena_dup(arena, text), text.len};
}

static enum status take_row(const struct rows *rows, struct arena *arena, struct stored_action *to,
                            struct err *err)
{
    *to = (struct stored_action){.kind = copy(arena, rows_text(rows, 1)),
                                 .into = copy(arena, rows_text(rows, 2)),
                                 .pay_date = DATE_NONE,
                                 .ratio = rows_f64(rows, 4),
                                 .cash = rows_f64(rows, 5)};
    if (to->kind.ptr == NULL || to->into.ptr == NULL)
        return err_request_memory(err);
    bool has_pay_date = rows_text(rows, 3).ptr != NULL;
    if (!rows_date(rows, 0, &to->date) || (has_pay_date && !rows_date(rows, 3, &to->pay_date)))
        return err_set(err, STATUS_DB_ERROR,
                       "A stored corporate action has a date that cannot be read.");
    return STATUS_OK;
}

static enum status take_rows(struct rows *rows, struct arena *arena, struct stored_action **ret,
                             size_t *ret_n, struct err *err)
{
    struct stored_action *all = NULL;
    size_t n = 0, cap = 0;
    bool has_row = false;
    enum status s;
    while ((s = rows_next(rows, &has_row, err)) == STATUS_OK && has_row) {
        all = arena_reserve(arena, all, n + 1, &cap, sizeof *all);
        if (all == NULL)
            return err_request_memory(err);
        s = take_row(rows, arena, &all[n], err);
        if (s != STATUS_OK)
            return s;
        n++;
    }
    *ret = all;
    *ret_n = n;
    return s;
}

enum status actions_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                         struct stored_action **ret, size_t *ret_n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    enum status s = generation_pin(db, generation, err);
    if (s == STATUS_OK)
        s = db_query(db, stmt_actions_load, PARAMS(db_text(uid), db_i64(generation)), &rows, err);
    return s == STATUS_OK ? take_rows(&rows, arena, ret, ret_n, err) : s;
}

const struct statement action_statements[] = {STATEMENT(stmt_actions_load), STATEMENTS_END};
