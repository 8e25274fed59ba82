/* test_portfolio_conformance.c - PerformanceAnalytics' portfolios: returns with rebalancing, and what it costs there. */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_play.h"

#include "backtest/record.h"

#include <stdlib.h>

static struct conformance cases;

/* PerformanceAnalytics resets at the end of a period: the last session, at its close. */
static const char *rule_of(const char *rebalance)
{
    static const struct {
        const char *word, *rule;
    } rules[] = {{"never", "\"never\""},
                 {"daily", "\"daily\""},
                 {"weekly", "{\"every\":\"week\",\"on\":\"last\"}"},
                 {"monthly", "{\"every\":\"month\",\"on\":\"last\"}"},
                 {"quarterly", "{\"every\":\"quarter\",\"on\":\"last\"}"},
                 {"yearly", "{\"every\":\"year\",\"on\":\"last\"}"}};
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strncmp(rebalance, rules[i].word, strlen(rules[i].word)) == 0)
            return rules[i].rule;
    }
    fail_msg("no rule rebalances %s", rebalance);
    return NULL;
}

/* Prices that the first n returns make of 100, which stands where the record begins. */
static void add_asset(struct world *w, const char *uid, const struct conformance_series *r,
                      size_t n)
{
    int32_t date[PLAY_ROWS_MAX];
    double price[PLAY_ROWS_MAX] = {100};
    assert_true(r->date != NULL && n < PLAY_ROWS_MAX);
    date[0] = record_start(r->date, r->n);
    for (size_t t = 0; t < n; t++) {
        date[t + 1] = r->date[t];
        price[t + 1] = price[t] * (1 + r->value[t]);
    }
    world_add(w, uid, "USD", date, price, n + 1);
}

/* The member returns_at_rows_1_2_13_24 lists the returns of those rows, the first being 1. */
static void check_rows(const struct conformance_case *one, const double *equity, size_t n)
{
    static const char ROWS[] = "returns_at_rows";
    const char *member = conformance_member(&cases, one, ROWS);
    double r[PLAY_ROWS_MAX];
    size_t n_rows = 0;
    if (member == NULL)
        return;
    for (char *next = strchr(member + sizeof ROWS - 1, '_'); next != NULL && *next == '_';
         n_rows++) {
        size_t row = strtoul(next + 1, &next, 10);
        assert_true(row > 0 && row <= n && n_rows < PLAY_ROWS_MAX);
        r[n_rows] = equity[row] / equity[row - 1] - 1;
    }
    conformance_check_list(one, member, r, n_rows);
}

static void portfolios_rebalance_as_in_performance_analytics(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "pa", &i, &one);) {
        struct json_val assets = jr_member(one.inputs, "assets");
        struct json_val weights = jr_member(one.inputs, "weights");
        const char *rebalance = conformance_text(&cases, &one, "rebalance");
        char body[2048] = "{\"assets\":[";
        struct world w;
        size_t n = 0, n_assets = jr_length(assets);
        if (n_assets == 0 || rebalance == NULL)
            continue;
        assert_true(n_assets <= PLAY_ASSETS_MAX);
        world_init(&w);
        for (size_t a = 0; a < n_assets; a++) {
            struct conformance_series r = conformance_series(&cases, jr_item(assets, a), NULL);
            n = conformance_rows(&cases, &one, r.n);
            add_asset(&w, play_uids[a], &r, n);
            play_say_asset(body, sizeof body, a, conformance_item(weights, a));
        }
        play_say(body, sizeof body,
                 "],\"fill\":\"same_close\",\"rebalance\":%s,\"monkeys\":{\"count\":0}}",
                 rule_of(rebalance));
        struct backtest_result *r = world_run(&w, body);
        conformance_check(&one, jr_type(one.expected) == JR_OBJECT ? "total_return" : "",
                          r->measures[MEASURE_total_return].value);
        check_rows(&one, r->equity, n);
        world_clear(&w);
    }
    conformance_close(&cases);
}

