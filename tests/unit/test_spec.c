/* test_spec.c - what a request may say, how it is refused, and its one canonical spelling. */
#include "tests/unit/test_backtest_world.h"

static const char *const readme =
    "{\"assets\": [{\"uid\": \"stock:US.AAPL\", \"weight\": 0.6}, {\"uid\": \"stock:US.JPM\", "
    "\"weight\": 0.4}], \"start\": \"2000-01-03\", \"end\": \"2019-12-31\", \"capital\": 100000, "
    "\"currency\": \"USD\", \"rebalance\": \"monthly\", \"costs\": {\"commission_bps\": 5, "
    "\"slippage_bps\": 5}, \"benchmark\": \"index:SPX\", \"monkeys\": {\"count\": 1000, \"seed\": 1}}";

static struct str canonical_of(struct world *w, const char *json)
{
    struct json_out out;
    struct buf *buf = ARENA_NEW(&w->arena, struct buf);
    assert_non_null(buf);
    buf_init(buf, &w->arena, 1 << 20);
    jw_init(&out, buf);
    spec_canonical(world_spec(w, json), &out);
    return buf_str(buf);
}

static void assert_same(struct world *w, const char *left, const char *right)
{
    struct str a = canonical_of(w, left), b = canonical_of(w, right);
    if (!str_eq(a, b))
        fail_msg("%.*s\n%.*s", STR_ARG(a), STR_ARG(b));
}

static void first_request_of_the_readme_is_understood(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct spec *spec = world_spec(&w, readme);
    assert_int_equal(spec->n_assets, 2);
    assert_true(str_eq_c(spec->assets[1].uid, "stock:US.JPM"));
    assert_true(spec->assets[0].weight == 0.6 && spec->assets[1].weight == 0.4);
    assert_true(spec->invested_share == 1);
    assert_int_equal(spec->start, day(2000, 1, 3));
    assert_int_equal(spec->end, day(2019, 12, 31));
    assert_int_equal(spec->strategy, STRATEGY_FIXED);
    assert_int_equal(spec->rebalance.every, REBALANCE_MONTHLY);
    assert_int_equal(spec->fill, FILL_NEXT_CLOSE);
    assert_int_equal(spec->max_stale, 5);
    assert_int_equal(spec->n_universe, 2);
    assert_string_equal(spec->currency, "USD");
    world_clear(&w);
}

static void canonical_form_is_fixed(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct str text = canonical_of(&w, readme);
    assert_true(str_eq_c(
        text,
        "{\"assets\":[{\"uid\":\"stock:US.AAPL\",\"weight\":0.6},{\"uid\":\"stock:US.JPM\","
        "\"weight\":0.4}],\"strategy\":\"fixed\",\"start\":\"2000-01-03\",\"end\":\"2019-12-31\","
        "\"capital\":100000,\"currency\":\"USD\",\"rebalance\":\"monthly\",\"costs\":{"
        "\"commission_bps\":5,\"slippage_bps\":5},\"benchmark\":\"index:SPX\",\"fill\":"
        "\"next_close\",\"max_stale\":5,\"risk_free_rate\":0,\"on_weight_sum\":\"reject\","
        "\"monkeys\":{\"count\":1000,\"seed\":1,\"universe\":[\"stock:US.AAPL\","
        "\"stock:US.JPM\"]}}"));
    world_clear(&w);
}

static void requests_that_mean_the_same_have_the_same_bytes(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    assert_same(
        &w, "{\"assets\":[{\"uid\":\"a:B\",\"weight\":6e-1},{\"weight\":0.40,\"uid\":\"a:C\"}]}",
        "{\"monkeys\":{\"seed\":1},\"fill\":\"next_close\",\"assets\":[{\"uid\":\"a:B\","
        "\"weight\":0.6},{\"uid\":\"a:C\",\"weight\":0.4}],\"capital\":1e4,\"start\":null}");
    assert_same(&w, "{\"universe\":[\"a:B\",\"a:C\"]}",
                "{\"assets\":[{\"uid\":\"a:B\"},{\"uid\":\"a:C\"}],\"strategy\":\"equal\"}");
    assert_same(
        &w, "{\"assets\":[{\"uid\":\"a:B\"}],\"strategy\":\"buy_and_hold\"}",
        "{\"assets\":[{\"uid\":\"a:B\"}],\"strategy\":\"buy_and_hold\",\"rebalance\":\"never\"}");
    assert_same(
        &w, "{\"assets\":[{\"uid\":\"a:B\"}],\"monkeys\":{\"count\":0,\"seed\":9}}",
        "{\"assets\":[{\"uid\":\"a:B\"}],\"monkeys\":{\"count\":0,\"universe\":[\"a:Z\"]}}");
    assert_same(&w,
                "{\"assets\":[{\"uid\":\"a:B\"}],\"metrics_profile\":\"native\","
                "\"attribution\":false}",
                "{\"assets\":[{\"uid\":\"a:B\"}]}");
    assert_same(&w, "{\"assets\":[{\"uid\":\"a:B\"}],\"risk_free_rate\":-0.0}",
                "{\"assets\":[{\"uid\":\"a:B\"}],\"risk_free_rate\":0}");
    world_clear(&w);
}

