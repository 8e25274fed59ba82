/* monkey.c - draws, plays and ranks random portfolios; nothing is allocated per monkey. */
#include "backtest/monkey.h"

#include "backtest/batch.h"
#include "backtest/elementary.h"
#include "backtest/measure.h"
#include "backtest/rng.h"
#include "backtest/stats.h"
#include "base/date.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const monkey_statistic_names[MONKEY_STATISTIC_COUNT] = {
    [MONKEY_CAGR] = "cagr",
    [MONKEY_SHARPE] = "sharpe",
    [MONKEY_MAX_DRAWDOWN] = "max_drawdown",
    [MONKEY_TERMINAL_WEALTH] = "terminal_wealth",
};

const double monkey_quantiles[MONKEY_QUANTILE_COUNT] = {0.05, 0.25, 0.5, 0.75, 0.95};

static enum status out_of_memory(struct err *err)
{
    return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the monkeys of this request.");
}

/* Mean number of names and mean invested share over the decisions of a strategy. */
static void match_decisions(struct monkey_game *g, const struct monkey_model *model)
{
    double n = (double)model->n_due, names = 0, invested = 0;
    for (size_t d = 0; d < model->n_due; d++) {
        const double *row = plan_row(model->plan, d);
        for (size_t j = 0; j < model->plan->n; j++)
            names += fabs(row[j]) > 0 ? 1 : 0;
        invested += plan_invested(model->plan, d);
    }
    g->n_names = (size_t)(names / n + 0.5);
    g->n_names = g->n_names > 0 ? g->n_names : 1;
    g->invested_share = g->long_share = invested / n;
}

/* Longs and shorts as the weights of the request have them. */
static void match_weights(struct monkey_game *g, const struct spec *spec)
{
    g->n_names = g->panel->n_held;
    g->invested_share = g->long_share = spec->invested_share;
    for (size_t i = 0; i < spec->n_assets; i++)
        g->n_short += spec->assets[i].weight < 0 ? 1 : 0;
    for (size_t i = 0; i < spec->n_assets && g->n_short > 0; i++)
        g->short_share += spec->assets[i].weight < 0 ? spec->assets[i].weight : 0;
    g->long_share -= g->short_share;
}

static void match(struct monkey_game *g, const struct spec *spec, const struct monkey_model *model)
{
    const struct strategy_limits *limits = &spec->model->limits;
    if (model != NULL && model->plan->stride > 0 && model->n_due > 0)
        match_decisions(g, model);
    else
        match_weights(g, spec);
    if (g->n_names > g->panel->n_universe)
        g->n_names = g->panel->n_universe;
    if (g->n_short >= g->n_names && g->n_short > 0) { /* no room for longs */
        g->n_short = g->n_names;
        g->long_share = 0;
        g->invested_share = g->short_share;
    }
    bool is_narrow = limits->n_groups > 0 || !limits->long_only || limits->min_weight > 0 ||
                     limits->max_weight < g->invested_share;
    for (size_t i = 0; i < spec->n_assets; i++)
        is_narrow =
            is_narrow || !isnan(spec->assets[i].min_weight) || !isnan(spec->assets[i].max_weight);
    g->has_limits = limits->is_given && is_narrow && g->n_short == 0 && g->n_names > 0;
}

static_assert((int)MONKEY_GROUP == (int)BATCH_GROUP, "monkeys are played in groups of a batch");

static struct batch batch_of(const struct monkey_game *game)
{
    return (struct batch){game->panel, game->rules, game->periods_per_year, game->risk_free_rate};
}

