/*
 * test_panel_clock.c - sessions of Seoul, New York and a coin side by side: which days there are, what each
 * session may look at, and where an order can be filled.
 */
#include "tests/unit/test_backtest_world.h"

#include "backtest/align.h"

enum { MON = 18260, TUE, WED, THU, FRI, SAT, SUN, MON2, TUE2 }; /* 2019-12-30 is a Monday */

static void known_at(struct world *w, struct price_series *s, int64_t seconds)
{
    int64_t *known = arena_array(&w->arena, s->n, sizeof *known);
    assert_non_null(known);
    for (size_t i = 0; i < s->n; i++)
        known[i] = (int64_t)s->date[i] * 86400 + seconds;
    s->known_at = known;
}

/* New York is closed on Wednesday, Seoul on Tuesday; the coin never closes. */
static void add_markets(struct world *w)
{
    static const int32_t seoul[] = {MON, WED, THU, FRI, MON2, TUE2};
    static const int32_t york[] = {MON, TUE, THU, FRI, MON2, TUE2};
    static const int32_t every[] = {MON, TUE, WED, THU, FRI, SAT, SUN, MON2, TUE2};
    static const double a[] = {10, 12, 13, 14, 17, 18}, b[] = {20, 21, 23, 24, 27, 28};
    static const double c[] = {30, 31, 32, 33, 34, 35, 36, 37, 38};
    assert_int_equal(date_weekday(MON), 0);
    known_at(w, world_add(w, "x:SEOUL", "USD", seoul, a, 6), 6 * 3600 + 1800);
    known_at(w, world_add(w, "x:YORK", "USD", york, b, 6), 21 * 3600);
    struct price_series *coin = world_add(w, "x:COIN", "USD", every, c, 9);
    known_at(w, coin, 86400);
    coin->trades_24_7 = true;
}

/* A column as text: the price, with a star where it can be traded. */
static void assert_column(const struct panel *p, size_t a, const char *expected)
{
    char text[256] = "";
    size_t used = 0;
    for (size_t t = 0; t < p->n_sessions; t++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%g%s", t > 0 ? " " : "",
                                 p->price[panel_cell(p, a, t)],
                                 p->state[panel_cell(p, a, t)] & PANEL_TRADABLE ? "*" : "");
    assert_string_equal(text, expected);
}

#define ALL "{\"assets\":[{\"uid\":\"x:SEOUL\"},{\"uid\":\"x:YORK\"},{\"uid\":\"x:COIN\"}]"
#define EXCHANGES "{\"assets\":[{\"uid\":\"x:SEOUL\"},{\"uid\":\"x:YORK\"}]"

static void union_of_exchanges_is_valued_when_the_last_of_a_day_has_closed(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct panel *p = world_panel(&w, EXCHANGES "}");
    assert_int_equal(p->n_sessions, 7);
    assert_column(p, 0, "10* 10 12* 13* 14* 17* 18*");
    assert_column(p, 1, "20* 21* 21 23* 24* 27* 28*");
    assert_int_equal(p->known_at[2], (int64_t)WED * 86400 + 6 * 3600 + 1800);
    assert_false(p->trades_every_day);
    world_clear(&w);
}

static void a_coin_makes_every_day_a_session(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct panel *p = world_panel(&w, ALL "}");
    assert_int_equal(p->n_sessions, 9);
    assert_column(p, 0, "10* 10 12* 13* 14* 14 14 17* 18*");
    assert_column(p, 1, "20* 21* 21 23* 24* 24 24 27* 28*");
    assert_column(p, 2, "30* 31* 32* 33* 34* 35* 36* 37* 38*");
    assert_true(p->trades_every_day);
    world_clear(&w);
}

static void daily_24_7_has_every_day_without_a_coin(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct panel *p = world_panel(&w, EXCHANGES ",\"clock\":\"daily_24_7\"}");
    assert_int_equal(p->n_sessions, 9);
    assert_column(p, 0, "10* 10 12* 13* 14* 14 14 17* 18*");
    assert_column(p, 1, "20* 21* 21 23* 24* 24 24 27* 28*");
    assert_int_equal(p->known_at[0], (int64_t)TUE * 86400);
    assert_true(p->trades_every_day);
    world_clear(&w);
}

