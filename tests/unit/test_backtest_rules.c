/* test_backtest_rules.c - rebalance rules, costs, flows, financing and leverage against figures worked out by hand. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/costs.h"
#include "backtest/schedule.h"

static const char *const half =
    "\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],\"capital\":1000,"
    "\"fill\":\"same_close\",\"monkeys\":{\"count\":0}";

static struct backtest_result *run_half(struct world *w, const double *a, const double *b, size_t n,
                                        const char *more)
{
    char room[1024];
    world_init(w);
    world_add_days(w, "x:A", 18000, a, n);
    world_add_days(w, "x:B", 18000, b, n);
    (void)snprintf(room, sizeof room, "{%s,%s}", half, more);
    return world_run(w, room);
}

static size_t due_of(const char *json, int32_t first, size_t n, uint32_t *due)
{
    struct world w;
    int32_t clock[800];
    struct calendar calendar;
    size_t count = 0;
    char room[512];
    assert_true(n <= 800);
    for (size_t i = 0; count < n; i++) {
        if (date_weekday(first + (int32_t)i) < 5)
            clock[count++] = first + (int32_t)i;
    }
    world_init(&w);
    (void)snprintf(room, sizeof room, "{\"assets\":[{\"uid\":\"x:A\"}],\"rebalance\":%s}", json);
    struct spec *spec = world_spec(&w, room);
    assert_int_equal(calendar_of(clock, n, &w.arena, &calendar, NULL), STATUS_OK);
    schedule_build(&spec->rebalance, &calendar, due, &count);
    world_clear(&w);
    return count;
}

static void calendars_have_days_and_offsets(void **state)
{
    uint32_t due[800];
    (void)state;
    /* Monday 2024-01-01 on: weekdays 0..4 are the first week, February starts at session 23. */
    assert_int_equal(due_of("{\"every\":\"week\"}", day(2024, 1, 1), 20, due), 4);
    assert_true(due[1] == 5 && due[2] == 10 && due[3] == 15);
    assert_int_equal(due_of("{\"every\":\"week\",\"on\":\"last\"}", day(2024, 1, 1), 20, due), 4);
    assert_true(due[1] == 4 && due[2] == 9 && due[3] == 14);
    assert_int_equal(due_of("{\"every\":\"week\",\"on\":3}", day(2024, 1, 1), 20, due), 4);
    assert_true(due[1] == 7 && due[2] == 12 && due[3] == 17);
    assert_int_equal(due_of("{\"every\":\"week\",\"on\":9}", day(2024, 1, 1), 20, due), 3);
    assert_true(due[1] == 9 && due[2] == 14);
    assert_int_equal(due_of("{\"every\":\"month\",\"offset\":2}", day(2024, 1, 1), 60, due), 3);
    assert_true(due[1] == 25 && due[2] == 46);
    assert_int_equal(due_of("{\"every\":\"half_year\"}", day(2024, 1, 1), 300, due), 3);
    assert_true(due[1] == 130 && due[2] == 262);
    assert_int_equal(due_of("{\"every\":7}", day(2024, 1, 1), 30, due), 5);
    assert_true(due[1] == 7 && due[4] == 28);
    assert_int_equal(due_of("{\"every\":7,\"offset\":3}", day(2024, 1, 1), 30, due), 5);
    assert_true(due[1] == 3 && due[2] == 10 && due[4] == 24);
    assert_int_equal(due_of("{\"every\":\"never\"}", day(2024, 1, 1), 30, due), 1);
}

