/* test_strategy.c - every strategy on seeded markets: what it may know, whom it weighs, how it is asked for. */
#include "tests/unit/test_backtest_world.h"

#include "backtest/stats.h"
#include "backtest/strategy_row.h"
#include "base/number.h"

enum { N_ASSETS = 6, N_BARS = 700, N_ROUNDS = 6 };

static const char *const uids[N_ASSETS] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F"};

/* A request object for each strategy, short windows so that a short market is enough. */
static const char *object_of(enum strategy_id id)
{
    static const char *const objects[STRATEGY_COUNT] = {
        [STRATEGY_INVERSE_VOLATILITY] =
            "{\"name\":\"inverse_volatility\",\"lookback\":40,\"lag\":1}",
        [STRATEGY_EQUAL_RISK_CONTRIBUTION] =
            "{\"name\":\"equal_risk_contribution\",\"lookback\":60,\"covariance\":\"ledoit_wolf\"}",
        [STRATEGY_MINIMUM_VARIANCE] = "{\"name\":\"minimum_variance\",\"lookback\":60,"
                                      "\"constraints\":{\"min_weight\":0.05,\"max_weight\":0.4}}",
        [STRATEGY_MAXIMUM_SHARPE] =
            "{\"name\":\"maximum_sharpe\",\"lookback\":60,\"covariance\":\"ewma\",\"decay\":0.97,"
            "\"constraints\":{\"long_only\":false,\"min_weight\":-0.3,\"max_gross\":1.5}}",
        [STRATEGY_MEAN_VARIANCE] =
            "{\"name\":\"mean_variance\",\"lookback\":60,\"risk_aversion\":4}",
        [STRATEGY_TARGET_RETURN] =
            "{\"name\":\"target_return\",\"lookback\":60,\"least_return\":0.1}",
        [STRATEGY_MAXIMUM_DIVERSIFICATION] =
            "{\"name\":\"maximum_diversification\",\"lookback\":60}",
        [STRATEGY_MAXIMUM_RETURN] =
            "{\"name\":\"maximum_return\",\"lookback\":60,\"most_volatility\":0.12}",
        [STRATEGY_MINIMUM_TRACKING_ERROR] =
            "{\"name\":\"minimum_tracking_error\",\"lookback\":60,\"lag\":1,"
            "\"constraints\":{\"max_weight\":0.4}}",
        [STRATEGY_MAXIMUM_INFORMATION_RATIO] =
            "{\"name\":\"maximum_information_ratio\",\"lookback\":60}",
        [STRATEGY_MAXIMUM_OMEGA] = "{\"name\":\"maximum_omega\",\"lookback\":60,"
                                   "\"acceptable_return\":0.02}",
        [STRATEGY_MAXIMUM_SORTINO] = "{\"name\":\"maximum_sortino\",\"lookback\":60,"
                                     "\"constraints\":{\"max_weight\":0.5}}",
        [STRATEGY_MINIMUM_CVAR] = "{\"name\":\"minimum_cvar\",\"lookback\":60,\"confidence\":0.9,"
                                  "\"constraints\":{\"max_weight\":0.4}}",
        [STRATEGY_MINIMUM_CDAR] = "{\"name\":\"minimum_cdar\",\"lookback\":60}",
        [STRATEGY_MINIMUM_EVAR] = "{\"name\":\"minimum_evar\",\"lookback\":60,\"confidence\":0.9,"
                                  "\"constraints\":{\"max_weight\":0.4}}",
        [STRATEGY_MINIMUM_EDAR] = "{\"name\":\"minimum_edar\",\"lookback\":60,\"lag\":1}",
        [STRATEGY_BLACK_LITTERMAN] =
            "{\"name\":\"black_litterman\",\"lookback\":60,\"market\":{\"x:A\":3,\"x:B\":2,"
            "\"x:C\":0.1,\"x:D\":1},\"views\":[{\"assets\":{\"x:B\":1,\"x:C\":-1},\"return\":0.03},{"
            "\"assets\":{\"x:F\":1},\"return\":0.1,\"confidence\":0.8}]}",
        [STRATEGY_ADAPTIVE_ALLOCATION] =
            "{\"name\":\"adaptive_allocation\",\"lookback\":60,\"top\":3}",
        [STRATEGY_SEASONAL_TIMING] = "{\"name\":\"seasonal_timing\",\"safe\":\"x:C\"}",
        [STRATEGY_INDICATOR_TIMING] =
            "{\"name\":\"indicator_timing\",\"indicator\":\"indicator:PE:USA:M\",\"threshold\":20,"
            "\"when\":\"below\",\"safe\":\"x:C\"}",
        [STRATEGY_DOLLAR_COST_AVERAGING] =
            "{\"name\":\"dollar_cost_averaging\",\"periods\":8,\"base\":{\"name\":\"momentum\","
            "\"lookback\":40,\"top\":2}}",
        [STRATEGY_HIERARCHICAL_RISK_PARITY] =
            "{\"name\":\"hierarchical_risk_parity\",\"lookback\":60,\"linkage\":\"average\"}",
        [STRATEGY_HIERARCHICAL_EQUAL_RISK_CONTRIBUTION] =
            "{\"name\":\"hierarchical_equal_risk_contribution\",\"lookback\":60,\"lag\":1,"
            "\"risk_measure\":\"volatility\",\"constraints\":{\"max_weight\":0.35}}",
        [STRATEGY_NESTED_CLUSTERED_OPTIMIZATION] =
            "{\"name\":\"nested_clustered_optimization\",\"lookback\":60,\"clusters\":3,"
            "\"objective\":\"maximum_sharpe\",\"constraints\":{\"long_only\":false,"
            "\"min_weight\":-0.3,\"max_gross\":1.5}}",
        [STRATEGY_MOVING_AVERAGE_TIMING] =
            "{\"name\":\"moving_average_timing\",\"lookback\":50,\"safe\":\"x:C\"}",
        [STRATEGY_MOMENTUM] = "{\"name\":\"momentum\",\"lookback\":60,\"lag\":5,\"top\":2,"
                              "\"constraints\":{\"max_weight\":0.45}}",
        [STRATEGY_DUAL_MOMENTUM] = "{\"name\":\"dual_momentum\",\"lookback\":60,\"top\":3}",
        [STRATEGY_TARGET_VOLATILITY] =
            "{\"name\":\"target_volatility\",\"lookback\":30,\"lag\":1,\"target\":0.08,\"base\":{"
            "\"name\":\"inverse_volatility\",\"lookback\":60}}",
        [STRATEGY_WEIGHT_TABLE] =
            "{\"name\":\"weight_table\",\"rows\":[{\"date\":\"2010-05-01\",\"weights\":{\"x:A\":0.5,"
            "\"x:B\":0.25}},{\"date\":\"2011-02-12\",\"weights\":{\"x:C\":0.1,\"x:B\":0.9}}]}",
        [STRATEGY_WALK_FORWARD] =
            "{\"name\":\"walk_forward\",\"train\":90,\"test\":40,\"candidates\":[\"equal\","
            "{\"name\":\"momentum\",\"lookback\":40,\"top\":2},{\"name\":\"minimum_variance\","
            "\"lookback\":50},{\"name\":\"target_volatility\",\"lookback\":20,\"base\":\"equal\"}]}",
    };
    return objects[id];
}

enum { N_SIGNALS = 40 };

