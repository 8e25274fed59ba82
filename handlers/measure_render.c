/* measure_render.c - the members that backtests and track records share. */
#include "handlers/measure_render.h"

#include <math.h>

void number_write(struct json_out *json, const char *key, double value)
{
    if (isfinite(value))
        jw_key_f64(json, key, value);
    else
        jw_key_null(json, key);
}

void measure_write(struct json_out *json, enum measure_id row, const struct measure_value *value,
                   const struct measure_value *benchmark)
{
    jw_object(json);
    if (value->reason == REASON_NONE) {
        jw_key_f64(json, "value", value->value);
    } else {
        jw_key_null(json, "value");
        jw_key_c(json, "reason", measure_reason_codes[value->reason]);
    }
    jw_key_c(json, "unit", measure_infos[row].unit);
    jw_key_i64(json, "n", (int64_t)value->n);
    if (benchmark != NULL && benchmark->reason == REASON_NONE)
        jw_key_f64(json, "benchmark", benchmark->value);
    else
        jw_key_null(json, "benchmark");
    jw_key_c(json, "convention", measure_infos[row].convention);
    jw_end_object(json);
}

void measures_write(struct json_out *json, enum profile profile, const struct measure_value *all,
                    const struct measure_value *benchmark)
{
    jw_key(json, "metrics");
    jw_object(json);
    for (size_t i = 0; i < MEASURE_COUNT; i++) {
        enum measure_id row = profile_row(profile, (enum measure_id)i);
        jw_key(json, measure_infos[i].name);
        measure_write(json, row, &all[row], benchmark == NULL ? NULL : &benchmark[row]);
    }
    jw_end_object(json);
}

static void write_place(struct json_out *json, const char *key, const int32_t *clock, size_t at)
{
    if (clock != NULL)
        jw_key_date(json, key, clock[at]);
    else
        jw_key_i64(json, key, (int64_t)at);
}

static void write_span(struct json_out *json, const char *key, const int32_t *clock, size_t from,
                       size_t to)
{
    if (clock != NULL)
        jw_key_i64(json, key, clock[to] - clock[from]);
    else
        jw_key_null(json, key);
}

void drawdowns_write(struct json_out *json, const int32_t *clock, const struct drawdown *list,
                     size_t n)
{
    jw_key(json, "drawdowns");
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        struct drawdown d = list[i];
        bool is_open = d.recovery == DRAWDOWN_OPEN;
        jw_object(json);
        write_place(json, "peak", clock, d.peak);
        write_place(json, "trough", clock, d.trough);
        if (is_open)
            jw_key_null(json, "recovery");
        else
            write_place(json, "recovery", clock, d.recovery);
        jw_key_f64(json, "depth", d.depth);
        write_span(json, "days_to_trough", clock, d.peak, d.trough);
        if (is_open)
            jw_key_null(json, "days_to_recovery");
        else
            write_span(json, "days_to_recovery", clock, d.trough, d.recovery);
        jw_key_bool(json, "is_open", is_open);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void table_years_write(struct json_out *json, const struct table_years *years)
{
    jw_key(json, "monthly");
    jw_array(json);
    for (size_t y = 0; y < years->n; y++) {
        const struct table_year *row = &years->rows[y];
        jw_object(json);
        jw_key_i64(json, "year", row->year);
        jw_key(json, "months");
        jw_f64_array(json, row->month, ARRAY_LEN(row->month));
        jw_key_f64(json, "total", row->total);
        jw_key_bool(json, "is_partial", row->is_partial);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void rolling_write(struct json_out *json, const struct rolling_report *report)
{
    if (report->window == 0) {
        jw_key_null(json, "rolling");
        return;
    }
    jw_key(json, "rolling");
    jw_object(json);
    jw_key_i64(json, "window", (int64_t)report->window);
    jw_key_i64(json, "n", (int64_t)report->n);
    if (report->date == NULL) {
        jw_key_null(json, "date");
    } else {
        jw_key(json, "date");
        jw_date_array(json, report->date, report->n);
    }
    for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++) {
        if (report->value[m] == NULL)
            continue;
        jw_key(json, rolling_metric_names[m]);
        jw_f64_array(json, report->value[m], report->n);
    }
    jw_end_object(json);
}
