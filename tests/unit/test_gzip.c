/* test_gzip.c - packing, unpacking and reading files, plain, packed and damaged. */
#include "base/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGE = 300000 };

static struct str noise(struct arena *arena, size_t n)
{
    char *bytes = arena_alloc(arena, n);
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
        assert_int_equal(gzip_pack(plain, 6, &arena, &packed, NULL), STATUS_OK);
        assert_int_equal(gzip_unpack(packed, n, &arena, &again, NULL), STATUS_OK);
        assert_int_equal(again.len, n);
        assert_memory_equal(again.ptr, plain.ptr, n);
    }
}

static void damage_and_excess_are_told_apart(void **state)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str packed, again;
    (void)state;
    arena_init(&arena, 16 << 20);
    struct str plain = noise(&arena, 50000);
    assert_int_equal(gzip_pack(plain, 9, &arena, &packed, NULL), STATUS_OK);
    assert_int_equal(gzip_unpack(packed, plain.len - 1, &arena, &again, NULL), STATUS_TOO_LARGE);
    assert_int_equal(
        gzip_unpack(str_sub(packed, 0, packed.len - 1), plain.len, &arena, &again, NULL),
        STATUS_BAD_DATA);
    assert_int_equal(gzip_unpack(STR("plain text"), 100, &arena, &again, NULL), STATUS_BAD_DATA);
    assert_int_equal(gzip_unpack(STR(""), 100, &arena, &again, NULL), STATUS_BAD_DATA);
    char *broken = arena_dup(&arena, packed);
    broken[packed.len / 2] = (char)(broken[packed.len / 2] ^ 0x55);
    assert_int_equal(gzip_unpack((struct str){broken, packed.len}, 4 << 20, &arena, &again, NULL),
                     STATUS_BAD_DATA);
}

static enum status read_file(struct str content, size_t step, struct buf *out)
{
    CLEANUP(gzip_closep) struct gzip_file *file = NULL;
    char path[300];
    char piece[4096];
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(path, sizeof path, "%s/gzip.XXXXXX", tmp == NULL ? "/tmp" : tmp);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.ptr, content.len), content.len);
    assert_int_equal(close(fd), 0);
    enum status s = gzip_open(path, &file, NULL);
    size_t n = 1;
    while (s == STATUS_OK && n > 0) {
        s = gzip_read(file, piece, step, &n, NULL);
        if (s == STATUS_OK)
            buf_add(out, (struct str){piece, n});
    }
    assert_int_equal(unlink(path), 0);
    return s;
}

static void files_are_read_packed_or_plain(void **state)
{
    (void)state;
    for (size_t step = 1; step <= 4096; step *= 64) {
        CLEANUP(arena_clear) struct arena arena;
        struct buf out, two;
        struct str packed;
        arena_init(&arena, 32 << 20);
        struct str plain = noise(&arena, step == 1 ? 5000 : LARGE);
        assert_int_equal(gzip_pack(plain, 6, &arena, &packed, NULL), STATUS_OK);
        buf_init(&out, &arena, 8 << 20);
        assert_int_equal(read_file(packed, step, &out), STATUS_OK);
        assert_true(str_eq(buf_str(&out), plain));
        buf_init(&out, &arena, 8 << 20);
        assert_int_equal(read_file(plain, step, &out), STATUS_OK);
        assert_true(str_eq(buf_str(&out), plain));
        buf_init(&two, &arena, 8 << 20); /* two members in one file */
        buf_add(&two, packed);
        buf_add(&two, packed);
        buf_init(&out, &arena, 8 << 20);
        assert_int_equal(read_file(buf_str(&two), step, &out), STATUS_OK);
        assert_int_equal(out.len, 2 * plain.len);
    }
}

static void a_short_or_damaged_file_is_bad_data(void **state)
{
    CLEANUP(arena_clear) struct arena arena;
    struct buf out;
    struct str packed;
    (void)state;
    arena_init(&arena, 8 << 20);
    buf_init(&out, &arena, 1 << 20);
    assert_int_equal(gzip_pack(noise(&arena, 5000), 6, &arena, &packed, NULL), STATUS_OK);
    assert_int_equal(read_file(str_sub(packed, 0, packed.len - 3), 100, &out), STATUS_BAD_DATA);
    assert_int_equal(read_file(STR("\x1f\x8b\x08\x00garbage......"), 100, &out), STATUS_BAD_DATA);
    out.len = 0;
    assert_int_equal(read_file(STR(""), 100, &out), STATUS_OK);
    assert_int_equal(out.len, 0);
}

static void a_missing_file_or_a_folder_is_an_input_error(void **state)
{
    struct gzip_file *file = NULL;
    struct err err = {0};
    (void)state;
    assert_int_equal(gzip_open("/nonexistent", &file, &err), STATUS_IO);
    assert_int_equal(gzip_open("/", &file, &err), STATUS_IO);
    assert_null(file);
}

static enum status add_to(void *to, struct str plain, struct err *err)
{
    (void)err;
    buf_add(to, plain);
    return STATUS_OK;
}

static void pieces_of_any_size_and_several_members_are_one_stream(void **state)
{
    CLEANUP(arena_clear) struct arena arena;
    struct str one, two;
    (void)state;
    arena_init(&arena, 16 << 20);
    struct str plain = noise(&arena, 200000);
    assert_int_equal(gzip_pack(plain, 6, &arena, &one, NULL), STATUS_OK);
    assert_int_equal(gzip_pack(STR("end"), 6, &arena, &two, NULL), STATUS_OK);
    struct buf packed;
    buf_init(&packed, &arena, 1 << 20);
    buf_add(&packed, one);
    buf_add(&packed, two);
    for (size_t step = 1; step <= packed.len; step = step * 40 + 3) {
        CLEANUP(gzip_stream_freep) struct gzip_stream *stream = NULL;
        struct buf out;
        buf_init(&out, &arena, 1 << 20);
        assert_int_equal(gzip_stream_new(&stream, NULL), STATUS_OK);
        for (size_t at = 0; at < packed.len; at += step) {
            struct str piece = str_sub(buf_str(&packed), at, at + step);
            assert_int_equal(gzip_stream_add(stream, piece, add_to, &out, NULL), STATUS_OK);
            bool is_end = at + step >= packed.len;
            bool is_between = at + piece.len == one.len;
            assert_int_equal(gzip_stream_finish(stream, NULL),
                             is_end || is_between ? STATUS_OK : STATUS_BAD_DATA);
        }
        assert_int_equal(out.len, plain.len + 3);
        assert_memory_equal(out.ptr, plain.ptr, plain.len);
        assert_int_equal(gzip_stream_add(stream, STR("more"), add_to, &out, NULL), STATUS_BAD_DATA);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_is_unpacked_again),
        cmocka_unit_test(damage_and_excess_are_told_apart),
        cmocka_unit_test(files_are_read_packed_or_plain),
        cmocka_unit_test(a_short_or_damaged_file_is_bad_data),
        cmocka_unit_test(a_missing_file_or_a_folder_is_an_input_error),
        cmocka_unit_test(pieces_of_any_size_and_several_members_are_one_stream),
    };
    return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
