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

enum status monkey_game_init(struct monkey_game *game, const struct panel *panel,
                             const struct spec *spec, const struct sim_rules *rules,
                             double periods_per_year, struct arena *arena, struct err *err)
{
    struct monkey_game g = {.panel = panel, .rules = rules, .seed = spec->monkey_seed};
    size_t n_names = panel->n_held < panel->n_universe ? panel->n_held : panel->n_universe;

    g.n_names = n_names;
    g.invested_share = spec->invested_share;
    g.periods_per_year = periods_per_year;
    g.rate = measure_rate_per_period(spec->risk_free_rate, periods_per_year);
    g.years = date_years_between(panel->clock[0], panel->clock[panel->n_sessions - 1]);
    g.deck = arena_array(arena, panel->n_universe + 1, sizeof *g.deck);
    g.is_drawn = arena_array(arena, panel->n_assets, sizeof *g.is_drawn);
    g.asset = arena_array(arena, n_names + 1, sizeof *g.asset);
    g.weight = arena_array(arena, n_names + 1, sizeof *g.weight);
    g.returns = arena_array(arena, panel->n_sessions, sizeof *g.returns);
    if (g.deck == NULL || g.is_drawn == NULL || g.asset == NULL || g.weight == NULL ||
        g.returns == NULL)
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
    struct stats_moments m = stats_moments_short(game->returns, n);
    if (n < 2 || m.is_constant)
        return (double)NAN;
    return (m.mean - game->rate) / m.sd * sqrt(game->periods_per_year);
}

struct monkey_score monkey_score_path(struct monkey_game *game, const double *equity)
{
    const struct panel *panel = game->panel;
    size_t n = measure_live_length((struct measure_path){panel->clock, equity, panel->n_sessions});
    double peak = equity[0], lowest = 0;
    struct monkey_score score;

    stats_returns(equity, n, game->returns);
    for (size_t t = 1; t < n; t++) {
        if (equity[t] >= peak) {
            peak = equity[t];
        } else {
            double depth = equity[t] / peak - 1;
            lowest = depth < lowest ? depth : lowest;
        }
    }
    score.value[MONKEY_CAGR] = elementary_pow(equity[n - 1] / equity[0], 1 / game->years) - 1;
    score.value[MONKEY_SHARPE] = sharpe_of(game, n - 1);
    score.value[MONKEY_MAX_DRAWDOWN] = lowest;
    score.value[MONKEY_TERMINAL_WEALTH] = equity[n - 1];
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
    }
    size_t n = 0;
    for (size_t a = 0; a < panel->n_assets; a++) {
        if (game->is_drawn[a])
            game->asset[n++] = a;
        game->is_drawn[a] = false;
    }
}

static void draw_weights(struct monkey_game *game, struct rng *rng)
{
    double sum = 0;
    for (size_t i = 0; i < game->n_names; i++) {
        game->weight[i] = -elementary_log(rng_next_unit(rng));
        sum += game->weight[i];
    }
    for (size_t i = 0; i < game->n_names; i++) {
        double share = sum > 0 ? game->weight[i] / sum : 1.0 / (double)game->n_names;
        game->weight[i] = share * game->invested_share;
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
        *ret = monkey_score_path(game, game->workspace.equity);
    return s;
}

struct monkey_rank monkey_rank(double strategy, const double *monkeys, size_t n)
{
    size_t n_below = 0, n_above = 0;
    for (size_t i = 0; i < n; i++) {
        n_below += monkeys[i] < strategy ? 1 : 0;
        n_above += monkeys[i] > strategy ? 1 : 0;
    }
    double n_equal = (double)(n - n_below - n_above);
    return (struct monkey_rank){
        .percentile = ((double)n_below + 0.5 * n_equal) / (double)n,
        .p_value = (1 + n_equal + (double)n_above) / ((double)n + 1),
    };
}

/* Ranks one statistic; values without a NaN are gathered in place, then reordered for quantiles. */
static void fill_row(struct monkey_row *row, double strategy, double *value, size_t count)
{
    *row = (struct monkey_row){.strategy = strategy};
    for (size_t i = 0; i < count; i++) {
        if (!isnan(value[i]))
            value[row->n++] = value[i];
    }
    if (row->n == 0)
        return;
    if (!isnan(strategy))
        row->rank = monkey_rank(strategy, value, row->n);
    for (size_t q = 0; q < MONKEY_QUANTILE_COUNT; q++)
        row->quantile[q] = stats_quantile(value, row->n, monkey_quantiles[q]);
}

enum status monkey_compare(struct monkey_game *game, size_t count, const double *strategy_equity,
                           struct arena *arena, const struct stop *stop, struct monkey_report *ret,
                           struct err *err)
{
    struct monkey_score strategy = monkey_score_path(game, strategy_equity);
    struct monkey_report report = {.n_names = game->n_names};

    report.count = game->n_names > 0 ? count : 0;
    double *value = arena_array(arena, MONKEY_STATISTIC_COUNT * report.count + 1, sizeof *value);
    if (value == NULL)
        return out_of_memory(err);
    for (size_t i = 0; i < report.count; i++) {
        struct monkey_score score;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        enum status s = monkey_play(game, i, stop, &score, err);
        if (s != STATUS_OK)
            return s;
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
            value[k * report.count + i] = score.value[k];
    }
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
        fill_row(&report.row[k], strategy.value[k], value + k * report.count, report.count);
    *ret = report;
    return STATUS_OK;
}
