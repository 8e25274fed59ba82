/*
 * test_backtest_equivalences.c - two ways to say the same give the same: prices raw or adjusted, a split or none, one
 * name or another; and a monkey is like any other.
 */
#include "backtest/succession.h"
#include "tests/unit/test_backtest_random.h"

/* Features that do not look at units or volumes. */
static const unsigned UNITLESS = RANDOM_FLAT_COSTS | RANDOM_FLOWS | RANDOM_SHARE_FLOWS |
                                 RANDOM_FINANCING | RANDOM_RAW | RANDOM_OPEN | RANDOM_GAPS |
                                 RANDOM_FX | RANDOM_CASH_WEIGHT;

static bool is_near(const double *a, const double *b, size_t n, double relative)
{
    double most = 0;
    for (size_t t = 0; t < n; t++)
        most = fmax(most, fabs(a[t]));
    for (size_t t = 0; t < n; t++) {
        if (!(fabs(a[t] - b[t]) <= relative * most))
            return false;
    }
    return true;
}

static void add_to(struct random_request *q, const char *members)
{
    size_t at = strlen(q->rest);
    struct random_text out = {q->rest + at, sizeof q->rest - at};
    random_add(&out, "%s", members);
}

/* Invariants 6 to 8 for portfolios: what is bought once and reinvests its payments earns the adjusted prices. */
static void raw_prices_with_actions_are_the_adjusted_ones(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct rng rng;
        struct random_request q = {.n = RANDOM_ASSETS, .capital = 10000}, raw;
        rng_init(&rng, seed, 21);
        random_market(&w, seed, RANDOM_RAW | RANDOM_FX | RANDOM_GAPS);
        for (size_t i = 0; i < RANDOM_ASSETS; i++) {
            w.series[i].delisted_on = DATE_NONE;
            q.order[i] = i;
            q.weight[i] = random_between(&rng, 0.01, 1);
        }
        add_to(&q,
               "\"on_weight_sum\":\"normalize\",\"rebalance\":\"never\",\"fill\":\"same_close\"");
        raw = q;
        add_to(&raw, ",\"prices\":\"raw\",\"dividends\":\"reinvest\"");
        struct backtest_result *one = random_play(&w, &q), *two = random_play(&w, &raw);
        random_assert(is_near(one->equity, two->equity, one->panel->n_sessions, 1e-12), seed, &raw);
        world_clear(&w);
    }
}

/* The same shares counted in the units of the last day; returns how many splits that undid. */
static size_t undo_splits(struct world *w)
{
    size_t n_undone = 0;
    for (size_t i = 0; i < w->market.n_series; i++) {
        struct price_series *s = &w->series[i];
        double *column[5], *split = arena_array(&w->arena, s->n, sizeof *split), units = 1;
        const double *given[] = {s->close, s->open, s->dividend, s->low, s->high};
        for (size_t c = 0; c < ARRAY_LEN(column); c++) {
            column[c] = arena_array(&w->arena, s->n, sizeof **column);
            assert_non_null(column[c]);
        }
        assert_non_null(split);
        for (size_t k = s->n; k-- > 0;) {
            for (size_t c = 0; c < ARRAY_LEN(column); c++)
                column[c][k] = given[c][k] / units;
            split[k] = (double)NAN;
            if (s->split[k] > 0) {
                units *= s->split[k];
                n_undone++;
            }
        }
        s->close = column[0];
        s->open = column[1];
        s->dividend = column[2];
        s->low = column[3];
        s->high = column[4];
        s->split = split;
    }
    return n_undone;
}

/* Invariant 12. */
static void value_is_conserved_through_splits(void **state)
{
    size_t n_undone = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, UNITLESS);
        struct random_request q = random_request(seed, UNITLESS);
        if (strstr(q.rest, "\"raw\"") == NULL)
            add_to(&q, ",\"prices\":\"raw\"");
        struct backtest_result *one = random_play(&w, &q);
        n_undone += undo_splits(&w);
        struct backtest_result *two = random_play(&w, &q);
        size_t n = one->panel->n_sessions;
        /* A level is found by halving: its last digits are not the sum's. */
        double relative = strstr(q.rest, "most_underweight") != NULL ? 1e-11 : 1e-12;
        random_assert(is_near(one->equity, two->equity, n, relative), seed, &q);
        random_assert(is_near(one->wealth, two->wealth, n, relative), seed, &q);
        world_clear(&w);
    }
    assert_true(n_undone > random_rounds());
}

/* Invariant 12: a name is a name. */
static void value_is_conserved_through_renames(void **state)
{
    static const char *const renamed[] = {"x:Z", "y:A", "x:AA", "x:B", "x:0"};
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        struct backtest_result *one = random_play(&w, &q);
        for (size_t i = 0; i < w.market.n_series; i++)
            w.series[i].uid = str_of(renamed[i]);
        q.names = renamed;
        struct backtest_result *two = random_play(&w, &q);
        size_t bytes = one->panel->n_sessions * sizeof(double);
        random_assert(memcmp(one->equity, two->equity, bytes) == 0, seed, &q);
        random_assert(memcmp(one->wealth, two->wealth, bytes) == 0, seed, &q);
        world_clear(&w);
    }
}

