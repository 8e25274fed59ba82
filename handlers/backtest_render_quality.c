/* backtest_render_quality.c - writes what quality.h found and which corporate actions a run applied. */
#include "handlers/backtest_render_quality.h"

#include "backtest/quality.h"

enum { LISTED_MAX = 20 };

static void write_counts(const struct panel *panel, const struct series_quality *quality,
                         struct json_out *json)
{
    size_t n[QUALITY_KINDS];
    quality_count(quality, panel->clock[0], panel->clock[panel->n_sessions - 1], n);
    jw_key(json, "counts");
    jw_object(json);
    for (size_t k = 0; k < QUALITY_KINDS; k++)
        if (n[k] > 0)
            jw_key_i64(json, quality_names[k], (int64_t)n[k]);
    jw_end_object(json);
}

static void write_findings(const struct panel *panel, const struct series_quality *quality,
                           struct json_out *json)
{
    size_t listed = 0;
    jw_key(json, "findings");
    jw_array(json);
    for (size_t i = 0; i < quality->n && listed < LISTED_MAX; i++) {
        const struct quality_finding *f = &quality->findings[i];
        if (!quality_is_within(f, panel->clock[0], panel->clock[panel->n_sessions - 1]))
            continue;
        jw_object(json);
        jw_key_c(json, "kind", quality_names[f->kind]);
        jw_key_date(json, "from", f->from);
        jw_key_date(json, "to", f->to);
        jw_key_f64(json, "size", f->size);
        jw_end_object(json);
        listed++;
    }
    jw_end_array(json);
}

/* Actions of the window, whether they changed the shares of a unit or paid cash. */
static void write_actions(const struct panel *panel, const struct panel_asset *asset,
                          struct json_out *json)
{
    size_t n[ACTION_KIND_COUNT] = {0};
    for (size_t i = 0; i < asset->basis.n_actions; i++) {
        const struct basis_action *action = &asset->basis.actions[i];
        if (action->session > 0 && action->session < panel->n_sessions)
            n[action->kind]++;
    }
    jw_key(json, "actions");
    jw_object(json);
    for (size_t k = 0; k < ARRAY_LEN(n); k++)
        if (n[k] > 0)
            jw_key_i64(json, action_kind_names[k], (int64_t)n[k]);
    jw_end_object(json);
}

static void write_series(const struct panel *panel, const struct price_series *series,
                         const struct panel_asset *asset, const char *role, struct json_out *json)
{
    const struct series_quality *quality = series->quality;
    jw_object(json);
    jw_key_text(json, "uid", series->uid);
    jw_key_c(json, "role", role);
    jw_key_date(json, "first", series->date[0]);
    jw_key_date(json, "last", series->date[series->n - 1]);
    if (quality == NULL) {
        jw_key_null(json, "checked_against");
    } else {
        jw_key_c(json, "checked_against", quality->has_calendar ? "calendar" : "weekdays");
        write_counts(panel, quality, json);
        write_findings(panel, quality, json);
    }
    if (asset != NULL)
        write_actions(panel, asset, json);
    jw_end_object(json);
}

void backtest_render_quality(const struct backtest_result *result, struct json_out *json)
{
    const struct panel *panel = result->panel;
    jw_key(json, "data_quality");
    jw_array(json);
    for (size_t a = 0; a < panel->n_assets; a++)
        write_series(panel, panel->assets[a].series, &panel->assets[a], panel_role(panel, a), json);
    if (panel->benchmark_series != NULL)
        write_series(panel, panel->benchmark_series, NULL, "benchmark", json);
    jw_end_array(json);
}
