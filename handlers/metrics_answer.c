/* metrics_answer.c - a track record's document: the series' metrics, then what else was asked. */
#include "handlers/metrics_answer.h"

#include "backtest/backtest.h"
#include "base/date.h"
#include "handlers/measure_render.h"
#include "handlers/metrics_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double LARGE_RETURN = 0.5; /* that daily, weekly and monthly returns hardly reach */

struct answer {
    struct metrics_parts parts;
    struct record_ready ready;
    struct measure_value *all, *benchmark; /* MEASURE_ALL_COUNT; benchmark NULL: none */
};

static enum status no_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this track record.");
}

/* All metrics, or those that the request selects. */
static enum status measure_all(struct answer *a, struct err *err)
{
    const struct metrics_request *request = a->parts.request;
    struct arena *arena = a->parts.arena;
    struct measure_input in = a->ready.input;
    struct measure_set selected = {{false}};
    for (size_t i = 0; i < request->n_select; i++)
        selected.has[request->select[i].row] = true;
    in.wanted = request->n_select > 0 ? &selected : NULL;
    a->all = arena_array(arena, MEASURE_ALL_COUNT, sizeof *a->all);
    if (a->all == NULL)
        return no_memory(err);
    enum status s = measure_compute(&in, arena, a->all, err);
    if (s != STATUS_OK || in.benchmark.n < 2)
        return s;
    struct measure_input benchmark = in;
    benchmark.path = in.benchmark;
    benchmark.returns = in.benchmark_returns;
    benchmark.risk_free = in.common_risk_free;
    benchmark.n_rows = 0;
    benchmark.common = benchmark.benchmark = (struct measure_path){NULL, NULL, 0};
    benchmark.options.mar_series = NULL;
    a->benchmark = arena_array(arena, MEASURE_ALL_COUNT, sizeof *a->benchmark);
    return a->benchmark == NULL ? no_memory(err)
                                : measure_compute(&benchmark, arena, a->benchmark, err);
}

static void write_date(struct json_out *json, const char *key, const int32_t *date, size_t at)
{
    if (date == NULL)
        jw_key_null(json, key);
    else
        jw_key_date(json, key, date[at]);
}

static void write_record(const struct answer *a, struct json_out *json)
{
    const struct record *record = &a->parts.request->record;
    const struct measure_path *path = &a->ready.input.path;
    jw_key(json, "record");
    jw_object(json);
    jw_key_c(json, "kind", record_kind_names[record->kind]);
    jw_key_c(json, "profile", profile_names[record->profile]);
    jw_key_i64(json, "rows", (int64_t)record->n);
    jw_key_i64(json, "missing", (int64_t)a->ready.n_missing);
    jw_key_c(json, "missing_policy", profile_missing_names[record->missing]);
    jw_key_i64(json, "returns", (int64_t)(path->n - 1));
    jw_key_i64(json, "common_returns", (int64_t)a->ready.n_common);
    jw_key_f64(json, "periods_per_year", record->periods_per_year);
    write_date(json, "start", path->date, 0);
    write_date(json, "first", path->date, 1);
    write_date(json, "last", path->date, path->n - 1);
    jw_key_date(json, "ruined_on", a->ready.ruined_on);
    jw_end_object(json);
}

static void write_metrics(const struct answer *a, struct json_out *json)
{
    const struct metrics_request *request = a->parts.request;
    if (request->n_select == 0) {
        measures_write(json, request->record.profile, a->all, a->benchmark);
        return;
    }
    jw_key(json, "metrics");
    jw_object(json);
    for (size_t i = 0; i < request->n_select; i++) {
        enum measure_id row = request->select[i].row;
        bool is_again = false;
        for (size_t k = 0; k < i; k++)
            is_again = is_again || str_eq(request->select[k].name, request->select[i].name);
        if (is_again)
            continue;
        jw_key_str(json, request->select[i].name);
        measure_write(json, row, &a->all[row], a->benchmark == NULL ? NULL : &a->benchmark[row]);
    }
    jw_end_object(json);
}

static enum status write_tables(const struct answer *a, struct json_out *json, struct err *err)
{
    struct measure_path path = a->ready.input.path;
    struct table_years years;
    path.n = measure_live_length_with(a->ready.input.kernels, path);
    struct drawdown *list = arena_array(a->parts.arena, path.n / 2 + 1, sizeof *list);
    if (list == NULL)
        return no_memory(err);
    size_t n = drawdown_list(a->ready.input.kernels, path.value, path.n, list);
    drawdown_sort(list, n);
    drawdowns_write(json, path.date, list,
                    n < a->parts.request->n_drawdowns ? n : a->parts.request->n_drawdowns);
    if (path.date == NULL) {
        jw_key_null(json, "monthly");
        return STATUS_OK;
    }
    struct calendar calendar;
    enum status s = calendar_of(path.date, path.n, a->parts.arena, &calendar, err);
    if (s == STATUS_OK)
        s = tables_years(&calendar, path.value, path.n, a->parts.arena, &years, err);
    if (s != STATUS_OK)
        return s;
    /* The year of V_0 has no return of its own when V_0 closes it. */
    for (; years.n > 0 && isnan(years.rows[0].total); years.n--)
        years.rows++;
    table_years_write(json, &years);
    return STATUS_OK;
}