static void band_rebalances_when_it_is_left_and_not_before(void **state)
{
    static const double a[] = {100, 110, 130, 130, 130}, b[] = {100, 100, 100, 100, 100};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_half(&w, a, b, 5, "\"rebalance\":{\"bands\":{\"absolute\":0.05},\"every\":\"never\"}");
    /* Weights 0.5238 at session 1, 0.5652 at session 2. */
    assert_int_equal(r->ledger.n_rebalances, 1);
    assert_int_equal(r->ledger.trades[2].session, 2);
    assert_close(r->ledger.trades[2].value, 650 - 575, 1e-12);
    assert_close(r->equity[4], 1150, 1e-12);
    world_clear(&w);
    r = run_half(&w, a, b, 5, "\"rebalance\":{\"bands\":{\"relative\":0.14}}");
    assert_int_equal(r->ledger.n_rebalances, 0);
    world_clear(&w);
    r = run_half(&w, a, b, 5, "\"rebalance\":{\"bands\":{\"portfolio\":0.065}}");
    assert_int_equal(r->ledger.n_rebalances, 1);
    world_clear(&w);
    r = run_half(&w, a, b, 5, "\"rebalance\":{\"bands\":{\"five_twentyfive\":true}}");
    assert_int_equal(r->ledger.n_rebalances, 1);
    world_clear(&w);
}

static void destination_says_how_far_a_rebalance_goes(void **state)
{
    static const double a[] = {100, 130, 130}, b[] = {100, 100, 100};
    struct world w;
    (void)state;
    struct backtest_result *r = run_half(
        &w, a, b, 3, "\"rebalance\":{\"bands\":{\"absolute\":0.05},\"destination\":\"edge\"}");
    assert_close(r->final_weight[0], 0.55, 1e-6);
    assert_int_equal(r->ledger.n_rebalances, 1);
    world_clear(&w);
    r = run_half(&w, a, b, 3,
                 "\"rebalance\":{\"bands\":{\"absolute\":0.05},\"destination\":\"halfway\"}");
    assert_close(r->final_weight[0], 0.5 * (650.0 / 1150 + 0.5), 1e-12);
    world_clear(&w);
}

static void only_breached_assets_move_and_the_others_pay(void **state)
{
    static const double up[] = {100, 140, 140}, flat[] = {100, 100, 100}, low[] = {100, 97, 97};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, up, 3);
    world_add_days(&w, "x:B", 18000, flat, 3);
    world_add_days(&w, "x:C", 18000, low, 3);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.4},{\"uid\":\"x:B\",\"weight\":0.3},"
        "{\"uid\":\"x:C\",\"weight\":0.3}],\"fill\":\"same_close\",\"capital\":1000,\"rebalance\":{"
        "\"bands\":{\"absolute\":0.07},\"scope\":\"breached\"},\"monkeys\":{\"count\":0}}");
    /* 560, 300, 291: A is 0.0865 above; B and C are below by 0.0394 and 0.0472. */
    assert_int_equal(r->ledger.n_trades, 6);
    assert_close(r->final_weight[0], 0.4, 1e-12);
    assert_close(r->final_weight[1], 0.3, 1e-12);
    assert_true(fabs(r->ledger.cash[2]) < 1e-9);
    world_clear(&w);
}

static void small_trades_are_left_out(void **state)
{
    static const double a[] = {100, 101, 120}, b[] = {100, 100, 100};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_half(&w, a, b, 3, "\"rebalance\":{\"every\":\"day\",\"min_trade\":10}");
    assert_int_equal(r->ledger.n_trades, 4);
    assert_int_equal(r->ledger.trades[2].session, 2);
    world_clear(&w);
}

/* Conformance case sim.whole_shares (derived). */
static void whole_shares_leave_the_rest_in_cash(void **state)
{
    static const double a[] = {333.33, 333.33}, b[] = {47.11, 47.11}, c[] = {1999.99, 1999.99};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 2);
    world_add_days(&w, "x:B", 18000, b, 2);
    world_add_days(&w, "x:C", 18000, c, 2);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.3},{\"uid\":"
        "\"x:C\",\"weight\":0.2}],\"shares\":\"whole\",\"fill\":\"same_close\",\"monkeys\":{"
        "\"count\":0}}");
    assert_close(r->ledger.trades[0].quantity, 15, 1e-12);
    assert_close(r->ledger.trades[1].quantity, 63, 1e-12);
    assert_close(r->ledger.trades[2].quantity, 1, 1e-12);
    assert_close(r->ledger.cash[1], 32.13, 1e-9);
    world_clear(&w);
}