enum status monkey_game_init(struct monkey_game *game, const struct panel *panel,
                             const struct spec *spec, const struct sim_rules *rules,
                             double periods_per_year, const struct monkey_model *model,
                             struct arena *arena, struct err *err)
{
    *game = (struct monkey_game){.panel = panel, .rules = rules, .seed = spec->monkey_seed};
    match(game, spec, model);
    game->periods_per_year = periods_per_year;
    game->rate = measure_rate_per_period(spec->risk_free_rate, periods_per_year);
    game->years = date_years_between(panel->clock[0], panel->clock[panel->n_sessions - 1]);
    game->risk_free_rate = spec->risk_free_rate;
    game->date = panel->clock;
    game->n_scored = panel->n_sessions;
    game->returns = arena_array(arena, panel->n_sessions, sizeof *game->returns);
    if (game->returns == NULL)
        return out_of_memory(err);
    return game->has_limits
               ? monkey_limits_init(&game->limits, panel, spec, game->invested_share, arena, err)
               : STATUS_OK;
}

enum status monkey_game_look_at(struct monkey_game *game, const struct measure_path *path,
                                double rate, struct arena *arena, struct err *err)
{
    const struct panel *panel = game->panel;
    uint32_t *at = arena_array(arena, path->n, sizeof *at);
    game->returns = arena_array(arena, path->n, sizeof *game->returns);
    game->sample = arena_array(arena, path->n, sizeof *game->sample);
    if (at == NULL || game->returns == NULL || game->sample == NULL)
        return out_of_memory(err);
    uint32_t t = 0;
    for (size_t i = 0; i < path->n; i++) {
        while (t + 1 < panel->n_sessions && panel->clock[t + 1] <= path->date[i])
            t++;
        at[i] = t;
    }
    game->at = at;
    game->date = path->date;
    game->n_scored = path->n;
    game->scored_from = path->value[0];
    game->rate = rate;
    game->years = date_years_between(path->date[0], path->date[path->n - 1]);
    return STATUS_OK;
}

/* Whether an earlier event brings the same asset the same. */
static bool is_gift_known(const struct monkey_game *g, const struct panel_event *event)
{
    size_t i = 0;
    while (i < g->n_gifts && (g->panel->events[g->gifts[i]].asset != event->asset ||
                              g->panel->events[g->gifts[i]].into != event->into))
        i++;
    return i < g->n_gifts;
}

/* The panel's gifts, and how many columns they may add to a plan. False when out of memory. */
static bool find_gifts(struct monkey_game *g, struct arena *arena)
{
    const struct panel *panel = g->panel;
    size_t n_received = 0;
    g->gifts = arena_array(arena, panel->n_events + 1, sizeof *g->gifts);
    if (g->gifts == NULL)
        return false;
    for (size_t e = 0; e < panel->n_events; e++)
        if (panel->events[e].into != PANEL_NEVER && !is_gift_known(g, &panel->events[e]))
            g->gifts[g->n_gifts++] = (uint32_t)e;
    for (size_t i = 0; i < g->n_gifts; i++) {
        bool *is_counted = &g->is_drawn[panel->events[g->gifts[i]].into];
        n_received += *is_counted ? 0 : 1;
        *is_counted = true;
    }
    memset(g->is_drawn, 0, panel->n_assets * sizeof *g->is_drawn);
    g->n_room = g->n_names + n_received;
    return true;
}

enum status monkey_game_open(struct monkey_game *g, struct arena *arena, struct err *err)
{
    const struct panel *panel = g->panel;
    struct batch batch = batch_of(g);
    g->is_drawn = arena_array(arena, panel->n_assets, sizeof *g->is_drawn);
    if (g->is_drawn == NULL || !find_gifts(g, arena))
        return out_of_memory(err);
    size_t n_drawn = MONKEY_GROUP * g->n_room + 1;
    g->deck = arena_array(arena, panel->n_universe + 1, sizeof *g->deck);
    g->asset = arena_array(arena, n_drawn, sizeof *g->asset);
    g->weight = arena_array(arena, n_drawn, sizeof *g->weight);
    g->is_short = arena_array(arena, panel->n_assets, sizeof *g->is_short);
    g->plans = arena_array(arena, MONKEY_GROUP, sizeof *g->plans);
    g->workspace = ARENA_NEW(arena, struct batch_workspace);
    if (g->plans == NULL || g->workspace == NULL || g->deck == NULL || g->asset == NULL ||
        g->weight == NULL || g->is_short == NULL)
        return out_of_memory(err);
    return batch_workspace_init(g->workspace, &batch, g->n_room + 1, arena, err);
}

