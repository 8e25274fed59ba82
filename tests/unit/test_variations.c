/* test_variations.c - a request with other money, dividends, destinations and rates, beside the same runs alone. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/variations.h"

enum { N_BARS = 600 };

/* Two raw series with volumes and a dividend each quarter. */
static void fill(struct world *w)
{
    static const char *const uids[2] = {"x:A", "x:B"};
    world_init(w);
    for (size_t i = 0; i < 2; i++) {
        struct price_series *s = world_add_walk(w, uids[i], day(2010, 1, 4), N_BARS, 60 + i, 0);
        double *dividend = arena_array(&w->arena, N_BARS, sizeof *dividend);
        double *volume = arena_array(&w->arena, N_BARS, sizeof *volume);
        assert_true(dividend != NULL && volume != NULL);
        for (size_t t = 0; t < N_BARS; t++) {
            volume[t] = 10000 + (double)(t % 7) * 500;
            dividend[t] = t % 63 == 30 ? 0.5 : 0;
        }
        s->close = s->price;
        s->dividend = dividend;
        s->volume = volume;
    }
}

static const char *const members =
    "\"universe\":[\"x:A\",\"x:B\"],\"strategy\":\"equal\",\"start\":\"2010-03-01\",\"prices\":\"raw\","
    "\"monkeys\":{\"count\":0},\"flows\":[{\"amount\":%.17g,\"every\":\"month\"}],\"costs\":{\"commission\":{"
    "\"percent\":0.1,\"minimum\":5},\"slippage\":{\"model\":\"volume_share\"}}";

static struct backtest_result *play(struct world *w, double capital, const char *more)
{
    char body[1024];
    int at = snprintf(body, sizeof body, "{\"capital\":%.17g,", capital);
    at += snprintf(body + at, sizeof body - (size_t)at, members, capital / 100);
    (void)snprintf(body + at, sizeof body - (size_t)at, "%s}", more);
    return world_run(w, body);
}

static void a_curve_of_capacity_is_its_runs(void **state)
{
    static const double capital[4] = {1000, 10000, 1e6, 1e8};
    struct world w;
    (void)state;
    fill(&w);
    struct backtest_result *r = play(&w, 10000, ",\"capacity\":[1000,10000,1000000,100000000]");
    const struct variations_report *v = &r->trust->variations;
    assert_int_equal(v->n_capacity, 4);
    assert_false(v->has_modes);
    for (size_t i = 0; i < 4; i++) {
        struct backtest_result *alone = play(&w, capital[i], "");
        const struct variation *row = &v->capacity[i];
        size_t last = alone->panel->n_sessions - 1;
        assert_true(row->capital == capital[i]);
        assert_close(row->cagr.value, alone->measures[MEASURE_cagr].value, 1e-12);
        assert_close(row->terminal_wealth, alone->wealth[last], 1e-12);
        assert_close(row->drag, alone->gross_terminal - alone->wealth[last], 1e-9);
        assert_int_equal(row->n_partial_fills, alone->ledger.n_partial_fills);
    }
    assert_close(v->capacity[1].cagr.value, r->measures[MEASURE_cagr].value, 1e-15);
    /* Minimum fees weigh on the smallest, volume on the largest. */
    assert_true(v->capacity[0].cagr.value < v->capacity[1].cagr.value);
    assert_true(v->capacity[0].cost_ratio.value > v->capacity[1].cost_ratio.value);
    assert_true(v->capacity[3].n_partial_fills > 0 && v->capacity[1].n_partial_fills == 0);
    world_clear(&w);
}

static void uses_of_dividends_stand_side_by_side(void **state)
{
    static const char *const modes[3] = {",\"dividends\":\"reinvest\"", ",\"dividends\":\"cash\"",
                                         ",\"dividends\":\"drop\""};
    struct world w;
    (void)state;
    fill(&w);
    struct backtest_result *r = play(&w, 10000, ",\"dividend_modes\":true,\"dividends\":\"cash\"");
    const struct variations_report *v = &r->trust->variations;
    assert_true(v->has_modes && v->n_capacity == 0);
    for (size_t i = 0; i < 3; i++) {
        struct backtest_result *alone = play(&w, 10000, modes[i]);
        assert_close(v->mode[i].total_return.value, alone->measures[MEASURE_total_return].value,
                     1e-12);
        assert_true(v->mode[i].dividends == alone->spec->dividends);
    }
    assert_true(v->mode[1].income_yield.value > 0.005);
    assert_true(v->mode[2].total_return.value < v->mode[0].total_return.value);
    assert_true(v->mode[2].total_return.value < v->mode[1].total_return.value);
    assert_true(v->mode[0].income_yield.value <= 0 && v->mode[2].income_yield.value <= 0);
    world_clear(&w);
}