/* At Seoul's close New York has not opened: the session sees the close of the date before. */
static void base_clock_sees_what_was_known_at_its_close(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct panel *p = world_panel(&w, ALL ",\"clock\":{\"base\":\"x:SEOUL\"}}");
    assert_int_equal(p->clock[0], WED); /* Tuesday is a holiday; on Monday nothing else was known */
    assert_int_equal(p->n_sessions, 5);
    assert_column(p, 0, "12* 13* 14* 17* 18*");
    assert_column(p, 1, "21 21 23* 24* 27*"); /* Thursday's session sees Tuesday's close again */
    assert_column(p, 2, "31 32* 33* 36* 37*");
    for (size_t t = 0; t < p->n_sessions; t++)
        assert_int_equal(p->known_at[t], (int64_t)p->clock[t] * 86400 + 6 * 3600 + 1800);
    world_clear(&w);
}

static void base_may_be_an_asset_that_is_not_held(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct panel *p = world_panel(
        &w, "{\"assets\":[{\"uid\":\"x:COIN\"}],\"clock\":{\"base\":\"x:YORK\"},\"start\":"
            "\"2019-12-31\"}");
    assert_int_equal(p->n_sessions, 5);
    assert_column(p, 0, "30 32* 33* 36* 37*");
    assert_false(p->trades_every_day);
    world_clear(&w);
}

static void same_label_looks_ahead_and_says_so(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    const char *json = ALL ",\"clock\":{\"base\":\"x:SEOUL\"},\"session_alignment\":\"same_label\","
                           "\"start\":\"2020-01-01\",\"monkeys\":{\"count\":0}}";
    struct panel *p = world_panel(&w, json);
    assert_column(p, 1, "21 23* 24* 27* 28*");
    assert_column(p, 2, "32* 33* 34* 37* 38*");
    assert_true(has_warning(world_run(&w, json), "same_label"));
    json = ALL ",\"clock\":{\"base\":\"x:SEOUL\"},\"monkeys\":{\"count\":0}}";
    assert_false(has_warning(world_run(&w, json), "same_label"));
    world_clear(&w);
}

/* Decided at Thursday's session in Seoul, filled at Friday's: the price is New York's Thursday close. */
static void an_order_is_filled_at_the_first_close_after_its_decision(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_markets(&w);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:YORK\"}],\"clock\":{\"base\":\"x:SEOUL\"},\"rebalance\":"
            "\"never\",\"start\":\"2020-01-02\",\"monkeys\":{\"count\":0}}");
    assert_int_equal(r->ledger.n_trades, 1);
    assert_int_equal(r->panel->clock[r->ledger.trades[0].session], FRI);
    assert_true(r->ledger.trades[0].local_price == 23);
    world_clear(&w);
}

static void what_the_base_lacks_is_refused(void **state)
{
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    add_markets(&w);
    assert_int_equal(world_fails(&w, EXCHANGES ",\"clock\":{\"base\":\"x:NONE\"}}", &err),
                     STATUS_UNKNOWN_ASSET);
    assert_int_equal(
        world_fails(&w,
                    "{\"assets\":[{\"uid\":\"x:COIN\"}],\"clock\":{\"base\":\"x:YORK\"},"
                    "\"start\":\"2020-01-04\",\"end\":\"2020-01-05\"}",
                    &err),
        STATUS_NO_DATA);
    assert_string_equal(err.detail, "x:YORK trades on 0 days of this window.");
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(union_of_exchanges_is_valued_when_the_last_of_a_day_has_closed),
        cmocka_unit_test(a_coin_makes_every_day_a_session),
        cmocka_unit_test(daily_24_7_has_every_day_without_a_coin),
        cmocka_unit_test(base_clock_sees_what_was_known_at_its_close),
        cmocka_unit_test(base_may_be_an_asset_that_is_not_held),
        cmocka_unit_test(same_label_looks_ahead_and_says_so),
        cmocka_unit_test(an_order_is_filled_at_the_first_close_after_its_decision),
        cmocka_unit_test(what_the_base_lacks_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
