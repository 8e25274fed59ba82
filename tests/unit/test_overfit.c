/* test_overfit.c - what the best of many trials is worth: published values, and searches with and without skill. */
#include "backtest/elementary.h"
#include "backtest/kernels.h"
#include "backtest/overfit.h"
#include "backtest/rng.h"
#include "backtest/stats.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void close_to(double actual, double expected, double relative)
{
    if (!(fabs(actual - expected) <= relative * fabs(expected)))
        fail_msg("%.17g is not %.17g within %g", actual, expected, relative);
}

/* Noise with a standard deviation of 1 %, plus mean. */
static void fill_returns(double *r, size_t n, uint64_t seed, uint64_t stream, double mean)
{
    struct rng rng;
    rng_init(&rng, seed, stream);
    for (size_t t = 0; t < n; t++)
        r[t] = mean + 0.01 * elementary_normal_quantile(rng_next_unit(&rng) * (1 - 0x1p-52));
}

/* Percentage points as in tables of the normal distribution; and the inverse of our own cdf. */
static void normal_quantile_inverts_the_distribution(void **state)
{
    (void)state;
    close_to(elementary_normal_quantile(0.975), 1.959963984540054, 1e-15);
    close_to(elementary_normal_quantile(1e-10), -6.361340902404056, 1e-14);
    close_to(elementary_normal_quantile(0.25), -0.6744897501960817, 1e-15);
    assert_true(elementary_normal_quantile(0.5) == 0);
    assert_true(isinf(elementary_normal_quantile(1)) && isinf(elementary_normal_quantile(0)));
    for (double z = -6; z < 6; z += 0.01) {
        double density = 0.39894228 * elementary_exp(-z * z / 2);
        double back = elementary_normal_quantile(elementary_normal_cdf(z));
        assert_true(fabs(back - z) * density < 3e-15);
    }
}

/* The example of Bailey and Lopez de Prado 2014: 100 trials, variance 1/2 a year, five years of days. */
static void deflated_sharpe_is_that_of_the_paper(void **state)
{
    (void)state;
    double sharpe = 2.5 / sqrt(250);
    double expected = overfit_expected_max(0.5 / 250, 100);
    assert_true(fabs(expected - 0.1132) < 5e-5);
    assert_true(fabs(stats_psr(sharpe, expected, 1250, -3, 10 - 3) - 0.9004) < 5e-5);
    assert_true(overfit_expected_max(0.5, 1) == 0 && overfit_expected_max(0, 10) == 0);
}

/* Written out for one split at a time, without block sums or tables. */
static double slow_ratio(const double *r, size_t n_blocks, size_t rows, size_t skip, unsigned set)
{
    double x[512];
    size_t n = 0;
    for (size_t b = 0; b < n_blocks; b++) {
        for (size_t t = 0; t < rows && (set >> b & 1); t++)
            x[n++] = r[skip + b * rows + t];
    }
    struct stats_moments m = stats_moments(x, n);
    return m.is_constant ? 0 : m.mean / m.sd;
}

