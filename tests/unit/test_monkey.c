/* test_monkey.c - random portfolios: fair draws, the strategy's rules, the same alone or in a batch. */
#include "tests/support/rounds.h"
#include "tests/unit/test_backtest_world.h"

#include "backtest/batch.h"
#include "backtest/schedule.h"
#include "backtest/stats.h"

enum { N_SERIES = 12 };

static const char *const names[N_SERIES] = {"x:A", "x:B", "x:C", "x:D", "x:E", "x:F",
                                            "x:G", "x:H", "x:I", "x:J", "x:K", "x:L"};
static const char *const body =
    "{\"assets\":[{\"uid\":\"x:B\",\"weight\":0.5},{\"uid\":\"x:D\",\"weight\":0.3},{\"uid\":\"x:K\","
    "\"weight\":0.1}],\"on_weight_sum\":\"cash\",\"universe\":[\"x:A\",\"x:B\",\"x:C\",\"x:D\",\"x:E\","
    "\"x:F\",\"x:G\",\"x:H\",\"x:I\",\"x:J\",\"x:K\",\"x:L\"],\"rebalance\":\"weekly\",\"costs\":{"
    "\"commission_bps\":7},\"monkeys\":{\"count\":40,\"seed\":11}}";

struct game {
    struct world w;
    struct panel *panel;
    struct sim_rules rules;
    struct monkey_game game;
};

/* Begins the game of a request, with the rules that are there. */
static void begin_game(struct game *g, struct spec *spec)
{
    struct err err = {0};
    assert_int_equal(
        monkey_game_init(&g->game, g->panel, spec, &g->rules, 252, NULL, &g->w.arena, &err),
        STATUS_OK);
    assert_int_equal(monkey_game_open(&g->game, &g->w.arena, &err), STATUS_OK);
}

static void begin_game_of(struct game *g, const char *json)
{
    struct spec *spec = world_spec(&g->w, json);
    g->panel = world_panel_of(&g->w, spec);
    begin_game(g, spec);
}

static void set_up(struct game *g)
{
    g->rules = (struct sim_rules){0};
    world_init(&g->w);
    for (size_t i = 0; i < N_SERIES; i++)
        (void)world_add_walk(&g->w, names[i], day(2015, 1, 1), 300, i, 0);
    struct spec *spec = world_spec(&g->w, body);
    g->panel = world_panel_of(&g->w, spec);
    uint32_t *due = arena_array(&g->w.arena, g->panel->n_sessions, sizeof *due);
    assert_non_null(due);
    schedule_build(&spec->rebalance, &g->panel->calendar, due, &g->rules.n_due);
    g->rules.due = due;
    g->rules.capital = 10000;
    g->rules.costs.commission.percent = 7e-4;
    begin_game(g, spec);
}

/* Conformance case monkey.percentile (derived). */
static void rank_counts_ties_half_and_never_gives_a_p_of_zero(void **state)
{
    static const double m[] = {0.1, 0.5, 0.9, 1.2, 0.3, 0.7, 0.8, 1.0, 0.2, 0.4};
    (void)state;
    struct monkey_rank r = monkey_rank(0.9, m, 10);
    assert_close(r.p_value, 0.36363636363636365, 1e-15);
    assert_close(r.percentile, 0.75, 1e-15);
    r = monkey_rank(9, m, 10);
    assert_close(r.p_value, 1.0 / 11, 1e-15);
    assert_close(r.percentile, 1, 0);
    assert_close(monkey_rank(-9, m, 10).p_value, 1, 0);
}

static void monkey_is_the_same_alone_or_in_a_batch(void **state)
{
    struct game batch, single;
    struct monkey_score scores[40], alone;
    (void)state;
    set_up(&batch);
    for (size_t i = 0; i < 40; i += 8)
        assert_int_equal(monkey_play(&batch.game, i, 8, NULL, &scores[i], NULL), STATUS_OK);
    for (size_t i = 40; i-- > 0;) {
        set_up(&single);
        assert_int_equal(monkey_play(&single.game, i, 1, NULL, &alone, NULL), STATUS_OK);
        assert_memory_equal(&alone, &scores[i], sizeof alone);
        world_clear(&single.w);
    }
    world_clear(&batch.w);
}

