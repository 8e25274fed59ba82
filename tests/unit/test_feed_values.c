/* test_feed_values.c - numbers, dates and periods in every spelling of the feeds, and what is no such thing. */
#include "ingest/feed_date.h"
#include "ingest/feed_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_number(const char *text, const char *wanted)
{
    char room[FEED_NUMBER_BYTES];
    struct str got = STR_NONE;
    enum feed_reading reading = feed_number(str_of(text), room, &got);
    if (reading != FEED_VALUE || !str_eq_c(got, wanted))
        fail_msg("%s is read as %.*s (%d), not %s", text, STR_ARG(got), (int)reading, wanted);
}

static void numbers_of_all_feeds_become_canonical_decimals(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"96407.99000000", "96407.99"},
        {"33,105", "33105"},
        {"169,876,543,210", "169876543210"},
        {"3,805.11", "3805.11"},
        {"-.36", "-0.36"},
        {".5", "0.5"},
        {"5.", "5"},
        {"+1.50", "1.5"},
        {"4.375%", "4.375"},
        {"2.51B", "2510000000"},
        {"1.25k", "1250"},
        {"950M", "950000000"},
        {"1T", "1000000000000"},
        {"1.2e-05", "0.000012"},
        {"6.5E3", "6500"},
        {"1e+2", "100"},
        {" 3 ", "3"},
        {"0", "0"},
        {"-0.000", "0"},
        {"000120", "120"},
        {"1000", "1000"},
        {"0.00001234567890", "0.0000123456789"},
        {"-37.63", "-37.63"},
        {"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
        {"1638553091.09430530", "1638553091.0943053"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_number(cases[i][0], cases[i][1]);
}

static void nothing_is_told_from_nonsense(void **state)
{
    (void)state;
    static const char *const nothing[] = {"", "  ", "-", ".", "N/A", "n/a", "NA", "null", "NaN"};
    static const char *const nonsense[] = {
        "inf",     "Infinity", "-inf",   "0x10",     "1,00",
        "1,0000",  ",5",       "1,,000", "12a",      "1 000",
        "--1",     "1e",       "1e999",  "1.2.3",    "1K5",
        "abc",     "%",        "+",      "1,000,00", "123456789012345678901234567890123456789",
        "1000,000"};
    char room[FEED_NUMBER_BYTES];
    struct str got;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_int_equal(feed_number(str_of(nothing[i]), room, &got), FEED_NULL);
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++)
        if (feed_number(str_of(nonsense[i]), room, &got) != FEED_BAD)
            fail_msg("%s was read as a number", nonsense[i]);
}

/* Whatever decimal strtod reads from the text, it reads from the canonical text too. */
static void a_canonical_number_keeps_its_value(void **state)
{
    (void)state;
    unsigned seed = 1;
    for (int i = 0; i < 200000; i++) {
        char text[64], room[FEED_NUMBER_BYTES];
        struct str got = STR_NONE;
        seed = seed * 1664525U + 1013904223U;
        int exponent = (int)(seed >> 28) - 8;
        (void)snprintf(text, sizeof text, "%s%u.%05ue%d", seed & 64 ? "-" : "", seed >> 12,
                       seed % 100000U, exponent);
        assert_int_equal(feed_number(str_of(text), room, &got), FEED_VALUE);
        char copy[FEED_NUMBER_BYTES + 1] = {0};
        memcpy(copy, got.ptr, got.len);
        if (fabs(strtod(copy, NULL) - strtod(text, NULL)) > 0)
            fail_msg("%s became %s", text, copy);
    }
}

static void assert_double(double value, const char *wanted)
{
    char room[FEED_NUMBER_BYTES];
    struct str got = STR_NONE;
    assert_int_equal(feed_double(value, room, &got), FEED_VALUE);
    if (!str_eq_c(got, wanted))
        fail_msg("%.17g is read as %.*s, not %s", value, STR_ARG(got), wanted);
}

static void a_widened_float_gets_its_short_decimal(void **state)
{
    (void)state;
    assert_double(189.41000366210938, "189.41");
    assert_double(189.41, "189.41");
    assert_double((double)0.0066f, "0.0066");
    assert_double((double)1.234567e-5f, "0.00001234567");
    assert_double(53439000, "53439000");
    assert_double(16777217, "16777217");
    assert_double(6047.1499023438, "6047.1499023438");
    char room[FEED_NUMBER_BYTES];
    struct str got;
    assert_int_equal(feed_double(NAN, room, &got), FEED_NULL);
    assert_int_equal(feed_double(INFINITY, room, &got), FEED_BAD);
    assert_int_equal(feed_double(1e300, room, &got), FEED_BAD);
}

static void assert_date(const char *text, enum feed_spelling spelling, const char *wanted)
{
    int32_t date = 0;
    char got[DATE_TEXT_BYTES] = "none";
    if (feed_date(str_of(text), spelling, &date))
        date_format(date, got);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s is read as %s, not %s", text, got, wanted);
}

