/* test_credentials.c - the Authorization header, and keys that stand in a query. */
#include "handlers/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const char *read_key(const char *header)
{
    static char text[CREDENTIALS_MAX + 1];
    char room[CREDENTIALS_MAX];
    struct str key;
    if (!credentials_read(str_of(header), room, &key))
        return NULL;
    memcpy(text, key.ptr, key.len);
    text[key.len] = '\0';
    return text;
}

static void bearer_and_basic_give_the_key(void **state)
{
    (void)state;
    assert_string_equal(read_key("Bearer abc"), "abc");
    assert_string_equal(read_key("bearer   abc  "), "abc");
    assert_string_equal(read_key("BEARER a b"), "a b");
    assert_string_equal(read_key("Basic dXNlcjprZXk="), "key");   /* user:key */
    assert_string_equal(read_key("basic dXNlcjprZXk"), "key");    /* without padding */
    assert_string_equal(read_key("Basic OmtleQ=="), "key");       /* :key */
    assert_string_equal(read_key("Basic dTpwOmtleQ=="), "p:key"); /* u:p:key */
}

static void everything_else_gives_none(void **state)
{
    (void)state;
    static const char *const headers[] = {"",
                                          " ",
                                          "Bearer",
                                          "Bearer ",
                                          "Basic",
                                          "Basic ",
                                          "Basic =",
                                          "Basic !!!!",
                                          "Basic dXNlcg==" /* user */,
                                          "Basic dXNlcjo=" /* user: */,
                                          "Basic dXNlcjprZXk===",
                                          "Basic d",
                                          "Digest abc",
                                          "abc",
                                          "Bearerabc",
                                          "Basic dXNlcjprZXk= x",
                                          "Negotiate YII="};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++)
        if (read_key(headers[i]) != NULL)
            fail_msg("\"%s\" gives \"%s\"", headers[i], read_key(headers[i]));
    char room[CREDENTIALS_MAX];
    struct str key;
    assert_false(credentials_read(STR_NONE, room, &key));
    char longest[CREDENTIALS_MAX + 8];
    memset(longest, 'A', sizeof longest);
    memcpy(longest, "Basic ", 6);
    assert_false(credentials_read((struct str){longest, sizeof longest}, room, &key));
    memcpy(longest, "Bearer ", 7);
    assert_false(credentials_read((struct str){longest, sizeof longest}, room, &key));
}

static void a_key_in_a_query_is_seen_however_it_is_spelled(void **state)
{
    (void)state;
    static const char *const with[] = {"api_key=1",
                                       "a=b&API_KEY=x",
                                       "apikey=",
                                       "access_token=x&a=b",
                                       "api%5fkey=x",
                                       "api-key=x",
                                       "q=cmmc_12_abcdef",
                                       "q=x%63mmc_1_a",
                                       "q=cmmc%5F1%5Fabc",
                                       "key=0123456789abcdef0123456789ABCDEF",
                                       "token=0123456789abcdef_123456789-bcdef&limit=1",
                                       "limit=1&&key=cmmc_1_x",
                                       "q=cmmc_1_x%"};
    static const char *const without[] = {"",
                                          "key=eq.5",
                                          "token=eq.BTC",
                                          "token=like.*abcdefabcdefabcdefabcdefabcdefabcdef*",
                                          "q=cmmc",
                                          "select=key,token",
                                          "keys=0123456789abcdef0123456789abcdef",
                                          "q=api_key",
                                          "key",
                                          "token"};
    struct str name;
    for (size_t i = 0; i < ARRAY_LEN(with); i++)
        if (!credentials_in_query(str_of(with[i]), &name))
            fail_msg("\"%s\" has a key", with[i]);
    for (size_t i = 0; i < ARRAY_LEN(without); i++)
        if (credentials_in_query(str_of(without[i]), &name))
            fail_msg("\"%s\" has no key", without[i]);
    assert_true(credentials_in_query(STR("limit=1&api_key=x"), &name));
    assert_true(str_eq_c(name, "api_key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bearer_and_basic_give_the_key),
        cmocka_unit_test(everything_else_gives_none),
        cmocka_unit_test(a_key_in_a_query_is_seen_however_it_is_spelled),
    };
    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}
