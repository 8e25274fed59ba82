/* series_benchmark.c - the indices that risk is measured against, in memory. */
#include "ingest/series.h"
#include "ingest/warehouse_impl.h"

#include <math.h>
#include <string.h>

enum { LOOKBACK_DAYS = 31 };

static const struct {
    const char *uid, *currency;
} known[SERIES_BENCHMARKS] = {{"index:KOSPI", "KRW"}, {"index:SPX", "USD"}};

static const char count_sql[] =
    "SELECT count(*) FROM fact_price WHERE uid = $1 AND date >= $2 AND date <= $3";
static const char levels_sql[] =
    "SELECT date, close FROM fact_price WHERE uid = $1 AND date >= $2 AND date <= $3 ORDER BY date";

enum status series_benchmarks_load(struct db *db, struct arena *arena, int32_t from, int32_t to,
                                   struct series_benchmark ret[SERIES_BENCHMARKS], struct err *err)
{
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    int32_t early = from < DATE_MIN + LOOKBACK_DAYS ? DATE_MIN : from - LOOKBACK_DAYS;
    enum status s = STATUS_OK;
    for (size_t i = 0; i < SERIES_BENCHMARKS && s == STATUS_OK; i++) {
        CLEANUP(rows_clear) struct rows rows = {0};
        struct db_param window[] = {db_text(str_of(known[i].uid)), db_date(early, first),
                                    db_date(to, last)};
        int64_t n = 0;
        bool has_row = false;
        s = warehouse_number(db, count_sql, window, 3, &n, err);
        if (s != STATUS_OK)
            return s;
        struct series_benchmark *one = &ret[i];
        *one = (struct series_benchmark){.uid = known[i].uid, .currency = known[i].currency};
        one->date = arena_room(arena, (size_t)n + 1, sizeof *one->date);
        one->level = arena_room(arena, (size_t)n + 1, sizeof *one->level);
        if (one->date == NULL || one->level == NULL)
            return err_out_of_memory(err);
        s = db_query(db, levels_sql, window, 3, &rows, err);
        while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
            (void)rows_date(&rows, 0, &one->date[one->n]);
            one->level[one->n++] = rows_f64(&rows, 1);
        }
    }
    return s;
}

const struct series_benchmark *series_benchmark_of(const struct series_benchmark *all,
                                                   const char *currency)
{
    for (size_t i = 0; i < SERIES_BENCHMARKS; i++)
        if (all[i].n > 0 && strcmp(all[i].currency, currency) == 0)
            return &all[i];
    return NULL;
}

double series_benchmark_at(const struct series_benchmark *benchmark, int32_t date,
                           int32_t stale_days)
{
    size_t n = benchmark == NULL ? 0 : dates_until(benchmark->date, benchmark->n, date);
    bool is_near = n > 0 && date - benchmark->date[n - 1] <= stale_days;
    return is_near ? benchmark->level[n - 1] : (double)NAN;
}
