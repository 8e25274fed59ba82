/* trust.c - times 1,000 monkeys, the same ones kept, 1,000 replicates, 10,000 futures and 12,870 splits of 1,000 trials. */
#include "tests/bench/engine/trust.h"

#include "backtest/overfit.h"
#include "backtest/rng.h"
#include "tests/bench/engine/timing.h"

#include <stdio.h>
#include <stdlib.h>

enum { MONKEYS = 1000, REPLICATES = 1000, PATHS = 10000, TRIALS = 1000, CHEAP_ROUNDS = 20 };

static double sooner(double a, double b)
{
    return a < b ? a : b;
}

static void must(enum status s, const struct err *err)
{
    if (s == STATUS_OK)
        return;
    (void)fprintf(stderr, "%s\n", err->detail);
    exit(1);
}

/* Seconds of one run; the returns of its equity go to ret_r unless that is NULL. */
static double run(struct world *world, unsigned monkeys, const struct monkey_crowd *kept,
                  struct arena *keep, struct monkey_crowd *ret_crowd, double *ret_r)
{
    struct arena own, *arena = keep != NULL ? keep : &own;
    struct spec *spec = NULL;
    struct backtest_result *result = NULL;
    struct err err = {0};
    arena_init(&own, (size_t)1 << 33);
    must(spec_parse(world_request(world, "\"monthly\"", monkeys), arena, &spec, &err), &err);
    double from = cpu_s();
    struct backtest_shared left = {.crowd = kept};
    must(backtest_run_among(spec, &world->market, &left, arena, NULL, &result, &err), &err);
    double took = cpu_s() - from;
    for (size_t t = 1; t < world->n_sessions && ret_r != NULL; t++)
        ret_r[t - 1] = result->equity[t] / result->equity[t - 1] - 1;
    if (ret_crowd != NULL)
        *ret_crowd = result->crowd;
    arena_clear(&own);
    return took;
}

static double draw_replicates(const double *r, size_t n)
{
    struct arena arena;
    struct err err = {0};
    struct bootstrap_report report;
    struct bootstrap_input in = {.r = r,
                                 .benchmark = r,
                                 .n = n,
                                 .periods_per_year = SESSIONS_PER_YEAR,
                                 .years = (double)n / SESSIONS_PER_YEAR,
                                 .capital = 1,
                                 .count = REPLICATES,
                                 .seed = 1,
                                 .mean_block = resample_mean_block(n),
                                 .level = 0.9};
    arena_init(&arena, (size_t)1 << 30);
    double from = cpu_s();
    must(bootstrap_run(&in, &arena, NULL, &report, &err), &err);
    double took = cpu_s() - from;
    arena_clear(&arena);
    return took;
}

static double draw_futures(const double *r, size_t n)
{
    struct arena arena;
    struct err err = {0};
    struct montecarlo mc;
    struct montecarlo_report report;
    struct montecarlo_rules rules = {.model = MONTECARLO_STATIONARY,
                                     .mean_block = resample_mean_block(n),
                                     .horizon = n,
                                     .seed = 1,
                                     .capital = 1,
                                     .periods_per_year = SESSIONS_PER_YEAR};
    arena_init(&arena, (size_t)1 << 30);
    struct montecarlo_path *paths = arena_array(&arena, PATHS, sizeof *paths);
    struct resample_block *blocks = arena_array(&arena, n, sizeof *blocks);
    double from = cpu_s();
    must(montecarlo_init(&mc, &rules, r, n, &arena, &err), &err);
    must(montecarlo_play(&mc, 0, PATHS, blocks, NULL, paths, &err), &err);
    must(montecarlo_summarise(&mc, paths, PATHS, &arena, &report, &err), &err);
    double took = cpu_s() - from;
    arena_clear(&arena);
    return took;
}

static double split_trials(size_t n)
{
    struct arena arena;
    struct err err = {0};
    struct overfit_study study;
    struct overfit_splits splits;
    arena_init(&arena, (size_t)1 << 30);
    double *r = arena_array(&arena, n, sizeof *r);
    must(overfit_study_init(&study, n, OVERFIT_BLOCKS, TRIALS, &arena, &err), &err);
    for (size_t c = 0; c < TRIALS; c++) {
        struct rng rng;
        rng_init(&rng, 1, c);
        for (size_t t = 0; t < n; t++)
            r[t] = (rng_next_unit(&rng) - 0.5) * 0.02;
        overfit_study_add(&study, r);
    }
    double from = cpu_s();
    must(overfit_splits(&study, &arena, NULL, NULL, &splits, &err), &err);
    double took = cpu_s() - from;
    arena_clear(&arena);
    return took;
}

int trust_print(struct world *world, size_t rounds)
{
    double bare = 1e9, played = 1e9, kept = 1e9, replicates = 1e9, futures = 1e9, splits = 1e9;
    size_t n = world->n_sessions - 1;
    struct arena arena;
    struct monkey_crowd crowd;
    arena_init(&arena, (size_t)1 << 33);
    double *r = arena_array(&arena, n, sizeof *r);
    (void)run(world, MONKEYS, NULL, &arena, &crowd, r);
    for (size_t i = 0; i < rounds; i++) {
        for (int k = 0; k < CHEAP_ROUNDS; k++) {
            bare = sooner(bare, run(world, 0, NULL, NULL, NULL, NULL));
            kept = sooner(kept, run(world, MONKEYS, &crowd, NULL, NULL, NULL));
        }
        played = sooner(played, run(world, MONKEYS, NULL, NULL, NULL, NULL));
        replicates = sooner(replicates, draw_replicates(r, n));
        futures = sooner(futures, draw_futures(r, n));
        splits = sooner(splits, split_trials(n));
    }
    printf("{\"monkeys_s\":%.9f,\"kept_s\":%.9f,\"bootstrap_s\":%.9f,\"montecarlo_s\":%.9f,"
           "\"splits_s\":%.9f}\n",
           played - bare, kept - bare, replicates, futures, splits);
    arena_clear(&arena);
    return 0;
}
