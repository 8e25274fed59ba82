/* test_base_str.c - str.h, arena.h, array.h and suggest.h. */
#include "base/arena.h"
#include "base/array.h"
#include "base/checksum.h"
#include "base/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void a_part_is_as_much_as_there_is(void **state)
{
    (void)state;
    assert_true(str_eq_c(str_sub(STR("abc"), 1, 2), "b"));
    assert_true(str_eq_c(str_sub(STR("abc"), 2, 9), "c"));
    assert_true(str_sub(STR("abc"), 7, 9).len == 0 && str_sub(STR("abc"), 2, 1).len == 0);
    struct str none = str_sub(STR_NONE, 0, 1);
    assert_true(none.ptr == NULL && none.len == 0);
}

static void str_to_i64_takes_exactly_the_range(void **state)
{
    (void)state;
    int64_t value = 7;
    assert_true(str_to_i64(STR("9223372036854775807"), &value));
    assert_true(value == INT64_MAX);
    assert_true(str_to_i64(STR("-9223372036854775808"), &value));
    assert_true(value == INT64_MIN);
    assert_true(str_to_i64(STR("007"), &value));
    assert_int_equal(value, 7);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      "1 ",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "1e3",
                                      "0x1",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_to_i64(str_of(bad[i]), &value));
}

static void str_to_f64_refuses_what_strtod_would_take(void **state)
{
    (void)state;
    double value = 0;
    assert_true(str_to_f64(STR("-1.5e-3"), &value));
    assert_true(value > -0.00151 && value < -0.00149);
    static const char *const bad[] = {"",   "nan", "inf", "0x1p3", " 1", "1 ",
                                      "1.", ".5",  "1e",  "1e400", "--1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_to_f64(str_of(bad[i]), &value));
}

static void str_is_utf8_follows_rfc_3629(void **state)
{
    (void)state;
    assert_true(str_is_utf8(STR("plain, \xC3\xA9, \xEA\xB0\x80, \xF0\x9F\x92\xB0")));
    static const char *const bad[] = {"\xFF",         "\xC0\x80",         "\xE0\x80\x80",
                                      "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3",
                                      "\x80",         "\xF0\x80\x80\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(str_is_utf8(str_of(bad[i])));
    assert_int_equal(str_utf8_cut(STR("a\xEA\xB0\x80"), 3).len, 1);
}

static void str_next_field_yields_empty_fields_too(void **state)
{
    (void)state;
    struct str rest = STR("a,,b,");
    static const char *const fields[] = {"a", "", "b", ""};
    struct str field;
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_next_field(&rest, ',', &field));
        assert_true(str_eq_c(field, fields[i]));
    }
    assert_false(str_next_field(&rest, ',', &field));
}

static void arena_alloc_returns_null_at_the_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256 * 1024);
    size_t got = 0;
    while (arena_alloc(&arena, 1000) != NULL)
        got += 1000;
    assert_in_range(got, 150 * 1024, 256 * 1024);
    assert_in_range(arena.used_bytes, 1, 256 * 1024);
    assert_null(arena_array(&arena, SIZE_MAX / 2, 16));
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_clear(&arena);
    assert_int_equal(arena.used_bytes, 0);
}

static void arena_grow_keeps_the_content(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024 * 1024);
    size_t size = 8;
    char *text = arena_alloc(&arena, size);
    assert_non_null(text);
    memcpy(text, "12345678", 8);
    for (int i = 0; i < 20; i++) {
        if (i % 3 == 0)
            assert_non_null(
                arena_alloc(&arena, 24)); /* so that growing in place is not always possible */
        char *grown = arena_grow(&arena, text, size, size * 2);
        assert_non_null(grown);
        text = grown;
        size *= 2;
        assert_memory_equal(text, "12345678", 8);
        memset(text + 8, (int)'x', size - 8);
    }
    assert_in_range(arena.used_bytes, size, 3 * size);
    arena_clear(&arena);
}

/* Adds the numbers 0 to n - 1 one by one: the array moves only to double, and all of them are there at the end. */
static void take_numbers(struct arena *arena, size_t n)
{
    size_t cap = 0;
    uint32_t *all = NULL;
    for (uint32_t i = 0; i < n; i++) {
        size_t before = cap;
        uint32_t *grown = arena != NULL ? arena_reserve(arena, all, i + 1, &cap, sizeof *all)
                                        : heap_reserve(all, i + 1, &cap, sizeof *all);
        assert_non_null(grown);
        assert_true(cap == before ? grown == all : i == before && cap >= 2 * before);
        all = grown;
        all[i] = i;
    }
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(all[i], i);
    if (arena == NULL)
        free(all);
}

