/* test_base_number.c - number.h: shortest doubles and exact decimals. */
#include "base/number.h"
#include "base/number_digits.h"
#include "tests/support/rounds.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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
                 {5e-324, "5e-324"},
                 {2.2250738585072014e-308, "2.2250738585072014e-308"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {9007199254740992.0, "9007199254740992"},
                 {1e16, "1e+16"},
                 {12345678901234568.0, "12345678901234568"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {-0.000123, "-0.000123"},
                 {123456789012345.6, "123456789012345.6"},
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

static void check_rounded(double value)
{
    char text[NUMBER_TEXT_BYTES], expected[NUMBER_TEXT_BYTES];
    size_t n = number_format_rounded(value, text);
    (void)snprintf(expected, sizeof expected, "%.11e", value + 0.0);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

/* Bits of every kind; decimals of few digits, among them those half way between two of 12; and their neighbours. */
static void number_format_rounded_is_printf_s(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    static const double cases[] = {0.0,
                                   -0.0,
                                   0.1,
                                   999999999999.5,
                                   9999999999995.0,
                                   99999999999949.0,
                                   1e22,
                                   5e-324,
                                   1.7976931348623157e308,
                                   100000000000.25,
                                   0.0009765625};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_rounded(cases[i]);
        check_rounded(-cases[i]);
    }
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        double value, few = (double)(seed % 20000000000000u) * 0.5;
        memcpy(&value, &seed, sizeof value);
        if (isfinite(value))
            check_rounded(value);
        for (int scale = 0; scale < 4; scale++, few /= 16.0) {
            check_rounded(few);
            check_rounded(nextafter(few, INFINITY));
            check_rounded(-nextafter(few, 0.0));
        }
    }
}

/* What %g gives with the fewest of 15 to 17 digits that read back. Shortest but for subnormals, which have fewer
 * digits, and powers of two, whose nearest candidate of 16 digits may lie outside their lopsided interval. */
static size_t by_printf(double value, char text[NUMBER_TEXT_BYTES])
{
    for (int precision = 15; precision < 17; precision++) {
        int n = snprintf(text, NUMBER_TEXT_BYTES, "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            return (size_t)n;
    }
    return (size_t)snprintf(text, NUMBER_TEXT_BYTES, "%.17g", value);
}

static void check_against_printf(double value)
{
    char text[NUMBER_TEXT_BYTES], expected[NUMBER_TEXT_BYTES];
    size_t n = number_format(value, text);
    size_t n_expected = by_printf(value, expected);
    int exponent;
    bool is_special = fabs(frexp(value, &exponent)) == 0.5 || fabs(value) < 2.2250738585072014e-308;
    if (value == trunc(value) && fabs(value) < 9007199254740992.0)
        return; /* integers have all their digits */
    assert_true(strtod(text, NULL) == value);
    assert_true(n == strlen(text) && n <= n_expected);
    if (!is_special)
        assert_string_equal(text, expected);
}

static void number_format_is_the_shortest_for_random_bits_and_random_prices(void **state)
{
    (void)state;
    uint64_t seed = 2463534242u;
    for (uint64_t i = 0; i < rounds_of(1200000); i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        double value;
        memcpy(&value, &seed, sizeof value);
        if (isfinite(value) && value != 0.0)
            check_against_printf(value);
        if (i % 4 == 0)
            check_against_printf((double)(seed % 100000000 + 1) / 10000.0);
        else /* the point at every place of 17 digits and before them */
            check_against_printf((double)(seed % 100000000000000000 + 1) /
                                 pow(10, (double)(i % 23)));
    }
    for (int e = -1074; e < 1024; e++) {
        check_against_printf(ldexp(1.0, e));
        check_against_printf(nextafter(ldexp(1.0, e), 0.0) > 0 ? nextafter(ldexp(1.0, e), 0.0)
                                                               : 1.5);
        check_against_printf(nextafter(ldexp(1.0, e), INFINITY));
    }
}

static void check_integer(double value)
{
    char text[NUMBER_TEXT_BYTES], expected[NUMBER_TEXT_BYTES];
    (void)snprintf(expected, sizeof expected, "%.0f", value);
    assert_int_equal(number_format(value, text), strlen(expected));
    assert_string_equal(text, expected);
}

static void number_format_writes_integers_with_all_their_digits(void **state)
{
    (void)state;
    for (int e = 0; e <= 53; e++)
        for (int k = -3; k <= 3; k++) {
            double value = ldexp(1.0, e) + k;
            if (fabs(value) >= 9007199254740992.0)
                continue;
            check_integer(value);
            if (value != 0)
                check_integer(-value);
        }
    int64_t power = 1;
    for (int n_zeros = 0; n_zeros < 16; n_zeros++, power *= 10)
        check_integer((double)power);
}

/* Which of the two ways a machine takes does not show. */
static void sixteen_digits_are_the_same_by_vectors_and_in_words(void **state)
{
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 300000; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        uint64_t divisor = 1;
        for (int k = 0; k < i % 17; k++)
            divisor *= 10;
        uint64_t x = seed % (EIGHT_DIGITS * EIGHT_DIGITS) / divisor * divisor;
        sixteen_bytes digits = sixteen_digits(x), in_words = sixteen_digits_in_words(x);
        char expected[SIXTEEN + 1];
        (void)snprintf(expected, sizeof expected, "%016llu", (unsigned long long)x);
        for (size_t k = 0; k < SIXTEEN; k++)
            assert_true(digits[k] == expected[k] - '0' && in_words[k] == digits[k]);
        int n = SIXTEEN;
        while (n > 0 && expected[n - 1] == '0')
            n--;
        assert_int_equal(count_without_zeros(digits), n);
        assert_int_equal(count_without_zeros_in_words(in_words), n);
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
        cmocka_unit_test(number_format_rounded_is_printf_s),
        cmocka_unit_test(number_format_is_the_shortest_for_random_bits_and_random_prices),
        cmocka_unit_test(number_format_writes_integers_with_all_their_digits),
        cmocka_unit_test(sixteen_digits_are_the_same_by_vectors_and_in_words),
        cmocka_unit_test(decimal_is_valid_takes_only_plain_decimals),
        cmocka_unit_test(decimal_canonical_drops_what_carries_no_value),
        cmocka_unit_test(decimal_cmp_orders_by_value_not_by_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