static void commission_has_a_minimum_a_maximum_and_tiers(void **state)
{
    struct cost_model m = {.commission = {.percent = 0.001, .per_share = 0.01, .fixed = 1}};
    struct cost_context c = {.share_price = 50};
    double paid[COST_TRADE_COUNT];
    (void)state;
    assert_close(costs_of_trade(&m, &c, 10000, paid), 1 + 10, 1e-15);
    assert_close(paid[COST_COMMISSION], 11, 1e-15);
    c.share_price = 5; /* 2,000 shares: 20 by share */
    assert_close(costs_of_trade(&m, &c, -10000, NULL), 21, 1e-15);
    m.commission.minimum = 25;
    assert_close(costs_of_trade(&m, &c, 10000, NULL), 25, 1e-15);
    m.commission.maximum = 30;
    assert_close(costs_of_trade(&m, &c, 1e6, NULL), 30, 1e-15);
    assert_true(costs_of_trade(&m, &c, 0, NULL) == 0);
    struct cost_model t = {.commission = {.percent = 0.01, .n_tiers = 2}};
    t.commission.tiers[0] = (struct cost_tier){1000, 0.005};
    t.commission.tiers[1] = (struct cost_tier){5000, 0.001};
    c.month_traded = 999;
    assert_close(costs_of_trade(&t, &c, 100, NULL), 1, 1e-15);
    c.month_traded = 1000;
    assert_close(costs_of_trade(&t, &c, 100, NULL), 0.5, 1e-15);
    c.month_traded = 6000;
    assert_close(costs_of_trade(&t, &c, 100, NULL), 0.1, 1e-15);
}

static void tax_is_dated_and_falls_on_sales_alone(void **state)
{
    static const double a[] = {100, 200, 100}, b[] = {100, 100, 100};
    struct world w;
    (void)state;
    struct backtest_result *r = run_half(
        &w, a, b, 3,
        "\"rebalance\":\"daily\",\"costs\":{\"sell_tax\":[{\"from\":\"2019-04-15\",\"percent\":1}]}");
    /* Day 18001 is 2019-04-15: 500 grows to 1000 of 1500; V' + 1 % (1000 - V'/2) = 1500. */
    double after = (1500 - 10) / (1 - 0.005);
    assert_close(r->equity[1], after, 1e-12);
    assert_close(r->ledger.trades[2].paid[COST_TAX], 0.01 * (1000 - after / 2), 1e-12);
    assert_true(r->ledger.trades[0].paid[COST_TAX] == 0 && r->ledger.trades[3].paid[COST_TAX] == 0);
    world_clear(&w);
}

static void contribution_does_not_move_the_time_weighted_line(void **state)
{
    static const double a[] = {100, 110, 121, 121}, b[] = {100, 110, 121, 121};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_half(&w, a, b, 4,
                 "\"rebalance\":\"never\",\"flows\":[{\"amount\":1000,\"start\":\"2019-04-15\"}]");
    assert_close(r->wealth[1], 2100, 1e-14);
    assert_close(r->wealth[2], 2310, 1e-14);
    assert_close(r->equity[1], 1100, 1e-14);
    assert_close(r->equity[2], 1210, 1e-14);
    assert_int_equal(r->ledger.n_flows, 1);
    assert_close(r->ledger.contributed, 1000, 0);
    assert_int_equal(r->ledger.trades[2].reason, SIM_CONTRIBUTION);
    world_clear(&w);
}

static void withdrawal_of_everything_exhausts_the_portfolio(void **state)
{
    static const double a[] = {100, 100, 110, 110, 120}, b[] = {100, 100, 110, 110, 120};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_half(&w, a, b, 5,
                 "\"rebalance\":\"never\",\"costs\":{\"commission_bps\":10},"
                 "\"flows\":[{\"amount\":-600,\"every\":2}]");
    double bought = 1000 / 1.001;
    assert_close(r->wealth[2], bought * 1.1 - 600 / (1 - 0.001), 1e-12);
    assert_close(r->ledger.flows[0].amount, -600, 1e-12);
    assert_true(r->wealth[4] == 0);
    assert_int_equal(r->ledger.exhausted_at, 4);
    assert_int_equal(r->ruined_on, DATE_NONE);
    assert_close(r->equity[3], bought * 1.1 - 600 / (1 - 0.001) * 0.001, 1e-9);
    assert_true(has_warning(r, "exhausted"));
    world_clear(&w);
}

