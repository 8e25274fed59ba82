/* backtest_render_passport.c - what a result was made from: data, their coverage, the clock, and its own hash. */
#include "handlers/backtest_render_passport.h"

#include "handlers/backtest_hash.h"

static void write_flags(unsigned flags, struct json_out *json)
{
    static const struct {
        enum series_flag flag;
        const char *name;
    } names[] = {
        {SERIES_SIMULATED, "simulated"},
        {SERIES_ADJUSTED_ONLY, "adjusted_only"},
        {SERIES_SURVIVOR_BIASED, "survivor_biased"},
        {SERIES_PRICE_INDEX, "price_index"},
        {SERIES_SYNTHETIC, "synthetic"},
    };
    jw_key(json, "flags");
    jw_array(json);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (flags & names[i].flag)
            jw_str(json, str_of(names[i].name));
    }
    jw_end_array(json);
}

static void write_coverage(const struct backtest_result *r, struct json_out *json)
{
    jw_key(json, "coverage");
    jw_array(json);
    for (size_t a = 0; a < r->panel->n_assets; a++) {
        const struct panel_asset *asset = &r->panel->assets[a];
        jw_object(json);
        jw_key_text(json, "uid", asset->series->uid);
        jw_key_c(json, "role", panel_role(r->panel, a));
        bool is_used = asset->n_bars_used > 0;
        jw_key_date(json, "first_used", is_used ? asset->first_used : DATE_NONE);
        jw_key_date(json, "last_used", is_used ? asset->last_used : DATE_NONE);
        jw_key_i64(json, "n_bars", (int64_t)asset->n_bars_used);
        jw_key_i64(json, "stale_sessions", (int64_t)asset->stale_sessions);
        jw_key_i64(json, "suspended_sessions", (int64_t)asset->suspended_sessions);
        jw_key_date(json, "delisted_on",
                    asset->delisted_at == PANEL_NEVER ? DATE_NONE : asset->series->delisted_on);
        write_flags(asset->series->flags, json);
        jw_end_object(json);
    }
    jw_end_array(json);
}

/* Null where it is not known: more trades than are listed. */
static void write_stale(const struct backtest_result *r, struct json_out *json)
{
    const struct stale_value *stale = &r->stale;
    if (!stale->is_known) {
        jw_key_null(json, "stale_value");
        return;
    }
    jw_key(json, "stale_value");
    jw_object(json);
    jw_key_f64(json, "mean_share", stale->mean_share);
    jw_key_f64(json, "highest_share", stale->highest_share);
    jw_key_date(json, "highest_on",
                stale->n_sessions > 0 ? r->panel->clock[stale->highest_at] : DATE_NONE);
    jw_key_i64(json, "sessions", (int64_t)stale->n_sessions);
    jw_end_object(json);
}

static const char *const clock_rules[] = {
    [CLOCK_UNION] = "union of the held assets' sessions",
    [CLOCK_DAILY_24_7] = "every day, in UTC",
    [CLOCK_BASE] = "sessions of the base",
};

void render_passport(const struct backtest_result *r, struct str id,
                     const struct backtest_passport *passport, struct json_out *json)
{
    const struct panel *panel = r->panel;
    jw_key(json, "passport");
    jw_object(json);
    jw_key_text(json, "input_hash", id);
    jw_key_c(json, "engine_version", passport->engine_version);
    jw_key(json, "data");
    jw_object(json);
    for (size_t i = 0; i < passport->n_marts; i++) {
        jw_key_i64(json, passport->marts[i].name, passport->marts[i].generation);
    }
    jw_end_object(json);
    write_coverage(r, json);
    write_stale(r, json);
    jw_key_i64(json, "sessions", (int64_t)panel->n_sessions);
    jw_key_f64(json, "periods_per_year", r->periods_per_year);
    jw_key(json, "clock");
    jw_object(json);
    jw_key_c(json, "rule", clock_rules[r->spec->clock]);
    jw_key_date(json, "first", panel->clock[0]);
    jw_key_date(json, "last", panel->clock[panel->n_sessions - 1]);
    jw_end_object(json);
    char hash[DIGEST_HEX_BYTES];
    if (backtest_hash(r, hash, NULL) == STATUS_OK)
        jw_key_c(json, "result_hash", hash);
    else
        jw_key_null(json, "result_hash");
    jw_key_date(json, "ruined_on", r->ruined_on);
    jw_key_f64(json, "risk_free_rate", r->risk_free_mean);
    jw_end_object(json);
}
