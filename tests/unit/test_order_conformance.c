/*
 * test_order_conformance.c - published figures of other simulators: costs of a trade, fills, orders, turnover.
 * Each group says how its semantics are met; read in place, skipped where the file is absent.
 */
#include "tests/support/conformance.h"
#include "tests/unit/test_backtest_play.h"

static struct conformance cases;

/* What the inputs of the case say that the trade pays. */
static void cost_model_of(const struct conformance_case *one, struct cost_model *ret)
{
    struct cost_slippage *s = &ret->slippage;
    struct cost_commission *k = &ret->commission;
    *ret = (struct cost_model){0};
    k->percent = conformance_number_or(one, "percent", 0);
    k->per_share = conformance_number_or(one, "per_share", 0);
    k->fixed = conformance_number_or(one, "fixed", 0);
    k->minimum = conformance_number_or(one, "minimum", 0);
    k->maximum = conformance_number_or(one, "maximum", 0);
    s->bps = conformance_number_or(one, "bps", 0) / 1e4;
    if (conformance_has(one, "spread"))
        s->bps = conformance_number(one, "spread") / 2 / conformance_number(one, "price");
    s->alpha = conformance_number_or(one, "alpha", 0);
    s->beta = conformance_number_or(one, "beta", 0);
    s->epsilon = conformance_number_or(one, "epsilon", 0);
    s->y = conformance_number_or(one, "Y", 0);
    if (conformance_has(one, "alpha") || conformance_has(one, "beta"))
        s->model = SLIPPAGE_ALMGREN_CHRISS;
    else if (s->y > 0)
        s->model = SLIPPAGE_SQUARE_ROOT;
    else
        s->bps += s->epsilon; /* of the three parts the linear one alone */
}

static void one_trade_costs_what_its_inputs_say(void **state)
{
    struct conformance_case one;
    struct cost_model m;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "cost", &i, &one);) {
        if (!conformance_has(&one, "q") || !conformance_has(&one, "price"))
            continue;
        cost_model_of(&one, &m);
        double volume = conformance_number_or(&one, "volume", (double)NAN);
        struct cost_context c = {.share_price = conformance_number(&one, "price"),
                                 .volume = volume,
                                 .average_volume = volume,
                                 .sigma = conformance_number_or(&one, "sigma", (double)NAN)};
        double change = conformance_number(&one, "q") * c.share_price;
        conformance_check(&one, "", costs_of_trade(&m, &c, change, NULL));
    }
    conformance_close(&cases);
}

/* zipline fills whole shares and moves the price of a fill; here the move is a cost beside the price. */
static void volume_limits_and_moves_the_price_as_in_zipline(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "fill", &i, &one);) {
        struct cost_model m = {
            .slippage = {.volume_limit = conformance_number_or(&one, "volume_limit", 0)}};
        if (conformance_has(&one, "price_impact")) {
            m.slippage.model = SLIPPAGE_VOLUME_SHARE;
            m.slippage.price_impact = conformance_number(&one, "price_impact");
        }
        double order = conformance_number(&one, "order"), close = conformance_number(&one, "close");
        if (isnan(order) || isnan(close))
            continue;
        m.slippage.bps = conformance_number_or(&one, "bps", 0) / 1e4 +
                         conformance_number_or(&one, "spread", 0) / 2 / close;
        struct cost_context c = {.share_price = close,
                                 .volume = conformance_number(&one, "bar_volume")};
        double limit = costs_value_limit(&m, &c);
        double most = isfinite(limit) ? floor(limit / close + 1e-9) : limit;
        double filled = fmin(fabs(order), most), side = order > 0 ? 1 : -1;
        double cost = costs_of_trade(&m, &c, side * filled * close, NULL);
        const struct conformance_figure figures[] = {
            {"filled", side * filled}, {"price", close * (1 + side * cost / (filled * close))}};
        (void)conformance_check_figures(&one, figures, ARRAY_LEN(figures));
    }
    conformance_close(&cases);
}

enum direction { LONG_ONLY, SHORT_ONLY, BOTH };

static enum direction direction_of(const struct conformance_case *one)
{
    const char *text = conformance_text(&cases, one, "direction");
    if (text == NULL)
        return LONG_ONLY;
    return strcmp(text, "both") == 0        ? BOTH
           : strcmp(text, "shortonly") == 0 ? SHORT_ONLY
                                            : LONG_ONLY;
}

/* What is held at a session before its order: units, and what all is worth. */
struct held {
    double price, units, value;
};