/* Mean over standard deviation (n - 1) of the excess returns, annualised; NaN for a flat line. */
static double sharpe_of(const struct monkey_game *game, size_t n)
{
    const struct kernels *kernels = game->panel->kernels;
    double rate = game->risk_free != NULL ? 0 : game->rate;
    for (size_t t = 0; game->risk_free != NULL && t < n; t++)
        game->returns[t] -= game->risk_free[t];
    struct stats_moments m = stats_moments_from(kernels->range(game->returns, n), n);
    if (n < 2 || m.is_constant)
        return (double)NAN;
    stats_moments_spread(&m, kernels->squares(game->returns, n, m.mean));
    return (m.mean - rate) / m.sd * sqrt(game->periods_per_year);
}

struct monkey_score monkey_score_path(struct monkey_game *game, const double *equity,
                                      double terminal)
{
    const struct panel *panel = game->panel;
    size_t n = measure_live_length((struct measure_path){game->date, equity, game->n_scored});
    struct monkey_score score;

    panel->kernels->returns(equity, n, game->returns);
    score.value[MONKEY_CAGR] = elementary_pow(equity[n - 1] / equity[0], 1 / game->years) - 1;
    score.value[MONKEY_SHARPE] = sharpe_of(game, n - 1);
    score.value[MONKEY_MAX_DRAWDOWN] = panel->kernels->deepest(equity, n);
    score.value[MONKEY_TERMINAL_WEALTH] = terminal;
    return score;
}

/* Chooses names by the first steps of a Fisher-Yates shuffle and lists their columns rising. */
static void draw_names(struct monkey_game *game, struct rng *rng, size_t *asset)
{
    const struct panel *panel = game->panel;
    memcpy(game->deck, panel->universe, panel->n_universe * sizeof *game->deck);
    for (size_t i = 0; i < game->n_names; i++) {
        size_t j = i + rng_next_below(rng, (uint32_t)(panel->n_universe - i));
        size_t drawn = game->deck[j];
        game->deck[j] = game->deck[i];
        game->deck[i] = drawn;
        game->is_drawn[drawn] = true;
        game->is_short[drawn] = i < game->n_short;
    }
    size_t n = 0;
    for (size_t a = 0; a < panel->n_assets; a++) {
        if (game->is_drawn[a])
            asset[n++] = a;
        game->is_drawn[a] = false;
    }
}

/* Exponentials, scaled so that the longs among them add up to their share and the shorts to theirs. */
static void draw_weights(struct monkey_game *game, struct rng *rng, const size_t *asset,
                         double *weight)
{
    double sum[2] = {0, 0};
    for (size_t i = 0; i < game->n_names; i++) {
        weight[i] = -elementary_log(rng_next_unit(rng));
        sum[game->is_short[asset[i]]] += weight[i];
    }
    for (size_t i = 0; i < game->n_names; i++) {
        bool is_short = game->is_short[asset[i]];
        size_t n = is_short ? game->n_short : game->n_names - game->n_short;
        double share = sum[is_short] > 0 ? weight[i] / sum[is_short] : 1.0 / (double)n;
        weight[i] = share * (is_short ? game->short_share : game->long_share);
    }
}

/* Names that cannot meet the limits together are put back, NAME_TRIES times at most. */
enum { NAME_TRIES = 16 };

