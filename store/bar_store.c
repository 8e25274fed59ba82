/* bar_store.c - reads bars into columns; backtests ask it through handlers/backtest_market.c. */
#include "store/bar_store.h"

#include "base/array.h"
#include "store/generation.h"
#include "store/statements.h"

#include <math.h>
#include <stdlib.h>

enum { HALTED = 4 };

/* The doubles of a row, in the order of the statement and of column_of. */
enum { PRICE, CLOSE, OPEN, HIGH, LOW, VOLUME, DIVIDEND, SPLIT, N_VALUES };

static const char stmt_bars_load[] =
    "SELECT date, known_at, quality, source, adj_close, close, open, high, low, volume, dividend, "
    "split_ratio "
    "FROM gen_price_daily WHERE uid = $1 AND gen_from <= $2 AND gen_to > $2 "
    "AND (adj_close IS NOT NULL OR close IS NOT NULL) ORDER BY date LIMIT 200000";
enum { FIRST_VALUE = 4 };

struct bar_row {
    int32_t date;
    int64_t known_at;
    double value[N_VALUES];
};

/* Rows as they arrive; their number is known only at the end, when exact columns go to the arena. */
struct bar_rows {
    struct bar_row *row;
    size_t n, cap;
    int quality;
    bool is_simulated;
    bool has_value[N_VALUES];
};

static enum status add_row(struct bar_rows *to, const struct rows *rows, struct err *err)
{
    struct bar_row row, *all = heap_reserve(to->row, to->n + 1, &to->cap, sizeof *all);
    if (all == NULL)
        return err_request_memory(err);
    to->row = all;
    if (!rows_date(rows, 0, &row.date) || !rows_instant(rows, 1, &row.known_at))
        return err_set(err, STATUS_DB_ERROR,
                       "A stored row has a date or instant that cannot be read.");
    int quality = (int)rows_i64(rows, 2);
    for (size_t i = 0; i < N_VALUES; i++) {
        bool is_hidden = (quality & HALTED) != 0 && (i == PRICE || i == CLOSE || i == OPEN);
        row.value[i] = is_hidden ? (double)NAN : rows_f64(rows, FIRST_VALUE + i);
        if (isinf(row.value[i]))
            return err_set(err, STATUS_DB_ERROR, "A stored row has a price that cannot be read.");
        to->has_value[i] = to->has_value[i] || !isnan(row.value[i]);
    }
    to->row[to->n++] = row;
    to->quality |= quality;
    to->is_simulated = to->is_simulated || str_eq(rows_text(rows, 3), STR("simulated"));
    return STATUS_OK;
}

static enum status read_rows(struct db *db, struct str uid, int64_t generation, struct bar_rows *to,
                             struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s =
        db_query(db, stmt_bars_load, PARAMS(db_text(uid), db_i64(generation)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_row(to, &rows, err);
    return s;
}

static enum status to_columns(const struct bar_rows *read, struct arena *arena,
                              struct bar_columns *ret, struct err *err)
{
    struct bar_columns c = {.n = read->n,
                            .date = arena_array(arena, read->n, sizeof *c.date),
                            .known_at = arena_array(arena, read->n, sizeof *c.known_at),
                            .quality = read->quality,
                            .is_simulated = read->is_simulated};
    double **const column_of[N_VALUES] = {
        [PRICE] = &c.price, [CLOSE] = &c.close,   [OPEN] = &c.open,         [HIGH] = &c.high,
        [LOW] = &c.low,     [VOLUME] = &c.volume, [DIVIDEND] = &c.dividend, [SPLIT] = &c.split,
    };
    if (c.date == NULL || c.known_at == NULL)
        return err_request_memory(err);
    for (size_t k = 0; k < N_VALUES; k++) {
        if (!read->has_value[k])
            continue;
        double *values = arena_array(arena, read->n, sizeof *values);
        if (values == NULL)
            return err_request_memory(err);
        for (size_t i = 0; i < read->n; i++)
            values[i] = read->row[i].value[k];
        *column_of[k] = values;
    }
    for (size_t i = 0; i < read->n; i++) {
        c.date[i] = read->row[i].date;
        c.known_at[i] = read->row[i].known_at;
    }
    *ret = c;
    return STATUS_OK;
}

enum status bars_load(struct db *db, struct str uid, int64_t generation, struct arena *arena,
                      struct bar_columns *ret, struct err *err)
{
    struct bar_rows read = {0};
    enum status s = generation_pin(db, generation, err);
    if (s == STATUS_OK)
        s = read_rows(db, uid, generation, &read, err);
    if (s == STATUS_OK)
        s = to_columns(&read, arena, ret, err);
    free(read.row);
    return s;
}

const struct statement bar_statements[] = {STATEMENT(stmt_bars_load), STATEMENTS_END};