static void an_array_doubles_and_keeps_its_items(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, (size_t)1 << 22);
    take_numbers(NULL, 100000);
    take_numbers(&arena, 100000);
    arena_clear(&arena);
}

static void an_array_without_room_stays_as_it_was(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    size_t cap = 0;
    double *all = arena_reserve(&arena, NULL, 100, &cap, sizeof *all);
    assert_non_null(all);
    assert_int_equal(cap, 128);
    all[99] = 7;
    assert_null(arena_reserve(&arena, all, 100000, &cap, sizeof *all));
    assert_null(arena_reserve(&arena, all, SIZE_MAX, &cap, sizeof *all));
    assert_null(arena_reserve(&arena, all, SIZE_MAX / 8, &cap, sizeof *all));
    assert_int_equal(cap, 128);
    assert_true(all[99] == 7);
    cap = 0;
    assert_null(heap_reserve(NULL, SIZE_MAX / 2 + 1, &cap, 4));
    assert_int_equal(cap, 0);
    arena_clear(&arena);
}

static void buf_stops_for_good_at_its_limit(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct buf buf;
    buf_init(&buf, &arena, 10);
    buf_add(&buf, STR("12345"));
    buf_printf(&buf, "%s", "67890");
    assert_false(buf.failed);
    buf_add_char(&buf, 'x');
    assert_true(buf.failed);
    buf_add_i64(&buf, 1);
    assert_true(str_eq_c(buf_str(&buf), "1234567890"));
    assert_null(buf_c_str(&buf));
    arena_clear(&arena);
}

static void buf_add_i64_writes_the_extremes(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1024 * 1024);
    struct buf buf;
    buf_init(&buf, &arena, 100);
    buf_add_i64(&buf, INT64_MIN);
    buf_add_char(&buf, ' ');
    buf_add_i64(&buf, INT64_MAX);
    buf_add_char(&buf, ' ');
    buf_add_i64(&buf, 0);
    assert_string_equal(buf_c_str(&buf), "-9223372036854775808 9223372036854775807 0");
    arena_clear(&arena);
}

static void suggest_distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance(STR("close"), STR("close")), 0);
    assert_int_equal(suggest_distance(STR("clsoe"), STR("close")), 1);
    assert_int_equal(suggest_distance(STR("Close"), STR("close")), 0);
    assert_int_equal(suggest_distance(STR("kitten"), STR("sitting")), 3);
    assert_int_equal(suggest_distance(STR(""), STR("abc")), 3);
}

static void suggest_takes_the_nearest_or_none(void **state)
{
    (void)state;
    struct suggest search = suggest_start(STR("adj_clsoe"));
    suggest_offer(&search, STR("volume"));
    suggest_offer(&search, STR("close"));
    suggest_offer(&search, STR("adj_close"));
    assert_true(str_eq_c(suggest_take(&search), "adj_close"));
    struct suggest far = suggest_start(STR("xyz"));
    suggest_offer(&far, STR("volume"));
    assert_null(suggest_take(&far).ptr);
    struct suggest begun = suggest_start(STR("risk_free"));
    suggest_offer(&begun, STR("risk_free_rate"));
    suggest_offer(&begun, STR("risk_free_series"));
    assert_true(str_eq_c(suggest_take(&begun), "risk_free_rate"));
    suggest_offer(&begun, STR("risk_fee"));
    assert_true(str_eq_c(suggest_take(&begun), "risk_fee"));
    struct suggest tie = suggest_start(STR("1m"));
    suggest_offer(&tie, STR("1d"));
    suggest_offer(&tie, STR("1mo"));
    suggest_offer(&tie, STR("1w"));
    assert_true(str_eq_c(suggest_take(&tie), "1mo"));
    struct suggest letter = suggest_start(STR("q"));
    suggest_offer(&letter, STR("p"));
    assert_null(suggest_take(&letter).ptr);
    suggest_offer(&letter, STR("Q"));
    assert_true(str_eq_c(suggest_take(&letter), "Q"));
}