static void most_underweight_is_bought_first(void **state)
{
    static const double a[] = {100, 140, 140}, b[] = {100, 100, 100};
    struct world w;
    (void)state;
    struct backtest_result *r = run_half(
        &w, a, b, 3,
        "\"rebalance\":\"never\",\"flow_allocation\":\"most_underweight\",\"flows\":[{\"amount\":150,"
        "\"start\":\"2019-04-15\"}]");
    assert_int_equal(r->ledger.n_trades, 3);
    assert_int_equal(r->ledger.trades[2].asset, 1);
    assert_close(r->ledger.trades[2].value, 150, 1e-12);
    world_clear(&w);
}

static void growing_and_proportional_flows_are_scheduled(void **state)
{
    static const double flat[] = {1, 1, 1, 1, 1};
    static const int32_t date[] = {18262, 18293, 18628, 18993, 19358}; /* 1 January 2020 to 2023 */
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", date, flat, 5);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"fill\":\"same_close\",\"monkeys\":{"
        "\"count\":0},\"flows\":[{\"amount\":100,\"every\":\"year\",\"growth\":10},{\"percent\":-50,"
        "\"start\":\"2023-01-01\"}]}");
    assert_int_equal(r->ledger.n_flows, 3);
    assert_close(r->ledger.flows[0].amount, 100, 1e-12);
    assert_close(r->ledger.flows[1].amount, 110, 1e-12);
    assert_close(r->ledger.flows[2].amount, 121 - 0.5 * (1000 + 100 + 110 + 121), 1e-12);
    world_clear(&w);
}

/* Conformance case sim.letf (derived), without its expense: twice the return less a day's financing. */
static void debt_is_paid_for_by_the_day(void **state)
{
    static const double a[] = {100, 105, 94.5, 98.28};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":2}],\"capital\":1,\"fill\":\"same_close\","
        "\"rebalance\":\"daily\",\"leverage\":{\"max_gross\":2},\"financing\":{\"debt_rate\":4.4,"
        "\"day_count\":\"act_360\"},\"monkeys\":{\"count\":0}}");
    double line = 1;
    static const double returns[] = {0.05, -0.1, 0.04};
    for (size_t t = 0; t < 3; t++) {
        line *= 1 + 2 * returns[t] - 0.044 / 360;
        assert_close(r->equity[t + 1], line, 1e-12);
    }
    assert_true(r->ledger.paid[COST_INTEREST] > 0);
    world_clear(&w);
}

static void idle_cash_earns_its_rate(void **state)
{
    static const double a[] = {100, 100, 100};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 3);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5}],\"on_weight_sum\":\"cash\",\"capital\":1000,"
        "\"fill\":\"same_close\",\"rebalance\":\"never\",\"financing\":{\"cash_rate\":3.65},"
        "\"monkeys\":{\"count\":0}}");
    assert_close(r->equity[2], 500 + 500 * 1.0001 * 1.0001, 1e-14);
    assert_close(r->ledger.cash_interest, 500 * (1.0001 * 1.0001 - 1), 1e-11);
    world_clear(&w);
}

static void short_position_pays_its_borrow_fee(void **state)
{
    static const double a[] = {100, 90, 90};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 3);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":-1}],\"capital\":1000,\"fill\":\"same_close\","
        "\"rebalance\":\"never\",\"leverage\":{},\"financing\":{\"borrow_fee\":36.5},\"monkeys\":{"
        "\"count\":0}}");
    assert_close(r->equity[1], 1100 - 1, 1e-14);
    assert_close(r->equity[2], 1100 - 1 - 0.9, 1e-14);
    assert_close(r->ledger.paid[COST_BORROW], 1.9, 1e-14);
    world_clear(&w);
}

