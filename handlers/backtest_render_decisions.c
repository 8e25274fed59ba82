/* backtest_render_decisions.c - lets a reader check that no decision used a price from after it. */
#include "handlers/backtest_render_decisions.h"

#include "base/date.h"

static void write_row(const struct backtest_result *r, size_t d, struct json_out *json)
{
    const struct strategy_decision *decision = &r->strategy.decisions[d];
    const int32_t *clock = r->panel->clock;
    uint32_t filled_at = r->ledger.filled_at[d];
    const double *weight = plan_row(&r->plan, d);

    jw_object(json);
    jw_key_date(json, "decided_at", clock[decision->session]);
    jw_key_date(json, "known_from", decision->known_from);
    jw_key_date(json, "known_at", decision->known_at);
    jw_key_date(json, "acted_at", filled_at == PANEL_NEVER ? DATE_NONE : clock[filled_at]);
    if (decision->note == NOTE_NONE)
        jw_key_null(json, "note");
    else
        jw_key_c(json, "note", strategy_note_names[decision->note]);
    jw_key_f64(json, "invested", plan_invested(&r->plan, d));
    jw_key(json, "weights");
    jw_array(json);
    for (size_t j = 0; j < r->panel->n_held; j++)
        jw_f64(json, weight[j]);
    jw_end_array(json);
    jw_end_object(json);
}

void backtest_render_decisions(const struct backtest_result *result, struct json_out *json)
{
    size_t n = result->strategy.n, most = DECISIONS_WEIGHTS_MAX / (result->panel->n_held + 1) + 1;
    if (n == 0) {
        jw_key_null(json, "decisions");
        return;
    }
    jw_key(json, "decisions");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)n);
    jw_key_bool(json, "truncated", n > most);
    jw_key(json, "uids");
    jw_array(json);
    for (size_t j = 0; j < result->panel->n_held; j++)
        jw_str(json, result->panel->assets[j].series->uid);
    jw_end_array(json);
    jw_key(json, "rows");
    jw_array(json);
    for (size_t d = 0; d < n && d < most; d++)
        write_row(result, d, json);
    jw_end_array(json);
    jw_end_object(json);
}
