/* test_trust.c - what a request may ask about its own result, and that the answers can be relied on. */
#include "tests/support/rounds.h"
#include "tests/unit/test_backtest_world.h"

enum { N_ASSETS = 6, N_BARS = 160 };

static const char *const names[N_ASSETS] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F"};

static void fill_market(struct world *w, uint64_t seed)
{
    static int32_t date[400];
    static double rate[400];
    struct rng rng;
    world_init(w);
    rng_init(&rng, seed, 9);
    for (size_t i = 0; i < N_ASSETS; i++) {
        struct price_series *s =
            world_add_walk(w, names[i], day(2010, 1, 4), N_BARS, seed * 100 + i, i == 0 ? 0 : 12);
        if (i == 1)
            memcpy(s->currency, "KRW", CURRENCY_TEXT_BYTES);
        if (i == 5 && seed % 3 == 0) {
            s->delisted_on = s->date[90] + 1;
            s->delisting_return = -0.5;
        }
    }
    for (int i = 0; i < 400; i++) {
        date[i] = day(2009, 12, 20) + i;
        rate[i] = 1100 * elementary_exp((rng_next_unit(&rng) - 0.5) * 0.02);
    }
    world_add_fx(w, "KRW", date, rate, 400);
    for (int i = 0; i < 400; i++)
        rate[i] = rate[i] / 1000;
    world_add_fx(w, "USD", date, rate, 400);
}

/* A body over the market above; extra begins with a comma or is empty. */
static const char *body_of(struct world *w, uint64_t seed, const char *extra)
{
    static const char *const rebalances[] = {
        "\"never\"",
        "\"daily\"",
        "\"weekly\"",
        "\"monthly\"",
        "{\"every\":\"month\",\"on\":\"last\"}",
        "{\"every\":\"week\",\"offset\":3,\"min_trade\":5}",
        "{\"every\":\"month\",\"bands\":{\"absolute\":0.01},\"scope\":\"breached\",\"destination\":\"edge\"}",
        "{\"every\":9,\"bands\":{\"portfolio\":0.02},\"when\":\"calendar_and_bands\"}"};
    static const char *const fills[] = {"next_close", "next_close", "same_close", "next_open"};
    static const char *const rules[] = {
        "",
        ",\"flows\":[{\"amount\":150,\"every\":\"week\"},{\"percent\":-0.5,\"every\":\"month\"}]",
        ",\"shares\":\"whole\",\"financing\":{\"cash_rate\":3}",
        ",\"flows\":[{\"amount\":-40,\"every\":\"month\",\"on\":\"last\"}],\"flow_timing\":\"start\"",
        ",\"financing\":{\"cash_rate\":2,\"debt_spread\":1},\"leverage\":{\"max_gross\":2}"};
    static const char *const models[] = {"\"fixed\"", "\"equal\"",
                                         "{\"name\":\"inverse_volatility\",\"lookback\":15}",
                                         "{\"name\":\"equal_risk_contribution\",\"lookback\":20}"};
    struct rng rng;
    char text[2048];
    rng_init(&rng, seed, 1);
    size_t model = rng_next_below(&rng, ARRAY_LEN(models));
    int at = snprintf(text, sizeof text, "{\"assets\":[");
    for (size_t i = 0; i < N_ASSETS; i++) {
        double weight = 0.05 + rng_next_unit(&rng);
        at += snprintf(text + at, sizeof text - (size_t)at, "%s{\"uid\":\"%s\"", i > 0 ? "," : "",
                       names[i]);
        if (model == 0)
            at += snprintf(text + at, sizeof text - (size_t)at, ",\"weight\":%.17g", weight / 6);
        at += snprintf(text + at, sizeof text - (size_t)at, "}");
    }
    (void)snprintf(
        text + at, sizeof text - (size_t)at,
        "],\"on_weight_sum\":\"normalize\",\"strategy\":%s,\"start\":\"2010-01-04\","
        "\"end\":\"2010-07-30\",\"rebalance\":%s,\"fill\":\"%s\",\"costs\":{"
        "\"commission_bps\":4,\"slippage_bps\":3},\"session_alignment\":\"%s\",\"monkeys\":{\"count\":0}%s%s}",
        models[model], rebalances[rng_next_below(&rng, ARRAY_LEN(rebalances))],
        fills[rng_next_below(&rng, ARRAY_LEN(fills))],
        rng_next_below(&rng, 3) == 0 ? "same_label" : "as_known",
        rules[rng_next_below(&rng, ARRAY_LEN(rules))], extra);
    const char *copy = arena_dup(&w->arena, str_of(text));
    assert_non_null(copy);
    return copy;
}

