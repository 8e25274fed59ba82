/* test_encode.c - content codings give back what went in, whole and in pieces; which one a client gets. */
#include "tests/unit/handler_request.h"

#include "base/gzip.h"
#include "handlers/encoding.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <zstd.h>

enum { LIMIT = 64 << 20, TEXT_BYTES = 600000 };

static struct str unpack(enum encoding encoding, struct str packed, struct arena *arena)
{
    struct str plain = packed;
    size_t n = TEXT_BYTES + 1;
    char *out = arena_alloc(arena, n);
    assert_non_null(out);
    if (encoding == ENCODING_GZIP) {
        assert_int_equal(gzip_unpack(packed, LIMIT, arena, &plain, NULL), STATUS_OK);
    } else if (encoding == ENCODING_ZSTD) {
        n = ZSTD_decompress(out, n, packed.ptr, packed.len); /* takes several frames too */
        assert_false(ZSTD_isError(n));
        plain = (struct str){out, n};
    } else if (encoding == ENCODING_BR) {
        assert_int_equal(
            BrotliDecoderDecompress(packed.len, (const uint8_t *)packed.ptr, &n, (uint8_t *)out),
            BROTLI_DECODER_RESULT_SUCCESS);
        plain = (struct str){out, n};
    }
    return plain;
}

/* Text that compresses somewhat, the same for a seed. */
static struct str text_of(struct arena *arena, unsigned seed, size_t n)
{
    char *text = arena_alloc(arena, n + 1);
    assert_non_null(text);
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        text[i] = "0123456789,.\"{}closedate"[(state >> 24) % 24];
    }
    return (struct str){text, n};
}

static void a_body_comes_back_from_every_coding(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 1023, 1024, 1025, 65536, TEXT_BYTES};
    for (int e = 0; e < ENCODING_COUNT; e++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            struct arena arena;
            struct str packed;
            arena_init(&arena, LIMIT);
            struct str text = text_of(&arena, 7, sizes[i]);
            assert_int_equal(encode_pack((enum encoding)e, text, &arena, &packed, NULL), STATUS_OK);
            assert_true(str_eq(unpack((enum encoding)e, packed, &arena), text));
            if (e != ENCODING_IDENTITY && sizes[i] > 1000)
                assert_true(packed.len < text.len);
            arena_clear(&arena);
        }
}

static void equal_bodies_give_equal_bytes(void **state)
{
    (void)state;
    for (int e = 0; e < ENCODING_COUNT; e++) {
        struct arena arena;
        struct str one, other;
        arena_init(&arena, LIMIT);
        struct str text = text_of(&arena, 3, 50000);
        assert_int_equal(encode_pack((enum encoding)e, text, &arena, &one, NULL), STATUS_OK);
        assert_int_equal(encode_pack((enum encoding)e, text, &arena, &other, NULL), STATUS_OK);
        assert_true(str_eq(one, other));
        arena_clear(&arena);
    }
}

static void a_body_that_does_not_fit_the_arena_is_out_of_memory(void **state)
{
    (void)state;
    struct arena from, small;
    struct str packed;
    struct err err = {0};
    arena_init(&from, LIMIT);
    arena_init(&small, 4096);
    struct str text = text_of(&from, 5, TEXT_BYTES);
    for (int e = 0; e < ENCODING_IDENTITY; e++)
        assert_int_equal(encode_pack((enum encoding)e, text, &small, &packed, &err),
                         STATUS_OUT_OF_MEMORY);
    arena_clear(&from);
    arena_clear(&small);
}

struct pipe {
    struct buf out;
    bool is_broken;
};

static enum status take(void *cls, struct str bytes, struct err *err)
{
    struct pipe *pipe = cls;
    if (pipe->is_broken)
        return err_set(err, STATUS_CLIENT_GONE, "Gone.");
    buf_add(&pipe->out, bytes);
    return STATUS_OK;
}

