/* test_metrics.c - metrics.h: what is counted is what is written, and no client can make it grow. */
#include "server/metrics_series.h"

#include "base/arena.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct metrics *metrics;
static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, 64 << 20);
    assert_int_equal(metrics_new(&metrics, NULL), STATUS_OK);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    metrics_free(metrics);
    arena_clear(&arena);
    return 0;
}

static const char *written(void)
{
    struct buf text;
    buf_init(&text, &arena, 16 << 20);
    assert_true(metrics_write(metrics, METRICS_TEXT, &text));
    return buf_c_str(&text);
}

static void openmetrics_has_families_exemplars_and_an_end(void **state)
{
    (void)state;
    const char *labels[] = {"/v1/x", "miss"}, trace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
    struct series *series = metrics_series(metrics, METRIC_http_request_duration_seconds, labels);
    metrics_series_observe(series, 0.7);
    metrics_series_observe(series, 0.7);
    metrics_series_exemplar(metrics, series, 0.7, trace);
    metrics_add(metrics, METRIC_client_gone_total, 1);
    struct buf out;
    buf_init(&out, &arena, 16 << 20);
    assert_true(metrics_write(metrics, METRICS_OPEN, &out));
    const char *text = buf_c_str(&out);
    assert_non_null(strstr(text, "# TYPE cmmc_client_gone counter\ncmmc_client_gone_total 1\n"));
    const char *line = strstr(text, "{route=\"/v1/x\",cache=\"miss\",le=\"1.0\"} 2 # {trace_id=\"");
    assert_non_null(line);
    assert_non_null(strstr(line, "4bf92f3577b34da6a3ce929d0e0e4736\"} 0.7 "));
    assert_non_null(strstr(text, "le=\"0.5\"} 0\n"));
    assert_non_null(strstr(text, "le=\"+Inf\"} 2\n"));
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    metrics_add_labeled(metrics, METRIC_connections_total, LABELS("data"), 1);
    buf_init(&out, &arena, 16 << 20);
    assert_true(metrics_write(metrics, METRICS_OPEN, &out));
    assert_non_null(strstr(buf_c_str(&out), "# TYPE cmmc_connections_total unknown\n"
                                            "cmmc_connections_total{listener=\"data\"} 1\n"));
    for (int i = 0; i < METRIC_COUNT; i++) /* what is cut off is there */
        assert_true(metric_rows[i].kind != COUNTER ||
                    strcmp(metric_rows[i].name + strlen(metric_rows[i].name) - 6, "_total") == 0);
    assert_null(strstr(written(), "trace_id")); /* the older format has no place for them */
    assert_null(strstr(written(), "# EOF"));
}

static void counters_and_gauges_are_written_with_their_labels(void **state)
{
    (void)state;
    metrics_add_labeled(metrics, METRIC_http_requests_total, LABELS("/v1/x", "GET", "200"), 2);
    metrics_add_labeled(metrics, METRIC_http_requests_total, LABELS("/v1/x", "GET", "200"), 1);
    metrics_add_labeled(metrics, METRIC_http_requests_total, LABELS("/v1/x", "GET", "404"), 1);
    metrics_set_labeled(metrics, METRIC_mart_generation, LABELS("a\"b\\c\nd"), 412);
    metrics_add(metrics, METRIC_client_gone_total, 1);
    const char *text = written();
    assert_non_null(strstr(text, "# TYPE cmmc_http_requests_total counter\n"));
    assert_non_null(strstr(
        text, "cmmc_http_requests_total{route=\"/v1/x\",method=\"GET\",status=\"200\"} 3\n"));
    assert_non_null(strstr(
        text, "cmmc_http_requests_total{route=\"/v1/x\",method=\"GET\",status=\"404\"} 1\n"));
    assert_non_null(strstr(text, "cmmc_mart_generation{mart=\"a\\\"b\\\\c\\nd\"} 412\n"));
    assert_non_null(strstr(text, "cmmc_client_gone_total 1\n"));
    assert_non_null(strstr(text, "cmmc_deadline_total 0\n")); /* there before it happens */
    assert_non_null(strstr(text, "\nprocess_resident_memory_bytes "));
    assert_non_null(strstr(text, "\nprocess_open_fds "));
}