static void monkey_holds_as_many_names_and_as_much_cash_as_the_strategy(void **state)
{
    struct game g;
    struct monkey_score score;
    (void)state;
    set_up(&g);
    assert_int_equal(g.game.n_names, 3);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        double sum = 0;
        for (size_t k = 0; k < 3; k++) {
            sum += g.game.weight[k];
            assert_true(g.game.weight[k] > 0);
            assert_true(g.game.asset[k] < g.panel->n_assets);
            assert_true(k == 0 || g.game.asset[k] > g.game.asset[k - 1]);
        }
        assert_close(sum, 0.9, 1e-14);
    }
    world_clear(&g.w);
}

static void every_name_is_drawn_equally_often_with_equal_weight(void **state)
{
    struct game g;
    struct monkey_score score;
    double count[N_SERIES] = {0}, weight[N_SERIES] = {0};
    (void)state;
    set_up(&g);
    for (size_t i = 0; i < 4000; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        for (size_t k = 0; k < 3; k++) {
            count[g.game.asset[k]] += 1;
            weight[g.game.asset[k]] += g.game.weight[k];
        }
    }
    for (size_t a = 0; a < N_SERIES; a++) {
        assert_true(count[a] > 880 && count[a] < 1120); /* 1000 expected, sd 27 */
        assert_true(weight[a] / count[a] > 0.27 && weight[a] / count[a] < 0.33); /* 0.3 */
    }
    world_clear(&g.w);
}

/* A monkey's simulation is the strategy's: asking for its portfolio gives its equity bit for bit. */
static void monkey_plays_by_the_strategy_s_rules(void **state)
{
    struct game g;
    struct monkey_score score;
    char text[1024];
    (void)state;
    set_up(&g);
    assert_int_equal(monkey_play(&g.game, 3, 1, NULL, &score, NULL), STATUS_OK);
    int at = snprintf(text, sizeof text, "{\"assets\":[");
    for (size_t k = 0; k < 3; k++) {
        struct str uid = g.panel->assets[g.game.asset[k]].series->uid;
        at += snprintf(text + at, sizeof text - (size_t)at, "%s{\"uid\":\"%.*s\",\"weight\":%.17g}",
                       k > 0 ? "," : "", STR_ARG(uid), g.game.weight[k]);
    }
    (void)snprintf(text + at, sizeof text - (size_t)at,
                   "],\"on_weight_sum\":\"cash\",\"rebalance\":\"weekly\",\"costs\":{"
                   "\"commission_bps\":7},\"monkeys\":{\"count\":0}}");
    struct backtest_result *r = world_run(&g.w, text);
    for (size_t t = 0; t < g.panel->n_sessions; t++)
        assert_close(r->equity[t], g.game.workspace->equity[0][t], 1e-13);
    assert_close(r->measures[MEASURE_cagr].value, score.value[MONKEY_CAGR], 1e-11);
    assert_close(r->measures[MEASURE_sharpe].value, score.value[MONKEY_SHARPE], 1e-11);
    assert_close(r->measures[MEASURE_max_drawdown].value, score.value[MONKEY_MAX_DRAWDOWN], 1e-11);
    world_clear(&g.w);
}

static void strategy_scores_equal_its_measures(void **state)
{
    struct game g;
    (void)state;
    set_up(&g);
    struct backtest_result *r = world_run(&g.w, body);
    assert_true(r->monkeys.row[MONKEY_SHARPE].strategy == r->measures[MEASURE_sharpe].value);
    assert_true(r->monkeys.row[MONKEY_CAGR].strategy == r->measures[MEASURE_cagr].value);
    assert_true(r->monkeys.row[MONKEY_MAX_DRAWDOWN].strategy ==
                r->measures[MEASURE_max_drawdown].value);
    assert_int_equal(r->monkeys.row[MONKEY_CAGR].n, 40);
    for (size_t q = 1; q < MONKEY_QUANTILE_COUNT; q++)
        assert_true(r->monkeys.row[MONKEY_CAGR].quantile[q] >=
                    r->monkeys.row[MONKEY_CAGR].quantile[q - 1]);
    world_clear(&g.w);
}

