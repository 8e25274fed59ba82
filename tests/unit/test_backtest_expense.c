/* test_backtest_expense.c - what funds charge, against figures worked out by hand. */
#include "tests/unit/test_backtest_world.h"

enum { DAYS = 5 };

static struct backtest_result *run(struct world *w, const char *assets, const char *rest)
{
    char body[768];
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[%s],\"capital\":1000,\"fill\":\"same_close\",\"monkeys\":{\"count\":0},%s}",
        assets, rest);
    return world_run(w, body);
}

static const double flat[DAYS] = {100, 100, 100, 100, 100};

/* 3.65 per cent a year are a ten-thousandth a day: 10 units at 100 leave 1,000 * 0.9999^4. */
static void one_fund_keeps_what_its_expense_leaves(void **state)
{
    double left = 1000 * 0.9999 * 0.9999 * 0.9999 * 0.9999;
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add_days(&w, "x:A", 18000, flat, DAYS);
    struct backtest_result *r =
        run(&w, "{\"uid\":\"x:A\"}", "\"rebalance\":\"never\",\"costs\":{\"expense\":3.65}");
    assert_close(r->equity[1], 999.9, 1e-12);
    assert_close(r->equity[DAYS - 1], left, 1e-12);
    assert_close(r->ledger.paid[COST_EXPENSE], 1000 - left, 1e-9);
    assert_close(r->gross_terminal, 1000, 1e-12);
    assert_true(fabs(r->ledger.gain) < 1e-9);
    assert_true(fabs(sim_residual(&r->ledger, 1000, r->wealth[DAYS - 1])) < 1e-9);
    world_clear(&w);
}

/* Half in a fund that charges a ten-thousandth a day, half in one that does not, level again at every close: 1 - 0.5e-4 a day. */
static void expense_of_one_asset_is_charged_on_what_is_held_overnight(void **state)
{
    static const char *const costs[] = {"\"expenses\":{\"x:A\":3.65}",
                                        "\"expense\":3.65,\"expenses\":{\"x:B\":0}"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        double left = 1000 * 0.99995 * 0.99995 * 0.99995 * 0.99995;
        struct world w;
        char rest[256];
        world_init(&w);
        (void)world_add_days(&w, "x:A", 18000, flat, DAYS);
        (void)world_add_days(&w, "x:B", 18000, flat, DAYS);
        (void)snprintf(rest, sizeof rest, "\"rebalance\":\"daily\",\"costs\":{%s}", costs[i]);
        struct backtest_result *r =
            run(&w, "{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}", rest);
        assert_close(r->equity[DAYS - 1], left, 1e-12);
        assert_close(r->ledger.paid[COST_EXPENSE], 1000 - left, 1e-9);
        assert_close(sim_costs_paid(&r->ledger), 1000 - left, 1e-9);
        assert_close(r->gross_terminal, 1000, 1e-12);
        world_clear(&w);
    }
}

/* The rate of a day is the one in force on it: nothing on days 1 and 2 (15 and 16 April 2019), a thousandth on 3 and 4. */
static void dated_expense_begins_on_its_day(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    (void)world_add_days(&w, "x:A", 18000, flat, DAYS);
    struct backtest_result *r =
        run(&w, "{\"uid\":\"x:A\"}",
            "\"rebalance\":\"never\",\"costs\":{\"expense\":[{\"from\":\"2019-04-17\",\"percent\":"
            "18.25}]}");
    assert_close(r->equity[2], 1000, 1e-12);
    assert_close(r->equity[3], 999.5, 1e-12);
    assert_close(r->equity[4], 999.5 * 0.9995, 1e-12);
    world_clear(&w);
}

static void unknown_asset_and_rates_out_of_range_are_named(void **state)
{
    static const struct {
        const char *costs, *at;
        enum status status;
    } cases[] = {
        {"{\"expense\":21}", "/costs/expense", STATUS_OUT_OF_RANGE},
        {"{\"expenses\":{\"x:Z\":1}}", "/costs/expenses/x:Z", STATUS_BAD_SPEC},
        {"{\"expenses\":{\"x:A\":-1}}", "/costs/expenses/x:A", STATUS_OUT_OF_RANGE},
        {"{\"expenses\":[1]}", "/costs/expenses", STATUS_WRONG_TYPE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        struct spec *spec = NULL;
        struct err err = {0};
        char body[256];
        arena_init(&arena, 1 << 20);
        (void)snprintf(body, sizeof body, "{\"assets\":[{\"uid\":\"x:A\"}],\"costs\":%s}",
                       cases[i].costs);
        assert_int_equal(spec_parse(str_of(body), &arena, &spec, &err), cases[i].status);
        assert_string_equal(err.name, cases[i].at);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_fund_keeps_what_its_expense_leaves),
        cmocka_unit_test(expense_of_one_asset_is_charged_on_what_is_held_overnight),
        cmocka_unit_test(dated_expense_begins_on_its_day),
        cmocka_unit_test(unknown_asset_and_rates_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
