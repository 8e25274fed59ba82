/* test_base_json.c - json_in.h and json_out.h. */
#include "base/date.h"
#include "base/json_in.h"
#include "base/json_number.h"
#include "base/json_out.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, 8 * 1024 * 1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void a_written_document_is_exact(void **state)
{
    (void)state;
    struct buf buf;
    struct json_out json;
    buf_init(&buf, &arena, 4096);
    jw_init(&json, &buf);
    jw_object(&json);
    jw_key_c(&json, "text", "a\"b\\c\n\x01\xEA\xB0\x80");
    jw_key(&json, "list");
    jw_array(&json);
    jw_i64(&json, -5);
    jw_f64(&json, 0.1);
    jw_f64(&json, (double)NAN);
    jw_bool(&json, true);
    jw_null(&json);
    jw_object(&json);
    jw_end_object(&json);
    jw_end_array(&json);
    jw_key_date(&json, "day", 0);
    jw_key_date(&json, "never", DATE_NONE);
    jw_end_object(&json);
    assert_string_equal(
        buf_c_str(&buf),
        "{\"text\":\"a\\\"b\\\\c\\n\\u0001\xEA\xB0\x80\","
        "\"list\":[-5,0.1,null,true,null,{}],\"day\":\"1970-01-01\",\"never\":null}");
}

static void any_bytes_become_valid_json(void **state)
{
    (void)state;
    for (int round = 0; round < 256; round++) {
        char bytes[3] = {(char)round, (char)(round * 7 + 3), 'x'};
        struct buf buf;
        struct json_out json;
        buf_init(&buf, &arena, 4096);
        jw_init(&json, &buf);
        jw_array(&json);
        jw_str(&json, (struct str){bytes, 3});
        jw_end_array(&json);
        assert_true(str_is_utf8(buf_str(&buf)));
        struct json_doc *doc = NULL;
        struct err err;
        bool has_nul =
            bytes[0] == 0 || bytes[1] == 0; /* written as \u0000, which jansson does not read */
        enum status s = jr_parse(buf_str(&buf), &arena, &doc, &err);
        assert_int_equal(s, has_nul ? STATUS_MALFORMED_JSON : STATUS_OK);
        jr_free(doc);
    }
}

/* Each of the bytes at each place of texts of each length around the eight that are looked at together. */
static void clean_text_is_what_escaping_leaves_alone(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 26; len++)
        for (unsigned c = 0; c < 256; c++)
            for (size_t at = 0; at < len || at == 0; at++) {
                char text[27] = "abcdefghijklmnopqrstuvwxyz";
                char room[256];
                struct buf buf;
                if (at < len)
                    text[at] = (char)c;
                buf_init_fixed(&buf, room, sizeof room);
                jw_escape(&buf, (struct str){text, len});
                bool is_same = str_eq(buf_str(&buf), (struct str){text, len});
                assert_int_equal(jw_is_clean((struct str){text, len}), is_same);
            }
    assert_true(jw_is_clean(STR("\xC3\xA9 and \xE2\x82\xAC in a longer text")));
}

/* By the grammar, one byte at a time. */
static bool is_number_by_the_grammar(const char *p)
{
    p += *p == '-' ? 1 : 0;
    const char *parts[] = {".", "e"};
    size_t n = strspn(p, "0123456789");
    p += n;
    for (size_t i = 0; n > 0 && i < ARRAY_LEN(parts); i++) {
        if (*p != parts[i][0])
            continue;
        p++;
        p += i == 1 && (*p == '+' || *p == '-') ? 1 : 0;
        n = strspn(p, "0123456789");
        p += n;
    }
    return n > 0 && *p == '\0';
}

/* Digits with each of the bytes at every one and every two places, in texts around the sizes that are looked at as words. */
static void numbers_are_what_the_grammar_says(void **state)
{
    (void)state;
    static const char others[] = ".-+eE,/: x\x01\x7f\x80\xff";
    size_t n_numbers = 0;
    for (size_t len = 0; len <= 19; len++)
        for (size_t a = 0; a <= len; a++)
            for (size_t b = a; b <= len; b++)
                for (size_t i = 0; i < sizeof others; i++)
                    for (size_t j = 0; j < sizeof others; j++) {
                        char text[21] = "90123456789012345678";
                        text[a] = i == sizeof others - 1 ? text[a] : others[i];
                        text[b] = j == sizeof others - 1 ? text[b] : others[j];
                        text[len] = '\0';
                        bool is_number = is_number_by_the_grammar(text);
                        assert_int_equal(json_number_is_valid((struct str){text, len}), is_number);
                        n_numbers += is_number ? 1 : 0;
                    }
    assert_true(n_numbers > 1000);
    assert_false(json_number_is_valid((struct str){"12\0", 3}));
    assert_false(json_number_is_valid((struct str){"1234\0", 5}));
    assert_false(json_number_is_valid(STR("NaN")));
    assert_false(json_number_is_valid(STR("Infinity")));
}

