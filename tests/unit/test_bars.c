/*
 * test_bars.c - what is computed between the marts and the resources. Expected figures are worked out by hand in the
 * comments, or come from Python's decimal and math modules (named there).
 */
#include "backtest/aggregate.h"
#include "backtest/bars.h"
#include "backtest/pairs.h"
#include "backtest/tally.h"
#include "base/date.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)8 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static int32_t day(const char *text)
{
    int32_t date = 0;
    assert_true(date_parse(str_of(text), &date));
    return date;
}

static void assert_near(double got, double wanted)
{
    if (!(fabs(got - wanted) <= 1e-12 * fmax(1, fabs(wanted))))
        fail_msg("%.17g is not %.17g", got, wanted);
}

static void assert_text(struct cell cell, const char *wanted)
{
    struct str text = cell_text(cell, &arena);
    if (wanted == NULL ? text.ptr != NULL : !str_eq_c(text, wanted))
        fail_msg("\"%.*s\" is not %s", STR_ARG(text), wanted == NULL ? "none" : wanted);
}

/* date, open, high, low, close, adj_close, volume, dividend, split_ratio; NULL is none. */
static struct bar bar_of(const char *const text[9])
{
    struct bar bar = {
        .date = day(text[0]), .sessions = 1, .currency = STR("USD"), .source = STR("t")};
    for (size_t f = 0; f < BAR_FIELDS; f++)
        bar.field[f] = cell_exact(str_of(text[f + 1]));
    return bar;
}

static void periods_follow_the_calendar(void **state)
{
    (void)state;
    /* 2020-12-31 is a Thursday and 2021-01-03 a Sunday: one week across the years. */
    assert_int_equal(period_index(FREQUENCY_WEEK, day("2020-12-31")),
                     period_index(FREQUENCY_WEEK, day("2021-01-03")));
    assert_int_equal(period_index(FREQUENCY_WEEK, day("2021-01-04")),
                     period_index(FREQUENCY_WEEK, day("2021-01-03")) + 1);
    assert_int_equal(period_last(FREQUENCY_MONTH, period_index(FREQUENCY_MONTH, day("2020-02-01"))),
                     day("2020-02-29"));
    assert_int_equal(period_last(FREQUENCY_MONTH, period_index(FREQUENCY_MONTH, day("1900-02-01"))),
                     day("1900-02-28"));
    assert_int_equal(
        period_first(FREQUENCY_QUARTER, period_index(FREQUENCY_QUARTER, day("2020-06-30"))),
        day("2020-04-01"));
    for (int32_t date = DATE_MIN; date <= DATE_MAX - 400; date += 11)
        for (enum frequency f = 0; f < FREQUENCY_COUNT; f++) {
            int32_t index = period_index(f, date);
            assert_true(period_first(f, index) <= date && date <= period_last(f, index));
            assert_int_equal(period_index(f, period_last(f, index) + 1), index + 1);
            assert_int_equal(period_index(f, period_first(f, index)), index);
        }
}

static void transforms_are_those_of_fred(void **state)
{
    (void)state;
    /* Monthly, 2020-01 and on; the third month is missing and the fifth has no value. */
    const int32_t period[] = {0, 1, 3, 4, 5, 12, 13};
    const double x[] = {100, 110, 121, (double)NAN, 60, 150, 165};
    double got[ARRAY_LEN(x)];
    struct observed when = {.period = period, .n = ARRAY_LEN(x), .frequency = FREQUENCY_MONTH};
    transform_apply(TRANSFORM_CHG, when, x, got);
    assert_true(isnan(got[0]) && isnan(got[2]) && isnan(got[3]) && isnan(got[4]) && isnan(got[5]));
    assert_near(got[1], 10);
    assert_near(got[6], 15);
    transform_apply(TRANSFORM_PCH, when, x, got);
    assert_near(got[1], 10);
    transform_apply(TRANSFORM_CH1, when, x, got);
    assert_near(got[5], 50);
    assert_near(got[6], 55);
    transform_apply(TRANSFORM_PC1, when, x, got);
    assert_near(got[6], 50);
    transform_apply(TRANSFORM_PCA, when, x, got);
    assert_near(got[1], 213.84283767210026); /* Python: (1.1**12 - 1) * 100 */
    transform_apply(TRANSFORM_CCH, when, x, got);
    assert_near(got[1], 9.531017980432494); /* Python: math.log(1.1) * 100 */
    transform_apply(TRANSFORM_CCA, when, x, got);
    assert_near(got[1], 114.37221576518992); /* the same times 12 */
    transform_apply(TRANSFORM_LOG, when, x, got);
    assert_near(got[0], 4.605170185988092);
}

