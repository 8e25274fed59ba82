/* test_backtest_fills.c - fills at the open, in parts and around a split, against figures worked out by hand. */
#include "tests/unit/test_backtest_world.h"

enum { DAYS = 5 };

/* A raw series: close as given; the rest may be NULL. */
static struct price_series *add_raw(struct world *w, const char *uid, const double *close,
                                    const double *open, size_t n)
{
    struct price_series *s = world_add_days(w, uid, 18000, close, n);
    s->close = s->price;
    s->open = open;
    return s;
}

/*
 * 1,000 in halves, decided on session 0, filled at the opens of session 1: 500 / 12.5 = 40 of A and
 * 500 / 16 = 31.25 of B. At the close 40 * 11 + 31.25 * 20 = 440 + 625 = 1,065. At the opens of session 2
 * they are worth 40 * 10 + 31.25 * 24 = 400 + 750 = 1,150, so that 175 of B (175 / 24 units) become
 * 17.5 of A: 57.5 of A and 575 / 24 of B, at the close 57.5 * 12 + 575 / 24 * 25 = 690 + 14,375 / 24.
 */
static void next_open_fills_at_the_opening_prices(void **state)
{
    static const double a[] = {10, 11, 12}, a_open[] = {9, 12.5, 10};
    static const double b[] = {20, 20, 25}, b_open[] = {21, 16, 24};
    struct world w;
    (void)state;
    world_init(&w);
    (void)add_raw(&w, "x:A", a, a_open, 3);
    (void)add_raw(&w, "x:B", b, b_open, 3);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":1000,\"prices\":\"raw\",\"fill\":\"next_open\",\"rebalance\":\"daily\","
            "\"monkeys\":{\"count\":0}}");
    const struct sim_trade *trade = r->ledger.trades;
    assert_int_equal(r->ledger.n_trades, 4);
    assert_int_equal(r->ledger.n_open_fallbacks, 0);
    assert_true(trade[0].session == 1 && trade[1].session == 1 && trade[2].session == 2);
    assert_close(trade[0].quantity, 40, 1e-12);
    assert_close(trade[0].local_price, 12.5, 1e-12);
    assert_close(trade[1].quantity, 31.25, 1e-12);
    assert_close(trade[1].local_price, 16, 1e-12);
    assert_true(trade[2].is_buy && !trade[3].is_buy);
    assert_close(trade[2].quantity, 17.5, 1e-12);
    assert_close(trade[3].quantity, 175.0 / 24, 1e-12);
    assert_close(r->equity[0], 1000, 1e-12);
    assert_close(r->equity[1], 1065, 1e-12);
    assert_close(r->equity[2], 690 + 14375.0 / 24, 1e-12);
    world_clear(&w);
}

/*
 * B has no opening price on session 1, so both are bought at its close: equity stays 1,000 there, and is
 * 500 * 12 / 11 + 500 * 25 / 20 a session later.
 */
static void next_open_without_one_opening_price_fills_at_the_close(void **state)
{
    static const double a[] = {10, 11, 12}, a_open[] = {9, 12.5, 10};
    static const double b[] = {20, 20, 25};
    double b_open[] = {21, (double)NAN, 24};
    struct world w;
    (void)state;
    world_init(&w);
    (void)add_raw(&w, "x:A", a, a_open, 3);
    (void)add_raw(&w, "x:B", b, b_open, 3);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],"
            "\"capital\":1000,\"prices\":\"raw\",\"fill\":\"next_open\",\"rebalance\":\"never\","
            "\"monkeys\":{\"count\":0}}");
    assert_int_equal(r->ledger.n_open_fallbacks, 1);
    assert_close(r->ledger.trades[0].local_price, 11, 1e-12);
    assert_close(r->equity[1], 1000, 1e-12);
    assert_close(r->equity[2], 500.0 * 12 / 11 + 625, 1e-12);
    world_clear(&w);
}

static struct backtest_result *run_limited(struct world *w, const char *unfilled)
{
    static const double close[DAYS] = {10, 10, 12, 8, 10};
    static const double volume[DAYS] = {9000, 300, 500, 1000, 9000};
    char room[512];
    world_init(w);
    add_raw(w, "x:A", close, NULL, DAYS)->volume = volume;
    (void)snprintf(
        room, sizeof room,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"rebalance\":\"never\","
        "\"fill\":\"next_close\",\"monkeys\":{\"count\":0},\"costs\":{\"slippage\":{\"model\":\"bps\","
        "\"bps\":0,\"volume_limit\":0.1,\"unfilled\":\"%s\"}}}",
        unfilled);
    return world_run(w, room);
}

/*
 * A tenth of the volume may be bought. Session 1, at 10: 30 of the 100 wanted; 700 in cash is left.
 * Session 2, at 12: 700 / 12 are still wanted, 50 may be had for 600; 80 * 12 + 100 = 1,060.
 * Session 3, at 8: the last 100 buy 12.5 (100 could be had); 92.5 * 8 = 740. Session 4, at 10: 925.
 */
