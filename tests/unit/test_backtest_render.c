/* test_backtest_render.c - the document: its shape, its limits, and that it never changes by itself. */
#include "tests/unit/test_backtest_world.h"

#include "base/json_in.h"
#include "handlers/backtest_draft.h"

static const struct backtest_mart marts[] = {{"mart_price_daily", 7}, {"mart_fx_daily", 3}};
static const struct backtest_passport passport = {BACKTEST_ENGINE_VERSION, marts, 2};

static struct str document(struct world *w, const char *body)
{
    struct backtest_result *result = world_run(w, body);
    struct buf out;
    buf_init(&out, &w->arena, (size_t)1 << 28);
    backtest_render(result, STR("cafe"), &passport, &out);
    assert_false(out.failed);
    return buf_str(&out);
}

/* The member at a path like "data/equity/date". */
static struct json_val at(struct json_val val, const char *path)
{
    struct str rest = str_of(path), key;
    char name[64];
    while (str_next_field(&rest, '/', &key)) {
        (void)snprintf(name, sizeof name, "%.*s", STR_ARG(key));
        val = jr_member(val, name);
    }
    return val;
}

static void assert_text(struct json_val val, const char *expected)
{
    struct str text;
    struct err err;
    assert_int_equal(jr_read_str(val, 0, 1000, &text, &err), STATUS_OK);
    assert_true(str_eq_c(text, expected));
}

static void document_has_every_part(void **state)
{
    static const char *const parts[] = {
        "data/id",
        "data/spec/assets",
        "data/equity/date",
        "data/equity/equity",
        "data/equity/drawdown",
        "data/equity/benchmark",
        "data/metrics/cagr/value",
        "data/metrics/cagr/unit",
        "data/metrics/cagr/convention",
        "data/drawdowns",
        "data/monthly",
        "data/trades/columns/slippage",
        "data/costs/drag",
        "data/monkeys/statistics/sharpe/p_value",
        "data/monkeys/statistics/cagr/quantiles/p50",
        "data/final_weights",
        "data/passport/engine_version",
        "data/passport/data/mart_price_daily",
        "data/passport/coverage",
        "data/passport/clock/rule",
        "meta/warnings",
    };
    struct world w;
    struct json_doc *doc = NULL;
    (void)state;
    world_init(&w);
    world_add_walk(&w, "x:A", day(2018, 3, 1), 400, 1, 0);
    world_add_walk(&w, "x:B", day(2018, 3, 1), 400, 2, 0)->flags = SERIES_SIMULATED;
    struct str text =
        document(&w, "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}],\"benchmark\":"
                     "\"x:B\",\"monkeys\":{\"count\":10}}");
    assert_int_equal(jr_parse(text, &w.arena, &doc, NULL), STATUS_OK);
    struct json_val root = jr_root(doc);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!jr_is_present(at(root, parts[i])))
            fail_msg("%s is missing", parts[i]);
    }
    assert_text(at(root, "data/id"), "cafe");
    assert_int_equal(jr_length(at(root, "data/equity/date")), 400);
    assert_int_equal(jr_length(at(root, "data/equity/benchmark")), 400);
    assert_true(jr_length(at(root, "data/drawdowns")) <= BACKTEST_DRAWDOWNS_MAX);
    assert_int_equal(jr_length(jr_member(jr_item(at(root, "data/monthly"), 0), "months")), 12);
    assert_int_equal(jr_length(at(root, "data/final_weights")), 3);
    assert_text(jr_member(jr_item(at(root, "meta/warnings"), 0), "code"), "simulated_data");
    for (size_t i = 0; i < MEASURE_COUNT; i++)
        assert_true(jr_type(jr_member(at(root, "data/metrics"), measure_infos[i].name)) ==
                    JR_OBJECT);
    jr_free(doc);
    world_clear(&w);
}

static void undefined_metric_is_null_with_a_reason(void **state)
{
    static const double flat[] = {5, 5, 5, 5};
    struct world w;
    struct json_doc *doc = NULL;
    (void)state;
    world_init(&w);
    world_add_days(&w, "x:A", 18000, flat, 4);
    struct str text = document(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"monkeys\":{\"count\":0}}");
    assert_int_equal(jr_parse(text, &w.arena, &doc, NULL), STATUS_OK);
    struct json_val sharpe = at(jr_root(doc), "data/metrics/sharpe");
    assert_true(jr_type(jr_member(sharpe, "value")) == JR_NULL);
    assert_text(jr_member(sharpe, "reason"), "no_variation");
    assert_true(jr_type(at(jr_root(doc), "data/equity/benchmark")) == JR_NULL);
    assert_true(jr_type(at(jr_root(doc), "data/monkeys")) == JR_NULL);
    jr_free(doc);
    world_clear(&w);
}

