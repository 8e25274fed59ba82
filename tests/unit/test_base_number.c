/* test_base_number.c - number.h: shortest doubles and exact decimals. */
#include "base/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void number_format_writes_known_values(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.0, "0"},
                 {-0.0, "0"},
                 {1.0, "1"},
                 {-17.0, "-17"},
                 {0.1, "0.1"},
                 {1234567.5, "1234567.5"},
                 {1e-7, "1e-07"},
                 {1.5e300, "1.5e+300"},
                 {1.0 / 3.0, "0.3333333333333333"},
                 {100000.0, "100000"},
                 {5e-324, "4.94065645841247e-324"},
                 {9007199254740994.0, "9007199254740994"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NUMBER_TEXT_BYTES];
        size_t n = number_format(cases[i].value, text);
        assert_int_equal(n, strlen(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void number_format_reads_back_exactly(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u; /* xorshift64, Marsaglia 2003 */
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        double value;
        memcpy(&value, &seed, sizeof value);
        if (!isfinite(value))
            continue;
        char text[NUMBER_TEXT_BYTES];
        size_t n = number_format(value, text);
        assert_in_range(n, 1, NUMBER_TEXT_BYTES - 1);
        double back = strtod(text, NULL);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void decimal_is_valid_takes_only_plain_decimals(void **state)
{
    (void)state;
    static const char *const good[] = {"0", "-1", "12.5", "0.000000000001",
                                       "99999999999999999999999999999999999999"};
    static const char *const bad[] = {"",
                                      "-",
                                      ".5",
                                      "5.",
                                      "1e5",
                                      "+1",
                                      "1.2.3",
                                      " 1",
                                      "0x1",
                                      "NaN",
                                      "999999999999999999999999999999999999999"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(decimal_is_valid(str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(decimal_is_valid(str_of(bad[i])));
}

static void decimal_canonical_drops_what_carries_no_value(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"0012.500", "12.5"}, {"-0.00", "0"}, {"100", "100"}, {"1.0", "1"},
        {"-000.10", "-0.1"},  {"0", "0"},     {"00", "0"}};
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char room[64];
        struct str text = decimal_canonical(str_of(pairs[i][0]), room);
        assert_true(str_eq_c(text, pairs[i][1]));
    }
}

static void decimal_cmp_orders_by_value_not_by_text(void **state)
{
    (void)state;
    static const char *const ascending[] = {"-100",
                                            "-20.5",
                                            "-20.49",
                                            "-0.1",
                                            "0",
                                            "0.09",
                                            "0.1",
                                            "1",
                                            "9",
                                            "10",
                                            "10.000000000000000000000000000000000001"};
    size_t n = sizeof ascending / sizeof ascending[0];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            int order = decimal_cmp(str_of(ascending[i]), str_of(ascending[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    assert_int_equal(decimal_cmp(STR("1.50"), STR("01.5")), 0);
    assert_int_equal(decimal_cmp(STR("-0"), STR("0.000")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(number_format_writes_known_values),
        cmocka_unit_test(number_format_reads_back_exactly),
        cmocka_unit_test(decimal_is_valid_takes_only_plain_decimals),
        cmocka_unit_test(decimal_canonical_drops_what_carries_no_value),
        cmocka_unit_test(decimal_cmp_orders_by_value_not_by_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