/* Going to the edge trades less, more often. */
static void destinations_stand_side_by_side_with_what_they_save(void **state)
{
    static const char *const names[3] = {"target", "edge", "halfway"};
    struct world w;
    (void)state;
    fill(&w);
    struct backtest_result *r = play(
        &w, 100000,
        ",\"rebalance\":{\"bands\":{\"absolute\":0.03}},\"destination_modes\":true,\"dividends\":\"cash\"");
    const struct variation *row = r->trust->variations.destination;
    assert_true(r->trust->variations.has_destinations && !r->trust->variations.has_modes);
    for (size_t i = 0; i < 3; i++) {
        char rest[256];
        (void)snprintf(rest, sizeof rest,
                       ",\"rebalance\":{\"bands\":{\"absolute\":0.03},\"destination\":\"%s\"},"
                       "\"dividends\":\"cash\"",
                       names[i]);
        struct backtest_result *alone = play(&w, 100000, rest);
        assert_int_equal(row[i].destination, i);
        assert_close(row[i].cagr.value, alone->measures[MEASURE_cagr].value, 1e-12);
        assert_close(row[i].costs, sim_costs_paid(&alone->ledger), 1e-12);
        assert_close(row[i].turnover, alone->ledger.turnover, 1e-12);
        assert_int_equal(row[i].n_rebalances, alone->ledger.n_rebalances);
    }
    assert_true(row[DESTINATION_EDGE].turnover < row[DESTINATION_TARGET].turnover);
    assert_true(row[DESTINATION_EDGE].n_rebalances > row[DESTINATION_TARGET].n_rebalances);
    world_clear(&w);
}

/* A in won: 10 % and then 20 % up at home, while the won falls from 1,000 to 1,250 for one dollar. */
static void local_returns_are_those_at_the_first_rates(void **state)
{
    static const double price[3] = {1000, 1100, 1320}, krw[4] = {1100, 1100, 1210, 1375},
                        usd[4] = {1.1, 1.1, 1.1, 1.1};
    static const int32_t date[4] = {17999, 18000, 18001, 18002};
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add(&w, "x:A", "KRW", date + 1, price, 3);
    world_add_fx(&w, "KRW", date, krw, 4);
    world_add_fx(&w, "USD", date, usd, 4);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"fill\":\"same_close\",\"verify\":{\"cuts\":1},"
            "\"currency_modes\":true,\"monkeys\":{\"count\":0}}");
    const struct variation *row = r->trust->variations.currency;
    assert_int_equal(r->trust->variations.n_currencies, 2);
    assert_close(row[0].total_return.value, 1.32 / 1.25 - 1, 1e-12);
    assert_close(row[0].total_return.value, r->measures[MEASURE_total_return].value, 1e-15);
    assert_close(row[1].total_return.value, 0.32, 1e-12);
    assert_close(row[1].terminal_wealth, 13200, 1e-12);
    world_clear(&w);
}

static void requests_name_what_is_wrong(void **state)
{
    static const struct {
        const char *members, *pointer;
        enum status status;
    } cases[] = {
        {"\"capacity\":5", "/capacity", STATUS_WRONG_TYPE},
        {"\"capacity\":[]", "/capacity", STATUS_OUT_OF_RANGE},
        {"\"capacity\":[1000,0]", "/capacity/1", STATUS_OUT_OF_RANGE},
        {"\"capacity\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]", "/capacity",
         STATUS_OUT_OF_RANGE},
        {"\"prices\":\"raw\",\"dividend_modes\":1", "/dividend_modes", STATUS_WRONG_TYPE},
        {"\"dividend_modes\":true", "/dividend_modes", STATUS_BAD_SPEC},
        {"\"destination_modes\":true", "/destination_modes", STATUS_BAD_SPEC},
        {"\"rebalance\":{\"bands\":{\"absolute\":0.1}},\"destination_modes\":\"edge\"",
         "/destination_modes", STATUS_WRONG_TYPE},
        {"\"currency_modes\":1", "/currency_modes", STATUS_WRONG_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char body[256];
        (void)snprintf(body, sizeof body, "{\"universe\":[\"x:A\"],%s}", cases[i].members);
        assert_refused(body, cases[i].status, cases[i].pointer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_curve_of_capacity_is_its_runs),
        cmocka_unit_test(uses_of_dividends_stand_side_by_side),
        cmocka_unit_test(destinations_stand_side_by_side_with_what_they_save),
        cmocka_unit_test(local_returns_are_those_at_the_first_rates),
        cmocka_unit_test(requests_name_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
