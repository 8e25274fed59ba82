/* test_batch.c - a batch is its single runs, bit for bit, with any plans, rules and kernels. */
#include "backtest/batch.h"
#include "backtest/kernels.h"
#include "backtest/schedule.h"
#include "backtest/spec_costs.h"
#include "tests/unit/test_backtest_random.h"

enum { ASSETS = 12, PLANS_MAX = 40, BARS = 420 };

static const char *const names[ASSETS] = {"x:0", "x:1", "x:2", "x:3", "x:4",  "x:5",
                                          "x:6", "x:7", "x:8", "x:9", "x:10", "x:11"};
static const char *const rebalances[] = {
    "\"never\"",
    "\"daily\"",
    "\"weekly\"",
    "\"monthly\"",
    "\"quarterly\"",
    "\"yearly\"",
    "{\"bands\":{\"relative\":0.15},\"every\":\"month\"}",
    "{\"bands\":{\"absolute\":0.01}}",
    "{\"bands\":{\"five_twentyfive\":true},\"every\":\"quarter\"}",
    "{\"bands\":{\"portfolio\":0.04},\"every\":\"year\"}",
    "{\"bands\":{\"relative\":0.2},\"destination\":\"edge\",\"scope\":\"breached\"}",
    "{\"bands\":{\"relative\":0.1},\"when\":\"calendar_and_bands\",\"every\":\"month\"}",
};
enum { REBALANCES = sizeof rebalances / sizeof *rebalances };

/* A market, its panel and the rules of a request over it. */
struct field {
    struct world world;
    struct backtest_result *result; /* of the request: for its panel */
    struct batch batch;
    struct sim_rules rules;
    struct plan plans[PLANS_MAX];
    size_t n_plans;
    double invested[PLANS_MAX];
};

static void fill_market(struct world *w, uint64_t seed)
{
    world_init(w);
    for (size_t i = 0; i < ASSETS; i++) {
        bool has_gaps = seed % 3 == 1 && i % 4 == 1;
        struct price_series *s =
            world_add_walk(w, names[i], day(2010, 1, 4), BARS, seed * 100 + i, has_gaps ? 15 : 0);
        if (i == 7 && seed % 5 == 2) {
            s->delisted_on = s->date[200] + 1;
            s->delisting_return = -0.4;
        }
    }
}

static void set_rules(struct field *f, struct rng *rng)
{
    char body[1024];
    int at = snprintf(body, sizeof body, "{\"assets\":[");
    for (size_t i = 0; i < ASSETS; i++)
        at += snprintf(body + at, sizeof body - (size_t)at, "%s{\"uid\":\"%s\",\"weight\":1}",
                       i > 0 ? "," : "", names[i]);
    (void)snprintf(
        body + at, sizeof body - (size_t)at,
        "],\"on_weight_sum\":\"normalize\",\"start\":\"2010-01-04\",\"end\":\"2011-06-30\","
        "\"capital\":%.17g,\"rebalance\":%s,\"fill\":\"%s\",\"monkeys\":{\"count\":0},"
        "\"costs\":{\"commission_bps\":%.17g,\"slippage_bps\":%d}}",
        1000 + 1e6 * rng_next_unit(rng), rebalances[rng_next_below(rng, REBALANCES)],
        rng_next_below(rng, 3) == 0 ? "same_close" : "next_close",
        rng_next_below(rng, 3) == 0 ? 0 : 30 * rng_next_unit(rng),
        rng_next_below(rng, 2) == 0 ? 0 : 5);
    f->result = world_run(&f->world, body);
    const struct spec *spec = f->result->spec;
    const struct panel *panel = f->result->panel;
    uint32_t *due = arena_array(&f->world.arena, panel->n_sessions, sizeof *due);
    schedule_build(&spec->rebalance, &panel->calendar, due, &f->rules.n_due);
    f->rules.due = due;
    f->rules.fill = spec->fill;
    f->rules.capital = spec->capital;
    f->rules.costs = spec_cost_model(spec);
    f->rules.rebalance = spec->rebalance;
    f->batch = (struct batch){f->result->panel, &f->rules, f->result->periods_per_year, 0.01};
}

/*
 * Money in and out, fixed or as a share of what there is, before the open or after the close; mostly all after it, which
 * is what portfolios side by side can take. Now and then two on one day, or more than is there.
 */
