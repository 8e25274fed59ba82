/*
 * driver.c - measures the engine in process; one line of JSON per run, times in seconds of processor time.
 *
 *   driver prices ASSETS YEARS                      the market as CSV, for the peers
 *   driver single ASSETS YEARS ROUNDS MONKEYS       backtest_run and the rendering of its answer
 *   driver shared ASSETS YEARS ROUNDS MONKEYS       the same on a panel that an earlier run has left
 *   driver figures ASSETS YEARS ROUNDS              the same for a request of ffn's figures alone, those that bt works out
 *   driver batch ASSETS YEARS PORTFOLIOS THREADS ROUNDS KIND   calendar, bands, flows (a payment in every month, alternately
 *                                                   in and out), bands+flows; or equity: calendar without figures, the
 *                                                   days' values of each portfolio alone (batch_play)
 *   driver simulation ASSETS YEARS ROUNDS monthly|never   one simulation alone, without figures, on a panel that is kept
 *   driver trust ASSETS YEARS ROUNDS                monkeys, intervals, drawn futures, splits of a sweep
 *   driver strategies ASSETS YEARS ROUNDS own|common a decision of each strategy, the names on their own or with a
 *                                                   common factor
 *   driver roofline                                 what the machine can do at most: additions and multiplications,
 *                                                   and bytes from memory
 */
#define _GNU_SOURCE
#include "backtest/batch.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"
#include "backtest/schedule.h"
#include "backtest/spec_costs.h"
#include "base/clock.h"
#include "base/date.h"
#include "handlers/backtest_render.h"
#include "tests/bench/engine/figures.h"
#include "tests/bench/engine/roofline.h"
#include "tests/bench/engine/strategies.h"
#include "tests/bench/engine/timing.h"
#include "tests/bench/engine/trust.h"
#include "tests/bench/engine/world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS_MAX = 64 };

static int rising(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *value, size_t n)
{
    qsort(value, n, sizeof *value, rising);
    return value[n / 2];
}

/* Peak resident memory in KiB. */
static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (file != NULL)
        (void)fclose(file);
    return kib;
}

static int fail(const struct err *err)
{
    (void)fprintf(stderr, "%s\n", err->detail);
    return 1;
}

static int print_prices(struct world *world)
{
    char day[DATE_TEXT_BYTES];
    printf("date");
    for (size_t a = 0; a < world->n_assets; a++)
        printf(",x%zu", a);
    for (size_t t = 0; t < world->n_sessions; t++) {
        date_format(world->date[t], day);
        printf("\n%s", day);
        for (size_t a = 0; a < world->n_assets; a++)
            printf(",%.17g", world->price[a][t]);
    }
    printf("\n");
    return 0;
}

/* A panel of the request, as a server keeps it. */
static const struct panel_shared *share(struct world *world, struct str request)
{
    struct spec *spec = NULL;
    const struct panel_shared *panel = NULL;
    struct err err = {0};
    enum status s = spec_parse(request, &world->arena, &spec, &err);
    if (s == STATUS_OK)
        s = spec_resolve_dates(spec, &world->market, &err);
    if (s == STATUS_OK)
        s = panel_shared_build(spec, &world->market, &world->arena, NULL, &panel, &err);
    if (s != STATUS_OK)
        exit(fail(&err));
    return panel;
}

