/* factor_levels.c - rows by date, and how old they may be. */
#include "backtest/factor_levels.h"

#include "backtest/align.h"
#include "backtest/basis.h"
#include "backtest/fx_table.h"
#include "backtest/record.h"

#include <math.h>

enum status factor_table_of_returns(const int32_t *date, const double *r, size_t n,
                                    struct arena *arena, struct factor_table *ret, struct err *err)
{
    int32_t *day = arena_array(arena, n + 1, sizeof *day);
    double *level = arena_array(arena, n + 1, sizeof *level);
    if (day == NULL || level == NULL)
        return err_out_of_memory(err);
    day[0] = record_start(date, n);
    level[0] = 1;
    for (size_t i = 0; i < n; i++) {
        day[i + 1] = date[i];
        level[i + 1] = level[i] * (1 + r[i]);
    }
    *ret = (struct factor_table){day, level, n + 1};
    return STATUS_OK;
}

void factor_levels(const struct factor_table *table, const int32_t *day, size_t n, double *ret)
{
    size_t next = 0; /* first row after the day */
    for (size_t i = 0; i < n; i++) {
        while (next < table->n && table->date[next] <= day[i])
            next++;
        bool is_known = next > 0 && day[i] - table->date[next - 1] <= FACTOR_STALE_DAYS;
        ret[i] = is_known ? table->level[next - 1] : (double)NAN;
    }
}

/* The days as a clock on which everything of a day is known. */
static enum status make_clock(const int32_t *day, size_t n, struct arena *arena, struct dated *ret,
                              struct err *err)
{
    int64_t *known_at = arena_array(arena, n, sizeof *known_at);
    if (known_at == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++)
        known_at[i] = INT64_MAX;
    *ret = (struct dated){n, day, known_at};
    return STATUS_OK;
}

enum status factor_levels_of(const struct factor_instrument *instrument, const int32_t *day,
                             size_t n, struct arena *arena, double *ret, struct err *err)
{
    const struct price_series *series = market_find(instrument->market, instrument->uid);
    struct fx_table fx;
    struct dated clock = {.n = 0};
    const struct basis_mode mode = {PRICES_ADJUSTED, DIVIDENDS_REINVEST, SPIN_OFFS_SELL};
    struct basis basis;
    size_t currency = 0;
    if (series == NULL)
        return market_unknown(instrument->market, instrument->uid, err);
    enum status s = market_check_series(series, PRICES_ADJUSTED, err);
    if (s == STATUS_OK)
        s = basis_init(&basis, series, series->n, mode, arena, err);
    if (s == STATUS_OK)
        s = make_clock(day, n, arena, &clock, err);
    if (s == STATUS_OK)
        s = fx_table_init(&fx, arena, 2, instrument->currency, err);
    if (s == STATUS_OK)
        s = fx_table_add(&fx, instrument->market, clock, series->currency, &currency, err);
    if (s != STATUS_OK)
        return s;
    double *level = arena_array(arena, series->n, sizeof *level);
    if (level == NULL)
        return err_out_of_memory(err);
    for (size_t row = 0; row < series->n; row++)
        level[row] = basis_value(&basis, row);
    factor_levels(&(struct factor_table){series->date, level, series->n}, day, n, ret);
    for (size_t i = 0; i < n; i++)
        ret[i] *= fx.rate[currency][i];
    return STATUS_OK;
}
