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

static enum status add_row(struct steps *to, const struct rows *rows, struct err *err)
{
    struct step step = {.value = rows_f64(rows, 1)};
    if (!rows_date(rows, 0, &step.period) || !rows_instant(rows, 2, &step.known_at) ||
        !steps_can_take(&step))
        return err_set(err, STATUS_DB_ERROR, "A stored observation cannot be read.");
    return steps_add(to, &step, err);
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
        s = add_row(to, &rows, err);
    return s;
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
        s = steps_columns(&steps, arena, ret, err);
    steps_free(&steps);
    return s;
}

const struct statement indicator_statements[] = {
    STATEMENT(stmt_series), STATEMENT(stmt_observations), STATEMENT(stmt_steps), STATEMENTS_END};