static struct held held_at(struct play *p, const double *close, size_t session)
{
    if (p->rules.n_due == 0)
        return (struct held){close[session], 0, p->rules.capital};
    play_run(p);
    return (struct held){close[session], p->ws.units[0], p->ws.equity[session]};
}

/* The weight that leaves so many units when their trade has been paid for; not more than all the money buys. */
static double weight_of(const struct play *p, struct held held, double units, enum direction may)
{
    struct cost_context c = {.share_price = held.price};
    double least = may == LONG_ONLY ? 0 : -1, most = may == SHORT_ONLY ? 0 : 1;
    double change = (units - held.units) * held.price;
    double left = held.value - costs_of_trade(&p->rules.costs, &c, change, NULL);
    return left > 0 ? fmin(fmax(units * held.price / left, least), most) : least;
}

/*
 * The order of a session as a target weight; false: there is none. inf is everything: bought, or sold short where only
 * shorts are allowed; -inf sells everything, and in both directions turns it over into a short. Sizes are units, and of
 * shorts alone they count the other way round.
 */
static bool order_at_session(const struct conformance_case *one, struct play *p,
                             const double *close, size_t session, double *ret)
{
    static const char *const targets[] = {"target", "target_value", "target_shares", "size"};
    enum direction may = direction_of(one);
    for (size_t k = 0; k < ARRAY_LEN(targets); k++) {
        struct json_val val = jr_member(one->inputs, targets[k]);
        bool is_list = jr_type(val) == JR_ARRAY;
        if (!jr_is_present(val) || (is_list && session >= jr_length(val)))
            continue;
        struct str text = is_list ? jr_text_at(val, session) : STR_NONE;
        if (text.ptr != NULL) {
            *ret = str_eq_c(text, "inf") ? (may == SHORT_ONLY ? -1 : 1) : may == BOTH ? -1 : 0;
            return true;
        }
        double x = is_list ? conformance_item(val, session) : conformance_number(one, targets[k]);
        if (isnan(x))
            return false;
        struct held held = held_at(p, close, session);
        double side = may == SHORT_ONLY ? -1 : 1;
        double units[] = {x * held.value / held.price, x / held.price, x, held.units + side * x};
        *ret = weight_of(p, held, units[k], k < 3 && x < 0 ? BOTH : may);
        return true;
    }
    return false;
}

/* [session, size, price, fee, side] per order. */
static void check_orders(const struct conformance_case *one, const struct play *p)
{
    static const char *const names[] = {"session", "size", "price", "fee"};
    size_t n = jr_length(one->expected);
    conformance_compare(one, "orders", (double)n, (double)p->recorder.n_trades);
    for (size_t i = 0; i < n && i < p->recorder.n_trades; i++) {
        const struct sim_trade *t = &p->recorder.trades[i];
        struct json_val row = jr_item(one->expected, i);
        double fee = t->paid[COST_COMMISSION];
        double figures[4] = {t->session, t->quantity, t->local_price, fee};
        for (size_t k = 0; k < 4; k++)
            conformance_compare(one, names[k], conformance_item(row, k), figures[k]);
        conformance_compare(one, "is a buy", str_eq_c(jr_text_at(row, 4), "buy"), t->is_buy);
    }
}

/*
 * vectorbt's orders as targets. At the price at which a short has used up the equity, vectorbt's order that closes it
 * is our ruin at that close.
 */
static void orders_are_those_of_vectorbt(void **state)
{
    struct conformance_case one;
    static struct play p;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "orders", &i, &one);) {
        struct conformance_series close =
            conformance_series(&cases, jr_member(one.inputs, "close"), NULL);
        if (close.n == 0 || jr_type(one.expected) != JR_ARRAY)
            continue;
        play_start(&p, (const double *const[]){close.value}, 1, close.n);
        p.rules.capital = conformance_number_or(&one, "init_cash", 100);
        p.rules.leverage.is_allowed = direction_of(&one) != LONG_ONLY;
        p.rules.costs.commission.percent = conformance_number_or(&one, "fees", 0);
        p.rules.costs.commission.fixed = conformance_number_or(&one, "fixed_fees", 0);
        if (conformance_has(&one, "granularity")) {
            assert_true(conformance_number(&one, "granularity") == 1);
            p.rules.shares = SHARES_WHOLE;
        }
        for (size_t t = 0; t < close.n; t++) {
            double weight;
            if (order_at_session(&one, &p, close.value, t, &weight))
                play_decide(&p, t, &weight);
        }
        play_run(&p);
        check_orders(&one, &p);
        world_clear(&p.w);
    }
    conformance_close(&cases);
}

