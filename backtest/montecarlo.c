/* montecarlo.c - plays drawn futures and counts how they end. */
#include "backtest/montecarlo.h"

#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "backtest/stats.h"

#include <math.h>

const char *const montecarlo_model_names[MONTECARLO_MODEL_COUNT] = {
    [MONTECARLO_STATIONARY] = "stationary_bootstrap",
    [MONTECARLO_BLOCK] = "block_bootstrap",
    [MONTECARLO_IID] = "iid_bootstrap",
    [MONTECARLO_NORMAL] = "normal",
};

const double montecarlo_quantiles[MONTECARLO_QUANTILES] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};

enum status montecarlo_init(struct montecarlo *ret, const struct montecarlo_rules *rules,
                            const double *r, size_t n, struct arena *arena, struct err *err)
{
    static const enum resample_kind kinds[MONTECARLO_MODEL_COUNT] = {
        [MONTECARLO_STATIONARY] = RESAMPLE_STATIONARY,
        [MONTECARLO_BLOCK] = RESAMPLE_BLOCK,
        [MONTECARLO_IID] = RESAMPLE_IID,
        [MONTECARLO_NORMAL] = RESAMPLE_IID,
    };
    struct montecarlo mc = {.rules = *rules};
    struct stats_moments m = stats_moments_short(r, n);
    mc.mean = m.mean;
    mc.sd = m.sd;
    enum status s = resample_source_init(&mc.source, r, n, 0, arena, err);
    if (s == STATUS_OK)
        s = resample_plan_init(&mc.plan, kinds[rules->model], rules->mean_block, n, rules->horizon,
                               rules->seed, arena, err);
    if (s == STATUS_OK)
        *ret = mc;
    return s;
}

/* The money on a path: units of its value, more or fewer after each flow. */
struct purse {
    double units;
    size_t next_flow; /* sessions until it */
    bool is_exhausted;
};

static struct purse purse_open(const struct montecarlo_rules *rules)
{
    return (struct purse){.units = rules->capital,
                          .next_flow = rules->flow_every > 0 ? rules->flow_every : SIZE_MAX};
}

/* After steps sessions, at most next_flow of them, at the end of which one unit is worth value. */
static void purse_pass(struct purse *purse, const struct montecarlo_rules *rules, size_t steps,
                       double value)
{
    purse->next_flow -= steps;
    if (purse->next_flow > 0)
        return;
    purse->next_flow = rules->flow_every;
    if (purse->is_exhausted)
        return;
    purse->units += rules->flow / value;
    if (!(purse->units > 0)) {
        purse->units = 0;
        purse->is_exhausted = true;
    }
}

static struct montecarlo_path finish(const struct purse *purse, const struct resample_path *path)
{
    bool is_ruined = !(path->value > 0);
    return (struct montecarlo_path){
        .terminal = purse->units * path->value,
        .growth = path->value,
        .max_drawdown = path->depth - 1,
        .is_exhausted = purse->is_exhausted || is_ruined,
    };
}

static struct montecarlo_path play_blocks(const struct montecarlo *mc, size_t index,
                                          struct resample_block *blocks)
{
    size_t n = resample_draw(&mc->plan, index, blocks);
    struct resample_path path = resample_start();
    struct purse purse = purse_open(&mc->rules);
    for (size_t i = 0; i < n; i++) {
        size_t at = blocks[i].start, end = at + blocks[i].length;
        while (at < end) {
            size_t steps = end - at < purse.next_flow ? end - at : purse.next_flow;
            resample_advance(&mc->source, at, steps, &path);
            purse_pass(&purse, &mc->rules, steps, path.value);
            at += steps;
        }
    }
    return finish(&purse, &path);
}

/* One draw a session. A return of -1 or less is ruin: the path stays at 0. */
static struct montecarlo_path play_normal(const struct montecarlo *mc, size_t index)
{
    struct rng rng;
    struct resample_path path = resample_start();
    struct purse purse = purse_open(&mc->rules);
    rng_init(&rng, mc->rules.seed, index);
    for (size_t t = 0; t < mc->rules.horizon; t++) {
        double u = rng_next_unit(&rng) - 0x1p-54; /* never 1 */
        path.value *= 1 + mc->mean + mc->sd * elementary_normal_quantile(u);
        if (!(path.value > 0)) {
            path.value = path.depth = 0;
            break;
        }
        if (path.value > path.peak)
            path.peak = path.value;
        else if (path.value < path.depth * path.peak)
            path.depth = path.value / path.peak;
        purse_pass(&purse, &mc->rules, 1, path.value);
    }
    return finish(&purse, &path);
}

enum status montecarlo_play(const struct montecarlo *mc, size_t from, size_t to,
                            struct resample_block *blocks, const struct stop *stop,
                            struct montecarlo_path *ret, struct err *err)
{
    for (size_t i = from; i < to; i++) {
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        ret[i - from] =
            mc->rules.model == MONTECARLO_NORMAL ? play_normal(mc, i) : play_blocks(mc, i, blocks);
    }
    return STATUS_OK;
}

/* Reorders value. */
static struct montecarlo_spread spread_of(double *value, size_t n)
{
    struct montecarlo_spread spread = {0};
    for (size_t i = 0; i < n; i++)
        spread.mean += value[i];
    spread.mean /= (double)n;
    for (size_t q = 0; q < MONTECARLO_QUANTILES; q++)
        spread.quantile[q] = stats_quantile(value, n, montecarlo_quantiles[q]);
    return spread;
}

static double paid_in(const struct montecarlo_rules *rules)
{
    size_t n_flows = rules->flow_every > 0 ? rules->horizon / rules->flow_every : 0;
    return rules->capital + rules->flow * (double)n_flows;
}

enum status montecarlo_summarise(const struct montecarlo *mc, const struct montecarlo_path *paths,
                                 size_t n, struct arena *arena, struct montecarlo_report *ret,
                                 struct err *err)
{
    struct montecarlo_report report = {.count = n};
    const struct montecarlo_rules *rules = &mc->rules;
    double *value = arena_array(arena, 3 * n, sizeof *value);
    double years = (double)rules->horizon / rules->periods_per_year, paid = paid_in(rules);
    if (value == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; i < n; i++) {
        value[i] = paths[i].terminal;
        value[n + i] = elementary_pow(paths[i].growth, 1 / years) - 1;
        value[2 * n + i] = paths[i].max_drawdown;
        report.loss += paths[i].terminal < paid ? 1 : 0;
        report.exhausted += paths[i].is_exhausted ? 1 : 0;
        for (size_t g = 0; g < rules->n_goals; g++)
            report.below_goal[g] += paths[i].terminal < rules->goals[g] ? 1 : 0;
    }
    report.loss /= (double)n;
    report.exhausted /= (double)n;
    for (size_t g = 0; g < rules->n_goals; g++)
        report.below_goal[g] /= (double)n;
    report.terminal = spread_of(value, n);
    report.cagr = spread_of(value + n, n);
    report.max_drawdown = spread_of(value + 2 * n, n);
    *ret = report;
    return STATUS_OK;
}