static int run_single(struct world *world, size_t rounds, unsigned monkeys, bool is_shared)
{
    struct str request = world_request(world, "\"monthly\"", monkeys);
    double *engine = calloc(rounds, sizeof *engine), *render = calloc(rounds, sizeof *render);
    double terminal = 0, sharpe = 0;
    size_t bytes = 0;
    struct arena arena;
    struct backtest_shared kept = {.panel = is_shared ? share(world, request) : NULL};
    arena_init(&arena, (size_t)1 << 33);
    for (size_t i = 0; i < rounds && engine != NULL && render != NULL; i++) {
        struct spec *spec = NULL;
        struct backtest_result *result = NULL;
        struct backtest_passport passport = {.engine_version = BACKTEST_ENGINE_VERSION};
        struct err err = {0};
        struct buf out;
        arena_reset(&arena);
        double from = cpu_s();
        if (spec_parse(request, &arena, &spec, &err) != STATUS_OK ||
            (is_shared && spec_resolve_dates(spec, &world->market, &err) != STATUS_OK) ||
            backtest_run_among(spec, &world->market, &kept, &arena, NULL, &result, &err) !=
                STATUS_OK)
            return fail(&err);
        engine[i] = cpu_s() - from;
        from = cpu_s();
        buf_init(&out, &arena, SIZE_MAX / 4);
        backtest_render(result, STR("bench"), &passport, &out);
        render[i] = cpu_s() - from;
        bytes = out.len;
        terminal = result->equity[world->n_sessions - 1];
        sharpe = result->measures[MEASURE_sharpe].value;
    }
    double engine_s = median(engine, rounds), render_s = median(render, rounds);
    printf("{\"engine_s\":%.9f,\"best_s\":%.9f,\"render_s\":%.9f,\"best_render_s\":%.9f,"
           "\"bytes\":%zu,\"terminal\":%.17g,\"sharpe\":%.17g,\"arena_kib\":%zu,"
           "\"peak_kib\":%ld}\n",
           engine_s, engine[0], render_s, render[0], bytes, terminal / 100000, sharpe,
           arena.used_bytes / 1024, peak_kib());
    arena_clear(&arena);
    free(engine);
    free(render);
    return 0;
}

struct share {
    const struct batch *batch;
    const struct plan *plans;
    size_t n;
    bool is_equity_alone;
    struct batch_workspace workspace;
    struct batch_row *rows;
    enum status status;
    double cpu_s;
};

/* The lines of equity, and of each its end; no figure. */
static enum status play_lines(struct share *share)
{
    enum status s = STATUS_OK;
    for (size_t i = 0; i < share->n && s == STATUS_OK; i += BATCH_GROUP) {
        size_t n = share->n - i < BATCH_GROUP ? share->n - i : BATCH_GROUP;
        s = batch_play(share->batch, share->plans + i, n, &share->workspace, NULL, NULL);
        for (size_t p = 0; p < n; p++)
            share->rows[i + p] = (struct batch_row){.terminal = share->workspace.terminal[p]};
    }
    return s;
}

static void *play_share(void *cls)
{
    struct share *share = cls;
    double from = cpu_s();
    share->status = share->is_equity_alone
                        ? play_lines(share)
                        : batch_run(share->batch, share->plans, share->n, &share->workspace,
                                    share->rows, NULL, NULL);
    share->cpu_s = cpu_s() - from;
    return NULL;
}

/* Portfolios with Dirichlet(1) weights of all names. */
static struct plan *make_plans(struct world *world, size_t n)
{
    static const double whole = 1;
    size_t names = world->n_assets;
    struct plan *plans = arena_array(&world->arena, n, sizeof *plans);
    size_t *asset = arena_array(&world->arena, names, sizeof *asset);
    double *weight = arena_array(&world->arena, n * names, sizeof *weight);
    for (size_t a = 0; a < names; a++)
        asset[a] = a;
    for (size_t p = 0; p < n; p++) {
        double *row = weight + p * names, sum = 0;
        struct rng rng;
        rng_init(&rng, 3, p);
        for (size_t a = 0; a < names; a++) {
            row[a] = -elementary_log(rng_next_unit(&rng));
            sum += row[a];
        }
        for (size_t a = 0; a < names; a++)
            row[a] /= sum;
        plans[p] = (struct plan){asset, names, row, 0, &whole};
    }
    return plans;
}

