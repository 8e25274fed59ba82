/* test_backtest_portfolio.c - portfolios as assets of a portfolio. */
#include "tests/unit/test_backtest_world.h"

static const char *const names[] = {"x:A", "x:B", "x:C", "x:D"};

static void fill(struct world *w, uint32_t gap)
{
    world_init(w);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)world_add_walk(w, names[i], day(2015, 1, 1), 300, i + 1, i == 0 ? 0 : gap);
}

static const char *const nested =
    "{\"assets\":[{\"portfolio\":{\"name\":\"core\",\"assets\":[{\"uid\":\"x:A\",\"weight\":0.6},{\"uid\":\"x:B\","
    "\"weight\":0.4}],\"rebalance\":\"weekly\"},\"weight\":0.7},{\"uid\":\"x:C\",\"weight\":0.3}],\"fill\":"
    "\"same_close\",\"rebalance\":\"monthly\",\"monkeys\":{\"count\":5}%s}";

static void line_of_a_portfolio_is_an_asset_of_the_outer_one(void **state)
{
    struct world w;
    char body[1024];
    (void)state;
    fill(&w, 0);
    (void)snprintf(body, sizeof body, nested, "");
    struct backtest_result *outer = world_run(&w, body);
    struct backtest_result *core = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.6},{\"uid\":\"x:B\",\"weight\":0.4}],\"fill\":"
        "\"same_close\",\"rebalance\":\"weekly\",\"monkeys\":{\"count\":0}}");
    size_t n = core->panel->n_sessions;
    double *line = arena_array(&w.arena, n, sizeof *line);
    assert_non_null(line);
    memcpy(line, core->equity, n * sizeof *line);
    (void)world_add(&w, "x:LINE", "USD", core->panel->clock, line, n);
    struct backtest_result *flat = world_run(
        &w,
        "{\"assets\":[{\"uid\":\"x:LINE\",\"weight\":0.7},{\"uid\":\"x:C\",\"weight\":0.3}],\"fill\":"
        "\"same_close\",\"rebalance\":\"monthly\",\"monkeys\":{\"count\":0}}");
    assert_int_equal(outer->panel->n_sessions, n);
    assert_memory_equal(outer->equity, flat->equity, n * sizeof(double));
    assert_true(str_eq_c(outer->panel->assets[0].series->uid, "portfolio:core"));
    assert_int_equal(outer->monkeys.count, 5);
    world_clear(&w);
}

/* Inside pays for its own trades in its line; the outer ledger has the outer trades alone. */
static void costs_inside_are_counted_once(void **state)
{
    struct world w;
    char body[1024];
    (void)state;
    fill(&w, 0);
    (void)snprintf(body, sizeof body, nested, ",\"costs\":{\"commission_bps\":50}");
    struct backtest_result *r = world_run(&w, body);
    size_t last = r->panel->n_sessions - 1;
    assert_true(fabs(sim_residual(&r->ledger, 10000, r->wealth[last])) < 1e-8);
    double paid = 0;
    for (size_t i = 0; i < r->ledger.n_trades; i++)
        paid += 0.005 * r->ledger.trades[i].value;
    assert_close(sim_costs_paid(&r->ledger), paid, 1e-12);
    (void)snprintf(body, sizeof body, nested, "");
    struct backtest_result *free = world_run(&w, body);
    assert_true(r->gross_terminal < free->wealth[last]); /* gross of the outer trades only */
    world_clear(&w);
}

static void portfolio_is_already_invested_when_the_outer_one_starts(void **state)
{
    struct world w;
    char body[1024];
    (void)state;
    fill(&w, 7);
    (void)snprintf(body, sizeof body, nested, ",\"start\":\"2015-07-01\",\"end\":\"2015-12-01\"");
    struct backtest_result *r = world_run(&w, body);
    assert_int_equal(r->panel->clock[0], day(2015, 7, 1));
    assert_true(r->panel->assets[0].series->date[0] < day(2015, 7, 1));
    world_clear(&w);
}

static void future_of_a_portfolio_inside_moves_no_bit_of_the_past(void **state)
{
    struct world w;
    char body[1024];
    (void)state;
    for (size_t cut = 60; cut < 280; cut += 11) {
        fill(&w, 9);
        (void)snprintf(body, sizeof body, nested, ",\"costs\":{\"slippage_bps\":20}");
        struct backtest_result *one = world_run(&w, body);
        for (size_t i = 0; i < w.market.n_series; i++) {
            struct price_series *s = &w.series[i];
            double *price = arena_array(&w.arena, s->n, sizeof *price);
            assert_non_null(price);
            for (size_t k = 0; k < s->n; k++)
                price[k] =
                    s->price[k] * (s->date[k] > one->panel->clock[cut] ? 1 + 0.01 * (double)k : 1);
            s->price = price;
        }
        struct backtest_result *two = world_run(&w, body);
        assert_memory_equal(one->equity, two->equity, (cut + 1) * sizeof(double));
        assert_true(fabs(one->equity[cut + 5] - two->equity[cut + 5]) > 0);
        world_clear(&w);
    }
}

