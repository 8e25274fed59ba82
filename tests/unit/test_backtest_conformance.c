/*
 * test_backtest_conformance.c - derived figures of whole simulations, each told by the inputs it has.
 * Read in place, skipped where the file is absent.
 */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_play.h"

#include "backtest/xirr.h"

#include <ctype.h>
#include <stdlib.h>

static struct conformance cases;

/* Every list of inputs but the weights is an asset's prices. */
static void held(const struct conformance_case *one)
{
    char body[2048] = "{\"assets\":[";
    const char *rebalance = conformance_text(&cases, one, "rebalance");
    bool is_daily = strstr(one->metric, "daily rebalance") != NULL;
    struct json_val weights = jr_member(one->inputs, "weights"), val;
    struct str name;
    struct world w;
    size_t n_assets = 0;
    if (jr_type(one->expected) != JR_ARRAY)
        return; /* another question about the same portfolio */
    world_init(&w);
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        if (jr_type(val) != JR_ARRAY || str_eq_c(name, "weights") || str_eq_c(name, "dates"))
            continue;
        struct conformance_series price = conformance_series(&cases, val, NULL);
        assert_true(n_assets < PLAY_ASSETS_MAX);
        world_add_days(&w, play_uids[n_assets], 18000, price.value, price.n);
        play_say_asset(body, sizeof body, n_assets, conformance_item(weights, n_assets));
        n_assets++;
    }
    play_say(
        body, sizeof body,
        "],\"capital\":%.17g,\"rebalance\":\"%s\",\"on_weight_sum\":\"cash\",\"fill\":\"same_close\","
        "\"monkeys\":{\"count\":0}}",
        conformance_number(one, "capital"),
        rebalance != NULL ? rebalance
        : is_daily        ? "daily"
                          : "never");
    struct backtest_result *r = world_run(&w, body);
    conformance_check_list(one, "", r->equity, r->panel->n_sessions);
    world_clear(&w);
}

static void whole_shares(const struct conformance_case *one)
{
    char body[2048] = "{\"assets\":[";
    struct json_val prices = jr_member(one->inputs, "prices");
    double shares[PLAY_ASSETS_MAX] = {0};
    struct world w;
    world_init(&w);
    assert_true(jr_length(prices) <= PLAY_ASSETS_MAX);
    for (size_t a = 0; a < jr_length(prices); a++) {
        double price[2] = {conformance_item(prices, a), conformance_item(prices, a)};
        world_add_days(&w, play_uids[a], 18000, price, 2);
        play_say_asset(body, sizeof body, a,
                       conformance_item(jr_member(one->inputs, "weights"), a));
    }
    play_say(
        body, sizeof body,
        "],\"shares\":\"whole\",\"fill\":\"same_close\",\"rebalance\":\"never\",\"capital\":%.17g,"
        "\"costs\":{\"commission\":{\"percent\":%.17g}},\"monkeys\":{\"count\":0}}",
        conformance_number(one, "capital"), 100 * conformance_number_or(one, "commission", 0));
    struct backtest_result *r = world_run(&w, body);
    for (size_t i = 0; i < r->ledger.n_trades; i++)
        shares[r->ledger.trades[i].asset] += r->ledger.trades[i].quantity;
    conformance_check_list(one, "shares", shares, jr_length(prices));
    conformance_check(one, "cash", r->ledger.cash[1]);
    world_clear(&w);
}

