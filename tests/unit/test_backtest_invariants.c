/* test_backtest_invariants.c - what must hold for any market and any request (docs/formulas.md section 3). */
#include "tests/unit/test_strategy_random.h"

#include "backtest/schedule.h"

static double largest(const double *line, size_t n)
{
    double most = 0;
    for (size_t t = 0; t < n; t++)
        most = fabs(line[t]) > most ? fabs(line[t]) : most;
    return most;
}

static bool are_close(const double *a, const double *b, size_t n, double scale, double relative)
{
    double allowed = relative * largest(a, n) * scale;
    for (size_t t = 0; t < n; t++) {
        if (!(fabs(a[t] * scale - b[t]) <= allowed))
            return false;
    }
    return true;
}

/* Every other request trades by one of the strategies, in turn. */
static void maybe_strategy(struct random_request *q, uint64_t seed)
{
    struct random_text out = {q->strategy, sizeof q->strategy};
    struct rng rng;
    enum strategy_id id = (enum strategy_id)(seed / 2 % STRATEGY_COUNT);
    rng_init(&rng, seed, 14);
    if (seed % 2 != 0 || strategy_kinds[id]->needs == 0)
        return;
    random_strategy(&out, &rng, id, 10, NULL);
    if (strategy_kinds[id]->needs & STRATEGY_BENCHMARK)
        random_add(&out, ",\"benchmark\":\"%s\"",
                   random_names[rng_next_below(&rng, RANDOM_ASSETS)]);
}

/* Bit for bit, but for what lies between its members. */
static bool is_same_trade(const struct sim_trade *a, const struct sim_trade *b)
{
    size_t from = offsetof(struct sim_trade, quantity);
    return a->session == b->session && a->asset == b->asset && a->reason == b->reason &&
           a->is_buy == b->is_buy &&
           memcmp((const char *)a + from, (const char *)b + from, sizeof *a - from) == 0;
}

static void corrupting_the_future_moves_no_bit_of_the_past(void **state)
{
    (void)state;
    size_t n_moved = 0;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        maybe_strategy(&q, seed);
        struct backtest_result *one = random_play(&w, &q);
        size_t n = one->panel->n_sessions, cut = 2 + (size_t)(seed * 37) % (n - 4);
        world_corrupt_future(&w, one->panel->clock[cut], seed);
        struct backtest_result *two = random_play(&w, &q);
        size_t bytes = (cut + 1) * sizeof(double);
        random_assert(memcmp(one->equity, two->equity, bytes) == 0, seed, &q);
        random_assert(memcmp(one->wealth, two->wealth, bytes) == 0, seed, &q);
        random_assert(memcmp(one->ledger.cash, two->ledger.cash, bytes) == 0, seed, &q);
        for (size_t i = 0; i < one->ledger.n_trades && one->ledger.trades[i].session <= cut; i++)
            random_assert(is_same_trade(&one->ledger.trades[i], &two->ledger.trades[i]), seed, &q);
        n_moved += fabs(one->equity[n - 1] - two->equity[n - 1]) > 0 ? 1 : 0;
        world_clear(&w);
    }
    assert_true(n_moved > random_rounds() * 9 / 10); /* the corruption does reach the rest */
}

static void scaling_the_capital_scales_every_line(void **state)
{
    unsigned features = RANDOM_BANDS | RANDOM_FLAT_COSTS | RANDOM_SHARE_FLOWS | RANDOM_FINANCING |
                        RANDOM_LEVERAGE | RANDOM_RAW | RANDOM_OPEN | RANDOM_GAPS | RANDOM_FX |
                        RANDOM_CASH_WEIGHT | RANDOM_PARTIAL;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, features);
        struct random_request q = random_request(seed, features);
        struct backtest_result *one = random_play(&w, &q);
        q.capital *= 1024; /* a power of two: exact */
        struct backtest_result *two = random_play(&w, &q);
        for (size_t t = 0; t < one->panel->n_sessions; t++) {
            random_assert(two->equity[t] == 1024 * one->equity[t], seed, &q);
            random_assert(two->wealth[t] == 1024 * one->wealth[t], seed, &q);
        }
        world_clear(&w);
    }
}

