/* monkey.c - draws, plays and ranks random portfolios; nothing is allocated per monkey. */
#include "backtest/monkey.h"

#include "backtest/elementary.h"
#include "backtest/measure.h"
#include "backtest/rng.h"
#include "backtest/stats.h"
#include "base/date.h"

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

/* Longs and shorts as the strategy has them; the weights of most strategies are not known beforehand. */
static void match_shares(struct monkey_game *g, const struct spec *spec)
{
    g->invested_share = g->long_share = spec->invested_share;
    for (size_t i = 0; i < spec->n_assets; i++)
        g->n_short += spec->assets[i].weight < 0 ? 1 : 0;
    if (g->n_short == 0)
        return;
    g->long_share = 0;
    for (size_t i = 0; i < spec->n_assets; i++) {
        double weight = spec->assets[i].weight;
        *(weight < 0 ? &g->short_share : &g->long_share) += weight;
    }
    g->n_short = g->n_short < g->n_names ? g->n_short : g->n_names;
}

enum status monkey_game_init(struct monkey_game *game, const struct panel *panel,
                             const struct spec *spec, const struct sim_rules *rules,
                             double periods_per_year, struct arena *arena, struct err *err)
{
    struct monkey_game g = {.panel = panel, .rules = rules, .seed = spec->monkey_seed};
    size_t n_names = panel->n_held < panel->n_universe ? panel->n_held : panel->n_universe;

    g.n_names = n_names;
    match_shares(&g, spec);
    g.periods_per_year = periods_per_year;
    g.rate = measure_rate_per_period(spec->risk_free_rate, periods_per_year);
    g.years = date_years_between(panel->clock[0], panel->clock[panel->n_sessions - 1]);
    g.deck = arena_array(arena, panel->n_universe + 1, sizeof *g.deck);
    g.is_drawn = arena_array(arena, panel->n_assets, sizeof *g.is_drawn);
    g.asset = arena_array(arena, n_names + 1, sizeof *g.asset);
    g.weight = arena_array(arena, n_names + 1, sizeof *g.weight);
    g.is_short = arena_array(arena, panel->n_assets, sizeof *g.is_short);
    g.returns = arena_array(arena, panel->n_sessions, sizeof *g.returns);
    g.drawdown = arena_array(arena, panel->n_sessions, sizeof *g.drawdown);
    if (g.deck == NULL || g.is_drawn == NULL || g.asset == NULL || g.weight == NULL ||
        g.is_short == NULL || g.returns == NULL || g.drawdown == NULL)
        return out_of_memory(err);
    enum status s = sim_workspace_init(&g.workspace, arena, panel->n_sessions, n_names + 1, err);
    if (s == STATUS_OK && rules->n_flows > 0)
        s = sim_workspace_add_wealth(&g.workspace, arena, panel->n_sessions, err);
    if (s == STATUS_OK)
        *game = g;
    return s;
}

/* Mean over standard deviation (n - 1) of the excess returns, annualised; NaN for a flat line. */
static double sharpe_of(const struct monkey_game *game, size_t n)
{
    const struct kernels *kernels = game->panel->kernels;
    struct stats_moments m = stats_moments_from(kernels->range(game->returns, n), n);
    if (n < 2 || m.is_constant)
        return (double)NAN;
    stats_moments_spread(&m, kernels->powers(game->returns, n, m.mean).p2);
    return (m.mean - game->rate) / m.sd * sqrt(game->periods_per_year);
}

struct monkey_score monkey_score_path(struct monkey_game *game, const double *equity,
                                      double terminal)
{
    const struct panel *panel = game->panel;
    size_t n = measure_live_length((struct measure_path){panel->clock, equity, panel->n_sessions});
    struct monkey_score score;

    panel->kernels->returns(equity, n, game->returns);
    score.value[MONKEY_CAGR] = elementary_pow(equity[n - 1] / equity[0], 1 / game->years) - 1;
    score.value[MONKEY_SHARPE] = sharpe_of(game, n - 1);
    score.value[MONKEY_MAX_DRAWDOWN] = panel->kernels->declines(equity, n, game->drawdown).lowest;
    score.value[MONKEY_TERMINAL_WEALTH] = terminal;
    return score;
}

/* Chooses names by the first steps of a Fisher-Yates shuffle and lists their columns rising. */
static void draw_names(struct monkey_game *game, struct rng *rng)
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
            game->asset[n++] = a;
        game->is_drawn[a] = false;
    }
}

/* Exponentials, scaled so that the longs among them add up to their share and the shorts to theirs. */
static void draw_weights(struct monkey_game *game, struct rng *rng)
{
    double sum[2] = {0, 0};
    for (size_t i = 0; i < game->n_names; i++) {
        game->weight[i] = -elementary_log(rng_next_unit(rng));
        sum[game->is_short[game->asset[i]]] += game->weight[i];
    }
    for (size_t i = 0; i < game->n_names; i++) {
        bool is_short = game->is_short[game->asset[i]];
        size_t n = is_short ? game->n_short : game->n_names - game->n_short;
        double share = sum[is_short] > 0 ? game->weight[i] / sum[is_short] : 1.0 / (double)n;
        game->weight[i] = share * (is_short ? game->short_share : game->long_share);
    }
}

enum status monkey_play(struct monkey_game *game, size_t index, const struct stop *stop,
                        struct monkey_score *ret, struct err *err)
{
    struct rng rng;
    rng_init(&rng, game->seed, index);
    draw_names(game, &rng);
    draw_weights(game, &rng);
    struct plan plan = {game->asset, game->n_names, game->weight, 0, &game->invested_share};
    enum status s = simulate(game->panel, &plan, game->rules, &game->workspace, NULL, stop, err);
    if (s == STATUS_OK)
        *ret = monkey_score_path(game, game->workspace.equity,
                                 game->workspace.wealth[game->panel->n_sessions - 1]);
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