#define CHECK_FORMAT(...)                                   \
    do {                                                    \
        char wanted[256], room[256];                        \
        struct buf buf;                                     \
        (void)snprintf(wanted, sizeof wanted, __VA_ARGS__); \
        buf_init_fixed(&buf, room, sizeof room);            \
        buf_printf(&buf, __VA_ARGS__);                      \
        assert_string_equal(buf_c_str(&buf), wanted);       \
    } while (0)

static void buf_printf_writes_what_printf_does(void **state)
{
    (void)state;
    const struct str view = {"abcdef", 3};
    CHECK_FORMAT("plain");
    CHECK_FORMAT("%s|%s|", "text", "");
    CHECK_FORMAT("%.*s and %.*s.", STR_ARG(view), 0, "unseen");
    CHECK_FORMAT("%.*s", 10, "short");
    CHECK_FORMAT("%d %d %u %zu", INT32_MIN, 0, UINT32_MAX, SIZE_MAX);
    CHECK_FORMAT("%lld,%lld", (long long)INT64_MIN, (long long)INT64_MAX);
    CHECK_FORMAT("%s=%5d, %-4s|%02x %llu %.3f 100%%", "a", 7, "b", 255U,
                 (unsigned long long)UINT64_MAX, 1.5);
    CHECK_FORMAT("%s%c%s", "x", 'y', "z");
    char small[4];
    struct buf buf;
    buf_init_fixed(&buf, small, sizeof small);
    buf_printf(&buf, "%s", "four");
    assert_true(buf.failed);
}

static void checksum_tells_every_flipped_bit_cut_and_exchange(void **state)
{
    (void)state;
    char bytes[200];
    unsigned char whole[CHECKSUM_BYTES], other[CHECKSUM_BYTES];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 7);
    checksum((struct str){bytes, sizeof bytes}, whole);
    for (size_t i = 0; i < sizeof bytes * 8; i++) {
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
        checksum((struct str){bytes, sizeof bytes}, other);
        assert_memory_not_equal(whole, other, sizeof whole);
        bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
    }
    char zeros[130] = {0};
    checksum((struct str){zeros, sizeof zeros}, whole);
    for (size_t len = 0; len < sizeof zeros; len++) { /* what is only zeros has its length too */
        checksum((struct str){zeros, len}, other);
        assert_memory_not_equal(whole, other, sizeof whole);
    }
    memcpy(bytes, "one two three four five six seven eight nine ten eleven twelve thirteen", 71);
    checksum((struct str){bytes, 71}, whole);
    memcpy(bytes, "two one", 7);
    checksum((struct str){bytes, 71}, other);
    assert_memory_not_equal(whole, other, sizeof whole);
    /* Servers of different builds read each other's answers: the sum is part of their format. */
    static const unsigned char known[CHECKSUM_BYTES] = {0xd6, 0x66, 0x5a, 0x45, 0x2e, 0x9a,
                                                        0x58, 0xb4, 0x6a, 0x46, 0xb2, 0xad,
                                                        0x67, 0xe8, 0xb7, 0xe9};
    checksum(
        STR("The quick brown fox jumps over the lazy dog, and the dog does not mind it at all."),
        other);
    assert_memory_equal(known, other, sizeof known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_part_is_as_much_as_there_is),
        cmocka_unit_test(str_to_i64_takes_exactly_the_range),
        cmocka_unit_test(str_to_f64_refuses_what_strtod_would_take),
        cmocka_unit_test(str_is_utf8_follows_rfc_3629),
        cmocka_unit_test(str_next_field_yields_empty_fields_too),
        cmocka_unit_test(arena_alloc_returns_null_at_the_limit),
        cmocka_unit_test(arena_grow_keeps_the_content),
        cmocka_unit_test(an_array_doubles_and_keeps_its_items),
        cmocka_unit_test(an_array_without_room_stays_as_it_was),
        cmocka_unit_test(buf_stops_for_good_at_its_limit),
        cmocka_unit_test(buf_add_i64_writes_the_extremes),
        cmocka_unit_test(suggest_distance_counts_edits),
        cmocka_unit_test(suggest_takes_the_nearest_or_none),
        cmocka_unit_test(buf_printf_writes_what_printf_does),
        cmocka_unit_test(checksum_tells_every_flipped_bit_cut_and_exchange),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