static void asset_with_a_fee_of_its_own_does_not_pay_the_common_one(void **state)
{
    static const double a[] = {100, 90, 90, 90};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    world_add_days(&w, "x:B", 18000, a, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":-0.5},{\"uid\":\"x:B\",\"weight\":-0.5}],"
            "\"capital\":1000,\"fill\":\"same_close\",\"rebalance\":\"never\",\"leverage\":{},"
            "\"financing\":{\"borrow_fee\":36.5,\"borrow_fees\":{\"x:B\":73}},"
            "\"monkeys\":{\"count\":0}}");
    assert_close(r->equity[1], 1100 - 1.5, 1e-14);
    assert_close(r->equity[3], 1100 - 1.5 - 2 * 1.35, 1e-14);
    assert_close(r->ledger.paid[COST_BORROW], 1.5 + 2 * 1.35, 1e-14);
    world_clear(&w);
}

/* Longs 1.2 and shorts 0.2 of the capital, never touched again: 1.4 gross at first, then what the prices make of them. */
static void exposures_are_means_over_the_sessions(void **state)
{
    static const double a[] = {100, 110, 121}, b[] = {50, 40, 60};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 3);
    world_add_days(&w, "x:B", 18000, b, 3);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1.2},{\"uid\":\"x:B\",\"weight\":-0.2}],"
            "\"capital\":1000,\"fill\":\"same_close\",\"rebalance\":\"never\",\"leverage\":{},"
            "\"monkeys\":{\"count\":0}}");
    double first = 1320 - 160 + 0.0, last = 1452 - 240 + 0.0;
    assert_close(r->equity[1], first, 1e-14);
    assert_close(r->equity[2], last, 1e-14);
    double gross = ((1320 + 160) / first + (1452 + 240) / last) / 2;
    double net = ((1320 - 160) / first + (1452 - 240) / last) / 2;
    assert_close(r->measures[MEASURE_average_gross_exposure].value, gross, 1e-14);
    assert_close(r->measures[MEASURE_average_net_exposure].value, net, 1e-14);
    assert_close(r->measures[MEASURE_exposure].value, net, 1e-14);
    assert_close(r->measures[MEASURE_final_gross_exposure].value, (1452 + 240) / last, 1e-14);
    world_clear(&w);
}

static void margin_call_brings_the_leverage_back(void **state)
{
    static const double a[] = {100, 80, 80, 80};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":2}],\"capital\":1000,\"fill\":\"same_close\","
            "\"rebalance\":\"never\",\"leverage\":{\"maintenance_margin\":0.4,"
            "\"liquidation_fee_bps\":100},\"monkeys\":{\"count\":0}}");
    /* 2000 fall to 1600, equity 600: 0.375. 400 are sold at the next close for a fee of 4. */
    assert_int_equal(r->ledger.n_margin_calls, 1);
    assert_int_equal(r->ledger.trades[1].reason, SIM_LIQUIDATION);
    assert_int_equal(r->ledger.trades[1].session, 2);
    assert_close(r->ledger.trades[1].value, 400, 1e-12);
    assert_close(r->equity[3], 596, 1e-12);
    assert_close(r->ledger.paid[COST_LIQUIDATION], 4, 1e-12);
    const struct sim_margin_call *call = &r->ledger.margin_call[0];
    assert_int_equal(call->session, 1);
    assert_int_equal(call->filled_at, 2);
    assert_false(call->at_extremes);
    assert_close(call->equity, 600, 1e-12);
    assert_close(call->gross, 1600, 1e-12);
    assert_close(call->traded, 400, 1e-12);
    assert_close(call->cost, 4, 1e-12);
    world_clear(&w);
}

/*
 * Close 90, low 80: 800 of 1800 at the close, 600 of 1600 at the low. The session whose close buys is not tested at its
 * low: the position was not there. A short is tested at the high, and a quote above the close is no low.
 */
