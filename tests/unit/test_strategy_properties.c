/* test_strategy_properties.c - what every strategy must keep to on any market, with any parameters. */
#include "tests/unit/test_strategy_random.h"

#include "backtest/strategy_row.h"

static const unsigned FEATURES = RANDOM_GAPS | RANDOM_FX;

/* Random requests per strategy. */
static uint64_t rounds(void)
{
    return random_rounds() < 600 ? random_rounds() : 600;
}

static void fail_at(uint64_t seed, const char *body, const char *what)
{
    fail_msg("seed %llu: %s\n%s", (unsigned long long)seed, what, body);
}

static bool is_same_row(const struct backtest_result *one, const struct backtest_result *two,
                        size_t d)
{
    const struct strategy_decision *a = &one->strategy.decisions[d];
    const struct strategy_decision *b = &two->strategy.decisions[d];
    return a->session == b->session && a->note == b->note && a->known_from == b->known_from &&
           a->known_at == b->known_at &&
           memcmp(plan_row(&one->plan, d), plan_row(&two->plan, d), one->plan.n * sizeof(double)) ==
               0;
}

/* Prefix invariance: weights, notes, equity up to a session do not depend on what comes after it. */
static void no_strategy_sees_the_future(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        size_t n_moved = 0;
        for (uint64_t seed = 0; strategy_kinds[id]->needs != 0 && seed < rounds(); seed++) {
            struct world w;
            struct rng rng;
            char body[RANDOM_BODY];
            rng_init(&rng, seed, 200 + id);
            random_market(&w, seed * 20 + id, FEATURES);
            struct random_limits limits = random_limits(&rng);
            random_strategy_request(body, &rng, (enum strategy_id)id, 12,
                                    random_one_in(&rng, 2) ? &limits : NULL);
            struct backtest_result *one = world_run(&w, body);
            size_t n = one->panel->n_sessions, cut = 2 + rng_next_below(&rng, (uint32_t)n - 4);
            world_corrupt_future(&w, one->panel->clock[cut], seed);
            struct backtest_result *two = world_run(&w, body);
            if (memcmp(one->equity, two->equity, (cut + 1) * sizeof(double)) != 0)
                fail_at(seed, body, "the equity before the cut has moved");
            for (size_t d = 0; d < one->strategy.n && one->strategy.decisions[d].session <= cut;
                 d++) {
                if (!is_same_row(one, two, d))
                    fail_at(seed, body, "a decision before the cut has moved");
            }
            n_moved += fabs(one->equity[n - 1] - two->equity[n - 1]) > 0 ? 1 : 0;
            world_clear(&w);
        }
        assert_true(strategy_kinds[id]->needs == 0 || n_moved > rounds() / 2);
    }
}

static void kernels_move_no_bit_of_any_decision(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        for (uint64_t seed = 0; strategy_kinds[id]->needs != 0 && seed < rounds() / 4; seed++) {
            struct world w;
            struct rng rng;
            char body[RANDOM_BODY];
            rng_init(&rng, seed, 600 + id);
            random_market(&w, seed * 20 + id, FEATURES);
            random_strategy_request(body, &rng, (enum strategy_id)id, 25, NULL);
            w.market.kernels = &kernels_ref;
            struct backtest_result *one = world_run(&w, body);
            w.market.kernels = kernels_choose(KERNELS_AUTO);
            struct backtest_result *two = world_run(&w, body);
            for (size_t d = 0; d < one->strategy.n; d++) {
                if (!is_same_row(one, two, d))
                    fail_at(seed, body, "a decision depends on the kernels");
            }
            world_clear(&w);
        }
    }
}

/* Of a row whose assets can all be bought: what is gone loosens the limits of the rest. */
static bool keeps(const struct random_limits *l, const double *row, double invested)
{
    double gross = 0, sum = 0;
    for (size_t a = 0; a < RANDOM_ASSETS; a++) {
        gross += fabs(row[a]);
        sum += row[a];
        if (!(row[a] >= l->least - 1e-9 && row[a] <= l->most + 1e-9))
            return false;
    }
    double group = row[0] + row[1];
    return fabs(sum - invested) < 1e-9 && gross <= l->gross + 1e-9 &&
           (!l->has_group || (group >= l->group_least - 1e-9 && group <= l->group_most + 1e-9));
}