/* Largest distance between the distribution of p and the uniform one. */
static double kolmogorov_smirnov(const double *p, size_t n)
{
    double distance = 0;
    for (size_t i = 0; i < n; i++) {
        double below = 0;
        for (size_t k = 0; k < n; k++)
            below += p[k] <= p[i] ? 1 : 0;
        distance = fmax(distance, fabs(below / (double)n - p[i]));
    }
    return distance;
}

/* When the strategy is itself a monkey its p-value is uniform: 1,000 of them, every statistic. */
static void assert_p_values_are_uniform(struct game *g)
{
    enum { PLAYERS = 1000, CROWD = 99 };
    static double crowd[MONKEY_STATISTIC_COUNT][CROWD], p[MONKEY_STATISTIC_COUNT][PLAYERS];
    struct monkey_score player, score;
    size_t index = 0, n = rounds_of(PLAYERS);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(monkey_play(&g->game, index++, 1, NULL, &player, NULL), STATUS_OK);
        for (size_t k = 0; k < CROWD; k++) {
            assert_int_equal(monkey_play(&g->game, index++, 1, NULL, &score, NULL), STATUS_OK);
            for (size_t q = 0; q < MONKEY_STATISTIC_COUNT; q++)
                crowd[q][k] = score.value[q];
        }
        for (size_t q = 0; q < MONKEY_STATISTIC_COUNT; q++)
            p[q][i] = monkey_rank(player.value[q], crowd[q], CROWD).p_value;
    }
    for (size_t q = 0; q < MONKEY_STATISTIC_COUNT; q++)
        assert_true(kolmogorov_smirnov(p[q], n) < 1.628 / sqrt((double)n)); /* p > 0.01 */
}

static void p_values_of_monkeys_among_monkeys_are_uniform(void **state)
{
    struct game g;
    (void)state;
    set_up(&g);
    assert_p_values_are_uniform(&g);
    world_clear(&g.w);
}

/* What chose its names knowing how they ended is told from chance; the reverse is told too. */
static void hindsight_gets_a_small_p_value_and_bad_luck_a_large_one(void **state)
{
    struct world w;
    char text[1024];
    (void)state;
    world_init(&w);
    double end[N_SERIES];
    for (size_t i = 0; i < N_SERIES; i++) {
        struct price_series *s = world_add_walk(&w, names[i], day(2015, 1, 1), 300, i, 0);
        end[i] = s->price[s->n - 1] / s->price[0];
    }
    for (int best = 1; best >= 0; best--) {
        bool is_used[N_SERIES] = {false};
        int at = snprintf(text, sizeof text, "{\"assets\":[");
        for (size_t k = 0; k < 3; k++) {
            size_t pick = N_SERIES;
            for (size_t i = 0; i < N_SERIES; i++) {
                bool is_better =
                    pick == N_SERIES || (best ? end[i] > end[pick] : end[i] < end[pick]);
                pick = !is_used[i] && is_better ? i : pick;
            }
            is_used[pick] = true;
            at += snprintf(text + at, sizeof text - (size_t)at, "%s{\"uid\":\"%s\"}",
                           k > 0 ? "," : "", names[pick]);
        }
        at += snprintf(text + at, sizeof text - (size_t)at,
                       "],\"rebalance\":\"weekly\",\"universe\":[");
        for (size_t i = 0; i < N_SERIES; i++)
            at += snprintf(text + at, sizeof text - (size_t)at, "%s\"%s\"", i > 0 ? "," : "",
                           names[i]);
        (void)snprintf(text + at, sizeof text - (size_t)at, "],\"monkeys\":{\"count\":999}}");
        struct backtest_result *r = world_run(&w, text);
        const struct monkey_rank *cagr = &r->monkeys.row[MONKEY_CAGR].rank;
        assert_true(best ? cagr->p_value < 0.05 : cagr->p_value > 0.95);
        assert_true(best ? cagr->percentile > 0.95 : cagr->percentile < 0.05);
    }
    world_clear(&w);
}

