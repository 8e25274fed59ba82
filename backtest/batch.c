/* batch.c - plays groups of plans side by side where their days are alike, else each by itself. */
#include "backtest/batch.h"

#include "backtest/kernels.h"

#include <math.h>
#include <string.h>

/* Room for one portfolio whose result is equity. */
static enum status init_single(struct sim_workspace *single, const struct batch *batch,
                               double *equity, size_t max_names, struct arena *arena,
                               struct err *err)
{
    size_t n = batch->panel->n_sessions;
    enum status s = sim_workspace_init(single, arena, 0, max_names, err);
    single->equity = single->wealth = equity;
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
    w.units = arena_array(arena, cells, sizeof *w.units);
    w.target = arena_array(arena, cells, sizeof *w.target);
    w.value = arena_array(arena, cells, sizeof *w.value);
    w.weight = arena_array(arena, cells, sizeof *w.weight);
    w.price = arena_array(arena, w.max_columns, sizeof *w.price);
    w.column = arena_array(arena, w.max_columns, sizeof *w.column);
    w.asset = arena_array(arena, w.max_columns, sizeof *w.asset);
    w.place = arena_array(arena, panel->n_assets, sizeof *w.place);
    w.returns = arena_array(arena, n, sizeof *w.returns);
    w.drawdown = arena_array(arena, n, sizeof *w.drawdown);
    bool has_room = w.units != NULL && w.target != NULL && w.value != NULL && w.weight != NULL &&
                    w.price != NULL && w.column != NULL && w.asset != NULL && w.place != NULL &&
                    w.returns != NULL && w.drawdown != NULL;
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

static size_t fill_session(const struct sim_rules *rules, size_t decision)
{
    return rules->due[decision] + (rules->fill == FILL_SAME_CLOSE ? 0 : 1);
}

/* Decisions by the calendar, filled in full at a close, at a cost that is a share of what is traded. */
static bool are_simple(const struct sim_rules *rules)
{
    return costs_are_flat(&rules->costs) && rules->shares == SHARES_FRACTIONAL &&
           rules->n_flows == 0 && rules->fill != FILL_NEXT_OPEN &&
           rules->rebalance.when == WHEN_CALENDAR && rules->rebalance.scope == SCOPE_ALL &&
           rules->rebalance.destination == DESTINATION_TARGET &&
           !(rules->rebalance.min_trade > 0) && !(rules->financing.day_basis > 0) &&
           !rules->leverage.is_allowed;
}

/* Whether nothing but its price happens to a column: no delisting, no cash. */
static bool is_quiet(const struct panel *panel, const struct batch_workspace *ws, size_t n_columns)
{
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

/*
 * Whether a group can be played side by side: the simple rules, quiet columns that are open whenever
 * something is filled, and that most of the plans share.
 */
static bool is_alike(const struct batch *batch, const struct plan *plans, size_t n,
                     const struct batch_workspace *ws, size_t n_columns)
{
    const struct panel *panel = batch->panel;
    size_t n_names = 0;
    for (size_t p = 0; p < n; p++)
        n_names += plans[p].n;
    if (n_columns * n > 3 * n_names)
        return false; /* valuing the names of others costs more than valuing alone */
    if (!are_simple(batch->rules) || !is_quiet(panel, ws, n_columns))
        return false;
    for (size_t d = 0; d < batch->rules->n_due; d++) {
        size_t t = fill_session(batch->rules, d);
        for (size_t c = 0; t < panel->n_sessions && panel->n_closed[t] > 0 && c < n_columns; c++) {
            if (!(panel->state[panel_cell(panel, ws->asset[c], t)] & PANEL_TRADABLE))
                return false;
        }
    }
    return true;
}

enum targets { TARGETS_SHORT, TARGETS_SOME_ZERO, TARGETS_FULL };

/* Lays decision d of every plan out as the kernels want it, and says what is among the targets. */
static enum targets lay_targets(const struct plan *plans, size_t n, size_t d,
                                struct batch_workspace *ws, size_t n_columns, double *invested)
{
    double lowest = 1;
    memset(ws->target, 0, n_columns * BATCH_GROUP * sizeof *ws->target);
    for (size_t p = 0; p < BATCH_GROUP; p++) {
        const struct plan *plan = &plans[p < n ? p : n - 1]; /* the last fills up the group */
        const double *row = plan_row(plan, d);
        invested[p] = plan_invested(plan, d);
        for (size_t j = 0; j < plan->n; j++) {
            ws->target[(ws->place[plan->asset[j]] - 1) * BATCH_GROUP + p] = row[j];
            lowest = row[j] < lowest ? row[j] : lowest;
        }
    }
    return lowest < 0 ? TARGETS_SHORT : lowest > 0 ? TARGETS_FULL : TARGETS_SOME_ZERO;
}

static bool have_one_row(const struct plan *plans, size_t n)
{
    for (size_t p = 0; p < n; p++) {
        if (plans[p].stride != 0)
            return false;
    }
    return true;
}

/* Side by side; *ret_done is false when that does not do for these plans after all. */
static enum status play_alike(const struct batch *batch, const struct plan *plans, size_t n,
                              struct batch_workspace *ws, size_t n_columns, const struct stop *stop,
                              bool *ret_done, struct err *err)
{
    const struct panel *panel = batch->panel;
    const struct sim_rules *rules = batch->rules;
    double cash[BATCH_GROUP], invested[BATCH_GROUP], n_names[BATCH_GROUP], after[BATCH_GROUP];
    struct kernel_holdings held = {ws->column,  n_columns,   ws->units, cash,
                                   BATCH_GROUP, BATCH_GROUP, ws->equity};
    struct kernel_fill fill = {.price = ws->price,
                               .n_assets = n_columns,
                               .n_portfolios = BATCH_GROUP,
                               .stride = BATCH_GROUP,
                               .target = ws->target,
                               .invested = invested,
                               .rate = costs_flat_rate(&rules->costs),
                               .rounding = SIM_ROUNDING,
                               .units = ws->units,
                               .cash = cash,
                               .after = after,
                               .value = ws->value,
                               .weight = ws->weight};
    enum targets targets = TARGETS_SHORT;
    bool is_fixed = have_one_row(plans, n);
    size_t t = 0;

    memset(ws->units, 0, n_columns * BATCH_GROUP * sizeof *ws->units);
    for (size_t p = 0; p < BATCH_GROUP; p++) {
        cash[p] = rules->capital;
        n_names[p] = (double)plans[p < n ? p : n - 1].n;
    }
    for (size_t d = 0; d < rules->n_due && fill_session(rules, d) < panel->n_sessions; d++) {
        size_t at = fill_session(rules, d);
        if (d + 1 < rules->n_due && fill_session(rules, d + 1) == at)
            continue; /* replaced by a newer decision before it could be filled */
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        if (d == 0 || !is_fixed)
            targets = lay_targets(plans, n, d, ws, n_columns, invested);
        if (targets == TARGETS_SHORT)
            return STATUS_OK;
        fill.n_names = targets == TARGETS_FULL ? NULL : n_names;
        panel->kernels->value_many(&held, t, at);
        for (size_t c = 0; c < n_columns; c++)
            ws->price[c] = ws->column[c][at];
        if (!panel->kernels->fill_many(&fill))
            return STATUS_OK;
        for (size_t p = 0; p < BATCH_GROUP; p++)
            ws->equity[p][at] = after[p];
        t = at + 1;
    }
    panel->kernels->value_many(&held, t, panel->n_sessions);
    for (size_t p = 0; p < BATCH_GROUP; p++) {
        ws->equity[p][0] = rules->capital;
        ws->terminal[p] = ws->equity[p][panel->n_sessions - 1];
    }
    *ret_done = true;
    return STATUS_OK;
}

static enum status play_each(const struct batch *batch, const struct plan *plans, size_t n,
                             struct batch_workspace *ws, const struct stop *stop, struct err *err)
{
    struct sim_game games[SIM_TOGETHER] = {{0}};
    for (size_t p = 0; p < n; p++) {
        ws->single[p].tiles = ws->tiles.low != NULL ? &ws->tiles : NULL;
        games[p] = (struct sim_game){&plans[p], batch->rules, &ws->single[p], NULL, false};
    }
    enum status s = simulate_many(batch->panel, games, n, stop, err);
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

    if (n > 1 && is_alike(batch, plans, n, ws, n_columns))
        s = play_alike(batch, plans, n, ws, n_columns, stop, &is_done, err);
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