static void every_strategy_obeys_any_limits_that_can_be_kept(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        size_t n_rows = 0;
        if (!strategy_takes_limits(strategy_kinds[id]))
            continue;
        for (uint64_t seed = 0; seed < rounds(); seed++) {
            struct world w;
            struct rng rng;
            char body[RANDOM_BODY];
            rng_init(&rng, seed, 300 + id);
            random_market(&w, seed * 20 + id, 0);
            struct random_limits limits = random_limits(&rng);
            random_strategy_request(body, &rng, (enum strategy_id)id, 25, &limits);
            struct backtest_result *r = world_run(&w, body);
            for (size_t d = 0; d < r->strategy.n; d++) {
                const double *row = plan_row(&r->plan, d);
                bool is_cash = r->strategy.decisions[d].note != NOTE_NONE &&
                               !(fabs(plan_invested(&r->plan, d)) > 0);
                if (!is_cash && !keeps(&limits, row, plan_invested(&r->plan, d)))
                    fail_at(seed, body, "a row breaks the limits");
                n_rows += is_cash ? 0 : 1;
            }
            world_clear(&w);
        }
        assert_true(n_rows > rounds());
    }
}

/* Caps that add up to less than 1, floors to more, a group that must and cannot. */
static void limits_that_nothing_can_keep_are_refused(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        if (!strategy_takes_limits(strategy_kinds[id]))
            continue;
        for (uint64_t seed = 0; seed < rounds(); seed++) {
            struct world w;
            struct rng rng;
            struct err err = {0};
            struct spec *spec = NULL;
            char body[RANDOM_BODY];
            world_init(&w);
            rng_init(&rng, seed, 400 + id);
            struct random_limits l = {.most = 1, .gross = 1, .is_long = true};
            if (seed % 3 == 0) {
                l.most = random_between(&rng, 0.01, 0.99 / RANDOM_ASSETS);
            } else if (seed % 3 == 1) {
                l.least = random_between(&rng, 1.01 / RANDOM_ASSETS, 0.99);
            } else {
                l.has_group = true;
                l.most = random_between(&rng, 0.3, 0.4);
                l.group_least = random_between(&rng, 0.81, 0.95);
                l.group_most = 1;
            }
            random_strategy_request(body, &rng, (enum strategy_id)id, 25, &l);
            enum status s = spec_parse(str_of(body), &w.arena, &spec, &err);
            if (s != STATUS_BAD_SPEC || strncmp(err.name, "/strategy/constraints/", 22) != 0 ||
                err.allowed[0] == '\0')
                fail_msg("%s: %s at %s\n%s", status_name(s), err.detail, err.name, body);
            world_clear(&w);
        }
    }
}

static void weights_are_finite_and_add_up_to_what_is_invested(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        for (uint64_t seed = 0; strategy_kinds[id]->needs != 0 && seed < rounds(); seed++) {
            struct world w;
            struct rng rng;
            char body[RANDOM_BODY];
            rng_init(&rng, seed, 500 + id);
            random_market(&w, seed * 20 + id, FEATURES);
            random_strategy_request(body, &rng, (enum strategy_id)id, 25, NULL);
            struct backtest_result *r = world_run(&w, body);
            for (size_t d = 0; d < r->strategy.n; d++) {
                const double *row = plan_row(&r->plan, d);
                double sum = 0;
                for (size_t a = 0; a < r->plan.n; a++) {
                    if (!isfinite(row[a]) || row[a] < 0)
                        fail_at(seed, body, "a weight is below 0 or no number");
                    sum += row[a];
                }
                if (fabs(sum - plan_invested(&r->plan, d)) > 1e-9 || sum > 1 + 1e-9)
                    fail_at(seed, body, "the weights do not add up");
            }
            world_clear(&w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_strategy_sees_the_future),
        cmocka_unit_test(kernels_move_no_bit_of_any_decision),
        cmocka_unit_test(every_strategy_obeys_any_limits_that_can_be_kept),
        cmocka_unit_test(limits_that_nothing_can_keep_are_refused),
        cmocka_unit_test(weights_are_finite_and_add_up_to_what_is_invested),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