/* An economic series of a month, out on the tenth: 15 to 25. */
static void add_signal(struct world *w, uint64_t seed)
{
    int32_t *date = arena_array(&w->arena, N_SIGNALS, sizeof *date);
    int64_t *known = arena_array(&w->arena, N_SIGNALS, sizeof *known);
    double *value = arena_array(&w->arena, N_SIGNALS, sizeof *value);
    struct rate_series *series = ARENA_NEW(&w->arena, struct rate_series);
    struct rng rng;
    assert_true(date != NULL && known != NULL && value != NULL && series != NULL);
    rng_init(&rng, seed, 8);
    for (size_t i = 0; i < N_SIGNALS; i++) {
        date[i] = date_add_months(day(2010, 3, 10), (int)i);
        known[i] = (int64_t)date[i] * 86400 + 12 * 3600;
        value[i] = 15 + 10 * rng_next_unit(&rng);
    }
    *series = (struct rate_series){.uid = STR("indicator:PE:USA:M"),
                                   .n = N_SIGNALS,
                                   .date = date,
                                   .known_at = known,
                                   .value = value};
    w->market.rates = series;
    w->market.n_rates = 1;
}

static void fill_market(struct world *w, uint64_t seed)
{
    world_init(w);
    add_signal(w, seed);
    for (size_t i = 0; i < N_ASSETS; i++) {
        struct price_series *s =
            world_add_walk(w, uids[i], day(2010, 1, 4), N_BARS, seed * 100 + i, i == 0 ? 0 : 25);
        if (i == 5 && seed % 3 == 0) {
            s->delisted_on = s->date[500] + 1;
            s->delisting_return = -0.5;
        }
    }
}

static struct backtest_result *play(struct world *w, const char *object, const size_t *order,
                                    const char *start)
{
    char body[2048];
    bool is_short = strstr(object, "\"long_only\":false") != NULL;
    int at = snprintf(body, sizeof body, "{\"universe\":[");
    for (size_t i = 0; i < N_ASSETS; i++)
        at += snprintf(body + at, sizeof body - (size_t)at, "%s\"%s\"", i > 0 ? "," : "",
                       uids[order == NULL ? i : order[i]]);
    (void)snprintf(body + at, sizeof body - (size_t)at,
                   "],\"strategy\":%s,\"start\":\"%s\",\"end\":\"2012-06-29\",\"costs\":{"
                   "\"commission_bps\":5},\"benchmark\":\"x:B\",\"monkeys\":{\"count\":0}%s}",
                   object, start, is_short ? ",\"leverage\":{\"max_gross\":1.5}" : "");
    return world_run(w, body);
}

static void corrupting_the_future_moves_no_weight_before_it(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        const char *object = object_of((enum strategy_id)id);
        for (uint64_t seed = 0; object != NULL && seed < N_ROUNDS; seed++) {
            struct world w;
            fill_market(&w, seed);
            struct backtest_result *one = play(&w, object, NULL, "2010-06-01");
            size_t cut = 60 + (size_t)(seed * 53) % 350;
            world_corrupt_future(&w, one->panel->clock[cut], seed);
            struct backtest_result *two = play(&w, object, NULL, "2010-06-01");
            assert_memory_equal(one->equity, two->equity, (cut + 1) * sizeof(double));
            for (size_t d = 0; d < one->strategy.n && one->strategy.decisions[d].session <= cut;
                 d++)
                assert_memory_equal(plan_row(&one->plan, d), plan_row(&two->plan, d),
                                    one->plan.n * sizeof(double));
            assert_true(one->equity[cut + 60] != two->equity[cut + 60]);
            world_clear(&w);
        }
    }
}

static void order_of_the_assets_does_not_matter_to_any_strategy(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        const char *object = object_of((enum strategy_id)id);
        for (uint64_t seed = 0; object != NULL && seed < N_ROUNDS; seed++) {
            struct world w;
            size_t order[N_ASSETS];
            fill_market(&w, seed);
            for (size_t i = 0; i < N_ASSETS; i++)
                order[i] = (i * 5 + 3) % N_ASSETS;
            struct backtest_result *one = play(&w, object, NULL, "2010-06-01");
            struct backtest_result *two = play(&w, object, order, "2010-06-01");
            for (size_t t = 0; t < one->panel->n_sessions; t++)
                if (fabs(two->equity[t] - one->equity[t]) > 1e-9 * one->equity[t])
                    fail_msg("%s: seed %zu, session %zu", object, (size_t)seed, t);
            world_clear(&w);
        }
    }
}

static void weights_of_every_strategy_are_finite_and_add_up_to_what_is_invested(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        const char *object = object_of((enum strategy_id)id);
        for (uint64_t seed = 0; object != NULL && seed < N_ROUNDS; seed++) {
            struct world w;
            fill_market(&w, seed);
            struct backtest_result *r = play(&w, object, NULL, "2010-06-01");
            assert_true(r->strategy.n > 20);
            for (size_t d = 0; d < r->strategy.n; d++) {
                double sum = 0;
                for (size_t a = 0; a < r->plan.n; a++) {
                    assert_true(isfinite(plan_row(&r->plan, d)[a]));
                    sum += plan_row(&r->plan, d)[a];
                }
                assert_true(fabs(sum - plan_invested(&r->plan, d)) < 1e-11); /* of the solver */
                assert_true(sum < 1 + 1e-11);
            }
            world_clear(&w);
        }
    }
}

static void every_strategy_of_the_table_is_played_here(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        bool is_plain = strategy_kinds[id]->needs == 0;
        assert_true(is_plain == (object_of((enum strategy_id)id) == NULL));
    }
}

/* The window of a decision ends `lag` sessions before it and is `lookback` returns long. */
static void a_decision_says_what_it_knew(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r =
        play(&w, "{\"name\":\"inverse_volatility\",\"lookback\":40,\"lag\":3}", NULL, "2010-01-04");
    const int32_t *clock = r->panel->clock;
    size_t n_short = 0;
    for (size_t d = 0; d < r->strategy.n; d++) {
        struct strategy_decision decision = r->strategy.decisions[d];
        if (decision.session < 43) {
            n_short++;
            assert_int_equal(decision.note, NOTE_SHORT_HISTORY);
            assert_int_equal(decision.known_at, DATE_NONE);
            assert_true(plan_row(&r->plan, d)[2] == 1.0 / N_ASSETS);
            continue;
        }
        assert_int_equal(decision.note, NOTE_NONE);
        assert_int_equal(decision.known_at, clock[decision.session - 3]);
        assert_int_equal(decision.known_from, clock[decision.session - 43]);
    }
    assert_int_equal(n_short, r->strategy.n_noted[NOTE_SHORT_HISTORY]);
    assert_int_equal(n_short, 3); /* January, February, and the first session of March */
    world_clear(&w);
}

/* Prices before the start fill the first window, and the run is the tail of an earlier one. */
static void prices_before_the_start_are_history(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    const char *object = "{\"name\":\"equal_risk_contribution\",\"lookback\":60}";
    struct backtest_result *early = play(&w, object, NULL, "2010-01-04");
    struct backtest_result *late = play(&w, object, NULL, "2010-06-01");
    assert_int_equal(late->strategy.n_noted[NOTE_SHORT_HISTORY], 0);
    assert_true(early->strategy.n_noted[NOTE_SHORT_HISTORY] > 0);
    size_t offset = early->strategy.n - late->strategy.n;
    for (size_t d = 0; d < late->strategy.n; d++)
        assert_memory_equal(plan_row(&late->plan, d), plan_row(&early->plan, d + offset),
                            late->plan.n * sizeof(double));
    world_clear(&w);
}

