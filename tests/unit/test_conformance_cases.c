/* test_conformance_cases.c - the reader of the conformance cases itself, and whether each of them is driven, once. */
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

static void cases_are_found_by_group(void **state)
{
    struct conformance c;
    struct conformance_case one;
    size_t n = 0, n_all = 0;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "quantstats", &i, &one); n++)
        assert_string_equal(one.group, "quantstats");
    for (size_t i = 0; conformance_next(&c, "", &i, &one); n_all++)
        assert_true(one.id != NULL && one.metric != NULL);
    assert_true(n > 0 && n < n_all);
    assert_int_equal(n_all, jr_length(c.cases));
    conformance_close(&c);
}

/* Every series of every case, by a name, a difference of names, or its values. */
static void series_are_read_with_their_dates(void **state)
{
    struct conformance c;
    struct conformance_case one;
    struct json_val val;
    struct str name;
    size_t n = 0, n_dated = 0, n_missing = 0;
    (void)state;
    if (!conformance_open(&c))
        skip();
    for (size_t i = 0; conformance_next(&c, "empyrical", &i, &one);) {
        for (size_t k = 0; jr_member_at(one.inputs, k, &name, &val); k++) {
            struct conformance_series s = conformance_series(&c, val, NULL);
            n += s.n > 0 ? 1 : 0;
            n_dated += s.date != NULL && s.frequency != NULL ? 1 : 0;
            for (size_t t = 0; t < s.n; t++)
                n_missing += isnan(s.value[t]) ? 1 : 0;
        }
    }
    assert_true(n > 0 && n_dated > 0 && n_missing > 0);
    conformance_close(&c);
}

/* A document of its own: what numbers may look like, and when two agree. */
static void numbers_and_tolerances(void **state)
{
    static const char TEXT[] =
        "{\"datasets\":{\"d\":{\"freq\":\"daily\",\"a\":[3,5],\"b\":[1,1]}},\"cases\":[{\"id\":\"x\","
        "\"group\":\"g\",\"metric\":\"m\",\"tolerance\":{\"rel\":0.1},\"expected\":\"Infinity\","
        "\"inputs\":{\"half\":\"1/2\",\"root\":\"1/sqrt(4)\",\"word\":\"one\",\"x\":\"d.a - b\","
        "\"rows\":\"first 1\",\"params\":{\"p\":0.9}}}]}";
    char path[] = "/tmp/cmmc-cases-XXXXXX";
    struct conformance c;
    struct conformance_case one;
    size_t i = 0;
    (void)state;
    const char *own = getenv("CMMC_CONFORMANCE");
    char *given = own != NULL ? strdup(own) : NULL;
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, TEXT, sizeof TEXT - 1), sizeof TEXT - 1);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(setenv("CMMC_CONFORMANCE", path, 1), 0);
    assert_true(conformance_open(&c));
    assert_int_equal(
        given != NULL ? setenv("CMMC_CONFORMANCE", given, 1) : unsetenv("CMMC_CONFORMANCE"), 0);
    free(given);
    (void)unlink(path);
    assert_true(conformance_next(&c, "g", &i, &one) && !conformance_next(&c, "g", &i, &one));
    assert_true(conformance_number(&one, "half") == 0.5 && conformance_number(&one, "root") == 0.5);
    assert_true(isnan(conformance_number(&one, "word")) && isnan(conformance_expected(&one, "")));
    assert_true(conformance_number_or(&one, "none", 7) == 7 &&
                conformance_parameter(&one, "p", 7) == 0.9);
    struct conformance_series x = conformance_series(&c, jr_member(one.inputs, "x"), NULL);
    assert_true(x.n == 2 && x.value[0] == 2 && x.value[1] == 4);
    assert_int_equal(conformance_rows(&c, &one, x.n), 1);
    assert_true(conformance_agrees(&one, 1, 1.09) && !conformance_agrees(&one, 1, 1.11));
    assert_true(conformance_agrees(&one, (double)NAN, (double)NAN));
    assert_false(conformance_agrees(&one, 1, (double)NAN));
    conformance_close(&c);
}

/* Who drives cases: programs beside this one. */
static const char *const drivers[] = {
    "test_answer_conformance",    "test_attribution",         "test_backtest_conformance",
    "test_derived_conformance",   "test_measure_conformance", "test_order_conformance",
    "test_portfolio_conformance", "test_sharpe_conformance",  "test_strategy_conformance",
    "test_track_record",
};
enum { DRIVERS = sizeof drivers / sizeof *drivers, CASES_MAX = 2000, ID_BYTES = 128 };

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
        if (n_claims[k] == 1)
            continue;
        if (n_claims[k] == 0)
            print_error("%s (%s) is not driven\n", one.id, one.metric);
        else
            print_error("%s is driven by %u programs\n", one.id, n_claims[k]);
        n_wrong++;
    }
    assert_int_equal(n_wrong, 0);
    conformance_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_found_by_group),
        cmocka_unit_test(series_are_read_with_their_dates),
        cmocka_unit_test(numbers_and_tolerances),
        cmocka_unit_test(every_case_is_driven_by_exactly_one_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