/* Invariant 12: a series that is cut in two, the second part under another name, is the same series. */
static void value_is_conserved_through_changes_of_names(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct err err = {0};
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        if (strstr(q.rest, "\"raw\"") == NULL) {
            world_clear(&w);
            continue;
        }
        struct backtest_result *one = random_play(&w, &q);
        struct price_series *first = &w.series[0];
        size_t cut = 1 + seed % (first->n - 1), n = first->n - cut;
        struct price_series *second =
            world_add(&w, "x:Z", first->currency, first->date + cut, first->price + cut, n);
        second->open = first->open + cut;
        second->low = first->low + cut;
        second->high = first->high + cut;
        second->close = first->close + cut;
        second->volume = first->volume + cut;
        second->dividend = first->dividend + cut;
        second->split = first->split + cut;
        second->pay_date = first->pay_date + cut;
        struct series_change change = {first->date[cut], CHANGE_RENAME, STR("x:Z"), (double)NAN,
                                       (double)NAN};
        first->n = cut;
        first->changes = &change;
        first->n_changes = 1;
        random_assert(market_follow(&w.market, &w.arena, &err) == STATUS_OK, seed, &q);
        struct backtest_result *two = random_play(&w, &q);
        size_t bytes = one->panel->n_sessions * sizeof(double);
        random_assert(memcmp(one->equity, two->equity, bytes) == 0, seed, &q);
        random_assert(memcmp(one->wealth, two->wealth, bytes) == 0, seed, &q);
        world_clear(&w);
    }
}

/* Names without replacement and weights uniform on the simplex, as a monkey has them; the rest is 0. */
static void draw_monkey(struct rng *rng, size_t n_held, double weight[RANDOM_ASSETS])
{
    double sum = 0;
    for (size_t i = 0; i < RANDOM_ASSETS; i++)
        weight[i] = 0;
    for (size_t left = n_held; left > 0;) {
        size_t i = rng_next_below(rng, RANDOM_ASSETS);
        if (weight[i] > 0)
            continue;
        weight[i] = -elementary_log(1 - rng_next_unit(rng)) + 1e-12;
        sum += weight[i];
        left--;
    }
    for (size_t i = 0; i < RANDOM_ASSETS; i++)
        weight[i] /= sum;
}

/* Invariant 14: the p-values of strategies that are monkeys are uniform (Kolmogorov and Smirnov, p > 0.01). */
static void p_values_of_strategies_that_are_monkeys_are_uniform(void **state)
{
    enum { CROWD = 19 };
    static const char *const rebalances[] = {"never", "daily", "weekly", "monthly"};
    size_t at_most[MONKEY_STATISTIC_COUNT][CROWD + 2] = {{0}};
    double n = (double)random_rounds();
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct rng rng;
        char body[RANDOM_BODY];
        double weight[RANDOM_ASSETS];
        struct random_text out = {body, sizeof body};
        const char *separator = "";
        rng_init(&rng, seed, 22);
        random_market(&w, seed, 0);
        draw_monkey(&rng, 2 + rng_next_below(&rng, RANDOM_ASSETS - 1), weight);
        random_add(&out, "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\"],\"assets\":[");
        for (size_t i = 0; i < RANDOM_ASSETS; i++) {
            if (!(weight[i] > 0))
                continue;
            random_add(&out, "%s{\"uid\":\"%s\",\"weight\":%.17g}", separator, random_names[i],
                       weight[i]);
            separator = ",";
        }
        random_add(
            &out,
            "],\"on_weight_sum\":\"normalize\",\"start\":\"2019-04-14\",\"end\":\"2019-07-03\","
            "\"rebalance\":\"%s\",\"costs\":{\"commission_bps\":%u},\"monkeys\":{\"count\":%d,"
            "\"seed\":%llu}}",
            rebalances[rng_next_below(&rng, 4)], rng_next_below(&rng, 40), CROWD,
            (unsigned long long)seed);
        struct backtest_result *r = world_run(&w, body);
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
            size_t rank = (size_t)(r->monkeys.row[k].rank.p_value * (CROWD + 1) + 0.5);
            for (size_t at = rank; at <= CROWD + 1; at++)
                at_most[k][at]++;
        }
        world_clear(&w);
    }
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        for (size_t at = 1; at <= CROWD + 1; at++) {
            double distance = fabs((double)at_most[k][at] / n - (double)at / (CROWD + 1));
            if (distance > 1.628 / sqrt(n))
                fail_msg("statistic %zu at %zu: %g", k, at, distance);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raw_prices_with_actions_are_the_adjusted_ones),
        cmocka_unit_test(value_is_conserved_through_splits),
        cmocka_unit_test(value_is_conserved_through_renames),
        cmocka_unit_test(value_is_conserved_through_changes_of_names),
        cmocka_unit_test(p_values_of_strategies_that_are_monkeys_are_uniform),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