static void order_of_the_assets_does_not_matter(void **state)
{
    unsigned features =
        RANDOM_ALL & ~(unsigned)(RANDOM_BANDS | RANDOM_WHOLE | RANDOM_FIXED_COSTS |
                                 RANDOM_VOLUME_LIMIT | RANDOM_LEVERAGE | RANDOM_COINS);
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, features);
        struct random_request q = random_request(seed, features);
        struct backtest_result *one = random_play(&w, &q);
        for (size_t i = 0; i < RANDOM_ASSETS; i++)
            q.order[i] = (i * 3 + 1 + (size_t)seed) % RANDOM_ASSETS;
        struct backtest_result *two = random_play(&w, &q);
        size_t n = one->panel->n_sessions;
        /* A level is found by halving: its last digits are not the sum's. */
        double relative = strstr(q.rest, "most_underweight") != NULL ? 1e-11 : 1e-12;
        random_assert(n == two->panel->n_sessions, seed, &q);
        random_assert(are_close(one->equity, two->equity, n, 1, relative), seed, &q);
        random_assert(are_close(one->wealth, two->wealth, n, 1, relative), seed, &q);
        world_clear(&w);
    }
}

static void splitting_an_asset_in_two_changes_nothing(void **state)
{
    unsigned features = RANDOM_FLAT_COSTS | RANDOM_FLOWS | RANDOM_SHARE_FLOWS | RANDOM_FINANCING |
                        RANDOM_LEVERAGE | RANDOM_RAW | RANDOM_OPEN | RANDOM_GAPS | RANDOM_FX |
                        RANDOM_CASH_WEIGHT;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, features);
        struct random_request q = random_request(seed, features);
        if (strstr(q.rest, "most_underweight") != NULL || strstr(q.rest, "\"leverage\"") != NULL) {
            world_clear(&w); /* two halves have two distances; a margin call stands on an edge */
            continue;
        }
        struct backtest_result *one = random_play(&w, &q);
        struct str uid = w.series[RANDOM_ASSETS].uid;
        w.series[RANDOM_ASSETS] = w.series[0];
        w.series[RANDOM_ASSETS].uid = uid;
        q.n = RANDOM_ASSETS + 1;
        q.weight[RANDOM_ASSETS] = q.weight[0] * 0.3;
        q.weight[0] *= 0.7;
        struct backtest_result *two = random_play(&w, &q);
        random_assert(are_close(one->wealth, two->wealth, one->panel->n_sessions, 1, 1e-12), seed,
                      &q);
        world_clear(&w);
    }
}

static void asset_with_weight_zero_changes_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        struct backtest_result *one = random_play(&w, &q);
        q.n = RANDOM_ASSETS + 1;
        q.weight[RANDOM_ASSETS] = 0;
        struct backtest_result *two = random_play(&w, &q);
        size_t bytes = one->panel->n_sessions * sizeof(double);
        random_assert(memcmp(one->equity, two->equity, bytes) == 0, seed, &q);
        random_assert(memcmp(one->wealth, two->wealth, bytes) == 0, seed, &q);
        world_clear(&w);
    }
}

static void one_asset_bought_and_held_earns_its_total_return(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_RAW | RANDOM_FX);
        size_t a = (size_t)seed % RANDOM_ASSETS;
        char body[512];
        for (int raw = 0; raw < 2; raw++) {
            (void)snprintf(
                body, sizeof body,
                "{\"assets\":[{\"uid\":\"%s\"}],\"start\":\"2019-04-14\",\"fill\":\"same_close\","
                "\"rebalance\":\"%s\",\"prices\":\"%s\",\"monkeys\":{\"count\":0}}",
                random_names[a], seed % 2 == 0 ? "never" : "daily", raw ? "raw" : "adjusted");
            struct backtest_result *r = world_run(&w, body);
            const double *price = w.series[a].price;
            size_t n = r->panel->n_sessions;
            for (size_t t = 0; t < n; t++) { /* invariants 6, 7 and 8 */
                double fx = panel_fx_rate(r->panel, 0, t) / panel_fx_rate(r->panel, 0, 0);
                assert_close(r->equity[t], 10000 * (price[t] / price[0]) * fx, 1e-12);
            }
        }
        world_clear(&w);
    }
}

/*
 * Gross less net is the sum of the ledgers, where gross is worked out from trades and prices alone. The
 * scale is all the money that moved: what a ruined portfolio has left is no measure of rounding.
 */
