/*
 * test_sigv4.c - signatures against published ones: cases of AWS's signing test suite (service "service"), the
 * examples of the IAM and S3 references, and S3SigV4Auth of botocore 1.44.8 for paths of the lake.
 */
#include "base/arena.h"
#include "base/digest.h"
#include "ingest/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#define F(name, value)                 \
    {                                  \
        {(name), sizeof(name) - 1},    \
        {                              \
            (value), sizeof(value) - 1 \
        }                              \
    }

struct vector {
    const char *method, *path, *body, *signature;
    struct sigv4_field query[4], headers[4];
};

struct world {
    const char *access, *secret, *token, *region, *service;
    int64_t at_s;
};

static struct str find_header(const struct sigv4_signed *made, const char *name)
{
    for (size_t i = 0; i < made->n_headers; i++)
        if (str_eq_c(made->headers[i].name, name))
            return made->headers[i].value;
    return STR_NONE;
}

static size_t count(const struct sigv4_field fields[4])
{
    size_t n = 0;
    while (n < 4 && fields[n].name.ptr != NULL)
        n++;
    return n;
}

static void sign(struct arena *arena, const struct world *w, const struct vector *v,
                 struct sigv4_signed *ret)
{
    char hash[DIGEST_HEX_BYTES];
    struct err err = {0};
    const struct sigv4_keys keys = {str_of(w->access), str_of(w->secret), str_of(w->token)};
    const struct sigv4_scope scope = {str_of(w->region), str_of(w->service), w->at_s};
    assert_int_equal(digest_hex(str_of(v->body), hash, &err), STATUS_OK);
    const struct sigv4_request request = {str_of(v->method),
                                          str_of(v->path),
                                          v->query,
                                          count(v->query),
                                          v->headers,
                                          count(v->headers),
                                          str_of(arena_dup(arena, str_of(hash)))};
    assert_int_equal(sigv4_sign(arena, &keys, &scope, &request, ret, &err), STATUS_OK);
}

static void check(const struct world *w, const struct vector *vectors, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena arena;
        struct sigv4_signed made;
        arena_init(&arena, 1 << 20);
        sign(&arena, w, &vectors[i], &made);
        struct str all = find_header(&made, "authorization");
        assert_true(all.len > 64);
        struct str tail = str_sub(all, all.len - 64, all.len);
        if (!str_eq_c(tail, vectors[i].signature))
            fail_msg("%s %s: %.*s, not %s", vectors[i].method, vectors[i].path, STR_ARG(tail),
                     vectors[i].signature);
        arena_clear(&arena);
    }
}

static const struct world suite = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "us-east-1", "service",
    1440938160, /* 2015-08-30T12:36:00Z */
};
#define SUITE_HOST F("Host", "example.amazonaws.com")

static void cases_of_the_signing_test_suite(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"GET",
         "/",
         "",
         "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
         {{{NULL, 0}, {NULL, 0}}},
         {SUITE_HOST}},
        {"POST",
         "/",
         "",
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
         {{{NULL, 0}, {NULL, 0}}},
         {SUITE_HOST}},
        {"GET",
         "/",
         "",
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
         {F("Param2", "value2"), F("Param1", "value1")},
         {SUITE_HOST}},
        {"GET",
         "/",
         "",
         "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
         {F("\xe1\x88\xb4", "bar")},
         {SUITE_HOST}},
        {"GET",
         "/\xe1\x88\xb4",
         "",
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
         {{{NULL, 0}, {NULL, 0}}},
         {SUITE_HOST}},
        {"GET",
         "/example space/",
         "",
         "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
         {{{NULL, 0}, {NULL, 0}}},
         {SUITE_HOST}},
    };
    check(&suite, vectors, ARRAY_LEN(vectors));
}

static void example_of_the_iam_reference(void **state)
{
    (void)state;
    struct world iam = suite;
    iam.service = "iam";
    static const struct vector vectors[] = {
        {"GET",
         "/",
         "",
         "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
         {F("Action", "ListUsers"), F("Version", "2010-05-08")},
         {F("Host", "iam.amazonaws.com"),
          F("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")}},
    };
    check(&iam, vectors, ARRAY_LEN(vectors));
}

static void examples_of_the_s3_reference(void **state)
{
    (void)state;
    static const struct world s3 = {
        "AKIAIOSFODNN7EXAMPLE",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "",
        "us-east-1",
        "s3",
        1369353600, /* 2013-05-24T00:00:00Z */
    };
#define S3_HOST F("Host", "examplebucket.s3.amazonaws.com")
    static const struct vector vectors[] = {
        {"GET",
         "/test.txt",
         "",
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
         {{{NULL, 0}, {NULL, 0}}},
         {S3_HOST, F("Range", "bytes=0-9")}},
        {"PUT",
         "/test$file.text",
         "Welcome to Amazon S3.",
         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
         {{{NULL, 0}, {NULL, 0}}},
         {S3_HOST, F("Date", "Fri, 24 May 2013 00:00:00 GMT"),
          F("x-amz-storage-class", "REDUCED_REDUNDANCY")}},
        {"GET",
         "/",
         "",
         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
         {F("lifecycle", "")},
         {S3_HOST}},
        {"GET",
         "/",
         "",
         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
         {F("max-keys", "2"), F("prefix", "J")},
         {S3_HOST}},
    };
    check(&s3, vectors, ARRAY_LEN(vectors));
}