static void canonical_form_parses_to_itself(void **state)
{
    static const char *const bodies[] = {
        "{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.1},{\"uid\":\"a:C\",\"weight\":0.7},{\"uid\":"
        "\"a:D\",\"weight\":0.2}]}",
        "{\"assets\":[{\"uid\":\"a:B\",\"weight\":3},{\"uid\":\"a:C\",\"weight\":4},{\"uid\":\"a:D\","
        "\"weight\":4}],\"on_weight_sum\":\"normalize\"}",
        "{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.3},{\"uid\":\"a:C\",\"weight\":0.3}],"
        "\"on_weight_sum\":\"cash\",\"monkeys\":{\"count\":0}}",
        "{\"universe\":[\"a:B\",\"a:C\"],\"strategy\":\"buy_and_hold\",\"end\":\"2020-02-29\"}",
        "{\"universe\":[\"a:B\"],\"metrics_profile\":\"pa\",\"attribution\":true}",
        "{\"universe\":[\"a:B\"],\"rolling\":{\"window\":63,\"metrics\":[\"sharpe\",\"beta\"]}}",
    };
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct str once = canonical_of(&w, bodies[i]);
        char *copy = arena_dup(&w.arena, once);
        assert_non_null(copy);
        struct str twice = canonical_of(&w, copy);
        assert_true(str_eq(once, twice));
    }
    world_clear(&w);
}

static void weights_follow_on_weight_sum(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    struct spec *s = world_spec(&w, "{\"assets\":[{\"uid\":\"a:B\",\"weight\":3},{\"uid\":\"a:C\","
                                    "\"weight\":1}],\"on_weight_sum\":\"normalize\"}");
    assert_true(s->assets[0].weight == 0.75 && s->assets[1].weight == 0.25);
    s = world_spec(&w, "{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.5},{\"uid\":\"a:C\",\"weight\":"
                       "0.25}],\"on_weight_sum\":\"cash\"}");
    assert_true(s->invested_share == 0.75 && s->assets[0].weight == 0.5);
    s = world_spec(&w, "{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.5000005},{\"uid\":\"a:C\","
                       "\"weight\":0.5}]}");
    assert_true(fabs(s->assets[0].weight + s->assets[1].weight - 1) < 1e-15);
    assert_true(s->invested_share == 1);
    world_clear(&w);
}

struct refusal {
    const char *body;
    enum status status;
    const char *pointer; /* NULL: not checked */
};

