/* test_bond.c - accrued interest, coupons and redemption at par: known figures, and a bond held to its end. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/bond.h"

/* ICMA rule 251 example in the field's texts: 15 November 1998 to 15 May 1999, 181 days, 4.5 % half-yearly. */
static void accrued_interest_is_that_of_its_day_count(void **state)
{
    struct bond_terms bond = {day(2003, 5, 15), 0.045, 2, DAY_COUNT_ACT_ACT_ICMA};
    (void)state;
    assert_int_equal(bond_coupon_date(&bond, 9), day(1998, 11, 15));
    assert_int_equal(bond_coupons_after(&bond, day(1998, 11, 15)), 9);
    assert_int_equal(bond_coupons_after(&bond, day(1998, 11, 14)), 10);
    assert_close(bond_accrued(&bond, day(1999, 2, 13)), 2.25 * 90 / 181, 1e-15);
    bond.day_count = DAY_COUNT_30_360;
    assert_close(bond_accrued(&bond, day(1999, 2, 13)), 2.25 * 88 / 180, 1e-15);
    assert_close(bond_accrued(&bond, day(1999, 1, 31)), 2.25 * 76 / 180, 1e-15);
    assert_true(bond_accrued(&bond, day(2003, 5, 15)) == 0);
    assert_true(bond_accrued(&bond, day(2002, 11, 15)) == 0);
    bond.coupons_per_year = 0;
    assert_true(bond_accrued(&bond, day(2002, 11, 16)) == 0 && bond_coupon(&bond) == 0);
}

static void month_ends_are_counted_back_from_the_maturity(void **state)
{
    struct bond_terms bond = {day(2021, 8, 31), 0.04, 2, DAY_COUNT_ACT_ACT_ICMA};
    (void)state;
    assert_int_equal(bond_coupon_date(&bond, 1), day(2021, 2, 28));
    assert_int_equal(bond_coupon_date(&bond, 2), day(2020, 8, 31));
    for (int32_t d = day(2015, 1, 1); d < bond.maturity; d++) {
        int k = bond_coupons_after(&bond, d);
        assert_true(bond_coupon_date(&bond, k) <= d && bond_coupon_date(&bond, k - 1) > d);
    }
}

static void terms_that_make_no_bond_are_refused(void **state)
{
    struct bond_terms bond = {day(2021, 8, 31), 0.04, 3, DAY_COUNT_ACT_ACT_ICMA};
    struct err err = {0};
    (void)state;
    assert_int_equal(bond_check(&bond, STR("bond:A"), &err), STATUS_BAD_DATA);
    bond.coupons_per_year = 2;
    assert_int_equal(bond_check(&bond, STR("bond:A"), &err), STATUS_OK);
    bond.coupon_rate = 4;
    assert_int_equal(bond_check(&bond, STR("bond:A"), &err), STATUS_BAD_DATA);
    bond.coupon_rate = (double)NAN;
    assert_int_equal(bond_check(&bond, STR("bond:A"), &err), STATUS_BAD_DATA);
}

enum { BARS = 400 };

/* Weekdays up to the maturity at a clean 99, and another asset that goes on trading after it. */
static void add_bond(struct world *w, const struct bond_terms *bond, bool has_last_bar)
{
    int32_t date[BARS];
    double clean[BARS], other[BARS];
    size_t n = 0, n_bond = 0;
    for (int32_t d = day(2020, 2, 3); n < BARS; d++) {
        if (date_weekday(d) > 4)
            continue;
        n_bond += d < bond->maturity || (d == bond->maturity && has_last_bar) ? 1 : 0;
        clean[n] = d == bond->maturity ? 100 : 99;
        other[n] = 10;
        date[n++] = d;
    }
    struct price_series *s = world_add(w, "bond:A", "USD", date, clean, n_bond);
    s->close = s->price;
    s->bond = bond;
    s->delisted_on = bond->maturity;
    s->delisting_return = -0.5; /* a redemption is no loss, whatever the store says */
    s = world_add(w, "x:B", "USD", date, other, n);
    s->close = s->price;
}

#define BOTH                                                                                                \
    "{\"assets\":[{\"uid\":\"bond:A\",\"weight\":1},{\"uid\":\"x:B\",\"weight\":0}],\"rebalance\":"         \
    "\"never\",\"start\":\"2020-02-03\",\"end\":\"2021-02-10\",\"capital\":1000,\"monkeys\":{\"count\":0}," \
    "\"prices\":\"raw\",\"dividends\":"

