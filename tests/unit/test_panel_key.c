/* test_panel_key.c - specs with equal keys have the same panel; what shapes a panel shapes its key. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/panel_key.h"

static const char base[] =
    "{\"assets\":[{\"uid\":\"stock:A\",\"weight\":0.5},{\"uid\":\"stock:B\",\"weight\":0.5}],"
    "\"start\":\"2020-01-06\",\"end\":\"2020-12-31\",\"rebalance\":\"monthly\",\"benchmark\":null,"
    "\"monkeys\":{\"count\":0}%s}";

static struct str key_of(struct world *w, const char *json)
{
    struct buf out;
    struct json_out writer;
    buf_init(&out, &w->arena, 1 << 16);
    jw_init(&writer, &out);
    assert_true(panel_key(world_spec(w, json), &writer));
    return buf_str(&out);
}

static const char *with(struct world *w, const char *members)
{
    char text[1024];
    (void)snprintf(text, sizeof text, base, members);
    return arena_dup(&w->arena, str_of(text));
}

static void what_leaves_the_panel_alone_leaves_the_key_alone(void **state)
{
    static const char *const same[] = {
        ",\"capital\":5",           ",\"costs\":{\"commission_bps\":7}",
        ",\"risk_free_rate\":0.01", ",\"flows\":[{\"amount\":100,\"every\":\"month\"}]",
        ",\"fill\":\"same_close\"", ",\"shares\":\"whole\"",
    };
    struct world w;
    (void)state;
    world_init(&w);
    struct str key = key_of(&w, with(&w, ""));
    for (size_t i = 0; i < ARRAY_LEN(same); i++)
        if (!str_eq(key, key_of(&w, with(&w, same[i]))))
            fail_msg("%s has another key", same[i]);
    assert_true(str_eq(key, key_of(&w, "{\"assets\":[{\"uid\":\"stock:A\",\"weight\":0.9},"
                                       "{\"uid\":\"stock:B\",\"weight\":0.1}],\"start\":\"2020-01-"
                                       "06\",\"end\":\"2020-12-31\",\"rebalance\":\"never\","
                                       "\"benchmark\":null,\"monkeys\":{\"count\":0}}")));
    world_clear(&w);
}

static void everything_that_shapes_a_panel_is_in_the_key(void **state)
{
    static const char *const bodies[] = {
        "\"assets\":[{\"uid\":\"stock:A\",\"weight\":1},{\"uid\":\"stock:B\",\"weight\":0}]",
        "\"assets\":[{\"uid\":\"stock:B\",\"weight\":0.5},{\"uid\":\"stock:A\",\"weight\":0.5}]",
        "\"assets\":[{\"uid\":\"stock:A\",\"weight\":1}]",
        "\"start\":\"2020-01-07\"",
        "\"end\":\"2020-12-30\"",
        "\"currency\":\"EUR\"",
        "\"prices\":\"raw\"",
        "\"prices\":\"raw\",\"dividends\":\"drop\"",
        "\"clock\":\"daily_24_7\"",
        "\"clock\":{\"base\":\"stock:A\"}",
        "\"clock\":{\"base\":\"stock:B\"}",
        "\"clock\":{\"base\":\"stock:B\"},\"session_alignment\":\"same_label\"",
        "\"max_stale\":3",
        "\"fill\":\"next_open\"",
        "\"costs\":{\"slippage\":{\"model\":\"volume_share\"}}",
        "\"benchmark\":\"index:X\"",
        "\"monkeys\":{\"count\":5,\"universe\":[\"stock:A\",\"stock:C\"]}",
        "\"flows\":[{\"amount\":1,\"every\":\"month\",\"linked_to\":\"index:CPI\"}]",
        "\"flows\":[{\"amount\":1,\"every\":\"month\",\"linked_to\":\"indicator:CPI:USA:M\"}]",
    };
    struct str keys[ARRAY_LEN(bodies) + 1];
    struct world w;
    size_t n = 0;
    (void)state;
    world_init(&w);
    keys[n++] = key_of(&w, with(&w, ""));
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        static const char *const defaults[] = {
            "\"assets\":[{\"uid\":\"stock:A\",\"weight\":0.5},{\"uid\":\"stock:B\",\"weight\":0.5}]",
            "\"start\":\"2020-01-06\"", "\"end\":\"2020-12-31\"", "\"benchmark\":null",
            "\"monkeys\":{\"count\":0}"};
        struct buf text;
        buf_init(&text, &w.arena, 2048);
        buf_printf(&text, "{%s", bodies[i]);
        for (size_t d = 0; d < ARRAY_LEN(defaults); d++) {
            size_t name = strcspn(defaults[d], ":") + 1;
            if (strncmp(bodies[i], defaults[d], name) != 0)
                buf_printf(&text, ",%s", defaults[d]);
        }
        buf_printf(&text, "}");
        struct str key = key_of(&w, arena_dup(&w.arena, buf_str(&text)));
        for (size_t k = 0; k < n; k++)
            if (str_eq(keys[k], key))
                fail_msg("%s has the key of another panel: %.*s", bodies[i], STR_ARG(key));
        keys[n++] = key;
    }
    world_clear(&w);
}

static void portfolios_inside_share_no_panel(void **state)
{
    struct buf out;
    struct json_out writer;
    struct world w;
    (void)state;
    world_init(&w);
    buf_init(&out, &w.arena, 1 << 16);
    jw_init(&writer, &out);
    assert_false(panel_key(
        world_spec(&w, "{\"assets\":[{\"portfolio\":{\"name\":\"P\",\"assets\":[{\"uid\":"
                       "\"stock:A\",\"weight\":1}]},\"weight\":1}],\"start\":\"2020-01-06\","
                       "\"end\":\"2020-12-31\",\"benchmark\":null,\"monkeys\":{\"count\":0}}"),
        &writer));
    assert_int_equal(buf_str(&out).len, 0);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_leaves_the_panel_alone_leaves_the_key_alone),
        cmocka_unit_test(everything_that_shapes_a_panel_is_in_the_key),
        cmocka_unit_test(portfolios_inside_share_no_panel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
