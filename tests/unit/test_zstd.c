/* test_zstd.c - packing and unpacking blocks, whole, damaged, cut short and too large. */
#include "base/zstd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { LARGE = 300000 };

static struct str noise(struct arena *arena, size_t n)
{
    char *bytes = arena_alloc(arena, n + 1);
    assert_non_null(bytes);
    uint32_t x = 1;
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        bytes[i] = (char)(i % 3 == 0 ? x >> 24 : 'a');
    }
    return (struct str){bytes, n};
}

static void what_was_packed_is_unpacked_again(void **state)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str packed, again, plain;
    (void)state;
    arena_init(&arena, 16 << 20);
    for (size_t n = 0; n < LARGE; n = n * 5 + 1) {
        plain = noise(&arena, n);
        assert_int_equal(zstd_pack(plain, 1, &arena, &packed, NULL), STATUS_OK);
        assert_true(zstd_is_frame(packed));
        assert_int_equal(zstd_unpack(packed, n, &arena, &again, NULL), STATUS_OK);
        assert_int_equal(again.len, n);
        assert_memory_equal(again.ptr, plain.ptr, n);
        if (n > 0)
            assert_int_equal(zstd_unpack(packed, n - 1, &arena, &again, NULL), STATUS_TOO_LARGE);
    }
}

static void damage_is_seen_at_every_byte(void **state)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str packed, again, plain;
    (void)state;
    arena_init(&arena, 64 << 20);
    plain = noise(&arena, 2000);
    assert_int_equal(zstd_pack(plain, 1, &arena, &packed, NULL), STATUS_OK);
    char *copy = malloc(packed.len);
    assert_non_null(copy);
    for (size_t i = 0; i < packed.len; i++) {
        memcpy(copy, packed.ptr, packed.len);
        copy[i] = (char)(copy[i] ^ 0x55);
        enum status s = zstd_unpack((struct str){copy, packed.len}, 4000, &arena, &again, NULL);
        bool is_same = s == STATUS_OK && again.len == plain.len &&
                       memcmp(again.ptr, plain.ptr, plain.len) == 0;
        assert_true(s == STATUS_BAD_DATA || s == STATUS_TOO_LARGE ||
                    is_same); /* a bit that says nothing */
        assert_int_not_equal(zstd_unpack((struct str){packed.ptr, i}, 4000, &arena, &again, NULL),
                             STATUS_OK);
    }
    free(copy);
}

static void memory_that_is_not_there_is_said_to_be_missing(void **state)
{
    CLEANUP(arena_clear) struct arena arena, small;
    struct str packed, again;
    (void)state;
    arena_init(&arena, 16 << 20);
    arena_init(&small, 1000);
    struct str plain = noise(&arena, 100000);
    assert_int_equal(zstd_pack(plain, 1, &small, &packed, NULL), STATUS_OUT_OF_MEMORY);
    assert_int_equal(zstd_pack(plain, 1, &arena, &packed, NULL), STATUS_OK);
    assert_int_equal(zstd_unpack(packed, 200000, &small, &again, NULL), STATUS_OUT_OF_MEMORY);
    assert_false(zstd_is_frame(STR("\x1f\x8b\x08")));
    assert_false(zstd_is_frame(STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked_again),
        cmocka_unit_test(damage_is_seen_at_every_byte),
        cmocka_unit_test(memory_that_is_not_there_is_said_to_be_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
