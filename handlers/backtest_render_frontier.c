/* backtest_render_frontier.c - each point out of sample first; what is in sample says so. */
#include "handlers/backtest_render_frontier.h"

static void write_figures(const char *key, struct frontier_figures figures, struct json_out *json)
{
    jw_key(json, key);
    jw_object(json);
    jw_key_f64(json, "mean", figures.mean);
    jw_key_f64(json, "volatility", figures.volatility);
    jw_end_object(json);
}

void backtest_render_frontier(const struct backtest_result *result, struct json_out *json)
{
    const struct frontier *f = &result->frontier;
    if (result->spec->frontier.n_points == 0) {
        jw_key_null(json, "frontier");
        return;
    }
    jw_key(json, "frontier");
    jw_object(json);
    jw_key_date(json, "in_sample_until", result->panel->clock[f->split]);
    jw_key_i64(json, "unsolved", (int64_t)f->n_unsolved);
    jw_key(json, "uids");
    jw_array(json);
    for (size_t a = 0; a < f->n; a++)
        jw_str(json, result->panel->assets[a].series->uid);
    jw_end_array(json);
    jw_key(json, "points");
    jw_array(json);
    for (size_t k = 0; k < f->n_points; k++) {
        jw_object(json);
        write_figures("out_of_sample", f->points[k].out_of_sample, json);
        write_figures("in_sample", f->points[k].in_sample, json);
        jw_key(json, "weights");
        jw_array(json);
        for (size_t a = 0; a < f->n; a++)
            jw_f64(json, f->points[k].weight[a]);
        jw_end_array(json);
        jw_end_object(json);
    }
    jw_end_array(json);
    jw_end_object(json);
}
