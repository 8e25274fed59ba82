/* test_conformance_cases.c - the reader of the conformance cases itself, on cases that need no engine. */
#include "backtest/stats.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_are_found_by_group_and_by_id),
        cmocka_unit_test(series_come_from_data_sets_with_their_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
