/* test_byte_range.c - Range and If-Range as RFC 9110, section 14, has them. */
#include "handlers/byte_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void one_range_is_read_and_everything_else_is_the_whole(void **state)
{
    static const struct {
        const char *range, *if_range;
        enum range_kind kind;
        int64_t from, to;
    } cases[] = {
        {NULL, NULL, RANGE_WHOLE, 0, 100},
        {"bytes=0-0", NULL, RANGE_PART, 0, 1},
        {"bytes=10-19", NULL, RANGE_PART, 10, 20},
        {"Bytes = 10 - 19", NULL, RANGE_PART, 10, 20},
        {"bytes=90-", NULL, RANGE_PART, 90, 100},
        {"bytes=90-1000", NULL, RANGE_PART, 90, 100},
        {"bytes=-10", NULL, RANGE_PART, 90, 100},
        {"bytes=-1000", NULL, RANGE_PART, 0, 100},
        {"bytes=10-19", "\"t\"", RANGE_PART, 10, 20},
        {"bytes=10-19", "\"other\"", RANGE_WHOLE, 0, 100},
        {"bytes=10-19", "W/\"t\"", RANGE_WHOLE, 0, 100},
        {"bytes=10-19", "Sun, 22 Nov 2026 00:00:00 GMT", RANGE_WHOLE, 0, 100},
        {"bytes=100-", NULL, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=-0", NULL, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=9223372036854775807-", NULL, RANGE_UNSATISFIABLE, 0, 100},
        {"bytes=0-9223372036854775807", NULL, RANGE_PART, 0, 100},
        {"bytes=9223372036854775808-", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=20-10", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=0-1,5-6", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=-", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=--1", NULL, RANGE_WHOLE, 0, 100},
        {"bytes", NULL, RANGE_WHOLE, 0, 100},
        {"items=0-1", NULL, RANGE_WHOLE, 0, 100},
        {"bytes=0x0-1", NULL, RANGE_WHOLE, 0, 100},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t from = -1, to = -1;
        enum range_kind kind = byte_range_read(str_of(cases[i].range), str_of(cases[i].if_range),
                                               STR("\"t\""), 100, &from, &to);
        assert_int_equal(kind, cases[i].kind);
        assert_int_equal(from, cases[i].from);
        assert_int_equal(to, cases[i].to);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_range_is_read_and_everything_else_is_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