static const struct world seoul = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "ap-northeast-2", "s3",
    1709251199, /* 2024-02-29T23:59:59Z */
};
#define LOCAL_HOST F("Host", "127.0.0.1:7480")

static void paths_of_the_lake_are_signed_as_by_botocore(void **state)
{
    (void)state;
    static const struct vector vectors[] = {
        {"GET",
         "/lake/bronze/coin_data/ymd=2024-02-29/2024-02-29_coin_data.csv",
         "",
         "9a86756814dea53362883278e376904ad965b163e629f6862af21b863265043b",
         {{{NULL, 0}, {NULL, 0}}},
         {LOCAL_HOST}},
        {"GET",
         "/lake/bronze/news/ymd=2024-02-01/a b+c & d/\xe1\x88\xb4//../x.json",
         "",
         "0e2d0b3b723324dc52ddb9f38e07becb538d64e7cff6142a00858b6f2ae18a5c",
         {{{NULL, 0}, {NULL, 0}}},
         {LOCAL_HOST, F("Range", " bytes=0-9 ")}},
    };
    check(&seoul, vectors, ARRAY_LEN(vectors));
}

static void session_tokens_are_signed_as_by_botocore(void **state)
{
    (void)state;
    struct world temporary = seoul;
    temporary.token = "tok/en+1==";
    static const struct vector vectors[] = {
        {"GET",
         "/lake",
         "",
         "9978d8d761af31e6bb6a0083e182e544f545d0500c5d1d4237f0bcd1b172b20d",
         {F("list-type", "2"), F("prefix", "bronze/coin_data/ymd=2024"), F("start-after", "a b+c"),
          F("delimiter", "/")},
         {LOCAL_HOST}},
        {"PUT",
         "/lake/bronze/x/ymd=2024-02-29/data.json",
         "{}",
         "5f48c9a97397c192f216c6ca07e563f5cbb7a2b4baf8868b265f3dbd3ac7d6f1",
         {F("partNumber", "1"), F("uploadId", "a=b/c")},
         {LOCAL_HOST, F("If-None-Match", "*"),
          F("x-amz-meta-source", "https://example.org/a?b=c")}},
    };
    check(&temporary, vectors, ARRAY_LEN(vectors));
}

static void what_is_sent_is_what_was_signed(void **state)
{
    (void)state;
    static const struct vector v = {
        "GET",       "/b/ymd=2024-02-29/a b", "", "", {F("z", ""), F("a", "1/2"), F("a", "1 1")},
        {LOCAL_HOST}};
    struct arena arena;
    struct sigv4_signed made;
    arena_init(&arena, 1 << 20);
    sign(&arena, &seoul, &v, &made);
    assert_true(str_eq_c(made.target, "/b/ymd%3D2024-02-29/a%20b?a=1%201&a=1%2F2&z="));
    assert_true(str_eq_c(find_header(&made, "x-amz-date"), "20240229T235959Z"));
    arena_clear(&arena);
}

static void too_long_requests_and_secrets_are_refused(void **state)
{
    (void)state;
    static char text[70000];
    memset(text, 'a', sizeof text);
    struct arena arena;
    struct sigv4_signed made;
    struct err err = {0};
    struct sigv4_keys keys = {STR("AKID"), {text, 256}, STR_NONE};
    const struct sigv4_scope scope = {STR("us-east-1"), STR("s3"), 0};
    struct sigv4_request request = {STR("GET"), {text, 60000},          NULL, 0, NULL,
                                    0,          STR("UNSIGNED-PAYLOAD")};
    arena_init(&arena, 4 << 20);
    assert_int_equal(sigv4_sign(&arena, &keys, &scope, &request, &made, &err), STATUS_OK);
    request.path.len = sizeof text;
    assert_int_equal(sigv4_sign(&arena, &keys, &scope, &request, &made, &err), STATUS_TOO_LARGE);
    request.path = STR("/");
    keys.secret_key.len = 257;
    assert_int_equal(sigv4_sign(&arena, &keys, &scope, &request, &made, &err), STATUS_CONFIG);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_of_the_signing_test_suite),
        cmocka_unit_test(example_of_the_iam_reference),
        cmocka_unit_test(examples_of_the_s3_reference),
        cmocka_unit_test(paths_of_the_lake_are_signed_as_by_botocore),
        cmocka_unit_test(session_tokens_are_signed_as_by_botocore),
        cmocka_unit_test(what_is_sent_is_what_was_signed),
        cmocka_unit_test(too_long_requests_and_secrets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
