/* test_rolling_report.c - rolling windows of a backtest: those of its own equity, its rate and its benchmark. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/monkey_crowd.h"

enum { W = 21 };

#define PARTS \
    "{\"universe\":[\"x:A\",\"x:B\"],\"risk_free_rate\":0.03,\"monkeys\":{\"count\":0},\"benchmark\":\"x:C\""

static void set_up(struct world *w)
{
    world_init(w);
    (void)world_add_walk(w, "x:A", day(2015, 1, 1), 300, 1, 0);
    (void)world_add_walk(w, "x:B", day(2015, 1, 1), 300, 2, 0);
    (void)world_add_walk(w, "x:C", day(2015, 1, 1), 300, 3, 0);
}

static double mean_of(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double product_of(const double *x, const double *y, size_t n)
{
    double sum = 0, mx = mean_of(x, n), my = mean_of(y, n);
    for (size_t i = 0; i < n; i++)
        sum += (x[i] - mx) * (y[i] - my);
    return sum;
}

static void every_window_is_that_stretch_of_the_run_measured_alone(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    struct backtest_result *r = world_run(&w, PARTS ",\"rolling\":{\"window\":21}}");
    double rate = measure_rate_per_period(0.03, 252);
    assert_int_equal(r->rolling.window, W);
    assert_int_equal(r->rolling.n, r->panel->n_sessions - W);
    for (size_t i = 0; i < r->rolling.n; i++) {
        double x[W], b[W];
        for (size_t k = 0; k < W; k++) {
            x[k] = r->equity[i + k + 1] / r->equity[i + k] - 1 - rate;
            b[k] = r->benchmark[i + k + 1] / r->benchmark[i + k] - 1 - rate;
        }
        double sd = sqrt(product_of(x, x, W) / (W - 1));
        assert_int_equal(r->rolling.date[i], r->panel->clock[i + W]);
        assert_close(r->rolling.value[ROLLING_RETURN][i], r->equity[i + W] / r->equity[i] - 1,
                     1e-9);
        assert_close(r->rolling.value[ROLLING_VOLATILITY][i], sd * sqrt(252), 1e-9);
        assert_close(r->rolling.value[ROLLING_SHARPE][i], mean_of(x, W) / sd * sqrt(252), 1e-9);
        assert_close(r->rolling.value[ROLLING_BETA][i], product_of(x, b, W) / product_of(b, b, W),
                     1e-9);
    }
    world_clear(&w);
}

static void only_the_metrics_that_were_asked_for_are_there(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    struct backtest_result *r =
        world_run(&w, PARTS ",\"rolling\":{\"window\":21,\"metrics\":[\"sortino\"]}}");
    for (size_t m = 0; m < ROLLING_METRIC_COUNT; m++)
        assert_int_equal(r->rolling.value[m] != NULL, m == ROLLING_SORTINO);
    assert_int_equal(world_run(&w, PARTS "}")->rolling.window, 0);
    world_clear(&w);
}

static void window_longer_than_the_run_has_no_value_and_no_benchmark_no_beta(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    struct backtest_result *r = world_run(&w, PARTS ",\"rolling\":{\"window\":5000}}");
    assert_int_equal(r->rolling.n, 0);
    assert_int_equal(r->rolling.window, 5000);
    r = world_run(&w,
                  "{\"universe\":[\"x:A\"],\"monkeys\":{\"count\":0},\"rolling\":{\"window\":21,"
                  "\"metrics\":[\"beta\"]}}");
    assert_true(r->rolling.n > 0 && isnan(r->rolling.value[ROLLING_BETA][0]));
    world_clear(&w);
}

static struct str key_of(struct world *w, const char *json)
{
    struct json_out out;
    struct buf *buf = ARENA_NEW(&w->arena, struct buf);
    assert_non_null(buf);
    buf_init(buf, &w->arena, 1 << 20);
    jw_init(&out, buf);
    monkey_crowd_key(world_spec(w, json), &out);
    return buf_str(buf);
}

static void monkeys_do_not_depend_on_windows(void **state)
{
    struct world w;
    (void)state;
    set_up(&w);
    struct str with = key_of(&w, "{\"universe\":[\"x:A\"],\"rolling\":{\"window\":21}}");
    assert_true(str_eq(with, key_of(&w, "{\"universe\":[\"x:A\"]}")));
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_window_is_that_stretch_of_the_run_measured_alone),
        cmocka_unit_test(only_the_metrics_that_were_asked_for_are_there),
        cmocka_unit_test(window_longer_than_the_run_has_no_value_and_no_benchmark_no_beta),
        cmocka_unit_test(monkeys_do_not_depend_on_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
