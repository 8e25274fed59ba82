/* test_err.c - err.h: what an error says of the place and of what was sent there. */
#include "base/err.h"
#include "base/json_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct err at(enum err_where where, struct str value)
{
    struct err err;
    (void)err_set(&err, STATUS_BAD_VALUE, "No.");
    err_at(&err, where, STR("name"), value);
    return err;
}

static void a_value_outside_of_json_is_kept_as_it_was_sent(void **state)
{
    (void)state;
    for (enum err_where where = ERR_PARAMETER; where <= ERR_LINE; where++) {
        if (where != ERR_POINTER)
            assert_string_equal(at(where, STR("a\"b, [1]")).value, "a\"b, [1]");
        assert_string_equal(at(where, STR_NONE).value, "");
        assert_string_equal(at(where, STR_NONE).name, "name");
    }
}

static void a_string_of_a_body_is_kept_as_json_text(void **state)
{
    (void)state;
    assert_string_equal(at(ERR_POINTER, STR("abc")).value, "\"abc\"");
    assert_string_equal(at(ERR_POINTER, STR("")).value, "\"\"");
    assert_string_equal(at(ERR_POINTER, STR("a\"b\\\n")).value, "\"a\\\"b\\\\\\n\"");
    assert_string_equal(at(ERR_POINTER, STR("가")).value, "\"가\"");
}

static void any_value_of_a_body_is_kept_as_json_text(void **state)
{
    (void)state;
    static const char *const bodies[] = {"\"abc\"", "[1,2]", "{\"a\":null}", "1.5", "true", "null"};
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct json_doc *doc = NULL;
        struct err err;
        assert_int_equal(jr_parse(str_of(bodies[i]), &arena, &doc, &err), STATUS_OK);
        (void)err_set(&err, STATUS_WRONG_TYPE, "No.");
        jr_err_at(&err, jr_root(doc));
        assert_string_equal(err.value, bodies[i]);
        jr_free(doc);
    }
    arena_clear(&arena);
}

static void a_long_value_ends_in_three_dots(void **state)
{
    (void)state;
    char text[200];
    memset(text, 'x', sizeof text);
    const size_t room = sizeof((struct err *)0)->value - 1;
    struct err whole = at(ERR_HEADER, (struct str){text, room});
    assert_int_equal(strlen(whole.value), room);
    assert_int_equal(whole.value[room - 1], 'x');
    struct err cut = at(ERR_HEADER, (struct str){text, room + 1});
    assert_int_equal(strlen(cut.value), room);
    assert_string_equal(cut.value + room - 4, "x...");
    struct err quoted = at(ERR_POINTER, (struct str){text, room - 1});
    assert_string_equal(quoted.value + room - 4, "x...");
    for (size_t i = 0; i + 2 < sizeof text; i += 3)
        memcpy(text + i, "가", 3);
    struct err korean = at(ERR_PARAMETER, (struct str){text, 198});
    assert_true(str_is_utf8(str_of(korean.value)));
    assert_string_equal(korean.value + strlen(korean.value) - 3, "...");
}

static void one_is_not_many(void **state)
{
    (void)state;
    assert_string_equal(str_plural(0, "day", "days"), "days");
    assert_string_equal(str_plural(1, "day", "days"), "day");
    assert_string_equal(str_plural(2, "day", "days"), "days");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_outside_of_json_is_kept_as_it_was_sent),
        cmocka_unit_test(a_string_of_a_body_is_kept_as_json_text),
        cmocka_unit_test(any_value_of_a_body_is_kept_as_json_text),
        cmocka_unit_test(a_long_value_ends_in_three_dots),
        cmocka_unit_test(one_is_not_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
