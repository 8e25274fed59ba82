/* spec_canonical.c - the one spelling of a spec: hashed for its id and echoed in the answer. */
#include "backtest/spec_attribution.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_money.h"
#include "backtest/spec_market.h"
#include "backtest/spec_frontier.h"
#include "backtest/spec_limits.h"
#include "backtest/spec_names.h"
#include "backtest/spec_portfolio.h"
#include "backtest/spec_real.h"
#include "backtest/spec_rebalance.h"
#include "backtest/spec_strategy.h"

void spec_write_assets(const struct spec *spec, struct json_out *json)
{
    jw_key(json, "assets");
    jw_array(json);
    for (size_t i = 0; i < spec->n_assets; i++) {
        jw_object(json);
        if (spec->assets[i].portfolio == NULL) {
            jw_key_text(json, "uid", spec->assets[i].uid);
        } else {
            jw_key(json, "portfolio");
            spec_write_portfolio(&spec->assets[i], json);
        }
        if (spec->has_weights)
            jw_key_f64(json, "weight", spec->assets[i].weight);
        spec_write_asset_limits(&spec->assets[i], json);
        jw_end_object(json);
    }
    jw_end_array(json);
}

static void write_date(struct json_out *json, const char *key, int32_t date)
{
    if (date == DATE_NONE)
        jw_key_null(json, key);
    else
        jw_key_date(json, key, date);
}

static void write_monkeys(const struct spec *spec, struct json_out *json)
{
    jw_key(json, "monkeys");
    jw_object(json);
    jw_key_i64(json, "count", spec->n_monkeys);
    if (spec->n_monkeys > 0) {
        jw_key_i64(json, "seed", (int64_t)spec->monkey_seed);
        jw_key(json, "universe");
        jw_array(json);
        for (size_t i = 0; i < spec->n_universe; i++)
            jw_str(json, spec->universe[i]);
        jw_end_array(json);
    }
    jw_end_object(json);
}

static void write_risk_free(const struct spec *spec, struct json_out *json)
{
    struct spec_rate rate = {spec->risk_free_rate, spec->risk_free, spec->risk_free_per};
    jw_key(json, "risk_free_rate");
    spec_write_rate(&rate, json);
}

void spec_canonical(const struct spec *spec, struct json_out *json)
{
    jw_object(json);
    spec_write_assets(spec, json);
    jw_key(json, "strategy");
    spec_write_strategy(spec, spec->model, json);
    write_date(json, "start", spec->start);
    write_date(json, "end", spec->end);
    jw_key_f64(json, "capital", spec->capital);
    jw_key_c(json, "currency", spec->currency);
    spec_write_rebalance(&spec->rebalance, json);
    spec_write_costs(spec, json);
    jw_key_text(json, "benchmark", spec->benchmark);
    jw_key_c(json, "fill", spec_fill_names[spec->fill]);
    jw_key_i64(json, "max_stale", spec->max_stale);
    write_risk_free(spec, json);
    if (spec->metrics_profile != PROFILE_native)
        jw_key_c(json, "metrics_profile", profile_names[spec->metrics_profile]);
    spec_attribution_canonical(spec, json);
    spec_rolling_canonical(&spec->rolling, json);
    spec_real_canonical(spec, json);
    spec_factors_canonical(&spec->factors, json);
    jw_key_c(json, "on_weight_sum", spec_weight_sum_names[spec->on_weight_sum]);
    spec_write_frontier(spec, json);
    write_monkeys(spec, json);
    spec_write_market(spec, json);
    if (spec->shares != SHARES_FRACTIONAL)
        jw_key_c(json, "shares", spec_shares_names[spec->shares]);
    if (spec->round_cash)
        jw_key_bool(json, "round_cash", true);
    spec_write_financing(spec, json);
    spec_write_leverage(spec, json);
    spec_write_flows(spec, json);
    spec_trust_canonical(&spec->trust, json);
    jw_end_object(json);
}
