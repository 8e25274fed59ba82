/* test_period_returns.c - weeks over a new year in two ways of counting them, and rows without a return. */
#include "backtest/period_returns.h"
#include "base/date.h"
#include "tests/unit/test_numbers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

enum { ROWS_MAX = 800 };
static const double STOCKS = 252;

/* A row for each weekday from a day on, growing by one per mille each. */
struct line {
    int32_t date[ROWS_MAX];
    double value[ROWS_MAX];
    size_t n;
};

static struct line weekdays(struct civil first, size_t n)
{
    struct line line = {.n = 0};
    for (int32_t day = date_from_civil(first); line.n < n; day++) {
        if (date_weekday(day) >= 5)
            continue;
        line.date[line.n] = day;
        line.value[line.n] = line.n > 0 ? line.value[line.n - 1] * 1.001 : 1;
        line.n++;
    }
    return line;
}

static struct period_rows rows_of(const struct line *line, bool has_weeks_of_year)
{
    return (struct period_rows){.path = {line->date, line->value, line->n},
                                .date = line->date + 1,
                                .n = line->n - 1,
                                .frequency = FREQUENCY_WEEK,
                                .has_weeks_of_year = has_weeks_of_year};
}

static double product(const struct period_return *list, size_t n)
{
    double all = 1;
    for (size_t i = 0; i < n; i++)
        all *= list[i].growth;
    return all;
}

/* 2014-12-29..31 are in week 1 of 2015, which empyrical adds to the first days of 2014: a year after which none is left over. */
static void december_joins_the_january_of_its_year(void **state)
{
    struct line line = weekdays((struct civil){2013, 12, 31}, 264); /* to 2015-01-02 */
    struct period_rows rows = rows_of(&line, true);
    struct period_return found[ROWS_MAX];
    (void)state;
    size_t n = period_returns(&rows, STOCKS, found);
    assert_int_equal(n, 52 + 1);
    assert_int_equal(found[0].end, date_from_civil((struct civil){2014, 12, 31}));
    assert_close(found[0].growth, pow(1.001, 3 + 3),
                 1e-13); /* January 1st to 3rd, December 29th to 31st */
    assert_int_equal(found[51].end, date_from_civil((struct civil){2014, 12, 26}));
    assert_close(found[51].growth, pow(1.001, 5), 1e-13);
    assert_close(found[52].growth, pow(1.001, 2), 1e-13); /* the same week's rest, in 2015 */
    assert_close(product(found, n), line.value[line.n - 1], 1e-13);
    assert_false(found[52].is_partial); /* Friday */
}

/* 2016-01-01 is in week 53, of 2015: the last week of 2016. */
static void the_first_days_of_january_may_come_last(void **state)
{
    struct line line = weekdays((struct civil){2015, 12, 31}, 263); /* to 2017-01-02 */
    struct period_rows rows = rows_of(&line, true);
    struct period_return found[ROWS_MAX];
    (void)state;
    size_t n = period_returns(&rows, STOCKS, found);
    assert_int_equal(n, 1 + 52 + 1);
    assert_int_equal(found[0].end, date_from_civil((struct civil){2016, 1, 8}));
    assert_int_equal(found[52].end, date_from_civil((struct civil){2016, 1, 1}));
    assert_close(found[52].growth, 1.001, 1e-13);
    assert_close(product(found, n), line.value[line.n - 1], 1e-13);
    assert_true(found[53].is_partial); /* Monday */
}

static void weeks_by_default_know_no_year(void **state)
{
    struct line line =
        weekdays((struct civil){2014, 12, 26}, 8); /* Friday, to Tuesday 2015-01-06 */
    struct period_rows rows = rows_of(&line, false);
    struct period_return found[ROWS_MAX];
    (void)state;
    assert_int_equal(period_returns(&rows, STOCKS, found), 2);
    assert_int_equal(found[0].end, date_from_civil((struct civil){2015, 1, 2}));
    assert_close(found[0].growth, pow(1.001, 5), 1e-13);
    assert_true(!found[0].is_partial && found[1].is_partial);
}

/* Rows that the path does not have are returns of 0, a week of them too. */
static void rows_without_a_return_are_periods(void **state)
{
    struct line line = weekdays((struct civil){2015, 3, 6}, 16); /* Friday, then three weeks */
    int32_t date[16], all[16];
    double value[16];
    struct period_return found[16];
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < line.n; i++) {
        all[i] = line.date[i];
        if (i >= 6 && i <= 10)
            continue; /* the second week has no value */
        date[n] = line.date[i];
        value[n++] = line.value[i];
    }
    struct period_rows rows = {.path = {date, value, n},
                               .date = all + 1,
                               .n = line.n - 1,
                               .frequency = FREQUENCY_WEEK,
                               .has_weeks_of_year = true};
    assert_int_equal(period_returns(&rows, STOCKS, found), 3);
    assert_close(found[0].growth, pow(1.001, 5), 1e-13);
    assert_close(found[1].growth, 1, 1e-15);
    assert_close(found[2].growth, pow(1.001, 10), 1e-13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(december_joins_the_january_of_its_year),
        cmocka_unit_test(the_first_days_of_january_may_come_last),
        cmocka_unit_test(weeks_by_default_know_no_year),
        cmocka_unit_test(rows_without_a_return_are_periods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
