/* test_montecarlo.c - drawn futures: the law of each model, money in and out, and the same bytes in any order. */
#include "backtest/elementary.h"
#include "backtest/montecarlo.h"
#include "backtest/rng.h"
#include "backtest/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 800, PATHS = 4000 };

struct fixture {
    struct arena arena;
    double r[N];
    struct montecarlo mc;
    struct resample_block *blocks;
    struct montecarlo_path path[PATHS];
    struct montecarlo_report report;
};

static struct montecarlo_rules rules_of(enum montecarlo_model model)
{
    return (struct montecarlo_rules){.model = model,
                                     .mean_block = 10,
                                     .horizon = 504,
                                     .seed = 12,
                                     .capital = 1000,
                                     .periods_per_year = 252};
}

static void play(struct fixture *f, const struct montecarlo_rules *rules, size_t count)
{
    struct rng rng;
    arena_init(&f->arena, (size_t)1 << 26);
    rng_init(&rng, 1, 1);
    for (size_t t = 0; t < N; t++)
        f->r[t] = 0.0004 + 0.01 * elementary_normal_quantile(rng_next_unit(&rng) - 0x1p-54);
    f->blocks = arena_array(&f->arena, rules->horizon, sizeof *f->blocks);
    assert_non_null(f->blocks);
    assert_int_equal(montecarlo_init(&f->mc, rules, f->r, N, &f->arena, NULL), STATUS_OK);
    assert_int_equal(montecarlo_play(&f->mc, 0, count, f->blocks, NULL, f->path, NULL), STATUS_OK);
    assert_int_equal(montecarlo_summarise(&f->mc, f->path, count, &f->arena, &f->report, NULL),
                     STATUS_OK);
}

/* E[growth] of independent draws is (1 + mean)^horizon; blocks of a series without dependence change little. */
static void mean_growth_is_that_of_the_past(void **state)
{
    static struct fixture f;
    (void)state;
    for (size_t model = 0; model < MONTECARLO_MODEL_COUNT; model++) {
        struct montecarlo_rules rules = rules_of((enum montecarlo_model)model);
        play(&f, &rules, PATHS);
        double expected = 1000 * elementary_pow(1 + stats_moments(f.r, N).mean, 504);
        assert_true(fabs(f.report.terminal.mean / expected - 1) < 0.02);
        for (size_t q = 1; q < MONTECARLO_QUANTILES; q++) {
            assert_true(f.report.terminal.quantile[q] > f.report.terminal.quantile[q - 1]);
            assert_true(f.report.max_drawdown.quantile[q] > f.report.max_drawdown.quantile[q - 1]);
        }
        assert_true(f.report.max_drawdown.quantile[6] < 0 && f.report.exhausted == 0);
        double spread =
            elementary_log(f.report.terminal.quantile[5] / f.report.terminal.quantile[1]);
        double normal = 2 * 1.6448536 * 0.01 * sqrt(504); /* of independent sessions with 1 % */
        assert_true(spread > 0.85 * normal && spread < 1.2 * normal);
        arena_clear(&f.arena);
    }
}

static void paths_are_the_same_in_any_order_and_any_split(void **state)
{
    static struct fixture f;
    struct montecarlo_path part[50];
    (void)state;
    for (size_t model = 0; model < MONTECARLO_MODEL_COUNT; model++) {
        struct montecarlo_rules rules = rules_of((enum montecarlo_model)model);
        play(&f, &rules, 200);
        for (size_t from = 150;; from -= 50) {
            memset(part, 0, sizeof part);
            assert_int_equal(montecarlo_play(&f.mc, from, from + 50, f.blocks, NULL, part, NULL),
                             STATUS_OK);
            for (size_t i = 0; i < 50; i++) {
                assert_true(part[i].terminal == f.path[from + i].terminal);
                assert_true(part[i].max_drawdown == f.path[from + i].max_drawdown);
            }
            if (from == 0)
                break;
        }
        arena_clear(&f.arena);
    }
}

