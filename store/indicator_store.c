/* indicator_store.c - the series of the indicator mart, and the vintages of one. */
#include "store/indicator_store.h"

#include "base/array.h"
#include "base/date.h"
#include "store/generation.h"
#include "store/statements.h"

#include <math.h>
#include <stdlib.h>

static const char stmt_series[] =
    "SELECT stat_code, country_code, frequency, max(stat_name), max(unit), max(country_name), "
    "min(period_start), max(period_end), count(DISTINCT period), count(*), min(vintage), max(vintage), "
    "max(source) FROM gen_economic_indicator WHERE gen_from <= $1 AND gen_to > $1 "
    "AND (CAST($2 AS TEXT) IS NULL OR stat_code = $2) AND (CAST($3 AS TEXT) IS NULL OR country_code = $3) "
    "AND (CAST($4 AS TEXT) IS NULL OR frequency = $4) GROUP BY stat_code, country_code, frequency "
    "ORDER BY stat_code, country_code, frequency LIMIT 100000";
static const char stmt_observations[] =
    "SELECT period, period_start, period_end, value, vintage, known_at FROM gen_economic_indicator "
    "WHERE stat_code = $1 AND country_code = $2 AND frequency = $3 AND vintage <= $4 "
    "AND gen_from <= $5 AND gen_to > $5 ORDER BY period_end, period, vintage LIMIT 1000000";

static const char stmt_steps[] =
    "SELECT period_end, value, known_at FROM gen_economic_indicator "
    "WHERE stat_code = $1 AND country_code = $2 AND frequency = $3 AND gen_from <= $4 AND gen_to > $4 "
    "AND value IS NOT NULL ORDER BY known_at, period_end, vintage LIMIT 1000000";

enum status series_open(struct db *db, const struct series_filter *filter, int64_t generation,
                        struct rows *ret_rows, struct err *err)
{
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, stmt_series,
                    PARAMS(db_i64(generation), db_text(filter->stat_code), db_text(filter->country),
                           db_text(filter->frequency)),
                    ret_rows, err);
}

enum status observations_open(struct db *db, const struct series_filter *series, int32_t as_of,
                              int64_t generation, struct rows *ret_rows, struct err *err)
{
    char text[DATE_TEXT_BYTES];
    enum status s = generation_pin(db, generation, err);
    if (s != STATUS_OK)
        return s;
    return db_query(db, stmt_observations,
                    PARAMS(db_text(series->stat_code), db_text(series->country),
                           db_text(series->frequency), db_date(as_of, text), db_i64(generation)),
                    ret_rows, err);
}

struct step {
    int32_t date;
    int64_t known_at;
    double value;
};

/* Steps as they arrive; their number is known only at the end. */
struct steps {
    struct step *step;
    size_t n, cap;
    int32_t newest; /* period_end of the latest period that was out */
};

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "The request needs more memory than it may use.");
}

/* A later publication of an earlier period changes nothing; several of one day are one step. */
static enum status add_step(struct steps *to, const struct rows *rows, struct err *err)
{
    int32_t period;
    struct step step = {.value = rows_f64(rows, 1)};
    if (!rows_date(rows, 0, &period) || !rows_instant(rows, 2, &step.known_at) ||
        !isfinite(step.value))
        return err_set(err, STATUS_DB_ERROR, "A stored observation cannot be read.");
    int64_t days = step.known_at / 86400 - (step.known_at % 86400 < 0 ? 1 : 0);
    if (days < DATE_MIN || days > DATE_MAX)
        return err_set(err, STATUS_DB_ERROR, "A stored observation cannot be read.");
    step.date = (int32_t)days;
    if (to->n > 0 && period < to->newest)
        return STATUS_OK;
    to->newest = period;
    if (to->n > 0 && to->step[to->n - 1].date == step.date) {
        to->step[to->n - 1] = step;
        return STATUS_OK;
    }
    struct step *all = heap_reserve(to->step, to->n + 1, &to->cap, sizeof *all);
    if (all == NULL)
        return no_memory(err);
    to->step = all;
    to->step[to->n++] = step;
    return STATUS_OK;
}

static enum status read_steps(struct db *db, const struct series_filter *series, int64_t generation,
                              struct steps *to, struct err *err)
{
    CLEANUP(rows_clear) struct rows rows = {0};
    bool has_row = false;
    enum status s = db_query(db, stmt_steps,
                             PARAMS(db_text(series->stat_code), db_text(series->country),
                                    db_text(series->frequency), db_i64(generation)),
                             &rows, err);
    while (s == STATUS_OK && (s = rows_next(&rows, &has_row, err)) == STATUS_OK && has_row)
        s = add_step(to, &rows, err);
    return s;
}

static enum status step_columns_of(const struct steps *steps, struct arena *arena,
                                   struct step_columns *ret, struct err *err)
{
    struct step_columns c = {.n = steps->n,
                             .date = arena_array(arena, steps->n, sizeof *c.date),
                             .known_at = arena_array(arena, steps->n, sizeof *c.known_at),
                             .value = arena_array(arena, steps->n, sizeof *c.value)};
    if (c.date == NULL || c.known_at == NULL || c.value == NULL)
        return no_memory(err);
    for (size_t i = 0; i < steps->n; i++) {
        c.date[i] = steps->step[i].date;
        c.known_at[i] = steps->step[i].known_at;
        c.value[i] = steps->step[i].value;
    }
    *ret = c;
    return STATUS_OK;
}

enum status indicator_steps_load(struct db *db, const struct series_filter *series,
                                 int64_t generation, struct arena *arena, struct step_columns *ret,
                                 struct err *err)
{
    struct steps steps = {0};
    enum status s = generation_pin(db, generation, err);
    if (s == STATUS_OK)
        s = read_steps(db, series, generation, &steps, err);
    if (s == STATUS_OK)
        s = step_columns_of(&steps, arena, ret, err);
    free(steps.step);
    return s;
}

const struct statement indicator_statements[] = {
    STATEMENT(stmt_series), STATEMENT(stmt_observations), STATEMENT(stmt_steps), STATEMENTS_END};
