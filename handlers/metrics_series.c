/* metrics_series.c - the series of a track record: returns or prices, their dates, the benchmark and the rates beside them. */
#include "handlers/metrics_members.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"

enum status metrics_read_numbers(struct json_val val, size_t n_rows, struct arena *arena,
                                 const double **ret, struct err *err)
{
    enum status s = jr_expect_array(val, 0, METRICS_ROWS_MAX, err);
    if (s != STATUS_OK)
        return s;
    size_t n = jr_length(val);
    if (n_rows > 0 && n != n_rows) {
        (void)err_set(err, STATUS_BAD_SPEC, "There %s %zu %s for %zu %s.",
                      str_plural(n, "is", "are"), n, str_plural(n, "value", "values"), n_rows,
                      str_plural(n_rows, "row", "rows"));
        jr_err_at(err, val);
        err_allow(err, "one value, or null, for each row of the series");
        return STATUS_BAD_SPEC;
    }
    double *value = arena_array(arena, n + 1, sizeof *value);
    if (value == NULL)
        return metrics_no_memory(err);
    *ret = value;
    return jr_read_f64_array(val, value, err);
}

/* "returns" or "prices" of parent; *ret_kind says which. Absent: *ret stays NULL. */
static enum status read_one(struct json_val parent, size_t n_rows, struct arena *arena,
                            const double **ret, size_t *ret_n, enum record_kind *ret_kind,
                            struct err *err)
{
    struct json_val returns = jr_member(parent, "returns"), prices = jr_member(parent, "prices");
    if (jr_is_present(returns) && jr_is_present(prices))
        return spec_refuse(prices, STATUS_BAD_SPEC, "A series holds returns or prices, not both.",
                           "either returns or prices", err);
    struct json_val val = jr_is_present(prices) ? prices : returns;
    if (!jr_is_present(val))
        return STATUS_OK;
    *ret_kind = jr_is_present(prices) ? RECORD_PRICES : RECORD_RETURNS;
    enum status s = metrics_read_numbers(val, n_rows, arena, ret, err);
    if (s == STATUS_OK && ret_n != NULL)
        *ret_n = jr_length(val);
    return s;
}

enum status metrics_read_dates(struct json_val list, size_t n, struct arena *arena,
                               const int32_t **ret, struct err *err)
{
    enum status s = jr_expect_array(list, n, n, err);
    int32_t *date = arena_array(arena, n + 1, sizeof *date);
    if (date == NULL)
        return metrics_no_memory(err);
    for (size_t i = 0; i < n && s == STATUS_OK; i++) {
        struct json_val item = jr_item(list, i);
        s = jr_read_date(item, &date[i], err);
        if (s == STATUS_OK && i > 0 && date[i] <= date[i - 1])
            return spec_refuse(item, STATUS_BAD_SPEC, "This date is not after the one before it.",
                               "dates that rise from row to row", err);
    }
    *ret = date;
    return s;
}

static enum status read_dates(struct json_val root, struct arena *arena, struct record *record,
                              struct err *err)
{
    struct json_val list = jr_member(root, "dates");
    enum status s = spec_optional_date(root, "start", &record->start, err);
    return s != STATUS_OK || !jr_is_present(list)
               ? s
               : metrics_read_dates(list, record->n, arena, &record->date, err);
}

static enum status read_benchmark(struct json_val root, struct arena *arena, struct record *record,
                                  struct err *err)
{
    static const char *const keys[] = {"returns", "prices"};
    struct json_val val = jr_member(root, "benchmark");
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_one(val, record->n, arena, &record->benchmark, NULL, &record->benchmark_kind, err);
    if (s == STATUS_OK && record->benchmark == NULL)
        return spec_refuse(val, STATUS_BAD_SPEC, "The benchmark holds no series.",
                           "returns or prices, one for each row", err);
    return s;
}

/* A number for all rows or an array with one for each. */
static enum status read_rate(struct json_val val, size_t n, double least, struct arena *arena,
                             double *ret_one, bool *ret_has_one, const double **ret_each,
                             struct err *err)
{
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) == JR_ARRAY)
        return metrics_read_numbers(val, n, arena, ret_each, err);
    *ret_has_one = true;
    return jr_read_f64(val, least, 10, ret_one, err);
}

static enum status read_rates(struct json_val root, struct arena *arena,
                              struct metrics_request *request, struct err *err)
{
    struct record *r = &request->record;
    struct json_val per_period = jr_member(root, "risk_free_per_period");
    enum status s = spec_optional_f64(root, "risk_free_rate", -0.5, 1, &r->risk_free_rate, err);
    if (s == STATUS_OK)
        s = read_rate(per_period, r->n, -0.5, arena, &r->risk_free_per_session, &r->has_per_session,
                      &r->risk_free, err);
    if (s == STATUS_OK && jr_is_present(per_period) &&
        jr_is_present(jr_member(root, "risk_free_rate")))
        return spec_refuse(per_period, STATUS_BAD_SPEC, "The risk-free rate is given twice.",
                           "risk_free_rate (a year) or risk_free_per_period", err);
    if (s == STATUS_OK)
        s = read_rate(jr_member(root, "mar"), r->n, -10, arena, &r->options.mar,
                      &r->options.has_mar, &r->mar_series, err);
    return s;
}

enum status metrics_read_series(struct json_val root, struct arena *arena,
                                struct metrics_request *request, struct err *err)
{
    struct record *record = &request->record;
    enum status s = read_one(root, 0, arena, &record->value, &record->n, &record->kind, err);
    request->has_series = record->value != NULL;
    if (s == STATUS_OK)
        s = read_dates(root, arena, record, err);
    if (s == STATUS_OK)
        s = read_benchmark(root, arena, record, err);
    return s == STATUS_OK ? read_rates(root, arena, request, err) : s;
}
