/* test_aws.c - what answers of services mean, when they are asked again, and what keys and addresses are taken. */
#include "base/arena.h"
#include "ingest/aws.h"
#include "ingest/aws_credentials.h"
#include "ingest/xml_in.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static void answers_are_judged_by_code_and_status(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum aws_verdict verdict;
    } rows[] = {
        {200, "", AWS_FINE},
        {204, "", AWS_FINE},
        {200, "InternalError", AWS_AGAIN},
        {200, "SlowDown", AWS_THROTTLED},
        {404, "", AWS_ABSENT},
        {404, "NoSuchKey", AWS_ABSENT},
        {404, "NoSuchBucket", AWS_REFUSED},
        {404, "NoSuchUpload", AWS_REFUSED},
        {412, "PreconditionFailed", AWS_EXISTS},
        {412, "", AWS_EXISTS},
        {409, "ConditionalRequestConflict", AWS_AGAIN},
        {409, "BucketNotEmpty", AWS_REFUSED},
        {503, "SlowDown", AWS_THROTTLED},
        {503, "ServiceUnavailable", AWS_AGAIN},
        {503, "", AWS_AGAIN},
        {500, "", AWS_AGAIN},
        {501, "NotImplemented", AWS_REFUSED},
        {429, "", AWS_THROTTLED},
        {400, "RequestTimeout", AWS_AGAIN},
        {400, "BadDigest", AWS_AGAIN},
        {400, "ExpiredToken", AWS_EXPIRED},
        {400, "ThrottlingException", AWS_THROTTLED},
        {403, "RequestTimeTooSkewed", AWS_SKEWED},
        {403, "SignatureDoesNotMatch", AWS_DENIED},
        {403, "", AWS_DENIED},
        {301, "PermanentRedirect", AWS_REFUSED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (aws_judge(rows[i].status, str_of(rows[i].code)) != rows[i].verdict)
            fail_msg("%d %s is judged %d", rows[i].status, rows[i].code,
                     (int)aws_judge(rows[i].status, str_of(rows[i].code)));
}

static void waits_are_anything_up_to_a_doubling_bound(void **state)
{
    (void)state;
    for (unsigned tries = 1; tries < 40; tries++) {
        uint64_t bound = tries > 8 ? AWS_WAIT_CAP_MS : (uint64_t)AWS_WAIT_BASE_MS << (tries - 1);
        bound = bound < AWS_WAIT_CAP_MS ? bound : AWS_WAIT_CAP_MS;
        assert_int_equal(aws_wait_ms(tries, 0, 0), 0);
        assert_int_equal(aws_wait_ms(tries, bound, 0), bound);
        assert_int_equal(aws_wait_ms(tries, bound + 1, 0), 0);
        assert_in_range(aws_wait_ms(tries, UINT64_MAX, 0), 0, bound);
    }
    assert_int_equal(aws_wait_ms(1, 0, 3), 3000);
    assert_int_equal(aws_wait_ms(1, 0, 86400), AWS_WAIT_CAP_MS);
}

static void retries_are_a_tenth_of_the_calls(void **state)
{
    struct aws_budget budget;
    unsigned n = 0;
    (void)state;
    aws_budget_init(&budget);
    while (aws_budget_retry(&budget))
        n++;
    assert_int_equal(n, 10);
    for (int i = 0; i < 9; i++)
        aws_budget_call(&budget);
    assert_false(aws_budget_retry(&budget));
    aws_budget_call(&budget);
    assert_true(aws_budget_retry(&budget));
    assert_false(aws_budget_retry(&budget));
    for (int i = 0; i < 1000; i++)
        aws_budget_call(&budget);
    for (n = 0; aws_budget_retry(&budget);)
        n++;
    assert_int_equal(n, 10);
}

static void profiles_are_read_from_a_shared_file(void **state)
{
    struct aws_keys keys;
    const struct str text = STR("# made by hand\r\n"
                                "[default]\r\n"
                                "aws_access_key_id=A1\r\n"
                                "aws_secret_access_key = s=1/+ \r\n"
                                "[ profile lake ]\n"
                                "  aws_access_key_id = A2\n"
                                "; aws_access_key_id = A3\n"
                                "aws_secret_access_key = s2\n"
                                "aws_session_token = t2\n"
                                "[half]\n"
                                "aws_access_key_id = A4\n"
                                "[lake]\n"
                                "region = eu-west-1");
    (void)state;
    assert_true(aws_profile_read(text, STR("default"), &keys));
    assert_string_equal(keys.access_key, "A1");
    assert_string_equal(keys.secret_key, "s=1/+");
    assert_string_equal(keys.session_token, "");
    assert_true(aws_profile_read(text, STR("lake"), &keys));
    assert_string_equal(keys.access_key, "A2");
    assert_string_equal(keys.secret_key, "s2");
    assert_string_equal(keys.session_token, "t2");
    assert_false(aws_profile_read(text, STR("half"), &keys));
    assert_false(aws_profile_read(text, STR("none"), &keys));
    assert_false(aws_profile_read(STR_NONE, STR("default"), &keys));
}

static void keys_that_are_too_long_are_none(void **state)
{
    char text[1024], key[AWS_KEY_BYTES + 1];
    struct aws_keys keys;
    (void)state;
    memset(key, 'A', sizeof key - 1);
    key[sizeof key - 1] = '\0';
    (void)snprintf(text, sizeof text, "[default]\naws_access_key_id=%s\naws_secret_access_key=s\n",
                   key);
    assert_false(aws_profile_read(str_of(text), STR("default"), &keys));
    (void)snprintf(text, sizeof text, "[default]\naws_access_key_id=%s\naws_secret_access_key=s\n",
                   key + 1);
    assert_true(aws_profile_read(str_of(text), STR("default"), &keys));
}

static void keys_are_sent_to_https_and_to_this_machine_only(void **state)
{
    static const char *const taken[] = {"https://sts.amazonaws.com", "http://127.0.0.1",
                                        "http://127.0.0.1:80", "http://[::1]:80/x",
                                        "http://localhost/"};
    static const char *const refused[] = {"http://127.0.0.1.example.org",
                                          "http://localhost.org",
                                          "http://192.0.2.1",
                                          "ftp://127.0.0.1",
                                          "",
                                          "http://127.0.0.1@example.org"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        assert_true(aws_is_private(str_of(taken[i])));
    for (size_t i = 0; i < ARRAY_LEN(refused); i++)
        assert_false(aws_is_private(str_of(refused[i])));
}

static enum status note(void *to, struct str path, struct str text, struct err *err)
{
    (void)err;
    buf_printf(to, "%.*s=%.*s;", STR_ARG(path), STR_ARG(text));
    return STATUS_OK;
}

static enum status read_xml(const char *xml, char *ret, size_t size)
{
    struct buf out;
    struct err err = {0};
    buf_init_fixed(&out, ret, size);
    enum status s = xml_read(str_of(xml), note, &out, &err);
    ret[out.len] = '\0';
    return s;
}

static void elements_of_xml_come_with_their_path_and_text(void **state)
{
    char text[256];
    (void)state;
    assert_int_equal(read_xml("<?xml version=\"1.0\"?><a xmlns=\"http://x/\"><b>1 &lt; 2</b><c/>"
                              "<b> \xea\xb0\x80&#65;</b></a>",
                              text, sizeof text),
                     STATUS_OK);
    assert_string_equal(text, "a/b=1 < 2;a/c=;a/b= \xea\xb0\x80"
                              "A;a=;");
}

static void xml_with_a_document_type_or_too_deep_is_refused(void **state)
{
    char text[256];
    static const char *const bad[] = {
        "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
        "<a><b></a>",
        "<a>",
        "",
        "a",
        "<a/><b/>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a></a></a></a></a>"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(read_xml(bad[i], text, sizeof text), STATUS_BAD_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_judged_by_code_and_status),
        cmocka_unit_test(waits_are_anything_up_to_a_doubling_bound),
        cmocka_unit_test(retries_are_a_tenth_of_the_calls),
        cmocka_unit_test(profiles_are_read_from_a_shared_file),
        cmocka_unit_test(keys_that_are_too_long_are_none),
        cmocka_unit_test(keys_are_sent_to_https_and_to_this_machine_only),
        cmocka_unit_test(elements_of_xml_come_with_their_path_and_text),
        cmocka_unit_test(xml_with_a_document_type_or_too_deep_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
