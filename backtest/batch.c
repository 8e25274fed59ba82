/* batch.c - plays groups of plans side by side where their days are alike, else each by itself. */
#include "backtest/batch_lanes.h"

#include <math.h>
#include <string.h>

enum { LINE_BYTES = 64 };

/* Room for n values that begin with a line of the cache. */
static double *lined_array(struct arena *arena, size_t n)
{
    double *room = arena_array(arena, n + LINE_BYTES / sizeof *room, sizeof *room);
    if (room == NULL)
        return NULL;
    return room + (LINE_BYTES - (uintptr_t)room % LINE_BYTES) % LINE_BYTES / sizeof *room;
}

/* Room for one portfolio whose result is equity. */
static enum status init_single(struct sim_workspace *single, const struct batch *batch,
                               double *equity, size_t max_names, struct arena *arena,
                               struct err *err)
{
    size_t n = batch->panel->n_sessions;
    enum status s = sim_workspace_init(single, arena, 0, max_names, err);
    single->equity = single->wealth = equity;
    if (s == STATUS_OK)
        s = sim_workspace_add_dues(single, arena, batch->panel, err);
    return s == STATUS_OK && batch->rules->n_flows > 0
               ? sim_workspace_add_wealth(single, arena, n, err)
               : s;
}

enum status batch_workspace_init(struct batch_workspace *workspace, const struct batch *batch,
                                 size_t max_names, struct arena *arena, struct err *err)
{
    const struct panel *panel = batch->panel;
    struct batch_workspace w = {.max_names = max_names};
    size_t n = panel->n_sessions;
    size_t most = max_names * BATCH_GROUP;
    w.max_columns = most < panel->n_assets ? most : panel->n_assets;
    size_t cells = w.max_columns * BATCH_GROUP;
    w.units = lined_array(arena, cells);
    w.target = lined_array(arena, cells);
    w.value = lined_array(arena, cells);
    w.weight = lined_array(arena, cells);
    w.price = arena_array(arena, w.max_columns, sizeof *w.price);
    w.tile = lined_array(arena, w.max_columns * KERNEL_TILE);
    w.column = arena_array(arena, w.max_columns, sizeof *w.column);
    w.asset = arena_array(arena, w.max_columns, sizeof *w.asset);
    w.place = arena_array(arena, panel->n_assets, sizeof *w.place);
    w.returns = arena_array(arena, n, sizeof *w.returns);
    w.drawdown = arena_array(arena, n, sizeof *w.drawdown);
    bool has_room = w.units != NULL && w.target != NULL && w.value != NULL && w.weight != NULL &&
                    w.price != NULL && w.tile != NULL && w.column != NULL && w.asset != NULL &&
                    w.place != NULL && w.returns != NULL && w.drawdown != NULL;
    for (size_t p = 0; p < BATCH_GROUP && has_room; p++) {
        w.equity[p] = arena_array(arena, n, sizeof *w.equity[p]);
        has_room = w.equity[p] != NULL;
    }
    if (!has_room)
        return err_set(err, STATUS_TOO_LARGE,
                       "A batch of %zu names over %zu sessions needs more memory than is allowed.",
                       max_names, n);
    enum status s = STATUS_OK;
    for (size_t p = 0; p < BATCH_GROUP && s == STATUS_OK; p++)
        s = init_single(&w.single[p], batch, w.equity[p], max_names, arena, err);
    if (s == STATUS_OK && batch->rules->rebalance.when == WHEN_BANDS)
        s = price_tiles_init(&w.tiles, panel, arena, err);
    if (s != STATUS_OK)
        return s;
    *workspace = w;
    return STATUS_OK;
}

/* The columns that any of the plans names, rising; how many. */
static size_t gather_columns(const struct batch *batch, const struct plan *plans, size_t n,
                             struct batch_workspace *ws)
{
    size_t count = 0;
    for (size_t p = 0; p < n; p++) {
        for (size_t j = 0; j < plans[p].n; j++)
            ws->place[plans[p].asset[j]] = 1;
    }
    for (size_t a = 0; a < batch->panel->n_assets; a++) {
        if (ws->place[a] == 0)
            continue;
        ws->asset[count] = a;
        ws->column[count] = batch->panel->price + panel_cell(batch->panel, a, 0);
        ws->place[a] = ++count;
    }
    return count;
}

static void forget_columns(struct batch_workspace *ws, size_t n_columns)
{
    for (size_t c = 0; c < n_columns; c++)
        ws->place[ws->asset[c]] = 0;
}

/* After a close, shared out as the positions stand or left in cash until the next fill. */
static bool are_simple_flows(const struct sim_rules *rules)
{
    if (rules->n_flows > 0 &&
        (rules->fill != FILL_NEXT_CLOSE || rules->allocation == FLOW_MOST_UNDERWEIGHT))
        return false;
    for (size_t i = 0; i < rules->n_flows; i++) {
        if (rules->flows[i].at_start || rules->n_due == 0 ||
            rules->flows[i].session < batch_fill_session(rules, 0))
            return false;
    }
    return true;
}