/* "price_usd" in dollars and "usdkrw", won for a dollar: a run in won. Other currencies likewise. */
static void foreign(const struct conformance_case *one)
{
    static const char PRICE[] = "price_";
    char local[4] = "", base[4] = "", body[256];
    double euro[PLAY_ROWS_MAX], returns[PLAY_ROWS_MAX];
    int32_t date[PLAY_ROWS_MAX];
    struct conformance_series price = {.n = 0}, rate = {.n = 0};
    struct json_val val;
    struct str name;
    struct world w;
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        bool is_price = name.len == sizeof PRICE + 2 && memcmp(name.ptr, PRICE, 6) == 0;
        if (is_price)
            price = conformance_series(&cases, val, NULL);
        else if (name.len == 6 && jr_type(val) == JR_ARRAY)
            rate = conformance_series(&cases, val, NULL);
        for (size_t i = 0; i < 3 && name.len >= 6; i++) {
            if (is_price)
                local[i] = (char)toupper(name.ptr[6 + i]);
            else
                base[i] = (char)toupper(name.ptr[3 + i]);
        }
    }
    if (price.n == 0 || price.n != rate.n)
        return;
    assert_true(price.n <= PLAY_ROWS_MAX);
    for (size_t t = 0; t < price.n; t++) {
        date[t] = 18000 + (int32_t)t;
        euro[t] = 1;
    }
    world_init(&w);
    world_add(&w, "x:A", local, date, price.value, price.n);
    world_add_fx(&w, base, date, rate.value, price.n); /* by way of the euro, here at par */
    world_add_fx(&w, local, date, euro, price.n);
    (void)snprintf(body, sizeof body,
                   "{\"assets\":[{\"uid\":\"x:A\"}],\"currency\":\"%s\",\"fill\":"
                   "\"same_close\",\"monkeys\":{\"count\":0}}",
                   base);
    struct backtest_result *r = world_run(&w, body);
    for (size_t t = 1; t < price.n; t++)
        returns[t - 1] = r->equity[t] / r->equity[t - 1] - 1;
    conformance_check_list(one, "base_returns", returns, price.n - 1);
    conformance_check(one, "total", r->measures[MEASURE_total_return].value);
    world_clear(&w);
}

/* All in one asset that is delisted the day after its last close; another one keeps the calendar. */
static void delisted(const struct conformance_case *one)
{
    double close = conformance_number(one, "last_close"), hold[] = {close, close};
    static const double other[] = {1, 1, 1, 1};
    double shares = conformance_number(one, "shares"), value = shares * close;
    double cash = conformance_number_or(one, "cash", 0);
    char body[512];
    struct world w;
    world_init(&w);
    struct price_series *s = world_add_days(&w, "x:A", 18000, hold, 2);
    s->delisted_on = 18002;
    s->delisting_return = conformance_number(one, "delisting_return");
    world_add_days(&w, "x:B", 18000, other, 4);
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":%.17g},{\"uid\":\"x:B\",\"weight\":0}],"
        "\"on_weight_sum\":\"cash\",\"capital\":%.17g,\"fill\":\"same_close\","
        "\"rebalance\":\"never\",\"monkeys\":{\"count\":0}}",
        value / (value + cash), value + cash);
    struct backtest_result *r = world_run(&w, body);
    conformance_check(one, "cash", r->ledger.cash[r->panel->n_sessions - 1]);
    assert_close(r->ledger.trades[0].quantity, shares, 1e-12);
    world_clear(&w);
}

