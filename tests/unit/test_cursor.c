/* test_cursor.c - cursors, next-page links and parts of a stored backtest. */
#include "handlers/backtest_select.h"
#include "handlers/cursor.h"
#include "handlers/urls.h"
#include "tests/unit/handler_request.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)32 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static struct str encoded(void)
{
    static struct str values[] = {{"2020-01-02", 10}, {NULL, 0}, {"", 0}, {"a|b:c\"\n", 7}};
    struct cursor cursor = {
        .generation = 42, .query = STR("the query"), .values = values, .n_values = 4};
    struct str text = STR_NONE;
    assert_int_equal(cursor_encode(&cursor, &arena, &text, NULL), STATUS_OK);
    return text;
}

static void a_cursor_reads_back(void **state)
{
    struct str text = encoded();
    struct cursor back;
    int64_t generation = 0;
    (void)state;
    assert_int_equal(cursor_generation(text, &arena, &generation, NULL), STATUS_OK);
    assert_int_equal(generation, 42);
    assert_int_equal(cursor_decode(text, STR("the query"), 4, &arena, &back, NULL), STATUS_OK);
    assert_int_equal(back.generation, 42);
    assert_true(str_eq_c(back.values[0], "2020-01-02"));
    assert_null(back.values[1].ptr);
    assert_true(back.values[2].ptr != NULL && back.values[2].len == 0);
    assert_true(str_eq_c(back.values[3], "a|b:c\"\n"));
}

static void any_changed_byte_is_noticed(void **state)
{
    struct str text = encoded();
    struct cursor back;
    (void)state;
    for (size_t i = 0; i < text.len; i++)
        for (int c = 0; c < 256; c += 7) {
            char *forged = arena_dup(&arena, text);
            assert_non_null(forged);
            if (forged[i] == (char)c)
                continue;
            forged[i] = (char)c;
            struct err err = {0};
            enum status s = cursor_decode((struct str){forged, text.len}, STR("the query"), 4,
                                          &arena, &back, &err);
            assert_int_equal(s, STATUS_BAD_CURSOR);
            assert_string_equal(err.name, "cursor");
        }
    char *longer = arena_alloc(&arena, text.len + 2);
    assert_non_null(longer);
    memcpy(longer, text.ptr, text.len);
    longer[text.len] = 'A';
    assert_int_equal(
        cursor_decode((struct str){longer, text.len + 1}, STR("the query"), 4, &arena, &back, NULL),
        STATUS_BAD_CURSOR);
    assert_int_equal(cursor_decode(STR(""), STR("the query"), 4, &arena, &back, NULL),
                     STATUS_BAD_CURSOR);
}

static void a_cursor_of_another_query_is_told_apart(void **state)
{
    struct cursor back;
    (void)state;
    assert_int_equal(cursor_decode(encoded(), STR("another"), 4, &arena, &back, NULL),
                     STATUS_CURSOR_MISMATCH);
    assert_int_equal(cursor_decode(encoded(), STR("the query"), 3, &arena, &back, NULL),
                     STATUS_BAD_CURSOR);
    assert_int_equal(cursor_decode(encoded(), STR("the query"), 5, &arena, &back, NULL),
                     STATUS_BAD_CURSOR);
}

static void the_next_address_keeps_the_other_parameters(void **state)
{
    struct hand hand;
    struct str url = STR_NONE;
    (void)state;
    hand_init(&hand);
    hand_param(&hand, "q", "a b&c=\xEA\xB0\x80");
    hand_param(&hand, "cursor", "old");
    hand_param(&hand, "uid", "stock:US.AAPL");
    assert_int_equal(url_with_cursor(&hand.request, STR("new"), &url, NULL), STATUS_OK);
    assert_true(str_eq_c(url, "/here?q=a%20b%26c%3D%EA%B0%80&uid=stock:US.AAPL&cursor=new"));
    hand_clear(&hand);
}

static const char document[] =
    "{\"data\":{\"id\":\"x\",\"text\":\"a,}\\\"]\\\\\",\"list\":[1,{\"a\":[2]}],\"n\":-1.5e+300},"
    "\"meta\":{\"warnings\":[]}}\n";

static void selected_parts_keep_their_bytes(void **state)
{
    static const char *const cases[][2] = {
        {"text",
         "{\"data\":{\"id\":\"x\",\"text\":\"a,}\\\"]\\\\\"},\"meta\":{\"warnings\":[]}}\n"},
        {"n,list",
         "{\"data\":{\"id\":\"x\",\"list\":[1,{\"a\":[2]}],\"n\":-1.5e+300},\"meta\":{\"warnings\":[]}}\n"},
        {"id", "{\"data\":{\"id\":\"x\"},\"meta\":{\"warnings\":[]}}\n"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str part = STR_NONE;
        assert_int_equal(
            backtest_select(str_of(document), str_of(cases[i][0]), &arena, &part, NULL), STATUS_OK);
        assert_true(str_eq_c(part, cases[i][1]));
    }
    struct str whole = STR_NONE;
    assert_int_equal(backtest_select(str_of(document), STR_NONE, &arena, &whole, NULL), STATUS_OK);
    assert_ptr_equal(whole.ptr, document);
}

static void an_unknown_part_is_refused_with_the_nearest(void **state)
{
    struct str part;
    struct err err = {0};
    (void)state;
    assert_int_equal(backtest_select(str_of(document), STR("id,lsit"), &arena, &part, &err),
                     STATUS_UNKNOWN_COLUMN);
    assert_string_equal(err.suggestion, "list");
    assert_string_equal(err.allowed, "id, text, list, n");
    assert_int_equal(backtest_select(str_of(document), STR(""), &arena, &part, &err),
                     STATUS_UNKNOWN_COLUMN);
    assert_int_equal(backtest_select(STR("{}"), STR("id"), &arena, &part, &err), STATUS_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_reads_back),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(a_cursor_of_another_query_is_told_apart),
        cmocka_unit_test(the_next_address_keeps_the_other_parameters),
        cmocka_unit_test(selected_parts_keep_their_bytes),
        cmocka_unit_test(an_unknown_part_is_refused_with_the_nearest),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
