/* test_local_cash.c - what is paid stays in the currency of the asset: by hand, and on random markets. */
#include "tests/unit/test_backtest_random.h"

enum { DAYS = 4, EX = 1 };

/* 1,000 won, which are 1 dollar, 1, 1 / 1.1 and 0.8; a dividend of 20 won on session 1. */
static struct price_series *init(struct world *w)
{
    static const double close[DAYS] = {1000, 1000, 1000, 1000}, dividend[DAYS] = {0, 20};
    static const double krw[DAYS + 1] = {1100, 1100, 1100, 1210, 1375},
                                   usd[DAYS + 1] = {1.1, 1.1, 1.1, 1.1, 1.1};
    static const int32_t date[DAYS + 1] = {17999, 18000, 18001, 18002, 18003};
    world_init(w);
    struct price_series *s = world_add(w, "x:A", "KRW", date + 1, close, DAYS);
    s->close = s->price;
    s->dividend = dividend;
    world_add_fx(w, "KRW", date, krw, DAYS + 1);
    world_add_fx(w, "USD", date, usd, DAYS + 1);
    return s;
}

static struct backtest_result *run(struct world *w, const char *rest)
{
    char body[1024];
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"dividends\":"
        "\"cash\",\"cash_currency\":\"local\",\"fill\":\"same_close\",\"monkeys\":{\"count\":0},%s}",
        rest);
    return world_run(w, body);
}

