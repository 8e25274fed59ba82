/* observed_rows.c - reads the observations of a series by vintage, and brings them to a frequency and a transform. */
#include "handlers/indicators.h"

#include "base/array.h"
#include "store/mart_query.h"

static enum status add_row(struct observed_rows *to, struct arena *arena,
                           struct observation observation, struct err *err)
{
    struct observation *all = arena_reserve(arena, to->row, to->n + 1, &to->cap, sizeof *all);
    if (all == NULL)
        return err_request_memory(err);
    to->row = all;
    to->row[to->n++] = observation;
    return STATUS_OK;
}

static enum status read_row(const struct rows *rows, struct arena *arena, struct observation *ret,
                            struct err *err)
{
    struct observation o = {.value = CELL_NONE};
    if (!rows_date(rows, OBSERVATION_FIRST, &o.first) ||
        !rows_date(rows, OBSERVATION_LAST, &o.last) ||
        !rows_date(rows, OBSERVATION_VINTAGE, &o.vintage) ||
        !rows_instant(rows, OBSERVATION_KNOWN_AT, &o.known_at))
        return err_set(err, STATUS_DB_ERROR,
                       "A stored observation has a date that cannot be read.");
    struct str text = mart_value_text(rows, OBSERVATION_VALUE, COLUMN_DECIMAL, arena);
    if (text.ptr != NULL) {
        const char *copy = arena_dup(arena, text);
        if (copy == NULL)
            return err_request_memory(err);
        o.value = cell_exact((struct str){copy, text.len});
    }
    *ret = o;
    return STATUS_OK;
}

/* The vintages known on as_of: of each period the latest one, unless all are wanted. */
static enum status read_rows(const struct observing *what, struct db *db, struct observed_rows *ret,
                             struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    struct arena *arena = &what->resource->request->arena;
    const struct series_filter filter = {
        .stat_code = series_field(&what->series, SERIES_STAT_CODE),
        .country = series_field(&what->series, SERIES_COUNTRY_CODE),
        .frequency = series_field(&what->series, SERIES_FREQUENCY)};
    bool has_row = false;
    enum status s =
        observations_open(db, &filter, what->as_of, what->resource->read_at, &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row) {
        struct observation o = {0};
        s = read_row(&rows, arena, &o, err);
        bool is_newer = ret->n > 0 && !what->has_all_vintages && s == STATUS_OK &&
                        ret->row[ret->n - 1].first == o.first &&
                        ret->row[ret->n - 1].last == o.last;
        if (is_newer)
            ret->row[ret->n - 1] = o;
        else if (s == STATUS_OK)
            s = add_row(ret, arena, o, err);
    }
    return s;
}

static enum status transform_rows(const struct observing *what, struct observed_rows *rows,
                                  enum frequency frequency, struct err *err)
{
    struct arena *arena = &what->resource->request->arena;
    if (what->transform == TRANSFORM_LIN)
        return STATUS_OK;
    int32_t *period = arena_array(arena, rows->n, sizeof *period);
    double *x = arena_array(arena, rows->n, sizeof *x);
    if (period == NULL || x == NULL)
        return err_request_memory(err);
    for (size_t i = 0; i < rows->n; i++) {
        period[i] = period_index(frequency, rows->row[i].last);
        x[i] = rows->row[i].value.value;
    }
    transform_apply((enum transform)what->transform,
                    (struct observed){.period = period, .n = rows->n, .frequency = frequency}, x,
                    x);
    for (size_t i = 0; i < rows->n; i++)
        rows->row[i].value = cell_of(x[i]);
    return STATUS_OK;
}

static enum status compute(const struct observing *what, struct observed_rows *rows,
                           struct err *err)
{
    enum frequency from = series_frequency(&what->series);
    enum frequency to = what->frequency == FREQUENCY_COUNT ? from : (enum frequency)what->frequency;
    if (to < from) {
        const char *allowed = from == FREQUENCY_YEAR      ? "a"
                              : from == FREQUENCY_QUARTER ? "q, a"
                                                          : "m, q, a";
        return params_refuse(err, "frequency", request_param(what->resource->request, "frequency"),
                             allowed);
    }
    if (to > from && rows->n > 0)
        rows->n = observations_aggregate(rows->row, rows->n, from, to,
                                         (enum aggregation)what->aggregation,
                                         &what->resource->request->arena);
    return transform_rows(what, rows, to, err);
}

enum status observed_rows_load(const struct observing *what, struct db *db,
                               struct observed_rows *ret, struct err *err)
{
    enum status s = read_rows(what, db, ret, err);
    return s != STATUS_OK ? s : compute(what, ret, err);
}
