/* test_backtest_actions.c - corporate actions in raw prices, against figures worked out by hand. */
#include "backtest/succession.h"
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

/* x:A at 100 and 104 until session 2, when something becomes of it; x:B beside it all along. */
static const double a_close[DAYS] = {100, 104, 80, 88, 96}, b_close[DAYS] = {50, 52, 53, 50, 55};

static struct backtest_result *run_changed(struct world *w, size_t n_a,
                                           const struct series_change *change, const char *rest)
{
    char body[512];
    struct err err = {0};
    world_init(w);
    struct price_series *a = add_raw(w, "x:A", a_close, n_a);
    a->changes = change;
    a->n_changes = 1;
    (void)add_raw(w, "x:B", b_close, DAYS);
    assert_int_equal(market_follow(&w->market, &w->arena, &err), STATUS_OK);
    (void)snprintf(body, sizeof body,
                   "{\"assets\":[{\"uid\":\"x:A\"}],\"prices\":\"raw\",\"fill\":"
                   "\"same_close\",\"rebalance\":\"never\",\"monkeys\":{\"count\":0},%s}",
                   rest);
    return world_run(w, body);
}

#define INTO_B   \
    {            \
        "x:B", 3 \
    }

/* 1.5 of B at 53 and 20 in cash for one of A: 10 become 15, and 200. The 200 buys 200 / 53 of B where it is reinvested. */
static void merger_turns_shares_into_others_and_cash(void **state)
{
    static const struct series_change merger = {18002, CHANGE_MERGER, INTO_B, 1.5, 20};
    static const double kept[DAYS] = {1000, 1040, 995, 950, 1025};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_changed(&w, 2, &merger, "\"capital\":1000,\"dividends\":\"cash\"");
    assert_line(r->equity, kept);
    assert_close(r->ledger.cash[2], 200, 1e-12);
    assert_true(warns_of(r, "shares_changed"));
    world_clear(&w);
    r = run_changed(&w, 2, &merger, "\"capital\":1000,\"dividends\":\"reinvest\"");
    assert_close(r->equity[2], 995, 1e-12);
    assert_close(r->equity[4], 995.0 / 53 * 55, 1e-12);
    world_clear(&w);
}

/*
 * 1,150 buys 11 of A, and 50 stay. 16.5 of B: the half is paid at 104 / 1.5, and each of the 16 that stay brings its share of
 * the 20 in cash for one of A.
 */