static void daily_transforms_step_over_days_without_trading(void **state)
{
    (void)state;
    const int32_t friday = day("2020-01-03");
    const int32_t period[] = {friday - 364, friday, friday + 3, friday + 4};
    const double x[] = {50, 100, (double)NAN, 120};
    double got[ARRAY_LEN(x)];
    struct observed when = {.period = period, .n = ARRAY_LEN(x), .frequency = FREQUENCY_DAY};
    transform_apply(TRANSFORM_CHG, when, x, got);
    assert_near(got[3], 20); /* from Friday: Monday has no value */
    transform_apply(TRANSFORM_CH1, when, x, got);
    assert_near(got[1], 50); /* 364 days are 260 weekdays */
    assert_true(isnan(got[3]));
    transform_apply(TRANSFORM_CCA, when, x, got);
    assert_near(got[3], log(1.2) * 100 * 260);
    when.is_seven_day = true;
    transform_apply(TRANSFORM_CH1, when, x, got);
    assert_true(isnan(got[1])); /* 365 days for a market that never closes */
}

static void what_has_no_ratio_or_logarithm_is_missing(void **state)
{
    (void)state;
    const int32_t period[] = {1, 2, 3};
    const double x[] = {0, -5, 5};
    double got[ARRAY_LEN(x)];
    struct observed when = {.period = period, .n = ARRAY_LEN(x), .frequency = FREQUENCY_YEAR};
    for (enum transform t = TRANSFORM_PCH; t < TRANSFORM_COUNT; t++) {
        transform_apply(t, when, x, got);
        assert_true(isnan(got[0]) && isnan(got[1]));
    }
    transform_apply(TRANSFORM_LOG, (struct observed){.n = 0}, x,
                    got); /* an empty series is one too */
}

static void splits_divide_what_came_before_them(void **state)
{
    (void)state;
    struct bar bar[] = {
        bar_of(
            (const char *[]){"2020-01-02", "300", "310", "290", "300.35", "74", "10", NULL, NULL}),
        bar_of((const char *[]){"2020-01-03", "75", "76", "74", "75.1", "75.1", "40", NULL, "4"}),
        bar_of((const char *[]){"2020-01-06", "38", "39", "37", "38.5", "77", "80", "0.5", "2"}),
    };
    bars_adjust((struct bars){bar, 3}, ADJUST_SPLIT);
    assert_text(bar[0].field[BAR_CLOSE], "37.54375"); /* 300.35 / 8 */
    assert_text(bar[1].field[BAR_HIGH], "38");
    assert_text(bar[2].field[BAR_CLOSE], "38.5");
    assert_text(bar[0].field[BAR_ADJ_CLOSE], "74");
    assert_text(bar[0].field[BAR_VOLUME], "10");
}

static void all_takes_the_adjusted_close_and_its_factor(void **state)
{
    (void)state;
    struct bar bar[] = {
        bar_of(
            (const char *[]){"2020-01-02", "100", "120", "80", "100", "50.000", NULL, NULL, NULL}),
        bar_of((const char *[]){"2020-01-03", "10", "10", "10", NULL, "52.7", NULL, NULL, NULL}),
        bar_of((const char *[]){"2020-01-06", "10", "10", "10", "10", NULL, NULL, NULL, NULL}),
    };
    bars_adjust((struct bars){bar, 3}, ADJUST_ALL);
    assert_text(bar[0].field[BAR_CLOSE], "50.000"); /* passed through, digit by digit */
    assert_text(bar[0].field[BAR_HIGH], "60");
    assert_text(bar[1].field[BAR_CLOSE], "52.7");
    assert_text(bar[1].field[BAR_OPEN], NULL);
    assert_text(bar[2].field[BAR_CLOSE], NULL);
}