static void long_trade_lists_are_cut_and_say_so(void **state)
{
    struct world w;
    struct json_doc *doc = NULL;
    bool is_truncated = false;
    int64_t count = 0;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < 4; i++) {
        static const char *const names[] = {"x:A", "x:B", "x:C", "x:D"};
        (void)world_add_walk(&w, names[i], day(2010, 1, 1), 1500, i, 0);
    }
    struct str text = document(&w, "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\"],\"rebalance\":"
                                   "\"daily\",\"monkeys\":{\"count\":0}}");
    assert_int_equal(jr_parse(text, &w.arena, &doc, NULL), STATUS_OK);
    struct json_val trades = at(jr_root(doc), "data/trades");
    static const char *const columns[] = {"date",     "uid",        "side",     "reason",
                                          "quantity", "price",      "currency", "fx",
                                          "value",    "commission", "fx_cost"};
    for (size_t i = 0; i < ARRAY_LEN(columns); i++)
        assert_int_equal(jr_length(jr_member(jr_member(trades, "columns"), columns[i])),
                         BACKTEST_TRADES_MAX);
    assert_int_equal(jr_read_bool(jr_member(trades, "truncated"), &is_truncated, NULL), STATUS_OK);
    assert_true(is_truncated);
    assert_int_equal(jr_read_i64(jr_member(trades, "count"), 0, 100000, &count, NULL), STATUS_OK);
    assert_true(count > BACKTEST_TRADES_MAX);
    jr_free(doc);
    world_clear(&w);
}

static void document_is_the_same_every_time(void **state)
{
    static const char *const request =
        "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}],\"monkeys\":{\"count\":20,\"seed\":4}}";
    struct str text[2];
    struct world w[2];
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        world_init(&w[i]);
        world_add_walk(&w[i], "x:A", day(2018, 3, 1), 400, 1, 9);
        world_add_walk(&w[i], "x:B", day(2018, 3, 1), 400, 2, 9);
        text[i] = document(&w[i], request);
    }
    assert_true(str_eq(text[0], text[1]));
    world_clear(&w[0]);
    world_clear(&w[1]);
}

/* Costs of two kinds at one rate, of one kind alone, and of none: columns that are the same, and that are not. */
static void a_document_in_pieces_has_the_same_bytes(void **state)
{
    static const char *const costs[] = {"\"commission_bps\":5,\"slippage_bps\":5",
                                        "\"commission_bps\":7,\"slippage_bps\":3",
                                        "\"commission_bps\":5,\"slippage_bps\":0"};
    struct hand *hand = NULL;
    (void)state;
    assert_int_equal(hand_new(&hand, NULL), STATUS_OK);
    for (size_t i = 0; i < ARRAY_LEN(costs); i++) {
        char request[512];
        struct world w;
        world_init(&w);
        (void)world_add_walk(&w, "x:A", day(2012, 3, 1), 1200, 1, 9);
        (void)world_add_walk(&w, "x:B", day(2012, 3, 1), 1200, 2, 9);
        (void)snprintf(request, sizeof request,
                       "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}],\"benchmark\":"
                       "\"x:B\",\"costs\":{%s},\"monkeys\":{\"count\":0}}",
                       costs[i]);
        struct backtest_result *result = world_run(&w, request);
        struct buf whole;
        buf_init(&whole, &w.arena, (size_t)1 << 28);
        backtest_render(result, STR("cafe"), &passport, &whole);
        for (int round = 0; round < 20; round++) {
            CLEANUP(blob_unrefp) struct blob *blob = NULL;
            struct str body;
            assert_int_equal(backtest_document(result, "cafe", &passport, (size_t)1 << 28,
                                               round % 4 == 0 ? NULL : hand, &blob, &body, NULL),
                             STATUS_OK);
            assert_true(str_eq(body, buf_str(&whole)));
        }
        world_clear(&w);
    }
    hand_free(hand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document_has_every_part),
        cmocka_unit_test(undefined_metric_is_null_with_a_reason),
        cmocka_unit_test(long_trade_lists_are_cut_and_say_so),
        cmocka_unit_test(document_is_the_same_every_time),
        cmocka_unit_test(a_document_in_pieces_has_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
