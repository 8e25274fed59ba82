/* test_spin_offs.c - shares of others that are received and kept: by hand, and on random markets against selling them. */
#include "backtest/brinson.h"
#include "backtest/panel_shared.h"
#include "backtest/succession.h"
#include "tests/unit/test_backtest_random.h"

enum { DAYS = 5, EX = 2 };

/* x:A gives half a share of x:B for each on session 2. */
static const double a_close[DAYS] = {100, 104, 80, 88, 96}, b_close[DAYS] = {50, 52, 53, 50, 55};
static const struct series_change gives_b = {
    18000 + EX, CHANGE_SPIN_OFF, {"x:B", 3}, 0.5, (double)NAN};

static struct price_series *add_raw(struct world *w, const char *uid, size_t from,
                                    const double *close)
{
    struct price_series *s =
        world_add_days(w, uid, 18000 + (int32_t)from, close + from, DAYS - from);
    s->close = s->price;
    return s;
}

static void gives(struct price_series *series, const struct series_change *change)
{
    series->changes = change;
    series->n_changes = 1;
}

static void follow(struct world *w)
{
    struct err err = {0};
    assert_int_equal(market_follow(&w->market, &w->arena, &err), STATUS_OK);
}

/* x:A, x:B from session b_from on, and x:C, which is as x:A but gives nothing. */
static void init(struct world *w, size_t b_from)
{
    world_init(w);
    gives(add_raw(w, "x:A", 0, a_close), &gives_b);
    (void)add_raw(w, "x:B", b_from, b_close);
    (void)add_raw(w, "x:C", 0, a_close);
    follow(w);
}

static struct backtest_result *run(struct world *w, const char *assets, const char *rest)
{
    char body[1024];
    (void)snprintf(body, sizeof body,
                   "{\"assets\":[%s],\"prices\":\"raw\",\"spin_offs\":\"keep\",\"fill\":"
                   "\"same_close\",%s}",
                   assets, rest);
    return world_run(w, body);
}

#define ALONE "{\"uid\":\"x:A\"}"
#define HELD "\"capital\":1000,\"rebalance\":\"never\",\"monkeys\":{\"count\":0}"

static void assert_line(const double *line, const double *expected)
{
    for (size_t t = 0; t < DAYS; t++)
        assert_close(line[t], expected[t], 1e-12);
}

/* 10 of A at 80 and 5 of B at 53; whatever becomes of dividends. */
static void kept_shares_are_a_position(void **state)
{
    static const double equity[DAYS] = {1000, 1040, 1065, 1130, 1235};
    static const char *const dividends[] = {"cash", "reinvest", "reinvest_previous_close", "drop"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(dividends); i++) {
        struct world w;
        char rest[256];
        init(&w, 0);
        (void)snprintf(rest, sizeof rest, HELD ",\"dividends\":\"%s\",\"verify\":{\"cuts\":4}",
                       dividends[i]);
        struct backtest_result *r = run(&w, ALONE, rest);
        assert_line(r->equity, equity);
        assert_true(r->trust->prefix.holds);
        assert_int_equal(r->ledger.n_trades, 2);
        const struct sim_trade *trade = &r->ledger.trades[1];
        assert_int_equal(trade->reason, SIM_SPIN_OFF);
        assert_true(trade->is_buy && trade->session == EX);
        assert_true(str_eq_c(r->panel->assets[trade->asset].series->uid, "x:B"));
        assert_string_equal(panel_role(r->panel, trade->asset), "received");
        assert_close(trade->quantity, 5, 1e-12);
        assert_close(trade->value, 265, 1e-12);
        assert_true(!(fabs(r->ledger.dividends) > 0) && !(fabs(r->ledger.cash[EX]) > 0));
        assert_close(r->final_weight[1], 275.0 / 1235, 1e-12);
        assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
        world_clear(&w);
    }
}

