/* test_stale_value.c - wealth at older prices, and what the moments of flows made of a rate; against figures worked out by hand. */
#include "tests/unit/test_backtest_world.h"

/* B has no bars on sessions 2 and 3: 550 of 1,050 are valued at its close of session 1, then 550 of 1,550. */
static void share_of_the_wealth_at_older_prices(void **state)
{
    static const double a[5] = {100, 100, 100, 200, 100}, b[3] = {100, 110, 120};
    static const int32_t b_date[3] = {18000, 18001, 18004};
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add_days(&w, "x:A", 18000, a, 5);
    (void)world_add(&w, "x:B", "USD", b_date, b, 3);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":1000,\"fill\":\"same_close\",\"rebalance\":\"never\","
            "\"monkeys\":{\"count\":0}}");
    assert_true(r->stale.is_known);
    assert_int_equal(r->stale.n_sessions, 2);
    assert_int_equal(r->stale.highest_at, 2);
    assert_close(r->stale.highest_share, 550.0 / 1050, 1e-12);
    assert_close(r->stale.mean_share, (550.0 / 1050 + 550.0 / 1550) / 4, 1e-12);
    world_clear(&w);
}

/* A alone, on every session: nothing is stale. */
static void nothing_is_stale_where_every_market_is_open(void **state)
{
    static const double a[3] = {100, 110, 120};
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add_days(&w, "x:A", 18000, a, 3);
    struct backtest_result *r =
        world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"monkeys\":{\"count\":0}}");
    assert_true(r->stale.is_known);
    assert_int_equal(r->stale.n_sessions, 0);
    assert_true(!(fabs(r->stale.highest_share) > 0));
    assert_true(isnan(r->flow_timing_effect));
    world_clear(&w);
}

/*
 * 1,000 at 100 and, a year later, 1,000 at 200; after another year it is 100 again. The line made nothing; the investor's rate
 * solves 1000 x^2 + 1000 x = 1500: x = (sqrt(7) - 1) / 2.
 */
static void money_that_came_at_the_top_costs_the_investor(void **state)
{
    static const double a[3] = {100, 200, 100};
    static const int32_t date[3] = {18000, 18365, 18730};
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add(&w, "x:A", "USD", date, a, 3);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"fill\":\"same_close\",\"rebalance\":"
        "\"never\",\"flows\":[{\"amount\":1000,\"start\":\"2020-04-13\"}],"
        "\"monkeys\":{\"count\":0}}");
    assert_close(r->wealth[2], 1500, 1e-12);
    assert_close(r->xirr, (sqrt(7) - 1) / 2 - 1, 1e-9);
    assert_close(r->flow_timing_effect, (sqrt(7) - 1) / 2 - 1, 1e-9);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(share_of_the_wealth_at_older_prices),
        cmocka_unit_test(nothing_is_stale_where_every_market_is_open),
        cmocka_unit_test(money_that_came_at_the_top_costs_the_investor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