static void splits_agree_with_a_plain_computation(void **state)
{
    enum { ROWS = 403, BLOCKS = 8, COLUMNS = 150 };
    static double r[COLUMNS][ROWS], logit[70];
    struct overfit_study study;
    struct overfit_splits splits;
    struct arena arena;
    (void)state;
    arena_init(&arena, (size_t)1 << 26);
    assert_int_equal(overfit_study_init(&study, ROWS, BLOCKS, COLUMNS, &arena, NULL), STATUS_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        fill_returns(r[c], ROWS, 5, c, c == 3 ? 0.001 : 0);
        for (size_t t = 0; t < ROWS && c == 7; t++)
            r[c][t] = 0.0001; /* cash */
        if (c == 9)
            memcpy(r[c], r[8], sizeof r[c]); /* the same twice: ties */
        overfit_study_add(&study, r[c]);
    }
    assert_int_equal(overfit_splits(&study, &arena, NULL, logit, &splits, NULL), STATUS_OK);
    assert_int_equal(splits.n, 70);
    size_t i = 0;
    for (unsigned set = 0; set < 1u << BLOCKS; set++) {
        if (__builtin_popcount(set) != BLOCKS / 2)
            continue;
        size_t best = 0;
        double out[COLUMNS], highest = -1e9, rank = 0.5;
        for (size_t c = 0; c < COLUMNS; c++) {
            double in = slow_ratio(r[c], BLOCKS, 50, 3, set);
            out[c] = slow_ratio(r[c], BLOCKS, 50, 3, ~set & 0xff);
            if (in > highest) {
                highest = in;
                best = c;
            }
        }
        for (size_t c = 0; c < COLUMNS; c++)
            rank += out[c] < out[best] ? 1 : out[c] > out[best] ? 0 : 0.5;
        close_to(logit[i++], log(rank / (COLUMNS + 1 - rank)), 1e-12);
    }
    arena_clear(&arena);
}

/* Twins, cash and a strip that is not full: whoever plays how many parts, on any kernels. */
static void splits_have_the_same_bits_in_any_number_of_parts(void **state)
{
    enum { ROWS = 640, COLUMNS = 150, SPLITS = 12870 };
    static double r[ROWS], twin[ROWS], whole[SPLITS], logit[SPLITS];
    struct overfit_study study;
    struct overfit_splits first, splits;
    struct arena arena;
    (void)state;
    arena_init(&arena, (size_t)1 << 27);
    assert_int_equal(overfit_study_init(&study, ROWS, OVERFIT_BLOCKS, COLUMNS, &arena, NULL),
                     STATUS_OK);
    for (size_t c = 0; c < COLUMNS; c++) {
        fill_returns(r, ROWS, 8, c, c == 70 ? 0.001 : 0);
        if (c == 3)
            memcpy(twin, r, sizeof r);
        for (size_t t = 0; t < ROWS && c == 7; t++)
            r[t] = 0.0001;
        overfit_study_add(&study, c == 9 || c == 149 ? twin : r);
    }
    assert_int_equal(overfit_splits(&study, &arena, NULL, whole, &first, NULL), STATUS_OK);
    assert_int_equal(first.n, SPLITS);
    for (size_t n_parts = 1; n_parts < 8; n_parts += 2) {
        struct overfit_parts *parts = NULL;
        study.kernels = kernels_choose(n_parts > 3 ? KERNELS_AUTO : KERNELS_REF);
        assert_int_equal(overfit_parts_new(&study, n_parts, &arena, &parts, NULL), STATUS_OK);
        for (size_t k = n_parts; k-- > 0;)
            assert_int_equal(overfit_parts_play(parts, k, NULL, NULL), STATUS_OK);
        assert_int_equal(overfit_parts_end(parts, &arena, logit, &splits, NULL), STATUS_OK);
        assert_memory_equal(logit, whole, sizeof whole);
        assert_memory_equal(&splits, &first, sizeof first);
    }
    arena_clear(&arena);
}

