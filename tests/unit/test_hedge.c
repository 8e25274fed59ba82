/* test_hedge.c - hedged exchange rates: by hand, against the runs they must equal, and what refuses a request. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/hedge.h"
#include "backtest/variations.h"

enum { N_DAYS = 700, N_ROUNDS = 40, CONVERTED = 0, LOCAL = 1, HEDGED = 2 };

/* Shares in dollars, won and euros, and daily rates of won and dollars from before the first of them. */
static void fill(struct world *w, uint64_t seed)
{
    static const char *const uids[3] = {"x:A", "x:B", "x:C"}, *const currencies[3] = {"USD", "KRW",
                                                                                      "EUR"};
    int32_t date[N_DAYS];
    double krw[N_DAYS], usd[N_DAYS];
    struct rng rng;
    world_init(w);
    rng_init(&rng, seed, 3);
    for (size_t i = 0; i < 3; i++) {
        struct price_series *s = world_add_walk(w, uids[i], day(2010, 1, 4), 480, seed * 9 + i, 40);
        memcpy(s->currency, currencies[i], CURRENCY_TEXT_BYTES);
    }
    for (size_t t = 0; t < N_DAYS; t++) {
        date[t] = day(2009, 12, 21) + (int32_t)t;
        krw[t] = t == 0 ? 1600 : krw[t - 1] * (1 + 0.02 * (rng_next_unit(&rng) - 0.5));
        usd[t] = t == 0 ? 1.4 : usd[t - 1] * (1 + 0.01 * (rng_next_unit(&rng) - 0.5));
    }
    world_add_fx(w, "KRW", date, krw, N_DAYS);
    world_add_fx(w, "USD", date, usd, N_DAYS - 200); /* the last is older for a while */
}

/* A series of two publications, the second on `changed`. */
static void add_rates(struct world *w, int32_t first, int32_t changed, double before, double after)
{
    struct rate_series *series = ARENA_NEW(&w->arena, struct rate_series);
    int32_t *date = arena_array(&w->arena, 2, sizeof *date);
    int64_t *known = arena_array(&w->arena, 2, sizeof *known);
    double *value = arena_array(&w->arena, 2, sizeof *value);
    assert_true(series != NULL && date != NULL && known != NULL && value != NULL);
    date[0] = first;
    date[1] = changed;
    value[0] = before;
    value[1] = after;
    for (size_t i = 0; i < 2; i++)
        known[i] = (int64_t)date[i] * 86400 + 12 * 3600;
    *series = (struct rate_series){STR("indicator:RATE:KOR:M"), 2, date, known, value};
    w->market.rates = series;
    w->market.n_rates = 1;
}

static struct backtest_result *play(struct world *w, const char *currency, const char *more)
{
    char body[1024];
    (void)snprintf(
        body, sizeof body,
        "{\"universe\":[\"x:A\",\"x:B\",\"x:C\"],\"currency\":\"%s\",\"start\":\"2010-05-03\","
        "\"strategy\":{\"name\":\"inverse_volatility\",\"lookback\":40},"
        "\"costs\":{\"commission_bps\":7,\"fx_spread_bps\":3},\"monkeys\":{\"count\":0}%s}",
        currency, more);
    return world_run(w, body);
}

static void assert_same_row(const struct variation *one, const struct variation *two)
{
    assert_close(one->terminal_wealth, two->terminal_wealth, 1e-10);
    assert_close(one->total_return.value, two->total_return.value, 1e-9);
    assert_close(one->costs, two->costs, 1e-9);
    assert_close(one->turnover, two->turnover, 1e-9);
}

/* With equal rates the hedge is without carry; of nothing it is none. */
static void equal_rates_and_no_share_change_nothing(void **state)
{
    static const char *const bases[3] = {"USD", "EUR", "KRW"};
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        fill(&w, seed);
        const struct variation *row =
            play(&w, bases[seed % 3],
                 ",\"currency_modes\":{\"rates\":{\"USD\":0.03,\"EUR\":0.03,\"KRW\":0.03}}")
                ->trust->variations.currency;
        assert_same_row(&row[HEDGED], &row[LOCAL]);
        assert_true(fabs(row[LOCAL].terminal_wealth - row[CONVERTED].terminal_wealth) > 1);
        const struct backtest_result *r = play(
            &w, bases[seed % 3],
            ",\"currency_modes\":{\"share\":0,\"rates\":{\"USD\":0.03,\"EUR\":0.01,\"KRW\":0.09}}");
        assert_int_equal(r->trust->variations.n_currencies, 3);
        assert_same_row(&r->trust->variations.currency[HEDGED],
                        &r->trust->variations.currency[CONVERTED]);
        world_clear(&w);
    }
}