static void bars_gather_by_first_extremes_last_and_exact_sums(void **state)
{
    (void)state;
    struct bar bar[] = {
        bar_of((const char *[]){"2020-12-30", NULL, "3", "1", "2", NULL, "0.1", "0.10", "1"}),
        bar_of((const char *[]){"2020-12-31", "5", "9", "1.5", "6", "6.5", "0.2", NULL, "2"}),
        bar_of((const char *[]){"2021-01-01", "7", NULL, "0.5", NULL, NULL,
                                "99999999999999999999.7", "0.2", "3"}),
        bar_of((const char *[]){"2021-01-04", "8", "8", "8", "8", "8", NULL, NULL, NULL}),
    };
    struct bars bars = {bar, 4};
    bars_gather(&bars, FREQUENCY_WEEK, &arena);
    assert_int_equal(bars.n, 2);
    assert_int_equal(bar[0].date, day("2021-01-01"));
    assert_int_equal(bar[0].sessions, 3);
    assert_text(bar[0].field[BAR_OPEN], "5"); /* the first that is known */
    assert_text(bar[0].field[BAR_HIGH], "9");
    assert_text(bar[0].field[BAR_LOW], "0.5");
    assert_text(bar[0].field[BAR_CLOSE], "6");
    assert_text(bar[0].field[BAR_ADJ_CLOSE], "6.5");
    assert_text(bar[0].field[BAR_VOLUME], "100000000000000000000");
    assert_text(bar[0].field[BAR_DIVIDEND], "0.3");
    assert_text(bar[0].field[BAR_SPLIT_RATIO], "6");
    assert_text(bar[1].field[BAR_VOLUME], NULL);
}

static void conversion_takes_the_last_rate_not_after_the_date(void **state)
{
    (void)state;
    const int32_t date[] = {day("2020-01-02"), day("2020-01-06")};
    const double usd[] = {1.25, 1.0}, krw[] = {1250, 1300};
    struct bar bar[] = {
        bar_of((const char *[]){"2020-01-01", "1", "1", "1", "1", "1", "7", "1", NULL}),
        bar_of((const char *[]){"2020-01-03", "2", "2", "2", "2", "2", "7", "0.5", NULL}),
        bar_of((const char *[]){"2020-01-06", "2", "2", "2", "2", "2", "7", NULL, NULL}),
    };
    size_t missing = bars_convert((struct bars){bar, 3}, (struct rates){2, date, krw},
                                  (struct rates){2, date, usd}, STR("KRW"));
    assert_int_equal(missing, 1);
    assert_text(bar[0].field[BAR_CLOSE], NULL);
    assert_text(bar[1].field[BAR_CLOSE], "2000"); /* 2 * 1250 / 1.25 */
    assert_text(bar[1].field[BAR_DIVIDEND], "500");
    assert_text(bar[1].field[BAR_VOLUME], "7");
    assert_text(bar[2].field[BAR_ADJ_CLOSE], "2600");
    assert_true(str_eq(bar[2].currency, STR("KRW")));
}

static struct observation month(const char *first, const char *value)
{
    int32_t date = day(first);
    return (struct observation){
        .first = date,
        .last = period_last(FREQUENCY_MONTH, period_index(FREQUENCY_MONTH, date)),
        .value = cell_exact(str_of(value)),
        .vintage = date + 40};
}

