/* test_panel_shelf.c - panels are found by their key until newer ones need the place. */
#include "handlers/panel_shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

static struct panel_shelf *shelf;

static int set_up(void **state)
{
    (void)state;
    return panel_shelf_new(8 << 20, &shelf, NULL) == STATUS_OK ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    panel_shelf_free(shelf);
    return 0;
}

static void put(const char *key)
{
    assert_true(panel_shelf_fill(panel_shelf_take(shelf), str_of(key)));
}

static void a_place_is_found_once_it_is_named(void **state)
{
    (void)state;
    assert_null(panel_shelf_find(shelf, STR("a")));
    struct shelved *place = panel_shelf_take(shelf);
    assert_null(panel_shelf_find(shelf, STR("a")));
    assert_true(panel_shelf_fill(place, STR("a")));
    assert_ptr_equal(panel_shelf_find(shelf, STR("a")), place);
    panel_shelf_empty(place);
    assert_null(panel_shelf_find(shelf, STR("a")));
}

static void the_one_that_was_used_longest_ago_makes_room(void **state)
{
    char key[16];
    (void)state;
    put("kept");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(key, sizeof key, "other %d", i);
        put(key);
        assert_non_null(panel_shelf_find(shelf, str_of(key)));
        assert_non_null(panel_shelf_find(shelf, STR("kept")));
    }
    assert_null(panel_shelf_find(shelf, STR("other 0")));
    assert_non_null(panel_shelf_find(shelf, STR("other 98")));
}

static void what_has_no_room_is_not_kept(void **state)
{
    static char key[2 << 20];
    (void)state;
    assert_false(panel_shelf_fill(panel_shelf_take(shelf), (struct str){key, sizeof key}));
    assert_null(panel_shelf_find(shelf, (struct str){key, sizeof key}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_place_is_found_once_it_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_one_that_was_used_longest_ago_makes_room, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_not_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
