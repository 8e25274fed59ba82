/* contract.c - contract.def as tables, and the judgement on a row and on a day. */
#include "ingest/contract.h"

#include "base/date.h"

struct range {
    int column; /* enum feed_column_id */
    double min, max;
};

static const struct range ranges[] = {
#define RANGE(shape, column, min, max) {shape##_##column, (min), (max)},
#include "ingest/contract.def"
};

static const struct {
    const char *dataset;
    int column;
    double min;
} exceptions[] = {
#define UNLESS(dataset, shape, column, min) {(dataset), shape##_##column, (min)},
#include "ingest/contract.def"
};

static const struct {
    int less, more;
} orders[] = {
#define ORDER(shape, less, more) {shape##_##less, shape##_##more},
#include "ingest/contract.def"
};

static const struct {
    const char *dataset;
    int fail_percent, warn_percent;
} levels[] = {
#define LEVEL(dataset, fail_percent, warn_percent) {(dataset), (fail_percent), (warn_percent)},
#include "ingest/contract.def"
};

static const struct {
    const char *dataset;
    int days;
} ages[] = {
#define FRESH(dataset, days) {(dataset), (days)},
#include "ingest/contract.def"
};

int contract_fresh_days(struct str dataset)
{
    for (size_t i = 0; i < ARRAY_LEN(ages); i++)
        if (str_eq_c(dataset, ages[i].dataset))
            return ages[i].days;
    return 0;
}

/* A number, or a date as one. False when the column is of another shape, or empty. */
static bool value_of(const struct silver_row *row, int column, double *ret)
{
    const struct feed_layout *layout = &feed_layouts[row->shape - silver_shapes];
    if ((size_t)column < layout->first || (size_t)column >= layout->first + layout->n)
        return false;
    struct str text = row->field[(size_t)column - layout->first];
    if (feed_columns[column].kind != FEED_DATE)
        return text.ptr != NULL && str_to_f64(text, ret);
    int32_t date = 0;
    bool is_there = text.ptr != NULL && date_parse(text, &date);
    *ret = date;
    return is_there;
}

static double lowest(struct str dataset, const struct range *range)
{
    for (size_t i = 0; i < ARRAY_LEN(exceptions); i++)
        if (exceptions[i].column == range->column && str_eq_c(dataset, exceptions[i].dataset))
            return exceptions[i].min;
    return range->min;
}

bool contract_keeps(const struct silver_row *row, const char **ret_reason, const char **ret_column)
{
    double value = 0, other = 0;
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (value_of(row, ranges[i].column, &value) &&
            (value < lowest(row->dataset, &ranges[i]) || value > ranges[i].max)) {
            *ret_reason = "out-of-range";
            *ret_column = feed_columns[ranges[i].column].name;
            return false;
        }
    for (size_t i = 0; i < ARRAY_LEN(orders); i++)
        if (value_of(row, orders[i].less, &value) && value_of(row, orders[i].more, &other) &&
            value > other) {
            *ret_reason = "out-of-order";
            *ret_column = feed_columns[orders[i].less].name;
            return false;
        }
    return row->shape != &silver_shapes[SHAPE_CORPORATE_ACTION] ||
           contract_action_keeps(row, ret_reason, ret_column);
}

static bool is_many(int64_t n, int64_t of)
{
    return n > CONTRACT_BAD_ROWS_MAX || n * 100 > of * CONTRACT_BAD_PERCENT_MAX;
}

const char *contract_verdict(struct str dataset, const struct contract_day *day,
                             const char **ret_reason)
{
    int64_t n = day->n_rows + day->n_rejected;
    *ret_reason = "bad-rows";
    if (is_many(day->n_rejected, n))
        return "fail";
    *ret_reason = "repeated-keys";
    if (is_many(day->n_repeated, n))
        return "fail";
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        if (!str_eq_c(dataset, levels[i].dataset))
            continue;
        *ret_reason = "few-rows";
        if (day->n_rows * 100 < day->expected * levels[i].fail_percent)
            return "fail";
        if (day->n_rows * 100 < day->expected * levels[i].warn_percent)
            return "warn";
    }
    *ret_reason = day->n_rejected > 0 ? "bad-rows" : day->n_repeated > 0 ? "repeated-keys" : "";
    return **ret_reason != '\0' ? "warn" : "ok";
}
