/* panel_key.c - names, window, prices, what funds charge, and clock; of weights only whether they are zero. See panel_build. */
#include "backtest/panel_key.h"

#include "backtest/panel.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_market.h"

#include <math.h>

static void write_assets(const struct spec *spec, struct json_out *json)
{
    jw_array(json);
    for (size_t i = 0; i < spec->n_assets; i++) {
        jw_str(json, spec->assets[i].uid);
        jw_i64(json, fabs(spec->assets[i].weight) > 0);
    }
    jw_end_array(json);
}

/* What is loaded beside the assets: columns for monkeys, what flows follow, economic series. */
static void write_others(const struct spec *spec, struct json_out *json)
{
    jw_array(json);
    for (size_t i = 0; i < spec->n_universe; i++)
        jw_str(json, spec->universe[i]);
    jw_end_array(json);
    jw_array(json);
    for (size_t i = 0; i < spec->n_flows; i++)
        if (spec->flows[i].index.ptr != NULL)
            jw_str(json, spec->flows[i].index);
    jw_end_array(json);
    jw_array(json);
    for (size_t i = 0; i < spec->n_indicators; i++)
        jw_str(json, spec->indicators[i].uid);
    jw_end_array(json);
}

bool panel_key(const struct spec *spec, struct json_out *json)
{
    if (spec->cash_currency == CASH_LOCAL)
        return false;
    for (size_t i = 0; i < spec->n_assets; i++)
        if (spec->assets[i].portfolio != NULL)
            return false;
    jw_array(json);
    write_assets(spec, json);
    write_others(spec, json);
    jw_i64(json, spec->start);
    jw_i64(json, spec->end);
    jw_str(json, str_of(spec->currency));
    jw_i64(json, spec->max_stale);
    jw_i64(json, panel_columns(spec));
    jw_str(json, spec->benchmark);
    jw_object(json);
    spec_write_market(spec, json);
    spec_write_expenses(spec, json);
    jw_end_object(json);
    jw_end_array(json);
    return true;
}