/* 100 random requests, fewer under a sanitizer, and 100 random futures each. */
static void ten_thousand_corrupted_futures_change_no_bit_of_the_past(void **state)
{
    size_t n_cuts = 0, n_felt = 0, n_weights = 0, n_trades = 0;
    (void)state;
    for (uint64_t seed = 0; seed < rounds_of(100); seed++) {
        struct world w;
        fill_market(&w, seed);
        struct backtest_result *r =
            world_run(&w, body_of(&w, seed, ",\"verify\":{\"cuts\":100,\"seed\":77}"));
        const struct prefix_report *p = &r->trust->prefix;
        assert_int_equal(p->n_cuts, 100);
        for (size_t i = 0; i < p->n_cuts; i++) {
            const struct prefix_cut *cut = &p->cuts[i];
            if (cut->n_differ > 0)
                fail_msg("request %d: %zu values before session %zu changed, from session %zu on",
                         (int)seed, cut->n_differ, cut->session, cut->first_differ);
            assert_true(i == 0 || cut->session > p->cuts[i - 1].session);
            size_t n_lines = r->wealth == r->equity ? 2 : 3;
            assert_int_equal(cut->n_points, n_lines * (cut->session + 1));
            assert_true(cut->n_rows > 0);
            n_felt += cut->n_later > 0 ? 1 : 0;
            n_weights += cut->n_weights;
            n_trades += cut->n_trades;
        }
        assert_true(p->holds && !has_warning(r, "lookahead_found"));
        n_cuts += p->n_cuts;
        world_clear(&w);
    }
    assert_int_equal(n_cuts, 100 * rounds_of(100));
    assert_true(n_felt * 100 >
                n_cuts * 95); /* the last days before the end may have nothing left to feel it */
    assert_true(n_weights > 10 * n_cuts && n_trades > 10 * n_cuts);
}

/* A proof that cannot fail proves nothing: one changed bit in any place is found and dated. */
static void one_changed_bit_before_the_cut_is_found(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    const char *body = body_of(&w, 4, "");
    struct backtest_result *a = world_run(&w, body), *b = world_run(&w, body);
    struct prefix_cut cut = {.session = 60};
    prefix_compare(a, b, &cut);
    assert_true(cut.n_differ == 0 && cut.n_later == 0 && cut.n_trades > 0 && cut.n_weights > 0);

    double *equity = arena_array(&w.arena, a->panel->n_sessions, sizeof *equity);
    assert_non_null(equity);
    memcpy(equity, b->equity, a->panel->n_sessions * sizeof *equity);
    equity[60] = nextafter(equity[60], 1e300);
    equity[61] = 0;
    b->equity = equity;
    cut = (struct prefix_cut){.session = 60};
    prefix_compare(a, b, &cut);
    assert_true(cut.n_differ == 1 && cut.first_differ == 60 && cut.n_later == 1);
    cut = (struct prefix_cut){.session = 59};
    prefix_compare(a, b, &cut);
    assert_int_equal(cut.n_differ, 0);

    b->ledger.trades[2].quantity *= 1 + 1e-15;
    cut = (struct prefix_cut){.session = 59};
    prefix_compare(a, b, &cut);
    assert_true(cut.n_differ == 1 && cut.first_differ == a->ledger.trades[2].session);
    b->ledger.trades[2].quantity = a->ledger.trades[2].quantity;
    b->ledger.n_trades = 1;
    cut = (struct prefix_cut){.session = 59};
    prefix_compare(a, b, &cut);
    assert_true(cut.n_differ > 0);
    world_clear(&w);
}

