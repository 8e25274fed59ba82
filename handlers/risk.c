/* risk.c - risk figures of one instrument over windows, by the engine's own statistics. */
#include "handlers/risk.h"

#include "backtest/measure.h"
#include "base/date.h"
#include "base/number.h"
#include "base/suggest.h"
#include "handlers/handlers.h"
#include "handlers/instrument.h"
#include "handlers/params.h"
#include "handlers/warnings.h"

#include <stdio.h>

const char *const risk_window_names[WINDOW_COUNT] = {"30d", "90d", "1y", "3y", "max"};

static const enum measure_id measures[] = {
    MEASURE_total_return,    MEASURE_cagr,
    MEASURE_volatility,      MEASURE_downside_deviation,
    MEASURE_max_drawdown,    MEASURE_max_drawdown_days,
    MEASURE_sharpe,          MEASURE_sortino,
    MEASURE_calmar,          MEASURE_var_95,
    MEASURE_cvar_95,         MEASURE_skewness,
    MEASURE_kurtosis_excess, MEASURE_best_day,
    MEASURE_worst_day,       MEASURE_beta,
    MEASURE_correlation,
};
enum { N_MEASURES = ARRAY_LEN(measures), N_BEFORE = 4, N_COLUMNS = N_BEFORE + N_MEASURES };

struct risk {
    struct resource *resource;
    bool is_wanted[WINDOW_COUNT];
    struct str benchmark; /* ptr NULL: none */
    double risk_free_rate;
    double periods_per_year;
};

/* First day of a window that ends on last: returns from its price on. */
static int32_t window_from(enum risk_window window, int32_t last)
{
    switch (window) {
    case WINDOW_30D:
        return last - 30;
    case WINDOW_90D:
        return last - 90;
    case WINDOW_1Y:
        return date_add_months(last, -12);
    case WINDOW_3Y:
        return date_add_months(last, -36);
    case WINDOW_MAX:
    case WINDOW_COUNT:
        break;
    }
    return DATE_MIN;
}

enum status risk_series_load(struct resource *resource, struct db *db, const char *parameter,
                             struct str uid, struct arena *arena, struct risk_series *ret,
                             struct err *err)
{
    enum status s =
        instrument_find(db, parameter, uid, resource->read_at, arena, &ret->instrument, err);
    return s != STATUS_OK ? s : prices_load(db, uid, resource->read_at, arena, &ret->prices, err);
}

struct priced risk_priced(const struct risk_series *series, enum risk_window window)
{
    struct priced all = {series->prices.date, series->prices.price, series->prices.n};
    if (all.n == 0)
        return all;
    int32_t last = all.date[all.n - 1];
    return priced_within(all, window_from(window, last), last);
}

unsigned risk_warnings(const struct risk_series *series)
{
    return (series->prices.is_simulated ? 1u << WARNING_SIMULATED : 0) |
           ((series->prices.quality & QUALITY_SURVIVOR_BIASED) != 0 ? 1u << WARNING_SURVIVOR_BIAS
                                                                    : 0);
}

/* The benchmark on the dates both have, and the instrument on the same. */
static enum status add_benchmark(struct priced own, const struct risk_series *benchmark,
                                 struct arena *arena, struct measure_input *input, struct err *err)
{
    int32_t *date = arena_array(arena, own.n, sizeof *date);
    double *a = arena_array(arena, own.n, sizeof *a);
    double *b = arena_array(arena, own.n, sizeof *b);
    if (date == NULL || a == NULL || b == NULL)
        return err_out_of_memory(err);
    struct priced other = {benchmark->prices.date, benchmark->prices.price, benchmark->prices.n};
    size_t n = pairs_common(own, other, date, a, b);
    if (n < 2)
        return STATUS_OK;
    input->common = (struct measure_path){date, a, n};
    input->benchmark = (struct measure_path){date, b, n};
    return STATUS_OK;
}

static enum status put_window(const struct risk *risk, enum risk_window window,
                              const struct risk_series *own, const struct risk_series *benchmark,
                              struct table *table, struct err *err)
{
    struct arena *arena = &risk->resource->request->arena;
    struct str values[N_COLUMNS] = {str_of(risk_window_names[window])};
    struct priced path = risk_priced(own, window);
    struct measure_value results[MEASURE_ALL_COUNT];
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES], n[24], numbers[N_MEASURES][NUMBER_TEXT_BYTES];
    (void)snprintf(n, sizeof n, "%zu", path.n == 0 ? 0 : path.n - 1);
    values[3] = str_of(n);
    if (path.n < 2)
        return table_row(table, values, err);
    const struct measure_set wanted = measure_set_of(measures, N_MEASURES);
    struct measure_input input = {.path = {path.date, path.price, path.n},
                                  .periods_per_year = risk->periods_per_year,
                                  .risk_free_rate = risk->risk_free_rate,
                                  .wanted = &wanted};
    enum status s = STATUS_OK;
    if (benchmark != NULL)
        s = add_benchmark(path, benchmark, arena, &input, err);
    if (s == STATUS_OK)
        s = measure_compute(&input, arena, results, err);
    if (s != STATUS_OK)
        return s;
    date_format(path.date[0], from);
    date_format(path.date[path.n - 1], to);
    values[1] = str_of(from);
    values[2] = str_of(to);
    for (size_t i = 0; i < N_MEASURES; i++) {
        const struct measure_value *result = &results[measures[i]];
        if (result->reason == REASON_NONE)
            values[N_BEFORE + i] =
                (struct str){numbers[i], number_format(result->value, numbers[i])};
    }
    return table_row(table, values, err);
}

