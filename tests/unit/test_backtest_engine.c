/* test_backtest_engine.c - the simulation against figures worked out by hand or published. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/costs.h"
#include "backtest/schedule.h"

static const char *const pair =
    "\"assets\":[{\"uid\":\"x:A\",\"weight\":0.6},{\"uid\":\"x:B\",\"weight\":0.4}],"
    "\"monkeys\":{\"count\":0}";

static const char *body(char *room, size_t size, const char *more)
{
    (void)snprintf(room, size, "{%s%s}", pair, more);
    return room;
}

/* Conformance case sim.buyhold (derived): 60/40, capital 1000. */
static void buy_and_hold_follows_the_prices(void **state)
{
    static const double a[] = {100, 110, 99, 120}, b[] = {50, 50, 55, 52};
    static const double expected[] = {1000, 1060, 1034, 1136};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    world_add_days(&w, "x:B", 18000, b, 4);
    char room[512];
    struct backtest_result *r = world_run(
        &w, body(room, sizeof room,
                 ",\"capital\":1000,\"strategy\":\"buy_and_hold\",\"fill\":\"same_close\""));
    assert_int_equal(r->panel->n_sessions, 4);
    for (size_t t = 0; t < 4; t++)
        assert_close(r->equity[t], expected[t], 1e-12);
    assert_true(has_warning(r, "same_close"));
    assert_int_equal(r->ledger.n_trades, 2);
    world_clear(&w);
}

static void next_close_leaves_the_first_session_in_cash(void **state)
{
    static const double a[] = {100, 110, 99, 120}, b[] = {50, 50, 55, 52};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    world_add_days(&w, "x:B", 18000, b, 4);
    char room[512];
    struct backtest_result *r =
        world_run(&w, body(room, sizeof room, ",\"capital\":1000,\"rebalance\":\"never\""));
    assert_close(r->equity[0], 1000, 0);
    assert_close(r->equity[1], 1000, 1e-15);
    assert_close(r->equity[2], 600 * (99.0 / 110) + 400 * (55.0 / 50), 1e-15);
    assert_close(r->equity[3], 600 * (120.0 / 110) + 400 * (52.0 / 50), 1e-15);
    assert_false(has_warning(r, "same_close"));
    world_clear(&w);
}

/* Conformance case sim.fx (derived): USD asset for a KRW investor. */
static void foreign_asset_compounds_price_and_exchange_rate(void **state)
{
    static const double usd[] = {100, 110, 121}, eurkrw[] = {1200, 1140, 1254},
                        eurusd[] = {1, 1, 1};
    static const int32_t date[] = {18000, 18001, 18002};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", date, usd, 3);
    world_add_fx(&w, "KRW", date, eurkrw, 3);
    world_add_fx(&w, "USD", date, eurusd, 3);
    struct backtest_result *r =
        world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"currency\":\"KRW\",\"capital\":1000,"
                      "\"fill\":\"same_close\",\"monkeys\":{\"count\":0}}");
    assert_close(r->equity[1] / r->equity[0] - 1, 0.045, 1e-12);
    assert_close(r->equity[2] / r->equity[1] - 1, 0.21, 1e-12);
    assert_close(r->measures[MEASURE_total_return].value, 0.26445, 1e-12);
    assert_close(r->ledger.trades[0].fx, 1200, 0);
    world_clear(&w);
}

/* Conformance case sim.delisting (derived): 100 shares at 10, delisting return -30 %. */
static void delisted_position_becomes_cash_at_its_delisting_return(void **state)
{
    static const double a[] = {10, 10, 10}, b[] = {5, 5, 5, 5, 5};
    struct world w;
    (void)state;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", 18000, a, 3);
    world_add_days(&w, "x:B", 18000, b, 5);
    s->delisted_on = 18003;
    s->delisting_return = -0.3;
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":2000,\"rebalance\":\"never\",\"monkeys\":{\"count\":0}}");
    assert_int_equal(r->panel->n_sessions, 5);
    assert_close(r->equity[2], 2000, 1e-15);
    assert_close(r->equity[3], 1700, 1e-15);
    assert_close(r->ledger.cash[4], 700, 1e-15);
    assert_close(r->ledger.delisting_gain, -300, 1e-15);
    assert_int_equal(r->ledger.trades[2].reason, SIM_DELISTING);
    assert_close(r->ledger.trades[2].quantity, 100, 1e-15);
    assert_true(has_warning(r, "delisted"));
    world_clear(&w);
}

