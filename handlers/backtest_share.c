/* backtest_share.c - the run itself, on prices, a panel and monkeys that earlier requests have left where they did. */
#include "handlers/backtest_run_parts.h"

#include "backtest/panel_key.h"

enum status run_load(struct run *run, struct err *err)
{
    const struct market_source source = {.pool = run->service->pool,
                                         .stop = run->stop,
                                         .statement_ms = run->service->statement_ms,
                                         .generation = run->generation,
                                         .version = run->version,
                                         .book = run->service->book,
                                         .file = run->service->file};
    enum status s =
        backtest_market_load(&source, run->spec, run->arena, &run->market, run->hold, err);
    run->market.kernels = run->service->kernels;
    run->is_loaded = s == STATUS_OK;
    return s;
}

/* What the monkeys of this request depend on: the data, the engine and all but the weights. */
static enum status identify_crowd(struct run *run, unsigned char ret_key[DIGEST_BYTES],
                                  struct err *err)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, run->arena, (size_t)2 << 20);
    run_write_data(run, &text);
    jw_init(&json, &text);
    monkey_crowd_key(run->spec, &json);
    return text.failed ? err_out_of_memory(err) : digest_raw(buf_str(&text), ret_key, err);
}

/* What the panel of this request depends on: the data, the engine and the rules of prices; false: on more. */
static enum status identify_panel(struct run *run, unsigned char ret_key[DIGEST_BYTES],
                                  bool *ret_is_shared, struct err *err)
{
    struct buf text;
    struct json_out json;
    buf_init(&text, run->arena, (size_t)2 << 20);
    run_write_data(run, &text);
    jw_init(&json, &text);
    *ret_is_shared = panel_key(run->spec, &json);
    return text.failed ? err_out_of_memory(err) : digest_raw(buf_str(&text), ret_key, err);
}

/* Builds a panel that others may share. On failure the run's hold frees what there is of it. */
static enum status build_panel(struct run *run, const unsigned char key[DIGEST_BYTES],
                               struct err *err)
{
    const struct panel_shared *panel = NULL;
    struct panel_lease *lease = panel_lease_new(run->arena->limit_bytes);
    run->hold->panel = lease;
    if (lease == NULL)
        return err_out_of_memory(err);
    enum status s = spec_resolve_dates(run->spec, &run->market, err);
    if (s == STATUS_OK)
        s = panel_shared_build(run->spec, &run->market, panel_lease_arena(lease), run->stop, &panel,
                               err);
    if (s == STATUS_OK)
        panels_keep(run->service->panels, run->version, key, lease, panel);
    return s;
}

/* The panel that an earlier request has left, or a new one that is left; NULL: the engine builds one for itself. */
static enum status share_panel(struct run *run, const struct panel_shared **ret, struct err *err)
{
    unsigned char key[DIGEST_BYTES];
    struct panels *panels = run->service->file == NULL ? run->service->panels : NULL;
    bool is_shared = panels != NULL;
    enum status s = is_shared ? identify_panel(run, key, &is_shared, err) : STATUS_OK;
    if (s != STATUS_OK || !is_shared)
        return s;
    run->hold->panels = panels;
    run->hold->panel = panels_find(panels, run->version, key);
    if (run->hold->panel == NULL)
        s = build_panel(run, key, err);
    if (s == STATUS_OK)
        *ret = panel_lease_panel(run->hold->panel);
    return s;
}

/* Runs the request among the monkeys that an earlier one has left, or leaves its own. */
enum status run_simulate(struct run *run, struct backtest_result **ret, struct err *err)
{
    unsigned char key[DIGEST_BYTES];
    struct monkey_crowd crowd;
    struct blob *blob = NULL;
    struct crowds *crowds = run->spec->n_monkeys > 0 ? run->service->crowds : NULL;
    enum status s = crowds == NULL ? STATUS_OK : identify_crowd(run, key, err);
    if (s != STATUS_OK)
        return s;
    struct backtest_shared kept = {0};
    s = share_panel(run, &kept.panel, err);
    if (s != STATUS_OK)
        return s;
    bool is_kept = crowds_find(crowds, key, &crowd, &blob);
    kept.crowd = is_kept ? &crowd : NULL;
    s = backtest_run_among(run->spec, &run->market, &kept, run->arena, run->stop, ret, err);
    if (s == STATUS_OK && !is_kept)
        crowds_keep(crowds, key, &(*ret)->crowd);
    if (s == STATUS_OK)
        (*ret)->crowd = (struct monkey_crowd){0}; /* it has done its work, and may be freed now */
    blob_unref(blob);
    return s;
}
