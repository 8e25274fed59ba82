/* test_derived_conformance.c - conformance cases of one figure in several definitions, by rows of metrics. */
#include "backtest/measure.h"
#include "backtest/monkey.h"
#include "backtest/stats.h"
#include "base/date.h"
#include "tests/support/conformance.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void measure(struct conformance *c, const int32_t *date, const double *value, size_t n,
                    struct measure_value *ret)
{
    struct measure_input in = {.path = {date, value, n}, .periods_per_year = 252};
    struct err err = {0};
    assert_int_equal(measure_compute(&in, &c->arena, ret, &err), STATUS_OK);
}

static void cagr_over_a_leap_year_depends_on_how_years_are_counted(void **state)
{
    enum { N = 254 };
    struct conformance c;
    struct measure_value all[MEASURE_ALL_COUNT];
    int32_t date[N];
    double value[N];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "cagr.leap");
    assert_int_equal((int)conformance_number(&one, "trading_rows"), N - 1);
    double from = conformance_number(&one, "v0"), to = conformance_number(&one, "v1");
    for (int i = 0; i < N; i++) {
        date[i] = date_from_civil((struct civil){2020, 1, 1}) + i;
        value[i] = from + (to - from) * i / (N - 1);
    }
    date[N - 1] = date_from_civil((struct civil){2021, 1, 1});
    measure(&c, date, value, N, all);
    conformance_check(&one, "act_365", all[MEASURE_cagr_365].value);
    conformance_check(&one, "act_365_25", all[MEASURE_cagr_365_25].value);
    conformance_check(&one, "act_act_or_anniversary", all[MEASURE_cagr].value);
    conformance_check(&one, "count_252", all[MEASURE_cagr_periods].value);
    conformance_close(&c);
}

static void kelly_fraction_has_three_forms(void **state)
{
    enum { N = 20 };
    struct conformance c;
    struct measure_value all[MEASURE_ALL_COUNT];
    double wins[N + 1] = {1}, sides[N + 1] = {1};
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "kelly.forms");
    double mean = conformance_number(&one, "mean"), variance = conformance_number(&one, "var");
    double side = sqrt(variance * (N - 1) / N), payoff = conformance_number(&one, "payoff");
    int n_wins = (int)(conformance_number(&one, "p") * N + 0.5);
    for (int i = 0; i < N; i++) {
        wins[i + 1] = wins[i] * (1 + (i < n_wins ? 0.01 * payoff : -0.01));
        sides[i + 1] = sides[i] * (1 + mean + (i % 2 == 0 ? side : -side));
    }
    measure(&c, NULL, wins, N + 1, all);
    conformance_check(&one, "discrete", all[MEASURE_kelly].value);
    measure(&c, NULL, sides, N + 1, all);
    conformance_check(&one, "continuous", all[MEASURE_kelly_continuous].value);
    conformance_check(&one, "half", all[MEASURE_kelly_half].value);
    conformance_close(&c);
}

static void place_among_monkeys_counts_ties_half(void **state)
{
    struct conformance c;
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "monkey.percentile");
    struct conformance_series m = conformance_series(&c, jr_member(one.inputs, "monkeys"), NULL);
    assert_int_equal(m.n, 10);
    struct monkey_rank rank = monkey_rank(conformance_number(&one, "stat"), m.value, m.n);
    conformance_check(&one, "p_value", rank.p_value);
    conformance_check(&one, "percentile_mid", rank.percentile);
    conformance_close(&c);
}

static void growth_of_ten_days_is_annualised_as_ffn_does(void **state)
{
    struct conformance c;
    struct measure_value all[MEASURE_ALL_COUNT];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "ffn.test.cagr10");
    struct conformance_series prices =
        conformance_series(&c, jr_member(one.inputs, "prices"), "AAPL");
    assert_true(prices.n >= 10 && prices.date != NULL);
    measure(&c, prices.date, prices.value, 10, all);
    conformance_check(&one, "", all[MEASURE_cagr_365_25].value);
    conformance_close(&c);
}

static void drawdowns_of_a_short_path_are_listed_deepest_first(void **state)
{
    struct conformance c;
    struct measure_value all[MEASURE_ALL_COUNT];
    struct drawdown found[5];
    double value[9];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "dd.small");
    struct conformance_series line = conformance_series(&c, jr_member(one.inputs, "equity"), NULL);
    struct json_val table = jr_member(one.expected, "table");
    assert_int_equal(line.n, 8);
    memcpy(value + 1, line.value, 8 * sizeof *value);
    value[0] = value[1]; /* all eight rows of the case count, the first without a decline */
    measure(&c, NULL, value, 9, all);
    conformance_check(&one, "max_drawdown", all[MEASURE_max_drawdown].value);
    conformance_check(&one, "ulcer", all[MEASURE_ulcer_index].value);
    conformance_check(&one, "pain", all[MEASURE_pain_index].value);
    size_t n = drawdown_list(line.value, line.n, found);
    drawdown_sort(found, n);
    assert_int_equal(n, jr_length(table));
    for (size_t i = 0; i < n; i++) {
        double depth;
        int64_t peak, trough, recovery;
        struct json_val row = jr_item(table, i);
        assert_int_equal(jr_read_f64(jr_member(row, "depth"), -1, 0, &depth, NULL), STATUS_OK);
        assert_int_equal(jr_read_i64(jr_member(row, "peak"), 0, 7, &peak, NULL), STATUS_OK);
        assert_int_equal(jr_read_i64(jr_member(row, "trough"), 0, 7, &trough, NULL), STATUS_OK);
        assert_int_equal(jr_read_i64(jr_member(row, "recovery"), 0, 7, &recovery, NULL), STATUS_OK);
        assert_true(conformance_agrees(&one, depth, found[i].depth));
        assert_true(found[i].peak == (size_t)peak && found[i].trough == (size_t)trough &&
                    found[i].recovery == (size_t)recovery);
    }
    conformance_close(&c);
}

static void quantiles_are_of_type_seven(void **state)
{
    struct conformance c;
    double x[10];
    (void)state;
    if (!conformance_open(&c))
        skip();
    struct conformance_case one = conformance_find(&c, "quantile.types");
    struct conformance_series series = conformance_series(&c, jr_member(one.inputs, "x"), NULL);
    assert_int_equal(series.n, 10);
    memcpy(x, series.value, sizeof x);
    conformance_check(&one, "type7_linear_numpy",
                      stats_quantile(x, 10, conformance_number(&one, "p")));
    conformance_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cagr_over_a_leap_year_depends_on_how_years_are_counted),
        cmocka_unit_test(kelly_fraction_has_three_forms),
        cmocka_unit_test(place_among_monkeys_counts_ties_half),
        cmocka_unit_test(growth_of_ten_days_is_annualised_as_ffn_does),
        cmocka_unit_test(drawdowns_of_a_short_path_are_listed_deepest_first),
        cmocka_unit_test(quantiles_are_of_type_seven),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
