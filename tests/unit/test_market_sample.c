/*
 * test_market_sample.c - 23 years of real raw prices with their actions against the published factors, and
 * simulated assets against the truth they were made from.
 */
#include "tests/unit/test_market_sample.h"

#define HOLD                                                                     \
    "{\"assets\":[{\"uid\":\"x:A\"}],\"strategy\":\"buy_and_hold\",\"monkeys\":" \
    "{\"count\":0}"

static const double *equity_of(struct world *w, const char *json, size_t n)
{
    struct backtest_result *r = world_run(w, json);
    assert_int_equal(r->panel->n_sessions, n);
    return r->equity;
}

/* Session 0 is cash, bought at the close of session 1: returns count from session 2 on. */
static void raw_prices_with_actions_are_the_factor_adjusted_series(void **state)
{
    struct sample_symbols all = sample_symbols();
    (void)state;
    if (all.n == 0)
        skip();
    for (size_t k = 0; k < all.n; k++) {
        struct world w;
        double worst = 0;
        world_init(&w);
        struct sample *s = sample_load(&w, all.name[k]);
        sample_add(&w, s, "x:A");
        assert_true(s->n > 1000 && s->n_events > 0);
        const double *adjusted = equity_of(&w, HOLD "}", s->n);
        const double *raw = equity_of(
            &w, HOLD ",\"prices\":\"raw\",\"dividends\":\"reinvest_previous_close\"}", s->n);
        for (size_t i = 2; i < s->n; i++) {
            double off = fabs(raw[i] / raw[i - 1] / (adjusted[i] / adjusted[i - 1]) - 1);
            worst = off > worst ? off : worst;
        }
        double span = fabs(raw[s->n - 1] / adjusted[s->n - 1] - 1);
        print_message("%s: %zu events, worst session %.2e, whole span %.2e\n", all.name[k],
                      s->n_events, worst, span);
        assert_true(worst <= 1e-6);
        assert_true(span <= 1e-4);
        world_clear(&w);
    }
}

/* The factor of an event is p / (p + d) here and 1 - d / q there: (d / p) times the ex-date's return apart. */
static void reinvesting_at_the_close_differs_by_the_known_second_order_term(void **state)
{
    struct sample_symbols all = sample_symbols();
    (void)state;
    if (all.n == 0)
        skip();
    for (size_t k = 0; k < all.n; k++) {
        struct world w;
        world_init(&w);
        struct sample *s = sample_load(&w, all.name[k]);
        sample_add(&w, s, "x:A");
        const double *adjusted = equity_of(&w, HOLD "}", s->n);
        const double *raw = equity_of(&w, HOLD ",\"prices\":\"raw\"}", s->n);
        for (size_t i = 2; i < s->n; i++) {
            double p = s->close[i], q = s->close[i - 1] / s->split[i], d = s->dividend[i];
            double expected = 1 - d / p * ((p + d) / q - 1);
            double ratio = raw[i] / raw[i - 1] / (adjusted[i] / adjusted[i - 1]);
            if (fabs(ratio - expected) > 1e-6)
                fail_msg("%s session %zu: %.9f, not %.9f", all.name[k], i, ratio, expected);
        }
        world_clear(&w);
    }
}

/* A share whose true value is known: what one share bought at first has become, dividends put back in. */
struct truth {
    double price[2000], close[2000], dividend[2000], split[2000], value[2000];
    size_t n;
};

static void make_truth(struct truth *t, uint64_t seed, bool at_previous_close)
{
    static const double splits[] = {2, 0.1, 1.5, 3, 0.25, 7};
    double shares = 1, close = 50;
    struct rng rng;
    rng_init(&rng, seed, 5);
    t->n = ARRAY_LEN(t->price);
    for (size_t i = 0; i < t->n; i++) {
        double before = close, move = elementary_exp((rng_next_unit(&rng) - 0.5) * 0.05);
        bool has_split = i > 0 && rng_next_below(&rng, 150) == 0;
        bool has_dividend = i > 0 && rng_next_below(&rng, 40) == 0;
        t->split[i] = has_split ? splits[rng_next_below(&rng, 6)] : 1;
        double opened = before / t->split[i];
        t->dividend[i] = has_dividend ? opened * 0.02 * rng_next_unit(&rng) : 0;
        close = (opened - t->dividend[i]) * move;
        shares *= t->split[i];
        shares *=
            at_previous_close ? opened / (opened - t->dividend[i]) : 1 + t->dividend[i] / close;
        t->close[i] = close;
        t->value[i] = shares * close;
    }
    /* Back-adjusted, so that the last level is the quote. */
    for (size_t i = 0; i < t->n; i++)
        t->price[i] = t->value[i] / shares;
}

static void simulated_assets_agree_with_the_truth_they_were_made_from(void **state)
{
    struct truth *t = malloc(sizeof *t);
    (void)state;
    assert_non_null(t);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        bool at_previous_close = seed % 2 == 0;
        struct world w;
        world_init(&w);
        make_truth(t, seed, at_previous_close);
        struct price_series *series = world_add_days(&w, "x:A", day(2000, 1, 3), t->price, t->n);
        series->close = t->close;
        series->dividend = t->dividend;
        series->split = t->split;
        if (seed % 3 == 0) { /* delisted with a loss three days before the end */
            series->delisted_on = series->date[t->n - 3];
            series->delisting_return = -0.4;
        }
        const double *raw =
            equity_of(&w,
                      at_previous_close ? HOLD
                          ",\"prices\":\"raw\",\"dividends\":\"reinvest_previous_close\"}"
                                        : HOLD ",\"prices\":\"raw\"}",
                      seed % 3 == 0 ? t->n - 2 : t->n);
        size_t alive = seed % 3 == 0 ? t->n - 3 : t->n;
        for (size_t i = 2; i < alive; i++)
            assert_close(raw[i] / raw[1], t->value[i] / t->value[1], 1e-12);
        if (seed % 3 == 0)
            assert_close(raw[alive] / raw[1], 0.6 * t->value[alive] / t->value[1], 1e-12);
        world_clear(&w);
    }
    free(t);
}

static void value_is_conserved_through_splits_to_the_last_bit(void **state)
{
    static const double close[] = {100, 100, 50, 50, 500, 500};
    static const double split[] = {1, 1, 2, 1, 0.1, 1};
    struct world w;
    (void)state;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", 11000, close, 6);
    s->close = close;
    s->split = split;
    const double *equity = equity_of(&w, HOLD ",\"prices\":\"raw\"}", 6);
    for (size_t i = 0; i < 6; i++)
        assert_true(equity[i] == 10000);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_prices_with_actions_are_the_factor_adjusted_series),
        cmocka_unit_test(reinvesting_at_the_close_differs_by_the_known_second_order_term),
        cmocka_unit_test(simulated_assets_agree_with_the_truth_they_were_made_from),
        cmocka_unit_test(value_is_conserved_through_splits_to_the_last_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
