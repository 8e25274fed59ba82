/* test_crowds.c - monkeys that are kept: found by their key, whole, and never beyond the bound. */
#include "backtest/monkey_crowd.h"
#include "handlers/crowds.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct monkey_crowd crowd_of(const double *value, size_t n)
{
    struct monkey_crowd crowd = {.count = n + 1, .n_names = 3};
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        crowd.n[k] = k == MONKEY_SHARPE ? n / 2 : n;
        crowd.sorted[k] = value + k;
    }
    return crowd;
}

static void crowd_is_found_as_it_was_kept(void **state)
{
    static double value[200];
    unsigned char key[DIGEST_BYTES] = {1}, other[DIGEST_BYTES] = {2};
    struct crowds *crowds = NULL;
    struct monkey_crowd found;
    struct blob *blob = NULL;
    (void)state;
    for (size_t i = 0; i < 200; i++)
        value[i] = (double)i / 7;
    struct monkey_crowd crowd = crowd_of(value, 100);
    assert_int_equal(crowds_new(1 << 24, &crowds, NULL), STATUS_OK);
    assert_false(crowds_find(crowds, key, &found, &blob));
    crowds_keep(crowds, key, &crowd);
    assert_false(crowds_find(crowds, other, &found, &blob));
    assert_true(crowds_find(crowds, key, &found, &blob));
    assert_true(found.count == 101 && found.n_names == 3);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        assert_int_equal(found.n[k], crowd.n[k]);
        assert_memory_equal(found.sorted[k], crowd.sorted[k], crowd.n[k] * sizeof(double));
    }
    crowds_free(crowds);
    assert_memory_equal(found.sorted[0], crowd.sorted[0],
                        100 * sizeof(double)); /* lives on with us */
    blob_unref(blob);
}

static void old_crowds_make_room_for_new_ones(void **state)
{
    static double value[1003];
    struct crowds *crowds = NULL;
    struct monkey_crowd found;
    (void)state;
    struct monkey_crowd crowd = crowd_of(value, 1000); /* 28 KB */
    assert_int_equal(crowds_new(1 << 21, &crowds, NULL), STATUS_OK);
    size_t n_found = 0;
    for (size_t i = 0; i < 400; i++) {
        unsigned char key[DIGEST_BYTES] = {(unsigned char)i, (unsigned char)(i >> 8)};
        crowds_keep(crowds, key, &crowd);
    }
    for (size_t i = 0; i < 400; i++) {
        unsigned char key[DIGEST_BYTES] = {(unsigned char)i, (unsigned char)(i >> 8)};
        struct blob *blob = NULL;
        if (crowds_find(crowds, key, &found, &blob))
            n_found++;
        blob_unref(blob);
    }
    assert_true(n_found > 20 && n_found < 75); /* 2 MiB hold at most 74 of them */
    crowds_free(crowds);
}

static void without_memory_nothing_is_kept(void **state)
{
    unsigned char key[DIGEST_BYTES] = {1};
    struct crowds *crowds = (struct crowds *)key;
    struct monkey_crowd found, crowd = {.count = 0};
    struct blob *blob = NULL;
    (void)state;
    assert_int_equal(crowds_new(0, &crowds, NULL), STATUS_OK);
    assert_null(crowds);
    crowds_keep(crowds, key, &crowd);
    assert_false(crowds_find(crowds, key, &found, &blob));
    crowds_free(crowds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crowd_is_found_as_it_was_kept),
        cmocka_unit_test(old_crowds_make_room_for_new_ones),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
