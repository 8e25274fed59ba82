/* test_json_text.c - values of a JSON document are replaced as text, wherever a pointer leads. */
#include "handlers/json_splice.h"
#include "handlers/json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const char base[] =
    "{\"assets\":[{\"uid\":\"a,b}\\\"]\",\"weight\":0.5},{\"uid\":\"c\"}],\"costs\":{},\"end\":null}";

static enum status splice(struct arena *arena, const struct json_splice *splices, size_t n,
                          const char **ret, struct err *err)
{
    struct buf out;
    buf_init(&out, arena, 4096);
    enum status s = json_splice(STR(base), splices, n, arena, &out, err);
    *ret = s == STATUS_OK ? buf_c_str(&out) : NULL;
    return s;
}

static void values_are_replaced_and_members_added_in_any_order(void **state)
{
    struct arena arena;
    struct err err = {0};
    const char *text = NULL;
    (void)state;
    arena_init(&arena, 1 << 20);
    const struct json_splice splices[] = {
        {STR("/end"), STR("\"2020-01-01\"")},       {STR("/assets/1/weight"), STR("0.25")},
        {STR("/assets/0/weight"), STR("0.75")},     {STR("/costs/commission_bps"), STR("5")},
        {STR("/costs/slippage_bps"), STR("[1,2]")}, {STR("/rebalance"), STR("\"monthly\"")}};
    assert_int_equal(splice(&arena, splices, ARRAY_LEN(splices), &text, &err), STATUS_OK);
    assert_string_equal(text,
                        "{\"assets\":[{\"uid\":\"a,b}\\\"]\",\"weight\":0.75},{\"uid\":\"c\","
                        "\"weight\":0.25}],\"costs\":{\"commission_bps\":5,\"slippage_bps\":[1,2]},"
                        "\"end\":\"2020-01-01\",\"rebalance\":\"monthly\"}");
    const struct json_splice whole = {STR("/assets/0"), STR("1")};
    assert_int_equal(splice(&arena, &whole, 1, &text, &err), STATUS_OK);
    assert_string_equal(text, "{\"assets\":[1,{\"uid\":\"c\"}],\"costs\":{},\"end\":null}");
    const struct json_splice deep[] = {
        {STR("/new/a"), STR("1")}, {STR("/costs/x/y"), STR("2")}, {STR("/new/b"), STR("3")}};
    assert_int_equal(splice(&arena, deep, ARRAY_LEN(deep), &text, &err), STATUS_OK);
    assert_string_equal(
        text, "{\"assets\":[{\"uid\":\"a,b}\\\"]\",\"weight\":0.5},{\"uid\":\"c\"}],\"costs\":"
              "{\"x\":{\"y\":2}},\"end\":null,\"new\":{\"a\":1,\"b\":3}}");
    assert_int_equal(splice(&arena, NULL, 0, &text, &err), STATUS_OK);
    assert_string_equal(text, base);
    arena_clear(&arena);
}

/* Five splices into arrays and arrays within them, in all 120 orders. */
static void the_order_of_pointers_into_arrays_does_not_matter(void **state)
{
    static const char document[] = "{\"a\":[[1,2,[3]],{\"b\":[4,5]},6],\"c\":[7,8]}";
    const struct json_splice all[] = {{STR("/a/0/2/0"), STR("30")},
                                      {STR("/a/0/0"), STR("10")},
                                      {STR("/a/1/b/1"), STR("50")},
                                      {STR("/a/2"), STR("60")},
                                      {STR("/c/1"), STR("80")}};
    struct arena arena;
    struct err err = {0};
    (void)state;
    arena_init(&arena, 1 << 20);
    for (unsigned order = 0; order < 120; order++) {
        struct json_splice splices[ARRAY_LEN(all)];
        bool is_taken[ARRAY_LEN(all)] = {false};
        unsigned rest = order;
        for (unsigned i = 0; i < ARRAY_LEN(all); i++) {
            unsigned left = (unsigned)ARRAY_LEN(all) - i, skip = rest % left, k = 0;
            rest /= left;
            while (is_taken[k] || skip-- > 0)
                k++;
            is_taken[k] = true;
            splices[i] = all[k];
        }
        struct buf out;
        buf_init(&out, &arena, 4096);
        assert_int_equal(
            json_splice(STR(document), splices, ARRAY_LEN(splices), &arena, &out, &err), STATUS_OK);
        assert_string_equal(buf_c_str(&out),
                            "{\"a\":[[10,2,[30]],{\"b\":[4,50]},60],\"c\":[7,80]}");
    }
    arena_clear(&arena);
}