static void add_flows(struct field *f, struct rng *rng)
{
    size_t n = 24;
    struct flow *flows = arena_array(&f->world.arena, n, sizeof *flows);
    assert_non_null(flows);
    bool is_late = rng_next_below(rng, 4) > 0;
    double most = rng_next_below(rng, 6) == 0 ? 0.8 : 0.1;
    uint32_t session = 1;
    for (size_t i = 0; i < n; i++) {
        bool is_share = rng_next_below(rng, 3) == 0;
        double size = rng_next_unit(rng) - 0.45;
        session += rng_next_below(rng, 5) == 0 ? 0 : 1 + rng_next_below(rng, 25);
        flows[i] = (struct flow){.session = session,
                                 .at_start = !is_late && rng_next_below(rng, 2) == 0,
                                 .is_share = is_share,
                                 .amount = size * most * (is_share ? 1 : f->rules.capital)};
    }
    f->rules.flows = flows;
    f->rules.n_flows = n;
    f->rules.allocation = rng_next_below(rng, 3);
}

/* How often portfolios with flows were played side by side to the end: a table of kernels that counts. */
static size_t n_ended, ends_at;
static const struct kernels *counted;

static void value_counted(const struct kernel_holdings *h, size_t from, size_t to)
{
    counted->value_many(h, from, to);
    n_ended += to == ends_at;
}

static const struct kernels *count_flows(const struct kernels *kernels)
{
    static struct kernels counting;
    counted = kernels;
    counting = *kernels;
    counting.value_many = value_counted;
    return &counting;
}

/* One plan: some names, some of them with weight 0; its weights are the same at every decision, or not. */
static void add_plan(struct field *f, struct rng *rng)
{
    struct arena *arena = &f->world.arena;
    bool is_dense = rng_next_below(rng, 4) > 0, is_moving = rng_next_below(rng, 5) == 0;
    size_t n = 0, rows = is_moving ? f->rules.n_due : 1;
    size_t *asset = arena_array(arena, ASSETS, sizeof *asset);
    for (size_t a = 0; a < ASSETS; a++)
        if (is_dense || rng_next_below(rng, 3) == 0 || (a == ASSETS - 1 && n == 0))
            asset[n++] = a;
    double *weight = arena_array(arena, n * rows, sizeof *weight);
    double *invested = arena_array(arena, rows, sizeof *invested);
    for (size_t d = 0; d < rows; d++) {
        double share = rng_next_below(rng, 3) == 0 ? rng_next_unit(rng) : 1, sum = 0;
        for (size_t j = 0; j < n; j++) {
            weight[d * n + j] = rng_next_below(rng, 6) == 0 ? 0 : rng_next_unit(rng);
            sum += weight[d * n + j];
        }
        for (size_t j = 0; j < n && sum > 0; j++)
            weight[d * n + j] *= share / sum;
        invested[d] = sum > 0 ? share : 0;
    }
    f->plans[f->n_plans++] = (struct plan){asset, n, weight, is_moving ? n : 0, invested};
}

static void make_field(struct field *f, uint64_t seed)
{
    struct rng rng;
    memset(f, 0, sizeof *f);
    rng_init(&rng, seed, 5);
    fill_market(&f->world, seed);
    f->world.market.kernels =
        count_flows(kernels_choose(seed % 4 < 2 ? KERNELS_AUTO : KERNELS_REF));
    set_rules(f, &rng);
    if (seed % 2 == 1)
        add_flows(f, &rng);
    size_t n = 1 + rng_next_below(&rng, PLANS_MAX);
    while (f->n_plans < n)
        add_plan(f, &rng);
}

/* Returns the money at the end. */
static double play_single(struct field *f, size_t p, double *ret_equity)
{
    struct sim_workspace workspace;
    struct err err = {0};
    size_t n = f->batch.panel->n_sessions;
    assert_int_equal(sim_workspace_init(&workspace, &f->world.arena, n, ASSETS, &err), STATUS_OK);
    if (f->rules.n_flows > 0)
        assert_int_equal(sim_workspace_add_wealth(&workspace, &f->world.arena, n, &err), STATUS_OK);
    assert_int_equal(
        simulate(f->batch.panel, &f->plans[p], &f->rules, &workspace, NULL, NULL, &err), STATUS_OK);
    memcpy(ret_equity, workspace.equity, n * sizeof *ret_equity);
    return workspace.wealth[n - 1];
}

static void assert_same_line(const double *actual, const double *expected, size_t n, uint64_t seed,
                             size_t p)
{
    for (size_t t = 0; t < n; t++)
        if (memcmp(&actual[t], &expected[t], sizeof *actual) != 0)
            fail_msg("seed %llu, plan %zu, session %zu: %.17g is not %.17g",
                     (unsigned long long)seed, p, t, actual[t], expected[t]);
}

