/* test_rng.c - Philox4x32-10 against its published vectors, and the draws built on it. */
#include "backtest/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Vectors: kat_vectors of Random123 1.09, the reference code of Salmon et al., SC'11. */
static void philox_gives_the_published_vectors(void **state)
{
    static const struct {
        uint32_t counter[4], key[2], expected[4];
    } cases[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t out[4];
        rng_philox(cases[i].counter, cases[i].key, out);
        assert_memory_equal(out, cases[i].expected, sizeof out);
    }
}

static void stream_is_the_counter_mode_of_philox(void **state)
{
    struct rng rng;
    uint32_t expected[4];
    (void)state;
    rng_init(&rng, 0x0123456789abcdefu, 7);
    for (uint32_t block = 0; block < 3; block++) {
        rng_philox((uint32_t[4]){block, 0, 7, 0}, (uint32_t[2]){0x89abcdefu, 0x01234567u},
                   expected);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(rng_next_u32(&rng), expected[i]);
    }
}

static void streams_and_seeds_differ(void **state)
{
    struct rng a, b, c;
    (void)state;
    rng_init(&a, 1, 0);
    rng_init(&b, 1, 1);
    rng_init(&c, 2, 0);
    uint32_t first = rng_next_u32(&a);
    assert_int_not_equal(first, rng_next_u32(&b));
    assert_int_not_equal(first, rng_next_u32(&c));
}

static void unit_draws_lie_in_the_half_open_interval_and_average_one_half(void **state)
{
    struct rng rng;
    double sum = 0;
    (void)state;
    rng_init(&rng, 42, 0);
    for (int i = 0; i < 100000; i++) {
        double u = rng_next_unit(&rng);
        assert_true(u > 0 && u <= 1);
        sum += u;
    }
    assert_true(sum / 100000 > 0.495 && sum / 100000 < 0.505);
}

static void below_draws_every_value_equally_often(void **state)
{
    struct rng rng;
    size_t count[7] = {0};
    (void)state;
    rng_init(&rng, 3, 9);
    for (int i = 0; i < 70000; i++) {
        uint32_t draw = rng_next_below(&rng, 7);
        assert_true(draw < 7);
        count[draw]++;
    }
    for (size_t i = 0; i < 7; i++)
        assert_in_range(count[i], 9600, 10400);
    assert_int_equal(rng_next_below(&rng, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_vectors),
        cmocka_unit_test(stream_is_the_counter_mode_of_philox),
        cmocka_unit_test(streams_and_seeds_differ),
        cmocka_unit_test(unit_draws_lie_in_the_half_open_interval_and_average_one_half),
        cmocka_unit_test(below_draws_every_value_equally_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