/* What is known late is not yet known: a row dated before the cut with a later known_at is changed too. */
static void rows_that_become_known_after_the_cut_are_corrupted(void **state)
{
    struct world w;
    struct market_data changed;
    size_t n_rows = 0;
    (void)state;
    fill_market(&w, 2);
    struct price_series *s = &w.series[0];
    struct rate_series published = {.uid = STR("indicator:CPI:US:M"),
                                    .n = s->n,
                                    .date = s->date,
                                    .known_at = s->known_at,
                                    .value = s->price};
    w.market.rates = &published;
    w.market.n_rates = 1;
    int64_t *known = arena_array(&w.arena, s->n, sizeof *known);
    assert_non_null(known);
    memcpy(known, s->known_at, s->n * sizeof *known);
    known[40] += 86400LL * 30;
    s->known_at = known;
    struct prefix_future future = {s->date[50], known[50], 3, 1};
    assert_int_equal(prefix_corrupt(&w.market, &future, &w.arena, &changed, &n_rows, NULL),
                     STATUS_OK);
    for (size_t i = 0; i <= 50; i++) {
        bool is_same = !(changed.series[0].price[i] < s->price[i]) &&
                       !(changed.series[0].price[i] > s->price[i]);
        assert_true(is_same == (i != 40));
    }
    assert_true(changed.series[0].price[51] > 0 && n_rows > N_ASSETS * 100);
    assert_true(changed.rates[0].value[50] == s->price[50]);
    assert_true(changed.rates[0].value[51] < s->price[51] ||
                changed.rates[0].value[51] > s->price[51]);
    assert_true(changed.fx[0].rate != w.fx[0].rate && changed.fx[0].rate[0] == w.fx[0].rate[0]);
    world_clear(&w);
}

static void intervals_and_futures_come_with_the_result_they_describe(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 4);
    const char *body = body_of(&w, 4,
                               ",\"benchmark\":\"x:A\",\"bootstrap\":{\"count\":200,\"seed\":5},"
                               "\"monte_carlo\":{\"count\":300,\"years\":2,\"goals\":[1,1e12]}");
    struct backtest_result *r = world_run(&w, body), *again = world_run(&w, body);
    const struct bootstrap_report *b = &r->trust->bootstrap;
    assert_int_equal(b->count, 200);
    assert_int_equal(b->n_returns, r->panel->n_sessions - 1);
    assert_true(b->has_difference && r->trust->n_common > 100);
    assert_close(b->row[BOOTSTRAP_CAGR].estimate, r->measures[MEASURE_cagr].value, 1e-10);
    assert_close(b->row[BOOTSTRAP_VOLATILITY].estimate, r->measures[MEASURE_volatility].value,
                 1e-10);
    assert_close(b->row[BOOTSTRAP_SHARPE].estimate, r->measures[MEASURE_sharpe].value, 1e-9);
    assert_close(b->row[BOOTSTRAP_SORTINO].estimate, r->measures[MEASURE_sortino].value, 1e-9);
    assert_close(b->row[BOOTSTRAP_MAX_DRAWDOWN].estimate, r->measures[MEASURE_max_drawdown].value,
                 1e-10);
    assert_close(b->row[BOOTSTRAP_CALMAR].estimate, r->measures[MEASURE_calmar].value, 1e-9);
    assert_close(b->row[BOOTSTRAP_TERMINAL_WEALTH].estimate, r->equity[r->panel->n_sessions - 1],
                 1e-12);
    assert_memory_equal(b->row, again->trust->bootstrap.row, sizeof b->row);
    const struct montecarlo_report *m = &r->trust->monte_carlo;
    assert_int_equal(m->count, 300);
    assert_int_equal(r->trust->monte_carlo_rules.horizon, 504);
    assert_true(m->below_goal[0] == 0 && m->below_goal[1] == 1);
    assert_true(m->loss >= 0 && m->loss <= 1 && m->terminal.quantile[0] < m->terminal.quantile[6]);
    world_clear(&w);
}

static void ruined_or_short_runs_have_a_reason_instead_of_intervals(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 5);
    struct backtest_result *r = world_run(
        &w, "{\"assets\":[{\"uid\":\"x:A\"}],\"start\":\"2010-01-04\",\"end\":\"2010-01-20\","
            "\"bootstrap\":{},\"monte_carlo\":{},\"verify\":{\"cuts\":100}}");
    assert_int_equal(r->trust->reason, REASON_TOO_SHORT);
    assert_true(r->trust->bootstrap.count == 0 && r->trust->monte_carlo.count == 0);
    assert_int_equal(r->trust->prefix.n_cuts, r->panel->n_sessions - 1);
    w.series[2].delisted_on = w.series[2].date[80] + 1;
    w.series[2].delisting_return = -1;
    r = world_run(&w, "{\"assets\":[{\"uid\":\"x:C\"}],\"start\":\"2010-01-04\",\"bootstrap\":{}}");
    assert_true(r->ruined_on != DATE_NONE);
    assert_int_equal(r->trust->reason, REASON_RUINED);
    world_clear(&w);
}