static enum status fill(struct request *request, void *cls, struct table *table, struct err *err)
{
    struct risk *risk = cls;
    CLEANUP(db_releasep) struct db *db = NULL;
    struct risk_series own, benchmark;
    struct table_column *columns = arena_array(&request->arena, N_COLUMNS, sizeof *columns);
    if (columns == NULL)
        return err_out_of_memory(err);
    columns[0] = (struct table_column){STR("window"), COLUMN_TEXT};
    columns[1] = (struct table_column){STR("from"), COLUMN_DATE};
    columns[2] = (struct table_column){STR("to"), COLUMN_DATE};
    columns[3] = (struct table_column){STR("n"), COLUMN_INT};
    for (size_t i = 0; i < N_MEASURES; i++)
        columns[N_BEFORE + i] =
            (struct table_column){str_of(measure_infos[measures[i]].name), COLUMN_FLOAT};
    enum status s = resource_db(risk->resource, &db, err);
    if (s == STATUS_OK)
        s = risk_series_load(risk->resource, db, "uid", request->path_params[0], &request->arena,
                             &own, err);
    if (s == STATUS_OK && risk->benchmark.ptr != NULL)
        s = risk_series_load(risk->resource, db, "benchmark", risk->benchmark, &request->arena,
                             &benchmark, err);
    if (s == STATUS_OK)
        s = table_columns(table, columns, N_COLUMNS, err);
    if (s != STATUS_OK)
        return s;
    risk->periods_per_year = str_eq_c(own.instrument.market, "24_7") ? 365 : 252;
    table_warn(table, risk_warnings(&own));
    if (risk->benchmark.ptr != NULL)
        table_warn(table, risk_warnings(&benchmark));
    for (enum risk_window window = 0; window < WINDOW_COUNT && s == STATUS_OK; window++)
        if (risk->is_wanted[window])
            s = put_window(risk, window, &own, risk->benchmark.ptr != NULL ? &benchmark : NULL,
                           table, err);
    return s;
}

static void put_meta(struct json_out *json, void *cls)
{
    const struct risk *risk = cls;
    resource_put_meta(risk->resource, json, true);
    jw_key_c(json, "source", "computed");
    jw_key_c(json, "prices", "adj_close");
    jw_key_text(json, "benchmark", risk->benchmark);
    jw_key_f64(json, "risk_free_rate", risk->risk_free_rate);
    jw_key_f64(json, "periods_per_year", risk->periods_per_year);
}

/* window=30d,1y: those, in the order of their length; all when absent. */
static enum status read_windows(struct request *request, struct risk *risk, struct err *err)
{
    struct str list = request_param(request, "window");
    struct str name;
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        risk->is_wanted[i] = list.ptr == NULL;
    while (list.ptr != NULL && str_next_field(&list, ',', &name)) {
        struct suggest search = suggest_start(name);
        size_t i = 0;
        for (; i < WINDOW_COUNT && !str_eq_c(name, risk_window_names[i]); i++)
            suggest_offer(&search, str_of(risk_window_names[i]));
        if (i == WINDOW_COUNT) {
            enum status s = params_refuse(err, "window", name, "30d, 90d, 1y, 3y, max");
            err_suggest(err, suggest_take(&search));
            return s;
        }
        risk->is_wanted[i] = true;
    }
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        resource_say_i64(risk->resource, "window", risk->is_wanted[i]);
    return STATUS_OK;
}

static enum status read_rate(struct request *request, struct risk *risk, struct err *err)
{
    struct str text = request_param(request, "risk_free_rate");
    if (text.ptr == NULL)
        return STATUS_OK;
    if (!str_to_f64(text, &risk->risk_free_rate) || risk->risk_free_rate < -0.5 ||
        risk->risk_free_rate > 1)
        return params_refuse(err, "risk_free_rate", text, "a fraction a year from -0.5 to 1");
    resource_say(risk->resource, "risk_free_rate", text);
    return STATUS_OK;
}

enum status instrument_risk_get(struct request *request, struct err *err)
{
    static const char *const names[] = {"window", "benchmark", "risk_free_rate", "generation",
                                        TABLE_PARAMETERS};
    static const char *const marts[] = {"mart_price_daily", "mart_instrument"};
    CLEANUP(resource_end) struct resource resource = {0};
    struct risk risk = {.resource = &resource, .benchmark = request_param(request, "benchmark")};
    enum status s = params_expect(request, names, ARRAY_LEN(names), err);
    if (s == STATUS_OK)
        s = resource_begin(request, marts, ARRAY_LEN(marts), &resource, err);
    resource_say(&resource, "benchmark", risk.benchmark);
    if (s == STATUS_OK)
        s = read_windows(request, &risk, err);
    if (s == STATUS_OK)
        s = read_rate(request, &risk, err);
    if (s != STATUS_OK)
        return s;
    return resource_answer(&resource,
                           (struct table_request){.fill = fill,
                                                  .put_meta = put_meta,
                                                  .file_name = STR("risk"),
                                                  .describedby = STR("/v1/marts/mart_price_daily"),
                                                  .cls = &risk},
                           err);
}
