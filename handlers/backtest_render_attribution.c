/* backtest_render_attribution.c - where return and risk came from, asset by asset and class by class. */
#include "handlers/backtest_render_attribution.h"

#include "backtest/brinson.h"
#include "handlers/measure_render.h"

#include <math.h>

static void write_known(struct json_out *json, const char *key, bool is_known, double value)
{
    number_write(json, key, is_known ? value : (double)NAN);
}

/* Allocation, selection and interaction by group; null when they were not asked for, or are not known. */
static void write_brinson(const struct brinson *b, struct json_out *json)
{
    if (b == NULL) {
        jw_key_null(json, "brinson");
        return;
    }
    jw_key(json, "brinson");
    jw_object(json);
    jw_key_f64(json, "benchmark_return", b->benchmark_return);
    jw_key_f64(json, "active_return", b->active_return);
    jw_key(json, "groups");
    jw_array(json);
    for (size_t g = 0; g < b->n; g++) {
        const struct brinson_group *group = &b->group[g];
        jw_object(json);
        jw_key_text(json, "name", group->name);
        jw_key_f64(json, "weight", group->weight);
        jw_key_f64(json, "benchmark_weight", group->benchmark_weight);
        jw_key_f64(json, "allocation", group->allocation);
        jw_key_f64(json, "selection", group->selection);
        jw_key_f64(json, "interaction", group->interaction);
        jw_end_object(json);
    }
    jw_end_array(json);
    jw_key_f64(json, "cash", b->cash);
    jw_key_f64(json, "other", b->other);
    jw_end_object(json);
}

static void write_figures(struct json_out *json, const struct attribution *a,
                          const struct attribution_asset *figures)
{
    bool is_known = a->gap == ATTRIBUTION_KNOWN;
    write_known(json, "contribution", is_known, figures->contribution);
    write_known(json, "fx", is_known, figures->fx);
    write_known(json, "costs", is_known, figures->costs);
    write_known(json, "risk", a->has_risk, figures->risk);
    write_known(json, "mean_weight", is_known, figures->mean_weight);
    write_known(json, "mean_gross", is_known, figures->mean_gross);
}

static void write_classes(struct json_out *json, const struct attribution *a)
{
    jw_key(json, "classes");
    jw_array(json);
    for (size_t i = 0; i < a->n_classes; i++) {
        jw_object(json);
        jw_key_text(json, "name", a->class[i].name);
        write_figures(json, a, &a->class[i].sum);
        jw_key_f64(json, "final_weight", a->class[i].final_weight);
        jw_end_object(json);
    }
    jw_end_array(json);
}

void render_attribution(const struct backtest_result *r, struct json_out *json)
{
    const struct attribution *a = r->attribution;
    if (a == NULL) {
        jw_key_null(json, "attribution");
        return;
    }
    bool is_known = a->gap == ATTRIBUTION_KNOWN;
    jw_key(json, "attribution");
    jw_object(json);
    jw_key_f64(json, "total_return", a->total);
    if (!is_known)
        jw_key_c(json, "reason", attribution_gap_codes[a->gap]);
    jw_key(json, "assets");
    jw_array(json);
    for (size_t i = 0; i < a->n; i++) {
        jw_object(json);
        jw_key_text(json, "uid", r->panel->assets[i].series->uid);
        write_figures(json, a, &a->asset[i]);
        jw_end_object(json);
    }
    jw_end_array(json);
    write_classes(json, a);
    write_known(json, "other", is_known, a->other);
    write_known(json, "diversification_ratio", a->has_risk, a->diversification_ratio);
    write_brinson(a->brinson, json);
    jw_end_object(json);
}
