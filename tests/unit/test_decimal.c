/* test_decimal.c - decimal.h: exact sums and averages. Expected values are those of Python's decimal module. */
#include "base/decimal.h"
#include "base/number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct decimal_sum sum_of(const char *list)
{
    struct decimal_sum sum = {0};
    struct str rest = str_of(list);
    struct str item;
    while (str_next_field(&rest, ' ', &item)) {
        assert_true(decimal_is_valid(item));
        decimal_sum_add(&sum, item);
    }
    return sum;
}

static void sums_and_averages_are_exact(void **state)
{
    static const struct {
        const char *values, *sum, *average;
    } cases[] = {
        {"0", "0", "0"},
        {"-0.0", "0", "0"},
        {"0.1 0.2", "0.3", "0.15"},
        {"1 2", "3", "1.5"},
        {"1 1 2", "4", "1.333333333333"},
        {"1 2 2", "5", "1.666666666667"},
        {"-1 -2 -2", "-5", "-1.666666666667"},
        {"0.0000000000005", "0.0000000000005", "0.000000000001"},
        {"-0.0000000000005", "-0.0000000000005", "-0.000000000001"},
        {"0.00000000000049999999", "0.00000000000049999999", "0"},
        {"-0.0000000000004", "-0.0000000000004", "0"},
        {"999999999.999999999999 0.000000000001", "1000000000", "500000000"},
        {"5 -5", "0", "0"},
        {"-1000000000 0.000000001", "-999999999.999999999", "-499999999.9999999995"},
        {"1000000000 -0.000000001", "999999999.999999999", "499999999.9999999995"},
        {"99999999999999999999999999999999999999 99999999999999999999999999999999999999",
         "199999999999999999999999999999999999998", "99999999999999999999999999999999999999"},
        {"0.0000000000000000000000000000000000001 0.0000000000000000000000000000000000009",
         "0.000000000000000000000000000000000001", "0"},
        {"12345678901234567890.123456789012345678 -0.000000000000000001",
         "12345678901234567890.123456789012345677", "6172839450617283945.061728394506"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct decimal_sum sum = sum_of(cases[i].values);
        char text[DECIMAL_SUM_BYTES];
        text[decimal_sum_text(&sum, text)] = '\0';
        assert_string_equal(text, cases[i].sum);
        text[decimal_average_text(&sum, text)] = '\0';
        assert_string_equal(text, cases[i].average);
    }
}

/* Random decimals of up to 18 digits, whose sums also fit into 128 bits; seed 20261122. */
static void random_sums_agree_with_wide_integers(void **state)
{
    (void)state;
    uint64_t seed = 20261122;
    for (int round = 0; round < 300; round++) {
        struct decimal_sum sum = {0};
        __extension__ __int128 expected = 0; /* in units of 10^-9 */
        int n = 1 + round % 40;
        for (int i = 0; i < n; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            int64_t unit = (int64_t)(seed >> 4) % 1000000000000000000;
            bool is_negative = (seed >> 2 & 1) != 0;
            char text[64];
            (void)snprintf(text, sizeof text, "%s%lld.%09lld", is_negative ? "-" : "",
                           (long long)(unit / 1000000000), (long long)(unit % 1000000000));
            decimal_sum_add(&sum, str_of(text));
            expected += is_negative ? -unit : unit;
        }
        char got[DECIMAL_SUM_BYTES], wanted[64], room[DECIMAL_SUM_BYTES];
        got[decimal_sum_text(&sum, got)] = '\0';
        __extension__ unsigned __int128 size =
            (unsigned __int128)(expected < 0 ? -expected : expected);
        (void)snprintf(wanted, sizeof wanted, "%s%lld.%09lld", expected < 0 ? "-" : "",
                       (long long)(size / 1000000000), (long long)(size % 1000000000));
        struct str canonical = decimal_canonical(str_of(wanted), room);
        assert_int_equal(canonical.len, strlen(got));
        assert_memory_equal(canonical.ptr, got, canonical.len);
    }
}

/* Against long long arithmetic; seed 20201122. */
static void decimals_add_and_subtract_exactly(void **state)
{
    (void)state;
    char room[DECIMAL_SUM_BYTES], text[2][32], sum[32], canonical[40];
    srand(20201122);
    for (int i = 0; i < 20000; i++) {
        long long a = (long long)rand() * (rand() % 2 == 0 ? 1 : -1),
                  b = (long long)rand() * (rand() % 2 == 0 ? 1 : -1);
        (void)snprintf(text[0], 32, "%s%lld.%03lld", a < 0 ? "-" : "", llabs(a) / 1000,
                       llabs(a) % 1000);
        (void)snprintf(text[1], 32, "%s%lld.%03lld", b < 0 ? "-" : "", llabs(b) / 1000,
                       llabs(b) % 1000);
        for (int sign = 1; sign >= -1; sign -= 2) {
            long long c = a + sign * b;
            (void)snprintf(sum, 32, "%s%lld.%03lld", c < 0 ? "-" : "", llabs(c) / 1000,
                           llabs(c) % 1000);
            struct str got = sign > 0 ? decimal_add(str_of(text[0]), str_of(text[1]), room)
                                      : decimal_subtract(str_of(text[0]), str_of(text[1]), room);
            assert_true(str_eq(got, decimal_canonical(str_of(sum), canonical)));
        }
    }
    char nines[DECIMAL_WHOLE_MAX + 2];
    memset(nines, '9', DECIMAL_WHOLE_MAX);
    nines[DECIMAL_WHOLE_MAX] = '\0';
    assert_true(str_eq(decimal_add(str_of(nines), STR("0"), room), str_of(nines)));
    assert_null(decimal_add(str_of(nines), STR("1"), room).ptr);
    assert_null(decimal_subtract(STR("-1"), str_of(nines), room).ptr);
    assert_true(str_eq(decimal_subtract(str_of(nines), str_of(nines), room), STR("0")));
    nines[DECIMAL_WHOLE_MAX] = '9'; /* a digit too many */
    nines[DECIMAL_WHOLE_MAX + 1] = '\0';
    assert_null(decimal_add(str_of(nines), STR("0"), room).ptr);
    char small[DECIMAL_FRACTION_MAX + 4] = "0.";
    memset(small + 2, '1', DECIMAL_FRACTION_MAX);
    assert_true(str_eq(decimal_add(STR("0"), str_of(small), room), str_of(small)));
    small[DECIMAL_FRACTION_MAX + 2] = '1';
    assert_null(decimal_add(STR("0"), str_of(small), room).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_and_averages_are_exact),
        cmocka_unit_test(random_sums_agree_with_wide_integers),
        cmocka_unit_test(decimals_add_and_subtract_exactly),
    };
    return cmocka_run_group_tests_name("decimal", tests, NULL, NULL);
}
