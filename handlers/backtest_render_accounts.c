/* backtest_render_accounts.c - money in, money out, and the sum that must come to the final wealth. */
#include "handlers/backtest_render_accounts.h"

static void write_session(const struct backtest_result *r, const char *key, uint32_t session,
                          struct json_out *json)
{
    if (session == PANEL_NEVER)
        jw_key_null(json, key);
    else
        jw_key_date(json, key, r->panel->clock[session]);
}

static void write_flows(const struct backtest_result *r, struct json_out *json)
{
    jw_key(json, "flows");
    jw_array(json);
    for (size_t i = 0; i < r->ledger.n_flows; i++) {
        const struct sim_flow *flow = &r->ledger.flows[i];
        jw_object(json);
        jw_key_date(json, "date", r->panel->clock[flow->session]);
        jw_key_c(json, "timing", flow->at_start ? "start" : "end");
        jw_key_f64(json, "amount", flow->amount);
        jw_end_object(json);
    }
    jw_end_array(json);
}

/* Null where no dividend was waited for. */
static void write_receivables(const struct backtest_result *r, struct json_out *json)
{
    const double *line = r->ledger.receivables;
    if (line == NULL) {
        jw_key_null(json, "receivables");
        return;
    }
    jw_key(json, "receivables");
    jw_array(json);
    for (size_t t = 0; t < r->panel->n_sessions; t++)
        jw_f64(json, line[t]);
    jw_end_array(json);
}

static void write_rebalances(const struct backtest_result *r, struct json_out *json)
{
    const struct sim_recorder *l = &r->ledger;
    jw_key(json, "rebalances");
    jw_object(json);
    jw_key_i64(json, "count", (int64_t)l->n_rebalances);
    jw_key_f64(json, "turnover", l->turnover);
    jw_key_f64(json, "cost", l->rebalance_cost);
    if (l->n_rebalances > 0)
        jw_key_f64(json, "cost_each", l->rebalance_cost / (double)l->n_rebalances);
    else
        jw_key_null(json, "cost_each");
    jw_end_object(json);
}

/* Calls for margin, the first of them, and what was sold for them. */
static void write_margin_events(const struct backtest_result *r, struct json_out *json)
{
    const struct sim_recorder *l = &r->ledger;
    size_t n = l->n_margin_calls < SIM_MARGIN_CALLS_MAX ? l->n_margin_calls : SIM_MARGIN_CALLS_MAX;
    jw_key(json, "margin_events");
    jw_array(json);
    for (size_t i = 0; i < n; i++) {
        const struct sim_margin_call *call = &l->margin_call[i];
        double required = r->spec->leverage.maintenance_margin * call->gross;
        jw_object(json);
        jw_key_date(json, "date", r->panel->clock[call->session]);
        jw_key_c(json, "prices", call->at_extremes ? "extremes" : "close");
        jw_key_f64(json, "equity", call->equity);
        jw_key_f64(json, "gross", call->gross);
        jw_key_f64(json, "required", required);
        jw_key_f64(json, "missing", required - call->equity);
        write_session(r, "filled_on", call->filled_at, json);
        jw_key_f64(json, "traded", call->traded);
        jw_key_f64(json, "cost", call->cost);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void render_accounts(const struct backtest_result *r, struct json_out *json)
{
    const struct sim_recorder *l = &r->ledger;
    double final = r->wealth[r->panel->n_sessions - 1];

    jw_key(json, "accounts");
    jw_object(json);
    jw_key_f64(json, "capital", r->spec->capital);
    jw_key_f64(json, "contributed", l->contributed);
    jw_key_f64(json, "withdrawn", l->withdrawn);
    jw_key_f64(json, "gain", l->gain);
    jw_key_f64(json, "dividends", l->dividends);
    jw_key_f64(json, "cash_interest", l->cash_interest);
    jw_key_f64(json, "rounding", l->rounding);
    jw_key_f64(json, "costs", sim_costs_paid(l));
    jw_key_f64(json, "shortfall", l->shortfall);
    jw_key_f64(json, "final", final);
    jw_key_f64(json, "residual", sim_residual(l, r->spec->capital, final));
    jw_key_f64(json, "cash_drag", r->cash_drag);
    jw_key_f64(json, "xirr", r->xirr);
    jw_key_f64(json, "flow_timing_effect", r->flow_timing_effect);
    write_rebalances(r, json);
    write_session(r, "exhausted_on", l->exhausted_at, json);
    jw_key_i64(json, "margin_calls", (int64_t)l->n_margin_calls);
    write_margin_events(r, json);
    jw_key_i64(json, "open_fallbacks", (int64_t)l->n_open_fallbacks);
    jw_key_i64(json, "volume_fallbacks", (int64_t)l->n_volume_fallbacks);
    jw_key_i64(json, "partial_fills", (int64_t)l->n_partial_fills);
    write_flows(r, json);
    write_receivables(r, json);
    if (r->wealth == r->equity) {
        jw_key_null(json, "wealth");
    } else {
        jw_key(json, "wealth");
        jw_array(json);
        for (size_t t = 0; t < r->panel->n_sessions; t++)
            jw_f64(json, r->wealth[t]);
        jw_end_array(json);
    }
    jw_end_object(json);
}