static void ledgers_add_up_to_gross_less_net(void **state)
{
    size_t n_paid[COST_COUNT] = {0}, n_rounded = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        struct backtest_result *r = random_play(&w, &q);
        const struct sim_recorder *l = &r->ledger;
        size_t last = r->panel->n_sessions - 1;
        double scale = q.capital + l->contributed + l->withdrawn + fabs(l->gain);
        random_assert(fabs(sim_residual(l, q.capital, r->wealth[last])) <= 1e-12 * scale, seed, &q);
        double paid[COST_TRADE_COUNT] = {0};
        for (size_t i = 0; i < l->n_trades; i++) {
            const struct sim_trade *t = &l->trades[i];
            random_assert(t->quantity > 0 && t->value >= 0, seed, &q);
            for (size_t k = 0; k < COST_TRADE_COUNT; k++) {
                random_assert(t->paid[k] >= 0, seed, &q);
                paid[k] += t->paid[k];
            }
            if (t->reason != SIM_DELISTING)
                random_assert(fabs(t->quantity * t->local_price * t->fx - t->value) <=
                                  1e-12 * t->value,
                              seed, &q);
        }
        for (size_t k = 0; k < COST_COUNT; k++) {
            random_assert(k >= COST_TRADE_COUNT || paid[k] == l->paid[k], seed, &q);
            random_assert(k == COST_EXPENSE || l->paid[k] >= 0, seed, &q); /* of shorts */
            n_paid[k] += l->paid[k] > 0 ? 1 : 0;
        }
        for (size_t t = 0; t <= last && t < l->exhausted_at && r->spec->round_cash; t++)
            random_assert(fabs(l->cash[t] * 100 - round(l->cash[t] * 100)) <= 1e-12 * scale * 100,
                          seed, &q);
        random_assert(r->spec->round_cash || fabs(l->rounding) == 0, seed, &q);
        n_rounded += fabs(l->rounding) > 0 ? 1 : 0;
        world_clear(&w);
    }
    if (random_rounds() < ROUNDS_THAT_MEET_ALL)
        return;
    assert_true(n_rounded > 0);
    for (size_t k = 0; k < COST_COUNT; k++)
        assert_true(n_paid[k] > 0); /* every kind was met */
}

/* The request without its costs, which are an object without strings of braces. */
static struct random_request without_costs(const struct random_request *q)
{
    struct random_request free = *q;
    char *from = strstr(free.rest, ",\"costs\":{");
    size_t depth = 0;
    for (char *c = from; c != NULL; c++) {
        depth += *c == '{' ? 1 : 0;
        depth -= *c == '}' ? 1 : 0;
        if (*c == '}' && depth == 0) {
            memmove(from, c + 1, strlen(c + 1) + 1);
            break;
        }
    }
    return free;
}

/* What the answer says of a run without costs is what such a run comes to, suspended positions or not. */
static void gross_is_the_run_without_costs(void **state)
{
    unsigned features =
        RANDOM_FLAT_COSTS | RANDOM_GAPS | RANDOM_FX | RANDOM_RAW | RANDOM_OPEN | RANDOM_CASH_WEIGHT;
    size_t n_unscaled = 0, n_paid = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, features);
        struct random_request q = random_request(seed, features);
        size_t length = strlen(q.rest);
        struct random_text more = {q.rest + length, sizeof q.rest - length};
        if (seed % 2 == 0) /* two days without a price suspend */
            random_add(&more, ",\"max_stale\":1");
        struct random_request free = without_costs(&q);
        struct backtest_result *r = random_play(&w, &q), *gross = random_play(&w, &free);
        size_t last = r->panel->n_sessions - 1;
        random_assert(fabs(r->gross_terminal / gross->wealth[last] - 1) <= 1e-11, seed, &q);
        n_unscaled += isnan(r->ledger.kept) ? 1 : 0;
        n_paid += sim_costs_paid(&r->ledger) > 0 ? 1 : 0;
        world_clear(&w);
    }
    assert_true(n_paid > 0);
    if (random_rounds() >= 100)
        assert_true(n_unscaled > 0); /* a fill left a suspended position out */
}

static void costs_never_help(void **state)
{
    unsigned features = RANDOM_FLAT_COSTS | RANDOM_IMPACT | RANDOM_GAPS | RANDOM_FX | RANDOM_RAW |
                        RANDOM_OPEN | RANDOM_CASH_WEIGHT;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, features);
        struct random_request q = random_request(seed, features);
        struct backtest_result *r = random_play(&w, &q);
        size_t last = r->panel->n_sessions - 1;
        random_assert(r->wealth[last] <= r->gross_terminal * (1 + 1e-12), seed, &q);
        world_clear(&w);
    }
}

