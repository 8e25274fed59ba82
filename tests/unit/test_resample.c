/* test_resample.c - drawn histories: lengths and starts as they should fall, values as day by day. */
#include "backtest/elementary.h"
#include "backtest/resample.h"
#include "backtest/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 700, HORIZON = 900 };

struct fixture {
    struct arena arena;
    double r[N];
    struct resample_source source;
    struct resample_block block[HORIZON];
};

static void set_up(struct fixture *f, uint64_t seed)
{
    struct rng rng;
    arena_init(&f->arena, (size_t)1 << 26);
    rng_init(&rng, seed, 3);
    for (size_t t = 0; t < N; t++)
        f->r[t] = (rng_next_unit(&rng) - 0.49) * 0.06;
    assert_int_equal(resample_source_init(&f->source, f->r, N, 0.0001, &f->arena, NULL), STATUS_OK);
}

/* One day after the other. */
static struct resample_path slow_path(const struct fixture *f, size_t n_blocks)
{
    struct resample_path path = resample_start();
    for (size_t i = 0; i < n_blocks; i++) {
        for (size_t k = 0; k < f->block[i].length; k++) {
            double r = f->r[(f->block[i].start + k) % N];
            path.value *= 1 + r;
            path.peak = fmax(path.peak, path.value);
            path.depth = fmin(path.depth, path.value / path.peak);
            path.sum += r;
            path.square += r * r;
            path.below += r < 0.0001 ? (r - 0.0001) * (r - 0.0001) : 0;
        }
    }
    return path;
}

static void path_has_the_values_of_its_days(void **state)
{
    static const struct {
        enum resample_kind kind;
        double mean_block;
    } cases[] = {
        {RESAMPLE_STATIONARY, 1},   {RESAMPLE_STATIONARY, 9.5}, {RESAMPLE_STATIONARY, 690},
        {RESAMPLE_STATIONARY, 1e4}, {RESAMPLE_BLOCK, 21},       {RESAMPLE_BLOCK, 5000},
        {RESAMPLE_IID, 1},
    };
    struct fixture f;
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        set_up(&f, c);
        struct resample_plan plan;
        assert_int_equal(resample_plan_init(&plan, cases[c].kind, cases[c].mean_block, N, HORIZON,
                                            17, &f.arena, NULL),
                         STATUS_OK);
        for (uint64_t index = 0; index < 60; index++) {
            size_t n = resample_draw(&plan, index, f.block), steps = 0;
            struct resample_path fast = resample_start(), slow = slow_path(&f, n);
            for (size_t i = 0; i < n; i++) {
                assert_true(f.block[i].start < N && f.block[i].length <= N);
                steps += f.block[i].length;
                resample_advance(&f.source, f.block[i].start, f.block[i].length, &fast);
            }
            assert_int_equal(steps, HORIZON);
            assert_true(fabs(fast.value / slow.value - 1) < 1e-11);
            assert_true(fabs(fast.depth / slow.depth - 1) < 1e-12);
            assert_true(fabs(fast.sum - slow.sum) < 1e-12);
            assert_true(fabs(fast.square - slow.square) < 1e-12);
            assert_true(fabs(fast.below - slow.below) < 1e-12);
        }
        arena_clear(&f.arena);
    }
}

/* The law is geometric: P(length = k) = (1 - 1/L)^(k-1) / L; starts are uniform. */
static void block_lengths_are_geometric_and_starts_uniform(void **state)
{
    enum { PATHS = 2000, L = 8 };
    struct fixture f;
    struct resample_plan plan;
    double n_of_length[4] = {0}, n_blocks = 0, sum = 0, n_low = 0;
    (void)state;
    set_up(&f, 1);
    assert_int_equal(
        resample_plan_init(&plan, RESAMPLE_STATIONARY, L, N, HORIZON, 5, &f.arena, NULL),
        STATUS_OK);
    for (uint64_t index = 0; index < PATHS; index++) {
        size_t n = resample_draw(&plan, index, f.block) - 1; /* the last one is cut */
        for (size_t i = 0; i < n; i++) {
            sum += f.block[i].length;
            n_low += f.block[i].start < N / 4 ? 1 : 0;
            if (f.block[i].length <= 4)
                n_of_length[f.block[i].length - 1] += 1;
        }
        n_blocks += (double)n;
    }
    assert_true(fabs(sum / n_blocks - L) < 0.1);
    assert_true(fabs(n_low / n_blocks - 0.25) < 0.005);
    for (int k = 0; k < 4; k++)
        assert_true(fabs(n_of_length[k] / n_blocks - elementary_pow(1 - 1.0 / L, k) / L) < 0.004);
    arena_clear(&f.arena);
}

static void path_is_the_same_alone_or_in_a_batch(void **state)
{
    struct fixture f;
    struct resample_plan plan;
    static struct resample_block alone[HORIZON];
    (void)state;
    set_up(&f, 2);
    assert_int_equal(
        resample_plan_init(&plan, RESAMPLE_STATIONARY, 20, N, HORIZON, 9, &f.arena, NULL),
        STATUS_OK);
    size_t n_alone = resample_draw(&plan, 31, alone), n = 0;
    for (uint64_t index = 0; index <= 31; index++)
        n = resample_draw(&plan, index, f.block);
    assert_int_equal(n, n_alone);
    assert_memory_equal(alone, f.block, n * sizeof *alone);
    n = resample_draw(&plan, 32, f.block);
    assert_true(n != n_alone || memcmp(alone, f.block, n * sizeof *alone) != 0);
    arena_clear(&f.arena);
}

/*
 * Golden values: arch 8.0 (Python), optimal_block_length(x)["stationary"] of the same series. The
 * package divides its correlations by the deviations of the two parts, which decides no case here.
 */
static void politis_white_length_is_that_of_arch(void **state)
{
    static const struct {
        double phi;
        size_t n;
        double expected;
    } cases[] = {{0.5, 1000, 24.43784300921096},
                 {0, 500, 2.1936956883555565},
                 {-0.3, 700, 8.617509911231055},
                 {0.9, 2000, 26.952542762020453}};
    static double x[2000];
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        double last = 0;
        for (uint64_t t = 0; t < cases[c].n; t++) {
            last =
                cases[c].phi * last + (double)((t * t * 7919 + t * 104729) % 1009) / 1009.0 - 0.5;
            x[t] = last;
        }
        assert_true(fabs(resample_politis_white(x, cases[c].n) / cases[c].expected - 1) < 1e-9);
    }
    memset(x, 0, sizeof x);
    assert_true(resample_politis_white(x, 100) == 1);
    assert_true(fabs(resample_mean_block(1000) - 10) < 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_has_the_values_of_its_days),
        cmocka_unit_test(block_lengths_are_geometric_and_starts_uniform),
        cmocka_unit_test(path_is_the_same_alone_or_in_a_batch),
        cmocka_unit_test(politis_white_length_is_that_of_arch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
