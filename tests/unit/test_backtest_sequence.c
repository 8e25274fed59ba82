/* test_backtest_sequence.c - what comes before what within a session, and what rounding must not set off. */
#include "backtest/engine.h"
#include "tests/unit/test_backtest_world.h"

enum { FIRST = 18000, DAYS = 5 }; /* 14 April 2019 */

static const double still[DAYS] = {10, 10, 10, 10, 10};

static struct price_series *add_raw(struct world *w, const double *close)
{
    struct price_series *s = world_add_days(w, "x:A", FIRST, close, DAYS);
    s->close = s->price;
    return s;
}

/* 1,000 in a share whose price stands still, with these flows before their sessions. */
static struct backtest_result *run_flows(struct world *w, const char *flows)
{
    char body[512];
    world_init(w);
    (void)add_raw(w, still);
    (void)snprintf(body, sizeof body,
                   "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"rebalance\":\"never\","
                   "\"monkeys\":{\"count\":0},\"flow_timing\":\"start\",\"flows\":[%s]}",
                   flows);
    return world_run(w, body);
}

static void money_that_comes_twice_before_a_session_is_no_loss(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r = run_flows(&w, "{\"amount\":500,\"start\":\"2019-04-16\"},"
                                              "{\"amount\":1500,\"start\":\"2019-04-16\"}");
    for (size_t t = 0; t < DAYS; t++) {
        assert_close(r->equity[t], 1000, 1e-14);
        assert_close(r->wealth[t], t < 2 ? 1000 : 3000, 1e-14);
    }
    world_clear(&w);
}

/* 1,000 more; half of 2,000 goes; a tenth of the 1,000 that are left comes; all of it goes. */
static void percentages_are_of_what_the_flows_before_them_leave(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r = run_flows(&w, "{\"amount\":1000,\"start\":\"2019-04-16\"},"
                                              "{\"percent\":-50,\"start\":\"2019-04-16\"},"
                                              "{\"percent\":10,\"start\":\"2019-04-16\"}");
    assert_close(r->ledger.contributed, 1100, 1e-14);
    assert_close(r->ledger.withdrawn, 1000, 1e-14);
    assert_close(r->wealth[2], 1100, 1e-14);
    assert_close(r->equity[4], 1000, 1e-14);
    world_clear(&w);
    r = run_flows(&w, "{\"amount\":-5000,\"start\":\"2019-04-16\"},"
                      "{\"percent\":-50,\"start\":\"2019-04-16\"}");
    assert_close(r->ledger.withdrawn, 1000, 1e-14);
    assert_int_equal(r->ledger.contributed, 0);
    world_clear(&w);
}

/*
 * 1,000 buy 100 shares at the close of session 0. The 100 paid on session 2 earn a ten-thousandth a day on sessions 3 and 4,
 * and nothing for the night before they came.
 */
static void a_dividend_earns_interest_from_the_night_after_it(void **state)
{
    static const double dividend[DAYS] = {0, 0, 1};
    struct world w;
    (void)state;
    world_init(&w);
    add_raw(&w, still)->dividend = dividend;
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"rebalance\":\"never\",\"prices\":"
            "\"raw\",\"dividends\":\"cash\",\"fill\":\"same_close\",\"monkeys\":{\"count\":0},"
            "\"financing\":{\"cash_rate\":3.65}}");
    assert_close(r->ledger.cash[2], 100, 1e-14);
    assert_close(r->ledger.cash[4], 100 * 1.0001 * 1.0001, 1e-14);
    world_clear(&w);
}

/* A thousandth a day of the 1,000 sold short, for the three nights that they were: the last ends at the delisting. */
static void what_is_short_pays_its_fee_until_it_is_delisted(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", FIRST, still, 3);
    s->delisted_on = FIRST + 3;
    (void)world_add_days(&w, "x:B", FIRST, still, DAYS);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":-1},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":1000,\"fill\":\"same_close\",\"rebalance\":\"never\",\"leverage\":{},"
            "\"financing\":{\"borrow_fee\":36.5},\"monkeys\":{\"count\":0}}");
    assert_close(r->ledger.paid[COST_BORROW], 3, 1e-14);
    world_clear(&w);
}

/* From 10 shares held to 10 sold short: the position is rounded toward 0, but not kept from crossing it. */
static void a_rounded_sale_goes_through_zero(void **state)
{
    static const uint32_t due[] = {0, 1};
    static const size_t asset[] = {0};
    static const double weight[] = {1, -1}, invested[] = {1, -1};
    static const double price[DAYS] = {99, 99, 99, 99, 99};
    struct world w;
    struct sim_workspace ws;
    struct sim_recorder recorder;
    struct err err;
    (void)state;
    world_init(&w);
    (void)world_add_days(&w, "x:A", FIRST, price, DAYS);
    struct panel *panel = world_panel(&w, "{\"assets\":[{\"uid\":\"x:A\"}]}");
    struct plan plan = {asset, 1, weight, 1, invested};
    struct sim_rules rules = {.fill = FILL_SAME_CLOSE,
                              .capital = 1000,
                              .due = due,
                              .n_due = ARRAY_LEN(due),
                              .rebalance = rebalance_plain(REBALANCE_DAILY),
                              .shares = SHARES_WHOLE_DOWN,
                              .leverage = {.is_allowed = true, .max_gross = 2}};
    assert_int_equal(sim_workspace_init(&ws, &w.arena, DAYS, 1, &err), STATUS_OK);
    assert_int_equal(sim_recorder_init(&recorder, &w.arena, DAYS, 10, &err), STATUS_OK);
    assert_int_equal(sim_recorder_add_shorts(&recorder, &w.arena, DAYS, &err), STATUS_OK);
    assert_int_equal(simulate(panel, &plan, &rules, &ws, &recorder, NULL, &err), STATUS_OK);
    assert_close(recorder.trades[0].quantity, 10, 1e-14);
    assert_close(recorder.trades[1].quantity, 20, 1e-14);
    assert_close(ws.units[0], -10, 1e-14);
    world_clear(&w);
}

