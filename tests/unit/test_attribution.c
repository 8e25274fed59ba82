/* test_attribution.c - contributions that add up, exchange rates apart, risks that add to one; concentration. */
#include "backtest/attribution.h"
#include "backtest/concentration.h"
#include "tests/unit/test_backtest_world.h"
#include "tests/support/conformance.h"

static void two_periods_link_to_the_compounded_total(void **state)
{
    struct conformance c;
    double w[4], r[4], linked[2];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "attribution.two_period");
    for (size_t t = 0; t < 2; t++) {
        struct json_val weights = jr_item(jr_member(one.inputs, "weights"), t);
        struct json_val returns = jr_item(jr_member(one.inputs, "returns"), t);
        memcpy(w + 2 * t, conformance_series(&c, weights, NULL).value, 2 * sizeof *w);
        memcpy(r + 2 * t, conformance_series(&c, returns, NULL).value, 2 * sizeof *r);
    }
    double total = attribution_link(w, r, 2, 2, linked);
    struct conformance_series wanted =
        conformance_series(&c, jr_member(one.expected, "linked"), NULL);
    conformance_check(&one, "total", total);
    for (size_t i = 0; i < 2; i++)
        assert_true(conformance_agrees(&one, wanted.value[i], linked[i]));
    conformance_close(&c);
}

static void the_linking_factor_is_continuous_at_zero(void **state)
{
    (void)state;
    assert_true(attribution_factor(0) == 1);
    for (double r = -0.5; r < 0.5; r += 0.013)
        assert_true(fabs(attribution_factor(r) - (fabs(r) > 0 ? log1p(r) / r : 1)) < 1e-12);
    assert_true(fabs(attribution_factor(9.9e-5) - log1p(9.9e-5) / 9.9e-5) < 1e-15);
    assert_true(fabs(attribution_factor(-1.01e-4) - log1p(-1.01e-4) / -1.01e-4) < 1e-11);
}

static double sum_of(const struct attribution *a)
{
    double sum = a->other;
    for (size_t i = 0; i < a->n; i++)
        sum += a->asset[i].contribution + a->asset[i].costs;
    return sum;
}

static void one_asset_without_costs_contributes_everything(void **state)
{
    static const double a[] = {100, 110, 99, 120};
    struct world w;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, a, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"fill\":\"same_close\",\"attribution\":true,"
            "\"monkeys\":{\"count\":0}}");
    assert_non_null(r->attribution);
    assert_close(r->attribution->asset[0].contribution, 0.2, 1e-14);
    assert_true(fabs(r->attribution->other) < 1e-14);
    assert_close(r->attribution->asset[0].risk, 1, 1e-12);
    assert_close(r->attribution->diversification_ratio, 1, 1e-12);
    assert_close(r->measures[MEASURE_largest_weight].value, 1, 1e-12);
    assert_close(r->measures[MEASURE_concentration].value, 1, 1e-12);
    world_clear(&w);
}

static void exchange_rates_are_told_apart(void **state)
{
    static const double usd[] = {100, 110, 121}, flat[] = {100, 100, 100},
                        eurkrw[] = {1200, 1140, 1254}, eurusd[] = {1, 1, 1};
    static const int32_t date[] = {18000, 18001, 18002};
    struct world w;
    (void)state;
    world_init(&w);
    world_add(&w, "x:A", "USD", date, usd, 3);
    world_add(&w, "x:B", "USD", date, flat, 3);
    world_add_fx(&w, "KRW", date, eurkrw, 3);
    world_add_fx(&w, "USD", date, eurusd, 3);
    static const char *const uids[] = {"x:A", "x:B"};
    for (size_t i = 0; i < 2; i++) {
        char body[256];
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"%s\"}],\"currency\":\"KRW\",\"fill\":\"same_close\","
            "\"attribution\":true,\"monkeys\":{\"count\":0}}",
            uids[i]);
        const struct attribution *a = world_run(&w, body)->attribution;
        assert_close(a->asset[0].contribution, i == 0 ? 0.26445 : 0.045, 1e-12);
        if (i == 1)
            assert_close(a->asset[0].fx, 0.045, 1e-12); /* the price does not move */
        else
            assert_true(a->asset[0].fx > 0.03 && a->asset[0].fx < 0.07);
    }
    world_clear(&w);
}

/* Costs, monthly rebalances, three assets: everything adds up and little is left over. */
static void contributions_and_costs_add_up_to_the_return(void **state)
{
    double price[3][800];
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t a = 0; a < 3; a++) {
        price[a][0] = 100;
        for (size_t t = 1; t < 800; t++)
            price[a][t] = price[a][t - 1] *
                          (1 + 0.0004 + 0.012 * sin((double)(t * (a + 3)) * 0.7 + (double)a));
        static const char *const uids[] = {"x:A", "x:B", "x:C"};
        world_add_days(&w, uids[a], 18000, price[a], 800);
    }
    struct backtest_result *r = world_run(
        &w, "{\"universe\":[\"x:A\",\"x:B\",\"x:C\"],\"strategy\":\"equal\",\"attribution\":true,"
            "\"costs\":{\"commission_bps\":10,\"slippage_bps\":5},\"monkeys\":{\"count\":0}}");
    const struct attribution *a = r->attribution;
    double costs = 0, risk = 0;
    assert_close(sum_of(a), r->measures[MEASURE_total_return].value, 1e-12);
    assert_true(fabs(a->other) < 1e-10);
    for (size_t i = 0; i < 3; i++) {
        costs += a->asset[i].costs;
        risk += a->asset[i].risk;
        assert_true(a->asset[i].costs < 0 && fabs(a->asset[i].fx) < 1e-15);
    }
    assert_true(costs < -0.001);
    assert_close(risk, 1, 1e-12);
    assert_true(a->diversification_ratio > 1);
    world_clear(&w);
}

static void weights_are_concentrated_as_counted_by_hand(void **state)
{
    static const double w[] = {0.1, -0.3, 0.2, 0.05, 0.4, 0.15, 0.02};
    struct concentration c = concentration_of(w, 7);
    (void)state;
    assert_close(c.largest, 0.4, 0);
    assert_close(c.top, 0.4 + 0.3 + 0.2 + 0.15 + 0.1, 1e-15);
    assert_close(c.gross, 1.22, 1e-15);
    assert_close(c.net, 0.62, 1e-15);
    assert_true(concentration_of(NULL, 0).largest == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_periods_link_to_the_compounded_total),
        cmocka_unit_test(the_linking_factor_is_continuous_at_zero),
        cmocka_unit_test(one_asset_without_costs_contributes_everything),
        cmocka_unit_test(exchange_rates_are_told_apart),
        cmocka_unit_test(contributions_and_costs_add_up_to_the_return),
        cmocka_unit_test(weights_are_concentrated_as_counted_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