static void only_asset_delisted_after_its_last_bar_is_still_paid_out(void **state)
{
    static const double a[] = {10, 11, 12};
    struct world w;
    (void)state;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", 18000, a, 3);
    s->delisted_on = 18004;
    s->delisting_return = -1;
    struct backtest_result *r =
        world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"monkeys\":{\"count\":0}}");
    assert_int_equal(r->panel->n_sessions, 4);
    assert_int_equal(r->panel->clock[3], 18004);
    assert_true(r->equity[3] == 0);
    assert_int_equal(r->ruined_on, 18004);
    assert_true(r->measures[MEASURE_cagr].value == -1);
    assert_true(r->measures[MEASURE_max_drawdown].value == -1);
    assert_int_equal(r->measures[MEASURE_stability].reason, REASON_RUINED);
    assert_true(has_warning(r, "ruined"));
    world_clear(&w);
}

static void proceeds_of_a_delisting_are_reinvested_at_the_next_rebalance(void **state)
{
    double a[10], b[10];
    struct world w;
    (void)state;
    for (size_t i = 0; i < 10; i++)
        a[i] = b[i] = 10;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", 18000, a, 4);
    world_add_days(&w, "x:B", 18000, b, 10);
    s->delisted_on = 18004;
    char room[512];
    struct backtest_result *r =
        world_run(&w, body(room, sizeof room, ",\"capital\":1000,\"rebalance\":\"daily\""));
    assert_close(r->ledger.cash[9], 0, 0);
    assert_close(r->final_weight[1], 1, 1e-15);
    assert_close(r->equity[9], 1000, 1e-15);
    world_clear(&w);
}

static void sizing_meets_the_targets_after_paying_for_them(void **state)
{
    static const double value[] = {700, 250, 50}, weight[] = {0.5, 0.3, 0.2};
    double budget = 1000, rate = 0.01;
    (void)state;
    double after = costs_value_after(budget, value, weight, 3, rate);
    double traded = 0;
    for (size_t i = 0; i < 3; i++)
        traded += fabs(weight[i] * after - value[i]);
    assert_close(after + rate * traded, budget, 1e-15);
    assert_true(after < budget);
    assert_true(costs_value_after(budget, value, weight, 3, 0) == budget);
    /* From cash alone: V' = V / (1 + c). */
    assert_close(costs_value_after(100, (double[]){0}, (double[]){1}, 1, 0.25), 80, 1e-15);
    /* To cash alone: V' = V (1 - c). */
    assert_close(costs_value_after(100, (double[]){100}, (double[]){0}, 1, 0.25), 75, 1e-15);
}

static void sizing_is_exact_for_random_portfolios(void **state)
{
    struct rng rng;
    (void)state;
    rng_init(&rng, 5, 5);
    for (int round = 0; round < 2000; round++) {
        double value[30], weight[30], sum = 0, cash = rng_next_unit(&rng) * 100, budget = cash;
        size_t n = 1 + rng_next_below(&rng, 30);
        double rate = rng_next_unit(&rng) * 0.2;
        for (size_t i = 0; i < n; i++) {
            value[i] = rng_next_below(&rng, 3) == 0 ? 0 : rng_next_unit(&rng) * 100;
            weight[i] = rng_next_below(&rng, 4) == 0 ? 0 : rng_next_unit(&rng);
            budget += value[i];
            sum += weight[i];
        }
        for (size_t i = 0; i < n && sum > 0; i++)
            weight[i] /= sum * (1 + rng_next_unit(&rng));
        double after = costs_value_after(budget, value, weight, n, rate);
        double paid = 0;
        for (size_t i = 0; i < n; i++)
            paid += rate * fabs(weight[i] * after - value[i]);
        assert_true(fabs(after + paid - budget) <= 1e-12 * budget);
    }
}

