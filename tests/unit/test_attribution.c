/* test_attribution.c - contributions that add up, exchange rates apart, risks that add to one; concentration. */
#include "backtest/attribution.h"
#include "backtest/brinson.h"
#include "backtest/concentration.h"
#include "tests/unit/test_backtest_world.h"
#include "tests/support/conformance.h"

/* Carino's linking of given weights and returns, rows of one period each. Returns the whole return. */
static double link_periods(const double *weight, const double *r, size_t n_periods, size_t n_assets,
                           double *ret_linked)
{
    double growth = 1;
    for (size_t i = 0; i < n_assets; i++)
        ret_linked[i] = 0;
    for (size_t t = 0; t < n_periods; t++) {
        double sum = 0;
        for (size_t i = t * n_assets; i < (t + 1) * n_assets; i++)
            sum += weight[i] * r[i];
        growth *= 1 + sum;
        for (size_t i = 0; i < n_assets; i++)
            ret_linked[i] +=
                attribution_factor(sum) * weight[t * n_assets + i] * r[t * n_assets + i];
    }
    for (size_t i = 0; i < n_assets; i++)
        ret_linked[i] /= attribution_factor(growth - 1);
    return growth - 1;
}

static void periods_link_to_the_compounded_total(void **state)
{
    struct conformance c;
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "attribution", &i, &one);) {
        struct json_val weights = jr_member(one.inputs, "weights");
        struct json_val returns = jr_member(one.inputs, "returns");
        size_t n_periods = jr_length(weights);
        size_t n_assets = n_periods > 0 ? jr_length(jr_item(weights, 0)) : 0, n;
        if (n_assets == 0 || jr_length(returns) != n_periods)
            continue;
        n = n_assets * n_periods;
        double *room = arena_array(&c.arena, 2 * n + n_assets + n_periods, sizeof *room);
        assert_non_null(room);
        double *w = room, *r = w + n, *linked = r + n, *portfolio = linked + n_assets;
        for (size_t k = 0; k < n; k++) {
            size_t t = k / n_assets;
            w[k] = conformance_item(jr_item(weights, t), k % n_assets);
            r[k] = conformance_item(jr_item(returns, t), k % n_assets);
            portfolio[t] = (k % n_assets == 0 ? 0 : portfolio[t]) + w[k] * r[k];
        }
        double total = link_periods(w, r, n_periods, n_assets, linked);
        conformance_check(&one, "total", total);
        conformance_check_list(&one, "portfolio", portfolio, n_periods);
        conformance_check_list(&one, "linked", linked, n_assets);
    }
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

/* Long and short in two classes, rebalanced: what assets and classes weigh is the exposure of the whole. */
static void weights_of_classes_add_up_to_the_exposure(void **state)
{
    double price[3][300];
    static const char *const uids[] = {"x:A", "y:B", "x:C"};
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t a = 0; a < 3; a++) {
        for (size_t t = 0; t < 300; t++)
            price[a][t] = 100 + 0.05 * (double)(t * a) + 8 * sin((double)(t * (a + 2)) * 0.3);
        world_add_days(&w, uids[a], 18000, price[a], 300);
    }
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.9},{\"uid\":\"y:B\",\"weight\":0.5},"
        "{\"uid\":\"x:C\",\"weight\":-0.4}],\"leverage\":{\"max_gross\":2},\"attribution\":true,"
        "\"rebalance\":\"monthly\",\"costs\":{\"commission_bps\":10},\"monkeys\":{\"count\":0}}");
    const struct attribution *a = r->attribution;
    double net = 0, gross = 0;
    assert_int_equal(a->n_classes, 2);
    assert_true(str_eq_c(a->class[0].name, "x") && str_eq_c(a->class[1].name, "y"));
    for (size_t i = 0; i < 3; i++) {
        net += a->asset[i].mean_weight;
        gross += a->asset[i].mean_gross;
    }
    assert_close(net, r->measures[MEASURE_exposure].value, 1e-12);
    assert_close(gross, r->measures[MEASURE_average_gross_exposure].value, 1e-12);
    assert_close(a->class[0].sum.mean_gross, a->asset[0].mean_gross + a->asset[2].mean_gross,
                 1e-14);
    assert_close(a->class[0].sum.mean_weight, a->asset[0].mean_weight - a->asset[2].mean_gross,
                 1e-14);
    assert_close(a->class[1].sum.contribution, a->asset[1].contribution, 1e-14);
    assert_close(a->class[0].final_weight, r->final_weight[0] + r->final_weight[2], 1e-14);
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

