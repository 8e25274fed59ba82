/* test_cache_l1.c - the in-process cache: bounds, SIEVE, counts, and readers that outlive an eviction. */
#include "cache/l1.h"

#include <assert.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

/* A blob that begins with its key. */
static struct blob *value_of(const char *key, size_t size)
{
    size_t len = strlen(key);
    struct blob *blob = blob_new(size > len ? size : len);
    assert_non_null(blob);
    memset(blob->bytes, 'x', blob->size);
    memcpy(blob->bytes, key, len);
    return blob;
}

static bool put(struct l1 *l1, const char *key, size_t size)
{
    struct blob *blob = value_of(key, size);
    bool is_kept = l1_put(l1, (struct str){blob->bytes, strlen(key)}, blob);
    blob_unref(blob);
    return is_kept;
}

static bool has(struct l1 *l1, const char *key)
{
    struct blob *blob = l1_peek(l1, str_of(key));
    blob_unref(blob);
    return blob != NULL;
}

static bool get(struct l1 *l1, const char *key)
{
    struct blob *blob = l1_get(l1, str_of(key));
    bool is_right = blob != NULL && memcmp(blob->bytes, key, strlen(key)) == 0;
    blob_unref(blob);
    return is_right;
}

static struct l1 *make(size_t bytes)
{
    struct l1 *l1 = NULL;
    assert_int_equal(l1_new(bytes, &l1, NULL), STATUS_OK);
    return l1;
}

static void what_was_put_is_found_and_nothing_else(void **state)
{
    (void)state;
    struct l1 *l1 = make(64 * MIB);
    assert_true(put(l1, "a", 100));
    assert_true(put(l1, "ab", 100));
    assert_true(get(l1, "a"));
    assert_true(get(l1, "ab"));
    assert_false(get(l1, "abc"));
    assert_false(get(l1, ""));
    struct l1_stats stats = l1_stats(l1);
    assert_int_equal(stats.entries, 2);
    assert_int_equal(stats.hits, 2);
    l1_free(l1);
}

static void a_second_put_replaces_the_first(void **state)
{
    (void)state;
    struct l1 *l1 = make(64 * MIB);
    assert_true(put(l1, "a", 5000));
    uint64_t bytes = l1_stats(l1).bytes;
    assert_true(put(l1, "a", 1000));
    assert_int_equal(l1_stats(l1).entries, 1);
    assert_true(l1_stats(l1).bytes < bytes);
    struct blob *blob = l1_get(l1, STR("a"));
    assert_non_null(blob);
    assert_int_equal(blob->size, 1000);
    blob_unref(blob);
    l1_free(l1);
}

static void bytes_stay_below_the_bound(void **state)
{
    (void)state;
    struct l1 *l1 = make(4 * MIB);
    char key[32];
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_true(put(l1, key, 1000 + (size_t)(i % 7) * 300));
        if (i % 1000 == 0)
            assert_true(l1_stats(l1).bytes <= 4 * MIB);
    }
    struct l1_stats stats = l1_stats(l1);
    assert_true(stats.bytes <= 4 * MIB);
    assert_true(stats.bytes > 3 * MIB);
    assert_int_equal(stats.entries + stats.evictions, 20000);
    l1_free(l1);
}

static void a_value_larger_than_a_share_is_refused(void **state)
{
    (void)state;
    struct l1 *l1 = make(16 * MIB);
    assert_int_equal(l1_value_max(l1), MIB / 4);
    assert_false(put(l1, "large", MIB / 4));
    assert_false(has(l1, "large"));
    assert_int_equal(l1_stats(l1).refused, 1);
    assert_true(put(l1, "fits", MIB / 4 - 1000));
    l1_free(l1);
}

/* A scan of values asked for once does not push out those that are asked for again. */
static void what_is_asked_for_survives_a_scan(void **state)
{
    (void)state;
    struct l1 *l1 = make(4 * MIB);
    char key[32];
    int n_survivors = 0;
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof key, "hot-%d", i);
        assert_true(put(l1, key, 1000));
    }
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 200; i++) {
            (void)snprintf(key, sizeof key, "hot-%d", i);
            (void)get(l1, key);
        }
        for (int i = 0; i < 1000; i++) {
            (void)snprintf(key, sizeof key, "scan-%d-%d", round, i);
            assert_true(put(l1, key, 1000));
        }
    }
    for (int i = 0; i < 200; i++) {
        (void)snprintf(key, sizeof key, "hot-%d", i);
        n_survivors += has(l1, key);
    }
    assert_int_equal(n_survivors, 200);
    assert_true(l1_stats(l1).evictions > 10000);
    l1_free(l1);
}

static void an_evicted_value_lives_on_with_its_reader(void **state)
{
    (void)state;
    struct l1 *l1 = make(1 * MIB);
    char key[32];
    assert_true(put(l1, "read", 4000));
    struct blob *blob = l1_peek(l1, STR("read"));
    assert_non_null(blob);
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_true(put(l1, key, 1000));
    }
    assert_false(has(l1, "read"));
    assert_memory_equal(blob->bytes, "readxxxx", 8);
    blob_unref(blob);
    l1_free(l1);
}

static void the_top_is_what_was_hit_most_and_fades(void **state)
{
    (void)state;
    struct l1 *l1 = make(16 * MIB);
    struct blob *top[3];
    size_t n = 0;
    char key[32];
    for (int i = 0; i < 50; i++) {
        (void)snprintf(key, sizeof key, "key-%02d", i);
        assert_true(put(l1, key, 100));
        for (int k = 0; k < i; k++)
            assert_true(get(l1, key));
    }
    l1_take_top(l1, top, 3, &n);
    assert_int_equal(n, 3);
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(key, sizeof key, "key-%02d", 49 - (int)i);
        assert_memory_equal(top[i]->bytes, key, strlen(key));
        blob_unref(top[i]);
    }
    for (int i = 0; i < 7; i++) {
        l1_take_top(l1, top, 3, &n);
        for (size_t k = 0; k < n; k++)
            blob_unref(top[k]);
    }
    assert_int_equal(n, 0);
    l1_free(l1);
}

/* Seed: the thread's number. Every value read must be the one of its key. */
static void *hammer(void *arg)
{
    struct l1 *l1 = arg;
    uint32_t random = (uint32_t)(uintptr_t)&random;
    char key[32];
    for (int i = 0; i < 20000; i++) {
        random = random * 1664525u + 1013904223u;
        (void)snprintf(key, sizeof key, "key-%u", (random >> 16) % 3000);
        struct blob *blob = l1_get(l1, str_of(key));
        if (blob == NULL)
            (void)put(l1, key, 700);
        else
            assert(memcmp(blob->bytes, key, strlen(key)) == 0);
        blob_unref(blob);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    struct l1 *l1 = make(1 * MIB);
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, l1), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(l1_stats(l1).bytes <= MIB);
    l1_free(l1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_and_nothing_else),
        cmocka_unit_test(a_second_put_replaces_the_first),
        cmocka_unit_test(bytes_stay_below_the_bound),
        cmocka_unit_test(a_value_larger_than_a_share_is_refused),
        cmocka_unit_test(what_is_asked_for_survives_a_scan),
        cmocka_unit_test(an_evicted_value_lives_on_with_its_reader),
        cmocka_unit_test(the_top_is_what_was_hit_most_and_fades),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
