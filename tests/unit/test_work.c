/* test_work.c - the estimate of a strategy's decisions grows with what makes them dear. */
#include "backtest/work.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

enum { DAYS = 3653 };

/* Cells of ten years of a strategy over n names, decided so often. */
static uint64_t cells(size_t n, const char *strategy, const char *rebalance)
{
    struct arena arena;
    struct spec *spec = NULL;
    struct err err = {0};
    struct buf body;
    arena_init(&arena, (size_t)64 << 20);
    buf_init(&body, &arena, (size_t)1 << 20);
    buf_add_c(&body, "{\"universe\":[");
    for (size_t i = 0; i < n; i++)
        buf_printf(&body, "%s\"x:%zu\"", i > 0 ? "," : "", i);
    buf_printf(&body, "],\"strategy\":%s,\"rebalance\":\"%s\",\"monkeys\":{\"count\":0}}", strategy,
               rebalance);
    enum status s = spec_parse(buf_str(&body), &arena, &spec, &err);
    if (s != STATUS_OK)
        print_error("%s: %s at %s\n", strategy, err.detail, err.name);
    assert_int_equal(s, STATUS_OK);
    uint64_t found = work_of_decisions(spec, DAYS);
    arena_clear(&arena);
    return found;
}

static void weights_that_are_given_cost_nothing(void **state)
{
    (void)state;
    assert_int_equal(cells(50, "\"equal\"", "daily"), 0);
    assert_int_equal(cells(50, "\"buy_and_hold\"", "never"), 0);
}

static void an_optimiser_costs_the_square_of_names_times_look_back_and_their_cube(void **state)
{
    static const char *const variance = "{\"name\":\"minimum_variance\",\"lookback\":250}";
    static const char *const twice = "{\"name\":\"minimum_variance\",\"lookback\":500}";
    static const char *const shrunk =
        "{\"name\":\"minimum_variance\",\"lookback\":250,\"covariance\":\"ledoit_wolf\"}";
    (void)state;
    uint64_t one = cells(50, variance, "monthly");
    uint64_t decisions = DAYS * 5 / 7 / 21 + 1;
    assert_true(one >= decisions * (50 * 50 * 250 / 4 + 50 * 50 * 50 / 8));
    assert_true(cells(100, variance, "monthly") > 3 * one);
    assert_true(cells(400, variance, "monthly") > 7 * cells(200, variance, "monthly") / 2);
    assert_true(cells(200, twice, "monthly") > 5 * cells(200, variance, "monthly") / 4);
    assert_true(cells(50, shrunk, "monthly") > one);
    assert_true(cells(50, variance, "daily") > 20 * one);
    assert_true(one > 10 * cells(50, "\"momentum\"", "monthly"));
}

static void a_base_counts_beside_what_stands_on_it(void **state)
{
    (void)state;
    uint64_t plain = cells(20, "{\"name\":\"target_volatility\",\"base\":\"equal\"}", "monthly");
    assert_int_equal(
        cells(20, "{\"name\":\"target_volatility\",\"base\":\"minimum_variance\"}", "monthly"),
        plain + cells(20, "\"minimum_variance\"", "monthly"));
}

static void a_search_costs_its_candidates_and_its_windows(void **state)
{
    static const char *const form =
        "{\"name\":\"walk_forward\",\"train\":%d,\"test\":%d,\"grid\":{\"strategy\":\"%s\",\"axes\":"
        "[{\"pointer\":\"/lookback\",\"from\":51,\"to\":%d,\"step\":1}]}}";
    char text[6][240];
    (void)state;
    (void)snprintf(text[0], sizeof text[0], form, 500, 250, "momentum", 60);
    (void)snprintf(text[1], sizeof text[1], form, 500, 250, "momentum", 150);
    (void)snprintf(text[2], sizeof text[2], form, 500, 5, "momentum", 60);
    (void)snprintf(text[3], sizeof text[3], form, 2000, 250, "momentum", 60);
    (void)snprintf(text[4], sizeof text[4], form, 500, 250, "minimum_variance", 60);
    uint64_t ten = cells(10, text[0], "monthly");
    assert_int_equal(cells(10, text[1], "monthly"), 10 * ten); /* 100 candidates */
    assert_true(cells(10, text[2], "monthly") > ten);
    assert_true(cells(10, text[3], "monthly") > ten);
    assert_true(cells(10, text[4], "monthly") > ten);
    uint64_t alone = cells(10, "{\"name\":\"minimum_variance\",\"lookback\":51}", "monthly");
    assert_true(cells(10, text[4], "monthly") > 10 * alone);
}

static void a_portfolio_inside_is_counted(void **state)
{
    static const char body[] =
        "{\"assets\":[{\"portfolio\":{\"name\":\"core\",\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}],\"strategy\":"
        "\"minimum_variance\"},\"weight\":0.5},{\"uid\":\"x:C\",\"weight\":0.5}]}";
    struct arena arena;
    struct spec *spec = NULL;
    struct err err = {0};
    (void)state;
    arena_init(&arena, (size_t)1 << 22);
    enum status s = spec_parse(STR(body), &arena, &spec, &err);
    if (s != STATUS_OK)
        print_error("%s at %s: %s\n", err.detail, err.name, err.allowed);
    assert_int_equal(s, STATUS_OK);
    assert_true(work_of_decisions(spec, DAYS) > 2 * DAYS);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_that_are_given_cost_nothing),
        cmocka_unit_test(an_optimiser_costs_the_square_of_names_times_look_back_and_their_cube),
        cmocka_unit_test(a_base_counts_beside_what_stands_on_it),
        cmocka_unit_test(a_search_costs_its_candidates_and_its_windows),
        cmocka_unit_test(a_portfolio_inside_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
