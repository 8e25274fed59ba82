/* test_panel_shared.c - a run on another run's panel has the same bytes, though its market is gone. */
#include "backtest/panel_shared.h"
#include "handlers/backtest_render.h"
#include "tests/unit/test_backtest_world.h"

#include <stdlib.h>

enum { BARS = 300, N_SERIES = 7 };
static const char *const names[N_SERIES] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F", "x:G"};

#define ASSETS                                                                        \
    "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.3}," \
    "{\"uid\":\"x:C\",\"weight\":0.2}]"
#define WINDOW ",\"start\":\"2015-02-02\",\"end\":\"2015-12-31\",\"rebalance\":\"monthly\""
#define NO_MONKEYS ",\"monkeys\":{\"count\":0}"

/* Gaps, a delisting, corporate actions, a currency, and one series that starts too late. */
static void fill_market(struct world *w)
{
    world_init(w);
    for (size_t i = 0; i < N_SERIES; i++) {
        int32_t first = i == 5 ? day(2015, 6, 1) : day(2015, 1, 5);
        struct price_series *s = world_add_walk(w, names[i], first, BARS, i, i % 2 == 1 ? 12 : 0);
        double *dividend = arena_array(&w->arena, s->n, sizeof *dividend);
        double *split = arena_array(&w->arena, s->n, sizeof *split);
        double *volume = arena_array(&w->arena, s->n, sizeof *volume);
        assert_true(dividend != NULL && split != NULL && volume != NULL);
        for (size_t t = 0; t < s->n; t++) {
            split[t] = t == 100 + i ? 2 : 1;
            dividend[t] = t % 60 == 30 ? 0.5 : 0;
            volume[t] = 1e6 + (double)t;
        }
        s->close = s->open = s->price;
        s->split = split;
        s->dividend = dividend;
        s->volume = volume;
        if (i == 4) {
            s->delisted_on = s->date[200] + 1;
            s->delisting_return = -0.5;
        }
    }
    memcpy(w->series[2].currency, "EUR", CURRENCY_TEXT_BYTES);
    const int32_t date[] = {day(2014, 12, 31), day(2015, 7, 1)};
    const double rate[] = {1.2, 1.1};
    world_add_fx(w, "USD", date, rate, 2);
}

static struct str render(const struct backtest_result *result, struct arena *arena)
{
    const struct backtest_passport passport = {.engine_version = BACKTEST_ENGINE_VERSION};
    struct buf out;
    buf_init(&out, arena, (size_t)1 << 26);
    backtest_render(result, STR("same"), &passport, &out);
    assert_false(out.failed);
    return buf_str(&out);
}

/* Builds the panel from a copy of the market's series that is gone afterwards. */
static const struct panel_shared *share(struct world *w, const struct spec *spec,
                                        struct arena *arena)
{
    const struct panel_shared *shared = NULL;
    struct err err = {0};
    size_t bytes = w->market.n_series * sizeof(struct price_series);
    struct price_series *copy = malloc(bytes);
    assert_non_null(copy);
    memcpy(copy, w->series, bytes);
    struct market_data market = w->market;
    market.series = copy;
    if (panel_shared_build(spec, &market, arena, NULL, &shared, &err) != STATUS_OK)
        fail_msg("%s", err.detail);
    memset(copy, 0xee, bytes);
    free(copy);
    return shared;
}

/* The market's series in another order. */
static struct market_data turned(struct world *w)
{
    struct market_data market = w->market;
    struct price_series *series = arena_array(&w->arena, market.n_series, sizeof *series);
    assert_non_null(series);
    for (size_t i = 0; i < market.n_series; i++)
        series[i] = w->series[market.n_series - 1 - i];
    market.series = series;
    return market;
}

static void check_request(const char *builder, const char *request)
{
    struct world w;
    struct arena arena;
    struct err err = {0};
    struct backtest_result *found = NULL;
    fill_market(&w);
    arena_init(&arena, (size_t)1 << 28);
    struct backtest_result *alone = world_run(&w, request);
    const struct panel_shared *shared = share(&w, world_spec(&w, builder), &arena);
    const struct backtest_shared kept = {.panel = shared};
    const struct market_data markets[] = {w.market, turned(&w)};
    struct str expected = render(alone, &w.arena);
    for (size_t i = 0; i < ARRAY_LEN(markets); i++) {
        assert_int_equal(backtest_run_among(world_spec(&w, request), &markets[i], &kept, &w.arena,
                                            NULL, &found, &err),
                         STATUS_OK);
        assert_ptr_equal(found->panel->price, shared->panel.price);
        struct str body = render(found, &w.arena);
        assert_int_equal(body.len, expected.len);
        assert_memory_equal(body.ptr, expected.ptr, expected.len);
    }
    arena_clear(&arena);
    world_clear(&w);
}

static void a_run_on_a_shared_panel_has_the_same_bytes(void **state)
{
    static const char *const shapes[] = {
        NO_MONKEYS "}",
        ",\"benchmark\":\"x:D\"" NO_MONKEYS "}",
        ",\"prices\":\"raw\",\"dividends\":\"cash\",\"benchmark\":\"x:B\"" NO_MONKEYS "}",
        ",\"prices\":\"raw\",\"fill\":\"next_open\"" NO_MONKEYS "}",
        ",\"clock\":{\"base\":\"x:G\"}" NO_MONKEYS "}",
        ",\"clock\":\"daily_24_7\",\"session_alignment\":\"same_label\"" NO_MONKEYS "}",
        ",\"universe\":[\"x:A\",\"x:D\",\"x:E\",\"x:F\"],\"monkeys\":{\"count\":50,\"seed\":2}}",
    };
    char text[1024];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        (void)snprintf(text, sizeof text, ASSETS WINDOW "%s", shapes[i]);
        check_request(text, text);
    }
}

/* What a panel does not depend on: weights, costs, the schedule, the risk-free rate, the capital. */
static void other_rules_on_the_same_panel_have_their_own_bytes(void **state)
{
    (void)state;
    check_request(ASSETS WINDOW ",\"benchmark\":\"x:D\"" NO_MONKEYS "}",
                  "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.1},{\"uid\":\"x:B\",\"weight\":0.1},"
                  "{\"uid\":\"x:C\",\"weight\":0.8}],\"start\":\"2015-02-02\",\"end\":"
                  "\"2015-12-31\",\"rebalance\":\"weekly\",\"benchmark\":\"x:D\",\"risk_free_"
                  "rate\":0.02,\"costs\":{\"commission_bps\":20,\"slippage_bps\":0}" NO_MONKEYS
                  "}");
    check_request(ASSETS WINDOW ",\"benchmark\":\"x:D\"" NO_MONKEYS "}",
                  ASSETS WINDOW ",\"benchmark\":\"x:D\",\"capital\":12345.5" NO_MONKEYS "}");
}

static void a_market_without_a_column_is_refused(void **state)
{
    struct world w;
    struct panel *panel = NULL;
    struct err err = {0};
    (void)state;
    fill_market(&w);
    const struct panel_shared *shared =
        share(&w, world_spec(&w, ASSETS WINDOW NO_MONKEYS "}"), &w.arena);
    struct market_data poorer = w.market;
    poorer.n_series = 2;
    assert_int_equal(panel_shared_open(shared, &poorer, &w.arena, &panel, &err),
                     STATUS_UNKNOWN_ASSET);
    assert_string_equal(err.detail, "There is no instrument x:C.");
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_on_a_shared_panel_has_the_same_bytes),
        cmocka_unit_test(other_rules_on_the_same_panel_have_their_own_bytes),
        cmocka_unit_test(a_market_without_a_column_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
