/* test_prepared.c - what the transport keeps with a blob: found again, bounded, and gone with it. */
#include "server/prepared.h"

#include "server/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void count_release(void *response)
{
    ++*(int *)response;
}

static void what_was_put_is_found_until_the_blob_goes(void **state)
{
    (void)state;
    int released = 0, other = 0;
    atomic_uint n = 0;
    struct blob *blob = blob_new(8);
    assert_non_null(blob);
    assert_null(prepared_get(blob, 1));
    assert_true(prepared_put(blob, 1, &released, count_release, &n));
    assert_ptr_equal(prepared_get(blob, 1), &released);
    assert_null(prepared_get(blob, 2));
    assert_true(prepared_put(blob, PREPARED_SLOTS, &other, count_release, &n));
    assert_int_equal(n, 2);
    blob_unref(blob_ref(blob));
    assert_int_equal(released + other, 0);
    blob_unref(blob);
    assert_int_equal(released, 1);
    assert_int_equal(other, 1);
    assert_int_equal(n, 0);
}

static void the_second_in_a_slot_stays_with_its_maker(void **state)
{
    (void)state;
    int first = 0, second = 0;
    atomic_uint n = 0;
    struct blob *blob = blob_new(8);
    assert_non_null(blob);
    assert_true(prepared_put(blob, 3, &first, count_release, &n));
    assert_false(prepared_put(blob, 3, &second, count_release, &n));
    assert_ptr_equal(prepared_get(blob, 3), &first);
    assert_int_equal(n, 1);
    blob_unref(blob);
    assert_int_equal(first, 1);
    assert_int_equal(second, 0);
}

static void no_more_are_kept_than_there_is_room_for(void **state)
{
    (void)state;
    int response = 0;
    atomic_uint n = PREPARED_MAX;
    struct blob *blob = blob_new(8);
    assert_non_null(blob);
    assert_false(prepared_put(blob, 1, &response, count_release, &n));
    assert_null(prepared_get(blob, 1));
    assert_int_equal(n, PREPARED_MAX);
    n = PREPARED_MAX - 1;
    assert_true(prepared_put(blob, 1, &response, count_release, &n));
    blob_unref(blob);
    assert_int_equal(response, 1);
    assert_int_equal(n, PREPARED_MAX - 1);
}

static void a_reply_with_something_of_its_own_is_not_shared(void **state)
{
    (void)state;
    int response = 0;
    atomic_uint n = 0;
    struct request request = {.is_plain = true};
    struct blob *blob = blob_new(8);
    assert_non_null(blob);
    assert_false(reply_prepared(&request, 1)); /* no blob */
    reply_share(&request, blob, (struct str){blob->bytes, 8});
    assert_false(reply_prepared(&request, 1)); /* the first */
    assert_int_equal(request.reply.slot, 1);
    assert_true(prepared_put(blob, 1, &response, count_release, &n));
    assert_true(reply_prepared(&request, 1));
    request.reply.slot = 0;
    request.reply.n_fixed = 1; /* RateLimit */
    assert_false(reply_prepared(&request, 1));
    request.reply.n_fixed = 0;
    request.is_plain = false;
    assert_false(reply_prepared(&request, 1));
    assert_int_equal(request.reply.slot, 0);
    blob_unref(blob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found_until_the_blob_goes),
        cmocka_unit_test(the_second_in_a_slot_stays_with_its_maker),
        cmocka_unit_test(no_more_are_kept_than_there_is_room_for),
        cmocka_unit_test(a_reply_with_something_of_its_own_is_not_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
