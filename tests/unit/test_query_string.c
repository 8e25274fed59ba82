/* test_query_string.c - query_string.h and target.h: what a target may hold, and what it means. */
#include "server/query_string.h"
#include "server/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int start(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    arena_clear(&arena);
    return 0;
}

static void query_keeps_order_repetition_and_empty_values(void **state)
{
    (void)state;
    struct query_param *params = NULL;
    size_t n = 0;
    assert_int_equal(query_parse(STR("a=1&b&&a=x+y%20z%2B&=&"), &arena, &params, &n, NULL),
                     STATUS_BAD_REQUEST);
    assert_int_equal(query_parse(STR("a=1&b&&a=x+y%20z%2B&c=d=e&"), &arena, &params, &n, NULL),
                     STATUS_OK);
    assert_int_equal(n, 4);
    assert_true(str_eq_c(params[0].name, "a") && str_eq_c(params[0].value, "1"));
    assert_true(str_eq_c(params[1].name, "b") && params[1].value.ptr != NULL &&
                params[1].value.len == 0);
    assert_true(str_eq_c(params[2].name, "a") && str_eq_c(params[2].value, "x y z+"));
    assert_true(str_eq_c(params[3].name, "c") && str_eq_c(params[3].value, "d=e"));
    assert_int_equal(query_parse(STR_NONE, &arena, &params, &n, NULL), STATUS_OK);
    assert_int_equal(n, 0);
}

static void query_refuses_what_cannot_be_text_and_names_the_parameter(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "good=1&from=%", "from=%4",     "from=%zz",       "from=%00",          "from=%0a",
        "from=%ff",      "from=%c0%af", "from=%ed%a0%80", "from=%f4%90%80%80", "from=%7f"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        struct query_param *params = NULL;
        size_t n = 7;
        assert_int_equal(query_parse(str_of(bad[i]), &arena, &params, &n, &err),
                         STATUS_BAD_REQUEST);
        assert_int_equal(err.where, ERR_PARAMETER);
        assert_string_equal(err.name, "from");
        assert_int_equal(n, 7);
    }
}

static void query_takes_200_parameters_and_no_more(void **state)
{
    (void)state;
    char text[2 * (QUERY_PARAMS_MAX + 1)];
    struct query_param *params = NULL;
    struct err err = {0};
    size_t n = 0;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 == 0 ? 'a' : '&';
    struct str most = {text, 2 * QUERY_PARAMS_MAX - 1};
    assert_int_equal(query_parse(most, &arena, &params, &n, &err), STATUS_OK);
    assert_int_equal(n, QUERY_PARAMS_MAX);
    struct str more = {text, 2 * QUERY_PARAMS_MAX};
    assert_int_equal(query_parse(more, &arena, &params, &n, &err), STATUS_BAD_REQUEST);
    assert_non_null(strstr(err.allowed, "200"));
}

static void query_reports_a_full_arena(void **state)
{
    (void)state;
    struct arena small;
    struct query_param *params = NULL;
    size_t n = 0;
    arena_init(&small, 0);
    assert_int_equal(query_parse(STR("a=b"), &small, &params, &n, NULL), STATUS_OUT_OF_MEMORY);
    arena_clear(&small);
}

static void target_splits_path_and_query(void **state)
{
    (void)state;
    struct target target;
    assert_int_equal(target_parse(STR("/v1/marts?a=b?c"), false, &target, NULL), STATUS_OK);
    assert_true(str_eq_c(target.path, "/v1/marts") && str_eq_c(target.query, "a=b?c"));
    assert_int_equal(target_parse(STR("http://[::1]:80?x"), false, &target, NULL), STATUS_OK);
    assert_true(str_eq_c(target.path, "/") && str_eq_c(target.query, "x"));
    assert_int_equal(target_parse(STR("/"), false, &target, NULL), STATUS_OK);
    assert_null(target.query.ptr);
    assert_int_equal(target_parse(STR("*"), true, &target, NULL), STATUS_OK);
    static const char *const bad[] = {"",        "a",    "*",     "http:/x", "http://", "http:///x",
                                      "/a/../b", "/.",   "/..",   "/a//b",   "//",      "/%2e",
                                      "/a%2fb",  "/a b", "/\x7f", "/\x80",   "/a#b",    "/%",
                                      "/%g0",    "/%00", "/%1f",  "/%C3",    "/a\\b"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(target_parse(str_of(bad[i]), false, &target, NULL), STATUS_BAD_REQUEST);
}

static void log_shows_no_secret_and_no_more_than_512_bytes(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, &arena, 4096);
    target_redact(STR("/v1/x?limit=1&api_key=abc&Access_Token=def&%61pi_key=ghi&flag&key=jkl"),
                  &text);
    assert_string_equal(buf_c_str(&text),
                        "/v1/x?limit=1&api_key=***&Access_Token=***&%61pi_key=***&flag&key=***");
    static const char *const shown[][2] = {
        {"/v1/x?q=cmmc_1_abc&a=1", "/v1/x?q=***&a=1"},
        {"/v1/x?q=a%63mmc%5f12_abc", "/v1/x?q=***"},
        {"/v1/x?cmmc_1_abc", "/v1/x?***"},
        {"/v1/admin/keys/cmmc_1_abc", "/v1/admin/keys/***"},
        {"/v1/x?q=cmmc_build", "/v1/x?q=cmmc_build"},
    };
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        buf_init(&text, &arena, 4096);
        target_redact(str_of(shown[i][0]), &text);
        assert_string_equal(buf_c_str(&text), shown[i][1]);
    }
    char long_target[2000];
    memset(long_target, 'x', sizeof long_target);
    memcpy(long_target, "/a?b=", 5);
    buf_init(&text, &arena, 4096);
    target_redact((struct str){long_target, sizeof long_target}, &text);
    assert_in_range(text.len, 500, 520);
    assert_false(text.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_keeps_order_repetition_and_empty_values),
        cmocka_unit_test(query_refuses_what_cannot_be_text_and_names_the_parameter),
        cmocka_unit_test(query_takes_200_parameters_and_no_more),
        cmocka_unit_test(query_reports_a_full_arena),
        cmocka_unit_test(target_splits_path_and_query),
        cmocka_unit_test(log_shows_no_secret_and_no_more_than_512_bytes),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
