/* test_base_date.c - date.h against the C library's calendar and known instants. */
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>

static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int32_t day = DATE_MIN; day <= DATE_MAX; day++) {
        time_t seconds = (time_t)day * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        struct civil c = date_to_civil(day);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(date_weekday(day), (tm.tm_wday + 6) % 7);
        assert_int_equal(date_from_civil(c), day);
        char text[DATE_TEXT_BYTES];
        int32_t back = 0;
        date_format(day, text);
        assert_true(date_parse(str_of(text), &back));
        assert_int_equal(back, day);
    }
}

static void date_parse_refuses_what_is_not_a_day(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "2020-1-01",   "2020-02-30",  "2019-02-29", "2020-00-10", "2020-13-01",
        "1899-12-31", "2200-01-01",  "2020-01-01T", "20200101",   "2020/01/01", "0000-01-01",
        "9999-12-31", "10000-01-01", " 2020-01-01", "2020-01-0x"};
    int32_t date;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(date_parse(str_of(bad[i]), &date));
    assert_true(date_parse(STR("2020-02-29"), &date));
}

static void instants_with_offsets_are_told_in_utc(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"2024-03-01T08:59:59+09:00", "2024-02-29T23:59:59Z"},
        {"2024-03-01T08:59:59 09:00", "2024-02-29T23:59:59Z"},
        {"2024-03-01t08:59:59.1230z", "2024-03-01T08:59:59.123Z"},
        {"2024-02-29 20:29:59-0330", "2024-02-29T23:59:59Z"},
        {"2024-02-29T23:59:59.000000000", "2024-02-29T23:59:59Z"},
        {"1969-12-31T23:59:59.999999+00", "1969-12-31T23:59:59.999999Z"},
        {"1900-01-01T09:00:00+09:00", "1900-01-01T00:00:00Z"}};
    static const char *const bad[] = {"2024-03-01T08:59:59+9",
                                      "2024-03-01T08:59:59+09:",
                                      "2024-03-01T08:59:59+09:60",
                                      "2024-03-01T08:59:59+24:00",
                                      "2024-03-01T08:59:59+090",
                                      "2024-03-01T08:59:59*09:00",
                                      "2024-03-01T08:59:59.1234567Z",
                                      "2024-03-01T08:59:59Z+09:00",
                                      "1900-01-01T08:59:59+09:00",
                                      "2199-12-31T23:59:59-01:00",
                                      "2024-03-01T24:00:00+09:00",
                                      "2024-03-01",
                                      ""};
    char text[INSTANT_EXACT_BYTES];
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(instant_to_utc(str_of(pairs[i][0]), text));
        assert_string_equal(text, pairs[i][1]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(instant_to_utc(str_of(bad[i]), text));
}

static void instant_parse_takes_the_three_spellings(void **state)
{
    (void)state;
    static const char *const same[] = {"2001-09-09T01:46:40Z", "2001-09-09 01:46:40",
                                       "2001-09-09 01:46:40+00",
                                       "2001-09-09 01:46:40.123456+00:00"};
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        int64_t seconds = 0;
        assert_true(instant_parse(str_of(same[i]), &seconds));
        assert_int_equal(seconds, 1000000000);
        char text[INSTANT_TEXT_BYTES];
        instant_format(seconds, text);
        assert_string_equal(text, "2001-09-09T01:46:40Z");
    }
    int64_t seconds;
    assert_false(instant_parse(STR("2001-09-09T24:00:00Z"), &seconds));
    assert_false(instant_parse(STR("2001-09-09T01:46:40+09"), &seconds));
    char before[INSTANT_TEXT_BYTES];
    instant_format(-1, before);
    assert_string_equal(before, "1969-12-31T23:59:59Z");
}

static int32_t day(const char *text)
{
    int32_t date = 0;
    assert_true(date_parse(str_of(text), &date));
    return date;
}

static void date_add_months_clips_to_the_month(void **state)
{
    (void)state;
    assert_int_equal(date_add_months(day("2020-01-31"), 1), day("2020-02-29"));
    assert_int_equal(date_add_months(day("2020-01-31"), -2), day("2019-11-30"));
    assert_int_equal(date_add_months(day("2020-12-15"), 1), day("2021-01-15"));
}

static void years_between_counts_anniversaries(void **state)
{
    (void)state;
    assert_true(date_years_between(day("2020-01-01"), day("2021-01-01")) == 1.0);
    assert_true(date_years_between(day("2000-02-29"), day("2004-02-29")) == 4.0);
    double half = date_years_between(day("2021-01-01"), day("2021-07-02"));
    assert_true(half > 0.4986 && half < 0.4987); /* 182 of 365 days */
}

static void dates_until_counts_those_that_are_not_after(void **state)
{
    (void)state;
    const int32_t dates[] = {-5, 0, 3, 4, 10};
    for (size_t n = 0; n <= sizeof dates / sizeof dates[0]; n++)
        for (int32_t day = -7; day <= 12; day++) {
            size_t wanted = 0;
            while (wanted < n && dates[wanted] <= day)
                wanted++;
            assert_int_equal(dates_until(dates, n, day), wanted);
        }
}

static void dates_reach_finds_the_first_that_is_not_before(void **state)
{
    int32_t dates[40];
    (void)state;
    for (int32_t i = 0; i < 40; i++)
        dates[i] = 3 * i + i / 7;
    for (size_t n = 0; n <= 40; n++) {
        for (size_t from = 0; from <= n; from++) {
            for (int32_t day = -1; day < 130; day++) {
                size_t wanted = from;
                while (wanted < n && dates[wanted] < day)
                    wanted++;
                assert_int_equal(dates_reach(dates, n, from, day), wanted);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(date_parse_refuses_what_is_not_a_day),
        cmocka_unit_test(instant_parse_takes_the_three_spellings),
        cmocka_unit_test(instants_with_offsets_are_told_in_utc),
        cmocka_unit_test(date_add_months_clips_to_the_month),
        cmocka_unit_test(dates_until_counts_those_that_are_not_after),
        cmocka_unit_test(dates_reach_finds_the_first_that_is_not_before),
        cmocka_unit_test(years_between_counts_anniversaries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
