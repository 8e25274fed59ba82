/* test_yield_bond.c - bonds of constant maturity out of yields: uids, sensitivities and prices worked out by hand. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/yield_bond.h"

static struct yield_bond bond_of(const char *uid)
{
    struct yield_bond bond;
    assert_null(yield_bond_parse(str_of(uid), &bond));
    return bond;
}

static void a_uid_says_what_bond_it_is(void **state)
{
    struct yield_bond bond = bond_of("yield:DGS10:USA:D:10Y:2:USD");
    (void)state;
    assert_true(str_eq_c(bond.code, "DGS10") && str_eq_c(bond.country, "USA"));
    assert_true(str_eq_c(bond.frequency, "D"));
    assert_int_equal(bond.coupons_per_year, 2);
    assert_int_equal(bond.n_coupons, 20);
    assert_string_equal(bond.currency, "USD");
    assert_int_equal(bond_of("yield:A:B:M:3M:4:KRW").n_coupons, 1);
    assert_int_equal(bond_of("yield:A:B:M:50Y:12:EUR").n_coupons, 600);
    assert_true(yield_bond_is(STR("yield:")) && !yield_bond_is(STR("yields:A")));
}

static void what_is_wrong_with_a_uid_is_named(void **state)
{
    static const struct {
        const char *uid, *fault;
    } wrong[] = {
        {"yield:A:B", "economic series"},
        {"yield:A::M:1Y:1:USD", "economic series"},
        {"yield:A:B:M", "no maturity"},
        {"yield:A:B:M:10Y", "no coupons"},
        {"yield:A:B:M:10Y:2", "no currency"},
        {"yield:A:B:M:0Y:2:USD", "the maturity"},
        {"yield:A:B:M:51Y:2:USD", "the maturity"},
        {"yield:A:B:M:12M:2:USD", "the maturity"},
        {"yield:A:B:M:010Y:2:USD", "the maturity"},
        {"yield:A:B:M:10:2:USD", "the maturity"},
        {"yield:A:B:M:2.5Y:2:USD", "the maturity"},
        {"yield:A:B:M:10Y:3:USD", "the coupons"},
        {"yield:A:B:M:3M:2:USD", "the coupons"},
        {"yield:A:B:M:10Y:2:usd", "the currency"},
        {"yield:A:B:M:10Y:2:USDX", "the currency"},
        {"yield:A:B:M:10Y:2:USD:1", "the currency"},
    };
    struct world w;
    char body[200];
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct spec *spec = NULL;
        struct err err = {0};
        (void)snprintf(body, sizeof body, "{\"assets\":[{\"uid\":\"%s\",\"weight\":1}]}",
                       wrong[i].uid);
        assert_int_equal(spec_parse(str_of(body), &w.arena, &spec, &err), STATUS_WRONG_TYPE);
        assert_string_equal(err.name, "/assets/0/uid");
        assert_non_null(strstr(err.detail, wrong[i].fault));
    }
    world_clear(&w);
}

/* At 4 % for two years of one coupon: (.04 / 1.04 + 2 (1.04) / 1.04^2) / 1.04; a par bond has D = (1 - v^n) / y, too. */
static void sensitivities_are_those_of_a_bond_at_par(void **state)
{
    struct yield_bond bond = bond_of("yield:A:B:M:2Y:1:USD");
    double duration, convexity;
    (void)state;
    yield_bond_sensitivity(&bond, 0.04, &duration, &convexity);
    assert_close(duration, (1 - 1 / 1.0816) / 0.04, 1e-14);
    assert_close(duration, 1.8860946745562, 1e-12);
    assert_close(convexity, (2 * 0.04 / 1.04 + 6 / 1.04) / 1.0816, 1e-14);
    bond = bond_of("yield:A:B:M:10Y:2:USD");
    yield_bond_sensitivity(&bond, 0.06, &duration, &convexity);
    assert_close(duration, 7.43873743, 1e-8);
    yield_bond_sensitivity(&bond, 0, &duration, &convexity);
    assert_close(duration, 10, 1e-13);
    assert_close(convexity, 10 * 10.5, 1e-13);
}

/* Wednesday 4 %, Friday 5 %, Saturday 5.5 %, and the same again on the Tuesday after it; out at 15:00 each. */
static const int32_t published[] = {18262, 18264, 18265, 18268};
static const double percent[] = {4, 5, 5.5, 5.5};
static const int64_t out_at[] = {18262 * INT64_C(86400) + 54000, 18264 * INT64_C(86400) + 54000,
                                 18265 * INT64_C(86400) + 54000, 18268 * INT64_C(86400) + 54000};

static void prices_carry_by_the_day_and_fall_by_what_is_published(void **state)
{
    struct world w;
    struct yield_bond bond = bond_of("yield:A:B:M:2Y:1:USD");
    struct rate_series rates = {STR("indicator:A:B:M"), 4, published, out_at, percent};
    struct price_series s;
    struct err err = {0};
    (void)state;
    world_init(&w);
    assert_int_equal(published[0], day(2020, 1, 1));
    assert_int_equal(
        yield_bond_prices(STR("yield:A:B:M:2Y:1:USD"), &bond, &rates, &w.arena, &s, &err),
        STATUS_OK);
    assert_int_equal(s.n, 5);
    assert_int_equal(s.date[3], day(2020, 1, 6)); /* no weekend */
    double d4 = 1.8860946745562, c4 = (2 * 0.04 / 1.04 + 6 / 1.04) / 1.0816;
    double d5 = (1 - 1 / 1.1025) / 0.05, c5 = (2 * 0.05 / 1.05 + 6 / 1.05) / 1.1025;
    double expected[] = {100, 1 + 0.04 / 365, 1 + 0.04 / 365 - d4 * 0.01 + c4 * 0.00005,
                         1 + 0.05 * 3 / 365 - d5 * 0.005 + c5 * 0.0000125, 1 + 0.055 / 365};
    for (size_t i = 0; i < s.n; i++) {
        expected[i] *= i > 0 ? expected[i - 1] : 1;
        assert_close(s.price[i], expected[i], 1e-12);
    }
    assert_true(s.known_at[0] == out_at[0] && s.known_at[1] == (int64_t)s.date[1] * 86400);
    assert_true(s.known_at[2] == out_at[1] && s.known_at[3] == (int64_t)s.date[3] * 86400);
    assert_true(s.known_at[4] == out_at[3]);
    assert_true(s.flags == SERIES_SYNTHETIC && s.close == s.price && s.is_whole[PRICES_RAW]);
    world_clear(&w);
}