static void malformed_documents_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "{",
                                      "{\"a\":1,\"a\":2}",
                                      "{\"a\":1,\"\\u0061\":2}",
                                      "[NaN]",
                                      "[Infinity]",
                                      "[1e400]",
                                      "[9223372036854775808]",
                                      "{} x",
                                      "[\"\xFF\"]",
                                      "[\"\\ud800\"]",
                                      "[\"\\u0000\"]",
                                      "\xEF\xBB\xBF{}",
                                      "[01]",
                                      "{'a':1}",
                                      "[1,]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json_doc *doc = NULL;
        struct err err = {0};
        assert_int_equal(jr_parse(str_of(bad[i]), &arena, &doc, &err), STATUS_MALFORMED_JSON);
        assert_true(strlen(err.detail) > 0);
        assert_null(strstr(err.detail, "JSON_")); /* a reader of HTTP knows no constants of C */
    }
}

static void nesting_is_limited_before_recursion(void **state)
{
    (void)state;
    char deep[20001];
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[20000] = '\0';
    struct json_doc *doc = NULL;
    struct err err = {0};
    assert_int_equal(jr_parse(str_of(deep), &arena, &doc, &err), STATUS_MALFORMED_JSON);
    assert_non_null(strstr(err.allowed, "32 levels"));
    assert_int_equal(
        jr_parse(str_of("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"]"), &arena, &doc, &err),
        STATUS_OK);
    jr_free(doc);
}

static void errors_name_the_place_and_what_is_allowed(void **state)
{
    (void)state;
    struct json_doc *doc = NULL;
    struct err err = {0};
    assert_int_equal(
        jr_parse(str_of("{\"assets\":[{\"weihgt\":\"x\",\"weight\":2}],\"start\":\"2020-02-30\"}"),
                 &arena, &doc, &err),
        STATUS_OK);
    struct json_val asset = jr_item(jr_member(jr_root(doc), "assets"), 0);
    static const char *const allowed[] = {"uid", "weight"};
    assert_int_equal(jr_expect_object(asset, allowed, 2, &err), STATUS_UNKNOWN_FIELD);
    assert_string_equal(err.name, "/assets/0/weihgt");
    assert_string_equal(err.suggestion, "weight");
    assert_string_equal(err.allowed, "uid, weight");
    double number;
    assert_int_equal(jr_read_f64(jr_member(asset, "weight"), 0, 1, &number, &err),
                     STATUS_OUT_OF_RANGE);
    assert_string_equal(err.name, "/assets/0/weight");
    assert_string_equal(err.value, "2");
    assert_int_equal(jr_read_f64(jr_member(asset, "weihgt"), 0, 1, &number, &err),
                     STATUS_WRONG_TYPE);
    assert_int_equal(jr_read_f64(jr_member(asset, "missing"), 0, 1, &number, &err),
                     STATUS_WRONG_TYPE);
    assert_non_null(strstr(err.detail, "is required"));
    int32_t date;
    assert_int_equal(jr_read_date(jr_member(jr_root(doc), "start"), &date, &err),
                     STATUS_OUT_OF_RANGE);
    static const char *const names[] = {"daily", "monthly"};
    size_t choice;
    assert_int_equal(jr_read_choice(jr_member(jr_root(doc), "start"), names, 2, &choice, &err),
                     STATUS_OUT_OF_RANGE);
    jr_free(doc);
}

static void a_list_of_names_is_whole_or_says_that_it_is_not(void **state)
{
    (void)state;
    enum { MANY = 100 };
    struct json_doc *doc = NULL;
    struct err err = {0};
    char text[MANY][16];
    const char *names[MANY];
    size_t choice;
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(text[i], sizeof text[i], "a_name_%03zu", i);
        names[i] = text[i];
    }
    assert_int_equal(jr_parse(str_of("{\"a_name_999\":7}"), &arena, &doc, &err), STATUS_OK);
    assert_int_equal(jr_expect_object(jr_root(doc), names, MANY, &err), STATUS_UNKNOWN_FIELD);
    assert_non_null(strstr(err.allowed, "a_name_049, a_name_050"));
    const char *end = strstr(err.allowed, ", ...");
    assert_true(end != NULL && end[5] == '\0' && strncmp(end - 10, "a_name_0", 8) == 0);
    struct json_val seven = jr_member(jr_root(doc), "a_name_999");
    assert_int_equal(jr_expect_object(seven, names, 2, &err), STATUS_WRONG_TYPE);
    assert_string_equal(err.allowed, "an object of a_name_000, a_name_001");
    assert_int_equal(jr_read_choice(seven, names, 2, &choice, &err), STATUS_WRONG_TYPE);
    assert_string_equal(err.allowed, "a_name_000, a_name_001");
    jr_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_written_document_is_exact),
        cmocka_unit_test(any_bytes_become_valid_json),
        cmocka_unit_test(clean_text_is_what_escaping_leaves_alone),
        cmocka_unit_test(numbers_are_what_the_grammar_says),
        cmocka_unit_test(malformed_documents_are_refused),
        cmocka_unit_test(nesting_is_limited_before_recursion),
        cmocka_unit_test(errors_name_the_place_and_what_is_allowed),
        cmocka_unit_test(a_list_of_names_is_whole_or_says_that_it_is_not),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