/* Without skill the best in sample is no better than the median out of sample; with skill it stays the best. */
static void search_without_skill_is_told_from_one_with_skill(void **state)
{
    enum { ROWS = 2000, COLUMNS = 40 };
    static double r[ROWS];
    (void)state;
    double pbo = 0, deflated = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        for (int skilled = 0; skilled < 2; skilled++) {
            struct overfit_study study;
            struct overfit_report report;
            struct arena arena;
            arena_init(&arena, (size_t)1 << 26);
            assert_int_equal(
                overfit_study_init(&study, ROWS, OVERFIT_BLOCKS, COLUMNS, &arena, NULL), STATUS_OK);
            for (size_t c = 0; c < COLUMNS; c++) {
                fill_returns(r, ROWS, 100 + seed, c, skilled && c == 11 ? 0.0015 : 0);
                overfit_study_add(&study, r);
            }
            assert_int_equal(overfit_study_report(&study, COLUMNS, &arena, NULL, &report, NULL),
                             STATUS_OK);
            assert_int_equal(report.splits.n, 12870);
            assert_true(fabs(report.mean_correlation) < 0.02);
            if (skilled) {
                assert_int_equal(report.best, 11);
                assert_true(report.splits.pbo < 0.02 && report.deflated > 0.99);
                assert_true(report.psr > report.deflated);
                assert_true(report.min_track_record > 1 && report.min_track_record < ROWS);
            } else {
                pbo += report.splits.pbo / 6;
                deflated += report.deflated / 6;
                assert_true(report.psr > 0.9); /* what looking at the best alone would say */
            }
            arena_clear(&arena);
        }
    }
    assert_true(pbo > 0.25 && pbo < 0.75);
    assert_true(deflated < 0.9);
}

/* Ten copies of one strategy and a little noise are one trial, not ten. */
static void trials_that_resemble_each_other_count_less(void **state)
{
    enum { ROWS = 500, COLUMNS = 10 };
    static double common[ROWS], r[ROWS];
    struct overfit_study study;
    struct overfit_report report;
    struct arena arena;
    (void)state;
    arena_init(&arena, (size_t)1 << 26);
    assert_int_equal(overfit_study_init(&study, ROWS, 4, COLUMNS, &arena, NULL), STATUS_OK);
    fill_returns(common, ROWS, 1, 1, 0.0005);
    for (size_t c = 0; c < COLUMNS; c++) {
        fill_returns(r, ROWS, 2, c, 0);
        for (size_t t = 0; t < ROWS; t++)
            r[t] = common[t] + 0.1 * r[t];
        overfit_study_add(&study, r);
    }
    assert_int_equal(overfit_study_report(&study, 1000, &arena, NULL, &report, NULL), STATUS_OK);
    assert_true(report.mean_correlation > 0.97);
    assert_true(report.effective_trials < 40 && report.n_trials == 1000 && report.n_columns == 10);
    assert_true(report.effective_expected_max < report.expected_max);
    arena_clear(&arena);
}

static void study_that_is_too_short_or_empty_says_so(void **state)
{
    double flat[8] = {0};
    struct overfit_study study;
    struct overfit_report report;
    struct arena arena;
    struct err err;
    (void)state;
    arena_init(&arena, (size_t)1 << 26);
    assert_int_equal(overfit_study_init(&study, 31, 16, 2, &arena, &err), STATUS_BAD_SPEC);
    assert_int_equal(overfit_study_init(&study, 64, 16, 100001, &arena, &err), STATUS_TOO_LARGE);
    assert_int_equal(overfit_study_init(&study, 8, 2, 2, &arena, &err), STATUS_OK);
    overfit_study_add(&study, flat);
    assert_int_equal(overfit_study_report(&study, 1, &arena, NULL, &report, &err), STATUS_OK);
    assert_int_equal(report.best, report.n_columns);
    assert_true(isnan(report.psr) && isnan(report.deflated) && isnan(report.mean_correlation));
    assert_int_equal(report.splits.n, 0);
    struct stop stop = {0};
    stop_raise(&stop, STOP_DEADLINE);
    overfit_study_add(&study, flat);
    assert_int_equal(overfit_study_report(&study, 2, &arena, &stop, &report, &err),
                     STATUS_DEADLINE);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_quantile_inverts_the_distribution),
        cmocka_unit_test(deflated_sharpe_is_that_of_the_paper),
        cmocka_unit_test(splits_agree_with_a_plain_computation),
        cmocka_unit_test(splits_have_the_same_bits_in_any_number_of_parts),
        cmocka_unit_test(search_without_skill_is_told_from_one_with_skill),
        cmocka_unit_test(trials_that_resemble_each_other_count_less),
        cmocka_unit_test(study_that_is_too_short_or_empty_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