static void histogram_buckets_add_up(void **state)
{
    (void)state;
    static const double seconds[] = {0.0001, 0.0005, 0.0006, 0.2, 31};
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
        metrics_observe(metrics, METRIC_backtest_duration_seconds, seconds[i]);
    const char *text = written();
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_bucket{le=\"0.0005\"} 2\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_bucket{le=\"0.001\"} 3\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_bucket{le=\"0.25\"} 4\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_bucket{le=\"30\"} 4\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_bucket{le=\"+Inf\"} 5\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_count 5\n"));
    assert_non_null(strstr(text, "cmmc_backtest_duration_seconds_sum 31.2012\n"));
}

static void series_are_bounded_and_losses_are_counted(void **state)
{
    (void)state;
    char mart[32];
    for (int i = 0; i < METRICS_SERIES_MAX + 100; i++) {
        (void)snprintf(mart, sizeof mart, "mart_%d", i);
        metrics_set_labeled(metrics, METRIC_mart_rows, LABELS(mart), i);
    }
    char endless[1000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    metrics_set_labeled(metrics, METRIC_mart_rows, LABELS(endless), 1);
    (void)written();
    assert_true(metrics_get(metrics, METRIC_metrics_series_dropped_total, NULL) >= 101);
    assert_true(metrics_get(metrics, METRIC_mart_rows, LABELS("mart_7")) > 6.9);
}

static void nothing_happens_without_metrics(void **state)
{
    (void)state;
    metrics_add(NULL, METRIC_client_gone_total, 1);
    metrics_observe_labeled(NULL, METRIC_http_queue_seconds, LABELS("io"), 1);
    assert_true(metrics_get(NULL, METRIC_client_gone_total, NULL) < 0.5);
}

static void *add_many(void *cls)
{
    (void)cls;
    char route[16];
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(route, sizeof route, "/r%d", i % 50);
        metrics_add_labeled(metrics, METRIC_http_requests_total, LABELS(route, "GET", "200"), 1);
        metrics_observe(metrics, METRIC_backtest_duration_seconds, 0.25);
    }
    return NULL;
}

static void no_update_is_lost_between_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < 20; i++)
        (void)written();
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    double sum = 0;
    char route[16];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(route, sizeof route, "/r%d", i);
        sum += metrics_get(metrics, METRIC_http_requests_total, LABELS(route, "GET", "200"));
    }
    assert_true(sum > 79999.5 && sum < 80000.5);
    assert_non_null(strstr(written(), "cmmc_backtest_duration_seconds_sum 20000\n"));
}

static void collect(struct metrics *in, void *cls)
{
    metrics_set_labeled(in, METRIC_db_pool, LABELS("idle"), *(const int *)cls);
}

static void collectors_run_before_each_write_until_removed(void **state)
{
    (void)state;
    int value = 5;
    metrics_collector(metrics, collect, &value);
    assert_non_null(strstr(written(), "cmmc_db_pool{state=\"idle\"} 5\n"));
    value = 6;
    assert_non_null(strstr(written(), "cmmc_db_pool{state=\"idle\"} 6\n"));
    metrics_collector_remove(metrics, &value);
    value = 7;
    assert_non_null(strstr(written(), "cmmc_db_pool{state=\"idle\"} 6\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(openmetrics_has_families_exemplars_and_an_end, start, stop),
        cmocka_unit_test_setup_teardown(counters_and_gauges_are_written_with_their_labels, start,
                                        stop),
        cmocka_unit_test_setup_teardown(histogram_buckets_add_up, start, stop),
        cmocka_unit_test_setup_teardown(series_are_bounded_and_losses_are_counted, start, stop),
        cmocka_unit_test_setup_teardown(nothing_happens_without_metrics, start, stop),
        cmocka_unit_test_setup_teardown(no_update_is_lost_between_threads, start, stop),
        cmocka_unit_test_setup_teardown(collectors_run_before_each_write_until_removed, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