static void margin_is_tested_at_the_worst_prices_of_the_day_when_asked(void **state)
{
    static const double a[] = {100, 90, 90, 90}, low[] = {10, 80, 90, 95},
                        high[] = {100, 95, 99, 90};
    static const double up[] = {100, 100, 100, 100}, top[] = {300, 150, 100, 100};
    static const struct {
        const double *close, *low, *high;
        const char *weight, *test;
        size_t calls;
    } cases[] = {
        {a, low, high, "2", "close", 0},     {a, low, high, "2", "extremes", 1},
        {up, up, top, "-1", "close", 0},     {up, up, top, "-1", "extremes", 1},
        {a, NULL, NULL, "2", "extremes", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        char request[512];
        world_init(&w);
        struct price_series *s = world_add_days(&w, "x:A", 18000, cases[i].close, 4);
        s->close = s->price;
        s->low = cases[i].low;
        s->high = cases[i].high;
        (void)snprintf(request, sizeof request,
                       "{\"assets\":[{\"uid\":\"x:A\",\"weight\":%s}],\"capital\":1000,"
                       "\"fill\":\"same_close\",\"rebalance\":\"never\",\"leverage\":{"
                       "\"maintenance_margin\":0.4,\"margin_test\":\"%s\"},"
                       "\"monkeys\":{\"count\":0}}",
                       cases[i].weight, cases[i].test);
        struct backtest_result *r = world_run(&w, request);
        assert_int_equal(r->ledger.n_margin_calls, cases[i].calls);
        if (i == 1) { /* 20 at the low of 80 */
            assert_true(r->ledger.margin_call[0].at_extremes);
            assert_close(r->ledger.margin_call[0].equity, 600, 1e-12);
            assert_close(r->ledger.margin_call[0].gross, 1600, 1e-12);
        }
        for (size_t k = 1; k < r->ledger.n_trades; k++) {
            assert_int_equal(r->ledger.trades[k].reason, SIM_LIQUIDATION);
            assert_int_equal(r->ledger.trades[k].session, 2);
        }
        world_clear(&w);
    }
}

static void ruin_closes_everything_and_records_the_shortfall(void **state)
{
    static const double a[] = {100, 40, 90, 90};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":2}],\"capital\":1000,\"fill\":\"same_close\","
            "\"rebalance\":\"daily\",\"leverage\":{},\"monkeys\":{\"count\":0}}");
    assert_true(r->equity[1] == 0 && r->equity[2] == 0 && r->equity[3] == 0);
    assert_int_equal(r->ruined_on, 18001);
    assert_close(r->ledger.shortfall, 200, 1e-12);
    assert_true(r->measures[MEASURE_total_return].value == -1);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[3])) < 1e-9);
    world_clear(&w);
}

/* 100 less two fees of 20; 63 on session 2, less 40; 24.25 on session 3, which the next two fees are more than. */
static void fees_that_nothing_is_left_to_pay_are_ruin_without_leverage(void **state)
{
    static const double a[] = {100, 100, 110, 100, 90}, b[] = {100, 100, 100, 120, 130};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 5);
    world_add_days(&w, "x:B", 18000, b, 5);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":100,\"fill\":\"same_close\",\"rebalance\":\"daily\","
            "\"costs\":{\"commission\":{\"fixed\":20}},\"monkeys\":{\"count\":0}}");
    assert_close(r->equity[2], 23, 1e-12);
    assert_true(r->equity[3] == 0 && r->equity[4] == 0);
    assert_int_equal(r->ruined_on, 18003);
    assert_close(r->ledger.shortfall, 40 - 11.5 / 110 * 100 - 13.8, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 100, r->wealth[4])) < 1e-9);
    assert_true(r->measures[MEASURE_max_drawdown].value == -1);
    world_clear(&w);
}

