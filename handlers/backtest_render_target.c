/* backtest_render_target.c - writes realised beside target volatility, for the run and for each year. */
#include "handlers/backtest_render_target.h"

#include "backtest/realised.h"
#include "base/date.h"

/* Session of the first fill of a decision that was no fallback; PANEL_NEVER: none. */
static size_t first_fill(const struct backtest_result *r)
{
    for (size_t d = 0; d < r->strategy.n; d++) {
        if (r->strategy.decisions[d].note == NOTE_NONE && r->ledger.filled_at[d] != PANEL_NEVER)
            return r->ledger.filled_at[d];
    }
    return PANEL_NEVER;
}

/* Sessions (from, to] of the path. */
static void write_span(const struct backtest_result *r, double target, size_t from, size_t to,
                       struct json_out *json)
{
    double realised = realised_volatility(r->equity, from, to, r->periods_per_year);
    jw_key_i64(json, "returns", (int64_t)(to - from));
    jw_key_f64(json, "realised", realised);
    jw_key_f64(json, "ratio", realised / target);
}

static void write_years(const struct backtest_result *r, double target, size_t from,
                        struct json_out *json)
{
    const int32_t *clock = r->panel->clock;
    size_t n = r->panel->n_sessions;
    jw_key(json, "years");
    jw_array(json);
    for (size_t at = from; at + 1 < n;) {
        int year = date_to_civil(clock[at + 1]).year;
        size_t last = at + 1;
        while (last + 1 < n && date_to_civil(clock[last + 1]).year == year)
            last++;
        jw_object(json);
        jw_key_i64(json, "year", year);
        write_span(r, target, at, last, json);
        jw_end_object(json);
        at = last;
    }
    jw_end_array(json);
}

void backtest_render_target(const struct backtest_result *result, struct json_out *json)
{
    /* The first parameter of both is a volatility a year. */
    bool is_target = result->spec->strategy == STRATEGY_TARGET_VOLATILITY ||
                     result->spec->strategy == STRATEGY_MAXIMUM_RETURN;
    size_t from = is_target ? first_fill(result) : PANEL_NEVER;
    if (from == PANEL_NEVER) {
        jw_key_null(json, "target_volatility");
        return;
    }
    double target = result->spec->model->param[0];
    jw_key(json, "target_volatility");
    jw_object(json);
    jw_key_f64(json, "target", target);
    jw_key_date(json, "since", result->panel->clock[from]);
    write_span(result, target, from, result->panel->n_sessions - 1, json);
    write_years(result, target, from, json);
    jw_end_object(json);
}
