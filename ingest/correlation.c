/*
 * correlation.c - how pairs of instruments moved together by the end of each month, in dollars over the 365 days before it: returns
 * between the days on which both have a price, by the engine's own sums (backtest/stats.h). Instruments are those of dim_paired: few
 * enough for every pair. Months that the touched series reach are made anew.
 */
#include "backtest/stats.h"

#include "base/array.h"
#include "base/number.h"
#include "ingest/series.h"
#include "ingest/warehouse_impl.h"

#include <math.h>
#include <stdio.h>

enum { BYTES_MAX = 128 << 20, WINDOW_DAYS = 365, OBSERVATIONS_MIN = 20, INSTRUMENTS_MAX = 256 };

struct track {
    const char *uid;
    int32_t *date;
    double *value; /* in dollars */
    size_t n, cap;
};

struct pairs {
    struct db *db;
    const struct stop *stop;
    struct arena arena;
    struct track tracks[INSTRUMENTS_MAX];
    size_t n;
    int32_t from, to; /* ends of months */
    double *x, *y;    /* returns of a pair */
    struct outbox box;
};

static const char span_sql[] =
    "SELECT min(t.from_date), max(t.to_date) FROM stg_touch t JOIN dim_paired p ON p.uid = t.uid";

static const char values_sql[] =
    "SELECT m.uid, m.date, m.adj_close, m.fx_usd FROM fact_price_measure m JOIN dim_paired p ON p.uid = m.uid "
    "WHERE m.date >= $1 AND m.date <= $2 ORDER BY m.uid, m.date";

static enum status add_value(struct pairs *p, const struct rows *rows, struct err *err)
{
    double value = rows_f64(rows, 2) * rows_f64(rows, 3);
    struct track *t = p->n == 0 ? NULL : &p->tracks[p->n - 1];
    if (!isfinite(value) || value <= 0)
        return STATUS_OK;
    if (t == NULL || !str_eq_c(rows_text(rows, 0), t->uid)) {
        if (p->n == INSTRUMENTS_MAX)
            return err_set(err, STATUS_TOO_LARGE,
                           "There are more than %d instruments in dim_paired.", INSTRUMENTS_MAX);
        t = &p->tracks[p->n++];
        *t = (struct track){.uid = arena_dup(&p->arena, rows_text(rows, 0))};
    }
    size_t cap = t->cap;
    t->date = arena_reserve(&p->arena, t->date, t->n + 1, &cap, sizeof *t->date);
    t->value = arena_reserve(&p->arena, t->value, t->n + 1, &t->cap, sizeof *t->value);
    if (t->uid == NULL || t->date == NULL || t->value == NULL)
        return err_out_of_memory(err);
    (void)rows_date(rows, 1, &t->date[t->n]);
    t->value[t->n++] = value;
    return STATUS_OK;
}

static enum status read_values(struct pairs *p, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    int32_t early = p->from - WINDOW_DAYS - SERIES_GAP_DAYS;
    bool has_row = false;
    enum status s = db_query(
        p->db, values_sql,
        PARAMS(db_date(early < DATE_MIN ? DATE_MIN : early, from), db_date(p->to, to)), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_value(p, &rows, err);
    return s;
}

/* Returns between the days of the window that both have; how many. */
static size_t common_returns(struct pairs *p, const struct track *a, const struct track *b,
                             int32_t as_of)
{
    size_t i = dates_until(a->date, a->n, as_of - WINDOW_DAYS - 1);
    size_t k = dates_until(b->date, b->n, as_of - WINDOW_DAYS - 1);
    double last_a = 0, last_b = 0;
    size_t n = 0;
    while (i < a->n && k < b->n && a->date[i] <= as_of && b->date[k] <= as_of) {
        if (a->date[i] != b->date[k]) {
            *(a->date[i] < b->date[k] ? &i : &k) += 1;
            continue;
        }
        if (last_a > 0) {
            p->x[n] = a->value[i] / last_a - 1;
            p->y[n++] = b->value[k] / last_b - 1;
        }
        last_a = a->value[i++];
        last_b = b->value[k++];
    }
    return n;
}

static enum status pair(struct pairs *p, const struct track *a, const struct track *b,
                        int32_t as_of, struct err *err)
{
    size_t n = common_returns(p, a, b, as_of);
    if (n < OBSERVATIONS_MIN)
        return STATUS_OK;
    struct stats_pair sums = stats_pair(p->x, p->y, n);
    double spread = sqrt(sums.variance_x) * sqrt(sums.variance_y);
    double together = spread > 0 ? sums.covariance / spread : (double)NAN;
    const union db_value values[OUTBOX_COLUMNS_MAX] = {
        {.i64 = as_of},           {.i64 = WINDOW_DAYS}, {.text = str_of(a->uid)},
        {.text = str_of(b->uid)}, {.f64 = together},    {.f64 = sums.covariance},
        {.i64 = (int64_t)n}};
    return outbox_add(&p->box, p->db, values, err);
}

static bool is_priced(const struct track *t, int32_t as_of)
{
    size_t n = dates_until(t->date, t->n, as_of);
    return n > 0 && t->date[n - 1] >= as_of - SERIES_GAP_DAYS;
}

static enum status month(struct pairs *p, int32_t as_of, struct err *err)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < p->n && s == STATUS_OK; i++)
        for (size_t k = i + 1; is_priced(&p->tracks[i], as_of) && k < p->n && s == STATUS_OK; k++)
            if (is_priced(&p->tracks[k], as_of))
                s = pair(p, &p->tracks[i], &p->tracks[k], as_of, err);
    return s;
}

