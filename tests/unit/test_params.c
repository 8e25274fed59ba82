/* test_params.c - query parameters: unknown, repeated, ranges and windows. */
#include "base/date.h"
#include "handlers/params.h"
#include "tests/unit/handler_request.h"

#include <stdio.h>

static int32_t day(const char *text)
{
    int32_t date = 0;
    assert_true(date_parse(str_of(text), &date));
    return date;
}

static void unknown_and_repeated_parameters_are_refused(void **state)
{
    static const char *const names[] = {"limit", "order"};
    struct hand hand;
    struct err err = {0};
    (void)state;
    hand_init(&hand);
    hand_param(&hand, "limit", "5");
    assert_int_equal(params_expect(&hand.request, names, 2, &err), STATUS_OK);
    hand_param(&hand, "oder", "date");
    assert_int_equal(params_expect(&hand.request, names, 2, &err), STATUS_UNKNOWN_PARAMETER);
    assert_string_equal(err.name, "oder");
    assert_string_equal(err.suggestion, "order");
    assert_string_equal(err.allowed, "limit, order");
    hand.params[1].name = STR("limit");
    assert_int_equal(params_expect(&hand.request, names, 2, &err), STATUS_REPEATED_PARAMETER);
    assert_int_equal(params_expect(&hand.request, NULL, 0, &err), STATUS_UNKNOWN_PARAMETER);
    assert_string_equal(err.allowed, "no parameters");
    hand_clear(&hand);
}

static void integers_have_a_range(void **state)
{
    static const char *const bad[] = {
        "0", "101", "-1", "1e3", "", " 5", "5 ", "0x5", "9223372036854775808"};
    struct hand hand;
    struct err err = {0};
    int64_t value = 7;
    (void)state;
    hand_init(&hand);
    assert_int_equal(params_i64(&hand.request, "limit", 1, 100, &value, &err), STATUS_OK);
    assert_int_equal(value, 7);
    hand_param(&hand, "limit", "100");
    assert_int_equal(params_i64(&hand.request, "limit", 1, 100, &value, &err), STATUS_OK);
    assert_int_equal(value, 100);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        hand.params[0].value = str_of(bad[i]);
        assert_int_equal(params_i64(&hand.request, "limit", 1, 100, &value, &err),
                         STATUS_BAD_VALUE);
        assert_string_equal(err.allowed, "an integer from 1 to 100");
    }
    hand_clear(&hand);
}

/* The window that one or two parameters make, as "from..to", or "refused". */
static const char *window(const char *name, const char *value, const char *name2,
                          const char *value2)
{
    static char text[2 * DATE_TEXT_BYTES + 4];
    char from[DATE_TEXT_BYTES], to[DATE_TEXT_BYTES];
    struct hand hand;
    struct window w = {0};
    struct err err = {0};
    hand_init(&hand);
    if (name != NULL)
        hand_param(&hand, name, value);
    if (name2 != NULL)
        hand_param(&hand, name2, value2);
    enum status s = params_window(&hand.request, day("2020-03-31"), &w, &err);
    hand_clear(&hand);
    if (s != STATUS_OK) {
        assert_int_equal(s, STATUS_BAD_VALUE);
        assert_true(strlen(err.name) > 0 && strlen(err.allowed) > 0);
        return "refused";
    }
    assert_int_equal(w.is_given, name != NULL);
    date_format(w.from, from);
    date_format(w.to, to);
    (void)snprintf(text, sizeof text, "%s..%s", from, to);
    return text;
}

static void windows_are_inclusive_and_counted_back_from_the_last_date(void **state)
{
    (void)state;
    assert_string_equal(window(NULL, NULL, NULL, NULL), "1900-01-01..2199-12-31");
    assert_string_equal(window("from", "2020-01-02", "to", "2020-01-02"), "2020-01-02..2020-01-02");
    assert_string_equal(window("last", "1d", NULL, NULL), "2020-03-31..2199-12-31");
    assert_string_equal(window("last", "2w", NULL, NULL), "2020-03-18..2199-12-31");
    assert_string_equal(window("last", "1m", NULL, NULL), "2020-03-01..2199-12-31");
    assert_string_equal(window("last", "1y", NULL, NULL), "2019-04-01..2199-12-31");
    assert_string_equal(window("last", "36500d", NULL, NULL), "1920-04-26..2199-12-31");
}

static void windows_that_mean_nothing_are_refused(void **state)
{
    static const char *const bad[] = {"",   "d",      "0d",   "-1d", "1",
                                      "1h", "36501d", "1.5y", "1 y", "99999999999999999999d"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_string_equal(window("last", bad[i], NULL, NULL), "refused");
    assert_string_equal(window("from", "2020-01-03", "to", "2020-01-02"), "refused");
    assert_string_equal(window("from", "2020-02-30", NULL, NULL), "refused");
    assert_string_equal(window("to", "10000-01-01", NULL, NULL), "refused");
    assert_string_equal(window("last", "1y", "from", "2020-01-01"), "refused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unknown_and_repeated_parameters_are_refused),
        cmocka_unit_test(integers_have_a_range),
        cmocka_unit_test(windows_are_inclusive_and_counted_back_from_the_last_date),
        cmocka_unit_test(windows_that_mean_nothing_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
