/* test_cron.c - schedules in crontab's spelling: what is read, what is refused, and when they are due. */
#include "base/date.h"
#include "jobs/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static int64_t instant(const char *text)
{
    int64_t ret = 0;
    assert_true(instant_parse(str_of(text), &ret));
    return ret;
}

static struct cron parse(const char *text)
{
    struct cron cron;
    struct err err = {0};
    if (cron_parse(str_of(text), &cron, &err) != STATUS_OK)
        fail_msg("%s: %s", text, err.detail);
    return cron;
}

static void assert_due(const char *text, const char *after, const char *const *expected)
{
    struct cron cron = parse(text);
    int64_t at = instant(after);
    for (; *expected != NULL; expected++) {
        char found[INSTANT_TEXT_BYTES];
        at = cron_next(&cron, at);
        instant_format(at, found);
        assert_string_equal(found, *expected);
    }
}
#define DUE(text, after, ...) assert_due(text, after, (const char *const[]){__VA_ARGS__, NULL})

static void fields_are_met_together(void **state)
{
    (void)state;
    DUE("0 5 * * 1-5", "2026-11-26T05:00:00Z", "2026-11-27T05:00:00Z", "2026-11-30T05:00:00Z");
    DUE("*/20 9-10 * * *", "2026-11-27T09:59:59Z", "2026-11-27T10:00:00Z", "2026-11-27T10:20:00Z",
        "2026-11-27T10:40:00Z", "2026-11-28T09:00:00Z");
    DUE("0 0 15 */3 *", "2026-02-01T00:00:00Z", "2026-04-15T00:00:00Z", "2026-07-15T00:00:00Z",
        "2026-10-15T00:00:00Z", "2027-01-15T00:00:00Z");
    DUE("30 22 29 2 *", "2024-02-29T22:30:00Z", "2028-02-29T22:30:00Z");
    DUE("30 22 29 2 *", "1900-03-01T00:00:00Z", "1904-02-29T22:30:00Z");
    DUE("0,30 0 1 jan,JUL *", "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z",
        "2026-07-01T00:00:00Z");
    DUE("59 23 31 12 *", "1969-12-31T23:58:00Z", "1969-12-31T23:59:00Z", "1970-12-31T23:59:00Z");
}

/* POSIX: with both day fields restricted either will do; so "monthly on weekdays" is every weekday and the 1st. */
static void either_day_field_will_do_when_both_are_restricted(void **state)
{
    (void)state;
    DUE("0 0 1 * 1-5", "2026-07-31T00:00:00Z", "2026-08-01T00:00:00Z", "2026-08-03T00:00:00Z",
        "2026-08-04T00:00:00Z");
    DUE("0 0 */2 * 1", "2026-06-01T00:00:00Z", "2026-06-15T00:00:00Z", "2026-06-29T00:00:00Z");
}

static void sunday_has_two_numbers_and_words_stand_for_fields(void **state)
{
    (void)state;
    DUE("0 0 * * 7", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z");
    DUE("0 0 * * sun", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z");
    DUE("0 0 * * 5-7", "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z",
        "2026-11-29T00:00:00Z", "2026-12-04T00:00:00Z");
    DUE("@daily", "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z");
    DUE("@weekly", "2026-11-27T00:00:00Z", "2026-11-29T00:00:00Z");
    DUE("@monthly", "2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z");
    DUE("@yearly", "2026-11-27T00:00:00Z", "2027-01-01T00:00:00Z");
    DUE("@hourly", "2026-11-27T00:00:00Z", "2026-11-27T01:00:00Z");
}

static void what_is_no_schedule_is_refused_by_name(void **state)
{
    static const char *const texts[] = {
        "",           "* * * *",           "* * * * * *",  "60 * * * *",
        "* 24 * * *", "* * 0 * *",         "* * 32 * *",   "* * * 13 *",
        "* * * * 8",  "* * * foo *",       "5-1 * * * *",  "*/0 * * * *",
        "1, * * * *", ",1 * * * *",        "1,,2 * * * *", "-1 * * * *",
        "1- * * * *", "+1 * * * *",        "1/ * * * *",   "@reboot",
        "0 0 30 2 *", "0 0 31 4,6,9,11 *", "1e1 * * * *",  "*/60 * * * *"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct cron cron;
        struct err err = {0};
        if (cron_parse(str_of(texts[i]), &cron, &err) != STATUS_OUT_OF_RANGE)
            fail_msg("'%s' was read", texts[i]);
        assert_true(err.detail[0] != '\0' && err.allowed[0] != '\0');
    }
}

/* Every due minute of a month, found one by one, is what a look at every minute finds. */
static void next_is_what_a_look_at_every_minute_finds(void **state)
{
    static const char *const texts[] = {"*/7 3,15-17 * * *", "13 * 1-7 * 1", "0 0 * 2-3 0,6",
                                        "* * * * *"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct cron cron = parse(texts[i]);
        int64_t from = instant("2024-02-20T00:00:00Z"), to = instant("2024-03-10T00:00:00Z");
        int64_t next = cron_next(&cron, from - 1);
        for (int64_t at = from; at < to; at += 60) {
            struct civil day = date_to_civil((int32_t)(at / 86400));
            int weekday = (date_weekday((int32_t)(at / 86400)) + 1) % 7;
            bool is_day = (cron.days >> day.day & 1) != 0;
            bool is_weekday = (cron.weekdays >> weekday & 1) != 0;
            bool is_due = (cron.minutes >> (at / 60 % 60) & 1) != 0 &&
                          (cron.hours >> (at / 3600 % 24) & 1) != 0 &&
                          (cron.months >> day.month & 1) != 0 &&
                          (cron.is_any_day || cron.is_any_weekday ? is_day && is_weekday
                                                                  : is_day || is_weekday);
            assert_int_equal(next == at, is_due);
            if (is_due)
                next = cron_next(&cron, at);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_met_together),
        cmocka_unit_test(either_day_field_will_do_when_both_are_restricted),
        cmocka_unit_test(sunday_has_two_numbers_and_words_stand_for_fields),
        cmocka_unit_test(what_is_no_schedule_is_refused_by_name),
        cmocka_unit_test(next_is_what_a_look_at_every_minute_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
