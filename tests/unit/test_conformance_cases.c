/* test_conformance_cases.c - the reader of the conformance cases itself, and whether each of them is driven, once. */
#include "backtest/stats.h"
#include "tests/support/conformance.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void cases_are_found_by_group_and_by_id(void **state)
{
    struct conformance c;
    struct conformance_case one;
    size_t n = 0, n_all = 0;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "quantstats", &i, &one); n++)
        assert_string_equal(one.group, "quantstats");
    for (size_t i = 0; conformance_next(&c, "", &i, &one);)
        n_all++;
    assert_true(n >= 50 && n_all >= 250);
    one = conformance_find(&c, "quantile.types");
    double x[10];
    struct conformance_series series = conformance_series(&c, jr_member(one.inputs, "x"), NULL);
    assert_int_equal(series.n, 10);
    memcpy(x, series.value, sizeof x);
    conformance_check(&one, "type7_linear_numpy",
                      stats_quantile(x, 10, conformance_number(&one, "p")));
    assert_false(conformance_agrees(&one, 1.45, 1.4501));
    assert_true(conformance_agrees(&one, (double)NAN, (double)NAN));
    assert_false(conformance_agrees(&one, 1, (double)NAN));
    conformance_close(&c);
}

static void series_come_from_data_sets_with_their_dates(void **state)
{
    struct conformance c;
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "empyrical.053.downside_risk");
    struct conformance_series series =
        conformance_series(&c, jr_member(one.inputs, "returns"), "two");
    assert_int_equal(series.n, 8);
    assert_non_null(series.date);
    assert_string_equal(series.frequency, "monthly");
    one = conformance_find(&c, "empyrical.105.up_capture");
    series = conformance_series(&c, jr_member(one.inputs, "benchmark"), NULL);
    assert_int_equal(series.n, 9);
    assert_true(isnan(series.value[0]));
    one = conformance_find(&c, "pa.ham1.SharpeAnn.rf");
    series = conformance_series(&c, jr_member(one.inputs, "rf"), NULL);
    assert_int_equal(series.n, 132);
    one = conformance_find(&c, "empyrical.082.sharpe_ratio");
    assert_true(isnan(conformance_expected(&one, "")));
    conformance_close(&c);
}

/* Who drives cases: programs beside this one. */
static const char *const drivers[] = {
    "test_attribution",          "test_backtest_conformance",
    "test_derived_conformance",  "test_measure",
    "test_measure_conformance",  "test_overfit",
    "test_strategy_conformance", "test_track_record",
};
enum { DRIVERS = sizeof drivers / sizeof *drivers, CASES_MAX = 2000, ID_BYTES = 128 };

/* What figures of whole answers are compared with: tests/integration/test_track_records.py. */
static bool is_driven_through_answers(const struct conformance_case *one)
{
    static const char *const ids[] = {"pa.ham1.calendar_year", "nautilus.profit_factor",
                                      "sqn.small"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (strcmp(one->id, ids[i]) == 0)
            return true;
    }
    return strcmp(one->metric, "aggregate_returns") == 0;
}

/* Runs a program beside this one; the cases that it compares go to a file. */
static void run_driver(const char *name, const char *claims)
{
    char path[512];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(n > 0);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    assert_non_null(slash);
    (void)snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "%s", name);
    if (access(path, X_OK) != 0)
        fail_msg("%s is not built: make unit-programs", path);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int sink = open("/dev/null", O_WRONLY);
        if (sink < 0 || dup2(sink, 1) < 0 || dup2(sink, 2) < 0 ||
            setenv("CMMC_CONFORMANCE_CLAIMS", claims, 1) != 0)
            _exit(127);
        (void)execl(path, path, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 127);
}

/* Adds 1 to the count of every case that the driver has compared. */
static void count_claims(struct conformance *c, const char *name, unsigned char *n_claims)
{
    char file[] = "/tmp/cmmc-claims-XXXXXX", id[ID_BYTES];
    static bool is_claimed[CASES_MAX];
    struct conformance_case one;
    int descriptor = mkstemp(file);
    assert_true(descriptor >= 0);
    run_driver(name, file);
    FILE *in = fdopen(descriptor, "rb");
    assert_non_null(in);
    memset(is_claimed, 0, sizeof is_claimed);
    while (fgets(id, sizeof id, in) != NULL) {
        id[strcspn(id, "\n")] = '\0';
        for (size_t i = 0, k = 0; conformance_next(c, "", &i, &one); k++)
            is_claimed[k] = is_claimed[k] || strcmp(one.id, id) == 0;
    }
    for (size_t k = 0; k < CASES_MAX; k++)
        n_claims[k] = (unsigned char)(n_claims[k] + is_claimed[k]);
    (void)fclose(in);
    (void)unlink(file);
}

static void every_case_is_driven_by_exactly_one_program(void **state)
{
    static unsigned char n_claims[CASES_MAX];
    struct conformance c;
    struct conformance_case one;
    size_t n_wrong = 0, k = 0;
    (void)state;
    if (!conformance_open(&c))
        skip();
    assert_true(jr_length(c.cases) <= CASES_MAX);
    for (size_t d = 0; d < DRIVERS; d++)
        count_claims(&c, drivers[d], n_claims);
    for (size_t i = 0; conformance_next(&c, "", &i, &one); k++) {
        unsigned n = n_claims[k] + (is_driven_through_answers(&one) ? 1U : 0U);
        if (n == 1)
            continue;
        print_error("%s is driven by %u programs\n", one.id, n);
        n_wrong++;
    }
    assert_int_equal(n_wrong, 0);
    conformance_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_found_by_group_and_by_id),
        cmocka_unit_test(series_come_from_data_sets_with_their_dates),
        cmocka_unit_test(every_case_is_driven_by_exactly_one_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