/* The row is the run at the hedged rates, whose ledgers add up to what it gained, with whole look-back windows. */
static void value_is_conserved_and_every_ledger_adds_up(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < N_ROUNDS; seed++) {
        struct world w;
        struct market_data hedged;
        char more[256];
        fill(&w, seed);
        (void)snprintf(
            more, sizeof more,
            ",\"currency_modes\":{\"share\":%.17g,\"rates\":{\"USD\":0.05,\"EUR\":-0.005,"
            "\"KRW\":0.1}}",
            0.05 * (double)(seed % 21));
        struct backtest_result *r = play(&w, "USD", more);
        assert_int_equal(
            hedge_rates(&w.market, r->panel, &r->spec->trust.hedge, &w.arena, &hedged, NULL),
            STATUS_OK);
        w.market = hedged;
        struct backtest_result *alone = play(&w, "USD", "");
        const struct variation *row = &r->trust->variations.currency[HEDGED];
        double wealth = alone->wealth[alone->panel->n_sessions - 1];
        assert_close(row->terminal_wealth, wealth, 1e-12);
        assert_close(row->drag, alone->gross_terminal - wealth, 1e-9);
        assert_true(fabs(sim_residual(&alone->ledger, 10000, wealth)) < 1e-12 * wealth);
        assert_int_equal(alone->strategy.n_noted[NOTE_SHORT_HISTORY], 0);
        world_clear(&w);
    }
}

/* What one share in won made of a start, the won falling by a tenth and then by an eighth, at one day and then three. */
static double one_share(struct world *w, const char *modes, size_t row)
{
    static const double price[3] = {1000, 1100, 1320}, krw[4] = {1100, 1100, 1210, 1375},
                        usd[4] = {1.1, 1.1, 1.1, 1.1};
    static const int32_t date[4] = {17999, 18000, 18001, 18004};
    char body[512];
    world_init(w);
    (void)world_add(w, "x:A", "KRW", date + 1, price, 3);
    world_add_fx(w, "KRW", date, krw, 4);
    world_add_fx(w, "USD", date, usd, 4);
    add_rates(w, 17000, 18001, 1, 2);
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\"}],\"fill\":\"same_close\",\"monkeys\":{\"count\":0},"
        "\"currency_modes\":%s}",
        modes);
    struct backtest_result *r = world_run(w, body);
    return 1 + r->trust->variations.currency[row].total_return.value;
}

static void the_forward_premium_is_earned_by_the_days(void **state)
{
    struct world w;
    (void)state;
    double whole = one_share(&w, "{\"rates\":{\"USD\":0.05,\"KRW\":0.02}}", HEDGED);
    assert_close(whole, 1.32 * pow(1.05 / 1.02, 4.0 / 365), 1e-12);
    world_clear(&w);
    double half = one_share(&w, "{\"share\":0.5,\"rates\":{\"USD\":0.05,\"KRW\":0.02}}", HEDGED);
    assert_close(half,
                 1.32 * (0.5 / 1.1 + 0.5 * pow(1.05 / 1.02, 1.0 / 365)) *
                     (0.5 / 1.136363636363636364 + 0.5 * pow(1.05 / 1.02, 3.0 / 365)),
                 1e-12);
    world_clear(&w);
}

/* The forward sold at the close of day 18001 has the rate that was published that day, the one before it the old one. */
static void a_forward_has_the_rate_that_was_known_when_it_was_sold(void **state)
{
    struct world w;
    (void)state;
    double yearly = one_share(&w,
                              "{\"rates\":{\"USD\":0.05,\"KRW\":{\"indicator\":"
                              "\"indicator:RATE:KOR:M\",\"per\":\"year\"}}}",
                              HEDGED);
    assert_close(yearly, 1.32 * pow(1.05 / 1.01, 1.0 / 365) * pow(1.05 / 1.02, 3.0 / 365), 1e-12);
    world_clear(&w);
    double monthly = one_share(&w,
                               "{\"rates\":{\"USD\":0.05,\"KRW\":{\"indicator\":"
                               "\"indicator:RATE:KOR:M\",\"per\":\"month\"}}}",
                               HEDGED);
    assert_close(monthly,
                 1.32 * pow(1.05 / pow(1.01, 12), 1.0 / 365) * pow(1.05 / pow(1.02, 12), 3.0 / 365),
                 1e-12);
    world_clear(&w);
}