/* A kept crowd stands in for the monkeys of any strategy of the same shape, bit for bit. */
static void strategy_ranked_by_a_kept_crowd_has_the_same_report(void **state)
{
    static const char *const others[] = {"0.2", "0.333", "0.65"};
    struct world w;
    char text[1024];
    struct err err = {0};
    (void)state;
    world_init(&w);
    for (size_t i = 0; i < N_SERIES; i++)
        (void)world_add_walk(&w, names[i], day(2015, 1, 1), 300, i, 0);
    struct backtest_result *first = world_run(&w, body);
    assert_int_equal(first->crowd.count, 40);
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        for (size_t i = 1; i < first->crowd.n[k]; i++)
            assert_true(first->crowd.sorted[k][i] >= first->crowd.sorted[k][i - 1]);
    }
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        (void)snprintf(
            text, sizeof text,
            "{\"assets\":[{\"uid\":\"x:B\",\"weight\":%s},{\"uid\":\"x:D\",\"weight\":0.15},{"
            "\"uid\":\"x:K\",\"weight\":0.1}],\"on_weight_sum\":\"normalize\"%s",
            others[i], strstr(body, ",\"universe\""));
        struct backtest_result *alone = world_run(&w, text), *among = NULL;
        struct backtest_shared kept = {.crowd = &alone->crowd};
        assert_int_equal(backtest_run_among(world_spec(&w, text), &w.market, &kept, &w.arena, NULL,
                                            &among, &err),
                         STATUS_OK);
        for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++)
            assert_memory_equal(&alone->monkeys.row[k], &among->monkeys.row[k],
                                sizeof alone->monkeys.row[k]);
    }
    world_clear(&w);
}

static void sorted_ranks_are_those_of_counting(void **state)
{
    static double value[200];
    struct rng rng;
    (void)state;
    rng_init(&rng, 3, 3);
    for (size_t i = 0; i < 200; i++)
        value[i] = (double)(i / 3); /* ties */
    struct monkey_crowd crowd = {.count = 200};
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        crowd.n[k] = k == 1 ? 0 : 200;
        crowd.sorted[k] = value;
    }
    for (double x = -1; x < 70; x += 0.5) {
        struct monkey_score score = {{x, x, x, (double)NAN}};
        struct monkey_report report = monkey_crowd_rank(&crowd, &score);
        struct monkey_rank expected = monkey_rank(x, value, 200);
        assert_true(report.row[0].rank.p_value == expected.p_value);
        assert_true(report.row[0].rank.percentile == expected.percentile);
        assert_true(report.row[1].n == 0 && isnan(report.row[3].strategy));
        assert_true(report.row[2].quantile[2] == 33);
    }
}

static struct str key_of(struct world *w, const char *json)
{
    struct json_out out;
    struct buf *buf = ARENA_NEW(&w->arena, struct buf);
    assert_non_null(buf);
    buf_init(buf, &w->arena, 1 << 20);
    jw_init(&out, buf);
    monkey_crowd_key(world_spec(w, json), &out);
    return buf_str(buf);
}

#define HEAD "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.5},{\"uid\":\"x:B\",\"weight\":0.5}]"

