/* test_api_key.c - the text of keys: made, read back, mistyped, and found where they must not be. */
#include "store/api_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void a_key_is_read_back_and_its_hash_is_that_of_its_text(void **state)
{
    (void)state;
    char text[API_KEY_TEXT_BYTES];
    unsigned char hash[DIGEST_BYTES], again[DIGEST_BYTES];
    int64_t id = 0;
    static const int64_t ids[] = {1, 42, 10000, 999999999999999999};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        assert_int_equal(api_key_make(ids[i], text, hash, NULL), STATUS_OK);
        assert_true(api_key_parse(str_of(text), &id));
        assert_int_equal(id, ids[i]);
        assert_int_equal(digest_raw(str_of(text), again, NULL), STATUS_OK);
        assert_true(digest_is_equal(hash, again));
    }
}

static void two_keys_have_nothing_in_common_but_their_head(void **state)
{
    (void)state;
    char a[API_KEY_TEXT_BYTES], b[API_KEY_TEXT_BYTES];
    unsigned char hash[DIGEST_BYTES];
    unsigned n_same = 0;
    assert_int_equal(api_key_make(7, a, hash, NULL), STATUS_OK);
    assert_int_equal(api_key_make(7, b, hash, NULL), STATUS_OK);
    assert_int_equal(strlen(a), strlen("cmmc_7_") + 52 + 7);
    for (size_t i = strlen("cmmc_7_"); a[i] != '\0'; i++)
        n_same += a[i] == b[i] ? 1 : 0;
    assert_true(n_same < 20); /* of 59 characters in 32 kinds: about 2 are the same by chance */
}

/* Any one wrong character, and any two neighbours swapped, is no key: the checksum sees both. */
static void every_typing_error_of_one_character_is_seen(void **state)
{
    (void)state;
    char text[API_KEY_TEXT_BYTES];
    unsigned char hash[DIGEST_BYTES];
    int64_t id;
    assert_int_equal(api_key_make(12, text, hash, NULL), STATUS_OK);
    for (size_t i = 0; i < strlen(text); i++) {
        char kept = text[i];
        for (int c = 0; c < 256; c++) {
            text[i] = (char)c;
            if (text[i] != kept)
                assert_false(api_key_parse((struct str){text, strlen("cmmc_12_") + 59}, &id));
        }
        text[i] = kept;
        if (i > 0 && text[i - 1] != kept) {
            text[i] = text[i - 1];
            text[i - 1] = kept;
            assert_false(api_key_parse(str_of(text), &id));
            text[i - 1] = text[i];
            text[i] = kept;
        }
    }
    assert_true(api_key_parse(str_of(text), &id));
}

/* Known text, so that the form, the alphabet and the checksum (zlib.crc32) cannot drift. */
static void a_known_key_is_read(void **state)
{
    (void)state;
    int64_t id;
    assert_true(api_key_parse(
        str_of("cmmc_1_aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq5nau7wi"), &id));
    assert_int_equal(id, 1);
}

static void other_text_is_no_key(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "cmmc",
        "cmmc_",
        "cmmc__",
        "cmmc_1_",
        "cmmc_x_abc",
        "CMMC_1_a",
        "cmmc_1",
        "cmmc_1234567890123456789_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    int64_t id;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_false(api_key_parse(str_of(texts[i]), &id));
    assert_false(api_key_parse(STR_NONE, &id));
}

static void a_key_is_found_within_other_text(void **state)
{
    (void)state;
    size_t at = 99;
    assert_true(api_key_is_in(STR("x=cmmc_1_abc"), &at));
    assert_int_equal(at, 2);
    assert_true(api_key_is_in(STR("cmmc_12_"), NULL));
    assert_true(api_key_is_in(STR("cmmc_cmmc_3_z"), &at));
    assert_int_equal(at, 5);
    assert_false(api_key_is_in(STR("cmmc_build_info"), NULL));
    assert_false(api_key_is_in(STR("eq.cmmc_1"), NULL));
    assert_false(api_key_is_in(STR_NONE, NULL));
}

static void scopes_are_named_in_any_order_and_once(void **state)
{
    (void)state;
    unsigned scopes;
    assert_true(scopes_parse(STR("backtest,read"), &scopes));
    assert_int_equal(scopes, SCOPE_READ | SCOPE_BACKTEST);
    assert_string_equal(scopes_text(scopes), "read,backtest");
    for (unsigned all = 1; all <= SCOPE_ALL; all++) {
        assert_true(scopes_parse(str_of(scopes_text(all)), &scopes));
        assert_int_equal(scopes, all);
    }
    static const char *const bad[] = {"",      ",",    "read,",        "read,read",
                                      "write", "Read", "read backtest"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(scopes_parse(str_of(bad[i]), &scopes));
}

static void names_are_short_and_plain(void **state)
{
    (void)state;
    char longest[API_KEY_NAME_MAX + 2];
    memset(longest, 'a', sizeof longest);
    assert_true(api_key_name_is_valid(STR("ci-2.main_x")));
    assert_true(api_key_name_is_valid((struct str){longest, API_KEY_NAME_MAX}));
    assert_false(api_key_name_is_valid((struct str){longest, API_KEY_NAME_MAX + 1}));
    static const char *const bad[] = {"", "1", "-a", "a b", "a\n", "\xc3\xa9", "a/b", "a\"b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(api_key_name_is_valid(str_of(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_back_and_its_hash_is_that_of_its_text),
        cmocka_unit_test(two_keys_have_nothing_in_common_but_their_head),
        cmocka_unit_test(every_typing_error_of_one_character_is_seen),
        cmocka_unit_test(a_known_key_is_read),
        cmocka_unit_test(other_text_is_no_key),
        cmocka_unit_test(a_key_is_found_within_other_text),
        cmocka_unit_test(scopes_are_named_in_any_order_and_once),
        cmocka_unit_test(names_are_short_and_plain),
    };
    return cmocka_run_group_tests_name("api_key", tests, NULL, NULL);
}
