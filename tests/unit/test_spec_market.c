/* test_spec_market.c - what a request says about prices, dividends and its clock. */
#include "tests/unit/test_backtest_world.h"

#define ASSETS "{\"assets\":[{\"uid\":\"x:A\"}]"

static struct str canonical_of(struct world *w, const char *json)
{
    struct json_out out;
    struct buf *buf = ARENA_NEW(&w->arena, struct buf);
    assert_non_null(buf);
    buf_init(buf, &w->arena, 1 << 16);
    jw_init(&out, buf);
    spec_canonical(world_spec(w, json), &out);
    return buf_str(buf);
}

static void members_are_read(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct spec *s = world_spec(&w, ASSETS "}");
    assert_int_equal(s->prices, PRICES_ADJUSTED);
    assert_int_equal(s->clock, CLOCK_UNION);
    assert_int_equal(s->alignment, ALIGNMENT_AS_KNOWN);
    s = world_spec(&w,
                   ASSETS ",\"prices\":\"raw\",\"dividends\":\"drop\",\"clock\":\"daily_24_7\"}");
    assert_int_equal(s->prices, PRICES_RAW);
    assert_int_equal(s->dividends, DIVIDENDS_DROP);
    assert_int_equal(s->clock, CLOCK_DAILY_24_7);
    s = world_spec(&w, ASSETS
                   ",\"clock\":{\"base\":\"stock:KRX.1\"},\"session_alignment\":\"same_label\"}");
    assert_int_equal(s->clock, CLOCK_BASE);
    assert_true(str_eq_c(s->clock_base, "stock:KRX.1"));
    assert_int_equal(s->alignment, ALIGNMENT_SAME_LABEL);
    world_clear(&w);
}

static void defaults_leave_the_canonical_text_as_it_was(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct str plain = canonical_of(&w, ASSETS "}");
    struct str spelled =
        canonical_of(&w, ASSETS ",\"prices\":\"adjusted\",\"dividends\":\"reinvest\",\"clock\":"
                                "\"union\",\"session_alignment\":\"as_known\"}");
    assert_true(str_eq(plain, spelled));
    assert_null(strstr(plain.ptr, "prices"));
    assert_null(strstr(plain.ptr, "clock"));
    world_clear(&w);
}

static void canonical_form_parses_to_itself(void **state)
{
    static const char *const bodies[] = {
        ASSETS ",\"prices\":\"raw\"}",
        ASSETS ",\"prices\":\"raw\",\"dividends\":\"reinvest_previous_close\"}",
        ASSETS ",\"clock\":\"daily_24_7\",\"session_alignment\":\"same_label\"}",
        ASSETS ",\"clock\":{\"base\":\"coin:B\"}}",
        ASSETS ",\"round_cash\":true}",
        ASSETS ",\"prices\":\"raw\",\"dividends\":\"cash\",\"pay_on\":\"pay\"}",
        ASSETS ",\"costs\":{\"expense\":[{\"from\":\"2019-01-01\",\"percent\":1}],\"expenses\":"
               "{\"x:A\":0.5}}}",
    };
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct str once = canonical_of(&w, bodies[i]);
        const char *text = arena_dup(&w.arena, once);
        assert_true(str_eq(once, canonical_of(&w, text)));
        assert_false(str_eq(once, canonical_of(&w, ASSETS "}")));
    }
    world_clear(&w);
}

static void impossible_members_name_the_place_and_what_is_allowed(void **state)
{
    static const struct {
        const char *body;
        enum status status;
        const char *at;
    } refusals[] = {
        {",\"prices\":\"close\"}", STATUS_OUT_OF_RANGE, "/prices"},
        {",\"prices\":1}", STATUS_WRONG_TYPE, "/prices"},
        {",\"dividends\":\"drop\"}", STATUS_BAD_SPEC, "/dividends"},
        {",\"pay_on\":\"pay\"}", STATUS_BAD_SPEC, "/pay_on"},
        {",\"prices\":\"raw\",\"pay_on\":\"ex\"}", STATUS_BAD_SPEC, "/pay_on"},
        {",\"prices\":\"raw\",\"dividends\":\"cash\",\"pay_on\":\"never\"}", STATUS_OUT_OF_RANGE,
         "/pay_on"},
        {",\"prices\":\"adjusted\",\"dividends\":\"reinvest_previous_close\"}", STATUS_BAD_SPEC,
         "/dividends"},
        {",\"clock\":\"utc\"}", STATUS_OUT_OF_RANGE, "/clock"},
        {",\"clock\":{}}", STATUS_WRONG_TYPE, "/clock/base"},
        {",\"clock\":{\"base\":\"no colon\"}}", STATUS_WRONG_TYPE, "/clock/base"},
        {",\"clock\":{\"bass\":\"x:A\"}}", STATUS_UNKNOWN_FIELD, "/clock/bass"},
        {",\"session_alignment\":\"label\"}", STATUS_OUT_OF_RANGE, "/session_alignment"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        char body[256];
        struct arena arena;
        struct spec *spec = NULL;
        struct err err = {0};
        arena_init(&arena, 1 << 20);
        (void)snprintf(body, sizeof body, ASSETS "%s", refusals[i].body);
        enum status s = spec_parse(str_of(body), &arena, &spec, &err);
        if (s != refusals[i].status || strcmp(err.name, refusals[i].at) != 0)
            fail_msg("%s: %s at %s: %s", body, status_name(s), err.name, err.detail);
        assert_true(err.allowed[0] != '\0');
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_read),
        cmocka_unit_test(defaults_leave_the_canonical_text_as_it_was),
        cmocka_unit_test(canonical_form_parses_to_itself),
        cmocka_unit_test(impossible_members_name_the_place_and_what_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