/* Decisions by the calendar, filled in full at a close, at a cost that is a share of what is traded. */
static bool are_simple(const struct sim_rules *rules)
{
    return sim_rules_are_simple(rules) && are_simple_flows(rules) &&
           !fill_is_before_close(rules->fill) && rules->rebalance.when == WHEN_CALENDAR &&
           !(rules->financing.day_basis > 0) && !rules->leverage.is_allowed;
}

/* Whether nothing but its price happens to a column: no delisting, no cash. */
static bool is_quiet(const struct panel *panel, const struct batch_workspace *ws, size_t n_columns)
{
    if (panel->has_money)
        return false; /* alone, a plan is played by orders then */
    for (size_t c = 0; c < n_columns; c++) {
        if (panel->assets[ws->asset[c]].delisted_at != PANEL_NEVER)
            return false;
    }
    for (size_t e = 0; e < panel->n_events; e++) {
        if (panel->events[e].kind != ACTION_SPLIT && ws->place[panel->events[e].asset] != 0)
            return false;
    }
    return true;
}

/* Whether every column is open at session t, if there is one. */
static bool is_open_at(const struct panel *panel, const struct batch_workspace *ws,
                       size_t n_columns, size_t t)
{
    for (size_t c = 0; t < panel->n_sessions && panel->n_closed[t] > 0 && c < n_columns; c++) {
        if (!(panel->state[panel_cell(panel, ws->asset[c], t)] & PANEL_TRADABLE))
            return false;
    }
    return true;
}

/*
 * Whether a group can be played side by side: the simple rules, quiet columns that are open whenever
 * something is filled, and that most of the plans share.
 */
static bool is_alike(const struct batch *batch, const struct plan *plans, size_t n,
                     const struct batch_workspace *ws, size_t n_columns)
{
    const struct panel *panel = batch->panel;
    const struct sim_rules *rules = batch->rules;
    size_t n_names = 0;
    for (size_t p = 0; p < n; p++)
        n_names += plans[p].n;
    if (n_columns * n > 3 * n_names)
        return false; /* valuing the names of others costs more than valuing alone */
    if (!are_simple(rules) || !is_quiet(panel, ws, n_columns))
        return false;
    for (size_t d = 0; d < rules->n_due; d++) {
        if (!is_open_at(panel, ws, n_columns, batch_fill_session(rules, d)))
            return false;
    }
    for (size_t i = 0; i < rules->n_flows; i++) {
        size_t t = rules->flows[i].session;
        if (!is_open_at(panel, ws, n_columns, t) || !is_open_at(panel, ws, n_columns, t + 1))
            return false;
    }
    return true;
}

static enum status play_each(const struct batch *batch, const struct plan *plans, size_t n,
                             struct batch_workspace *ws, const struct stop *stop, struct err *err)
{
    struct sim_game games[BATCH_GROUP] = {{0}};
    enum status s = STATUS_OK;
    for (size_t p = 0; p < n; p++) {
        ws->single[p].tiles = ws->tiles.low != NULL ? &ws->tiles : NULL;
        games[p] = (struct sim_game){&plans[p], batch->rules, &ws->single[p], NULL, false};
    }
    for (size_t p = 0; p < n && s == STATUS_OK; p += SIM_TOGETHER) {
        size_t count = n - p < SIM_TOGETHER ? n - p : SIM_TOGETHER;
        s = simulate_many(batch->panel, games + p, count, stop, err);
    }
    for (size_t p = 0; p < n; p++)
        ws->terminal[p] = ws->single[p].wealth[batch->panel->n_sessions - 1];
    return s;
}

enum status batch_play(const struct batch *batch, const struct plan *plans, size_t n,
                       struct batch_workspace *ws, const struct stop *stop, struct err *err)
{
    enum status s = STATUS_OK;
    bool is_done = false;
    size_t n_columns = gather_columns(batch, plans, n, ws);

    if (n > 1 && is_alike(batch, plans, n, ws, n_columns)) {
        const struct batch_group group = {batch, plans, n, n_columns, stop};
        s = batch_play_lanes(&group, ws, &is_done, err);
    }
    forget_columns(ws, n_columns);
    return s == STATUS_OK && !is_done ? play_each(batch, plans, n, ws, stop, err) : s;
}

enum status batch_run(const struct batch *batch, const struct plan *plans, size_t n,
                      struct batch_workspace *ws, struct batch_row *ret, const struct stop *stop,
                      struct err *err)
{
    for (size_t from = 0; from < n; from += BATCH_GROUP) {
        size_t count = n - from < BATCH_GROUP ? n - from : BATCH_GROUP;
        enum status s = batch_play(batch, plans + from, count, ws, stop, err);
        if (s != STATUS_OK)
            return s;
        for (size_t p = 0; p < count; p++)
            ret[from + p] = batch_measure(batch, ws, p);
    }
    return STATUS_OK;
}