static void fallback_to_cash_holds_cash(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r =
        play(&w, "{\"name\":\"inverse_volatility\",\"lookback\":40,\"fallback\":\"cash\"}", NULL,
             "2010-01-04");
    for (size_t t = 0; t < 40; t++)
        assert_true(r->equity[t] == 10000);
    assert_true(plan_invested(&r->plan, 0) == 0);
    assert_true(r->equity[200] != 10000);
    world_clear(&w);
}

static void inverse_volatility_is_one_over_the_deviation_of_the_window(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 2);
    struct backtest_result *r =
        play(&w, "{\"name\":\"inverse_volatility\",\"lookback\":40,\"lag\":1}", NULL, "2010-01-04");
    for (size_t d = 4; d < r->strategy.n; d++) {
        double inverse[N_ASSETS], sum = 0, returns[40];
        size_t last = r->strategy.decisions[d].session - 1;
        for (size_t a = 0; a < N_ASSETS; a++) {
            stats_returns(r->panel->price + panel_cell(r->panel, a, last - 40), 41, returns);
            inverse[a] = 1 / stats_moments(returns, 40).sd;
            sum += inverse[a];
        }
        for (size_t a = 0; a < N_ASSETS; a++)
            assert_close(plan_row(&r->plan, d)[a], inverse[a] / sum, 1e-12);
    }
    world_clear(&w);
}

/* A delisted asset, and one whose price never moves, are left to the others. */
static void what_is_gone_or_stands_still_gets_nothing(void **state)
{
    struct world w;
    double flat[N_BARS];
    int32_t date[N_BARS];
    (void)state;
    fill_market(&w, 3); /* x:F is delisted */
    struct price_series still = w.series[1];
    for (size_t i = 0; i < N_BARS; i++) {
        flat[i] = 50;
        date[i] = still.date[i];
    }
    w.series[1].price = flat;
    struct backtest_result *r =
        play(&w, "{\"name\":\"equal_risk_contribution\",\"lookback\":40}", NULL, "2010-06-01");
    uint32_t gone = r->panel->assets[5].delisted_at;
    assert_true(gone < r->panel->n_sessions);
    for (size_t d = 0; d < r->strategy.n; d++) {
        const double *row = plan_row(&r->plan, d);
        assert_true(row[1] == 0 && row[0] > 0);
        assert_true((row[5] > 0) == (r->strategy.decisions[d].session < gone));
    }
    assert_int_equal(date[0], r->panel->assets[1].series->date[0]);
    world_clear(&w);
}

/* Rows of every strategy under limits keep them, whatever formula they come from. */
static void every_strategy_keeps_the_limits(void **state)
{
    (void)state;
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        struct world w;
        char object[512];
        if (!strategy_takes_limits(strategy_kinds[id]))
            continue;
        fill_market(&w, 1);
        (void)snprintf(object, sizeof object,
                       "{\"name\":\"%s\",\"lookback\":40,\"constraints\":{\"min_weight\":0.02,"
                       "\"max_weight\":0.3}}",
                       strategy_kinds[id]->name);
        struct backtest_result *r = play(&w, object, NULL, "2010-06-01");
        for (size_t d = 0; d < r->strategy.n; d++) {
            for (size_t a = 0; a < r->plan.n; a++) {
                double weight = plan_row(&r->plan, d)[a];
                if (!(weight > 0.02 - 1e-9 && weight < 0.3 + 1e-9))
                    fail_msg("%s: %.17g", object, weight);
            }
        }
        world_clear(&w);
    }
}

static double gain_of(const struct backtest_result *r, size_t a, size_t last, size_t lookback)
{
    const double *price = r->panel->price + panel_cell(r->panel, a, 0);
    return price[last] / price[last - lookback] - 1;
}

static void momentum_holds_those_that_rose_most(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r =
        play(&w, "{\"name\":\"momentum\",\"lookback\":40,\"lag\":2,\"top\":2}", NULL, "2010-01-04");
    for (size_t d = 3; d < r->strategy.n; d++) {
        size_t last = r->strategy.decisions[d].session - 2;
        for (size_t a = 0; a < N_ASSETS; a++) {
            size_t n_better = 0;
            for (size_t b = 0; b < N_ASSETS; b++)
                n_better += gain_of(r, b, last, 40) > gain_of(r, a, last, 40) ? 1 : 0;
            assert_true(plan_row(&r->plan, d)[a] == (n_better < 2 ? 0.5 : 0));
        }
    }
    world_clear(&w);
}

static void dual_momentum_is_in_the_safe_asset_unless_something_beats_it(void **state)
{
    struct world w;
    size_t n_safe = 0, n_risky = 0;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(
        &w, "{\"name\":\"dual_momentum\",\"lookback\":40,\"safe\":\"x:C\"}", NULL, "2010-01-04");
    for (size_t d = 3; d < r->strategy.n; d++) {
        size_t last = r->strategy.decisions[d].session, best = 2;
        for (size_t a = 0; a < N_ASSETS; a++)
            best = gain_of(r, a, last, 40) > gain_of(r, best, last, 40) ? a : best;
        assert_true(plan_row(&r->plan, d)[best] == 1);
        n_safe += best == 2 ? 1 : 0;
        n_risky += best == 2 ? 0 : 1;
    }
    assert_true(n_safe > 0 && n_risky > 0);
    r = play(&w, "{\"name\":\"dual_momentum\",\"lookback\":40,\"top\":6}", NULL, "2010-01-04");
    for (size_t d = 3; d < r->strategy.n; d++) {
        for (size_t a = 0; a < N_ASSETS; a++) {
            bool rose = gain_of(r, a, r->strategy.decisions[d].session, 40) > 0;
            assert_true((plan_row(&r->plan, d)[a] > 0) == rose);
        }
    }
    world_clear(&w);
}

static void timing_holds_what_is_above_its_moving_average(void **state)
{
    struct world w;
    size_t n_in = 0, n_out = 0;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r =
        play(&w, "{\"name\":\"moving_average_timing\",\"lookback\":50}", NULL, "2010-01-04");
    for (size_t d = 4; d < r->strategy.n; d++) {
        size_t last = r->strategy.decisions[d].session;
        for (size_t a = 0; a < N_ASSETS; a++) {
            const double *price = r->panel->price + panel_cell(r->panel, a, 0);
            double sum = 0;
            for (size_t t = last - 49; t <= last; t++)
                sum += price[t];
            bool is_in = price[last] > sum / 50;
            assert_true(plan_row(&r->plan, d)[a] == (is_in ? 1.0 / N_ASSETS : 0));
            n_in += is_in ? 1 : 0;
            n_out += is_in ? 0 : 1;
        }
    }
    assert_true(n_in > 10 && n_out > 10);
    world_clear(&w);
}