/* What a portfolio of the inputs returns_X is worth after each period, with the weights weights_t0, weights_t1, .. */
struct costly {
    struct json_val returns[PLAY_ASSETS_MAX];
    size_t n_assets, n_periods;
};

static struct costly costly_of(const struct conformance_case *one)
{
    static const char RETURNS[] = "returns_";
    struct costly ret = {.n_assets = 0};
    struct str name;
    struct json_val val;
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        if (name.len < sizeof RETURNS || memcmp(name.ptr, RETURNS, sizeof RETURNS - 1) != 0)
            continue;
        ret.returns[ret.n_assets++] = val;
        ret.n_periods = jr_length(val);
    }
    return ret;
}

/* The figures of one period: r2 and, but in the first, drag_t2. */
static void check_period(const struct conformance_case *one, size_t period, double r, double drag)
{
    char name[2][32];
    (void)snprintf(name[0], sizeof name[0], "r%zu", period);
    (void)snprintf(name[1], sizeof name[1], "drag_t%zu", period);
    const struct conformance_figure figures[] = {{name[0], r}, {name[1], drag}};
    (void)conformance_check_figures(one, figures, period > 1 ? 2 : 1);
}

/*
 * PerformanceAnalytics takes the cost from the value before it, which misses the targets by the cost of
 * paying for it: the first step of our iteration, and the figure compared here. Ours solves it.
 */
static void rebalance_cost_of_performance_analytics_is_the_first_step_of_ours(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "pa", &i, &one);) {
        struct costly k = costly_of(&one);
        if (k.n_assets == 0 || !conformance_has(&one, "cost"))
            continue;
        double value[PLAY_ASSETS_MAX] = {0}, weight[PLAY_ASSETS_MAX], rate;
        struct cost_model m = {.commission = {.percent = conformance_number(&one, "cost")}};
        struct cost_context c = {.share_price = 1};
        rate = m.commission.percent;
        for (size_t t = 0; t < k.n_periods; t++) {
            char name[32];
            double before = t == 0 ? 1 : 0, kept = 1, r = 0;
            (void)snprintf(name, sizeof name, "weights_t%zu", t);
            for (size_t a = 0; a < k.n_assets; a++) {
                weight[a] = conformance_item(jr_member(one.inputs, name), a);
                before += value[a];
            }
            for (size_t a = 0; a < k.n_assets && t > 0; a++)
                kept -= costs_of_trade(&m, &c, weight[a] * before - value[a], NULL) / before;
            for (size_t a = 0; a < k.n_assets; a++)
                r += weight[a] * conformance_item(k.returns[a], t);
            check_period(&one, t + 1, (1 + r) * kept - 1, 1 - kept);
            double after = costs_value_after(before, value, weight, k.n_assets, rate) / before;
            assert_true(t == 0 || fabs(after - kept) <= rate * (1 - kept) + 1e-15);
            for (size_t a = 0; a < k.n_assets; a++)
                value[a] = before * kept * weight[a] * (1 + conformance_item(k.returns[a], t));
        }
    }
    conformance_close(&cases);
}

/* A portfolio that is moved to its targets, each trade at one proportional cost. */
struct move {
    size_t n;
    double held[PLAY_ASSETS_MAX], target[PLAY_ASSETS_MAX], budget, rate;
    double left
        [2]; /* paid from the value before it, and solved so that the targets are met after it */
};

/* The first scalar input of these names; NaN: none. Of "..bps", ten-thousandths. */
static double scalar_of(const struct conformance_case *one, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (conformance_has(one, *names))
            return conformance_number(one, *names) / (strstr(*names, "bps") != NULL ? 1e4 : 1);
    }
    return (double)NAN;
}

