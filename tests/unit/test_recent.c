/* test_recent.c - answers of this second: found by the whole head, under one stamp, by the thread that put them. */
#include "server/recent.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { STAMP = 7, SECOND = 1000 };

static struct recents *recents;
static int released;

static void count_release(void *response)
{
    (void)response;
    released++;
}

static int set_up(void **state)
{
    (void)state;
    released = 0;
    recents = recents_new();
    return recents == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    recents_free(recents);
    return 0;
}

static struct recent *put(struct str head)
{
    struct recent *recent = recent_new(head);
    assert_non_null(recent);
    recent->stamp = STAMP;
    recent->second = SECOND;
    recent->http_status = 304;
    recent->release = count_release;
    recent->blob = blob_new(1);
    struct recent *old = recents_put(recents, recent);
    recent_unref(recent);
    return old;
}

static bool is_there(struct str head, uint64_t stamp, int64_t second)
{
    bool is_wanted;
    struct recent *recent = recents_get(recents, head, stamp, second, &is_wanted);
    assert_false(recent != NULL && is_wanted);
    bool found = recent != NULL;
    recent_unref(recent);
    return found;
}

static void it_is_good_for_one_head_one_second_and_one_state_of_the_data(void **state)
{
    (void)state;
    assert_null(put(STR("GET /a 1234567890")));
    assert_true(is_there(STR("GET /a 1234567890"), STAMP, SECOND));
    assert_true(is_there(STR("GET /a 1234567890"), STAMP, SECOND));
    assert_false(is_there(STR("GET /a 1234567891"), STAMP, SECOND));
    assert_false(is_there(STR("GET /a 123456789"), STAMP, SECOND));
    assert_false(is_there(STR("GET /a 1234567890"), STAMP + 1, SECOND)); /* published, or purged */
    assert_false(is_there(STR("GET /a 1234567890"), 0, SECOND));         /* no catalogue */
    assert_false(is_there(STR("GET /a 1234567890"), STAMP, SECOND + 1));
    assert_false(is_there(STR("GET /a 1234567890"), STAMP, SECOND - 1)); /* the clock was set */
    assert_int_equal(recents_hits(recents), 2);
}

static void it_is_wanted_when_it_is_asked_for_twice_in_a_second(void **state)
{
    (void)state;
    bool is_wanted = true;
    struct str head = STR("GET /b");
    assert_null(recents_get(recents, head, STAMP, SECOND, &is_wanted));
    assert_false(is_wanted);
    assert_null(recents_get(recents, head, STAMP, SECOND + 1, &is_wanted));
    assert_false(is_wanted);
    assert_null(recents_get(recents, head, STAMP, SECOND + 1, &is_wanted));
    assert_true(is_wanted);
    assert_null(recents_get(recents, head, 0, SECOND + 1, &is_wanted));
    assert_false(is_wanted);
}

static void what_gives_way_tells_how_often_it_answered(void **state)
{
    (void)state;
    struct str head = STR("GET /c");
    assert_null(put(head));
    for (int i = 0; i < 3; i++)
        assert_true(is_there(head, STAMP, SECOND));
    struct recent *old = put(head);
    assert_non_null(old);
    assert_int_equal(old->hits, 3);
    assert_true(str_eq(old->head, head));
    assert_int_equal(released, 0);
    recent_unref(old);
    assert_int_equal(released, 1);
    recents_free(recents);
    assert_int_equal(released, 2);
    recents = recents_new();
}

static void whoever_holds_one_keeps_it(void **state)
{
    (void)state;
    bool is_wanted;
    struct str head = STR("HEAD /d");
    assert_null(put(head));
    struct recent *held = recents_get(recents, head, STAMP, SECOND, &is_wanted);
    assert_non_null(held);
    recent_unref(put(head));
    assert_int_equal(released, 0);
    assert_int_equal(held->http_status, 304);
    recent_unref(held);
    assert_int_equal(released, 1);
}

static void *look_from_elsewhere(void *cls)
{
    *(bool *)cls = is_there(STR("GET /e"), STAMP, SECOND);
    return NULL;
}

static void another_thread_has_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    bool found = true;
    assert_null(put(STR("GET /e")));
    assert_int_equal(pthread_create(&thread, NULL, look_from_elsewhere, &found), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(found);
    assert_true(is_there(STR("GET /e"), STAMP, SECOND));
}

static void without_a_place_nothing_is_kept(void **state)
{
    (void)state;
    bool is_wanted = true;
    assert_null(recents_get(NULL, STR("GET /f"), STAMP, SECOND, &is_wanted));
    assert_false(is_wanted);
    assert_int_equal(recents_hits(NULL), 0);
    recents_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_good_for_one_head_one_second_and_one_state_of_the_data),
        TEST(it_is_wanted_when_it_is_asked_for_twice_in_a_second),
        TEST(what_gives_way_tells_how_often_it_answered),
        TEST(whoever_holds_one_keeps_it),
        TEST(another_thread_has_its_own),
        TEST(without_a_place_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