/* The forecast volatility of every row is the target, or the base is held as it is. */
static void target_volatility_scales_its_base_to_the_target(void **state)
{
    struct world w;
    size_t n_scaled = 0, n_full = 0;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(
        &w, "{\"name\":\"target_volatility\",\"lookback\":40,\"target\":0.075,\"base\":\"equal\"}",
        NULL, "2010-01-04");
    for (size_t d = 3; d < r->strategy.n; d++) {
        double line[41] = {1}, returns[40], invested = plan_invested(&r->plan, d);
        size_t last = r->strategy.decisions[d].session;
        for (size_t t = 1; t <= 40; t++) {
            double gain = 0;
            for (size_t a = 0; a < N_ASSETS; a++) {
                const double *price = r->panel->price + panel_cell(r->panel, a, last - 40 + t);
                gain += (price[0] / price[-1] - 1) / N_ASSETS;
            }
            returns[t - 1] = gain;
            line[t] = line[t - 1] * (1 + gain);
        }
        double volatility = stats_moments(returns, 40).sd * sqrt(252);
        assert_close(invested, fmin(1, 0.075 / volatility), 1e-9);
        assert_close(plan_row(&r->plan, d)[2], invested / N_ASSETS, 1e-12);
        n_scaled += invested < 1 ? 1 : 0;
        n_full += invested < 1 ? 0 : 1;
    }
    assert_true(n_scaled > 0 && n_full > 0);
    world_clear(&w);
}

static void a_weight_table_is_in_force_from_its_dates_on(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(&w, object_of(STRATEGY_WEIGHT_TABLE), NULL, "2010-04-01");
    bool has_row_date = false;
    for (size_t d = 0; d < r->strategy.n; d++) {
        const double *row = plan_row(&r->plan, d);
        int32_t today = r->panel->clock[r->strategy.decisions[d].session];
        bool is_first = today >= day(2010, 5, 1), is_second = today >= day(2011, 2, 12);
        assert_true(row[0] == (is_first && !is_second ? 0.5 : 0));
        assert_true(row[1] == (is_second ? 0.9 : is_first ? 0.25 : 0));
        assert_true(row[2] == (is_second ? 0.1 : 0));
        assert_int_equal(r->strategy.decisions[d].known_at, is_second  ? day(2011, 2, 12)
                                                            : is_first ? day(2010, 5, 1)
                                                                       : DATE_NONE);
        has_row_date = has_row_date || today == day(2011, 2, 14); /* the Monday after */
    }
    assert_true(has_row_date);
    assert_true(r->equity[5] == 10000);
    world_clear(&w);
}

/* A search over the same strategy twice, and over one, is that strategy; the better in sample is taken. */
static void a_search_trades_the_candidate_that_was_best_in_sample(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    const char *momentum = "{\"name\":\"momentum\",\"lookback\":40,\"top\":2}";
    struct backtest_result *alone = play(&w, momentum, NULL, "2010-06-01");
    struct backtest_result *one = play(
        &w,
        "{\"name\":\"walk_forward\",\"candidates\":[{\"name\":\"momentum\",\"lookback\":40,\"top\":2}]}",
        NULL, "2010-06-01");
    assert_memory_equal(alone->equity, one->equity, alone->panel->n_sessions * sizeof(double));
    assert_false(one->strategy.walk.has_trials);

    struct backtest_result *r = play(&w, object_of(STRATEGY_WALK_FORWARD), NULL, "2010-06-01");
    const struct walk_report *walk = &r->strategy.walk;
    assert_int_equal(walk->n_candidates, 4);
    assert_true(walk->n > 8 && walk->has_trials && walk->trials.n_trials == 4);
    size_t n_other = 0;
    for (size_t k = 0; k < walk->n; k++) {
        const struct walk_fit *fit = &walk->fits[k];
        for (size_t c = 0; c < 4; c++)
            assert_true(fit->scores[c] <= fit->in_sample);
        assert_true(fit->scores[fit->chosen] == fit->in_sample);
        assert_true(isfinite(fit->out_of_sample) || k + 1 == walk->n);
        assert_true(k == 0 || fit->session - walk->fits[k - 1].session >= 40);
        assert_true(fit->train_from < r->panel->clock[fit->session]);
        n_other += fit->chosen != walk->fits[0].chosen ? 1 : 0;
    }
    assert_true(n_other > 0);
    world_clear(&w);
}

/* A grid stands for its points, written out in the order of its axes; each of them is a trial. */
static void a_grid_is_the_candidates_at_its_points(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *grid = play(
        &w,
        "{\"name\":\"walk_forward\",\"train\":90,\"test\":40,\"candidates\":[\"equal\"],"
        "\"grid\":{\"strategy\":{\"name\":\"target_volatility\",\"base\":{\"name\":\"momentum\","
        "\"top\":1}},\"axes\":[{\"pointer\":\"/base/lookback\",\"values\":[20,40]},"
        "{\"pointer\":\"/target\",\"from\":0.1,\"to\":0.3,\"step\":0.1}]}}",
        NULL, "2010-06-01");
    struct backtest_result *list = play(
        &w,
        "{\"name\":\"walk_forward\",\"train\":90,\"test\":40,\"candidates\":[\"equal\","
        "{\"name\":\"target_volatility\",\"target\":0.1,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":20}},"
        "{\"name\":\"target_volatility\",\"target\":0.2,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":20}},"
        "{\"name\":\"target_volatility\",\"target\":0.3,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":20}},"
        "{\"name\":\"target_volatility\",\"target\":0.1,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":40}},"
        "{\"name\":\"target_volatility\",\"target\":0.2,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":40}},"
        "{\"name\":\"target_volatility\",\"target\":0.3,\"base\":{\"name\":\"momentum\",\"top\":1,"
        "\"lookback\":40}}]}",
        NULL, "2010-06-01");
    assert_memory_equal(grid->equity, list->equity, grid->panel->n_sessions * sizeof(double));
    assert_int_equal(grid->strategy.walk.n_candidates, 7);
    assert_int_equal(grid->strategy.walk.trials.n_trials, 7);
    const struct strategy *last = grid->spec->model->candidates[6];
    assert_true(last->base->lookback == 40 && last->param[0] > 0.2);
    assert_int_equal(grid->spec->model->candidates[1]->base->lookback, 20);
    world_clear(&w);
}

/* Equal parts from November to April, all in the safe asset in between. */
static void seasons_are_those_of_the_months(void **state)
{
    struct world w;
    size_t n_in = 0;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(&w, object_of(STRATEGY_SEASONAL_TIMING), NULL, "2010-01-04");
    for (size_t d = 0; d < r->strategy.n; d++) {
        int month = date_to_civil(r->panel->clock[r->strategy.decisions[d].session]).month;
        bool is_in = month >= 11 || month <= 4;
        n_in += is_in ? 1 : 0;
        for (size_t a = 0; a < N_ASSETS; a++)
            assert_true(plan_row(&r->plan, d)[a] == (a == 2 ? (is_in ? 0 : 1) : (is_in ? 0.2 : 0)));
    }
    assert_true(n_in > 10 && n_in < r->strategy.n - 6);
    world_clear(&w);
}

/* In the market while the last publication is below 20; the decision says when that was. */
static void signals_are_those_published_by_the_decision(void **state)
{
    struct world w;
    size_t n_in = 0;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(&w, object_of(STRATEGY_INDICATOR_TIMING), NULL, "2010-01-04");
    const struct rate_series *series = w.market.rates;
    for (size_t d = 0; d < r->strategy.n; d++) {
        const struct strategy_decision *decision = &r->strategy.decisions[d];
        size_t known = N_SIGNALS;
        for (size_t i = 0; i < N_SIGNALS; i++)
            known = series->date[i] <= r->panel->clock[decision->session] ? i : known;
        bool is_in = known < N_SIGNALS && series->value[known] < 20;
        n_in += is_in ? 1 : 0;
        assert_int_equal(decision->known_at, known < N_SIGNALS ? series->date[known] : DATE_NONE);
        assert_true(plan_row(&r->plan, d)[2] == (is_in ? 0 : 1));
        assert_true(plan_row(&r->plan, d)[0] == (is_in ? 0.2 : 0));
    }
    assert_true(n_in > 5 && n_in + 5 < r->strategy.n);
    world_clear(&w);
}