/* Values before each flow as the prices of what is held; every flow is a rule of its own, on its date. */
static void contributed(const struct conformance_case *one)
{
    struct json_val dates = jr_member(one->inputs, "dates"), flows;
    struct conformance_series value =
        conformance_series(&cases, jr_member(one->inputs, "values_before_flow"), NULL);
    int32_t date[PLAY_ROWS_MAX];
    double price[PLAY_ROWS_MAX];
    struct xirr_flow flow[PLAY_ROWS_MAX];
    struct xirr_roots roots = {0};
    char body[4096];
    struct err err = {0};
    struct world w;
    flows = jr_member(one->inputs, "flows_after_close");
    assert_true(value.n > 0 && value.n < PLAY_ROWS_MAX && jr_length(dates) == value.n);
    (void)snprintf(body, sizeof body,
                   "{\"assets\":[{\"uid\":\"x:A\"}],\"capital\":%.17g,\"fill\":\"same_close\","
                   "\"rebalance\":\"never\",\"monkeys\":{\"count\":0}",
                   value.value[0]);
    size_t n_flows = 0;
    for (size_t t = 0; t < value.n; t++) {
        double amount = conformance_item(flows, t);
        struct str day_text = jr_text_at(dates, t);
        assert_int_equal(jr_read_date(jr_item(dates, t), &date[t], NULL), STATUS_OK);
        price[t] = t == 0 ? value.value[0]
                          : price[t - 1] * value.value[t] /
                                (value.value[t - 1] + conformance_item(flows, t - 1));
        if (t > 0 && t + 1 < value.n && fabs(amount) > 0)
            play_say(body, sizeof body, "%s{\"amount\":%.17g,\"start\":\"%.*s\"}",
                     n_flows++ > 0 ? "," : ",\"flows\":[", amount, (int)day_text.len, day_text.ptr);
    }
    play_say(body, sizeof body, "%s", n_flows > 0 ? "]}" : "}");
    world_init(&w);
    world_add(&w, "x:A", "USD", date, price, value.n);
    struct backtest_result *r = world_run(&w, body);
    size_t last = value.n - 1, n = 0;
    conformance_check(one, "twr", r->measures[MEASURE_total_return].value);
    assert_close(r->wealth[last], value.value[last], 1e-12);
    flow[n++] = (struct xirr_flow){date[0], -value.value[0]};
    for (size_t i = 0; i < r->ledger.n_flows; i++)
        flow[n++] = (struct xirr_flow){r->panel->clock[r->ledger.flows[i].session],
                                       -r->ledger.flows[i].amount};
    flow[n++] = (struct xirr_flow){date[last], r->wealth[last]};
    assert_int_equal(n, n_flows + 2);
    assert_int_equal(xirr_solve(flow, n, &w.arena, &roots, &err), STATUS_OK);
    conformance_check(one, "xirr_act365", roots.preferred);
    if (n_flows > 0) /* a run without flows has no rate of its own */
        conformance_check(one, "xirr_act365", r->xirr);
    world_clear(&w);
}

/* abs_5pp: 5 percentage points off; rel_25pct: a quarter of the target off. A calendar of one day each. */
static void banded(const struct conformance_case *one)
{
    struct json_val weights = jr_member(one->inputs, "weights"), val;
    struct str name;
    for (size_t k = 0; jr_member_at(one->expected, k, &name, &val); k++) {
        char *rule = arena_dup(&cases.arena, name);
        double limit = strtod(rule + strcspn(rule, "0123456789"), NULL) / 100;
        bool is_absolute = strncmp(rule, "abs_", 4) == 0, fires = false, expected = false;
        if (!is_absolute && strncmp(rule, "rel_", 4) != 0)
            continue;
        struct rebalance_bands bands = {.absolute = is_absolute ? limit : 0,
                                        .relative = is_absolute ? 0 : limit};
        for (size_t i = 0; i < jr_length(weights); i++)
            fires = fires ||
                    rebalance_is_outside(&bands, conformance_item(weights, i),
                                         conformance_item(jr_member(one->inputs, "target"), i));
        assert_int_equal(jr_read_bool(val, &expected, NULL), STATUS_OK);
        conformance_compare(one, rule, expected, fires);
    }
}

/* Total return of the case's closes with its dividend on a row, as `dividends` says. */
static double total_with(const struct conformance_series *close, size_t row, double amount,
                         const char *dividends)
{
    char body[256];
    double dividend[PLAY_ROWS_MAX] = {0};
    struct world w;
    world_init(&w);
    assert_true(row < close->n && close->n <= PLAY_ROWS_MAX);
    dividend[row] = amount;
    struct price_series *s = world_add_days(&w, "x:A", 18000, close->value, close->n);
    s->close = close->value;
    s->dividend = dividend;
    (void)snprintf(
        body, sizeof body,
        "{\"assets\":[{\"uid\":\"x:A\",\"weight\":1}],\"fill\":\"same_close\",\"prices\":"
        "\"raw\",\"dividends\":\"%s\",\"rebalance\":\"never\",\"monkeys\":{\"count\":0}}",
        dividends);
    double total = world_run(&w, body)->measures[MEASURE_total_return].value;
    world_clear(&w);
    return total;
}

static const char DIVIDEND[] = "dividend_on_row_";