/* Flows leave the growth of a unit alone; what is paid in is not a gain. */
static void contributions_change_the_money_and_not_the_growth(void **state)
{
    static struct fixture with, without;
    (void)state;
    for (size_t model = 0; model < MONTECARLO_MODEL_COUNT; model++) {
        struct montecarlo_rules rules = rules_of((enum montecarlo_model)model);
        play(&without, &rules, 100);
        rules.flow = 50;
        rules.flow_every = 21;
        play(&with, &rules, 100);
        for (size_t i = 0; i < 100; i++) {
            assert_true(fabs(with.path[i].growth / without.path[i].growth - 1) < 1e-12);
            assert_true(fabs(with.path[i].max_drawdown - without.path[i].max_drawdown) < 1e-12);
            assert_true(with.path[i].terminal > without.path[i].terminal);
        }
        /* 24 payments: the last comes at the very end and earns nothing. */
        assert_true(with.report.terminal.mean > 1000 + 24 * 50);
        arena_clear(&with.arena);
        arena_clear(&without.arena);
    }
}

static void constant_returns_give_the_annuity(void **state)
{
    double r[40];
    struct arena arena;
    struct montecarlo mc;
    struct montecarlo_path path;
    struct resample_block blocks[100];
    (void)state;
    for (size_t t = 0; t < 40; t++)
        r[t] = 0.001;
    arena_init(&arena, (size_t)1 << 24);
    struct montecarlo_rules rules = rules_of(MONTECARLO_STATIONARY);
    rules.horizon = 100;
    rules.flow = 10;
    rules.flow_every = 20;
    assert_int_equal(montecarlo_init(&mc, &rules, r, 40, &arena, NULL), STATUS_OK);
    assert_int_equal(montecarlo_play(&mc, 0, 1, blocks, NULL, &path, NULL), STATUS_OK);
    double expected = 1000 * elementary_pow(1.001, 100);
    for (int k = 20; k <= 100; k += 20)
        expected += 10 * elementary_pow(1.001, 100 - k);
    assert_true(fabs(path.terminal / expected - 1) < 1e-12);
    assert_true(path.max_drawdown == 0 && !path.is_exhausted);
    arena_clear(&arena);
}

static void withdrawals_exhaust_what_cannot_bear_them(void **state)
{
    static struct fixture f;
    (void)state;
    struct montecarlo_rules rules = rules_of(MONTECARLO_STATIONARY);
    rules.flow = -45;
    rules.flow_every = 21; /* 24 times 45 is more than there is */
    rules.goals[0] = 1e-9;
    rules.goals[1] = 1e9;
    rules.n_goals = 2;
    play(&f, &rules, PATHS);
    assert_true(f.report.exhausted > 0.1 && f.report.exhausted < 0.9);
    assert_true(f.report.below_goal[0] == f.report.exhausted); /* exhausted is exactly 0 */
    assert_true(f.report.below_goal[1] == 1);
    size_t n = 0;
    for (size_t i = 0; i < PATHS; i++) {
        assert_true(f.path[i].terminal >= 0);
        n += f.path[i].terminal > 0 ? 0 : 1;
    }
    assert_true((double)n / PATHS == f.report.exhausted);
    arena_clear(&f.arena);
}

static void stop_word_ends_the_play(void **state)
{
    static struct fixture f;
    struct stop stop = {0};
    (void)state;
    struct montecarlo_rules rules = rules_of(MONTECARLO_IID);
    play(&f, &rules, 10);
    stop_raise(&stop, STOP_DRAINING);
    assert_int_equal(montecarlo_play(&f.mc, 0, 10, f.blocks, &stop, f.path, NULL), STATUS_DRAINING);
    arena_clear(&f.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_growth_is_that_of_the_past),
        cmocka_unit_test(paths_are_the_same_in_any_order_and_any_split),
        cmocka_unit_test(contributions_change_the_money_and_not_the_growth),
        cmocka_unit_test(constant_returns_give_the_annuity),
        cmocka_unit_test(withdrawals_exhaust_what_cannot_bear_them),
        cmocka_unit_test(stop_word_ends_the_play),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
