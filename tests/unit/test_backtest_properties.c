/* test_backtest_properties.c - what must hold for any market and any request, on seeded random ones. */
#include "tests/unit/test_backtest_world.h"

enum { N_ASSETS = 6, N_ROUNDS = 12, N_BARS = 700 };

static const char *const names[] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F"};
static const char *const rebalances[] = {"never",   "daily",     "weekly",
                                         "monthly", "quarterly", "yearly"};

static void fill_market(struct world *w, uint64_t seed)
{
    world_init(w);
    for (size_t i = 0; i < N_ASSETS; i++) {
        struct price_series *s =
            world_add_walk(w, names[i], day(2010, 1, 4), N_BARS, seed * 100 + i, i == 0 ? 0 : 15);
        if (i == 5 && seed % 3 == 0) {
            s->delisted_on = s->date[400] + 1;
            s->delisting_return = -0.5;
        }
    }
}

struct request {
    double weight[N_ASSETS];
    size_t order[N_ASSETS];
    size_t n;
    double capital, bps;
    const char *rebalance, *fill;
    const char *extra;
};

static struct request random_request(uint64_t seed)
{
    struct request q = {.n = N_ASSETS, .capital = 10000, .extra = ""};
    struct rng rng;
    rng_init(&rng, seed, 1);
    for (size_t i = 0; i < N_ASSETS; i++) {
        q.order[i] = i;
        q.weight[i] = rng_next_unit(&rng);
    }
    q.bps = rng_next_below(&rng, 4) == 0 ? 0 : rng_next_unit(&rng) * 40;
    q.rebalance = rebalances[rng_next_below(&rng, 6)];
    q.fill = rng_next_below(&rng, 3) == 0 ? "same_close" : "next_close";
    return q;
}

static struct backtest_result *play(struct world *w, const struct request *q)
{
    char body[2048];
    int at = snprintf(body, sizeof body, "{\"assets\":[");
    for (size_t i = 0; i < q->n; i++)
        at += snprintf(body + at, sizeof body - (size_t)at, "%s{\"uid\":\"%s\",\"weight\":%.17g}",
                       i > 0 ? "," : "", names[q->order[i]], q->weight[q->order[i]]);
    (void)snprintf(
        body + at, sizeof body - (size_t)at,
        "],\"on_weight_sum\":\"normalize\",\"start\":\"2010-01-04\",\"end\":\"2012-06-29\","
        "\"capital\":%.17g,\"rebalance\":\"%s\",\"fill\":\"%s\",\"costs\":{"
        "\"commission_bps\":%.17g,\"slippage_bps\":3},\"monkeys\":{\"count\":5}%s}",
        q->capital, q->rebalance, q->fill, q->bps, q->extra);
    return world_run(w, body);
}

static void scaling_the_capital_scales_the_equity(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        struct backtest_result *one = play(&w, &q);
        q.capital *= 1024; /* a power of two: exact */
        struct backtest_result *two = play(&w, &q);
        for (size_t t = 0; t < one->panel->n_sessions; t++)
            assert_true(two->equity[t] == 1024 * one->equity[t]);
        world_clear(&w);
    }
}

static void order_of_the_assets_does_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        struct backtest_result *one = play(&w, &q);
        for (size_t i = 0; i < N_ASSETS; i++)
            q.order[i] = (i * 5 + 3) % N_ASSETS;
        struct backtest_result *two = play(&w, &q);
        assert_int_equal(one->panel->n_sessions, two->panel->n_sessions);
        for (size_t t = 0; t < one->panel->n_sessions; t++)
            assert_close(two->equity[t], one->equity[t], 1e-12);
        world_clear(&w);
    }
}

static void asset_with_weight_zero_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        q.n = N_ASSETS - 1;
        struct backtest_result *one = play(&w, &q);
        q.n = N_ASSETS;
        q.weight[N_ASSETS - 1] = 0;
        struct backtest_result *two = play(&w, &q);
        assert_memory_equal(one->equity, two->equity, one->panel->n_sessions * sizeof(double));
        world_clear(&w);
    }
}

static void splitting_an_asset_in_two_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        q.n = N_ASSETS - 1;
        struct backtest_result *one = play(&w, &q);
        struct str uid = w.series[5].uid;
        w.series[5] = w.series[0]; /* F becomes a twin of A */
        w.series[5].uid = uid;
        q.n = N_ASSETS;
        q.weight[5] = q.weight[0] * 0.3;
        q.weight[0] *= 0.7;
        struct backtest_result *two = play(&w, &q);
        for (size_t t = 0; t < one->panel->n_sessions; t++)
            assert_close(two->equity[t], one->equity[t], 1e-12);
        world_clear(&w);
    }
}

static void corrupting_the_future_moves_no_bit_of_the_past(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 3 * N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        q.extra = ",\"benchmark\":\"x:B\"";
        struct backtest_result *one = play(&w, &q);
        size_t cut = 20 + (size_t)(seed * 37) % 500;
        world_corrupt_future(&w, one->panel->clock[cut], seed);
        struct backtest_result *two = play(&w, &q);
        assert_memory_equal(one->equity, two->equity, (cut + 1) * sizeof(double));
        assert_memory_equal(one->drawdown, two->drawdown, (cut + 1) * sizeof(double));
        assert_memory_equal(one->benchmark, two->benchmark, (cut + 1) * sizeof(double));
        for (size_t i = 0; i < one->ledger.n_trades && one->ledger.trades[i].session <= cut; i++) {
            const struct sim_trade *a = &one->ledger.trades[i], *b = &two->ledger.trades[i];
            assert_int_equal(a->session, b->session);
            assert_int_equal(a->asset, b->asset);
            assert_true(a->value == b->value && a->quantity == b->quantity);
        }
        assert_true(one->equity[cut + 30] != two->equity[cut + 30]);
        world_clear(&w);
    }
}

