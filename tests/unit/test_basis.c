/* test_basis.c - raw prices with corporate actions: what a holding unit is worth, and what happens to it. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/align.h"

/* Three days of a share: a 2-for-1 split on the second, a dividend on the third. */
enum { N = 3 };
static const double closes[N] = {100, 51, 50}, adjusted[N] = {40, 41, 42};
static const double no_split[N] = {1, 1, 1}, one_split[N] = {1, 2, (double)NAN};
static const double dividends[N] = {7, 0, 2}, opens[N] = {99, 50.5, (double)NAN};

static struct price_series *add_share(struct world *w)
{
    struct price_series *s = world_add_days(w, "x:A", 100, adjusted, N);
    s->close = closes;
    s->open = opens;
    s->split = one_split;
    s->dividend = dividends;
    return s;
}

static struct panel *build(struct world *w, enum price_mode mode, enum spec_dividends dividends_as)
{
    struct spec *spec = world_spec(w, "{\"assets\":[{\"uid\":\"x:A\"}],\"benchmark\":\"x:A\"}");
    spec->prices = mode;
    spec->dividends = dividends_as;
    return world_panel_of(w, spec);
}

static void adjusted_prices_have_no_events_and_keep_their_bits(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_share(&w);
    struct panel *p = build(&w, PRICES_ADJUSTED, DIVIDENDS_REINVEST);
    assert_memory_equal(p->price, adjusted, sizeof adjusted);
    assert_int_equal(p->n_events, 0);
    assert_null(p->shares_per_unit);
    assert_true(basis_shares(&p->assets[0].basis, 0) ==
                40 / 100.0); /* an adjusted unit is 0.4 of that day's share */
    world_clear(&w);
}

static void a_split_changes_shares_and_no_value(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_share(&w)->dividend = NULL;
    struct panel *p = build(&w, PRICES_RAW, DIVIDENDS_REINVEST);
    assert_true(p->price[0] == 100);
    assert_true(p->price[1] == 102);
    assert_true(p->price[2] == 100);
    assert_true(p->shares_per_unit[0] == 1);
    assert_true(p->shares_per_unit[1] == 2);
    assert_true(p->shares_per_unit[2] == 2);
    assert_int_equal(p->n_events, 1);
    assert_int_equal(p->events[0].kind, ACTION_SPLIT);
    assert_int_equal(p->events[0].session, 1);
    assert_true(p->events[0].ratio == 2);
    world_clear(&w);
}

static void a_dividend_is_reinvested_paid_or_dropped(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    add_share(&w);
    struct panel *p = build(&w, PRICES_RAW, DIVIDENDS_REINVEST);
    assert_true(p->price[2] == 50 * (2 * ((50 + 2.0) / 50)));
    assert_memory_equal(p->benchmark, p->price, N * sizeof *p->price);
    assert_int_equal(p->n_events, 1);
    p = build(&w, PRICES_RAW, DIVIDENDS_REINVEST_PREVIOUS_CLOSE);
    assert_true(p->price[2] == 50 * (2 * (51 / (51 - 2.0))));
    p = build(&w, PRICES_RAW, DIVIDENDS_DROP);
    assert_true(p->price[2] == 100);
    assert_int_equal(p->n_events, 1);
    p = build(&w, PRICES_RAW, DIVIDENDS_CASH);
    assert_true(p->price[2] == 100);
    assert_int_equal(p->n_events, 2);
    assert_int_equal(p->events[1].kind, ACTION_DIVIDEND);
    assert_int_equal(p->events[1].session, 2);
    assert_true(p->events[1].amount == 4);                        /* two shares of a unit */
    assert_true(p->benchmark[2] == 50 * (2 * ((50 + 2.0) / 50))); /* a line has no cash */
    world_clear(&w);
}

static void rows_without_a_price_of_the_mode_are_left_out_but_not_their_actions(void **state)
{
    static const double holes[N] = {100, (double)NAN, 50};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    struct price_series *s = add_share(&w);
    s->close = holes;
    assert_int_equal(market_keep_priced(s, PRICES_RAW, &w.arena, &err), STATUS_OK);
    assert_int_equal(s->n, 2);
    assert_int_equal(s->date[1], 102);
    assert_true(s->split[1] == 2);
    assert_true(s->dividend[1] == 2);
    assert_true(isnan(s->open[1]));
    world_clear(&w);
}

static void a_series_says_for_which_prices_it_is_whole(void **state)
{
    static const double holes[N] = {100, (double)NAN, 50}, whole[N] = {100, 110, 50};
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    struct price_series *s = add_share(&w);
    s->price = whole;
    s->close = holes;
    market_mark_whole(s);
    assert_true(s->is_whole[PRICES_ADJUSTED]);
    assert_false(s->is_whole[PRICES_RAW]);
    assert_int_equal(market_keep_priced(s, PRICES_ADJUSTED, &w.arena, &err), STATUS_OK);
    assert_ptr_equal(s->price, whole);
    assert_int_equal(market_keep_priced(s, PRICES_RAW, &w.arena, &err), STATUS_OK);
    assert_int_equal(s->n, 2);
    s->close = NULL;
    market_mark_whole(s);
    assert_false(s->is_whole[PRICES_RAW]);
    world_clear(&w);
}

static void an_asset_without_prices_of_the_mode_is_refused(void **state)
{
    struct world w;
    struct err err = {0};
    (void)state;
    world_init(&w);
    struct price_series *s = add_share(&w);
    s->close = NULL;
    assert_int_equal(market_keep_priced(s, PRICES_RAW, &w.arena, &err), STATUS_BAD_SPEC);
    assert_string_equal(err.detail, "x:A has no raw prices.");
    assert_string_equal(err.name, "/prices");
    world_clear(&w);
}

static void an_impossible_action_is_bad_data(void **state)
{
    static const double whole[N] = {0, 0, 51}, negative[N] = {1, -2, 1};
    struct world w;
    struct err err = {0};
    struct panel *panel = NULL;
    (void)state;
    world_init(&w);
    struct price_series *s = add_share(&w);
    struct spec *spec = world_spec(&w, "{\"assets\":[{\"uid\":\"x:A\"}]}");
    spec->prices = PRICES_RAW;
    assert_int_equal(spec_resolve_dates(spec, &w.market, &err), STATUS_OK);
    s->split = negative;
    assert_int_equal(panel_build(spec, &w.market, &w.arena, NULL, &panel, &err), STATUS_BAD_DATA);
    static const double huge[] = {1, 1e7, 1};
    s->split = huge;
    assert_int_equal(panel_build(spec, &w.market, &w.arena, NULL, &panel, &err), STATUS_BAD_DATA);
    s->split = no_split;
    s->dividend = whole; /* as much as the share was worth */
    assert_int_equal(panel_build(spec, &w.market, &w.arena, NULL, &panel, &err), STATUS_BAD_DATA);
    assert_string_equal(err.detail, "x:A has a dividend on 1970-04-13 that cannot be.");
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adjusted_prices_have_no_events_and_keep_their_bits),
        cmocka_unit_test(a_split_changes_shares_and_no_value),
        cmocka_unit_test(a_dividend_is_reinvested_paid_or_dropped),
        cmocka_unit_test(rows_without_a_price_of_the_mode_are_left_out_but_not_their_actions),
        cmocka_unit_test(a_series_says_for_which_prices_it_is_whole),
        cmocka_unit_test(an_asset_without_prices_of_the_mode_is_refused),
        cmocka_unit_test(an_impossible_action_is_bad_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
