/* test_negotiate.c - Accept, format= and If-None-Match. */
#include "handlers/negotiate.h"
#include "tests/unit/handler_request.h"

enum { BOTH = (1 << FORMAT_JSON) | (1 << FORMAT_CSV) };

/* The format that an Accept header leads to; FORMAT_COUNT when it is refused. */
static enum format accepted(const char *accept, unsigned mask)
{
    struct hand hand;
    hand_init(&hand);
    if (accept != NULL)
        hand_header(&hand, "accept", accept);
    enum format format = FORMAT_COUNT;
    struct err err = {0};
    enum status s = negotiate_format(&hand.request, mask, &format, &err);
    if (s != STATUS_OK) {
        assert_int_equal(s, STATUS_NOT_ACCEPTABLE);
        assert_true(strlen(err.allowed) > 0);
        format = FORMAT_COUNT;
    }
    assert_string_equal(hand_reply(&hand, "Vary"), "Accept");
    hand_clear(&hand);
    return format;
}

static void accept_follows_rfc_9110(void **state)
{
    static const struct {
        const char *accept;
        enum format format;
    } cases[] = {
        {NULL, FORMAT_JSON},
        {"", FORMAT_JSON},
        {"*/*", FORMAT_JSON},
        {"text/csv", FORMAT_CSV},
        {"TEXT/CSV", FORMAT_CSV},
        {"text/*", FORMAT_CSV},
        {"application/json;q=0.5, text/csv", FORMAT_CSV},
        {"text/csv;q=0.5, application/json;q=0.5", FORMAT_JSON},
        {"text/csv;q=0.001, image/png", FORMAT_CSV},
        {"*/*;q=0.1, text/csv;q=0", FORMAT_JSON},
        {"application/json;q=0, */*", FORMAT_CSV},
        {"text/html, application/json;q=0.9, */*;q=0.8", FORMAT_JSON},
        {"image/png", FORMAT_COUNT},
        {"*/*;q=0", FORMAT_COUNT},
        {"application/json;q=2", FORMAT_COUNT},
        {"application/json;q=x", FORMAT_COUNT},
        {"json", FORMAT_COUNT},
        {",,,", FORMAT_COUNT},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(accepted(cases[i].accept, BOTH), cases[i].format);
    assert_int_equal(accepted("text/html", BOTH | 1 << FORMAT_HTML), FORMAT_HTML);
}

static void format_parameter_wins_over_accept(void **state)
{
    struct hand hand;
    enum format format;
    struct err err = {0};
    (void)state;
    hand_init(&hand);
    hand_header(&hand, "Accept", "application/json");
    hand_param(&hand, "format", "csv");
    assert_int_equal(negotiate_format(&hand.request, BOTH, &format, &err), STATUS_OK);
    assert_int_equal(format, FORMAT_CSV);
    hand.params[0].value = STR("html");
    assert_int_equal(negotiate_format(&hand.request, BOTH, &format, &err), STATUS_BAD_VALUE);
    assert_string_equal(err.name, "format");
    assert_string_equal(err.allowed, "json, csv");
    hand_clear(&hand);
}

static bool unchanged(const char *if_none_match)
{
    struct hand hand;
    hand_init(&hand);
    if (if_none_match != NULL)
        hand_header(&hand, "If-None-Match", if_none_match);
    bool is_same = reply_if_unchanged(&hand.request, "g3-abc", "no-cache");
    assert_string_equal(hand_reply(&hand, "ETag"), "\"g3-abc\"");
    assert_string_equal(hand_reply(&hand, "Cache-Control"), "no-cache");
    assert_int_equal(hand.request.reply.http_status, is_same ? 304 : 200);
    hand_clear(&hand);
    return is_same;
}

static void if_none_match_compares_weakly(void **state)
{
    static const char *const same[] = {"\"g3-abc\"", "W/\"g3-abc\"",      "*",
                                       " * ",        "\"x\", \"g3-abc\"", "\"x\",W/\"g3-abc\" "};
    static const char *const other[] = {NULL,          "",   "g3-abc", "\"g3-ab\"",
                                        "\"g3-abcd\"", "\"", "W/",     "\"\""};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        assert_true(unchanged(same[i]));
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        assert_false(unchanged(other[i]));
}

static void a_star_counts_only_once_there_is_something(void **state)
{
    struct hand hand;
    (void)state;
    hand_init(&hand);
    hand_header(&hand, "If-None-Match", "*");
    assert_false(reply_if_known(&hand.request, "g3-abc", "no-cache"));
    assert_int_equal(hand.request.reply.http_status, 200);
    assert_true(reply_if_unchanged(&hand.request, "g3-abc", "no-cache"));
    hand.headers[0].value = STR("\"g3-abc\"");
    assert_true(reply_if_known(&hand.request, "g3-abc", "no-cache"));
    hand_clear(&hand);
}

static void tags_differ_by_generation_and_content(void **state)
{
    char a[TAG_BYTES], b[TAG_BYTES], c[TAG_BYTES], again[TAG_BYTES];
    (void)state;
    assert_int_equal(tag_make(3, STR("rows"), a, NULL), STATUS_OK);
    assert_int_equal(tag_make(3, STR("rows"), again, NULL), STATUS_OK);
    assert_int_equal(tag_make(4, STR("rows"), b, NULL), STATUS_OK);
    assert_int_equal(tag_make(3, STR("rows?"), c, NULL), STATUS_OK);
    assert_string_equal(a, again);
    assert_string_not_equal(a, b);
    assert_string_not_equal(a, c);
    assert_memory_equal(a, "g3-", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_follows_rfc_9110),
        cmocka_unit_test(format_parameter_wins_over_accept),
        cmocka_unit_test(if_none_match_compares_weakly),
        cmocka_unit_test(a_star_counts_only_once_there_is_something),
        cmocka_unit_test(tags_differ_by_generation_and_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