/* What is said before a run has no proof yet, and says nothing of one. */
static void preview_of_a_run_that_asks_for_a_proof_has_none(void **state)
{
    struct world w;
    struct backtest_result *r = NULL;
    struct err err = {0};
    (void)state;
    fill_market(&w, 3);
    struct spec *spec = world_spec(&w, body_of(&w, 3, ",\"verify\":\"prefix\""));
    assert_int_equal(backtest_preview(spec, &w.market, &w.arena, NULL, &r, &err), STATUS_OK);
    assert_null(r->trust);
    assert_false(has_warning(r, "lookahead_found"));
    world_clear(&w);
}

static void every_offset_is_the_run_it_stands_for(void **state)
{
    static const char *const shape =
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.3},{\"uid\":\"x:C\",\"weight\":0.7}],\"start\":"
        "\"2010-01-04\",\"end\":\"2010-07-30\",\"monkeys\":{\"count\":0},\"costs\":{\"commission_bps\":30},"
        "\"offset_luck\":%s,\"rebalance\":{\"every\":\"%s\",\"offset\":%d}}";
    struct world w;
    char body[512];
    (void)state;
    fill_market(&w, 1);
    (void)snprintf(body, sizeof body, shape, "true", "week", 2);
    struct backtest_result *r = world_run(&w, body);
    const struct offset_report *o = &r->trust->offsets;
    assert_true(o->n == 5 && o->own == 2);
    for (int i = 0; i < 5; i++) {
        (void)snprintf(body, sizeof body, shape, "false", "week", i);
        struct backtest_result *one = world_run(&w, body);
        assert_int_equal(o->rows[i].offset, i);
        assert_true(o->rows[i].score.value[MONKEY_CAGR] == one->measures[MEASURE_cagr].value);
        assert_true(o->rows[i].score.value[MONKEY_SHARPE] == one->measures[MEASURE_sharpe].value);
        assert_true(o->rows[i].score.value[MONKEY_TERMINAL_WEALTH] ==
                    one->wealth[one->panel->n_sessions - 1]);
        assert_int_equal(one->trust->offsets.n, 0);
    }
    const struct offset_band *band = &o->band[MONKEY_CAGR];
    assert_true(band->n == 5 && band->lowest < band->median && band->median < band->highest);
    assert_true(band->own == r->measures[MEASURE_cagr].value);
    assert_true(band->own >= band->lowest && band->own <= band->highest);
    size_t n_below = 0;
    for (size_t i = 0; i < 5; i++)
        n_below += o->rows[i].score.value[MONKEY_CAGR] < band->own ? 1 : 0;
    assert_close(band->percentile, ((double)n_below + 0.5) / 5, 1e-15);
    (void)snprintf(body, sizeof body, shape, "true", "day", 0);
    assert_int_equal(world_run(&w, body)->trust->offsets.n, 0);
    world_clear(&w);
}

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

static void canonical_text_says_what_was_asked_and_nothing_else(void **state)
{
    static const char *const bodies[] = {
        "{\"assets\":[{\"uid\":\"a:B\"}],\"verify\":\"prefix\",\"bootstrap\":{}}",
        ("{\"assets\":[{\"uid\":\"a:B\"}],\"bootstrap\":{\"mean_block\":\"politis_white\",\"level\":"
         "0.95},\"monte_carlo\":{\"model\":\"normal\",\"years\":30,\"mean_block\":12.5,\"flow\":{"
         "\"amount\":-100},\"goals\":[1000,2000.5]}}"),
        ("{\"assets\":[{\"uid\":\"a:B\"}],\"bootstrap\":{\"mean_block\":3},\"verify\":{\"cuts\":3},"
         "\"offset_luck\":true}"),
    };
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct str once = canonical_of(&w, bodies[i]);
        char *copy = arena_dup(&w.arena, once);
        assert_non_null(copy);
        assert_true(str_eq(once, canonical_of(&w, copy)));
        assert_non_null(strstr(copy, "\"bootstrap\":{\"count\":1000,\"seed\":1,\"mean_block\":"));
    }
    const char *plain = "{\"assets\":[{\"uid\":\"a:B\"}]}";
    const char *none =
        "{\"assets\":[{\"uid\":\"a:B\"}],\"bootstrap\":{\"count\":0},\"verify\":null,"
        "\"monte_carlo\":{\"count\":0}}";
    assert_true(str_eq(canonical_of(&w, plain), canonical_of(&w, none)));
    world_clear(&w);
}