static void a_bond_held_to_maturity_pays_its_coupons_and_par(void **state)
{
    /* 2020-07-11 is a Saturday: that coupon comes on the Monday after it. 2021-01-11 is a Monday. */
    static const struct bond_terms bond = {18638, 0.06, 2, DAY_COUNT_ACT_ACT_ICMA};
    (void)state;
    assert_int_equal(bond.maturity, day(2021, 1, 11));
    for (int has_last_bar = 0; has_last_bar < 2; has_last_bar++) {
        struct world w;
        world_init(&w);
        add_bond(&w, &bond, has_last_bar != 0);
        struct backtest_result *r = world_run(&w, BOTH "\"cash\"}");
        const struct panel *p = r->panel;
        size_t last = p->n_sessions - 1;
        double bought = 99 + bond_accrued(&bond, p->clock[1]);
        assert_close(r->equity[1], 1000, 1e-12);
        assert_close(r->equity[last], 1000 / bought * (100 + 3 + 3), 1e-12);
        for (size_t t = 2; t < last; t++) {
            int32_t d = p->clock[t];
            double held = (99 + bond_accrued(&bond, d) + (d >= day(2020, 7, 13) ? 3 : 0));
            if (d < bond.maturity)
                assert_close(r->equity[t], 1000 / bought * held, 1e-12);
        }
        r = world_run(&w, BOTH "\"drop\"}");
        assert_close(r->equity[last], 1000 / bought * 100, 1e-12);
        r = world_run(&w, BOTH "\"reinvest\"}");
        double dirty = 99 + bond_accrued(&bond, day(2020, 7, 13));
        assert_close(r->equity[last], 1000 / bought * (dirty + 3) / dirty * 103, 1e-12);
        world_clear(&w);
    }
}

/*
 * Quoted clean at 98 and 99 (open and close), half of 1,000 in it and half in an asset at 10: the buyer pays 98 and what has
 * accrued by that day; 20 sessions later the half of what accrued in between is sold at 98 and all that accrued.
 */
static void a_fill_at_the_open_pays_and_gets_the_accrued_interest(void **state)
{
    static const struct bond_terms bond = {18638, 0.06, 2, DAY_COUNT_ACT_ACT_ICMA};
    static const char *const fills[] = {"next_open", "next_ohlc4"};
    static const double quote[] = {98, (98 + 99 + 99 + 99) / 4.0};
    double open[BARS], other[BARS];
    (void)state;
    for (size_t i = 0; i < BARS; i++) {
        open[i] = 98;
        other[i] = 10;
    }
    for (size_t f = 0; f < ARRAY_LEN(fills); f++) {
        struct world w;
        char body[512];
        world_init(&w);
        add_bond(&w, &bond, true);
        w.series[0].open = open;
        w.series[0].low = w.series[0].high = w.series[0].close;
        w.series[1].open = w.series[1].low = w.series[1].high = other;
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"bond:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}],\"rebalance\":"
            "{\"every\":20},\"start\":\"2020-02-03\",\"end\":\"2020-06-30\",\"capital\":1000,\"monkeys\":{"
            "\"count\":0},\"prices\":\"raw\",\"dividends\":\"cash\",\"fill\":\"%s\"}",
            fills[f]);
        struct backtest_result *r = world_run(&w, body);
        const struct panel *p = r->panel;
        double bought = quote[f] + bond_accrued(&bond, p->clock[1]), units = 500 / bought;
        const struct sim_trade *trade = r->ledger.trades;
        assert_true(bond_accrued(&bond, p->clock[1]) > 0.3);
        assert_true(trade->session == 1 && trade->asset == 0 && trade->is_buy);
        assert_close(trade->local_price, bought, 1e-12);
        assert_close(trade->quantity, units, 1e-12);
        assert_close(r->equity[1], 500 + units * (99 + bond_accrued(&bond, p->clock[1])), 1e-12);
        trade += 2;
        assert_true(trade->session > 1 && trade->asset == 0 && !trade->is_buy);
        double sold = quote[f] + bond_accrued(&bond, p->clock[trade->session]);
        assert_close(trade->local_price, sold, 1e-12);
        assert_close(trade->quantity, (units * sold - 500) / 2 / sold, 1e-9);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accrued_interest_is_that_of_its_day_count),
        cmocka_unit_test(month_ends_are_counted_back_from_the_maturity),
        cmocka_unit_test(terms_that_make_no_bond_are_refused),
        cmocka_unit_test(a_bond_held_to_maturity_pays_its_coupons_and_par),
        cmocka_unit_test(a_fill_at_the_open_pays_and_gets_the_accrued_interest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