/* Targets in money of assets by name, all at price 1: what is held after each session is what was asked for. */
static void every_target_is_reached_whatever_is_sold_first(void **state)
{
    struct conformance_case one;
    static struct play p;
    static double flat[PLAY_ROWS_MAX];
    const double *price[PLAY_ASSETS_MAX];
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; i < PLAY_ROWS_MAX; i++)
        flat[i] = 1;
    for (size_t i = 0; i < PLAY_ASSETS_MAX; i++)
        price[i] = flat;
    for (size_t i = 0; conformance_next(&cases, "orders", &i, &one);) {
        struct json_val targets = jr_member(one.inputs, "target_value"), target[PLAY_ASSETS_MAX];
        struct str name[PLAY_ASSETS_MAX];
        size_t n_assets = 0;
        if (jr_type(targets) != JR_OBJECT)
            continue;
        while (jr_member_at(targets, n_assets, &name[n_assets], &target[n_assets]))
            n_assets++;
        double cash = conformance_number(&one, "init_cash");
        for (size_t n = 1; n <= jr_length(target[0]); n++) { /* what is held after session n - 1 */
            play_start(&p, price, n_assets, jr_length(target[0]));
            p.rules.capital = cash;
            for (size_t t = 0; t < n; t++) {
                double weight[PLAY_ASSETS_MAX];
                for (size_t a = 0; a < n_assets; a++)
                    weight[a] = conformance_item(target[a], t) / cash;
                play_decide(&p, t, weight);
            }
            play_run(&p);
            for (size_t a = 0; a < n_assets; a++) {
                struct json_val held = jr_member(one.expected, arena_dup(&cases.arena, name[a]));
                conformance_claim(&one);
                assert_close(p.ws.units[a] + 1, conformance_item(held, n - 1) + 1, 1e-9);
            }
            world_clear(&p.w);
        }
    }
    conformance_close(&cases);
}

/* Every list of inputs but the weights is an asset's prices; the metric's text names the capital, a million. */
static void turnover_is_that_of_bt(void **state)
{
    struct conformance_case one;
    (void)state;
    if (!conformance_open(&cases))
        skip();
    for (size_t i = 0; conformance_next(&cases, "turnover", &i, &one);) {
        double bought[PLAY_ROWS_MAX] = {0}, sold[PLAY_ROWS_MAX] = {0}, share[PLAY_ROWS_MAX];
        char body[2048] = "{\"assets\":[";
        struct world w;
        struct str name;
        struct json_val val, weights = jr_member(one.inputs, "weights");
        bool is_whole = false;
        size_t n_assets = 0;
        world_init(&w);
        for (size_t k = 0; jr_member_at(one.inputs, k, &name, &val); k++) {
            if (jr_type(val) != JR_ARRAY || str_eq_c(name, "weights"))
                continue;
            struct conformance_series price = conformance_series(&cases, val, NULL);
            const char *uid = play_uids[n_assets];
            world_add_days(&w, uid, 18000, price.value, price.n);
            play_say_asset(body, sizeof body, n_assets, conformance_item(weights, n_assets));
            n_assets++;
        }
        if (conformance_has(&one, "integer"))
            assert_int_equal(jr_read_bool(jr_member(one.inputs, "integer"), &is_whole, NULL),
                             STATUS_OK);
        play_say(body, sizeof body,
                 "],\"capital\":%.17g,\"rebalance\":\"daily\",\"fill\":\"same_close\","
                 "\"shares\":\"%s\",\"monkeys\":{\"count\":0}}",
                 conformance_number_or(&one, "capital", 1e6),
                 is_whole ? "whole_down" : "fractional");
        struct backtest_result *r = world_run(&w, body);
        for (size_t k = 0; k < r->ledger.n_trades; k++) {
            const struct sim_trade *t = &r->ledger.trades[k];
            *(t->is_buy ? &bought[t->session] : &sold[t->session]) += t->value;
        }
        for (size_t t = 0; t < r->panel->n_sessions; t++)
            share[t] = fmin(bought[t], sold[t]) / r->wealth[t];
        conformance_check_list(&one, "", share, r->panel->n_sessions);
        world_clear(&w);
    }
    conformance_close(&cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_trade_costs_what_its_inputs_say),
        cmocka_unit_test(volume_limits_and_moves_the_price_as_in_zipline),
        cmocka_unit_test(orders_are_those_of_vectorbt),
        cmocka_unit_test(every_target_is_reached_whatever_is_sold_first),
        cmocka_unit_test(turnover_is_that_of_bt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