/* Inside a search too; one that the market does not have is refused by its place. */
static void signals_of_candidates_are_read(void **state)
{
    struct world w;
    struct err err = {0};
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r = play(
        &w,
        "{\"name\":\"walk_forward\",\"train\":90,\"test\":40,\"candidates\":[\"equal\",{\"name\":"
        "\"indicator_timing\",\"indicator\":\"indicator:PE:USA:M\",\"threshold\":19}]}",
        NULL, "2010-06-01");
    assert_int_equal(r->spec->n_indicators, 1);
    assert_true(r->strategy.n > 20);
    assert_int_equal(
        world_fails(&w,
                    "{\"universe\":[\"x:A\"],\"monkeys\":{\"count\":0},\"strategy\":{\"name\":"
                    "\"indicator_timing\",\"indicator\":\"indicator:NO:USA:M\"}}",
                    &err),
        STATUS_UNKNOWN_ASSET);
    assert_string_equal(err.name, "/strategy/indicator");
    world_clear(&w);
}

/* Decision d of the first eight holds (d + 1) / 8 of what the base wants, cash the rest. */
static void dollar_cost_averaging_goes_in_by_equal_steps(void **state)
{
    struct world w;
    (void)state;
    fill_market(&w, 1);
    struct backtest_result *r =
        play(&w, object_of(STRATEGY_DOLLAR_COST_AVERAGING), NULL, "2010-06-01");
    struct backtest_result *base =
        play(&w, "{\"name\":\"momentum\",\"lookback\":40,\"top\":2}", NULL, "2010-06-01");
    for (size_t d = 0; d < r->strategy.n; d++) {
        double share = d < 8 ? (double)(d + 1) / 8 : 1;
        assert_close(plan_invested(&r->plan, d), share, 1e-12);
        for (size_t a = 0; a < N_ASSETS; a++)
            assert_true(fabs(plan_row(&r->plan, d)[a] - share * plan_row(&base->plan, d)[a]) <
                        1e-12);
    }
    world_clear(&w);
}

/* Mean and covariance of the last 60 returns before a decision. */
static void window_of(const struct backtest_result *r, size_t last, double *mean,
                      double *covariance)
{
    double returns[N_ASSETS * 60];
    for (size_t a = 0; a < N_ASSETS; a++)
        stats_returns(r->panel->price + panel_cell(r->panel, a, last - 60), 61, returns + a * 60);
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, returns,
                        N_ASSETS, 60, mean, covariance);
}

/* With slopes of an objective to be lowered: what is held has the lowest slope, and all of it the same. */
static void check_slopes(const double *weight, const double *slope)
{
    double least = INFINITY, scale = 0;
    for (size_t a = 0; a < N_ASSETS; a++) {
        least = fmin(least, slope[a]);
        scale = fmax(scale, fabs(slope[a]));
    }
    for (size_t a = 0; a < N_ASSETS; a++)
        assert_true(!(weight[a] > 1e-9) || slope[a] - least < 1e-6 * scale);
}

/* Optimality of long-only weights with sum 1: the conditions of Karush, Kuhn and Tucker on the same windows. */
static void optimisers_meet_their_conditions(void **state)
{
    static const enum strategy_id ids[] = {STRATEGY_MEAN_VARIANCE, STRATEGY_MAXIMUM_DIVERSIFICATION,
                                           STRATEGY_TARGET_RETURN};
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(ids); k++) {
        struct world w;
        double mean[N_ASSETS], covariance[N_ASSETS * N_ASSETS], slope[N_ASSETS];
        size_t n_checked = 0;
        fill_market(&w, 2);
        struct backtest_result *r = play(&w, object_of(ids[k]), NULL, "2010-06-01");
        for (size_t d = 0; d < r->strategy.n; d++) {
            size_t last = r->strategy.decisions[d].session;
            const double *row = plan_row(&r->plan, d);
            double gain = 0;
            if (last < 60 || r->strategy.decisions[d].note != NOTE_NONE)
                continue;
            n_checked++;
            window_of(r, last, mean, covariance);
            covariance_times(covariance, N_ASSETS, row, slope);
            for (size_t a = 0; a < N_ASSETS; a++)
                gain += row[a] * mean[a] * 252;
            for (size_t a = 0; a < N_ASSETS && ids[k] == STRATEGY_MEAN_VARIANCE; a++)
                slope[a] = 4 * slope[a] - mean[a];
            for (size_t a = 0; a < N_ASSETS && ids[k] == STRATEGY_MAXIMUM_DIVERSIFICATION; a++)
                slope[a] /= sqrt(covariance[a * N_ASSETS + a]);
            if (ids[k] == STRATEGY_TARGET_RETURN) {
                assert_true(gain > 0.1 - 1e-9);
                if (gain > 0.1 + 1e-9)
                    check_slopes(row, slope); /* the return does not bind: least variance */
                continue;
            }
            check_slopes(row, slope);
        }
        assert_true(n_checked > 10);
        world_clear(&w);
    }
}

/* Of 2,000 portfolios that have the return, none has less variance than target_return. */
static void no_portfolio_with_the_return_has_less_variance(void **state)
{
    struct world w;
    struct rng rng;
    double mean[N_ASSETS], covariance[N_ASSETS * N_ASSETS], other[N_ASSETS];
    size_t n_bound = 0;
    (void)state;
    fill_market(&w, 2);
    rng_init(&rng, 4, 4);
    struct backtest_result *r = play(&w, object_of(STRATEGY_TARGET_RETURN), NULL, "2010-06-01");
    for (size_t d = 0; d < r->strategy.n; d++) {
        size_t last = r->strategy.decisions[d].session;
        if (last < 60 || r->strategy.decisions[d].note != NOTE_NONE)
            continue;
        window_of(r, last, mean, covariance);
        double least = covariance_variance(covariance, N_ASSETS, plan_row(&r->plan, d));
        for (size_t i = 0; i < 2000; i++) {
            double sum = 0, gain = 0;
            for (size_t a = 0; a < N_ASSETS; a++) {
                other[a] = -elementary_log(1 - rng_next_unit(&rng));
                sum += other[a];
            }
            for (size_t a = 0; a < N_ASSETS; a++) {
                other[a] /= sum;
                gain += other[a] * mean[a] * 252;
            }
            n_bound += gain >= 0.1 ? 1 : 0;
            assert_true(gain < 0.1 ||
                        covariance_variance(covariance, N_ASSETS, other) >= least * (1 - 1e-9));
        }
    }
    assert_true(n_bound > 1000);
    world_clear(&w);
}