static void paying(const struct conformance_case *one)
{
    struct conformance_series close =
        conformance_series(&cases, jr_member(one->inputs, "close"), NULL);
    struct json_val val;
    struct str name;
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        const char *input = arena_dup(&cases.arena, name);
        if (strncmp(input, DIVIDEND, sizeof DIVIDEND - 1) != 0)
            continue;
        size_t row = strtoul(input + sizeof DIVIDEND - 1, NULL, 10);
        double amount = conformance_number(one, input);
        double price = total_with(&close, row, amount, "drop");
        double total = total_with(&close, row, amount, "reinvest");
        double previous = total_with(&close, row, amount, "reinvest_previous_close");
        const struct conformance_figure figures[] = {
            {"total_return", total},
            {"price_return", price},
            {"adj_factor_row0", (1 + price) / (1 + total)},
            {"crsp_style_factor", (1 + price) / (1 + previous)}};
        (void)conformance_check_figures(one, figures, ARRAY_LEN(figures));
    }
}

/*
 * A fund of L times its index that is reset every day: debt of L - 1 times the equity, or cash of 1 - L, so its expense
 * is one more rate on the debt, or one less on the cash. With L = 1 there is neither, and the prices have paid it.
 */
static void leveraged(const struct conformance_case *one)
{
    static struct play p;
    double price[PLAY_ROWS_MAX] = {100}, weight = conformance_number(one, "L");
    struct conformance_series r =
        conformance_series(&cases, jr_member(one->inputs, "returns"), NULL);
    double rate =
        conformance_number_or(one, "base_rate", 0) + conformance_number_or(one, "spread", 0);
    double expense = conformance_number_or(one, "expense_year", 0);
    double days = conformance_number_or(one, "days_per_year", 365);
    bool is_plain = !(fabs(weight - 1) > 0);
    assert_true(r.n < PLAY_ROWS_MAX);
    if (r.n == 0) {
        conformance_check_list(one, "", NULL, 0);
        return;
    }
    for (size_t t = 0; t < r.n; t++)
        price[t + 1] = price[t] * (1 + r.value[t] - (is_plain ? expense / days : 0));
    play_start(&p, (const double *const[]){price}, 1, r.n + 1);
    p.rules.capital = 1;
    p.rules.leverage.is_allowed = true;
    p.rules.financing.day_basis = days;
    if (!is_plain)
        *(weight > 1 ? &p.rules.financing.debt_rate : &p.rules.financing.cash_rate) =
            rate + expense / (weight - 1);
    for (size_t t = 0; t <= r.n; t++)
        play_decide(&p, t, &weight);
    play_run(&p);
    conformance_check_list(one, "", p.ws.equity + 1, r.n);
    world_clear(&p.w);
}

/* A kind of simulation by the inputs it has, or the beginning of their names; the first that fits. */
static const struct {
    const char *inputs[3];
    void (*drive)(const struct conformance_case *one);
} kinds[] = {
    {{"delisting_return", "shares", "last_close"}, delisted},
    {{"L", "returns", "returns"}, leveraged},
    {{"flows_after_close", "values_before_flow", "dates"}, contributed},
    {{"target", "weights", "weights"}, banded},
    {{DIVIDEND, "close", "close"}, paying},
    {{"price_", "price_", "price_"}, foreign},
    {{"prices", "weights", "capital"}, whole_shares},
    {{"weights", "capital", "capital"}, held},
};

static bool has_input(const struct conformance_case *one, const char *input)
{
    struct str name;
    struct json_val val;
    size_t n = strlen(input);
    for (size_t k = 0; jr_member_at(one->inputs, k, &name, &val); k++) {
        bool is_beginning = input[n - 1] == '_' && name.len > n;
        if ((name.len == n || is_beginning) && memcmp(name.ptr, input, n) == 0)
            return true;
    }
    return false;
}

static void simulations_follow_the_derived_figures(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "sim", &i, &one);) {
        for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
            const char *const *inputs = kinds[k].inputs;
            if (!has_input(&one, inputs[0]) || !has_input(&one, inputs[1]) ||
                !has_input(&one, inputs[2]))
                continue;
            kinds[k].drive(&one);
            break;
        }
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simulations_follow_the_derived_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