static void costs_never_help_and_the_ledger_adds_up(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        struct backtest_result *r = play(&w, &q);
        double commission = 0, slippage = 0;
        for (size_t i = 0; i < r->ledger.n_trades; i++) {
            const struct sim_trade *t = &r->ledger.trades[i];
            commission += t->paid[COST_COMMISSION];
            slippage += t->paid[COST_SLIPPAGE];
            assert_true(t->quantity > 0 && t->value > 0);
            if (t->reason != SIM_DELISTING)
                assert_close(t->quantity * t->local_price * t->fx, t->value, 1e-12);
        }
        assert_true(commission == r->ledger.paid[COST_COMMISSION] &&
                    slippage == r->ledger.paid[COST_SLIPPAGE]);
        size_t last = r->panel->n_sessions - 1;
        assert_true(r->equity[last] <= r->gross_terminal * (1 + 1e-12));
        world_clear(&w);
    }
}

/* Cash, positions and trades tell one story: cash moves by exactly what was traded and paid. */
static void value_is_conserved_through_every_trade(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill_market(&w, seed);
        struct request q = random_request(seed);
        struct backtest_result *r = play(&w, &q);
        double cash = q.capital;
        for (size_t i = 0; i < r->ledger.n_trades; i++) {
            const struct sim_trade *t = &r->ledger.trades[i];
            cash += (t->is_buy ? -t->value : t->value) - t->paid[COST_COMMISSION] -
                    t->paid[COST_SLIPPAGE];
        }
        assert_true(fabs(cash - r->ledger.cash[r->panel->n_sessions - 1]) < 1e-8 * q.capital);
        world_clear(&w);
    }
}

static void equal_requests_give_equal_bits(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 4);
    struct request q = random_request(4);
    struct backtest_result *one = play(&w, &q), *two = play(&w, &q);
    assert_memory_equal(one->equity, two->equity, one->panel->n_sessions * sizeof(double));
    for (size_t i = 0; i < MEASURE_COUNT; i++)
        assert_true(one->measures[i].value == two->measures[i].value);
    world_clear(&w);
}

static void no_measure_is_ever_infinite(void **state)
{
    static const double flat[] = {5, 5, 5, 5, 5, 5}, up[] = {1, 2, 4, 8, 16, 32};
    static const double down[] = {32, 16, 8, 4, 2, 1}, two_days[] = {7, 9};
    const struct {
        const double *price;
        size_t n;
    } cases[] = {{flat, 6}, {up, 6}, {down, 6}, {two_days, 2}, {up, 3}, {down, 3}};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        world_init(&w);
        world_add_days(&w, "x:A", day(2020, 1, 1), cases[i].price, cases[i].n);
        struct backtest_result *r =
            world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"benchmark\":\"x:A\",\"fill\":"
                          "\"same_close\",\"monkeys\":{\"count\":3}}");
        for (size_t k = 0; k < MEASURE_COUNT; k++) {
            assert_true(isfinite(r->measures[k].value));
            assert_true(isfinite(r->benchmark_measures[k].value));
        }
        world_clear(&w);
    }
    struct world w;
    world_init(&w);
    world_add_days(&w, "x:A", day(2020, 1, 1), flat, 6);
    struct backtest_result *r = world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}]}");
    assert_int_equal(r->measures[MEASURE_sharpe].reason, REASON_NO_VARIATION);
    assert_int_equal(r->measures[MEASURE_calmar].reason, REASON_NO_DRAWDOWN);
    assert_int_equal(r->measures[MEASURE_win_rate].reason, REASON_NO_NONZERO);
    assert_int_equal(r->measures[MEASURE_beta].reason, REASON_NO_BENCHMARK);
    assert_true(r->measures[MEASURE_volatility].value == 0);
    world_clear(&w);
}

/* Conformance case cagr.leap (derived): 10 % from 2020-01-01 to 2021-01-01 is 10 % a year. */
static void leap_year_is_one_year(void **state)
{
    static const int32_t date[] = {18262, 18400, 18628};
    static const double price[] = {100, 105, 110};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", date, price, 3);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"fill\":\"same_close\",\"monkeys\":{\"count\":0}}");
    assert_close(r->measures[MEASURE_cagr].value, 0.1, 1e-12);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scaling_the_capital_scales_the_equity),
        cmocka_unit_test(order_of_the_assets_does_not_matter),
        cmocka_unit_test(asset_with_weight_zero_changes_nothing),
        cmocka_unit_test(splitting_an_asset_in_two_changes_nothing),
        cmocka_unit_test(corrupting_the_future_moves_no_bit_of_the_past),
        cmocka_unit_test(costs_never_help_and_the_ledger_adds_up),
        cmocka_unit_test(value_is_conserved_through_every_trade),
        cmocka_unit_test(equal_requests_give_equal_bits),
        cmocka_unit_test(no_measure_is_ever_infinite),
        cmocka_unit_test(leap_year_is_one_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