/* B has no price before session 3: until then nobody knows what its shares are worth. */
static void shares_that_are_listed_later_come_with_their_first_price(void **state)
{
    static const double equity[DAYS] = {1000, 1040, 800, 1130, 1235};
    struct world w;
    (void)state;
    init(&w, 3);
    struct backtest_result *r = run(&w, ALONE, HELD ",\"verify\":{\"cuts\":4}");
    assert_line(r->equity, equity);
    assert_true(r->trust->prefix.holds);
    assert_int_equal(r->panel->assets[1].first_at, 3);
    assert_int_equal(r->panel->assets[1].stale_sessions, 0);
    world_clear(&w);
}

/*
 * At 100 basis points 1,000 buys 10 / 1.01 of A. What is held is worth 1,065 / 1.01 when the next rebalance sells B for 265 and buys
 * A: V' = (1065 + 0.01 (800 - 265)) / 1.01 of that.
 */
static void rebalance_sells_them_at_a_cost(void **state)
{
    double before = 1065 / 1.01, after = (1065 + 0.01 * (800 - 265)) / 1.01 / 1.01;
    struct world w;
    (void)state;
    init(&w, 0);
    struct backtest_result *r =
        run(&w, ALONE,
            "\"capital\":1000,\"rebalance\":\"daily\",\"costs\":{\"commission_bps\":100},"
            "\"monkeys\":{\"count\":0},\"attribution\":true");
    assert_close(r->equity[EX], after, 1e-12);
    assert_close(r->equity[DAYS - 1], after / 80 * 96, 1e-12);
    const struct sim_trade *sale = &r->ledger.trades[3];
    assert_true(sale->reason == SIM_REBALANCE && !sale->is_buy);
    assert_close(sale->value, 265 / 1.01, 1e-12);
    assert_close(sale->paid[COST_COMMISSION], 2.65 / 1.01, 1e-12);
    assert_close(r->ledger.rebalance_cost, before - after, 1e-12);
    assert_close(r->gross_terminal, 1065.0 / 80 * 96, 1e-12);
    assert_true(fabs(r->attribution->other) < 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* 265 of 1,065 lie within a band of 0.3 around nothing, not within one of 0.2. */
static void band_around_nothing_decides_when_they_are_sold(void **state)
{
    static const char *const bands[] = {"0.2", "0.3"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bands); i++) {
        struct world w;
        char rest[256];
        init(&w, 0);
        (void)snprintf(rest, sizeof rest,
                       "\"capital\":1000,\"monkeys\":{\"count\":0},\"rebalance\":{\"every\":"
                       "\"never\",\"bands\":{\"absolute\":%s}}",
                       bands[i]);
        struct backtest_result *r = run(&w, ALONE, rest);
        assert_int_equal(r->ledger.n_rebalances, i == 0 ? 1 : 0);
        assert_close(r->equity[EX], 1065, 1e-12);
        assert_close(r->equity[DAYS - 1], i == 0 ? 1065.0 / 80 * 96 : 1235, 1e-12);
        world_clear(&w);
    }
}

/* 11 of A for 1,130, of which 30 stay: 5.5 of B, of which the half is 26.5 in cash. */
static void fraction_of_a_share_is_cash_where_shares_are_whole(void **state)
{
    struct world w;
    (void)state;
    init(&w, 0);
    struct backtest_result *r = run(
        &w, ALONE,
        "\"capital\":1130,\"rebalance\":\"never\",\"monkeys\":{\"count\":0},\"shares\":\"whole\"");
    assert_close(r->ledger.trades[1].quantity, 5, 1e-12);
    assert_close(r->ledger.cash[EX], 30 + 26.5, 1e-12);
    assert_close(r->ledger.dividends, 26.5, 1e-12);
    assert_close(r->equity[EX], 30 + 11 * (80 + 26.5), 1e-12);
    assert_close(r->equity[DAYS - 1], 56.5 + 11 * 96 + 5 * 55, 1e-12);
    assert_true(fabs(sim_residual(&r->ledger, 1130, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* 500 in each: 5 of A bring 2.5 of B to the 10 that are there. */
static void shares_of_an_asset_of_the_request_join_its_position(void **state)
{
    struct world w;
    (void)state;
    init(&w, 0);
    struct backtest_result *r =
        run(&w, "{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}", HELD);
    assert_int_equal(r->panel->n_positions, 2);
    assert_close(r->equity[EX], 5 * 80 + 12.5 * 53, 1e-12);
    assert_close(r->equity[DAYS - 1], 5 * 96 + 12.5 * 55, 1e-12);
    world_clear(&w);
}

/* B splits in two on session 3 and gives two of x:D, at 7 and then 8, for each new share on session 4. */
static void shares_that_bring_others_in_turn(void **state)
{
    static const double split[DAYS] = {(double)NAN, (double)NAN, (double)NAN, 2, (double)NAN};
    static const double b[DAYS] = {50, 52, 53, 25, 12}, d[DAYS] = {7, 7, 7, 7, 8};
    static const struct series_change gives_d = {
        18004, CHANGE_SPIN_OFF, {"x:D", 3}, 2, (double)NAN};
    struct world w;
    (void)state;
    world_init(&w);
    gives(add_raw(&w, "x:A", 0, a_close), &gives_b);
    struct price_series *other = add_raw(&w, "x:B", 0, b);
    other->split = split;
    gives(other, &gives_d);
    (void)add_raw(&w, "x:D", 4, d);
    follow(&w);
    struct backtest_result *r = run(&w, ALONE, HELD ",\"verify\":{\"cuts\":4}");
    assert_int_equal(r->panel->n_positions, 3);
    assert_close(r->equity[3], 10 * 88 + 10 * 25, 1e-12);
    assert_close(r->equity[4], 10 * 96 + 10 * 12 + 20 * 8, 1e-12);
    assert_true(r->trust->prefix.holds);
    world_clear(&w);
}

/* B is gone on session 4 at a third of its price: 5 at 50 become 250 / 3. */
static void received_shares_may_be_delisted(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    gives(add_raw(&w, "x:A", 0, a_close), &gives_b);
    struct price_series *b = add_raw(&w, "x:B", 0, b_close);
    b->n = DAYS - 1;
    b->delisted_on = 18004;
    b->delisting_return = -2.0 / 3;
    follow(&w);
    struct backtest_result *r = run(&w, ALONE, HELD);
    assert_close(r->ledger.cash[4], 250.0 / 3, 1e-12);
    assert_close(r->equity[4], 960 + 250.0 / 3, 1e-12);
    assert_true(has_warning(r, "delisted"));
    world_clear(&w);
}

/* Monkeys that draw A keep what it brings, whether the strategy holds A or not. */
static void monkeys_keep_what_their_names_bring(void **state)
{
    static const char *const assets[] = {ALONE, "{\"uid\":\"x:C\"}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(assets); i++) {
        struct world w;
        init(&w, 0);
        struct backtest_result *r =
            run(&w, assets[i],
                "\"capital\":1000,\"rebalance\":\"never\",\"universe\":[\"x:A\",\"x:C\"],"
                "\"monkeys\":{\"count\":50}");
        const struct monkey_crowd *crowd = &r->crowd;
        assert_int_equal(crowd->n[MONKEY_TERMINAL_WEALTH], 50);
        assert_close(crowd->sorted[MONKEY_TERMINAL_WEALTH][0], 960, 1e-12);
        assert_close(crowd->sorted[MONKEY_TERMINAL_WEALTH][49], 1235, 1e-12);
        assert_int_equal(r->panel->n_positions, i == 0 ? 2 : 1);
        world_clear(&w);
    }
}

/* A is half of a group and B of another, which A's B does not change: its gain is of A's group. */
static void brinson_counts_them_to_the_asset_that_brought_them(void **state)
{
    struct world w;
    (void)state;
    init(&w, 3);
    struct backtest_result *r =
        run(&w, "{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:C\",\"weight\":0.5}",
            HELD ",\"attribution\":{\"benchmark\":{\"x:A\":0.5,\"x:C\":0.5},\"by\":\"asset\"}");
    const struct brinson *b = r->attribution->brinson;
    double sum = b->cash + b->other;
    for (size_t g = 0; g < b->n; g++)
        sum += b->group[g].allocation + b->group[g].selection + b->group[g].interaction;
    assert_int_equal(b->n, 2);
    assert_close(sum, b->active_return, 1e-12);
    assert_true(fabs(b->other) < 1e-12);
    world_clear(&w);
}

/* B pays 4 on the day on which its shares are received: not to those who had none before. */
static void what_they_pay_on_that_day_is_for_others(void **state)
{
    static const double dividend[DAYS] = {0, 0, 4};
    struct world w;
    (void)state;
    world_init(&w);
    gives(add_raw(&w, "x:A", 0, a_close), &gives_b);
    add_raw(&w, "x:B", 0, b_close)->dividend = dividend;
    follow(&w);
    struct backtest_result *r =
        run(&w, "{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}",
            HELD ",\"dividends\":\"cash\"");
    assert_close(r->ledger.cash[EX], 40, 1e-12);
    assert_close(r->equity[EX], 5 * 80 + 12.5 * 53 + 40, 1e-12);
    world_clear(&w);
}

static void shared_panel_gives_the_same_bits(void **state)
{
    struct world w;
    struct err err = {0};
    const struct panel_shared *shared = NULL;
    struct backtest_result *other = NULL;
    (void)state;
    init(&w, 0);
    struct backtest_result *r = run(&w, ALONE, HELD);
    assert_int_equal(panel_shared_build(r->spec, &w.market, &w.arena, NULL, &shared, &err),
                     STATUS_OK);
    struct backtest_shared kept = {.panel = shared};
    assert_int_equal(backtest_run_among(r->spec, &w.market, &kept, &w.arena, NULL, &other, &err),
                     STATUS_OK);
    assert_memory_equal(r->equity, other->equity, DAYS * sizeof *r->equity);
    world_clear(&w);
}

static void only_raw_prices_know_what_was_received(void **state)
{
    (void)state;
    assert_refused("{\"assets\":[{\"uid\":\"x:A\"}],\"spin_offs\":\"keep\"}", STATUS_BAD_SPEC,
                   "/spin_offs");
    assert_refused("{\"assets\":[{\"uid\":\"x:A\"}],\"prices\":\"raw\",\"spin_offs\":\"hold\"}",
                   STATUS_OUT_OF_RANGE, "/spin_offs");
}

/* x:A gives x:E, and x:B, of another currency with RANDOM_FX, gives x:D; the request holds x:A, x:B and x:C. */
static struct backtest_result *random_run(struct world *w, uint64_t seed, unsigned features,
                                          struct random_request *q, const char *rest)
{
    static struct series_change changes[2];
    random_market(w, seed, features);
    changes[0] = (struct series_change){w->series[0].date[10 + seed % 30], CHANGE_SPIN_OFF,
                                        STR("x:E"), 0.7, (double)NAN};
    changes[1] = (struct series_change){w->series[1].date[5 + seed % 20], CHANGE_SPIN_OFF,
                                        STR("x:D"), 1.3, (double)NAN};
    gives(&w->series[0], &changes[0]);
    gives(&w->series[1], &changes[1]);
    follow(w);
    *q = random_request(seed, features);
    size_t len = strlen(q->rest);
    (void)snprintf(q->rest + len, sizeof q->rest - len, "%s", rest);
    q->n = 3;
    return random_play(w, q);
}

/* At no cost the session of a spin-off ends with the wealth that selling for cash would have left. */
static void value_is_conserved_when_they_are_received(void **state)
{
    unsigned features = RANDOM_RAW | RANDOM_GAPS | RANDOM_FX | RANDOM_BANDS | RANDOM_WHOLE |
                        RANDOM_PARTIAL | RANDOM_CASH_WEIGHT | RANDOM_VOLUME_LIMIT;
    size_t n_compared = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world kept, sold;
        struct random_request q = random_request(seed, features);
        if (strstr(q.rest, "\"dividends\":\"cash\"") == NULL)
            continue;
        struct backtest_result *k =
            random_run(&kept, seed, features, &q, ",\"spin_offs\":\"keep\"");
        struct backtest_result *s = random_run(&sold, seed, features, &q, "");
        size_t e = 0;
        while (e < k->panel->n_events && k->panel->events[e].into == PANEL_NEVER)
            e++;
        for (size_t t = 0; e < k->panel->n_events && t <= k->panel->events[e].session; t++)
            random_assert(fabs(k->equity[t] - s->equity[t]) <= 1e-11 * s->equity[t], seed, &q);
        for (size_t i = 0; i < k->ledger.n_trades; i++)
            n_compared += k->ledger.trades[i].reason == SIM_SPIN_OFF ? 1 : 0;
        world_clear(&kept);
        world_clear(&sold);
    }
    assert_true(n_compared > 0);
}

/* Every feature at once: the accounts close, contributions add up where nothing else happens, and no future is seen. */
static void accounts_close_and_nothing_looks_ahead(void **state)
{
    size_t n_received = 0, n_attributed = 0, n_fractions = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct random_request q = random_request(seed, RANDOM_ALL);
        if (strstr(q.rest, "\"prices\":\"raw\"") == NULL)
            continue;
        struct backtest_result *r =
            random_run(&w, seed, RANDOM_ALL, &q,
                       ",\"spin_offs\":\"keep\",\"attribution\":true,\"verify\":{\"cuts\":2}");
        const struct sim_recorder *l = &r->ledger;
        size_t last = r->panel->n_sessions - 1;
        double scale = q.capital + l->contributed + l->withdrawn + fabs(l->gain);
        random_assert(fabs(sim_residual(l, q.capital, r->wealth[last])) <= 1e-12 * scale, seed, &q);
        random_assert(r->trust->prefix.holds, seed, &q);
        bool is_received = false;
        for (size_t i = 0; i < l->n_trades; i++)
            is_received = is_received || l->trades[i].reason == SIM_SPIN_OFF;
        n_received += is_received ? 1 : 0;
        bool is_plain = strstr(q.rest, "flows") == NULL && strstr(q.rest, "financing") == NULL &&
                        strstr(q.rest, "leverage") == NULL && strstr(q.rest, "round") == NULL &&
                        strstr(q.rest, "expense") == NULL;
        if (is_plain && is_received && r->attribution->gap == ATTRIBUTION_KNOWN) {
            random_assert(fabs(r->attribution->other) < 1e-10, seed, &q);
            n_attributed++;
            for (size_t e = 0; l->fractions != NULL && e < r->panel->n_events; e++)
                n_fractions += fabs(l->fractions[e]) > 0 ? 1 : 0;
        }
        world_clear(&w);
    }
    assert_true(n_received > 0 && n_attributed > 0);
    assert_true(n_fractions > 0 || random_rounds() < ROUNDS_THAT_MEET_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_shares_are_a_position),
        cmocka_unit_test(shares_that_are_listed_later_come_with_their_first_price),
        cmocka_unit_test(rebalance_sells_them_at_a_cost),
        cmocka_unit_test(band_around_nothing_decides_when_they_are_sold),
        cmocka_unit_test(fraction_of_a_share_is_cash_where_shares_are_whole),
        cmocka_unit_test(shares_of_an_asset_of_the_request_join_its_position),
        cmocka_unit_test(shares_that_bring_others_in_turn),
        cmocka_unit_test(received_shares_may_be_delisted),
        cmocka_unit_test(monkeys_keep_what_their_names_bring),
        cmocka_unit_test(brinson_counts_them_to_the_asset_that_brought_them),
        cmocka_unit_test(what_they_pay_on_that_day_is_for_others),
        cmocka_unit_test(shared_panel_gives_the_same_bits),
        cmocka_unit_test(only_raw_prices_know_what_was_received),
        cmocka_unit_test(value_is_conserved_when_they_are_received),
        cmocka_unit_test(accounts_close_and_nothing_looks_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