/* At the money-weighted rate what was paid in is worth what came out. */
static bool xirr_fits(const struct backtest_result *r)
{
    const int32_t *clock = r->panel->clock;
    size_t last = r->panel->n_sessions - 1;
    double years = (double)(clock[last] - clock[0]) / 365, rate = 1 + r->xirr;
    double sum = r->wealth[last] * elementary_pow(rate, -years) - r->spec->capital,
           scale = fabs(sum);
    for (size_t i = 0; i < r->ledger.n_flows; i++) {
        const struct sim_flow *flow = &r->ledger.flows[i];
        double worth =
            flow->amount * elementary_pow(rate, -(double)(clock[flow->session] - clock[0]) / 365);
        sum -= worth;
        scale += fabs(worth);
    }
    return fabs(sum) <= 1e-9 * (scale + r->spec->capital);
}

/* Flows that are invested at once and at no cost leave a buy and hold's returns where they are. */
static void flow_does_not_move_the_time_weighted_line(void **state)
{
    size_t n_with_flows = 0;
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        struct random_request q = {.n = RANDOM_ASSETS, .capital = 10000};
        struct random_text out = {q.rest, sizeof q.rest};
        struct rng rng;
        rng_init(&rng, seed, 13);
        random_market(&w, seed, RANDOM_FX);
        for (size_t i = 0; i < RANDOM_ASSETS; i++) {
            q.order[i] = i;
            q.weight[i] = random_between(&rng, 0.01, 1);
        }
        random_add(
            &out,
            "\"on_weight_sum\":\"normalize\",\"rebalance\":\"never\",\"fill\":\"same_close\"");
        struct backtest_result *one = random_play(&w, &q);
        struct random_text flows;
        do { /* those at the end of a session, in proportion */
            flows = out;
            *flows.at = '\0';
            random_flows(&flows, &rng, RANDOM_FLOWS | RANDOM_SHARE_FLOWS);
        } while (strstr(out.at, "pro_rata") == NULL || strstr(out.at, "\"start\"") != NULL);
        struct backtest_result *two = random_play(&w, &q);
        if (two->ledger.exhausted_at == PANEL_NEVER) {
            random_assert(two->ledger.n_flows > 0, seed, &q);
            random_assert(isnan(two->xirr) || xirr_fits(two), seed, &q);
            random_assert(are_close(one->equity, two->equity, one->panel->n_sessions, 1, 1e-12),
                          seed, &q);
            n_with_flows++;
        }
        world_clear(&w);
    }
    assert_true(n_with_flows * 5 > random_rounds() * 4); /* the others ran out of money */
}

/* A run leaves nothing behind in the workspace that the next one would see. */
static void used_workspace_gives_the_same_bits(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < random_rounds(); seed++) {
        struct world w;
        random_market(&w, seed, RANDOM_ALL);
        struct random_request q = random_request(seed, RANDOM_ALL);
        struct backtest_result *one = random_play(&w, &q);
        size_t n = one->panel->n_sessions, due_room = n;
        struct sim_workspace ws;
        struct err err = {0};
        uint32_t *due = arena_array(&w.arena, due_room, sizeof *due);
        assert_non_null(due);
        assert_int_equal(sim_workspace_init(&ws, &w.arena, n, RANDOM_ASSETS, &err), STATUS_OK);
        assert_int_equal(sim_workspace_add_dues(&ws, &w.arena, one->panel, &err), STATUS_OK);
        struct sim_rules rules = {.capital = q.capital, .due = due, .fill = one->spec->fill};
        rules.rebalance = one->spec->rebalance;
        rules.shares = one->spec->shares;
        rules.leverage = one->spec->leverage;
        schedule_build(&rules.rebalance, &one->panel->calendar, due, &rules.n_due);
        double *first = arena_array(&w.arena, n, sizeof *first);
        assert_non_null(first);
        for (int round = 0; round < 2; round++) {
            assert_int_equal(simulate(one->panel, &one->plan, &rules, &ws, NULL, NULL, &err),
                             STATUS_OK);
            random_assert(round == 0 || memcmp(first, ws.equity, n * sizeof *first) == 0, seed, &q);
            memcpy(first, ws.equity, n * sizeof *first);
        }
        world_clear(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(corrupting_the_future_moves_no_bit_of_the_past),
        cmocka_unit_test(scaling_the_capital_scales_every_line),
        cmocka_unit_test(order_of_the_assets_does_not_matter),
        cmocka_unit_test(splitting_an_asset_in_two_changes_nothing),
        cmocka_unit_test(asset_with_weight_zero_changes_nothing),
        cmocka_unit_test(one_asset_bought_and_held_earns_its_total_return),
        cmocka_unit_test(ledgers_add_up_to_gross_less_net),
        cmocka_unit_test(gross_is_the_run_without_costs),
        cmocka_unit_test(costs_never_help),
        cmocka_unit_test(flow_does_not_move_the_time_weighted_line),
        cmocka_unit_test(used_workspace_gives_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
