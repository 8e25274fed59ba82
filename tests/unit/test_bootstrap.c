/* test_bootstrap.c - intervals that cover as often as they say, and know what two series have in common. */
#include "backtest/bootstrap.h"
#include "backtest/elementary.h"
#include "backtest/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static double normal(struct rng *rng)
{
    return elementary_normal_quantile(rng_next_unit(rng) - 0x1p-54);
}

/* AR(1) with the mean given and innovations of 1 %. */
static void fill_returns(double *r, size_t n, double mean, double phi, uint64_t stream)
{
    struct rng rng;
    double x = 0;
    rng_init(&rng, 2024, stream);
    for (size_t t = 0; t < n + 50; t++) {
        x = phi * x + 0.01 * normal(&rng);
        if (t >= 50)
            r[t - 50] = mean + x;
    }
}

static struct bootstrap_input input_of(const double *r, size_t n, size_t count, uint64_t seed)
{
    return (struct bootstrap_input){.r = r,
                                    .n = n,
                                    .periods_per_year = 252,
                                    .years = (double)n / 252,
                                    .capital = 100,
                                    .count = count,
                                    .seed = seed,
                                    .mean_block = resample_mean_block(n),
                                    .level = 0.9};
}

static struct bootstrap_report run(const struct bootstrap_input *in)
{
    struct arena arena;
    struct bootstrap_report report;
    arena_init(&arena, (size_t)1 << 28);
    assert_int_equal(bootstrap_run(in, &arena, NULL, &report, NULL), STATUS_OK);
    arena_clear(&arena);
    return report;
}

/* Share of simulated histories whose 90 % interval of the Sharpe ratio and of the CAGR holds the truth. */
static void coverage(double phi, double *ret_sharpe, double *ret_cagr)
{
    enum { WORLDS = 300, DAYS = 500 };
    static double r[DAYS];
    double mean = 0.0005, sd = 0.01 / sqrt(1 - phi * phi);
    double sharpe = mean / sd * sqrt(252);
    double cagr = elementary_exp(252 * (mean - sd * sd / 2)) - 1;
    for (size_t w = 0; w < WORLDS; w++) {
        fill_returns(r, DAYS, mean, phi, w);
        struct bootstrap_input in = input_of(r, DAYS, 250, w);
        struct bootstrap_report report = run(&in);
        const double *s = report.row[BOOTSTRAP_SHARPE].percentile;
        const double *c = report.row[BOOTSTRAP_CAGR].percentile;
        *ret_sharpe += s[0] <= sharpe && sharpe <= s[1] ? 1.0 / WORLDS : 0;
        *ret_cagr += c[0] <= cagr && cagr <= c[1] ? 1.0 / WORLDS : 0;
    }
}

static void intervals_cover_the_truth_as_often_as_they_say(void **state)
{
    double sharpe = 0, cagr = 0;
    (void)state;
    coverage(0, &sharpe, &cagr);
    assert_true(sharpe > 0.84 &&
                sharpe < 0.95); /* 0.9, sd 0.017; percentile intervals fall a little short */
    assert_true(cagr > 0.84 && cagr < 0.95);
    sharpe = cagr = 0;
    coverage(0.3, &sharpe, &cagr);
    assert_true(sharpe > 0.80 && sharpe < 0.95);
    assert_true(cagr > 0.80 && cagr < 0.95);
}

/* Independent draws would take dependence away: with it, their intervals are too short. */
static void blocks_keep_the_dependence_of_sessions(void **state)
{
    enum { DAYS = 2000 };
    static double r[DAYS];
    (void)state;
    fill_returns(r, DAYS, 0.0005, 0.5, 1);
    struct bootstrap_input in = input_of(r, DAYS, 400, 1);
    struct bootstrap_report blocks = run(&in);
    in.mean_block = 1;
    struct bootstrap_report draws = run(&in);
    double ratio =
        blocks.row[BOOTSTRAP_SHARPE].standard_error / draws.row[BOOTSTRAP_SHARPE].standard_error;
    assert_true(ratio > 1.3 && ratio < 2); /* sqrt((1 + phi) / (1 - phi)) = 1.73 for long blocks */
}

