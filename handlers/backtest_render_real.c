/* backtest_render_real.c - a run in money of its first session, and what could have been withdrawn. */
#include "handlers/backtest_render_real.h"

#include "handlers/measure_render.h"

/* The figures that need no rate of interest and no trade. */
static const enum measure_id rows[] = {
    MEASURE_total_return,      MEASURE_cagr,          MEASURE_volatility, MEASURE_max_drawdown,
    MEASURE_max_drawdown_days, MEASURE_ulcer_index,   MEASURE_calmar,     MEASURE_best_year,
    MEASURE_worst_year,        MEASURE_positive_years};

void backtest_render_real(const struct backtest_result *result, struct json_out *json)
{
    const struct real_terms *real = &result->real;
    if (real->level == NULL) {
        jw_key_null(json, "real");
        return;
    }
    jw_key(json, "real");
    jw_object(json);
    jw_key_text(json, "indicator", result->spec->inflation);
    jw_key_f64(json, "inflation", real->inflation);
    jw_key_f64(json, "inflation_annual", real->inflation_annual);
    jw_key_f64(json, "terminal_wealth", real->terminal_wealth);
    jw_key(json, "metrics");
    jw_object(json);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        jw_key(json, measure_infos[rows[i]].name);
        measure_write(json, rows[i], &real->measures[rows[i]], NULL);
    }
    jw_end_object(json);
    jw_key(json, "level");
    jw_f64_array(json, real->level, result->panel->n_sessions);
    jw_key(json, "equity");
    jw_f64_array(json, real->equity, result->panel->n_sessions);
    jw_end_object(json);
}

static void write_worst(const struct withdrawal_rates *rates, const char *key, const double *rate,
                        size_t worst, double median, struct json_out *json)
{
    jw_key(json, key);
    jw_object(json);
    if (worst < rates->n) {
        jw_key_f64(json, "worst", rate[worst]);
        jw_key_date(json, "worst_start", rates->start[worst]);
    } else {
        jw_key_null(json, "worst");
        jw_key_null(json, "worst_start");
    }
    number_write(json, "median", median);
    jw_key(json, "rate");
    jw_f64_array(json, rate, rates->n);
    jw_end_object(json);
}

void backtest_render_withdrawals(const struct backtest_result *result, struct json_out *json)
{
    const struct withdrawal_rates *rates = &result->withdrawals;
    if (rates->years == 0) {
        jw_key_null(json, "withdrawal_rates");
        return;
    }
    jw_key(json, "withdrawal_rates");
    jw_object(json);
    jw_key_i64(json, "years", rates->years);
    jw_key_bool(json, "is_real", result->real.level != NULL);
    jw_key_i64(json, "n", (int64_t)rates->n);
    jw_key(json, "start");
    jw_date_array(json, rates->start, rates->n);
    write_worst(rates, "safe", rates->safe, rates->worst, rates->median, json);
    write_worst(rates, "perpetual", rates->perpetual, rates->worst_perpetual,
                rates->median_perpetual, json);
    jw_end_object(json);
}