/* Seconds on the clock; ret_cpu_s: of processor time, all threads together. */
static double play_threads(struct share *shares, size_t n_threads, double *ret_cpu_s)
{
    pthread_t thread[THREADS_MAX];
    int64_t from_ns = clock_mono_ns();
    for (size_t k = 1; k < n_threads; k++)
        if (pthread_create(&thread[k], NULL, play_share, &shares[k]) != 0)
            exit(1);
    (void)play_share(&shares[0]);
    for (size_t k = 1; k < n_threads; k++)
        (void)pthread_join(thread[k], NULL);
    *ret_cpu_s = 0;
    for (size_t k = 0; k < n_threads; k++)
        *ret_cpu_s += shares[k].cpu_s;
    return (double)(clock_mono_ns() - from_ns) / 1e9;
}

/* A payment of one per cent of the capital on the last session of each month, in and out in turn. */
static void add_flows(struct world *world, const struct panel *panel, struct sim_rules *rules)
{
    struct rebalance_rule monthly = {.every = REBALANCE_MONTHLY};
    uint32_t *due = arena_array(&world->arena, panel->n_sessions, sizeof *due);
    struct flow *flows = arena_array(&world->arena, panel->n_sessions, sizeof *flows);
    size_t n = 0;
    schedule_build(&monthly, &panel->calendar, due, &n);
    for (size_t i = 0; i < n; i++) {
        if (due[i] == 0)
            continue;
        double amount = (i % 2 == 0 ? 0.01 : -0.01) * rules->capital;
        flows[rules->n_flows++] = (struct flow){.session = due[i], .amount = amount};
    }
    rules->flows = flows;
}

/* The rules of a request without bands and flows. */
static struct sim_rules calendar_rules(const struct spec *spec, const struct panel *panel,
                                       struct arena *arena)
{
    uint32_t *due = arena_array(arena, panel->n_sessions, sizeof *due);
    struct sim_rules rules = {.due = due,
                              .fill = spec->fill,
                              .capital = spec->capital,
                              .costs = spec_cost_model(spec),
                              .rebalance = spec->rebalance};
    schedule_build(&spec->rebalance, &panel->calendar, due, &rules.n_due);
    return rules;
}

static int run_batch(struct world *world, size_t n, size_t n_threads, size_t rounds,
                     const char *kind)
{
    bool is_bands = strncmp(kind, "bands", 5) == 0;
    struct arena *arena = &world->arena;
    struct spec *spec = NULL;
    struct panel *panel = NULL;
    struct err err = {0};
    struct str request = world_request(
        world,
        is_bands ? "{\"every\":\"month\",\"when\":\"bands\",\"bands\":{\"relative\":0.25}}"
                 : "\"monthly\"",
        0);
    if (spec_parse(request, arena, &spec, &err) != STATUS_OK ||
        panel_build(spec, &world->market, arena, NULL, &panel, &err) != STATUS_OK)
        return fail(&err);
    struct sim_rules rules = calendar_rules(spec, panel, arena);
    if (strstr(kind, "flows") != NULL)
        add_flows(world, panel, &rules);
    struct batch batch = {panel, &rules, SESSIONS_PER_YEAR, 0};
    struct plan *plans = make_plans(world, n);
    struct batch_row *rows = arena_array(arena, n, sizeof *rows);
    struct share *shares = arena_array(arena, n_threads, sizeof *shares);
    double *took = arena_array(arena, rounds, sizeof *took);
    double *cpu = arena_array(arena, rounds, sizeof *cpu);
    for (size_t k = 0; k < n_threads; k++) {
        size_t from = n * k / n_threads, to = n * (k + 1) / n_threads;
        shares[k] = (struct share){
            .batch = &batch,
            .plans = plans + from,
            .n = to - from,
            .is_equity_alone = strcmp(kind, "equity") == 0,
            .rows = rows + from};
        if (batch_workspace_init(&shares[k].workspace, &batch, world->n_assets, arena, &err) !=
            STATUS_OK)
            return fail(&err);
    }
    for (size_t i = 0; i < rounds; i++)
        took[i] = play_threads(shares, n_threads, &cpu[i]);
    double wall_s = median(took, rounds), per_s = (double)n / wall_s;
    double per_cpu_s = (double)n / median(cpu, rounds), best_per_cpu_s = (double)n / cpu[0];
    printf("{\"per_s\":%.1f,\"per_cpu_s\":%.1f,\"best_per_cpu_s\":%.1f,\"terminal\":%.17g,"
           "\"sharpe\":%.17g,\"peak_kib\":%ld}\n",
           per_s, per_cpu_s, best_per_cpu_s, rows[0].terminal / spec->capital,
           rows[0].value[BATCH_SHARPE], peak_kib());
    return 0;
}

