/* panel_shared.c - takes a panel off the market it was built from, and puts it on another run's. */
#include "backtest/panel_shared.h"

#include "base/json_out.h"

#include <string.h>

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this backtest.");
}

/* The name of a series in memory that lasts; the series itself is forgotten. False when out of memory. */
static bool take_name(const struct market_data *market, const struct price_series **series,
                      struct arena *arena, struct panel_name *ret)
{
    char *uid = arena_dup(arena, (*series)->uid);
    if (uid == NULL)
        return false;
    *ret = (struct panel_name){str_of(uid), (size_t)(*series - market->series)};
    *series = NULL;
    return true;
}

/* What takes longer to write than to copy. */
static enum status write_texts(const struct spec *spec, const struct panel *panel,
                               struct arena *arena, struct panel_shared *shared, struct err *err)
{
    struct buf dates, benchmark;
    struct json_out json;
    size_t n = panel->n_sessions;
    buf_init(&dates, arena, SIZE_MAX / 4);
    jw_init(&json, &dates);
    jw_date_array(&json, panel->clock, n);
    shared->clock_text = buf_str(&dates);
    shared->capital = spec->capital;
    if (dates.failed)
        return out_of_memory(err);
    if (shared->benchmark_path.n == 0)
        return STATUS_OK;
    double *line = arena_room(arena, n, sizeof *line);
    if (line == NULL)
        return out_of_memory(err);
    yardstick_line(panel, shared->benchmark_path, spec->capital, line);
    buf_init(&benchmark, arena, SIZE_MAX / 4);
    jw_init(&json, &benchmark);
    jw_f64_array(&json, line, n);
    shared->benchmark_text = buf_str(&benchmark);
    return benchmark.failed ? out_of_memory(err) : STATUS_OK;
}

enum status panel_shared_build(const struct spec *spec, const struct market_data *market,
                               struct arena *arena, const struct stop *stop,
                               const struct panel_shared **ret, struct err *err)
{
    struct panel_shared *shared = ARENA_NEW(arena, struct panel_shared);
    struct panel *panel = NULL;
    if (shared == NULL)
        return out_of_memory(err);
    enum status s = panel_build(spec, market, arena, stop, &panel, err);
    if (s != STATUS_OK)
        return s;
    shared->names = arena_array(arena, panel->n_assets, sizeof *shared->names);
    bool fits = shared->names != NULL;
    for (size_t a = 0; a < panel->n_assets && fits; a++)
        fits = take_name(market, &panel->assets[a].series, arena, &shared->names[a]);
    if (fits && panel->benchmark_series != NULL)
        fits = take_name(market, &panel->benchmark_series, arena, &shared->benchmark);
    for (size_t i = 0; i < panel->n_excluded && fits; i++) {
        char *uid = arena_dup(arena, panel->excluded[i]);
        fits = uid != NULL;
        panel->excluded[i] = fits ? str_of(uid) : STR_NONE;
    }
    if (!fits)
        return out_of_memory(err);
    s = yardstick_path(panel, arena, &shared->benchmark_path, err);
    if (s == STATUS_OK && shared->benchmark_path.n > 0 && spec->risk_free.ptr == NULL)
        s = yardstick_measure(spec, panel, shared->benchmark_path, NULL, arena, &shared->yardstick,
                              err);
    if (s == STATUS_OK)
        s = write_texts(spec, panel, arena, shared, err);
    if (s != STATUS_OK)
        return s;
    panel->fx.arena = NULL;
    panel->kernels = NULL;
    shared->panel = *panel;
    *ret = shared;
    return STATUS_OK;
}

static const struct price_series *find(const struct market_data *market,
                                       const struct panel_name *name)
{
    if (name->place < market->n_series && str_eq(market->series[name->place].uid, name->uid))
        return &market->series[name->place];
    return market_find(market, name->uid);
}

enum status panel_shared_open(const struct panel_shared *shared, const struct market_data *market,
                              struct arena *arena, struct panel **ret, struct err *err)
{
    struct panel *panel = ARENA_NEW(arena, struct panel);
    struct panel_asset *assets = arena_array(arena, shared->panel.n_assets, sizeof *assets);
    if (panel == NULL || assets == NULL)
        return out_of_memory(err);
    *panel = shared->panel;
    memcpy(assets, panel->assets, panel->n_assets * sizeof *assets);
    for (size_t a = 0; a < panel->n_assets; a++) {
        assets[a].series = assets[a].basis.series = find(market, &shared->names[a]);
        if (assets[a].series == NULL)
            return market_unknown(market, shared->names[a].uid, err);
    }
    if (shared->benchmark.uid.ptr != NULL &&
        (panel->benchmark_series = find(market, &shared->benchmark)) == NULL)
        return market_unknown(market, shared->benchmark.uid, err);
    panel->assets = assets;
    panel->fx.arena = arena;
    panel->kernels = market->kernels != NULL ? market->kernels : &kernels_ref;
    *ret = panel;
    return STATUS_OK;
}