static void batch_of_plans_is_their_single_runs_bit_for_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        static struct field f;
        static double single[BARS + 10];
        struct batch_workspace workspace;
        struct err err = {0};
        make_field(&f, seed);
        ends_at = f.rules.n_flows > 0 ? f.batch.panel->n_sessions : SIZE_MAX;
        assert_int_equal(batch_workspace_init(&workspace, &f.batch, ASSETS, &f.world.arena, &err),
                         STATUS_OK);
        for (size_t from = 0; from < f.n_plans; from += BATCH_GROUP) {
            size_t count = f.n_plans - from < BATCH_GROUP ? f.n_plans - from : BATCH_GROUP;
            assert_int_equal(batch_play(&f.batch, f.plans + from, count, &workspace, NULL, &err),
                             STATUS_OK);
            for (size_t p = 0; p < count; p++) {
                double terminal = play_single(&f, from + p, single);
                assert_true(workspace.terminal[p] == terminal);
                assert_same_line(workspace.equity[p], single, f.batch.panel->n_sessions, seed,
                                 from + p);
            }
        }
        world_clear(&f.world);
    }
    assert_true(n_ended > 0);
}

/* Interest at a rate of 0 has every close looked at by itself, and payments played apart from the days before them. */
static void interest_at_nothing_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 300; seed < 300 + random_rounds(); seed++) {
        static struct field f;
        static double quiet[BARS + 10], watched[BARS + 10];
        make_field(&f, seed);
        ends_at = SIZE_MAX;
        for (size_t p = 0; p < f.n_plans; p++) {
            f.rules.financing.day_basis = 0;
            double terminal = play_single(&f, p, quiet);
            f.rules.financing.day_basis = 365;
            assert_true(play_single(&f, p, watched) == terminal);
            assert_same_line(watched, quiet, f.batch.panel->n_sessions, seed, p);
        }
        world_clear(&f.world);
    }
}

static void headline_figures_are_those_of_the_full_table(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed < 230; seed++) {
        static struct field f;
        static struct batch_row rows[PLANS_MAX];
        static double single[BARS + 10];
        struct batch_workspace workspace;
        struct err err = {0};
        make_field(&f, seed);
        assert_int_equal(batch_workspace_init(&workspace, &f.batch, ASSETS, &f.world.arena, &err),
                         STATUS_OK);
        assert_int_equal(batch_run(&f.batch, f.plans, f.n_plans, &workspace, rows, NULL, &err),
                         STATUS_OK);
        for (size_t p = 0; p < f.n_plans; p++) {
            static struct measure_value full[MEASURE_ALL_COUNT];
            double terminal = play_single(&f, p, single);
            struct measure_input input = {
                .path = {f.batch.panel->clock, single, f.batch.panel->n_sessions},
                .periods_per_year = f.batch.periods_per_year,
                .risk_free_rate = f.batch.risk_free_rate,
            };
            assert_int_equal(measure_compute(&input, &f.world.arena, full, &err), STATUS_OK);
            assert_true(rows[p].terminal == terminal);
            for (size_t i = 0; i < BATCH_MEASURE_COUNT; i++) {
                const struct measure_value *m = &full[batch_measures[i]];
                bool is_same = m->reason == REASON_NONE ? rows[p].value[i] == m->value
                                                        : isnan(rows[p].value[i]);
                if (!is_same)
                    fail_msg("seed %llu, plan %zu: %s is %.17g, not %.17g",
                             (unsigned long long)seed, p, measure_infos[batch_measures[i]].name,
                             rows[p].value[i], m->value);
            }
        }
        world_clear(&f.world);
    }
}

static void stopped_batch_says_so(void **state)
{
    static struct field f;
    struct batch_workspace workspace;
    struct batch_row rows[PLANS_MAX];
    struct err err = {0};
    struct stop stop = {0};
    (void)state;
    make_field(&f, 0);
    stop_raise(&stop, STOP_CLIENT_GONE);
    assert_int_equal(batch_workspace_init(&workspace, &f.batch, ASSETS, &f.world.arena, &err),
                     STATUS_OK);
    assert_int_not_equal(batch_run(&f.batch, f.plans, f.n_plans, &workspace, rows, &stop, &err),
                         STATUS_OK);
    world_clear(&f.world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batch_of_plans_is_their_single_runs_bit_for_bit),
        cmocka_unit_test(interest_at_nothing_changes_nothing),
        cmocka_unit_test(headline_figures_are_those_of_the_full_table),
        cmocka_unit_test(stopped_batch_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