/*
 * C. Bacon, "Practical Portfolio Performance Measurement and Attribution", 2nd ed., 2008, ch. 5: UK, Japan and US equities at
 * 40, 30 and 30 % against 40, 20 and 40 %, returning 20, -5 and 6 % against 10, -4 and 8 %. The portfolio and the
 * benchmark hold different assets of each country.
 */
static const char *const bacon_request =
    "{\"assets\":[{\"uid\":\"x:A\",\"group\":\"UK\"},{\"uid\":\"x:B\",\"group\":\"Japan\"},{\"uid\":\"x:C\","
    "\"group\":\"US\"},{\"uid\":\"x:D\",\"group\":\"UK\"},{\"uid\":\"x:E\",\"group\":\"Japan\"},{\"uid\":\"x:F\","
    "\"group\":\"US\"}],\"fill\":\"same_close\",\"monkeys\":{\"count\":0},\"strategy\":{\"name\":\"weight_table\",\"rows\":"
    "[{\"date\":\"2010-01-01\",\"weights\":{\"x:A\":0.4,\"x:B\":0.3,\"x:C\":0.3}}]},\"attribution\":{\"by\":\"group\","
    "\"benchmark\":{\"x:D\":0.4,\"x:E\":0.2,\"x:F\":0.4}}}";

static void one_session_is_the_table_of_the_textbook(void **state)
{
    static const double end[6] = {120, 95, 106, 110, 96, 108};
    static const double effects[3][3] = {
        {0, 0.04, 0}, {-0.0104, -0.002, -0.001}, {-0.0016, -0.008, 0.002}};
    static const char *const uids[6] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F"};
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < 6; i++) {
        double price[2] = {100, end[i]};
        world_add_days(&w, uids[i], day(2010, 3, 1), price, 2);
    }
    const struct brinson *b = world_run(&w, bacon_request)->attribution->brinson;
    assert_non_null(b);
    assert_close(b->benchmark_return, 0.064, 1e-12);
    assert_close(b->active_return, 0.019, 1e-12);
    assert_int_equal(b->n, 3);
    assert_true(str_eq_c(b->group[1].name, "Japan"));
    for (size_t g = 0; g < 3; g++) {
        assert_true(fabs(b->group[g].allocation - effects[g][0]) < 1e-14);
        assert_true(fabs(b->group[g].selection - effects[g][1]) < 1e-14);
        assert_true(fabs(b->group[g].interaction - effects[g][2]) < 1e-14);
    }
    assert_true(fabs(b->cash) < 1e-14 && fabs(b->other) < 1e-14);
    world_clear(&w);
}

/* Costs, cash, flows and bands over two years: the effects add up to the difference of the returns. */
static void effects_add_up_to_the_active_return(void **state)
{
    struct world w;
    double sum = 0;
    (void)state;
    world_init(&w);
    static const char *const uids[3] = {"x:A", "x:B", "x:C"};
    for (size_t i = 0; i < 3; i++)
        (void)world_add_walk(&w, uids[i], day(2010, 1, 4), 500, 40 + i, 30);
    struct backtest_result *r = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5,\"group\":\"g\"},{\"uid\":\"x:B\",\"weight\":0.2,\"group\":"
        "\"g\"},{\"uid\":\"x:C\",\"weight\":0.1}],\"on_weight_sum\":\"cash\",\"costs\":{\"commission_bps\":20},"
        "\"financing\":{\"cash_rate\":2},\"flows\":[{\"amount\":100,\"every\":\"month\"}],\"monkeys\":{\"count\":0},"
        "\"attribution\":{\"by\":\"group\",\"benchmark\":{\"x:A\":0.3,\"x:B\":0.3,\"x:C\":0.4}}}");
    const struct brinson *b = r->attribution->brinson;
    double growth = 1;
    for (size_t t = 1; t < r->panel->n_sessions; t++) {
        double now = 0;
        for (size_t a = 0; a < 3; a++)
            now += (a == 2 ? 0.4 : 0.3) * (r->panel->price[panel_cell(r->panel, a, t)] /
                                           r->panel->price[panel_cell(r->panel, a, t - 1)]);
        growth *= now;
    }
    assert_close(b->benchmark_return, growth - 1, 1e-10);
    assert_int_equal(b->n, 2);
    assert_true(str_eq_c(b->group[1].name, "x:C"));
    for (size_t g = 0; g < b->n; g++)
        sum += b->group[g].allocation + b->group[g].selection + b->group[g].interaction;
    assert_true(fabs(sum + b->cash + b->other - b->active_return) < 1e-12);
    assert_close(b->active_return, r->measures[MEASURE_total_return].value - b->benchmark_return,
                 1e-10);
    assert_true(fabs(b->cash) > 1e-3 && fabs(b->other) > 1e-4);
    world_clear(&w);
}