static void only_complete_periods_are_aggregated(void **state)
{
    (void)state;
    static const char *const wanted[AGGREGATION_COUNT] = {"2", "6", "3"};
    for (enum aggregation how = 0; how < AGGREGATION_COUNT; how++) {
        struct observation o[] = {month("2019-12-01", "9"),   month("2020-01-01", "1"),
                                  month("2020-02-01", "2.0"), month("2020-03-01", "3"),
                                  month("2020-04-01", "4"),   month("2020-05-01", NULL),
                                  month("2020-06-01", "5"),   month("2020-07-01", "6")};
        size_t n = observations_aggregate(o, ARRAY_LEN(o), FREQUENCY_MONTH, FREQUENCY_QUARTER, how,
                                          &arena);
        assert_int_equal(n, 1); /* 2019Q4 and 2020Q3 are cut, 2020Q2 has a gap */
        assert_int_equal(o[0].first, day("2020-01-01"));
        assert_int_equal(o[0].last, day("2020-03-31"));
        assert_int_equal(o[0].vintage, day("2020-03-01") + 40);
        assert_text(o[0].value, wanted[how]);
    }
}

static void a_daily_period_is_over_when_a_later_day_is_there(void **state)
{
    (void)state;
    struct observation o[3];
    const char *const days[] = {"2020-01-02", "2020-01-31", "2020-02-03"};
    for (size_t i = 0; i < 3; i++)
        o[i] = (struct observation){
            .first = day(days[i]), .last = day(days[i]), .value = cell_of((double)i + 1)};
    assert_int_equal(
        observations_aggregate(o, 3, FREQUENCY_DAY, FREQUENCY_MONTH, AGGREGATION_AVG, &arena), 1);
    assert_near(o[0].value.value, 1.5);
}

static void correlation_joins_common_dates(void **state)
{
    (void)state;
    const int32_t a_date[] = {1, 2, 3, 5, 8}, b_date[] = {1, 3, 4, 5, 8, 9};
    const double a[] = {1, 7, 2, 4, 4}, b[] = {1, 4, 3, 16, 16, 1};
    int32_t date[5];
    double x[5], y[5], correlation = 0;
    size_t n =
        pairs_common((struct priced){a_date, a, 5}, (struct priced){b_date, b, 6}, date, x, y);
    assert_int_equal(n, 4);
    assert_true(pairs_correlation(x, y, n, &correlation, &n)); /* ln 2, ln 2, 0 and twice that */
    assert_int_equal(n, 3);
    assert_near(correlation, 1);
    double flat[] = {1, 1, 1, 1}, other[] = {1, 2, 3, 5}, below[] = {1, -1, 2, 3};
    assert_false(pairs_correlation(flat, other, 4, &correlation, &n));
    assert_false(pairs_correlation(below, flat, 4, &correlation, &n));
    assert_int_equal(priced_within((struct priced){a_date, a, 5}, 2, 5).n, 3);
    assert_int_equal(priced_within((struct priced){a_date, a, 5}, 6, 7).n, 0);
}

static void words_are_counted_and_sorted(void **state)
{
    (void)state;
    struct tally tally;
    size_t n = 0;
    char word[16];
    tally_init(&tally, &arena);
    assert_int_equal((tally_sorted(&tally, &n), n), 0);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(word, sizeof word, "w%03d", i % 1000 < 500 ? i % 500 : i % 1000);
        assert_true(tally_add(&tally, str_of(word)));
    }
    const struct tally_word *words = tally_sorted(&tally, &n);
    assert_int_equal(n, 1000);
    assert_true(str_eq(words[0].word, STR("w000")) && words[0].count == 3);
    assert_true(str_eq(words[999].word, STR("w999")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(periods_follow_the_calendar),
        TEST(transforms_are_those_of_fred),
        TEST(daily_transforms_step_over_days_without_trading),
        TEST(what_has_no_ratio_or_logarithm_is_missing),
        TEST(splits_divide_what_came_before_them),
        TEST(all_takes_the_adjusted_close_and_its_factor),
        TEST(bars_gather_by_first_extremes_last_and_exact_sums),
        TEST(conversion_takes_the_last_rate_not_after_the_date),
        TEST(only_complete_periods_are_aggregated),
        TEST(a_daily_period_is_over_when_a_later_day_is_there),
        TEST(correlation_joins_common_dates),
        TEST(words_are_counted_and_sorted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