/* Windows, draws and monkeys take a rate with every return. */
static enum status check_rates(const struct answer *a, struct err *err)
{
    const struct metrics_request *q = a->parts.request;
    size_t n = a->ready.n_unrated;
    if (n == 0 || (q->rolling.window == 0 && q->bootstrap.count == 0 && q->monkeys.count == 0))
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_SPEC, "%zu of the returns %s no risk-free rate.", n,
                  str_plural(n, "has", "have"));
    err_at(err, ERR_POINTER, STR("/risk_free_per_period"), STR_NONE);
    err_allow(err, "a rate in every row, or a request without rolling, bootstrap and monkeys");
    return STATUS_BAD_SPEC;
}

static enum status write_series(struct answer *a, struct json_out *json, struct err *err)
{
    static const char *const names[] = {"record", "metrics", "drawdowns", "monthly"};
    if (!a->parts.request->has_series) {
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            jw_key_null(json, names[i]);
        return STATUS_OK;
    }
    const struct backtest_service *service = a->parts.service;
    enum status s = record_prepare(&a->parts.request->record, a->parts.arena, &a->ready, err);
    bool has_kernels = service != NULL && service->kernels != NULL;
    a->ready.input.kernels = has_kernels ? service->kernels : &kernels_ref;
    if (s == STATUS_OK)
        s = check_rates(a, err);
    if (s == STATUS_OK)
        s = measure_all(a, err);
    if (s != STATUS_OK)
        return s;
    a->parts.ready = &a->ready;
    write_record(a, json);
    write_metrics(a, json);
    return write_tables(a, json, err);
}

static void write_warning(struct json_out *json, const char *code, const char *detail)
{
    jw_object(json);
    jw_key_c(json, "code", code);
    jw_key_c(json, "detail", detail);
    jw_end_object(json);
}

/* Rows a year by their dates, or 0 when there are too few to say. */
static double rows_a_year(const struct measure_path *path)
{
    enum { LEAST = 4 };
    if (path->date == NULL || path->n <= LEAST)
        return 0;
    return (double)(path->n - 1) / date_years_between(path->date[0], path->date[path->n - 1]);
}

/* What is likely to be another unit than the one that was read. */
static void write_doubts(const struct answer *a, struct json_out *json)
{
    const struct record *record = &a->parts.request->record;
    double by_dates = rows_a_year(&a->ready.input.path), assumed = record->periods_per_year;
    size_t n_large = 0;
    char detail[200];
    (void)snprintf(detail, sizeof detail,
                   "The dates are those of about %.0f rows a year, and %.6g are counted: period or "
                   "periods_per_year says which.",
                   by_dates, assumed);
    if (by_dates > 0 && (assumed > 2 * by_dates || by_dates > 2 * assumed))
        write_warning(json, "periods_unlike_dates", detail);
    for (size_t i = 0; i < record->n && record->kind == RECORD_RETURNS; i++)
        n_large += fabs(record->value[i]) > LARGE_RETURN;
    if (10 * n_large > record->n)
        write_warning(json, "returns_in_percent",
                      "More than a tenth of the returns are beyond 50 per cent: they are read as "
                      "fractions, 0.01 for one per cent.");
}

static void write_meta(const struct answer *a, struct json_out *json)
{
    const struct metrics_request *request = a->parts.request;
    bool has_series = a->parts.ready != NULL;
    jw_key(json, "meta");
    jw_object(json);
    jw_key_c(json, "engine_version", BACKTEST_ENGINE_VERSION);
    jw_key(json, "warnings");
    jw_array(json);
    if (has_series && request->periods_assumed)
        write_warning(json, "periods_assumed",
                      "Neither periods_per_year nor period is given: 252 a year are assumed.");
    if (has_series)
        write_doubts(a, json);
    if (has_series && a->ready.n_missing > 0)
        write_warning(json, "missing_values",
                      "The series has rows without a value; record.missing_policy says what was "
                      "done with them.");
    if (has_series && a->ready.is_ruined)
        write_warning(json, "ruined", "The value falls to 0: what follows is not counted.");
    if (has_series && (double)(a->ready.input.path.n - 1) < request->record.periods_per_year)
        write_warning(json, "annualised_from_short_window",
                      "The series is shorter than a year: annual figures extrapolate.");
    jw_end_array(json);
    jw_end_object(json);
}

enum status metrics_answer(const struct metrics_request *request,
                           const struct backtest_service *service, struct arena *arena,
                           const struct stop *stop, struct str *ret, struct err *err)
{
    struct buf out;
    struct json_out json;
    struct answer a = {
        .parts = {
            .request = request, .arena = arena, .json = &json, .service = service, .stop = stop}};
    buf_init(&out, arena, SIZE_MAX / 4);
    jw_init(&json, &out);
    jw_object(&json);
    jw_key(&json, "data");
    jw_object(&json);
    enum status s = write_series(&a, &json, err);
    if (s == STATUS_OK)
        s = metrics_write_periods(&a.parts, err);
    if (s == STATUS_OK)
        s = metrics_write_rolling(&a.parts, err);
    if (s == STATUS_OK)
        s = metrics_write_regression(&a.parts, err);
    if (s == STATUS_OK)
        s = metrics_write_money(&a.parts, err);
    if (s == STATUS_OK)
        s = metrics_write_bootstrap(&a.parts, err);
    if (s == STATUS_OK)
        s = metrics_write_monkeys(&a.parts, err);
    if (s != STATUS_OK)
        return s;
    metrics_write_trades(&a.parts);
    metrics_write_summary(&a.parts);
    jw_end_object(&json);
    write_meta(&a, &json);
    jw_end_object(&json);
    buf_add_char(&out, '\n');
    if (out.failed)
        return err_set(err, STATUS_TOO_LARGE,
                       "The answer does not fit in the memory one request may use.");
    *ret = buf_str(&out);
    return STATUS_OK;
}