static enum status months(struct pairs *p, struct err *err)
{
    enum status s = STATUS_OK;
    int32_t last = p->from - 1;
    for (size_t i = 0; i < p->n; i++)
        last = p->tracks[i].date[p->tracks[i].n - 1] > last ? p->tracks[i].date[p->tracks[i].n - 1]
                                                            : last;
    for (int32_t as_of = series_month_end(p->from);
         as_of <= series_month_end(last) && s == STATUS_OK; as_of = series_month_end(as_of + 1))
        s = stop_is_raised(p->stop) ? stop_status(p->stop, err) : month(p, as_of, err);
    return s;
}

/* The months that are touched; false when none are. */
static enum status read_span(struct pairs *p, bool *ret, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s = db_query_one(p->db, span_sql, NO_PARAMS, &rows, &has_row, err);
    *ret =
        s == STATUS_OK && has_row && rows_date(&rows, 0, &p->from) && rows_date(&rows, 1, &p->to);
    return s;
}

static enum status delete_old(struct pairs *p, struct err *err)
{
    char from[DATE_TEXT_BYTES];
    return db_exec(p->db, "DELETE FROM mart_correlation WHERE as_of >= $1",
                   PARAMS(db_date(p->from, from)), NULL, err);
}

static enum status run(struct pairs *p, int64_t load_id, struct err *err)
{
    static const struct db_column columns[] = {
        {"as_of", DB_TYPE_DATE},        {"window_days", DB_TYPE_I64},
        {"instrument_a", DB_TYPE_TEXT}, {"instrument_b", DB_TYPE_TEXT},
        {"corr", DB_TYPE_F64},          {"cov", DB_TYPE_F64},
        {"n_obs", DB_TYPE_I64},         {"load_id", DB_TYPE_I64}};
    enum { RETURNS_MAX = WINDOW_DAYS + 2 };
    p->x = arena_room(&p->arena, RETURNS_MAX, sizeof *p->x);
    p->y = arena_room(&p->arena, RETURNS_MAX, sizeof *p->y);
    if (p->x == NULL || p->y == NULL)
        return err_out_of_memory(err);
    p->to = DATE_MAX; /* what comes later looks back on it */
    enum status s =
        outbox_init(&p->box, p->db, "mart_correlation", columns, ARRAY_LEN(columns), load_id, err);
    if (s == STATUS_OK)
        s = delete_old(p, err);
    if (s == STATUS_OK)
        s = read_values(p, err);
    if (s == STATUS_OK)
        s = months(p, err);
    return s == STATUS_OK ? outbox_flush(&p->box, p->db, err) : s;
}

enum status correlations_refresh(struct db *db, int64_t load_id, const struct stop *stop,
                                 struct err *err)
{
    struct pairs p = {.db = db, .stop = stop};
    bool is_touched = false;
    arena_init(&p.arena, BYTES_MAX);
    enum status s = read_span(&p, &is_touched, err);
    if (s == STATUS_OK && is_touched)
        s = run(&p, load_id, err);
    outbox_clear(&p.box);
    arena_clear(&p.arena);
    return s;
}
