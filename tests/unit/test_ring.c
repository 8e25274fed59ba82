/* test_ring.c - ring.h: what comes out is what went in, in its order, whatever the sizes of the steps. */
#include "server/ring.h"

#include "backtest/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void it_takes_what_fits_and_gives_what_is_there(void **state)
{
    (void)state;
    char bytes[4], out[8] = "";
    struct ring ring = {.bytes = bytes, .size = sizeof bytes};
    assert_int_equal(ring_take(&ring, out, sizeof out), 0);
    assert_int_equal(ring_put(&ring, STR("abc")), 3);
    assert_int_equal(ring_take(&ring, out, 2), 2);
    assert_memory_equal(out, "ab", 2);
    assert_int_equal(ring_put(&ring, STR("defgh")), 3); /* round the end */
    assert_int_equal(ring_put(&ring, STR("x")), 0);
    assert_int_equal(ring_put(&ring, STR("")), 0);
    assert_int_equal(ring_take(&ring, out, sizeof out), 4);
    assert_memory_equal(out, "cdef", 4);
    assert_int_equal(ring.len, 0);
}

static void any_steps_keep_the_order(void **state)
{
    (void)state;
    struct rng rng;
    char bytes[61], in[100], out[100];
    struct ring ring = {.bytes = bytes, .size = sizeof bytes};
    uint32_t n_put = 0, n_taken = 0; /* byte number k has the value k * 7 */
    rng_init(&rng, 7, 0);
    for (int round = 0; round < 100000; round++) {
        size_t n = rng_next_below(&rng, sizeof in + 1);
        if (rng_next_below(&rng, 2) == 0) {
            for (size_t i = 0; i < n; i++)
                in[i] = (char)(unsigned char)((n_put + i) * 7);
            size_t room = ring.size - ring.len, put = ring_put(&ring, (struct str){in, n});
            assert_int_equal(put, n < room ? n : room);
            n_put += (uint32_t)put;
        } else {
            size_t there = ring.len, taken = ring_take(&ring, out, n);
            assert_int_equal(taken, n < there ? n : there);
            for (size_t i = 0; i < taken; i++)
                assert_int_equal((unsigned char)out[i], (unsigned char)((n_taken + i) * 7));
            n_taken += (uint32_t)taken;
        }
        assert_int_equal(ring.len, n_put - n_taken);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_takes_what_fits_and_gives_what_is_there),
        cmocka_unit_test(any_steps_keep_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