static void what_is_no_yield_is_refused(void **state)
{
    static const double index[] = {217, 218, 219, 220};
    struct world w;
    struct yield_bond bond = bond_of("yield:A:B:M:2Y:1:USD");
    struct rate_series rates = {STR("indicator:A:B:M"), 4, published, out_at, index};
    struct price_series s;
    struct err err = {0};
    (void)state;
    world_init(&w);
    assert_int_equal(yield_bond_prices(STR("yield:x"), &bond, &rates, &w.arena, &s, &err),
                     STATUS_BAD_DATA);
    assert_string_equal(
        err.detail, "indicator:A:B:M is 217 on 2020-01-01, which is no yield in per cent a year.");
    rates.n = 0;
    assert_int_equal(yield_bond_prices(STR("yield:x"), &bond, &rates, &w.arena, &s, &err),
                     STATUS_NO_DATA);
    world_clear(&w);
}

#define UID "yield:A:B:M:2Y:1:USD"

static void a_run_says_that_its_prices_are_synthetic_and_knows_nothing_sooner(void **state)
{
    static const char *const modes[] = {"adjusted", "raw"};
    enum { N = 60 };
    int32_t date[N];
    int64_t known[N];
    double value[N];
    (void)state;
    for (int32_t i = 0; i < N; i++) {
        date[i] = day(2020, 1, 1) + 5 * i;
        known[i] = (int64_t)date[i] * 86400 + 54000;
        value[i] = 4 + (i * 7 % 5 - 2) * 0.1;
    }
    for (size_t m = 0; m < ARRAY_LEN(modes); m++) {
        struct world w;
        char body[300];
        struct yield_bond bond = bond_of(UID);
        struct rate_series rates = {STR("indicator:A:B:M"), N, date, known, value};
        struct err err = {0};
        world_init(&w);
        struct price_series *s = &w.series[w.market.n_series++];
        assert_int_equal(yield_bond_prices(STR(UID), &bond, &rates, &w.arena, s, &err), STATUS_OK);
        (void)snprintf(body, sizeof body,
                       "{\"assets\":[{\"uid\":\"" UID "\",\"weight\":1}],\"rebalance\":\"never\","
                       "\"capital\":1000,\"monkeys\":{\"count\":0},\"verify\":\"prefix\","
                       "\"prices\":\"%s\"}",
                       modes[m]);
        struct backtest_result *r = world_run(&w, body);
        size_t last = r->panel->n_sessions - 1;
        assert_int_equal(r->panel->n_sessions, s->n);
        assert_close(r->equity[last], 1000 * s->price[last] / s->price[1], 1e-12);
        assert_true(r->trust->prefix.holds);
        bool is_said = false;
        for (size_t i = 0; i < r->n_warnings; i++)
            is_said = is_said || (strcmp(r->warnings[i].code, "synthetic_prices") == 0 &&
                                  str_eq_c(r->warnings[i].uids[0], UID));
        assert_true(is_said);
        world_clear(&w);
    }
}

static void a_request_reads_economic_series_wherever_it_names_such_a_bond(void **state)
{
    static const char *const bodies[] = {
        "{\"assets\":[{\"uid\":\"" UID "\"}]}",
        "{\"universe\":[\"x:A\",\"" UID "\"]}",
        "{\"universe\":[\"x:A\"],\"benchmark\":\"" UID "\"}",
        "{\"universe\":[\"x:A\"],\"clock\":{\"base\":\"" UID "\"}}",
        "{\"universe\":[\"x:A\"],\"factors\":[{\"uid\":\"" UID "\"}]}",
        "{\"universe\":[\"x:A\"],\"factors\":[{\"uid\":\"x:B\",\"minus\":\"" UID "\"}]}",
        "{\"universe\":[\"x:A\"],\"flows\":[{\"amount\":1,\"every\":\"month\",\"linked_to\":\"" UID
        "\"}]}",
        "{\"universe\":[\"x:A\"],\"inflation\":\"indicator:A:B:M\"}",
        "{\"assets\":[{\"portfolio\":{\"name\":\"P\",\"assets\":[{\"uid\":\"" UID "\"}]}}]}",
    };
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
        assert_true(spec_reads_indicators(world_spec(&w, bodies[i])));
    assert_false(spec_reads_indicators(
        world_spec(&w, "{\"universe\":[\"x:A\"],\"benchmark\":\"yields:A\"}")));
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_uid_says_what_bond_it_is),
        cmocka_unit_test(what_is_wrong_with_a_uid_is_named),
        cmocka_unit_test(sensitivities_are_those_of_a_bond_at_par),
        cmocka_unit_test(prices_carry_by_the_day_and_fall_by_what_is_published),
        cmocka_unit_test(what_is_no_yield_is_refused),
        cmocka_unit_test(a_run_says_that_its_prices_are_synthetic_and_knows_nothing_sooner),
        cmocka_unit_test(a_request_reads_economic_series_wherever_it_names_such_a_bond),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