/* Nothing outside the best three; inside, no weight can be moved to another for less variance. */
static void adaptive_allocation_is_the_least_variance_of_the_best(void **state)
{
    struct world w;
    double returns[N_ASSETS * 60], mean[N_ASSETS], covariance[N_ASSETS * N_ASSETS], slope[N_ASSETS];
    (void)state;
    fill_market(&w, 2);
    struct backtest_result *r =
        play(&w, object_of(STRATEGY_ADAPTIVE_ALLOCATION), NULL, "2010-06-01");
    for (size_t d = 0; d < r->strategy.n; d++) {
        size_t last = r->strategy.decisions[d].session;
        const double *row = plan_row(&r->plan, d);
        double least = INFINITY;
        if (r->strategy.decisions[d].note != NOTE_NONE || last < 60)
            continue; /* the window reaches before the run's own sessions */
        for (size_t a = 0; a < N_ASSETS; a++)
            stats_returns(r->panel->price + panel_cell(r->panel, a, last - 60), 61,
                          returns + a * 60);
        covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, &kernels_ref, returns,
                            N_ASSETS, 60, mean, covariance);
        covariance_times(covariance, N_ASSETS, row, slope);
        for (size_t a = 0; a < N_ASSETS; a++) {
            size_t n_better = 0;
            for (size_t b = 0; b < N_ASSETS; b++)
                n_better += gain_of(r, b, last, 60) > gain_of(r, a, last, 60) ? 1 : 0;
            assert_true(n_better < 3 || !(row[a] > 0));
            least = n_better < 3 ? fmin(least, slope[a]) : least;
        }
        for (size_t a = 0; a < N_ASSETS; a++)
            assert_true(!(row[a] > 1e-9) || slope[a] < least * (1 + 1e-6) + 1e-15);
    }
    world_clear(&w);
}

static void a_name_alone_takes_every_default(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        char body[256];
        const struct strategy_kind *kind = strategy_kinds[id];
        if (kind->needs == 0 || kind->needs & STRATEGY_OBJECT_ONLY)
            continue;
        (void)snprintf(body, sizeof body,
                       "{\"universe\":[\"x:A\",\"x:B\"],\"benchmark\":\"x:C\",\"strategy\":\"%s\"}",
                       kind->name);
        struct spec *spec = world_spec(&w, body);
        assert_int_equal(spec->strategy, id);
        assert_ptr_equal(spec->model->kind, kind);
        assert_int_equal(spec->model->lookback, kind->standard_lookback);
        assert_int_equal(spec->model->lag, 0);
        for (size_t i = 0; i < kind->n_params; i++)
            assert_true(number_is_same(spec->model->param[i], kind->params[i].standard));
    }
    world_clear(&w);
}

struct refusal {
    const char *strategy;
    enum status status;
    const char *pointer;
};