static void dates_are_read_in_the_spelling_of_their_feed(void **state)
{
    (void)state;
    assert_date("2024-12-02", FEED_ISO, "2024-12-02");
    assert_date("2024-12-02 00:00", FEED_ISO, "2024-12-02");
    assert_date("2024-12-02T00:00:00Z", FEED_ISO, "2024-12-02");
    assert_date("2024-12-025", FEED_ISO, "none");
    assert_date("2024-02-30", FEED_ISO, "none");
    assert_date("20241202", FEED_COMPACT, "2024-12-02");
    assert_date("2024-12-02", FEED_COMPACT, "none");
    assert_date("12/02/24", FEED_US_SHORT, "2024-12-02");
    assert_date("12/02/69", FEED_US_SHORT, "1969-12-02");
    assert_date("13/02/24", FEED_US_SHORT, "none");
    assert_date("12/02/2024", FEED_US_LONG, "2024-12-02");
    assert_date("12/02/2024", FEED_US_SHORT, "none");
    assert_date("Dec 02, 2024", FEED_MONTH, "2024-12-02");
    assert_date("Dec. 02, 2024", FEED_MONTH, "2024-12-02");
    assert_date("Foo 02, 2024", FEED_MONTH, "none");
    assert_date("De", FEED_MONTH, "none");
    assert_date("2024.12.02 PM 06:30:10", FEED_DOTTED, "2024-12-02");
    assert_date("", FEED_ISO, "none");
    assert_date("-024-12-02", FEED_ISO, "none");
}

static void instants_need_an_offset(void **state)
{
    (void)state;
    int64_t at = 0;
    assert_true(feed_instant(STR("2024-12-02T18:00:00+0000"), &at));
    assert_int_equal(at, 1733162400);
    assert_true(feed_instant(STR("2024-12-02T18:00:00Z"), &at));
    assert_int_equal(at, 1733162400);
    assert_true(feed_instant(STR("2024-12-03T03:00:00.250+09:00"), &at));
    assert_int_equal(at, 1733162400);
    assert_true(feed_instant(STR("2024-12-02T13:00:00-05:00"), &at));
    assert_int_equal(at, 1733162400);
    assert_false(feed_instant(STR("2024-12-02T18:00:00"), &at));
    assert_false(feed_instant(STR("2024-12-02T25:00:00Z"), &at));
    assert_false(feed_instant(STR("2024-12-02T18:00:00Zx"), &at));
    assert_int_equal(feed_epoch(1733097600), 1733097600);
    assert_int_equal(feed_epoch(1733097600000), 1733097600);
    assert_int_equal(feed_epoch(1733097600000000), 1733097600);
    assert_int_equal(feed_epoch(-86400), -86400);
}

/* The stamps of the reference: Monday 2024-07-01 in London stands at 23:00 UTC of Sunday. */
static void a_bar_belongs_to_its_exchange_s_day(void **state)
{
    (void)state;
    int32_t monday = date_from_civil((struct civil){2024, 7, 1});
    assert_int_equal(feed_local_date(1719788400, 3600, true), monday);
    assert_int_equal(feed_local_date(1719788400, 0, true),
                     monday); /* asked in winter: an hour short */
    assert_int_equal(feed_local_date(1719788400, 3600, false), monday);
    assert_int_equal(feed_local_date(1707316200, -18000, true),
                     date_from_civil((struct civil){2024, 2, 7}));
    assert_int_equal(feed_local_date(-3600, 0, false), -1);
}

static void assert_period(const char *text, char frequency, const char *start, const char *end)
{
    struct feed_period p = {0};
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    assert_true(feed_period(str_of(text), &p));
    date_format(p.start, from);
    date_format(p.end, to);
    assert_int_equal(p.frequency, frequency);
    assert_string_equal(from, start);
    assert_string_equal(to, end);
}

static void periods_of_statistics_have_a_first_and_a_last_day(void **state)
{
    (void)state;
    assert_period("2024", 'A', "2024-01-01", "2024-12-31");
    assert_period("2024S2", 'S', "2024-07-01", "2024-12-31");
    assert_period("2024Q1", 'Q', "2024-01-01", "2024-03-31");
    assert_period("202402", 'M', "2024-02-01", "2024-02-29");
    assert_period("20241202", 'D', "2024-12-02", "2024-12-02");
    static const char *const bad[] = {"",       "24",     "2024Q5",   "2024Q",   "202413",
                                      "202400", "2024S3", "20241301", "2024Q1x", "abcd"};
    struct feed_period p;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(feed_period(str_of(bad[i]), &p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_all_feeds_become_canonical_decimals),
        cmocka_unit_test(nothing_is_told_from_nonsense),
        cmocka_unit_test(a_canonical_number_keeps_its_value),
        cmocka_unit_test(a_widened_float_gets_its_short_decimal),
        cmocka_unit_test(dates_are_read_in_the_spelling_of_their_feed),
        cmocka_unit_test(instants_need_an_offset),
        cmocka_unit_test(a_bar_belongs_to_its_exchange_s_day),
        cmocka_unit_test(periods_of_statistics_have_a_first_and_a_last_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
