/* test_frontier.c - the efficient frontier: optimal in its sample, measured in the other, blind to it. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/stats.h"

static const char body[] =
    "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\"],\"start\":\"2010-01-04\",\"end\":\"2012-06-29\","
    "\"monkeys\":{\"count\":0},\"frontier\":{\"points\":7,\"in_sample\":0.6}}";

static void fill_market(struct world *w, uint64_t seed)
{
    static const char *const uids[] = {"x:A", "x:B", "x:C", "x:D"};
    world_init(w);
    for (size_t i = 0; i < 4; i++)
        (void)world_add_walk(w, uids[i], day(2010, 1, 4), 700, seed * 10 + i, 0);
}

/* Annual mean and deviation of weights restored every session, over returns [from, to). */
static void measure(const struct panel *panel, const double *weight, size_t from, size_t to,
                    double *ret_mean, double *ret_volatility)
{
    double r[1024];
    for (size_t t = from; t < to; t++) {
        r[t - from] = 0;
        for (size_t a = 0; a < 4; a++) {
            const double *price = panel->price + panel_cell(panel, a, t);
            r[t - from] += weight[a] * (price[1] / price[0] - 1);
        }
    }
    struct stats_moments m = stats_moments_short(r, to - from);
    *ret_mean = m.mean * 252;
    *ret_volatility = m.sd * sqrt(252);
}

static void figures_are_those_of_the_weights_in_each_sample(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = world_run(&w, body);
    const struct frontier *f = &r->frontier;
    assert_int_equal(f->n_points, 7);
    assert_int_equal(f->n_unsolved, 0);
    assert_int_equal(f->split, (size_t)(0.6 * (double)(r->panel->n_sessions - 1)));
    for (size_t k = 0; k < f->n_points; k++) {
        double mean, volatility, sum = 0;
        const struct frontier_point *p = &f->points[k];
        measure(r->panel, p->weight, 0, f->split, &mean, &volatility);
        assert_true(fabs(p->in_sample.mean - mean) < 1e-12);
        assert_close(p->in_sample.volatility, volatility, 1e-9);
        measure(r->panel, p->weight, f->split, r->panel->n_sessions - 1, &mean, &volatility);
        assert_true(fabs(p->out_of_sample.mean - mean) < 1e-12);
        assert_close(p->out_of_sample.volatility, volatility, 1e-9);
        for (size_t a = 0; a < 4; a++) {
            assert_true(p->weight[a] >= 0);
            sum += p->weight[a];
        }
        assert_close(sum, 1, 1e-9);
        if (k > 0) {
            assert_true(p->in_sample.mean > f->points[k - 1].in_sample.mean);
            assert_true(p->in_sample.volatility > f->points[k - 1].in_sample.volatility);
        }
    }
    world_clear(&w);
}

/* No long-only portfolio has more mean and less volatility than a point does, in sample. */
static void nothing_in_the_sample_beats_the_frontier(void **state)
{
    struct world w;
    struct rng rng;
    (void)state;
    fill_market(&w, 2);
    rng_init(&rng, 3, 3);
    struct backtest_result *r = world_run(&w, body);
    const struct frontier *f = &r->frontier;
    for (size_t i = 0; i < 500; i++) {
        double weight[4], sum = 0, mean, volatility;
        for (size_t a = 0; a < 4; a++) {
            weight[a] = -elementary_log(rng_next_unit(&rng));
            sum += weight[a];
        }
        for (size_t a = 0; a < 4; a++)
            weight[a] /= sum;
        measure(r->panel, weight, 0, f->split, &mean, &volatility);
        for (size_t k = 0; k < f->n_points; k++)
            assert_true(mean < f->points[k].in_sample.mean ||
                        volatility > f->points[k].in_sample.volatility * (1 - 1e-9));
        assert_true(mean < f->points[f->n_points - 1].in_sample.mean + 1e-9);
    }
    world_clear(&w);
}

static void weights_do_not_depend_on_what_comes_after_the_split(void **state)
{
    struct world w;
    struct rng rng;
    (void)state;
    fill_market(&w, 3);
    rng_init(&rng, 4, 4);
    struct backtest_result *one = world_run(&w, body);
    int32_t split = one->panel->clock[one->frontier.split];
    for (size_t i = 0; i < 4; i++) {
        struct price_series *s = &w.series[i];
        double *price = arena_array(&w.arena, s->n, sizeof *price);
        assert_non_null(price);
        for (size_t k = 0; k < s->n; k++)
            price[k] = s->date[k] > split ? 1000 * rng_next_unit(&rng) : s->price[k];
        s->price = price;
    }
    struct backtest_result *two = world_run(&w, body);
    for (size_t k = 0; k < 7; k++) {
        assert_memory_equal(one->frontier.points[k].weight, two->frontier.points[k].weight,
                            4 * sizeof(double));
        assert_true(one->frontier.points[k].out_of_sample.volatility !=
                    two->frontier.points[k].out_of_sample.volatility);
    }
    world_clear(&w);
}

static void constraints_of_the_strategy_hold_on_the_frontier(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 4);
    struct backtest_result *r = world_run(
        &w,
        "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\"],\"monkeys\":{\"count\":0},\"frontier\":{},"
        "\"strategy\":{\"name\":\"minimum_variance\",\"constraints\":{\"min_weight\":0.1,"
        "\"max_weight\":0.4}}}");
    assert_int_equal(r->frontier.n_points, 20);
    for (size_t k = 0; k < r->frontier.n_points; k++) {
        for (size_t a = 0; a < 4; a++) {
            double weight = r->frontier.points[k].weight[a];
            assert_true(weight > 0.1 - 1e-9 && weight < 0.4 + 1e-9);
        }
    }
    world_clear(&w);
}

static void a_window_that_is_too_short_is_refused(void **state)
{
    struct world w;
    struct err err = {0};
    (void)state;
    fill_market(&w, 5);
    assert_int_equal(world_fails(&w,
                                 "{\"universe\":[\"x:A\",\"x:B\"],\"start\":\"2010-01-04\",\"end\":"
                                 "\"2010-02-10\",\"frontier\":{\"in_sample\":0.9}}",
                                 &err),
                     STATUS_BAD_SPEC);
    assert_string_equal(err.name, "/frontier/in_sample");
    static const char *const bad[][2] = {{"{\"points\":1}", "/frontier/points"},
                                         {"{\"in_sample\":1}", "/frontier/in_sample"},
                                         {"{\"n\":3}", "/frontier/n"},
                                         {"true", "/frontier"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[128];
        struct spec *spec = NULL;
        (void)snprintf(text, sizeof text, "{\"universe\":[\"x:A\"],\"frontier\":%s}", bad[i][0]);
        assert_true(spec_parse(str_of(text), &w.arena, &spec, &err) != STATUS_OK);
        assert_string_equal(err.name, bad[i][1]);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_weights_in_each_sample),
        cmocka_unit_test(nothing_in_the_sample_beats_the_frontier),
        cmocka_unit_test(weights_do_not_depend_on_what_comes_after_the_split),
        cmocka_unit_test(constraints_of_the_strategy_hold_on_the_frontier),
        cmocka_unit_test(a_window_that_is_too_short_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