static void what_does_not_go_together_is_refused(void **state)
{
    static const struct {
        const char *more, *pointer;
    } cases[] = {
        {"\"rebalance\":{\"when\":\"bands\"}", "/rebalance/when"},
        {"\"rebalance\":{\"bands\":{}}", "/rebalance/bands"},
        {"\"rebalance\":{\"bands\":{\"absolute\":0.1},\"when\":\"calendar\"}", "/rebalance/bands"},
        {"\"rebalance\":{\"bands\":{\"portfolio\":0.1},\"scope\":\"breached\"}",
         "/rebalance/scope"},
        {"\"rebalance\":{\"destination\":\"edge\"}", "/rebalance/destination"},
        {"\"rebalance\":{\"every\":\"week\",\"offset\":5}", "/rebalance/offset"},
        {"\"rebalance\":{\"every\":0}", "/rebalance/every"},
        {"\"rebalance\":{\"every\":\"day\",\"on\":2}", "/rebalance/on"},
        {"\"rebalance\":{\"evry\":\"day\"}", "/rebalance/evry"},
        {"\"costs\":{\"commission\":{\"percent\":11}}", "/costs/commission/percent"},
        {"\"costs\":{\"commission\":{\"minimum\":5,\"maximum\":4}}", "/costs/commission/maximum"},
        {"\"costs\":{\"commission_bps\":5,\"commission\":{}}", "/costs/commission"},
        {"\"costs\":{\"slippage\":{\"model\":\"bps\",\"y\":1}}", "/costs/slippage/y"},
        {"\"costs\":{\"sell_tax\":[{\"from\":\"2020-01-01\",\"percent\":1},{\"from\":\"2019-01-01\","
         "\"percent\":1}]}",
         "/costs/sell_tax/1/from"},
        {"\"flows\":[{\"amount\":1}]", "/flows/0"},
        {"\"flows\":[{\"amount\":1,\"percent\":1,\"every\":5}]", "/flows/0"},
        {"\"flows\":[{\"amount\":0,\"every\":5}]", "/flows/0/amount"},
        {"\"flows\":[{\"percent\":1,\"every\":5,\"linked_to\":\"x:CPI\"}]", "/flows/0/linked_to"},
        {"\"financing\":{\"debt_rate\":1,\"debt_spread\":1}", "/financing/debt_spread"},
        {"\"leverage\":{\"max_gross\":2,\"maintenance_margin\":0.5}",
         "/leverage/maintenance_margin"},
        {"\"shares\":\"some\"", "/shares"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        char room[1024];
        world_init(&w);
        (void)snprintf(room, sizeof room, "{%s,%s}", half, cases[i].more);
        enum status s = spec_parse(str_of(room), &w.arena, &spec, &err);
        if (s == STATUS_OK || strcmp(err.name, cases[i].pointer) != 0)
            fail_msg("%s: %s at %s", cases[i].more, status_name(s), err.name);
        world_clear(&w);
    }
}

static void canonical_text_of_every_rule_parses_to_itself(void **state)
{
    static const char *const more[] = {
        "\"rebalance\":{\"every\":\"quarter\",\"on\":\"last\",\"offset\":3}",
        "\"rebalance\":{\"every\":9,\"offset\":3,\"bands\":{\"absolute\":0.05,\"five_twentyfive\":true},"
        "\"when\":\"calendar_and_bands\",\"scope\":\"breached\",\"destination\":\"edge\",\"min_trade\":7}",
        "\"costs\":{\"commission\":{\"percent\":0.07,\"tiers\":[{\"from\":5,\"percent\":0.1}]},"
        "\"slippage\":{\"model\":\"almgren_chriss\",\"epsilon_bps\":0.3},\"sell_tax\":0.23,"
        "\"fx_spread_bps\":7}",
        "\"shares\":\"whole\",\"fill\":\"next_open\",\"financing\":{\"cash_rate\":1.1,\"debt_spread\":2.3,"
        "\"borrow_fee\":[{\"from\":\"2020-01-01\",\"percent\":0.7}],\"borrow_fees\":{\"x:A\":2.5}},\"leverage\":{\"max_gross\":3,"
        "\"maintenance_margin\":0.3,\"margin_test\":\"extremes\"}",
        "\"flows\":[{\"amount\":5,\"every\":\"month\",\"growth\":2},{\"percent\":-3,\"start\":"
        "\"2020-01-01\"}],\"flow_timing\":\"start\",\"flow_allocation\":\"cash\"",
    };
    static const char *const plain =
        "\"assets\":[{\"uid\":\"x:A\",\"weight\":1}],\"monkeys\":{\"count\":0}";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct world w;
        struct json_out json;
        struct buf one, two;
        char room[1024];
        world_init(&w);
        (void)snprintf(room, sizeof room, "{%s,%s}", plain, more[i]);
        buf_init(&one, &w.arena, 8192);
        jw_init(&json, &one);
        spec_canonical(world_spec(&w, room), &json);
        buf_init(&two, &w.arena, 8192);
        jw_init(&json, &two);
        spec_canonical(world_spec(&w, arena_dup(&w.arena, buf_str(&one))), &json);
        assert_true(str_eq(buf_str(&one), buf_str(&two)));
        world_clear(&w);
    }
}