static void fraction_that_a_merger_leaves_is_paid_at_the_close_before(void **state)
{
    static const struct series_change merger = {18002, CHANGE_MERGER, INTO_B, 1.5, 20};
    double cash = 50 + 0.5 * 104 / 1.5 + 16 * 20 / 1.5;
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_changed(&w, 2, &merger, "\"capital\":1150,\"dividends\":\"cash\",\"shares\":\"whole\"");
    assert_close(r->ledger.cash[2], cash, 1e-12);
    assert_close(r->equity[2], 16 * 53 + cash, 1e-12);
    assert_close(r->equity[4], 16 * 55 + cash, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1150, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* 10 of A at 110 in cash each. */
static void merger_for_cash_ends_the_position_at_its_price(void **state)
{
    struct series_change merger = {18002, CHANGE_MERGER, INTO_B, (double)NAN, 110};
    struct world w;
    (void)state;
    struct backtest_result *r = run_changed(&w, 2, &merger, "\"capital\":1000");
    assert_int_equal(r->panel->n_sessions, 3);
    assert_close(r->equity[1], 1040, 1e-12);
    assert_close(r->equity[2], 1100, 1e-12);
    assert_close(r->ledger.cash[2], 1100, 1e-12);
    world_clear(&w);
}

/* Half a share of B, 53 on session 2, for each of A at 80: 106.5 in all. 10 * 80 and 265, or 10 * 106.5 / 80 shares. */
static void spin_off_is_sold_at_the_first_close_of_both(void **state)
{
    struct series_change spin_off = {18002, CHANGE_SPIN_OFF, INTO_B, 0.5, (double)NAN};
    static const char *const into_shares[] = {"reinvest", "reinvest_previous_close", "drop"};
    struct world w;
    (void)state;
    struct backtest_result *r =
        run_changed(&w, DAYS, &spin_off, "\"capital\":1000,\"dividends\":\"cash\"");
    assert_close(r->equity[2], 1065, 1e-12);
    assert_close(r->ledger.cash[2], 265, 1e-12);
    assert_close(r->equity[4], 10 * 96 + 265, 1e-12);
    world_clear(&w);
    for (size_t i = 0; i < ARRAY_LEN(into_shares); i++) {
        char rest[128];
        (void)snprintf(rest, sizeof rest,
                       "\"capital\":1000,\"dividends\":\"%s\",\"verify\":{\"cuts\":4}",
                       into_shares[i]);
        r = run_changed(&w, DAYS, &spin_off, rest);
        assert_close(r->equity[2], 1065, 1e-12);
        assert_close(r->equity[4], 1065.0 / 80 * 96, 1e-12);
        assert_true(r->trust->prefix.holds);
        world_clear(&w);
    }
}

/* One for one; the adjusted closes go on at the return from 104 to 53. */
static void new_name_goes_on_with_the_new_bars(void **state)
{
    struct series_change rename = {18002, CHANGE_RENAME, INTO_B, (double)NAN, (double)NAN};
    static const double equity[DAYS] = {1000, 1040, 530, 500, 550};
    struct world w;
    (void)state;
    struct backtest_result *r = run_changed(&w, 2, &rename, "\"capital\":1000");
    assert_line(r->equity, equity);
    assert_int_equal(r->ledger.n_trades, 1);
    assert_close(w.market.series[0].price[4], 55, 1e-12);
    world_clear(&w);
}

static void changes_that_cannot_be_are_refused(void **state)
{
    const double none = (double)NAN;
    const struct {
        struct series_change change;
        const char *why;
    } cases[] = {
        {{18002, CHANGE_MERGER, STR("x:C"), 1, 0}, "no raw prices"},
        {{18002, CHANGE_MERGER, STR("x:K"), 1, 0}, "another currency"},
        {{18002, CHANGE_MERGER, STR("x:B"), none, none}, "neither units nor cash"},
        {{18002, CHANGE_MERGER, STR("x:B"), -1, 0}, "at least 0"},
        {{18002, CHANGE_SPIN_OFF, STR("x:B"), none, 0}, "above 0"},
        {{18010, CHANGE_RENAME, STR("x:B"), 1, 0}, "no price from then on"},
        {{18002, CHANGE_RENAME, STR("x:A"), 1, 0}, "circle"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct err err = {0};
        world_init(&w);
        struct price_series *a = add_raw(&w, "x:A", a_close, DAYS);
        a->changes = &cases[i].change;
        a->n_changes = 1;
        (void)add_raw(&w, "x:B", b_close, DAYS);
        memcpy(add_raw(&w, "x:K", b_close, DAYS)->currency, "KRW", 4);
        assert_int_equal(market_follow(&w.market, &w.arena, &err), STATUS_BAD_DATA);
        assert_non_null(strstr(err.detail, "x:A"));
        assert_non_null(strstr(err.detail, cases[i].why));
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dividend_is_a_receivable_from_its_ex_date_to_its_day_of_payment),
        cmocka_unit_test(receivable_cannot_be_spent),
        cmocka_unit_test(receivable_cannot_be_withdrawn),
        cmocka_unit_test(what_is_owed_at_the_end_is_part_of_the_final_weights),
        cmocka_unit_test(unknown_day_of_payment_is_the_ex_date_and_said_so),
        cmocka_unit_test(merger_turns_shares_into_others_and_cash),
        cmocka_unit_test(fraction_that_a_merger_leaves_is_paid_at_the_close_before),
        cmocka_unit_test(merger_for_cash_ends_the_position_at_its_price),
        cmocka_unit_test(spin_off_is_sold_at_the_first_close_of_both),
        cmocka_unit_test(new_name_goes_on_with_the_new_bars),
        cmocka_unit_test(changes_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