static void benchmarks_that_cannot_be_held_are_refused(void **state)
{
    static const struct {
        const char *attribution, *pointer;
        enum status status;
    } cases[] = {
        {"3", "/attribution", STATUS_WRONG_TYPE},
        {"{}", "/attribution/benchmark", STATUS_WRONG_TYPE},
        {"{\"benchmark\":{\"x:A\":0.5}}", "/attribution/benchmark", STATUS_BAD_WEIGHTS},
        {"{\"benchmark\":{\"x:Z\":1}}", "/attribution/benchmark/x:Z", STATUS_BAD_SPEC},
        {"{\"benchmark\":{\"x:B\":1}}", "/attribution/benchmark", STATUS_BAD_SPEC},
        {"{\"benchmark\":{\"x:A\":1},\"by\":\"country\"}", "/attribution/by", STATUS_OUT_OF_RANGE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1},{\"uid\":\"x:B\",\"weight\":0}],"
            "\"attribution\":%s}",
            cases[i].attribution);
        assert_refused(body, cases[i].status, cases[i].pointer);
    }
}

/*
 * 11 shares at 90; three for two makes them 16.5, of which the half is paid 60, the close before by the ratio; 16 are then
 * worth 62 and 70 each. In won at rates of 1,000, 1,000 and 1,100 for a dollar the last move alone has them in it.
 */
static void fraction_that_a_split_leaves_belongs_to_its_asset(void **state)
{
    static const double close[] = {90, 62, 70}, split[] = {1, 1.5, 1}, usd[] = {1, 1, 1},
                        krw[] = {1000, 1000, 1100};
    static const int32_t date[] = {18000, 18001, 18002};
    static const char *const currency[] = {"USD", "KRW"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        char body[512];
        world_init(&w);
        struct price_series *s = world_add_days(&w, "x:A", 18000, close, 3);
        s->close = s->price;
        s->split = split;
        world_add_fx(&w, "USD", date, usd, 3);
        world_add_fx(&w, "KRW", date, krw, 3);
        (void)snprintf(
            body, sizeof body,
            "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":%s,\"currency\":\"%s\",\"prices\":"
            "\"raw\",\"fill\":\"same_close\",\"rebalance\":\"never\",\"shares\":\"whole\","
            "\"monkeys\":{\"count\":0},\"attribution\":{\"benchmark\":{\"x:A\":1}}}",
            i == 0 ? "1000" : "1000000", currency[i]);
        struct backtest_result *r = world_run(&w, body);
        const struct attribution *a = r->attribution;
        double growth = i == 0 ? 1.16 : (16 * 70 * 1100 + 40 * 1000) / 1e6;
        assert_close(r->equity[2] / r->equity[0], growth, 1e-12);
        assert_close(a->asset[0].contribution, growth - 1, 1e-12);
        assert_true(fabs(a->other) < 1e-14 && fabs(a->brinson->other) < 1e-14);
        double value = i == 0 ? 16 * 70 : 16 * 70 * 1.1; /* thousands of won */
        assert_close(a->asset[0].mean_weight, (16 * 62 / 1032.0 + value / (1000 * growth)) / 2,
                     1e-12);
        double whole = log(growth) / (growth - 1), last = 16 * 70 * 0.1 / 1032;
        double factor = log(growth / 1.032) / (growth / 1.032 - 1) / whole;
        assert_true(fabs(a->asset[0].fx - (i == 0 ? 0 : factor * last)) < 1e-12);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fraction_that_a_split_leaves_belongs_to_its_asset),
        cmocka_unit_test(one_session_is_the_table_of_the_textbook),
        cmocka_unit_test(effects_add_up_to_the_active_return),
        cmocka_unit_test(benchmarks_that_cannot_be_held_are_refused),
        cmocka_unit_test(periods_link_to_the_compounded_total),
        cmocka_unit_test(the_linking_factor_is_continuous_at_zero),
        cmocka_unit_test(one_asset_without_costs_contributes_everything),
        cmocka_unit_test(exchange_rates_are_told_apart),
        cmocka_unit_test(contributions_and_costs_add_up_to_the_return),
        cmocka_unit_test(weights_of_classes_add_up_to_the_exposure),
        cmocka_unit_test(weights_are_concentrated_as_counted_by_hand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