static const struct refusal refusals[] = {
    {"", STATUS_MALFORMED_JSON, NULL},
    {"{", STATUS_MALFORMED_JSON, NULL},
    {"[]", STATUS_WRONG_TYPE, ""},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":NaN}]}", STATUS_MALFORMED_JSON, NULL},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":1e999}]}", STATUS_MALFORMED_JSON, NULL},
    {"{}", STATUS_WRONG_TYPE, "/assets"},
    {"{\"assets\":[]}", STATUS_OUT_OF_RANGE, "/assets"},
    {"{\"assets\":{}}", STATUS_WRONG_TYPE, "/assets"},
    {"{\"asets\":[{\"uid\":\"a:B\"}]}", STATUS_UNKNOWN_FIELD, "/asets"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"wait\":1}]}", STATUS_UNKNOWN_FIELD, "/assets/0/wait"},
    {"{\"assets\":[{\"weight\":1}]}", STATUS_WRONG_TYPE, "/assets/0/uid"},
    {"{\"assets\":[{\"uid\":\"AAPL\"}]}", STATUS_WRONG_TYPE, "/assets/0/uid"},
    {"{\"assets\":[{\"uid\":\":AAPL\"}]}", STATUS_WRONG_TYPE, "/assets/0/uid"},
    {"{\"assets\":[{\"uid\":\"stock:\"}]}", STATUS_WRONG_TYPE, "/assets/0/uid"},
    {"{\"assets\":[{\"uid\":\"stock:A B\"}]}", STATUS_WRONG_TYPE, "/assets/0/uid"},
    {"{\"assets\":[{\"uid\":\"a:B\"},{\"uid\":\"a:B\"}]}", STATUS_BAD_SPEC, "/assets/1/uid"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":-0.1}]}", STATUS_OUT_OF_RANGE, "/assets/0/weight"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":\"1\"}]}", STATUS_WRONG_TYPE, "/assets/0/weight"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.5},{\"uid\":\"a:C\"}]}", STATUS_BAD_WEIGHTS,
     "/assets/1"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":0}]}", STATUS_BAD_WEIGHTS, "/assets"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":0.9}]}", STATUS_BAD_WEIGHTS, "/assets"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":1.1}],\"on_weight_sum\":\"cash\"}",
     STATUS_BAD_WEIGHTS, "/assets"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"strategy\":\"fixed\"}", STATUS_BAD_WEIGHTS, "/assets"},
    {"{\"assets\":[{\"uid\":\"a:B\",\"weight\":1}],\"strategy\":\"equal\"}", STATUS_BAD_WEIGHTS,
     "/assets/0/weight"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"strategy\":\"buy_and_hold\",\"rebalance\":\"monthly\"}",
     STATUS_BAD_SPEC, "/rebalance"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"rebalance\":\"montly\"}", STATUS_OUT_OF_RANGE,
     "/rebalance"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"start\":\"2020-02-30\"}", STATUS_OUT_OF_RANGE, "/start"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"start\":\"2020-02-02\",\"end\":\"2020-02-01\"}",
     STATUS_BAD_SPEC, "/end"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"start\":\"1950-01-01\",\"end\":\"2010-01-02\"}",
     STATUS_OUT_OF_RANGE, "/end"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"capital\":0}", STATUS_OUT_OF_RANGE, "/capital"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"capital\":1e16}", STATUS_OUT_OF_RANGE, "/capital"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"currency\":\"usd\"}", STATUS_WRONG_TYPE, "/currency"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"costs\":{\"slippage_bps\":1001}}", STATUS_OUT_OF_RANGE,
     "/costs/slippage_bps"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"max_stale\":61}", STATUS_OUT_OF_RANGE, "/max_stale"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"max_stale\":1.5}", STATUS_WRONG_TYPE, "/max_stale"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"risk_free_rate\":-0.6}", STATUS_OUT_OF_RANGE,
     "/risk_free_rate"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"metrics_profile\":\"qs\"}", STATUS_OUT_OF_RANGE,
     "/metrics_profile"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"rolling\":{\"window\":1}}", STATUS_OUT_OF_RANGE,
     "/rolling/window"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"attribution\":1}", STATUS_WRONG_TYPE, "/attribution"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"monkeys\":{\"count\":100001}}", STATUS_OUT_OF_RANGE,
     "/monkeys/count"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"monkeys\":{\"seed\":9007199254740992}}",
     STATUS_OUT_OF_RANGE, "/monkeys/seed"},
    {"{\"assets\":[{\"uid\":\"a:B\"}],\"universe\":[\"a:C\"],\"monkeys\":{\"universe\":[\"a:C\"]}}",
     STATUS_BAD_SPEC, "/monkeys/universe"},
    {"{\"universe\":[\"a:C\",\"a:C\"]}", STATUS_BAD_SPEC, "/universe/1"},
};

static void impossible_requests_name_the_place_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        world_init(&w);
        enum status s = spec_parse(str_of(c->body), &w.arena, &spec, &err);
        if (s != c->status || err.detail[0] == '\0')
            fail_msg("%s gave %s \"%s\"", c->body, status_name(s), err.detail);
        if (c->pointer != NULL && (strcmp(err.name, c->pointer) != 0 || err.allowed[0] == '\0'))
            fail_msg("%s named %s (allowed: %s)", c->body, err.name, err.allowed);
        assert_null(spec);
        world_clear(&w);
    }
}

static void unknown_field_suggests_the_nearest(void **state)
{
    struct world w;
    struct spec *spec = NULL;
    struct err err = {0};
    (void)state;
    world_init(&w);
    assert_int_equal(spec_parse(STR("{\"rebalence\":\"daily\"}"), &w.arena, &spec, &err),
                     STATUS_UNKNOWN_FIELD);
    assert_string_equal(err.suggestion, "rebalance");
    world_clear(&w);
}

static void five_hundred_assets_pass_and_one_more_does_not(void **state)
{
    (void)state;
    for (size_t n = SPEC_ASSETS_MAX; n <= SPEC_ASSETS_MAX + 1; n++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        struct buf body;
        world_init(&w);
        buf_init(&body, &w.arena, 1 << 20);
        buf_add_c(&body, "{\"assets\":[");
        for (size_t i = 0; i < n; i++)
            buf_printf(&body, "%s{\"uid\":\"stock:US.A%zu\"}", i > 0 ? "," : "", i);
        buf_add_c(&body, "]}");
        assert_int_equal(spec_parse(buf_str(&body), &w.arena, &spec, &err),
                         n == SPEC_ASSETS_MAX ? STATUS_OK : STATUS_OUT_OF_RANGE);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_request_of_the_readme_is_understood),
        cmocka_unit_test(canonical_form_is_fixed),
        cmocka_unit_test(requests_that_mean_the_same_have_the_same_bytes),
        cmocka_unit_test(canonical_form_parses_to_itself),
        cmocka_unit_test(weights_follow_on_weight_sum),
        cmocka_unit_test(impossible_requests_name_the_place_and_what_is_allowed),
        cmocka_unit_test(unknown_field_suggests_the_nearest),
        cmocka_unit_test(five_hundred_assets_pass_and_one_more_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