static const struct refusal refusals[] = {
    {"7", STATUS_WRONG_TYPE, "/strategy"},
    {"\"inverse_volatilty\"", STATUS_OUT_OF_RANGE, "/strategy"},
    {"{}", STATUS_WRONG_TYPE, "/strategy/name"},
    {"{\"name\":\"none\"}", STATUS_OUT_OF_RANGE, "/strategy/name"},
    {"{\"name\":\"equal\",\"lookback\":5}", STATUS_UNKNOWN_FIELD, "/strategy/lookback"},
    {"{\"name\":\"inverse_volatility\",\"lookback\":1}", STATUS_OUT_OF_RANGE, "/strategy/lookback"},
    {"{\"name\":\"inverse_volatility\",\"lookback\":2521}", STATUS_OUT_OF_RANGE,
     "/strategy/lookback"},
    {"{\"name\":\"inverse_volatility\",\"lag\":-1}", STATUS_OUT_OF_RANGE, "/strategy/lag"},
    {"{\"name\":\"inverse_volatility\",\"fallback\":\"wait\"}", STATUS_OUT_OF_RANGE,
     "/strategy/fallback"},
    {"{\"name\":\"inverse_volatility\",\"covariance\":\"robust\"}", STATUS_OUT_OF_RANGE,
     "/strategy/covariance"},
    {"{\"name\":\"inverse_volatility\",\"decay\":0.9}", STATUS_BAD_SPEC, "/strategy/decay"},
    {"{\"name\":\"inverse_volatility\",\"covariance\":\"ewma\",\"decay\":1}", STATUS_OUT_OF_RANGE,
     "/strategy/decay"},
    {"{\"name\":\"momentum\",\"top\":0}", STATUS_OUT_OF_RANGE, "/strategy/top"},
    {"\"walk_forward\"", STATUS_BAD_SPEC, "/strategy"},
    {"\"minimum_tracking_error\"", STATUS_BAD_SPEC, "/strategy"},
    {"{\"name\":\"target_volatility\",\"base\":\"maximum_information_ratio\"}", STATUS_BAD_SPEC,
     "/strategy/base"},
    {"{\"name\":\"maximum_omega\",\"acceptable_return\":-1}", STATUS_OUT_OF_RANGE,
     "/strategy/acceptable_return"},
    {"{\"name\":\"maximum_return\",\"most_volatility\":20}", STATUS_OUT_OF_RANGE,
     "/strategy/most_volatility"},
    {"{\"name\":\"target_volatility\"}", STATUS_WRONG_TYPE, "/strategy/base"},
    {"{\"name\":\"target_volatility\",\"base\":\"buy_and_hold\"}", STATUS_BAD_SPEC,
     "/strategy/base"},
    {"{\"name\":\"target_volatility\",\"base\":\"fixed\"}", STATUS_BAD_WEIGHTS, "/strategy/base"},
    {"{\"name\":\"target_volatility\",\"base\":{\"name\":\"target_volatility\",\"base\":\"equal\"}}",
     STATUS_BAD_SPEC, "/strategy/base"},
    {"{\"name\":\"target_volatility\",\"base\":\"equal\",\"max_leverage\":2}", STATUS_BAD_SPEC,
     "/strategy/max_leverage"},
    {"{\"name\":\"target_volatility\",\"base\":{\"name\":\"momentum\",\"top\":0}}",
     STATUS_OUT_OF_RANGE, "/strategy/base/top"},
    {"{\"name\":\"weight_table\",\"rows\":[]}", STATUS_OUT_OF_RANGE, "/strategy/rows"},
    {"{\"name\":\"weight_table\",\"rows\":[{\"date\":\"2020-01-01\",\"weights\":{\"x:Z\":1}}]}",
     STATUS_BAD_SPEC, "/strategy/rows/0/weights/x:Z"},
    {"{\"name\":\"weight_table\",\"rows\":[{\"date\":\"2020-01-01\",\"weights\":{\"x:A\":0.7,"
     "\"x:B\":0.7}}]}",
     STATUS_BAD_WEIGHTS, "/strategy/rows/0/weights"},
    {"{\"name\":\"weight_table\",\"rows\":[{\"date\":\"2020-01-02\",\"weights\":{}},{\"date\":"
     "\"2020-01-02\",\"weights\":{}}]}",
     STATUS_BAD_SPEC, "/strategy/rows/1/date"},
    {"{\"name\":\"walk_forward\",\"candidates\":[]}", STATUS_OUT_OF_RANGE, "/strategy/candidates"},
    {"{\"name\":\"walk_forward\",\"candidates\":[\"equal\",{\"name\":\"walk_forward\",\"candidates\":["
     "\"equal\"]}]}",
     STATUS_BAD_SPEC, "/strategy/candidates/1"},
    {"{\"name\":\"walk_forward\"}", STATUS_WRONG_TYPE, "/strategy/candidates"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":\"momentum\"}}", STATUS_WRONG_TYPE,
     "/strategy/grid/axes"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":\"momentum\",\"axes\":[{\"pointer\":"
     "\"/lookback\",\"values\":[20,1.5]}]}}",
     STATUS_OUT_OF_RANGE, "/strategy/grid/axes/0/values/1"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":\"momentum\",\"axes\":[{\"pointer\":"
     "\"/lookback\",\"from\":2600,\"to\":2700,\"step\":100}]}}",
     STATUS_OUT_OF_RANGE, "/strategy/grid/axes/0"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":\"momentum\",\"axes\":[{\"pointer\":"
     "\"/decay\",\"values\":[0.9]}]}}",
     STATUS_BAD_SPEC, "/strategy/grid/axes/0/pointer"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":\"momentum\",\"axes\":[{\"pointer\":"
     "\"/top\",\"values\":[1]},{\"pointer\":\"/top\",\"values\":[2]}]}}",
     STATUS_BAD_SPEC, "/strategy/grid/axes/1/pointer"},
    {"{\"name\":\"walk_forward\",\"candidates\":[\"equal\"],\"grid\":{\"strategy\":\"momentum\","
     "\"axes\":[{\"pointer\":\"/lookback\",\"from\":10,\"to\":137,\"step\":1},{\"pointer\":\"/top\","
     "\"values\":[1,2]}]}}",
     STATUS_TOO_LARGE, "/strategy/grid/axes"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":{\"name\":\"target_volatility\",\"base\":"
     "\"equal\"},\"axes\":[{\"pointer\":\"/max_leverage\",\"values\":[1,2]}]}}",
     STATUS_BAD_SPEC, "/strategy/grid/axes"},
    {"{\"name\":\"walk_forward\",\"grid\":{\"strategy\":{\"name\":\"walk_forward\",\"candidates\":["
     "\"equal\"]},\"axes\":[]}}",
     STATUS_BAD_SPEC, "/strategy/grid/strategy"},
    {"{\"name\":\"walk_forward\",\"train\":5,\"candidates\":[\"equal\"]}", STATUS_OUT_OF_RANGE,
     "/strategy/train"},
    {"{\"name\":\"dollar_cost_averaging\",\"base\":{\"name\":\"target_volatility\",\"base\":"
     "\"equal\"}}",
     STATUS_BAD_SPEC, "/strategy/base"},
    {"{\"name\":\"dollar_cost_averaging\",\"periods\":1,\"base\":\"equal\"}", STATUS_OUT_OF_RANGE,
     "/strategy/periods"},
    {"{\"name\":\"walk_forward\",\"candidates\":[{\"name\":\"dollar_cost_averaging\",\"base\":"
     "\"equal\"}]}",
     STATUS_BAD_SPEC, "/strategy/candidates/0"},
    {"{\"name\":\"seasonal_timing\",\"from_month\":13}", STATUS_OUT_OF_RANGE,
     "/strategy/from_month"},
    {"{\"name\":\"seasonal_timing\",\"lookback\":13}", STATUS_UNKNOWN_FIELD, "/strategy/lookback"},
    {"\"indicator_timing\"", STATUS_BAD_SPEC, "/strategy"},
    {"{\"name\":\"indicator_timing\"}", STATUS_WRONG_TYPE, "/strategy/indicator"},
    {"{\"name\":\"indicator_timing\",\"indicator\":\"CPI\"}", STATUS_WRONG_TYPE,
     "/strategy/indicator"},
    {"{\"name\":\"indicator_timing\",\"indicator\":\"indicator:PE:USA:M\",\"when\":\"equal\"}",
     STATUS_OUT_OF_RANGE, "/strategy/when"},
    {"{\"name\":\"minimum_cvar\",\"confidence\":95}", STATUS_OUT_OF_RANGE, "/strategy/confidence"},
    {"{\"name\":\"black_litterman\",\"views\":{}}", STATUS_WRONG_TYPE, "/strategy/views"},
    {"{\"name\":\"black_litterman\",\"views\":[{\"return\":0.1}]}", STATUS_WRONG_TYPE,
     "/strategy/views/0/assets"},
    {"{\"name\":\"black_litterman\",\"views\":[{\"assets\":{\"x:A\":1}}]}", STATUS_WRONG_TYPE,
     "/strategy/views/0/return"},
    {"{\"name\":\"black_litterman\",\"views\":[{\"assets\":{\"x:Z\":1},\"return\":0.1}]}",
     STATUS_BAD_SPEC, "/strategy/views/0/assets/x:Z"},
    {"{\"name\":\"black_litterman\",\"views\":[{\"assets\":{\"x:A\":0},\"return\":0.1}]}",
     STATUS_BAD_SPEC, "/strategy/views/0/assets"},
    {"{\"name\":\"black_litterman\",\"views\":[{\"assets\":{\"x:A\":1},\"return\":0.1,"
     "\"confidence\":0}]}",
     STATUS_OUT_OF_RANGE, "/strategy/views/0/confidence"},
    {"{\"name\":\"black_litterman\",\"market\":{\"x:A\":-1}}", STATUS_OUT_OF_RANGE,
     "/strategy/market/x:A"},
    {"{\"name\":\"momentum\",\"safe\":\"x:A\"}", STATUS_UNKNOWN_FIELD, "/strategy/safe"},
    {"{\"name\":\"dual_momentum\",\"safe\":\"x:Z\"}", STATUS_BAD_SPEC, "/strategy/safe"},
    {"{\"name\":\"hierarchical_risk_parity\",\"linkage\":\"centroid\"}", STATUS_OUT_OF_RANGE,
     "/strategy/linkage"},
    {"{\"name\":\"hierarchical_equal_risk_contribution\",\"clusters\":0}", STATUS_OUT_OF_RANGE,
     "/strategy/clusters"},
    {"{\"name\":\"hierarchical_equal_risk_contribution\",\"risk_measure\":\"cvar\"}",
     STATUS_OUT_OF_RANGE, "/strategy/risk_measure"},
    {"{\"name\":\"nested_clustered_optimization\",\"objective\":\"momentum\"}", STATUS_OUT_OF_RANGE,
     "/strategy/objective"},
    {"{\"name\":\"momentum\",\"constraints\":{\"max\":1}}", STATUS_UNKNOWN_FIELD,
     "/strategy/constraints/max"},
    {"{\"name\":\"momentum\",\"constraints\":{\"max_weight\":0.4}}", STATUS_BAD_SPEC,
     "/strategy/constraints/max_weight"},
    {"{\"name\":\"momentum\",\"constraints\":{\"min_weight\":0.6}}", STATUS_BAD_SPEC,
     "/strategy/constraints/min_weight"},
    {"{\"name\":\"momentum\",\"constraints\":{\"min_weight\":-0.1}}", STATUS_OUT_OF_RANGE,
     "/strategy/constraints/min_weight"},
    {"{\"name\":\"momentum\",\"constraints\":{\"max_gross\":0.9}}", STATUS_OUT_OF_RANGE,
     "/strategy/constraints/max_gross"},
    {"{\"name\":\"momentum\",\"constraints\":{\"groups\":[]}}", STATUS_WRONG_TYPE,
     "/strategy/constraints/groups"},
    {"{\"name\":\"momentum\",\"constraints\":{\"groups\":{\"none\":{\"max\":0.5}}}}",
     STATUS_BAD_SPEC, "/strategy/constraints/groups/none"},
};

