/* test_backtest_actions.c - corporate actions in raw prices, against figures worked out by hand. */
#include "tests/unit/test_backtest_world.h"

static struct price_series *add_raw(struct world *w, const char *uid, const double *close, size_t n)
{
    struct price_series *s = world_add_days(w, uid, 18000, close, n);
    s->close = s->price;
    return s;
}

static bool warns_of(const struct backtest_result *r, const char *code)
{
    bool is_found = false;
    for (size_t i = 0; i < r->n_warnings; i++)
        is_found = is_found || strcmp(r->warnings[i].code, code) == 0;
    return is_found;
}

enum { DAYS = 5, EX = 1, PAID = 3 };

/* 100, 98 without a dividend of 2, 98, 110 when it is paid, 121. */
static struct backtest_result *run_paid(struct world *w, const char *rest, double pay_date)
{
    static const double close[DAYS] = {100, 98, 98, 110, 121}, dividend[DAYS] = {0, 2};
    static double pay[DAYS];
    char body[512];
    world_init(w);
    struct price_series *s = add_raw(w, "x:A", close, DAYS);
    s->dividend = dividend;
    pay[EX] = pay_date;
    s->pay_date = pay;
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"dividends\":"
        "\"cash\",\"fill\":\"same_close\",\"monkeys\":{\"count\":0},%s}",
        rest);
    return world_run(w, body);
}

static void assert_line(const double *line, const double *expected)
{
    for (size_t t = 0; t < DAYS; t++)
        assert_close(line[t], expected[t], 1e-12);
}

/* 10 shares: 20 is owed from session 1 on and paid on session 3; it is worth 20 all along. */
static void dividend_is_a_receivable_from_its_ex_date_to_its_day_of_payment(void **state)
{
    static const double cash[DAYS] = {0, 0, 0, 20, 20}, owed[DAYS] = {0, 20, 20, 0, 0};
    static const double equity[DAYS] = {1000, 1000, 1000, 1120, 1230};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_paid(&w, "\"rebalance\":\"never\",\"pay_on\":\"pay\"", 18000 + PAID);
    assert_line(r->ledger.cash, cash);
    assert_line(r->ledger.receivables, owed);
    assert_line(r->equity, equity);
    assert_close(r->ledger.dividends, 20, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    assert_false(warns_of(r, "pay_date_missing"));
    world_clear(&w);
    r = run_paid(&w, "\"rebalance\":\"never\",\"pay_on\":\"ex\"", 18000 + PAID);
    assert_null(r->ledger.receivables);
    assert_close(r->ledger.cash[EX], 20, 1e-12);
    assert_line(r->equity, equity);
    world_clear(&w);
}

/*
 * Invested at every close: the 20 buys at 98 when it comes on the ex-date, so that 1,000 / 98 shares are held; at 110 when it
 * comes on the day of payment, 1,120 / 110 shares.
 */
static void receivable_cannot_be_spent(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_paid(&w, "\"rebalance\":\"daily\",\"pay_on\":\"pay\"", 18000 + PAID);
    assert_close(r->equity[2], 1000, 1e-12);
    assert_close(r->equity[3], 1120, 1e-12);
    assert_close(r->equity[4], 1120 * 1.1, 1e-12);
    assert_int_equal(r->ledger.n_trades, 2);
    assert_true(r->ledger.trades[1].session == PAID);
    assert_close(r->ledger.trades[1].value, 20, 1e-12);
    world_clear(&w);
    r = run_paid(&w, "\"rebalance\":\"daily\"", 18000 + PAID);
    assert_close(r->equity[3], 1000.0 / 98 * 110, 1e-12);
    world_clear(&w);
}

/* Of 1,000 nothing but the 980 in shares can be withdrawn on session 1; the dividend comes later. */
static void receivable_cannot_be_withdrawn(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_paid(&w,
                 "\"rebalance\":\"never\",\"pay_on\":\"pay\",\"flows\":[{\"amount\":-2000,"
                 "\"start\":\"2019-04-15\"}]",
                 18000 + PAID);
    assert_close(r->ledger.withdrawn, 980, 1e-12);
    assert_close(r->wealth[EX], 20, 1e-12);
    assert_close(r->wealth[DAYS - 1], 20, 1e-12);
    assert_close(r->ledger.cash[PAID], 20, 1e-12);
    world_clear(&w);
}

static void what_is_owed_at_the_end_is_part_of_the_final_weights(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_paid(&w, "\"rebalance\":\"never\",\"pay_on\":\"pay\"", 18000 + 40);
    assert_close(r->ledger.receivables[DAYS - 1], 20, 1e-12);
    assert_close(r->final_weight[0] + r->final_cash_weight + r->final_receivable_weight, 1, 1e-12);
    assert_close(r->final_receivable_weight, 20.0 / 1230, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

static void unknown_day_of_payment_is_the_ex_date_and_said_so(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_paid(&w, "\"rebalance\":\"never\",\"pay_on\":\"pay\"", (double)NAN);
    assert_close(r->ledger.cash[EX], 20, 1e-12);
    assert_true(warns_of(r, "pay_date_missing"));
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dividend_is_a_receivable_from_its_ex_date_to_its_day_of_payment),
        cmocka_unit_test(receivable_cannot_be_spent),
        cmocka_unit_test(receivable_cannot_be_withdrawn),
        cmocka_unit_test(what_is_owed_at_the_end_is_part_of_the_final_weights),
        cmocka_unit_test(unknown_day_of_payment_is_the_ex_date_and_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