/* 25 shares may be sold of the 40 wanted, whatever is rounded up. */
static void a_volume_limit_is_not_rounded_up(void **state)
{
    static const double volume[DAYS] = {9000, 255, 255, 9000, 9000};
    struct world w;
    (void)state;
    world_init(&w);
    add_raw(&w, still)->volume = volume;
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"fill\":"
            "\"same_close\",\"rebalance\":\"never\",\"shares\":\"whole\",\"monkeys\":{\"count\":0},"
            "\"flows\":[{\"amount\":-400,\"start\":\"2019-04-15\"}],\"costs\":{\"slippage\":{"
            "\"volume_limit\":0.1}}}");
    assert_close(r->ledger.trades[1].quantity, 25, 1e-14);
    assert_close(r->ledger.trades[2].quantity, 15, 1e-14);
    assert_close(r->ledger.withdrawn, 400, 1e-14);
    world_clear(&w);
}

/* Sales that were sized for a withdrawal pay it whole: no session after it sells once more for the last digit. */
static void a_withdrawal_is_paid_once(void **state)
{
    static const double a[DAYS] = {10, 10.1, 10.2, 10.3, 10.7}, b[DAYS] = {7, 7.1, 7.3, 7.6, 7.7};
    (void)state;
    for (int amount = 1; amount < 100; amount++) {
        char body[512];
        struct world w;
        world_init(&w);
        (void)world_add_days(&w, "x:A", FIRST, a, DAYS);
        (void)world_add_days(&w, "x:B", FIRST, b, DAYS);
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"x:A\",\"weight\":4.9},{\"uid\":\"x:B\",\"weight\":5}],"
            "\"capital\":1000,\"rebalance\":\"never\",\"fill\":\"same_close\",\"leverage\":"
            "{\"max_gross\":10,\"maintenance_margin\":0},\"costs\":{\"commission\":{\"fixed\":2,\"percent\":0.1}},"
            "\"monkeys\":{\"count\":0},\"flows\":[{\"amount\":-%d.37,\"start\":"
            "\"2019-04-15\"}]}",
            amount);
        struct backtest_result *r = world_run(&w, body);
        assert_int_equal(r->ledger.n_trades, 4);
        assert_close(r->ledger.withdrawn, amount + 0.37, 1e-9);
        world_clear(&w);
    }
}

/* Half of what is off is outside the band of the portfolio, no position outside its own: nothing moves, and nothing is paid. */
/* 1,500 long and 500 short of what stands still: all that there is, 1,000, is paid, and the line goes on. */
static void a_withdrawal_of_all_closes_what_is_short(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    (void)add_raw(&w, still);
    world_add_days(&w, "x:B", FIRST, still, DAYS)->close = still;
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1.5},{\"uid\":\"x:B\",\"weight\":-0.5}],"
        "\"capital\":1000,\"rebalance\":\"never\",\"fill\":\"same_close\",\"monkeys\":{\"count\":0},"
        "\"leverage\":{\"max_gross\":2},\"flows\":[{\"percent\":-100,\"start\":\"2019-04-16\"}]}");
    assert_close(r->ledger.withdrawn, 1000, 1e-14);
    for (size_t t = 0; t < DAYS; t++) {
        assert_close(r->equity[t], 1000, 1e-14);
        assert_close(r->wealth[t], t < 2 ? 1000 : 0, 1e-14);
    }
    world_clear(&w);
}

static void a_rebalance_that_moves_nothing_costs_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct world w;
        world_init(&w);
        (void)world_add_walk(&w, "x:A", FIRST, 60, seed, 0);
        (void)world_add_walk(&w, "x:B", FIRST, 60, seed + 1000, 0);
        struct backtest_result *r = world_run(
            &w,
            "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.45},{\"uid\":\"x:B\",\"weight\":0.35}],"
            "\"on_weight_sum\":\"cash\",\"capital\":1000,\"rebalance\":{\"bands\":{\"absolute\":"
            "0.5,\"portfolio\":0.005},\"scope\":\"breached\"},\"costs\":{\"commission\":{"
            "\"minimum\":5}},\"monkeys\":{\"count\":0}}");
        assert_true(r->ledger.n_rebalances > 0);
        assert_int_equal(r->ledger.n_trades, 2);
        assert_close(r->ledger.paid[COST_COMMISSION], 10, 1e-12);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_that_comes_twice_before_a_session_is_no_loss),
        cmocka_unit_test(percentages_are_of_what_the_flows_before_them_leave),
        cmocka_unit_test(a_dividend_earns_interest_from_the_night_after_it),
        cmocka_unit_test(what_is_short_pays_its_fee_until_it_is_delisted),
        cmocka_unit_test(a_rounded_sale_goes_through_zero),
        cmocka_unit_test(a_volume_limit_is_not_rounded_up),
        cmocka_unit_test(a_withdrawal_is_paid_once),
        cmocka_unit_test(a_withdrawal_of_all_closes_what_is_short),
        cmocka_unit_test(a_rebalance_that_moves_nothing_costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