/* levels portfolios in one another, the innermost of one asset. */
static const char *deep(char *room, size_t size, int levels)
{
    size_t at = (size_t)snprintf(room, size, "{\"monkeys\":{\"count\":0},\"assets\":[");
    for (int i = 0; i < levels; i++)
        at += (size_t)snprintf(room + at, size - at,
                               "{\"portfolio\":{\"name\":\"p%d\",\"assets\":[", i);
    at += (size_t)snprintf(room + at, size - at, "{\"uid\":\"x:A\"}");
    for (int i = 0; i < levels; i++)
        at += (size_t)snprintf(room + at, size - at, "]}}");
    (void)snprintf(room + at, size - at, "]}");
    return room;
}

static void four_levels_pass_and_a_fifth_does_not(void **state)
{
    struct world w;
    struct spec *spec = NULL;
    struct err err = {0};
    char room[1024];
    (void)state;
    fill(&w, 0);
    struct backtest_result *r = world_run(&w, deep(room, sizeof room, 4));
    assert_true(r->panel->n_sessions > 250);
    assert_int_equal(spec_parse(str_of(deep(room, sizeof room, 5)), &w.arena, &spec, &err),
                     STATUS_OUT_OF_RANGE);
    world_clear(&w);
}

static void five_hundred_instruments_in_all_pass_and_one_more_does_not(void **state)
{
    static char room[64000];
    (void)state;
    for (int each = 250; each <= 251; each++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        size_t at = (size_t)snprintf(room, sizeof room, "{\"assets\":[");
        for (int p = 0; p < 2; p++) {
            at += (size_t)snprintf(room + at, sizeof room - at,
                                   "%s{\"portfolio\":{\"name\":\"p%d\",\"assets\":[",
                                   p > 0 ? "," : "", p);
            for (int i = 0; i < each; i++)
                at += (size_t)snprintf(room + at, sizeof room - at, "%s{\"uid\":\"x:A%d\"}",
                                       i > 0 ? "," : "", i);
            at += (size_t)snprintf(room + at, sizeof room - at, "]}}");
        }
        (void)snprintf(room + at, sizeof room - at, "]}");
        world_init(&w);
        assert_int_equal(spec_parse(str_of(room), &w.arena, &spec, &err),
                         each == 250 ? STATUS_OK : STATUS_OUT_OF_RANGE);
        world_clear(&w);
    }
}

static void what_is_wrong_inside_is_named(void **state)
{
    static const struct {
        const char *asset, *pointer;
    } cases[] = {
        {"{\"portfolio\":{\"name\":\"a b\",\"assets\":[{\"uid\":\"x:A\"}]}}",
         "/assets/0/portfolio/name"},
        {"{\"portfolio\":{\"name\":\"a\",\"assets\":[{\"uid\":\"x\"}]}}",
         "/assets/0/portfolio/assets/0/uid"},
        {"{\"portfolio\":{\"name\":\"a\",\"assets\":[]}}", "/assets/0/portfolio/assets"},
        {"{\"uid\":\"x:A\",\"portfolio\":{}}", "/assets/0/portfolio"},
        {"{\"portfolio\":{\"name\":\"a\",\"asset\":[]}}", "/assets/0/portfolio/asset"},
        {"{\"portfolio\":{\"name\":\"a\",\"assets\":[{\"uid\":\"x:A\"}],\"rebalance\":\"hourly\"}}",
         "/assets/0/portfolio/rebalance"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        char room[1024];
        world_init(&w);
        (void)snprintf(room, sizeof room, "{\"assets\":[%s]}", cases[i].asset);
        enum status s = spec_parse(str_of(room), &w.arena, &spec, &err);
        if (s == STATUS_OK || strcmp(err.name, cases[i].pointer) != 0)
            fail_msg("%s: %s at %s", cases[i].asset, status_name(s), err.name);
        world_clear(&w);
    }
}

static void canonical_text_with_portfolios_parses_to_itself(void **state)
{
    struct world w;
    struct json_out json;
    struct buf one, two;
    char body[1024];
    (void)state;
    world_init(&w);
    (void)snprintf(body, sizeof body, nested, "");
    buf_init(&one, &w.arena, 8192);
    jw_init(&json, &one);
    spec_canonical(world_spec(&w, body), &json);
    buf_init(&two, &w.arena, 8192);
    jw_init(&json, &two);
    spec_canonical(world_spec(&w, arena_dup(&w.arena, buf_str(&one))), &json);
    assert_true(str_eq(buf_str(&one), buf_str(&two)));
    assert_non_null(strstr(arena_dup(&w.arena, buf_str(&one)), "\"portfolio\":{\"name\":\"core\""));
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(line_of_a_portfolio_is_an_asset_of_the_outer_one),
        cmocka_unit_test(costs_inside_are_counted_once),
        cmocka_unit_test(portfolio_is_already_invested_when_the_outer_one_starts),
        cmocka_unit_test(future_of_a_portfolio_inside_moves_no_bit_of_the_past),
        cmocka_unit_test(four_levels_pass_and_a_fifth_does_not),
        cmocka_unit_test(five_hundred_instruments_in_all_pass_and_one_more_does_not),
        cmocka_unit_test(what_is_wrong_inside_is_named),
        cmocka_unit_test(canonical_text_with_portfolios_parses_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