/* One simulation by itself on a panel that is there: the loop over the sessions, no figure taken. */
static int run_simulation(struct world *world, size_t rounds, bool is_monthly)
{
    struct arena *arena = &world->arena;
    struct spec *spec = NULL;
    struct panel *panel = NULL;
    struct sim_workspace workspace = {0};
    struct err err = {0};
    struct str request = world_request(world, is_monthly ? "\"monthly\"" : "\"never\"", 0);
    if (spec_parse(request, arena, &spec, &err) != STATUS_OK ||
        panel_build(spec, &world->market, arena, NULL, &panel, &err) != STATUS_OK ||
        sim_workspace_init(&workspace, arena, panel->n_sessions, world->n_assets, &err) !=
            STATUS_OK)
        return fail(&err);
    struct sim_rules rules = calendar_rules(spec, panel, arena);
    const struct plan *plan = make_plans(world, 1);
    double *took = arena_array(arena, rounds, sizeof *took);
    for (size_t i = 0; i < rounds; i++) {
        double from = cpu_s();
        if (simulate(panel, plan, &rules, &workspace, NULL, NULL, &err) != STATUS_OK)
            return fail(&err);
        took[i] = cpu_s() - from;
    }
    double median_s = median(took, rounds);
    printf("{\"median_s\":%.9f,\"best_s\":%.9f,\"sessions\":%zu,\"rebalances\":%zu,\"terminal\":%.17g}\n", median_s,
           took[0], panel->n_sessions, rules.n_due, workspace.equity[panel->n_sessions - 1] / spec->capital);
    return 0;
}

static int print_roofline(void)
{
    printf("{\"flops_per_s\":%.0f,\"bytes_per_s\":%.0f,\"kernels\":\"%s\"}\n",
           roofline_flops_per_s(), roofline_bytes_per_s(), kernels_choose(KERNELS_AUTO)->name);
    return 0;
}

int main(int argc, char **argv)
{
    static struct world world;
    size_t number[8] = {0};
    for (int i = 2; i < argc && i < 8; i++)
        number[i] = strtoul(argv[i], NULL, 10);
    if (argc == 2 && strcmp(argv[1], "roofline") == 0)
        return print_roofline();
    if (argc < 4 || number[2] == 0 || number[3] == 0)
        return 2;
    world_make(&world, number[2], number[3]);
    if (strcmp(argv[1], "prices") == 0)
        return print_prices(&world);
    if (strcmp(argv[1], "single") == 0 && argc == 6 && number[4] > 0)
        return run_single(&world, number[4], (unsigned)number[5], false);
    if (strcmp(argv[1], "shared") == 0 && argc == 6 && number[4] > 0)
        return run_single(&world, number[4], (unsigned)number[5], true);
    if (strcmp(argv[1], "figures") == 0 && argc == 5 && number[4] > 0)
        return figures_print(&world, number[4]);
    if (strcmp(argv[1], "simulation") == 0 && argc == 6 && number[4] > 0)
        return run_simulation(&world, number[4], strcmp(argv[5], "never") != 0);
    if (strcmp(argv[1], "trust") == 0 && argc == 5 && number[4] > 0)
        return trust_print(&world, number[4]);
    if (strcmp(argv[1], "strategies") == 0 && argc == 6 && number[4] > 0)
        return strategies_print(&world, number[4], strcmp(argv[5], "common") == 0);
    if (strcmp(argv[1], "batch") == 0 && argc == 8 && number[4] > 0 && number[5] > 0 &&
        number[5] <= THREADS_MAX && number[6] > 0)
        return run_batch(&world, number[4], number[5], number[6], argv[7]);
    return 2;
}
