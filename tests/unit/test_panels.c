/* test_panels.c - panels found by key and version, bounded, and freed with the last run that holds them. */
#include "base/arena.h"
#include "handlers/panels.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Nobody looks into a panel here: the arena's bytes stand for it. */
static struct panel_lease *keep(struct panels *panels, int64_t version, unsigned char name,
                                size_t bytes)
{
    unsigned char key[DIGEST_BYTES] = {name};
    struct panel_lease *lease = panel_lease_new((size_t)1 << 26);
    assert_non_null(lease);
    unsigned char *room = arena_alloc(panel_lease_arena(lease), bytes);
    assert_non_null(room);
    memset(room, name, bytes);
    panels_keep(panels, version, key, lease, (const struct panel_shared *)(const void *)room);
    return lease;
}

/* The panel's first byte; 0 when there is none. */
static unsigned char look(struct panels *panels, int64_t version, unsigned char name)
{
    unsigned char key[DIGEST_BYTES] = {name}, found = 0;
    struct panel_lease *lease = panels_find(panels, version, key);
    if (lease != NULL)
        memcpy(&found, panel_lease_panel(lease), 1);
    panels_release(panels, lease);
    return found;
}

static struct panels *shelf_of(size_t max_bytes)
{
    struct panels *panels = NULL;
    assert_int_equal(panels_new(max_bytes, &panels, NULL), STATUS_OK);
    return panels;
}

static void a_kept_panel_is_found_by_its_key_and_version(void **state)
{
    struct panels *panels = shelf_of((size_t)8 << 20);
    (void)state;
    assert_int_equal(look(panels, 1, 'a'), 0);
    panels_release(panels, keep(panels, 1, 'a', 1000));
    panels_release(panels, keep(panels, 1, 'b', 1000));
    assert_int_equal(look(panels, 1, 'a'), 'a');
    assert_int_equal(look(panels, 1, 'b'), 'b');
    assert_int_equal(look(panels, 0, 'a'), 0);
    assert_int_equal(look(panels, 2, 'a'), 0);
    struct panels_stats stats = panels_stats(panels);
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 3);
    assert_int_equal(stats.panels, 2);
    panels_free(panels);
}

static void a_later_version_takes_the_place_of_all_before(void **state)
{
    struct panels *panels = shelf_of((size_t)8 << 20);
    (void)state;
    struct panel_lease *held = keep(panels, 1, 'a', 1000);
    panels_release(panels, keep(panels, 1, 'b', 1000));
    panels_release(panels, keep(panels, 2, 'c', 1000));
    panels_release(panels, keep(panels, 1, 'd', 1000)); /* of a run that began before */
    assert_int_equal(panels_stats(panels).panels, 1);
    assert_int_equal(look(panels, 2, 'c'), 'c');
    assert_int_equal(look(panels, 1, 'a') + look(panels, 1, 'd'), 0);
    assert_int_equal(*(const unsigned char *)(const void *)panel_lease_panel(held), 'a');
    panels_release(panels, held);
    panels_free(panels);
}

static void the_longest_unused_panel_makes_room(void **state)
{
    struct panels *panels = shelf_of((size_t)4 << 20);
    (void)state;
    panels_release(panels, keep(panels, 1, 'a', (size_t)1800 << 10));
    struct panel_lease *held = keep(panels, 1, 'b', (size_t)1800 << 10);
    assert_int_equal(look(panels, 1, 'a'), 'a');
    panels_release(panels, keep(panels, 1, 'c', (size_t)1800 << 10));
    assert_int_equal(look(panels, 1, 'a'), 'a');
    assert_int_equal(look(panels, 1, 'b'), 0);
    assert_int_equal(look(panels, 1, 'c'), 'c');
    assert_int_equal(((const unsigned char *)(const void *)panel_lease_panel(held))[1000000], 'b');
    panels_release(panels, held);
    panels_release(panels, keep(panels, 1, 'd', (size_t)5 << 20)); /* serves its run alone */
    struct panels_stats stats = panels_stats(panels);
    assert_int_equal(stats.evictions, 1);
    assert_int_equal(stats.panels, 2);
    assert_true(stats.bytes <= (size_t)4 << 20);
    panels_free(panels);
}

static void of_two_equal_panels_the_first_stays(void **state)
{
    struct panels *panels = shelf_of((size_t)8 << 20);
    unsigned char key[DIGEST_BYTES] = {'a'};
    (void)state;
    struct panel_lease *first = keep(panels, 1, 'a', 1000), *second = keep(panels, 1, 'a', 1000);
    struct panel_lease *found = panels_find(panels, 1, key);
    assert_ptr_equal(found, first);
    panels_release(panels, found);
    panels_release(panels, first);
    panels_release(panels, second);
    assert_int_equal(panels_stats(panels).panels, 1);
    panels_free(panels);
}

static void *come_and_go(void *cls)
{
    for (int i = 0; i < 400; i++) {
        unsigned char name = (unsigned char)('a' + i % 5);
        int64_t version = 1 + i / 100;
        unsigned char found = look(cls, version, name);
        if (found == 0)
            panels_release(cls, keep(cls, version, name, (size_t)300 << 10));
        else if (found != name)
            return cls;
    }
    return NULL;
}

static void threads_share_a_shelf_that_is_too_small(void **state)
{
    struct panels *panels = shelf_of((size_t)1 << 20);
    pthread_t thread[4];
    void *wrong = NULL;
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, come_and_go, panels), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        assert_null(wrong);
    }
    panels_free(panels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_panel_is_found_by_its_key_and_version),
        cmocka_unit_test(a_later_version_takes_the_place_of_all_before),
        cmocka_unit_test(the_longest_unused_panel_makes_room),
        cmocka_unit_test(of_two_equal_panels_the_first_stays),
        cmocka_unit_test(threads_share_a_shelf_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