/* 1,000 shares are paid 20,000 won, which are 20 dollars, then 20 / 1.1, then 16. */
static void what_is_paid_moves_with_its_currency(void **state)
{
    const double equity[DAYS] = {1000, 1020, 1020 / 1.1, 816};
    struct world w;
    (void)state;
    init(&w);
    struct backtest_result *r =
        run(&w, "\"rebalance\":\"never\",\"attribution\":true,\"verify\":{\"cuts\":3}");
    for (size_t t = 0; t < DAYS; t++)
        assert_close(r->equity[t], equity[t], 1e-12);
    assert_true(r->trust->prefix.holds);
    assert_true(!(fabs(r->ledger.cash[DAYS - 1]) > 0));
    assert_close(r->ledger.dividends, 20, 1e-12);
    assert_int_equal(r->ledger.n_trades, 2);
    const struct sim_trade *trade = &r->ledger.trades[1];
    assert_int_equal(trade->reason, SIM_INCOME);
    assert_true(str_eq_c(r->panel->assets[trade->asset].series->uid, "cash:KRW"));
    assert_string_equal(panel_role(r->panel, trade->asset), "money");
    assert_close(trade->quantity, 20000, 1e-12);
    assert_close(trade->local_price, 1, 1e-12);
    assert_close(trade->value, 20, 1e-12);
    assert_close(r->final_weight[1], 16.0 / 816, 1e-12);
    const struct attribution_asset *money = &r->attribution->asset[1];
    assert_true(money->contribution < 0);
    assert_close(money->fx, money->contribution, 1e-12); /* it earns nothing at home */
    assert_true(fabs(r->attribution->other) < 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* The rebalance of session 1 converts 20 dollars at 100 basis points, and at no commission. */
static void rebalance_converts_it_at_the_cost_of_exchange_alone(void **state)
{
    struct world w;
    (void)state;
    init(&w);
    struct backtest_result *r =
        run(&w, "\"rebalance\":\"daily\",\"costs\":{\"commission_bps\":50,\"fx_spread_bps\":100}");
    const struct sim_trade *first = &r->ledger.trades[0];
    double shares = first->quantity;
    assert_close(shares, 1000 / 1.015, 1e-9);
    bool is_converted = false;
    for (size_t i = 1; i < r->ledger.n_trades; i++) {
        const struct sim_trade *trade = &r->ledger.trades[i];
        if (trade->reason != SIM_REBALANCE || trade->is_buy)
            continue;
        is_converted = true;
        assert_int_equal(trade->session, EX);
        assert_close(trade->value, 0.02 * shares, 1e-9);
        assert_close(trade->paid[COST_FX], 0.0002 * shares, 1e-9);
        assert_true(!(trade->paid[COST_COMMISSION] > 0));
    }
    assert_true(is_converted);
    /* V' = B - 0.01 m - 0.015 (V' - a) with a in shares and m in won. */
    double after = (1.02 * shares - 0.0002 * shares + 0.015 * shares) / 1.015;
    assert_close(r->equity[EX], after, 1e-9);
    assert_close(r->equity[DAYS - 1], after * 0.8, 1e-9);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* A contribution buys shares, no won. */
static void contributions_buy_no_money(void **state)
{
    struct world w;
    (void)state;
    init(&w);
    struct backtest_result *r =
        run(&w, "\"rebalance\":\"never\",\"flows\":[{\"amount\":500,\"start\":\"2019-04-16\"}]");
    assert_close(r->wealth[2], 1020 / 1.1 + 500, 1e-12);
    assert_close(r->wealth[3], (1020 / 1.1 + 500) * 1.1 * 0.8, 1e-12);
    assert_close(r->final_weight[1], 16 / r->wealth[3], 1e-12);
    world_clear(&w);
}

enum { LEVERED_DAYS = 5, CALLED = 3 };

/* 1,000 won for a dollar throughout; a dividend of 20 won on session 1, a margin of 0.45. */
static struct backtest_result *run_levered(struct world *w, double weight)
{
    static const double close[LEVERED_DAYS] = {1000, 1000, 580, 560, 560},
                        dividend[LEVERED_DAYS] = {0, 20},
                        krw[LEVERED_DAYS] = {1000, 1000, 1000, 1000, 1000},
                        usd[LEVERED_DAYS] = {1, 1, 1, 1, 1};
    static const int32_t date[LEVERED_DAYS] = {18000, 18001, 18002, 18003, 18004};
    char body[512];
    world_init(w);
    struct price_series *s = world_add(w, "x:A", "KRW", date, close, LEVERED_DAYS);
    s->close = s->price;
    s->dividend = dividend;
    world_add_fx(w, "KRW", date, krw, LEVERED_DAYS);
    world_add_fx(w, "USD", date, usd, LEVERED_DAYS);
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":%.17g}],\"capital\":1000,\"prices\":\"raw\","
        "\"dividends\":\"cash\",\"cash_currency\":\"local\",\"fill\":\"same_close\","
        "\"rebalance\":\"never\",\"monkeys\":{\"count\":0},\"leverage\":{\"max_gross\":2,"
        "\"maintenance_margin\":0.45}}",
        weight);
    return world_run(w, body);
}

/*
 * 1,500 shares and 30 dollars in won. At 0.58 a margin of 870 - 470 on 870 is enough, as it would not be on 900; at 0.56
 * there are 370 on 840, and shares are sold until they are 1.5 times as much. The won stay.
 */
static void money_is_no_exposure_and_no_margin_call_converts_it(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r = run_levered(&w, 1.5);
    assert_int_equal(r->ledger.n_margin_calls, 1);
    const struct sim_margin_call *call = &r->ledger.margin_call[0];
    assert_int_equal(call->session, CALLED);
    assert_close(call->equity, 370, 1e-12);
    assert_close(call->gross, 840, 1e-12);
    assert_close(call->traded, 840 - 1.5 * 370, 1e-12);
    assert_int_equal(r->ledger.n_trades, 3);
    assert_int_equal(r->ledger.trades[1].reason, SIM_INCOME);
    assert_int_equal(r->ledger.trades[2].reason, SIM_LIQUIDATION);
    assert_close(r->final_weight[0], 1.5, 1e-12);
    assert_close(r->final_weight[1], 30.0 / 370, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[LEVERED_DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* 500 shares sold short owe 10 dollars, which are paid out of the cash. */
static void what_a_short_owes_is_paid_in_cash(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r = run_levered(&w, -0.5);
    assert_close(r->ledger.cash[0], 1500, 1e-12);
    assert_close(r->ledger.cash[EX], 1490, 1e-12);
    assert_close(r->wealth[LEVERED_DAYS - 1], 1490 - 280, 1e-12);
    assert_close(r->ledger.dividends, -10, 1e-12);
    assert_int_equal(r->ledger.n_trades, 1);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[LEVERED_DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* Monkeys that hold A keep won too. */
static void monkeys_keep_it_too(void **state)
{
    struct world w;
    (void)state;
    init(&w);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"dividends\":"
            "\"cash\",\"cash_currency\":\"local\",\"fill\":\"same_close\",\"rebalance\":\"never\","
            "\"monkeys\":{\"count\":3}}");
    assert_close(r->crowd.sorted[MONKEY_TERMINAL_WEALTH][2], 816, 1e-12);
    world_clear(&w);
}

/* The 20,000 won come on a later session: 20 dollars are owed until then, and what they are worth that day is held after it. */
static void what_waits_becomes_money_on_its_day(void **state)
{
    static double pay[DAYS];
    for (int paid = EX + 1; paid < DAYS; paid++) {
        const double rate[DAYS] = {1000, 1000, 1100, 1250};
        struct world w;
        (void)state;
        init(&w)->pay_date = pay;
        pay[EX] = 18000 + paid;
        struct backtest_result *r =
            run(&w, "\"rebalance\":\"never\",\"pay_on\":\"pay\",\"verify\":{\"cuts\":3}");
        for (int t = 0; t < DAYS; t++) {
            bool waits = t >= EX && t < paid;
            double money = t < EX ? 0 : waits ? 20 : 20000 / rate[t];
            assert_close(r->equity[t], 1e6 / rate[t] + money, 1e-12);
            assert_true(fabs(r->ledger.receivables[t] - (waits ? 20 : 0)) < 1e-12);
        }
        const struct sim_trade *trade = &r->ledger.trades[r->ledger.n_trades - 1];
        assert_int_equal(trade->reason, SIM_INCOME);
        assert_int_equal(trade->session, paid);
        assert_close(trade->quantity, 20000, 1e-12);
        assert_close(r->ledger.dividends, 20, 1e-12);
        assert_true(!(fabs(r->ledger.cash[DAYS - 1]) > 0));
        assert_true(r->trust->prefix.holds);
        assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
        world_clear(&w);
    }
}

/* A's home currency needs no money beside the cash. */
static void money_of_the_run_is_cash(void **state)
{
    struct world w;
    (void)state;
    init(&w);
    struct backtest_result *r = run(&w, "\"rebalance\":\"never\",\"currency\":\"KRW\"");
    assert_int_equal(r->panel->n_positions, 1);
    assert_close(r->ledger.cash[EX], 20, 1e-12);
    world_clear(&w);
}

static void requests_name_what_is_wrong(void **state)
{
    (void)state;
    assert_refused(
        "{\"assets\":[{\"uid\":\"x:A\"}],\"cash_currency\":\"local\",\"prices\":\"raw\"}",
        STATUS_BAD_SPEC, "/cash_currency");
    assert_refused("{\"assets\":[{\"uid\":\"x:A\"}],\"cash_currency\":\"KRW\"}",
                   STATUS_OUT_OF_RANGE, "/cash_currency");
}

/* Each seed whose request pays cash, on the ex-date or later. */
static bool is_eligible(const struct random_request *q)
{
    return strstr(q->rest, "\"dividends\":\"cash\"") != NULL;
}

static struct random_request with(const struct random_request *q, const char *rest)
{
    struct random_request more = *q;
    size_t len = strlen(more.rest);
    (void)snprintf(more.rest + len, sizeof more.rest - len, "%s", rest);
    return more;
}

/* At no cost the session of the first payment ends with the wealth that converting it at once leaves. */
static void value_is_conserved_when_it_is_paid(void **state)
{
    unsigned features = RANDOM_RAW | RANDOM_GAPS | RANDOM_FX | RANDOM_BANDS | RANDOM_WHOLE |
                        RANDOM_PARTIAL | RANDOM_CASH_WEIGHT | RANDOM_VOLUME_LIMIT | RANDOM_LEVERAGE;
    size_t n_compared = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct random_request q = random_request(seed, features), local;
        if (!is_eligible(&q))
            continue;
        random_market(&w, seed, features);
        local = with(&q, ",\"cash_currency\":\"local\"");
        struct backtest_result *l = random_play(&w, &local), *b = random_play(&w, &q);
        size_t e = 0;
        while (e < l->panel->n_events && l->panel->events[e].into == PANEL_NEVER)
            e++;
        for (size_t t = 0; e < l->panel->n_events && t <= l->panel->events[e].session; t++)
            random_assert(fabs(l->equity[t] - b->equity[t]) <= 1e-11 * b->equity[t], seed, &q);
        n_compared += e < l->panel->n_events ? 1 : 0;
        world_clear(&w);
    }
    assert_true(n_compared > 0 || random_rounds() < 300); /* few pay in another currency */
}

static void accounts_close_and_nothing_looks_ahead(void **state)
{
    size_t n_paid = 0, n_leveraged = 0, n_called = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct random_request q = random_request(seed, RANDOM_ALL);
        if (!is_eligible(&q))
            continue;
        random_market(&w, seed, RANDOM_ALL);
        q = with(&q, ",\"cash_currency\":\"local\",\"verify\":{\"cuts\":2}");
        struct backtest_result *r = random_play(&w, &q);
        const struct sim_recorder *l = &r->ledger;
        double scale = q.capital + l->contributed + l->withdrawn + fabs(l->gain);
        double residual = sim_residual(l, q.capital, r->wealth[r->panel->n_sessions - 1]);
        random_assert(fabs(residual) <= 1e-12 * scale, seed, &q);
        random_assert(r->trust->prefix.holds, seed, &q);
        bool is_leveraged = strstr(q.rest, "leverage") != NULL, is_paid = false;
        for (size_t i = 0; i < l->n_trades; i++) {
            bool is_income = l->trades[i].reason == SIM_INCOME;
            random_assert(!is_income || l->trades[i].is_buy, seed, &q);
            is_paid = is_paid || is_income;
        }
        n_paid += is_paid ? 1 : 0;
        n_leveraged += is_paid && is_leveraged ? 1 : 0;
        n_called += is_paid && l->n_margin_calls > 0 ? 1 : 0;
        world_clear(&w);
    }
    assert_true(n_paid > 0 && n_leveraged > 0);
    assert_true(n_called > 0 || random_rounds() < ROUNDS_THAT_MEET_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_paid_moves_with_its_currency),
        cmocka_unit_test(rebalance_converts_it_at_the_cost_of_exchange_alone),
        cmocka_unit_test(contributions_buy_no_money),
        cmocka_unit_test(money_is_no_exposure_and_no_margin_call_converts_it),
        cmocka_unit_test(what_a_short_owes_is_paid_in_cash),
        cmocka_unit_test(monkeys_keep_it_too),
        cmocka_unit_test(what_waits_becomes_money_on_its_day),
        cmocka_unit_test(money_of_the_run_is_cash),
        cmocka_unit_test(requests_name_what_is_wrong),
        cmocka_unit_test(value_is_conserved_when_it_is_paid),
        cmocka_unit_test(accounts_close_and_nothing_looks_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