static void a_pointer_that_leads_nowhere_is_named(void **state)
{
    static const char *const wrong[] = {
        "",       "end",        "/assets/2",       "/assets/x", "/assets/-1/uid",
        "/end/x", "/Bad Key/x", "/assets/0/uid/x", "/Bad Key",  "/"};
    struct arena arena;
    const char *text = NULL;
    (void)state;
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct err err = {0};
        const struct json_splice one = {str_of(wrong[i]), STR("1")};
        assert_int_equal(splice(&arena, &one, 1, &text, &err), STATUS_BAD_SPEC);
        assert_string_equal(err.name, wrong[i]);
    }
    arena_clear(&arena);
}

static void splices_do_not_reach_into_each_other(void **state)
{
    struct arena arena;
    struct err err = {0};
    const char *text = NULL;
    (void)state;
    arena_init(&arena, 1 << 20);
    const struct json_splice nested[] = {{STR("/assets/0/weight"), STR("1")},
                                         {STR("/assets"), STR("[]")}};
    assert_int_equal(splice(&arena, nested, 2, &text, &err), STATUS_BAD_SPEC);
    const struct json_splice twice[] = {{STR("/end"), STR("1")}, {STR("/end"), STR("2")}};
    assert_int_equal(splice(&arena, twice, 2, &text, &err), STATUS_BAD_SPEC);
    arena_clear(&arena);
}

static void a_value_is_written_as_it_was_read(void **state)
{
    static const char text[] =
        "{\"a\":[1,-2.5,1e+300,true,null,\"\\u0001\\\"\"],\"b\":{\"c\":{}},\"d\":[]}";
    struct arena arena;
    struct err err = {0};
    struct json_doc *doc = NULL;
    struct buf out;
    struct json_out json;
    (void)state;
    arena_init(&arena, 1 << 20);
    buf_init(&out, &arena, 4096);
    jw_init(&json, &out);
    assert_int_equal(jr_parse(STR(text), &arena, &doc, &err), STATUS_OK);
    assert_int_equal(json_write(jr_root(doc), &json, &err), STATUS_OK);
    assert_string_equal(buf_c_str(&out), text);
    jr_free(doc);
    arena_clear(&arena);
}

/* Quotes, backslashes and brackets at every distance from the end and from each other. */
static void values_end_where_they_end_however_long_they_are(void **state)
{
    static const char *const marks[] = {"\\\"", "\\\\", "]", "}", "[", "{", ",", "\xc3\xa9", ":"};
    char text[256], room[64];
    (void)state;
    for (size_t before = 0; before < 20; before++)
        for (size_t after = 0; after < 20; after++)
            for (size_t k = 0; k < ARRAY_LEN(marks); k++) {
                memset(room, '7', sizeof room);
                int n =
                    snprintf(text, sizeof text, "{\"a\":[\"%.*s%s%.*s\",[%.*s1],{}],\"b%s\":%.*s2}",
                             (int)before, room, marks[k], (int)after, room, (int)before, room,
                             marks[k], (int)after, room);
                struct str object = {text, (size_t)n}, key, value;
                size_t at = 1;
                assert_true(json_next_member(object, &at, &key, &value));
                assert_int_equal(value.len, 2 * before + after + strlen(marks[k]) + 11);
                assert_true(value.ptr[value.len - 1] == ']' && str_eq_c(key, "a"));
                assert_true(json_next_member(object, &at, &key, &value));
                assert_int_equal(key.len, 1 + strlen(marks[k]));
                assert_int_equal(value.len, after + 1);
                assert_false(json_next_member(object, &at, &key, &value));
                for (size_t cut = 0; cut < object.len; cut++) /* never beyond what is there */
                    assert_true(json_value_end(str_sub(object, 0, cut), 0) <= cut);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_end_where_they_end_however_long_they_are),
        cmocka_unit_test(values_are_replaced_and_members_added_in_any_order),
        cmocka_unit_test(the_order_of_pointers_into_arrays_does_not_matter),
        cmocka_unit_test(a_pointer_that_leads_nowhere_is_named),
        cmocka_unit_test(splices_do_not_reach_into_each_other),
        cmocka_unit_test(a_value_is_written_as_it_was_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