/*
 * Conformance cases pa.portfolio.60_40.*: PerformanceAnalytics 2.1.0, Return.portfolio with monthly
 * returns; the same two-asset identity on a short literal path. Reset at each period's start.
 */
static void rebalancing_resets_the_weights_at_the_decision_session(void **state)
{
    static const double a[] = {100, 110, 121}, b[] = {100, 90, 81};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", day(2020, 1, 30), a, 3); /* 30 and 31 January, 1 February */
    world_add_days(&w, "x:B", day(2020, 1, 30), b, 3);
    char room[512];
    struct backtest_result *r =
        world_run(&w, body(room, sizeof room,
                           ",\"capital\":100,\"rebalance\":\"daily\",\"fill\":\"same_close\""));
    assert_close(r->equity[1], 102, 1e-15);
    assert_close(r->equity[2], 102 * (0.6 * 1.1 + 0.4 * 0.9), 1e-15);
    r = world_run(&w, body(room, sizeof room,
                           ",\"capital\":100,\"rebalance\":\"monthly\",\"fill\":\"same_close\""));
    assert_close(r->equity[2], 60 * 1.21 + 40 * 0.81, 1e-15);
    assert_int_equal(r->ledger.n_rebalances, 1);
    world_clear(&w);
}

/* Conformance case pa.portfolio.cost: both assets gain 10 % then 20 %; 1 % of what is traded. */
static void costs_are_taken_from_what_is_traded(void **state)
{
    static const double a[] = {100, 120}, b[] = {100, 120};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 2);
    world_add_days(&w, "x:B", 18000, b, 2);
    char room[512];
    struct backtest_result *r =
        world_run(&w, body(room, sizeof room,
                           ",\"capital\":1000,\"rebalance\":\"never\",\"fill\":\"same_close\","
                           "\"costs\":{\"commission_bps\":60,\"slippage_bps\":40}"));
    assert_close(r->equity[1], 1000 / 1.01 * 1.2, 1e-15);
    assert_close(r->ledger.paid[COST_COMMISSION], 1000 / 1.01 * 0.006, 1e-14);
    assert_close(r->ledger.paid[COST_SLIPPAGE], 1000 / 1.01 * 0.004, 1e-14);
    assert_close(r->gross_terminal, 1200, 1e-15);
    world_clear(&w);
}

static void schedule_sees_a_period_only_when_its_first_session_comes(void **state)
{
    (void)state;
    int32_t friday = day(2021, 12, 31), monday = day(2022, 1, 3);
    for (int r = REBALANCE_DAILY; r <= REBALANCE_YEARLY; r++)
        assert_true(schedule_is_due((enum rebalance_every)r, friday, monday));
    assert_false(schedule_is_due(REBALANCE_NEVER, friday, monday));
    assert_false(schedule_is_due(REBALANCE_WEEKLY, monday, monday + 4));
    assert_true(schedule_is_due(REBALANCE_WEEKLY, monday + 6, monday + 7));
    assert_false(schedule_is_due(REBALANCE_QUARTERLY, day(2022, 1, 31), day(2022, 3, 31)));
    assert_true(schedule_is_due(REBALANCE_QUARTERLY, day(2022, 3, 31), day(2022, 4, 1)));
    assert_true(schedule_is_due(REBALANCE_MONTHLY, day(2021, 1, 5), day(2022, 1, 5)));
    assert_false(schedule_is_due(REBALANCE_YEARLY, day(2022, 1, 3), day(2022, 12, 30)));
}

static void fill_waits_until_every_target_trades(void **state)
{
    static const int32_t open_a[] = {18000, 18001, 18002, 18003, 18004};
    static const int32_t open_b[] = {18000, 18003, 18004};
    static const double a[] = {10, 11, 12, 13, 14}, b[] = {20, 21, 22};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", open_a, a, 5);
    world_add(&w, "x:B", "USD", open_b, b, 3);
    char room[512];
    struct backtest_result *r = world_run(&w, body(room, sizeof room, ",\"rebalance\":\"never\""));
    assert_int_equal(r->ledger.trades[0].session, 3);
    assert_close(r->ledger.trades[0].local_price, 13, 0);
    assert_close(r->ledger.trades[1].local_price, 21, 0);
    world_clear(&w);
}