static double draw_within_limits(struct monkey_game *game, struct rng *rng, size_t *asset,
                                 double *weight)
{
    size_t n = game->n_names, tries = n < game->panel->n_universe ? NAME_TRIES : 1;
    bool is_met = false;
    for (size_t k = 0; k < tries && !is_met; k++) {
        draw_names(game, rng, asset);
        is_met = monkey_limits_take(&game->limits, asset, n);
    }
    return monkey_limits_draw(&game->limits, rng, weight);
}

/* A column among n rising ones, with the weight 0. */
static void insert(size_t *asset, double *weight, size_t n, size_t column)
{
    size_t at = n;
    for (; at > 0 && asset[at - 1] > column; at--) {
        asset[at] = asset[at - 1];
        weight[at] = weight[at - 1];
    }
    asset[at] = column;
    weight[at] = 0;
}

/* What the n names bring, and what that brings in turn: gifts come by session. How many columns there are then. */
static size_t add_received(struct monkey_game *game, size_t *asset, double *weight, size_t n)
{
    for (size_t i = 0; i < n && game->n_gifts > 0; i++)
        game->is_drawn[asset[i]] = true;
    for (size_t g = 0; g < game->n_gifts; g++) {
        const struct panel_event *event = &game->panel->events[game->gifts[g]];
        if (!game->is_drawn[event->asset] || game->is_drawn[event->into])
            continue;
        game->is_drawn[event->into] = true;
        insert(asset, weight, n++, event->into);
    }
    for (size_t i = 0; i < n && game->n_gifts > 0; i++)
        game->is_drawn[asset[i]] = false;
    return n;
}

static void draw(struct monkey_game *game, size_t index, size_t place)
{
    size_t *asset = game->asset + place * game->n_room;
    double *weight = game->weight + place * game->n_room;
    struct rng rng;
    rng_init(&rng, game->seed, index);
    game->invested[place] = game->invested_share;
    if (game->has_limits) {
        game->invested[place] = draw_within_limits(game, &rng, asset, weight);
    } else {
        draw_names(game, &rng, asset);
        draw_weights(game, &rng, asset, weight);
    }
    size_t n = add_received(game, asset, weight, game->n_names);
    game->plans[place] = (struct plan){asset, n, weight, 0, &game->invested[place]};
}

static struct monkey_score score_monkey(struct monkey_game *game, size_t place)
{
    const double *equity = game->workspace->equity[place];
    size_t n = game->n_scored;
    if (game->at == NULL)
        return monkey_score_path(game, equity, game->workspace->terminal[place]);
    for (size_t i = 0; i < n; i++)
        game->sample[i] = equity[game->at[i]] / equity[game->at[0]] * game->scored_from;
    return monkey_score_path(game, game->sample, game->sample[n - 1]);
}

enum status monkey_play(struct monkey_game *game, size_t first, size_t n, const struct stop *stop,
                        struct monkey_score *ret, struct err *err)
{
    for (size_t p = 0; p < n; p++)
        draw(game, first + p, p);
    struct batch batch = batch_of(game);
    enum status s = batch_play(&batch, game->plans, n, game->workspace, stop, err);
    for (size_t p = 0; p < n && s == STATUS_OK; p++)
        ret[p] = score_monkey(game, p);
    return s;
}

struct monkey_rank monkey_rank_counts(size_t n_below, size_t n_equal, size_t n)
{
    double equal = (double)n_equal, above = (double)(n - n_below - n_equal);
    return (struct monkey_rank){
        .percentile = ((double)n_below + 0.5 * equal) / (double)n,
        .p_value = (1 + equal + above) / ((double)n + 1),
    };
}

struct monkey_rank monkey_rank(double strategy, const double *monkeys, size_t n)
{
    size_t n_below = 0, n_equal = 0;
    for (size_t i = 0; i < n; i++) {
        n_below += monkeys[i] < strategy ? 1 : 0;
        n_equal += monkeys[i] < strategy || monkeys[i] > strategy ? 0 : 1;
    }
    return monkey_rank_counts(n_below, n_equal, n);
}