/* Targets, the rate, and what is held: in money, as weights of a value, or as units at prices. */
static bool read_move(const struct conformance_case *one, struct move *ret)
{
    static const char *const rates[] = {"cost", "cost_rate", "rate", "c",        "commission",
                                        "fee",  "cost_bps",  "bps",  "cost_pct", NULL};
    static const char *const totals[] = {"capital", "value", "V", "equity", "total", NULL};
    struct json_val target = {0}, held = {0}, price = {0}, val;
    struct str name;
    double sum = 0, total = scalar_of(one, totals);
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        const char *input = arena_dup(&cases.arena, name);
        if (jr_type(val) != JR_ARRAY)
            continue;
        if (strstr(input, "target") != NULL)
            target = val;
        else if (strstr(input, "price") != NULL)
            price = val;
        else
            held = val;
    }
    *ret = (struct move){.n = jr_length(target), .rate = scalar_of(one, rates)};
    if (ret->n == 0 || ret->n > PLAY_ASSETS_MAX || isnan(ret->rate) || jr_length(held) != ret->n)
        return false;
    for (size_t a = 0; a < ret->n; a++) {
        ret->target[a] = conformance_item(target, a);
        ret->held[a] = conformance_item(held, a);
        ret->held[a] *= jr_length(price) == ret->n ? conformance_item(price, a) : 1;
        sum += ret->held[a];
    }
    if (fabs(sum - 1) < 1e-9 && !isnan(total)) {
        for (size_t a = 0; a < ret->n; a++)
            ret->held[a] *= total;
        sum = total;
    }
    ret->budget = sum + conformance_number_or(one, "cash", 0);
    ret->left[0] = ret->budget;
    for (size_t a = 0; a < ret->n; a++)
        ret->left[0] -= ret->rate * fabs(ret->target[a] * ret->budget - ret->held[a]);
    ret->left[1] = costs_value_after(ret->budget, ret->held, ret->target, ret->n, ret->rate);
    return true;
}

/* A figure by the words of its name: of which form, and whether it is what is left, paid, held or traded. */
static void check_move(const struct conformance_case *one, const struct move *m,
                       struct json_val val, const char *name)
{
    static const char *const simple[] = {"simple", "naive", "approx", "first"};
    bool is_simple = false,
         is_paid = strstr(name, "after") == NULL &&
                   (strstr(name, "cost") != NULL || strstr(name, "paid") != NULL);
    struct str key;
    struct json_val member;
    for (size_t i = 0; i < ARRAY_LEN(simple); i++)
        is_simple = is_simple || strstr(name, simple[i]) != NULL;
    double left = m->left[is_simple ? 0 : 1], expected = 0;
    if (jr_type(val) == JR_OBJECT) {
        for (size_t k = 0; jr_member_at(val, k, &key, &member); k++) {
            char path[128];
            (void)snprintf(path, sizeof path, "%s %s", name, arena_dup(&cases.arena, key));
            check_move(one, m, member, path);
        }
    } else if (jr_type(val) == JR_ARRAY) {
        bool is_traded = strstr(name, "trade") != NULL;
        conformance_compare(one, name, (double)m->n, (double)jr_length(val));
        for (size_t a = 0; a < m->n; a++)
            conformance_compare(one, name, conformance_item(val, a),
                                m->target[a] * left - (is_traded ? m->held[a] : 0));
    } else if (strstr(name, "turnover") == NULL &&
               jr_read_f64(val, -1e15, 1e15, &expected, NULL) == STATUS_OK) {
        conformance_compare(one, name, expected, is_paid ? m->budget - left : left);
    }
}

static void rebalance_cost_is_solved_or_taken_from_the_value_before(void **state)
{
    struct conformance_case one;
    struct move m;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "sim", &i, &one);) {
        if (read_move(&one, &m))
            check_move(&one, &m, one.expected, "");
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rebalance_cost_is_solved_or_taken_from_the_value_before),
        cmocka_unit_test(portfolios_rebalance_as_in_performance_analytics),
        cmocka_unit_test(rebalance_cost_of_performance_analytics_is_the_first_step_of_ours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