static void suspended_asset_is_frozen_and_the_rest_takes_its_place(void **state)
{
    double a[12], b[12];
    static const int32_t open_b[] = {18000, 18001, 18011};
    struct world w;
    (void)state;
    for (size_t i = 0; i < 12; i++)
        a[i] = 10;
    b[0] = b[1] = b[2] = 20;
    a[5] = 20; /* the day of the rebalance below */
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 12);
    world_add(&w, "x:B", "USD", open_b, b, 3);
    char room[512];
    struct backtest_result *r = world_run(
        &w, body(room, sizeof room, ",\"capital\":1000,\"rebalance\":\"daily\",\"max_stale\":2"));
    /* B stands still from session 4 on; A alone is the rest and keeps its whole budget. */
    assert_close(r->equity[5], 600 * 2 + 400, 1e-14);
    assert_int_equal(r->panel->assets[1].suspended_sessions, 7);
    assert_int_equal(r->panel->assets[1].stale_sessions, 9);
    assert_true(has_warning(r, "suspended"));
    world_clear(&w);
}

static void stopped_run_says_so(void **state)
{
    static const double a[] = {1, 2, 3};
    struct stop stop = {STOP_DEADLINE};
    struct backtest_result *r = NULL;
    struct err err;
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 3);
    struct spec *spec = world_spec(&w, "{\"assets\":[{\"uid\":\"x:A\"}]}");
    assert_int_equal(backtest_run(spec, &w.market, &w.arena, &stop, &r, &err), STATUS_DEADLINE);
    world_clear(&w);
}

static void too_small_an_arena_is_refused_without_a_crash(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    world_add_walk(&w, "x:A", 10000, 500, 1, 0);
    world_add_walk(&w, "x:B", 10000, 500, 2, 0);
    char room[512];
    struct spec *spec = world_spec(&w, body(room, sizeof room, ",\"benchmark\":\"x:A\""));
    spec->n_monkeys = 3;
    spec->universe = &spec->assets[0].uid;
    spec->n_universe = 1;
    for (size_t limit = 256; limit < ((size_t)1 << 21); limit += limit / 4) {
        struct arena small;
        struct backtest_result *r = NULL;
        struct err err = {0};
        arena_init(&small, limit);
        enum status s = backtest_run(spec, &w.market, &small, NULL, &r, &err);
        assert_true(s == STATUS_OK || s == STATUS_TOO_LARGE || s == STATUS_OUT_OF_MEMORY);
        assert_true(s == STATUS_OK || err.detail[0] != '\0');
        arena_clear(&small);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buy_and_hold_follows_the_prices),
        cmocka_unit_test(next_close_leaves_the_first_session_in_cash),
        cmocka_unit_test(foreign_asset_compounds_price_and_exchange_rate),
        cmocka_unit_test(delisted_position_becomes_cash_at_its_delisting_return),
        cmocka_unit_test(only_asset_delisted_after_its_last_bar_is_still_paid_out),
        cmocka_unit_test(proceeds_of_a_delisting_are_reinvested_at_the_next_rebalance),
        cmocka_unit_test(sizing_meets_the_targets_after_paying_for_them),
        cmocka_unit_test(sizing_is_exact_for_random_portfolios),
        cmocka_unit_test(rebalancing_resets_the_weights_at_the_decision_session),
        cmocka_unit_test(costs_are_taken_from_what_is_traded),
        cmocka_unit_test(schedule_sees_a_period_only_when_its_first_session_comes),
        cmocka_unit_test(fill_waits_until_every_target_trades),
        cmocka_unit_test(suspended_asset_is_frozen_and_the_rest_takes_its_place),
        cmocka_unit_test(stopped_run_says_so),
        cmocka_unit_test(too_small_an_arena_is_refused_without_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