static void what_a_volume_limit_leaves_is_carried_to_the_next_sessions(void **state)
{
    static const double quantity[] = {30, 50, 12.5}, cash[] = {700, 100, 0};
    static const double equity[DAYS] = {1000, 1000, 1060, 740, 925};
    struct world w;
    (void)state;
    struct backtest_result *r = run_limited(&w, "carry");
    assert_int_equal(r->ledger.n_trades, 3);
    assert_int_equal(r->ledger.n_partial_fills, 2);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(r->ledger.trades[i].session, 1 + i);
        assert_close(r->ledger.trades[i].quantity, quantity[i], 1e-12);
        assert_true(fabs(r->ledger.cash[1 + i] - cash[i]) < 1e-9);
    }
    for (size_t t = 0; t < DAYS; t++)
        assert_close(r->equity[t], equity[t], 1e-12);
    world_clear(&w);
}

/* The 30 of session 1 and 700 in cash remain: 360 + 700, 240 + 700, 300 + 700. */
static void what_a_volume_limit_leaves_is_dropped_when_asked(void **state)
{
    static const double equity[DAYS] = {1000, 1000, 1060, 940, 1000};
    struct world w;
    (void)state;
    struct backtest_result *r = run_limited(&w, "cancel");
    assert_int_equal(r->ledger.n_trades, 1);
    assert_int_equal(r->ledger.n_partial_fills, 1);
    for (size_t t = 0; t < DAYS; t++)
        assert_close(r->equity[t], equity[t], 1e-12);
    world_clear(&w);
}

/*
 * 1,000 in A decided on session 0 and filled in session 1 at (9 + 12 + 8 + 11) / 4 = 10, or (12 + 8 + 11) / 3 = 31 / 3: 100
 * or 3,000 / 31 shares, worth 11 each at the close and 12 a session later. Session 1 without a low fills at the close.
 */
static void mean_prices_of_the_session_stand_for_its_average(void **state)
{
    static const double a[] = {10, 11, 12}, open[] = {10, 9, 11}, high[] = {10, 12, 13};
    static const double low[] = {10, 8, 11}, no_low[] = {10, 0, 11};
    static const struct {
        const char *fill;
        const double *low;
        double shares;
    } cases[] = {{"next_ohlc4", low, 100},
                 {"next_hlc3", low, 3000.0 / 31},
                 {"next_ohlc4", no_low, 1000.0 / 11},
                 {"next_hlc3", NULL, 1000.0 / 11}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        struct world w;
        world_init(&w);
        struct price_series *s = add_raw(&w, "x:A", a, open, 3);
        s->high = high;
        s->low = cases[i].low;
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"fill\":\"%s\","
            "\"rebalance\":\"never\",\"monkeys\":{\"count\":0}}",
            cases[i].fill);
        struct backtest_result *r = world_run(&w, body);
        assert_int_equal(r->ledger.n_trades, 1);
        assert_close(r->ledger.trades[0].quantity, cases[i].shares, 1e-12);
        assert_close(r->ledger.trades[0].local_price, 1000 / cases[i].shares, 1e-12);
        assert_close(r->equity[1], 11 * cases[i].shares, 1e-12);
        assert_close(r->equity[2], 12 * cases[i].shares, 1e-12);
        assert_int_equal(r->ledger.n_open_fallbacks, i < 2 ? 0 : 1);
        world_clear(&w);
    }
}

static struct backtest_result *run_split(struct world *w, const char *shares)
{
    static const double close[] = {90, 62, 70}, split[] = {1, 1.5, 1};
    char room[512];
    world_init(w);
    add_raw(w, "x:A", close, NULL, 3)->split = split;
    (void)snprintf(
        room, sizeof room,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":1000,\"prices\":\"raw\",\"fill\":"
        "\"same_close\",\"rebalance\":\"never\",\"shares\":\"%s\",\"monkeys\":{\"count\":0}}",
        shares);
    return world_run(w, room);
}

/*
 * 1,000 buys 11 shares at 90; 10 is left. Three for two makes them 16.5: the half is paid at the close before, 90 / 1.5 = 60,
 * that is 30, and 16 * 62 + 40 = 1,032; then 16 * 70 + 40 = 1,160. In fractions 1,000 / 90 * 1.5 * 70 and no cash.
 */
static void fraction_that_a_split_leaves_is_paid_out_with_whole_shares(void **state)
{
    struct world w;
    (void)state;
    struct backtest_result *r = run_split(&w, "whole");
    assert_int_equal(r->ledger.n_trades, 1);
    assert_close(r->ledger.trades[0].quantity, 11, 1e-12);
    assert_close(r->ledger.cash[0], 10, 1e-12);
    assert_close(r->ledger.dividends, 30, 1e-12);
    assert_close(r->ledger.cash[1], 40, 1e-12);
    assert_close(r->equity[1], 1032, 1e-12);
    assert_close(r->equity[2], 1160, 1e-12);
    world_clear(&w);
    r = run_split(&w, "fractional");
    assert_true(r->ledger.dividends == 0);
    assert_close(r->equity[2], 1000.0 / 90 * 1.5 * 70, 1e-12);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_open_fills_at_the_opening_prices),
        cmocka_unit_test(next_open_without_one_opening_price_fills_at_the_close),
        cmocka_unit_test(what_a_volume_limit_leaves_is_carried_to_the_next_sessions),
        cmocka_unit_test(what_a_volume_limit_leaves_is_dropped_when_asked),
        cmocka_unit_test(mean_prices_of_the_session_stand_for_its_average),
        cmocka_unit_test(fraction_that_a_split_leaves_is_paid_out_with_whole_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