static bool warns(const struct backtest_result *r)
{
    bool is_found = false;
    for (size_t i = 0; i < r->n_warnings; i++)
        is_found = is_found || strcmp(r->warnings[i].code, "hedge_without_carry") == 0;
    return is_found;
}

static void a_hedge_without_rates_says_so(void **state)
{
    struct world w;
    (void)state;
    fill(&w, 1);
    assert_true(warns(play(&w, "USD", ",\"currency_modes\":true")));
    assert_false(warns(play(&w, "USD", "")));
    assert_false(warns(play(
        &w, "USD", ",\"currency_modes\":{\"rates\":{\"USD\":0.03,\"EUR\":0.03,\"KRW\":0.03}}")));
    assert_false(warns(world_run(&w, "{\"universe\":[\"x:A\"],\"currency_modes\":true}")));
    world_clear(&w);
}

static void hedges_that_lack_something_are_refused(void **state)
{
    static const struct {
        const char *modes, *pointer;
        enum status status;
    } cases[] = {
        {"1", "/currency_modes", STATUS_WRONG_TYPE},
        {"{}", "/currency_modes/rates", STATUS_WRONG_TYPE},
        {"{\"rates\":{}}", "/currency_modes/rates", STATUS_WRONG_TYPE},
        {"{\"rates\":{\"usd\":0.05}}", "/currency_modes/rates/usd", STATUS_OUT_OF_RANGE},
        {"{\"rates\":{\"USD\":null}}", "/currency_modes/rates/USD", STATUS_WRONG_TYPE},
        {"{\"rates\":{\"USD\":5}}", "/currency_modes/rates/USD", STATUS_OUT_OF_RANGE},
        {"{\"rates\":{\"USD\":{\"indicator\":\"RATE\",\"per\":\"year\"}}}",
         "/currency_modes/rates/USD/indicator", STATUS_WRONG_TYPE},
        {"{\"rates\":{\"USD\":{\"indicator\":\"indicator:RATE:KOR:M\"}}}",
         "/currency_modes/rates/USD/per", STATUS_WRONG_TYPE},
        {"{\"rates\":{\"USD\":0.05},\"share\":1.5}", "/currency_modes/share", STATUS_OUT_OF_RANGE},
        {"{\"rates\":{\"USD\":0.05},\"days\":1}", "/currency_modes/days", STATUS_UNKNOWN_FIELD},
        {"{\"rates\":{\"USD\":0.05,\"EUR\":0.01}}", "/currency_modes/rates", STATUS_BAD_SPEC},
        {"{\"rates\":{\"KRW\":0.05,\"EUR\":0.01}}", "/currency_modes/rates", STATUS_BAD_SPEC},
        {"{\"rates\":{\"USD\":0.05,\"EUR\":0.01,\"KRW\":{\"indicator\":\"indicator:RATE:KOR:M\","
         "\"per\":\"year\"}}}",
         "/currency_modes/rates/KRW/indicator", STATUS_NO_DATA},
    };
    struct world w;
    (void)state;
    fill(&w, 2);
    add_rates(&w, day(2010, 8, 2), day(2010, 9, 1), 1, 2);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct backtest_result *result = NULL;
        struct spec *spec = NULL;
        struct err err = {0};
        char body[512];
        (void)snprintf(body, sizeof body,
                       "{\"universe\":[\"x:A\",\"x:B\",\"x:C\"],\"currency_modes\":%s,\"monkeys\":{"
                       "\"count\":0}}",
                       cases[i].modes);
        enum status s = spec_parse(str_of(body), &w.arena, &spec, &err);
        if (s == STATUS_OK)
            s = backtest_run(spec, &w.market, &w.arena, NULL, &result, &err);
        if (s != cases[i].status || strcmp(err.name, cases[i].pointer) != 0 ||
            err.allowed[0] == '\0')
            fail_msg("%s gave %s \"%s\" at %s (allowed: %s)", cases[i].modes, status_name(s),
                     err.detail, err.name, err.allowed);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_rates_and_no_share_change_nothing),
        cmocka_unit_test(value_is_conserved_and_every_ledger_adds_up),
        cmocka_unit_test(the_forward_premium_is_earned_by_the_days),
        cmocka_unit_test(a_forward_has_the_rate_that_was_known_when_it_was_sold),
        cmocka_unit_test(a_hedge_without_rates_says_so),
        cmocka_unit_test(hedges_that_lack_something_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