static void wrong_parameters_name_the_place_and_what_is_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        char body[1024];
        world_init(&w);
        (void)snprintf(body, sizeof body, "{\"universe\":[\"x:A\",\"x:B\"],\"strategy\":%s}",
                       c->strategy);
        enum status s = spec_parse(str_of(body), &w.arena, &spec, &err);
        if (s != c->status || strcmp(err.name, c->pointer) != 0 || err.allowed[0] == '\0')
            fail_msg("%s gave %s \"%s\" at %s (allowed: %s)", c->strategy, status_name(s),
                     err.detail, err.name, err.allowed);
        world_clear(&w);
    }
}

static void too_many_assets_for_a_strategy_are_refused(void **state)
{
    static const struct {
        const char *name, *most;
        size_t n;
    } cases[] = {{"minimum_cvar", "at most 100", 101},
                 {"minimum_edar", "at most 50", 51},
                 {"maximum_omega", "at most 50", 51}};
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        char body[4096];
        world_init(&w);
        int at = snprintf(body, sizeof body, "{\"strategy\":\"%s\",\"universe\":[", cases[k].name);
        for (size_t i = 0; i < cases[k].n; i++)
            at +=
                snprintf(body + at, sizeof body - (size_t)at, "%s\"x:N%zu\"", i > 0 ? "," : "", i);
        (void)snprintf(body + at, sizeof body - (size_t)at, "]}");
        assert_int_equal(spec_parse(str_of(body), &w.arena, &spec, &err), STATUS_BAD_SPEC);
        assert_string_equal(err.name, "/strategy");
        assert_non_null(strstr(err.allowed, cases[k].most));
        world_clear(&w);
    }
}

static const struct refusal asset_refusals[] = {
    {"{\"assets\":[{\"uid\":\"x:A\",\"max_weight\":0.5}]}", STATUS_BAD_SPEC,
     "/assets/0/max_weight"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"min_weight\":-0.5}],\"strategy\":\"momentum\"}",
     STATUS_BAD_SPEC, "/assets/0/min_weight"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"min_weight\":0.5,\"max_weight\":0.2},{\"uid\":\"x:B\"}],"
     "\"strategy\":\"momentum\"}",
     STATUS_BAD_SPEC, "/assets/0/max_weight"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"min_weight\":0.5,\"group\":\"g\"},{\"uid\":\"x:B\"}],"
     "\"strategy\":{\"name\":\"momentum\",\"constraints\":{\"groups\":{\"g\":{\"max\":0.4}}}}}",
     STATUS_BAD_SPEC, "/strategy/constraints/groups/g"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"max_weight\":-0.5},{\"uid\":\"x:B\",\"max_weight\":2}],"
     "\"strategy\":{\"name\":\"momentum\",\"constraints\":{\"long_only\":false,\"max_gross\":1.5}}}",
     STATUS_BAD_SPEC, "/strategy/constraints/max_gross"},
    {"{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"}],"
     "\"strategy\":{\"name\":\"momentum\",\"constraints\":{\"long_only\":false}}}",
     STATUS_BAD_SPEC, "/strategy/constraints/long_only"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"weight\":1}],\"strategy\":\"momentum\"}", STATUS_BAD_WEIGHTS,
     "/assets/0/weight"},
    {"{\"assets\":[{\"uid\":\"x:A\",\"group\":\"\"}]}", STATUS_OUT_OF_RANGE, "/assets/0/group"},
};

static void limits_of_assets_that_cannot_be_kept_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asset_refusals); i++) {
        const struct refusal *c = &asset_refusals[i];
        struct world w;
        struct spec *spec = NULL;
        struct err err = {0};
        world_init(&w);
        enum status s = spec_parse(str_of(c->strategy), &w.arena, &spec, &err);
        if (s != c->status || strcmp(err.name, c->pointer) != 0 || err.allowed[0] == '\0')
            fail_msg("%s gave %s \"%s\" at %s (allowed: %s)", c->strategy, status_name(s),
                     err.detail, err.name, err.allowed);
        world_clear(&w);
    }
}

static void canonical_form_of_every_strategy_parses_to_itself(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    for (size_t id = 0; id < STRATEGY_COUNT; id++) {
        char body[2048];
        struct buf first, second;
        struct json_out json;
        if (object_of((enum strategy_id)id) == NULL)
            continue;
        (void)snprintf(body, sizeof body,
                       "{\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\",\"x:E\",\"x:F\"],"
                       "\"benchmark\":\"x:A\",\"strategy\":%s,\"leverage\":{\"max_gross\":3}}",
                       object_of((enum strategy_id)id));
        buf_init(&first, &w.arena, 1 << 16);
        buf_init(&second, &w.arena, 1 << 16);
        jw_init(&json, &first);
        spec_canonical(world_spec(&w, body), &json);
        char *text = arena_dup(&w.arena, buf_str(&first));
        assert_non_null(text);
        jw_init(&json, &second);
        spec_canonical(world_spec(&w, text), &json);
        if (!str_eq(buf_str(&first), buf_str(&second)))
            fail_msg("%s\n%.*s", text, STR_ARG(buf_str(&second)));
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_strategy_of_the_table_is_played_here),
        cmocka_unit_test(corrupting_the_future_moves_no_weight_before_it),
        cmocka_unit_test(order_of_the_assets_does_not_matter_to_any_strategy),
        cmocka_unit_test(weights_of_every_strategy_are_finite_and_add_up_to_what_is_invested),
        cmocka_unit_test(a_decision_says_what_it_knew),
        cmocka_unit_test(prices_before_the_start_are_history),
        cmocka_unit_test(fallback_to_cash_holds_cash),
        cmocka_unit_test(inverse_volatility_is_one_over_the_deviation_of_the_window),
        cmocka_unit_test(what_is_gone_or_stands_still_gets_nothing),
        cmocka_unit_test(every_strategy_keeps_the_limits),
        cmocka_unit_test(momentum_holds_those_that_rose_most),
        cmocka_unit_test(too_many_assets_for_a_strategy_are_refused),
        cmocka_unit_test(signals_are_those_published_by_the_decision),
        cmocka_unit_test(signals_of_candidates_are_read),
        cmocka_unit_test(optimisers_meet_their_conditions),
        cmocka_unit_test(no_portfolio_with_the_return_has_less_variance),
        cmocka_unit_test(seasons_are_those_of_the_months),
        cmocka_unit_test(dollar_cost_averaging_goes_in_by_equal_steps),
        cmocka_unit_test(adaptive_allocation_is_the_least_variance_of_the_best),
        cmocka_unit_test(dual_momentum_is_in_the_safe_asset_unless_something_beats_it),
        cmocka_unit_test(timing_holds_what_is_above_its_moving_average),
        cmocka_unit_test(target_volatility_scales_its_base_to_the_target),
        cmocka_unit_test(a_weight_table_is_in_force_from_its_dates_on),
        cmocka_unit_test(a_search_trades_the_candidate_that_was_best_in_sample),
        cmocka_unit_test(a_grid_is_the_candidates_at_its_points),
        cmocka_unit_test(a_name_alone_takes_every_default),
        cmocka_unit_test(wrong_parameters_name_the_place_and_what_is_allowed),
        cmocka_unit_test(limits_of_assets_that_cannot_be_kept_are_refused),
        cmocka_unit_test(canonical_form_of_every_strategy_parses_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
