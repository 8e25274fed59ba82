/* series_events.c - what happens to holders of instruments: read for many at once, and what it does to earlier prices. */
#include "base/array.h"
#include "ingest/series.h"

static const char events_sql[] =
    "SELECT a.uid, a.date, a.dividend_factor, a.dividend, a.split_ratio FROM stg_touch t "
    "JOIN dim_adjustment a ON a.uid = t.uid AND a.date > t.lookback_date "
    "WHERE t.uid >= $1 AND t.uid <= $2 ORDER BY a.uid, a.date";

/* Events of instruments in a row, growing. */
struct gathered {
    struct series_event *all;
    size_t n, cap;
};

static enum status add(struct gathered *g, struct arena *arena, const struct rows *rows,
                       struct err *err)
{
    g->all = arena_reserve(arena, g->all, g->n + 1, &g->cap, sizeof *g->all);
    if (g->all == NULL)
        return err_out_of_memory(err);
    struct series_event *event = &g->all[g->n++];
    (void)rows_date(rows, 1, &event->date);
    event->dividend_factor = rows_f64(rows, 2);
    event->dividend = rows_f64(rows, 3);
    event->split_ratio = rows_f64(rows, 4);
    return STATUS_OK;
}

enum status series_events_read(struct db *db, struct arena *arena, struct series_touch *touches,
                               size_t n, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct gathered gathered = {NULL, 0, 0};
    bool has_row = false;
    size_t at = 0, first = 0;
    arena_reset(arena);
    enum status s = db_query(
        db, events_sql,
        PARAMS(db_text(str_of(touches[0].uid)), db_text(str_of(touches[n - 1].uid))), &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        while (at + 1 < n && str_cmp(str_of(touches[at].uid), rows_text(&rows, 0)) < 0)
            at++;
        s = add(&gathered, arena, &rows, err);
        touches[at].events.n++;
    }
    for (size_t i = 0; i < n && gathered.all != NULL; i++) {
        touches[i].events.all = gathered.all + first;
        first += touches[i].events.n;
    }
    return s;
}

double series_units_since(const struct series_events *events, int32_t day)
{
    double units = 1;
    for (size_t i = events->n; i > 0 && events->all[i - 1].date > day; i--)
        units *= events->all[i - 1].split_ratio;
    return units;
}

double series_distributed_since(const struct series_events *events, int32_t day)
{
    double factor = 1;
    for (size_t i = events->n; i > 0 && events->all[i - 1].date > day; i--)
        factor *= events->all[i - 1].dividend_factor;
    return factor;
}