static void impossible_wishes_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *member;
        enum status status;
        const char *pointer;
    } cases[] = {
        {"\"bootstrap\":true", STATUS_WRONG_TYPE, "/bootstrap"},
        {"\"bootstrap\":{\"count\":10001}", STATUS_OUT_OF_RANGE, "/bootstrap/count"},
        {"\"bootstrap\":{\"level\":1}", STATUS_OUT_OF_RANGE, "/bootstrap/level"},
        {"\"bootstrap\":{\"mean_block\":0.5}", STATUS_OUT_OF_RANGE, "/bootstrap/mean_block"},
        {"\"bootstrap\":{\"mean_block\":\"auto\"}", STATUS_OUT_OF_RANGE, "/bootstrap/mean_block"},
        {"\"bootstrap\":{\"blocks\":1}", STATUS_UNKNOWN_FIELD, "/bootstrap/blocks"},
        {"\"verify\":\"suffix\"", STATUS_OUT_OF_RANGE, "/verify"},
        {"\"verify\":{\"cuts\":0}", STATUS_OUT_OF_RANGE, "/verify/cuts"},
        {"\"verify\":{\"kind\":1}", STATUS_WRONG_TYPE, "/verify/kind"},
        {"\"monte_carlo\":{\"years\":61}", STATUS_OUT_OF_RANGE, "/monte_carlo/years"},
        {"\"monte_carlo\":{\"model\":\"garch\"}", STATUS_OUT_OF_RANGE, "/monte_carlo/model"},
        {"\"monte_carlo\":{\"flow\":{}}", STATUS_BAD_SPEC, "/monte_carlo/flow"},
        {"\"monte_carlo\":{\"flow\":{\"amount\":1,\"every_sessions\":0}}", STATUS_OUT_OF_RANGE,
         "/monte_carlo/flow/every_sessions"},
        {"\"monte_carlo\":{\"goals\":[]}", STATUS_OUT_OF_RANGE, "/monte_carlo/goals"},
        {"\"monte_carlo\":{\"goals\":[0]}", STATUS_OUT_OF_RANGE, "/monte_carlo/goals/0"},
        {"\"offset_luck\":1", STATUS_WRONG_TYPE, "/offset_luck"},
        {"\"monkeys\":{\"count\":100001}", STATUS_OUT_OF_RANGE, "/monkeys/count"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        char text[512];
        world_init(&w);
        (void)snprintf(text, sizeof text, "{\"assets\":[{\"uid\":\"a:B\"}],%s}", cases[i].member);
        enum status s = spec_parse(str_of(text), &w.arena, &spec, &err);
        if (s != cases[i].status || strcmp(err.name, cases[i].pointer) != 0 ||
            err.allowed[0] == '\0')
            fail_msg("%s gave %s at \"%s\" (allowed: %s)", text, status_name(s), err.name,
                     err.allowed);
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_corrupted_futures_change_no_bit_of_the_past),
        cmocka_unit_test(one_changed_bit_before_the_cut_is_found),
        cmocka_unit_test(rows_that_become_known_after_the_cut_are_corrupted),
        cmocka_unit_test(intervals_and_futures_come_with_the_result_they_describe),
        cmocka_unit_test(ruined_or_short_runs_have_a_reason_instead_of_intervals),
        cmocka_unit_test(preview_of_a_run_that_asks_for_a_proof_has_none),
        cmocka_unit_test(every_offset_is_the_run_it_stands_for),
        cmocka_unit_test(canonical_text_says_what_was_asked_and_nothing_else),
        cmocka_unit_test(impossible_wishes_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