static void key_of_a_crowd_leaves_out_the_weights_and_nothing_that_matters(void **state)
{
    static const char *const same[] = {
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.1},{\"uid\":\"x:B\",\"weight\":0.9}]}",
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":3},{\"uid\":\"x:B\",\"weight\":1}],"
        "\"on_weight_sum\":\"normalize\"}",
        HEAD ",\"benchmark\":\"x:C\",\"bootstrap\":{},\"verify\":\"prefix\"}",
    };
    static const char *const different[] = {
        "{\"assets\":[{\"uid\":\"x:B\",\"weight\":0.5},{\"uid\":\"x:A\",\"weight\":0.5}]}",
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.4},{\"uid\":\"x:B\",\"weight\":0.5}],"
        "\"on_weight_sum\":\"cash\"}",
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1},{\"uid\":\"x:B\",\"weight\":0}]}",
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1.5},{\"uid\":\"x:B\",\"weight\":-0.5}],"
        "\"leverage\":{\"max_gross\":2}}",
        HEAD ",\"monkeys\":{\"seed\":2}}",
        HEAD ",\"monkeys\":{\"count\":999}}",
        HEAD ",\"universe\":[\"x:A\",\"x:B\",\"x:C\"]}",
        HEAD ",\"start\":\"2015-01-02\"}",
        HEAD ",\"end\":\"2015-06-01\"}",
        HEAD ",\"rebalance\":\"daily\"}",
        HEAD ",\"fill\":\"same_close\"}",
        HEAD ",\"costs\":{\"commission_bps\":1}}",
        HEAD ",\"capital\":5}",
        HEAD ",\"currency\":\"EUR\"}",
        HEAD ",\"max_stale\":4}",
        HEAD ",\"risk_free_rate\":0.01}",
        HEAD ",\"session_alignment\":\"same_label\"}",
        HEAD ",\"flows\":[{\"amount\":100,\"every\":\"month\"}]}",
        HEAD ",\"shares\":\"whole\"}",
        HEAD ",\"financing\":{\"cash_rate\":2}}",
    };
    struct world w;
    (void)state;
    world_init(&w);
    struct str key = key_of(&w, HEAD "}");
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        if (!str_eq(key, key_of(&w, same[i])))
            fail_msg("%s should have the crowd of the first", same[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(different); i++) {
        if (str_eq(key, key_of(&w, different[i])))
            fail_msg("%s should have a crowd of its own", different[i]);
    }
    /* Limits of an asset decide what a strategy holds, and so how many names its monkeys do. */
    static const char *const limited =
        "{\"assets\":[{\"uid\":\"x:A\",\"max_weight\":0.%d},{\"uid\":\"x:B\"}],\"strategy\":{\"name\":"
        "\"inverse_volatility\",\"lookback\":20}}";
    char text[256];
    (void)snprintf(text, sizeof text, limited, 6);
    key = key_of(&w, text);
    (void)snprintf(text, sizeof text, limited, 7);
    assert_false(str_eq(key, key_of(&w, text)));
    world_clear(&w);
}

/* A strategy that is short has monkeys that are: as many names, the same shares. */
static void monkeys_of_a_short_strategy_are_short_too(void **state)
{
    struct game g;
    struct monkey_score score;
    (void)state;
    set_up(&g);
    begin_game_of(
        &g,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":0.9},{\"uid\":\"x:B\",\"weight\":0.5},{\"uid\":"
        "\"x:C\",\"weight\":-0.4}],\"leverage\":{\"max_gross\":2},\"universe\":[\"x:A\",\"x:B\","
        "\"x:C\",\"x:D\",\"x:E\",\"x:F\"]}");
    size_t n_first_short = 0;
    for (size_t i = 0; i < 60; i++) {
        double longs = 0, shorts = 0;
        size_t n_short = 0;
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        for (size_t k = 0; k < 3; k++) {
            *(g.game.weight[k] < 0 ? &shorts : &longs) += g.game.weight[k];
            n_short += g.game.weight[k] < 0 ? 1 : 0;
        }
        n_first_short += g.game.weight[0] < 0 ? 1 : 0;
        assert_int_equal(n_short, 1);
        assert_close(longs, 1.4, 1e-14);
        assert_close(shorts, -0.4, 1e-14);
    }
    assert_true(n_first_short > 5 && n_first_short < 40); /* 20: any name may be the short one */
    world_clear(&g.w);
}

/* No name beyond its bounds, sums kept, and means as symmetry wants them. */
static void caps_bind_monkeys_too(void **state)
{
    struct game g;
    struct monkey_score score;
    double sum_first = 0, highest = 0, lowest = 1;
    (void)state;
    set_up(&g);
    begin_game_of(
        &g,
        "{\"assets\":[{\"uid\":\"x:A\"},{\"uid\":\"x:B\"},{\"uid\":\"x:C\"},{\"uid\":\"x:D\"}],"
        "\"strategy\":{\"name\":\"inverse_volatility\",\"lookback\":20,\"constraints\":{\"min_weight\":0.1,"
        "\"max_weight\":0.4}}}");
    assert_true(g.game.has_limits && g.game.n_names == 4);
    for (size_t i = 0; i < 2000; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        double sum = 0;
        for (size_t k = 0; k < 4; k++) {
            sum += g.game.weight[k];
            highest = fmax(highest, g.game.weight[k]);
            lowest = fmin(lowest, g.game.weight[k]);
        }
        sum_first += g.game.weight[0];
        assert_close(sum, 1, 1e-14);
    }
    assert_true(highest <= 0.4 + 1e-15 && highest > 0.39 && lowest >= 0.1 - 1e-15 && lowest < 0.11);
    assert_true(fabs(sum_first / 2000 - 0.25) < 0.006); /* sd of a mean: 0.0018 */
    world_clear(&g.w);
}

/* Bounds of groups and of single names hold for each monkey, and are reached. */
static void limits_of_groups_and_names_bind_monkeys_too(void **state)
{
    struct game g;
    struct monkey_score score;
    double most_bonds = 0, least_bonds = 1, most_first = 0;
    (void)state;
    set_up(&g);
    begin_game_of(
        &g,
        "{\"assets\":[{\"uid\":\"x:A\",\"group\":\"bonds\",\"max_weight\":0.2},{\"uid\":\"x:B\","
        "\"group\":\"bonds\"},{\"uid\":\"x:C\"},{\"uid\":\"x:D\",\"group\":\"gold\"},{\"uid\":"
        "\"x:E\"}],\"strategy\":{\"name\":\"inverse_volatility\",\"lookback\":20,\"constraints\":{"
        "\"groups\":{\"bonds\":{\"min\":0.3,\"max\":0.5},\"gold\":{\"max\":0.1}}}}}");
    assert_true(g.game.has_limits && g.game.n_names == 5);
    for (size_t i = 0; i < 2000; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        const double *w = g.game.weight;
        double bonds = w[0] + w[1];
        assert_close(bonds + w[2] + w[3] + w[4], 1, 1e-13);
        assert_true(w[0] <= 0.2 + 1e-13 && w[3] <= 0.1 + 1e-13);
        for (size_t k = 0; k < 5; k++)
            assert_true(w[k] >= -1e-13);
        most_bonds = fmax(most_bonds, bonds);
        least_bonds = fmin(least_bonds, bonds);
        most_first = fmax(most_first, w[0]);
    }
    assert_true(most_bonds <= 0.5 + 1e-13 && most_bonds > 0.49);
    assert_true(least_bonds >= 0.3 - 1e-13 && least_bonds < 0.31 && most_first > 0.19);
    assert_p_values_are_uniform(&g);
    g.game.n_names = 3; /* one of three must be a bond, or the group's minimum is missed */
    for (size_t i = 0; i < 500; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        double bonds = 0, gold = 0;
        for (size_t k = 0; k < 3; k++) {
            bonds += g.game.asset[k] < 2 ? g.game.weight[k] : 0;
            gold += g.game.asset[k] == 3 ? g.game.weight[k] : 0;
        }
        assert_true(bonds >= 0.3 - 1e-13 && bonds <= 0.5 + 1e-13 && gold <= 0.1 + 1e-13);
    }
    world_clear(&g.w);
}

/* Where the strategy may sell short, so may they: sums, bounds and the gross exposure hold, and all are reached. */
static void gross_exposure_binds_monkeys_too(void **state)
{
    struct game g;
    struct monkey_score score;
    double most = 0, least = 9, lowest = 1;
    (void)state;
    set_up(&g);
    begin_game_of(
        &g,
        "{\"assets\":[{\"uid\":\"x:A\",\"max_weight\":-0.05},{\"uid\":\"x:B\"},{\"uid\":\"x:C\"},"
        "{\"uid\":\"x:D\"}],\"leverage\":{},\"strategy\":{\"name\":\"minimum_variance\","
        "\"lookback\":20,\"constraints\":{\"long_only\":false,\"min_weight\":-0.5,\"max_gross\":1.4}}}");
    assert_true(g.game.has_limits && g.game.n_names == 4);
    for (size_t i = 0; i < 2000; i++) {
        assert_int_equal(monkey_play(&g.game, i, 1, NULL, &score, NULL), STATUS_OK);
        const double *w = g.game.weight;
        double sum = 0, gross = 0;
        for (size_t k = 0; k < 4; k++) {
            sum += w[k];
            gross += fabs(w[k]);
            assert_true(w[k] >= -0.5 - 1e-13 && w[k] <= (k == 0 ? -0.05 : 1) + 1e-13);
            lowest = fmin(lowest, k > 0 ? w[k] : 1);
        }
        assert_close(sum, 1, 1e-13);
        assert_true(gross <= 1.4 + 1e-13);
        most = fmax(most, gross);
        least = fmin(least, gross);
    }
    assert_true(most > 1.399 && least < 1.15 && lowest < -0.1);
    world_clear(&g.w);
}

/* A strategy that holds two of twelve names has monkeys that hold two, whatever was in its list. */
static void monkeys_hold_as_many_names_as_a_strategy_did_on_average(void **state)
{
    enum { DUE = 3, N = 4 };
    static const double weight[DUE * N] = {0.5, 0.5, 0, 0, 0, 0.4, 0.4, 0, 0.3, 0, 0, 0.3};
    static const double invested[DUE] = {1, 0.8, 0.6};
    static const size_t asset[N] = {0, 1, 2, 3};
    struct plan plan = {asset, N, weight, N, invested};
    struct monkey_model model = {&plan, DUE};
    struct game g;
    struct monkey_score score;
    struct err err = {0};
    (void)state;
    set_up(&g);
    struct spec *spec = world_spec(&g.w, body);
    assert_int_equal(spec_resolve_dates(spec, &g.w.market, &err), STATUS_OK);
    assert_int_equal(
        monkey_game_init(&g.game, g.panel, spec, &g.rules, 252, &model, &g.w.arena, &err),
        STATUS_OK);
    assert_int_equal(monkey_game_open(&g.game, &g.w.arena, &err), STATUS_OK);
    assert_int_equal(g.game.n_names, 2);
    assert_int_equal(monkey_play(&g.game, 0, 1, NULL, &score, NULL), STATUS_OK);
    assert_close(g.game.weight[0] + g.game.weight[1], 0.8, 1e-14);
    world_clear(&g.w);
}

static void only_one_possible_portfolio_ranks_in_the_middle(void **state)
{
    struct world w;
    (void)state;
    world_init(&w);
    world_add_walk(&w, "x:A", day(2015, 1, 1), 100, 1, 0);
    struct backtest_result *r =
        world_run(&w, "{\"assets\":[{\"uid\":\"x:A\"}],\"monkeys\":{\"count\":9}}");
    for (size_t k = 0; k < MONKEY_STATISTIC_COUNT; k++) {
        assert_close(r->monkeys.row[k].rank.percentile, 0.5, 0);
        assert_close(r->monkeys.row[k].rank.p_value, 1, 0);
    }
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rank_counts_ties_half_and_never_gives_a_p_of_zero),
        cmocka_unit_test(monkey_is_the_same_alone_or_in_a_batch),
        cmocka_unit_test(monkey_holds_as_many_names_and_as_much_cash_as_the_strategy),
        cmocka_unit_test(every_name_is_drawn_equally_often_with_equal_weight),
        cmocka_unit_test(monkey_plays_by_the_strategy_s_rules),
        cmocka_unit_test(strategy_scores_equal_its_measures),
        cmocka_unit_test(p_values_of_monkeys_among_monkeys_are_uniform),
        cmocka_unit_test(hindsight_gets_a_small_p_value_and_bad_luck_a_large_one),
        cmocka_unit_test(strategy_ranked_by_a_kept_crowd_has_the_same_report),
        cmocka_unit_test(sorted_ranks_are_those_of_counting),
        cmocka_unit_test(key_of_a_crowd_leaves_out_the_weights_and_nothing_that_matters),
        cmocka_unit_test(monkeys_of_a_short_strategy_are_short_too),
        cmocka_unit_test(caps_bind_monkeys_too),
        cmocka_unit_test(limits_of_groups_and_names_bind_monkeys_too),
        cmocka_unit_test(gross_exposure_binds_monkeys_too),
        cmocka_unit_test(monkeys_hold_as_many_names_as_a_strategy_did_on_average),
        cmocka_unit_test(only_one_possible_portfolio_ranks_in_the_middle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