/*
 * 2,000 buys 5 shares at 333.3 with a commission of a thousandth: 1,666.5 and 1.6665, so that 331.8335 are left: 332 won, or
 * 331.83 dollars. A ten-thousandth a day of interest is less than half a won, and 3 cents.
 */
static void cash_is_kept_in_whole_coins(void **state)
{
    static const double close[] = {333.3, 340, 340};
    static const struct {
        const char *currency;
        double cash[3];
    } cases[] = {{"KRW", {332, 332, 332}}, {"USD", {331.83, 331.86, 331.89}}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[512];
        struct world w;
        world_init(&w);
        struct price_series *s = world_add_days(&w, "x:A", 18000, close, 3);
        memcpy(s->currency, cases[i].currency, 4);
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":2000,\"currency\":\"%s\",\"fill\":"
            "\"same_close\",\"rebalance\":\"never\",\"shares\":\"whole\",\"round_cash\":true,"
            "\"costs\":{\"commission_bps\":10},\"financing\":{\"cash_rate\":3.65},"
            "\"monkeys\":{\"count\":0}}",
            cases[i].currency);
        struct backtest_result *r = world_run(&w, body);
        for (size_t t = 0; t < 3; t++)
            assert_close(r->ledger.cash[t], cases[i].cash[t], 1e-12);
        assert_close(r->equity[2], 5 * 340 + cases[i].cash[2], 1e-12);
        double earned = r->ledger.cash_interest;
        assert_close(r->ledger.rounding, cases[i].cash[2] - 331.8335 - earned, 1e-9);
        assert_true(fabs(sim_residual(&r->ledger, 2000, r->wealth[2])) < 1e-9);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendars_have_days_and_offsets),
        cmocka_unit_test(band_rebalances_when_it_is_left_and_not_before),
        cmocka_unit_test(destination_says_how_far_a_rebalance_goes),
        cmocka_unit_test(only_breached_assets_move_and_the_others_pay),
        cmocka_unit_test(small_trades_are_left_out),
        cmocka_unit_test(whole_shares_leave_the_rest_in_cash),
        cmocka_unit_test(commission_has_a_minimum_a_maximum_and_tiers),
        cmocka_unit_test(tax_is_dated_and_falls_on_sales_alone),
        cmocka_unit_test(contribution_does_not_move_the_time_weighted_line),
        cmocka_unit_test(withdrawal_of_everything_exhausts_the_portfolio),
        cmocka_unit_test(most_underweight_is_bought_first),
        cmocka_unit_test(growing_and_proportional_flows_are_scheduled),
        cmocka_unit_test(debt_is_paid_for_by_the_day),
        cmocka_unit_test(idle_cash_earns_its_rate),
        cmocka_unit_test(short_position_pays_its_borrow_fee),
        cmocka_unit_test(asset_with_a_fee_of_its_own_does_not_pay_the_common_one),
        cmocka_unit_test(exposures_are_means_over_the_sessions),
        cmocka_unit_test(margin_call_brings_the_leverage_back),
        cmocka_unit_test(margin_is_tested_at_the_worst_prices_of_the_day_when_asked),
        cmocka_unit_test(fees_that_nothing_is_left_to_pay_are_ruin_without_leverage),
        cmocka_unit_test(ruin_closes_everything_and_records_the_shortfall),
        cmocka_unit_test(what_does_not_go_together_is_refused),
        cmocka_unit_test(canonical_text_of_every_rule_parses_to_itself),
        cmocka_unit_test(cash_is_kept_in_whole_coins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
