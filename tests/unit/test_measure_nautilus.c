/*
 * test_measure_nautilus.c - the profile nautilus by that library's names, against the figures of its own unit tests
 * (crates/analysis/src/statistics).
 */
#include "backtest/record.h"
#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static double value_of(const struct record *record, const char *name)
{
    struct measure_value all[MEASURE_ALL_COUNT];
    struct record_ready ready;
    struct arena arena;
    struct err err = {0};
    enum measure_id id;
    arena_init(&arena, (size_t)1 << 24);
    assert_int_equal(record_prepare(record, &arena, &ready, &err), STATUS_OK);
    assert_int_equal(measure_compute(&ready.input, &arena, all, &err), STATUS_OK);
    arena_clear(&arena);
    assert_true(profile_find(PROFILE_nautilus, str_of(name), &id));
    return all[id].reason == REASON_NONE ? all[id].value : (double)NAN;
}

static struct record record_of(const double *value, const double *benchmark, size_t n,
                               double periods)
{
    return (struct record){.n = n,
                           .start = DATE_NONE,
                           .value = value,
                           .kind = RECORD_RETURNS,
                           .benchmark = benchmark,
                           .periods_per_year = periods,
                           .profile = PROFILE_nautilus,
                           .missing = MISSING_REFUSE};
}

static void assert_figure(const struct record *record, const char *name, double expected)
{
    double found = value_of(record, name);
    if (!(fabs(found - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%s: %.17g is not %.17g", name, found, expected);
}

static void figures_against_a_benchmark(void **state)
{
    static const double r[] = {0.02, -0.01, 0.03, 0.005}, b[] = {0.01, 0, 0.015, 0.01};
    static const double twice[] = {0.02, -0.04, 0.030, -0.010, 0.050};
    static const double once[] = {0.01, -0.02, 0.015, -0.005, 0.025};
    (void)state;
    struct record record = record_of(r, b, 4, 4);
    record.has_per_session = true;
    record.risk_free_per_session = 0.001;
    assert_figure(&record, "beta_ratio", 2.5789473684210527);
    assert_figure(&record, "alpha", -0.0383822153156389);
    record.periods_per_year = 252;
    record.risk_free_per_session = 0.0001;
    assert_figure(&record, "treynor_ratio", 5.920539327065061);
    record = record_of(twice, once, 5, 252);
    assert_figure(&record, "up_capture_ratio", 60.31258720129805);
    record = record_of(twice, once, 5, 5);
    assert_figure(&record, "treynor_ratio", (1.02 * 0.96 * 1.03 * 0.99 * 1.05 - 1) / 2);
}

static void figures_of_returns_alone(void **state)
{
    static const double losses[] = {0.02,  -0.05, 0.01,  -0.08, 0.03,
                                    -0.02, 0.04,  -0.10, 0.015, -0.03};
    static const double depths[] = {0.10, -0.10, 0.50, -0.20, 0.10};
    static const double tails[] = {0.01, -0.02, 0.03, -0.01, 0.02, 0.04, -0.03, 0.05, -0.04, 0.02};
    (void)state;
    struct record record = record_of(losses, NULL, 10, 252);
    assert_figure(&record, "value_at_risk", -0.091);
    assert_figure(&record, "expected_shortfall", -0.10);
    record = record_of(depths, NULL, 5, 252);
    assert_figure(&record, "ulcer_index", 0.11349008767288883);
    double growth = 1.1 * 0.9 * 1.5 * 0.8 * 1.1;
    assert_figure(&record, "cagr", pow(growth, 252.0 / 5) - 1);
    assert_figure(&record, "calmar_ratio", (pow(growth, 252.0 / 5) - 1) / 0.2);
    record = record_of(tails, NULL, 10, 252);
    assert_figure(&record, "returns_kurtosis", -1.2622443251995028);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_against_a_benchmark),
        cmocka_unit_test(figures_of_returns_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
