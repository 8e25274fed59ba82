/* backtest_render_variations.c - the same request with other money, dividends, destinations and rates, side by side. */
#include "backtest/spec_names.h"
#include "handlers/backtest_render_trust.h"
#include "handlers/measure_render.h"

#include <assert.h>
#include <math.h>

static void write_measure(struct json_out *json, const char *key, const struct measure_value *value)
{
    number_write(json, key, value->reason == REASON_NONE ? value->value : (double)NAN);
}

static void write_variation(const struct variation *v, struct json_out *json)
{
    write_measure(json, "total_return", &v->total_return);
    write_measure(json, "cagr", &v->cagr);
    write_measure(json, "max_drawdown", &v->max_drawdown);
    write_measure(json, "cost_ratio", &v->cost_ratio);
    write_measure(json, "income_yield", &v->income_yield);
    jw_key_f64(json, "terminal_wealth", v->terminal_wealth);
    jw_key_f64(json, "drag", v->drag);
    jw_key_i64(json, "partial_fills", (int64_t)v->n_partial_fills);
    jw_end_object(json);
}

/* Rows of a kind, or null where it was not asked for; write_own writes what only this kind has. */
static void write_variations(const char *key, const struct variation *rows, size_t n,
                             void (*write_own)(const struct variation *rows, size_t i,
                                               struct json_out *json),
                             struct json_out *json)
{
    if (n == 0) {
        jw_key_null(json, key);
        return;
    }
    jw_key(json, key);
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        jw_object(json);
        write_own(rows, i, json);
        write_variation(&rows[i], json);
    }
    jw_end_array(json);
}

static void write_capital(const struct variation *rows, size_t i, struct json_out *json)
{
    jw_key_f64(json, "capital", rows[i].capital);
}

static void write_dividends(const struct variation *rows, size_t i, struct json_out *json)
{
    jw_key_c(json, "dividends", spec_dividend_names[rows[i].dividends]);
}

static void write_destination(const struct variation *rows, size_t i, struct json_out *json)
{
    jw_key_c(json, "destination", spec_destination_names[rows[i].destination]);
    jw_key_i64(json, "rebalances", (int64_t)rows[i].n_rebalances);
    jw_key_f64(json, "turnover", rows[i].turnover);
    jw_key_f64(json, "costs", rows[i].costs);
    jw_key_f64(json, "costs_saved", rows[DESTINATION_TARGET].costs - rows[i].costs);
}

static void write_currency(const struct variation *rows, size_t i, struct json_out *json)
{
    static const char *const names[VARIATIONS_CURRENCIES] = {"converted", "local", "hedged"};
    (void)rows;
    assert(i < VARIATIONS_CURRENCIES);
    jw_key_c(json, "currencies", names[i]);
}

void render_capacity(const struct backtest_result *r, struct json_out *json)
{
    const struct variations_report *v = &r->trust->variations;
    write_variations("capacity", v->capacity, v->n_capacity, write_capital, json);
}

void render_dividend_modes(const struct backtest_result *r, struct json_out *json)
{
    const struct variations_report *v = &r->trust->variations;
    write_variations("dividend_modes", v->mode, v->has_modes ? VARIATIONS_MODES : 0,
                     write_dividends, json);
}

void render_destination_modes(const struct backtest_result *r, struct json_out *json)
{
    const struct variations_report *v = &r->trust->variations;
    write_variations("destination_modes", v->destination,
                     v->has_destinations ? REBALANCE_DESTINATION_COUNT : 0, write_destination,
                     json);
}

void render_currency_modes(const struct backtest_result *r, struct json_out *json)
{
    const struct variations_report *v = &r->trust->variations;
    write_variations("currency_modes", v->currency, v->n_currencies, write_currency, json);
}