static void difference_to_a_benchmark_is_paired(void **state)
{
    enum { DAYS = 1000 };
    static double r[DAYS], b[DAYS], noise[DAYS];
    (void)state;
    fill_returns(b, DAYS, 0.0003, 0, 1);
    fill_returns(noise, DAYS, 0, 0, 2);
    for (size_t t = 0; t < DAYS; t++)
        r[t] = b[t] + 0.0002 + 0.05 * noise[t];
    struct bootstrap_input in = input_of(r, DAYS, 500, 3);
    in.benchmark = b;
    struct bootstrap_report report = run(&in);
    const struct bootstrap_row *own = &report.row[BOOTSTRAP_CAGR];
    const struct bootstrap_row *difference = &report.difference[BOOTSTRAP_CAGR];
    assert_true(report.has_difference);
    assert_true(difference->standard_error < 0.15 * own->standard_error);
    assert_true(difference->percentile[0] > 0 && difference->share_above > 0.99);
    assert_true(own->percentile[1] - own->percentile[0] >
                5 * (difference->percentile[1] - difference->percentile[0]));
    in.benchmark = r;
    report = run(&in);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++) {
        assert_true(report.difference[k].percentile[0] == 0 && report.difference[k].basic[1] == 0);
        assert_true(report.difference[k].share_above == 0.5);
    }
}

static void basic_interval_mirrors_the_percentiles(void **state)
{
    enum { DAYS = 300 };
    static double r[DAYS];
    (void)state;
    fill_returns(r, DAYS, 0.0005, 0, 4);
    struct bootstrap_input in = input_of(r, DAYS, 99, 4);
    struct bootstrap_report report = run(&in);
    for (size_t k = 0; k < BOOTSTRAP_FIGURE_COUNT; k++) {
        const struct bootstrap_row *row = &report.row[k];
        assert_int_equal(row->n, 99);
        assert_true(row->percentile[0] < row->percentile[1] && row->standard_error > 0);
        assert_true(row->basic[0] == 2 * row->estimate - row->percentile[1]);
        assert_true(row->basic[1] == 2 * row->estimate - row->percentile[0]);
    }
    in.level = 0.5;
    struct bootstrap_report half = run(&in);
    assert_true(half.row[0].percentile[0] > report.row[0].percentile[0]);
    assert_true(half.row[0].percentile[1] < report.row[0].percentile[1]);
}

/* More replicates contain the fewer: replicate k does not depend on how many there are. */
static void equal_requests_give_equal_bytes(void **state)
{
    enum { DAYS = 300 };
    static double r[DAYS];
    (void)state;
    fill_returns(r, DAYS, 0.0005, 0, 5);
    struct bootstrap_input in = input_of(r, DAYS, 50, 6);
    struct bootstrap_report a = run(&in), b = run(&in);
    assert_memory_equal(&a.row, &b.row, sizeof a.row);
    in.seed = 7;
    b = run(&in);
    assert_true(a.row[0].percentile[0] < b.row[0].percentile[0] ||
                a.row[0].percentile[0] > b.row[0].percentile[0]);
}

static void flat_returns_have_no_sharpe_ratio_and_no_made_up_interval(void **state)
{
    enum { DAYS = 100 };
    static double r[DAYS];
    (void)state;
    for (size_t t = 0; t < DAYS; t++)
        r[t] = 0.0001;
    struct bootstrap_input in = input_of(r, DAYS, 20, 1);
    struct bootstrap_report report = run(&in);
    assert_int_equal(report.row[BOOTSTRAP_SHARPE].n, 0);
    assert_int_equal(report.row[BOOTSTRAP_SORTINO].n, 0);
    assert_int_equal(report.row[BOOTSTRAP_CALMAR].n, 0);
    assert_true(isnan(report.row[BOOTSTRAP_SHARPE].estimate));
    assert_true(report.row[BOOTSTRAP_VOLATILITY].percentile[1] == 0);
    assert_int_equal(report.row[BOOTSTRAP_CAGR].n, 20);
    struct stop stop = {0};
    struct arena arena;
    arena_init(&arena, (size_t)1 << 26);
    stop_raise(&stop, STOP_CLIENT_GONE);
    assert_int_equal(bootstrap_run(&in, &arena, &stop, &report, NULL), STATUS_CLIENT_GONE);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_cover_the_truth_as_often_as_they_say),
        cmocka_unit_test(blocks_keep_the_dependence_of_sessions),
        cmocka_unit_test(difference_to_a_benchmark_is_paired),
        cmocka_unit_test(basic_interval_mirrors_the_percentiles),
        cmocka_unit_test(equal_requests_give_equal_bytes),
        cmocka_unit_test(flat_returns_have_no_sharpe_ratio_and_no_made_up_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