/* Seed 11: pieces of 0 to 4095 bytes. */
static void a_stream_in_pieces_comes_back(void **state)
{
    (void)state;
    for (int e = 0; e < ENCODING_COUNT; e++) {
        struct arena arena;
        struct pipe pipe = {0};
        struct encoder *encoder = NULL;
        arena_init(&arena, LIMIT);
        buf_init(&pipe.out, &arena, LIMIT);
        struct str text = text_of(&arena, 11, TEXT_BYTES);
        assert_int_equal(encoder_new((enum encoding)e, 0, take, &pipe, &encoder, NULL), STATUS_OK);
        uint32_t random = 11;
        for (size_t at = 0; at < text.len;) {
            random = random * 1664525u + 1013904223u;
            size_t n = (random >> 20) < text.len - at ? random >> 20 : text.len - at;
            assert_int_equal(encoder_add(encoder, str_sub(text, at, at + n), NULL), STATUS_OK);
            at += n;
        }
        assert_int_equal(encoder_finish(encoder, NULL), STATUS_OK);
        encoder_free(encoder);
        assert_true(str_eq(unpack((enum encoding)e, buf_str(&pipe.out), &arena), text));
        arena_clear(&arena);
    }
}

static void the_sink_ends_the_stream(void **state)
{
    (void)state;
    for (int e = 0; e < ENCODING_COUNT; e++) {
        struct arena arena;
        struct pipe pipe = {.is_broken = true};
        struct encoder *encoder = NULL;
        arena_init(&arena, LIMIT);
        struct str text = text_of(&arena, 1, TEXT_BYTES);
        assert_int_equal(encoder_new((enum encoding)e, 0, take, &pipe, &encoder, NULL), STATUS_OK);
        enum status s = encoder_add(encoder, text, NULL);
        if (s == STATUS_OK)
            s = encoder_finish(encoder, NULL);
        assert_int_equal(s, STATUS_CLIENT_GONE);
        encoder_free(encoder);
        arena_clear(&arena);
    }
}

static void the_client_gets_the_coding_it_likes_best(void **state)
{
    (void)state;
    static const struct {
        const char *accepted; /* NULL: no header */
        int wanted;           /* ENCODING_COUNT: 406 */
    } cases[] = {
        {NULL, ENCODING_IDENTITY},
        {"", ENCODING_IDENTITY},
        {"gzip", ENCODING_GZIP},
        {"x-gzip", ENCODING_GZIP},
        {"GZIP", ENCODING_GZIP},
        {"gzip, deflate, br", ENCODING_BR},
        {"gzip, deflate, br, zstd", ENCODING_ZSTD},
        {"*", ENCODING_ZSTD},
        {"zstd;q=0.5, gzip;q=0.8", ENCODING_GZIP},
        {"zstd;q=0, *", ENCODING_BR},
        {"identity, gzip;q=0.5", ENCODING_IDENTITY},
        {"identity;q=0.5, gzip;q=0.5", ENCODING_GZIP},
        {"gzip;q=0.001", ENCODING_GZIP},
        {"gzip;q=0", ENCODING_IDENTITY},
        {"deflate", ENCODING_IDENTITY},
        {"identity;q=0, gzip", ENCODING_GZIP},
        {"*;q=0, gzip", ENCODING_GZIP},
        {"*;q=0", ENCODING_COUNT},
        {"identity;q=0", ENCODING_COUNT},
        {"identity;q=0, deflate", ENCODING_COUNT},
        {"*;q=0, identity", ENCODING_IDENTITY},
        {"gzip;q=2, br;q=nan", ENCODING_IDENTITY},
        {" , ;;q=1,,", ENCODING_IDENTITY},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct hand hand;
        struct err err = {0};
        enum encoding encoding = ENCODING_COUNT;
        hand_init(&hand);
        if (cases[i].accepted != NULL)
            hand_header(&hand, "Accept-Encoding", cases[i].accepted);
        enum status s = encoding_choose(&hand.request, &encoding, &err);
        if (cases[i].wanted == ENCODING_COUNT) {
            assert_int_equal(s, STATUS_NOT_ACCEPTABLE);
            assert_non_null(strstr(err.allowed, "zstd"));
        } else {
            assert_int_equal(s, STATUS_OK);
            assert_int_equal(encoding, cases[i].wanted);
        }
        assert_string_equal(hand_reply(&hand, "Vary"), "Accept-Encoding");
        hand_clear(&hand);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_comes_back_from_every_coding),
        cmocka_unit_test(equal_bodies_give_equal_bytes),
        cmocka_unit_test(a_body_that_does_not_fit_the_arena_is_out_of_memory),
        cmocka_unit_test(a_stream_in_pieces_comes_back),
        cmocka_unit_test(the_sink_ends_the_stream),
        cmocka_unit_test(the_client_gets_the_coding_it_likes_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
