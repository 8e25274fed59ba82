/*
 * test_backtest_random.h - random small markets and requests over every feature of the simulator.
 * Everything follows from a seed, which a failing case prints. One thread.
 */
#ifndef TEST_BACKTEST_RANDOM_H
#define TEST_BACKTEST_RANDOM_H

#include "tests/support/rounds.h"
#include "tests/unit/test_backtest_world.h"

#include <stdlib.h>

enum { RANDOM_ASSETS = 4, RANDOM_BARS = 60, RANDOM_BODY = 4096 };
enum { ROUNDS_THAT_MEET_ALL = 3000 }; /* fewer, as under sanitizers, may miss a rare thing */

/* What a request may use; each case allows what its property survives. */
enum random_feature {
    RANDOM_BANDS = 1u << 0,
    RANDOM_FLAT_COSTS = 1u << 1,
    RANDOM_IMPACT = 1u << 2,      /* costs that grow with the size of a trade */
    RANDOM_FIXED_COSTS = 1u << 3, /* a fee for a trade of any size, tiers, a least trade */
    RANDOM_WHOLE = 1u << 4,
    RANDOM_VOLUME_LIMIT = 1u << 5,
    RANDOM_FLOWS = 1u << 6, /* of amounts */
    RANDOM_SHARE_FLOWS = 1u << 7,
    RANDOM_FINANCING = 1u << 8,
    RANDOM_LEVERAGE = 1u << 9,
    RANDOM_RAW = 1u << 10, /* raw prices, dividends in any way */
    RANDOM_OPEN = 1u << 11,
    RANDOM_GAPS = 1u << 12, /* holidays and a delisting */
    RANDOM_FX = 1u << 13,
    RANDOM_CASH_WEIGHT = 1u << 14,
    RANDOM_PARTIAL = 1u << 15, /* scope and destination */
    RANDOM_COINS = 1u << 16,   /* cash in whole coins */
    RANDOM_ALL = (1u << 17) - 1,
};

static const char *const random_names[] = {"x:A", "x:B", "x:C", "x:D", "x:E"};

struct random_request {
    double weight[RANDOM_ASSETS + 1];
    size_t order[RANDOM_ASSETS + 1];
    size_t n;
    const char *const *names; /* NULL: random_names */
    double capital;
    char rest[RANDOM_BODY];         /* every other member */
    char strategy[RANDOM_BODY / 4]; /* instead of weights; empty: none */
};

/* How many random requests a case draws; fewer where a sanitizer makes each one slow. */
static UNUSED uint64_t random_rounds(void)
{
    const char *given = getenv("CMMC_TEST_ROUNDS");
    return given != NULL ? strtoull(given, NULL, 10) : rounds_of(10000);
}

static UNUSED double random_between(struct rng *rng, double low, double high)
{
    return low + (high - low) * rng_next_unit(rng);
}

static UNUSED bool random_one_in(struct rng *rng, uint32_t n)
{
    return rng_next_below(rng, n) == 0;
}

/* Prices, opens, volumes, dividends and splits of one series; adjusted prices fit the raw ones. */
static UNUSED void random_series(struct world *w, size_t i, struct rng *rng, unsigned features)
{
    int32_t date[RANDOM_BARS];
    double price[RANDOM_BARS], value = random_between(rng, 5, 200);
    double *columns[8];
    double liquidity = features & RANDOM_VOLUME_LIMIT ? 1 : 1000; /* limits have something to cut */
    size_t n = 0;

    for (size_t k = 0; k < 8; k++) {
        columns[k] = arena_array(&w->arena, RANDOM_BARS, sizeof(double));
        assert_non_null(columns[k]);
    }
    double *open = columns[0], *close = columns[1], *volume = columns[2], *dividend = columns[3];
    double *low = columns[5], *high = columns[6], *pay_date = columns[7];
    double *split = columns[4], volatility = random_between(rng, 0.01, 0.12);
    for (size_t k = 0; k < RANDOM_BARS; k++) {
        if (i > 0 && k > 0 && k + 1 < RANDOM_BARS && features & RANDOM_GAPS &&
            random_one_in(rng, 12))
            continue;
        double before = value;
        value *= elementary_exp((rng_next_unit(rng) - 0.49) * volatility);
        bool has_dividend = n > 0 && features & RANDOM_RAW && random_one_in(rng, 15);
        bool has_split = n > 0 && features & RANDOM_RAW && random_one_in(rng, 30);
        pay_date[n] = k % 5 == 3 ? (double)NAN : 18000 + (double)(k + k % 17);
        dividend[n] = (double)NAN;
        split[n] = (double)NAN;
        if (has_split) {
            split[n] = random_one_in(rng, 2) ? 2 : 0.4;
            value /= split[n];
        }
        if (has_dividend) {
            dividend[n] = 0.02 * value;
            value -= dividend[n];
        }
        date[n] = 18000 + (int32_t)k + (int32_t)(k / 5) * 2; /* weekdays */
        close[n] = value;
        open[n] = random_one_in(rng, 25)
                      ? (double)NAN
                      : random_between(rng, 0.99, 1.01) * (has_split ? value : before);
        low[n] = k % 9 == 4 ? (double)NAN : close[n] * (k % 5 == 1 ? 0.8 : 0.98);
        high[n] = k % 11 == 4 ? (double)NAN : close[n] * (k % 7 == 2 ? 1.25 : 1.01);
        volume[n] =
            random_one_in(rng, 20) ? (double)NAN : random_between(rng, 100, 4000) * liquidity;
        n++;
    }
    double factor = 1; /* reinvested at the close of the ex-date */
    for (size_t k = n; k-- > 0;) {
        price[k] = close[k] * factor;
        if (dividend[k] > 0)
            factor *= close[k] / (close[k] + dividend[k]);
        if (split[k] > 0)
            factor /= split[k];
    }
    bool is_foreign = features & RANDOM_FX && i % 2 == 1;
    struct price_series *s =
        world_add(w, random_names[i], is_foreign ? "KRW" : "USD", date, price, n);
    s->open = open;
    s->low = low;
    s->high = high;
    s->close = close;
    s->volume = volume;
    s->dividend = dividend;
    s->split = split;
    s->pay_date = pay_date;
    if (i == 2 && features & RANDOM_GAPS && random_one_in(rng, 3)) {
        s->delisted_on = date[n / 2] + 1;
        s->delisting_return = random_between(rng, -1, 0.3);
    }
}

/* An economic series around 0, published every five days. */
static UNUSED void random_publications(struct world *w, uint64_t seed)
{
    struct rng rng;
    int32_t *date = arena_array(&w->arena, RANDOM_BARS, sizeof *date);
    int64_t *known = arena_array(&w->arena, RANDOM_BARS, sizeof *known);
    double *value = arena_array(&w->arena, RANDOM_BARS, sizeof *value);
    struct rate_series *series = ARENA_NEW(&w->arena, struct rate_series);
    assert_true(date != NULL && known != NULL && value != NULL && series != NULL);
    rng_init(&rng, seed, 12);
    for (size_t k = 0; k < RANDOM_BARS; k++) {
        date[k] = 18000 + (int32_t)k * 5;
        known[k] = (int64_t)date[k] * 86400 + 15 * 3600;
        value[k] = random_between(&rng, -1, 1);
    }
    *series = (struct rate_series){.uid = STR("indicator:S:USA:M"),
                                   .n = RANDOM_BARS,
                                   .date = date,
                                   .known_at = known,
                                   .value = value};
    w->market.rates = series;
    w->market.n_rates = 1;
}

static UNUSED void random_market(struct world *w, uint64_t seed, unsigned features)
{
    struct rng rng;
    double rate[RANDOM_BARS + 20], usd[RANDOM_BARS + 20];
    int32_t date[RANDOM_BARS + 20];
    rng_init(&rng, seed, 11);
    world_init(w);
    for (size_t i = 0; i <= RANDOM_ASSETS; i++)
        random_series(w, i, &rng, features);
    random_publications(w, seed);
    if (!(features & RANDOM_FX))
        return;
    for (size_t k = 0; k < RANDOM_BARS + 20; k++) {
        date[k] = 17995 + (int32_t)k + (int32_t)(k / 5) * 2;
        rate[k] = random_between(&rng, 1100, 1400);
        usd[k] = random_between(&rng, 0.9, 1.3);
    }
    world_add_fx(w, "KRW", date, rate, RANDOM_BARS + 20);
    world_add_fx(w, "USD", date, usd, RANDOM_BARS + 20);
}

struct random_text {
    char *at;
    size_t room;
};

static UNUSED PRINTF(2, 3) void random_add(struct random_text *text, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vsnprintf(text->at, text->room, format, list);
    va_end(list);
    assert_true(n >= 0 && (size_t)n < text->room);
    text->at += n;
    text->room -= (size_t)n;
}

static UNUSED void random_rebalance(struct random_text *out, struct rng *rng, unsigned features)
{
    static const char *const every[] = {"\"day\"",     "\"week\"",  "\"month\"",
                                        "\"quarter\"", "\"never\"", "7"};
    uint32_t which = rng_next_below(rng, 6);
    bool has_bands = features & RANDOM_BANDS && random_one_in(rng, 2);
    random_add(out, ",\"rebalance\":{\"every\":%s", every[which]);
    if (which == 1 && random_one_in(rng, 2))
        random_add(out, ",\"on\":%s,\"offset\":%u", random_one_in(rng, 2) ? "\"last\"" : "3",
                   rng_next_below(rng, 4));
    if (has_bands) {
        random_add(out, ",\"bands\":{\"absolute\":%.3f", random_between(rng, 0.005, 0.1));
        if (random_one_in(rng, 2))
            random_add(out, ",\"relative\":%.3f", random_between(rng, 0.05, 0.4));
        if (random_one_in(rng, 3))
            random_add(out, ",\"portfolio\":%.3f", random_between(rng, 0.01, 0.1));
        if (random_one_in(rng, 4))
            random_add(out, ",\"five_twentyfive\":true");
        random_add(out, "}");
        if (which != 4 && random_one_in(rng, 3))
            random_add(out, ",\"when\":\"calendar_and_bands\"");
        if (features & RANDOM_PARTIAL && random_one_in(rng, 3))
            random_add(out, ",\"scope\":\"breached\"");
        if (features & RANDOM_PARTIAL && random_one_in(rng, 3))
            random_add(out, ",\"destination\":\"%s\"", random_one_in(rng, 2) ? "edge" : "halfway");
    }
    if (features & RANDOM_FIXED_COSTS && random_one_in(rng, 3))
        random_add(out, ",\"min_trade\":%.2f", random_between(rng, 0, 50));
    random_add(out, "}");
}

static UNUSED void random_costs(struct random_text *out, struct rng *rng, unsigned features)
{
    bool is_rich = features & (RANDOM_IMPACT | RANDOM_FIXED_COSTS | RANDOM_VOLUME_LIMIT) &&
                   random_one_in(rng, 2);
    if (!(features & RANDOM_FLAT_COSTS))
        return;
    if (!is_rich) {
        if (random_one_in(rng, 2))
            random_add(out, ",\"costs\":{\"commission_bps\":%.2f,\"slippage_bps\":%.2f}",
                       random_between(rng, 0, 100), random_between(rng, 0, 30));
        return;
    }
    random_add(out, ",\"costs\":{\"commission\":{\"percent\":%.3f", random_between(rng, 0, 0.5));
    if (features & RANDOM_IMPACT && random_one_in(rng, 3))
        random_add(out, ",\"per_share\":%.7f", /* shares of a few won cost less than a cent */
                   random_between(rng, 0, features & RANDOM_FX ? 2e-5 : 0.02));
    if (features & RANDOM_FIXED_COSTS && random_one_in(rng, 2))
        random_add(out, ",\"fixed\":0.5,\"minimum\":%.2f,\"maximum\":%.2f",
                   random_between(rng, 0, 2), random_between(rng, 3, 20));
    if (features & RANDOM_FIXED_COSTS && random_one_in(rng, 3))
        random_add(out,
                   ",\"tiers\":[{\"from\":1000,\"percent\":0.2},{\"from\":9000,\"percent\":0.05}]");
    random_add(out, "}");
    if (random_one_in(rng, 3))
        random_add(out, ",\"sell_tax\":[{\"from\":\"2019-05-01\",\"percent\":%.3f}]",
                   random_between(rng, 0, 1));
    if (random_one_in(rng, 3))
        random_add(out, ",\"fx_spread_bps\":%.2f", random_between(rng, 0, 40));
    if (features & RANDOM_FINANCING && random_one_in(rng, 3))
        random_add(out, ",\"expense\":[{\"from\":\"2019-05-01\",\"percent\":%.3f}]",
                   random_between(rng, 0, 5));
    if (features & RANDOM_IMPACT && random_one_in(rng, 2)) {
        static const char *const models[] = {"half_spread\",\"spread_bps\":20", "volume_share\"",
                                             "square_root\"", "almgren_chriss\""};
        uint32_t model = rng_next_below(rng, 4);
        random_add(out, ",\"slippage\":{\"model\":\"%s,\"window\":5", models[model]);
        if (!(features & RANDOM_VOLUME_LIMIT))
            random_add(out, ",\"volume_limit\":0");
        else if (random_one_in(rng, 2))
            random_add(out, ",\"volume_limit\":%.3f,\"unfilled\":\"%s\"",
                       random_between(rng, 0.001, 0.1), random_one_in(rng, 2) ? "carry" : "cancel");
        random_add(out, "}");
    }
    random_add(out, "}");
}

static UNUSED void random_flows(struct random_text *out, struct rng *rng, unsigned features)
{
    static const char *const every[] = {"\"week\"", "\"month\"", "3", "11"};
    bool any = features & (RANDOM_FLOWS | RANDOM_SHARE_FLOWS) && random_one_in(rng, 2);
    if (!any)
        return;
    random_add(out, ",\"flows\":[");
    for (uint32_t i = 0, n = 1 + rng_next_below(rng, 2); i < n; i++) {
        bool is_share =
            !(features & RANDOM_FLOWS) || (features & RANDOM_SHARE_FLOWS && random_one_in(rng, 2));
        random_add(out, "%s{\"%s\":%.3f,\"every\":%s", i > 0 ? "," : "",
                   is_share ? "percent" : "amount",
                   (random_one_in(rng, 2) ? 1 : -1) * random_between(rng, 0.1, is_share ? 8 : 900),
                   every[rng_next_below(rng, 4)]);
        if (random_one_in(rng, 3))
            random_add(out, ",\"growth\":%.2f", random_between(rng, -5, 20));
        random_add(out, "}");
    }
    random_add(out, "],\"flow_timing\":\"%s\",\"flow_allocation\":\"%s\"",
               random_one_in(rng, 2) ? "start" : "end",
               random_one_in(rng, 3)   ? "cash"
               : random_one_in(rng, 2) ? "pro_rata"
                                       : "most_underweight");
}

static UNUSED struct random_request random_request(uint64_t seed, unsigned features)
{
    static const char *const fills[] = {"next_close", "same_close", "next_open", "next_ohlc4",
                                        "next_hlc3"};
    static const char *const dividends[] = {"reinvest", "cash", "drop", "reinvest_previous_close"};
    struct random_request q = {.n = RANDOM_ASSETS, .capital = 10000};
    struct random_text out = {q.rest, sizeof q.rest};
    struct rng rng;
    rng_init(&rng, seed, 12);

    bool is_leveraged = features & RANDOM_LEVERAGE && random_one_in(&rng, 3);
    for (size_t i = 0; i <= RANDOM_ASSETS; i++) {
        q.order[i] = i;
        q.weight[i] =
            is_leveraged ? random_between(&rng, -0.6, 0.9) : random_between(&rng, 0.01, 1);
    }
    bool has_cash = features & RANDOM_CASH_WEIGHT && random_one_in(&rng, 4);
    for (size_t i = 0; i <= RANDOM_ASSETS && has_cash; i++)
        q.weight[i] *= 0.2;
    random_add(&out, "\"on_weight_sum\":\"%s\"", has_cash ? "cash" : "normalize");
    random_rebalance(&out, &rng, features);
    random_costs(&out, &rng, features);
    random_flows(&out, &rng, features);
    random_add(&out, ",\"fill\":\"%s\"",
               fills[rng_next_below(&rng, features & RANDOM_OPEN ? 5 : 2)]);
    if (features & RANDOM_WHOLE && random_one_in(&rng, 3))
        random_add(&out, ",\"shares\":\"%s\"", random_one_in(&rng, 3) ? "whole_down" : "whole");
    if (features & RANDOM_FINANCING && random_one_in(&rng, 2))
        random_add(
            &out,
            ",\"financing\":{\"cash_rate\":%.2f,\"debt_spread\":2,\"day_count\":\"%s\","
            "\"borrow_fee\":[{\"from\":\"2019-01-01\",\"percent\":1},{\"from\":\"2019-05-15\","
            "\"percent\":9}]}",
            random_between(&rng, 0, 8), random_one_in(&rng, 2) ? "act_360" : "act_365");
    if (is_leveraged)
        random_add(&out,
                   ",\"leverage\":{\"max_gross\":4,\"maintenance_margin\":%.3f,"
                   "\"liquidation_fee_bps\":30,\"liquidation\":\"%s\",\"margin_test\":\"%s\"}",
                   random_between(&rng, 0.05, 0.24), random_one_in(&rng, 2) ? "reduce" : "close",
                   seed % 3 == 0 ? "extremes" : "close");
    if (features & RANDOM_RAW && random_one_in(&rng, 2)) {
        size_t kind = rng_next_below(&rng, 4);
        random_add(&out, ",\"prices\":\"raw\",\"dividends\":\"%s\"%s", dividends[kind],
                   kind == 1 && seed % 4 != 0 ? ",\"pay_on\":\"pay\"" : "");
    }
    if (features & RANDOM_COINS && random_one_in(&rng, 4))
        random_add(&out, ",\"round_cash\":true");
    return q;
}

static UNUSED struct backtest_result *random_play(struct world *w, const struct random_request *q)
{
    char body[2 * RANDOM_BODY];
    const char *const *names = q->names != NULL ? q->names : random_names;
    struct random_text out = {body, sizeof body};
    random_add(&out, "{\"assets\":[");
    for (size_t i = 0; i < q->n; i++) {
        random_add(&out, "%s{\"uid\":\"%s\"", i > 0 ? "," : "", names[q->order[i]]);
        if (q->strategy[0] == '\0')
            random_add(&out, ",\"weight\":%.17g", q->weight[q->order[i]]);
        random_add(&out, "}");
    }
    random_add(&out,
               "],\"start\":\"2019-04-14\",\"end\":\"2019-07-03\",\"capital\":%.17g,\"monkeys\":{"
               "\"count\":0},%s%s%s}",
               q->capital, q->rest, q->strategy[0] != '\0' ? ",\"strategy\":" : "", q->strategy);
    return world_run(w, body);
}

/* Fails with the seed, which is all that is needed to see it again. */
#define random_assert(condition, seed, q)                                                     \
    do {                                                                                      \
        if (!(condition))                                                                     \
            fail_msg("seed %llu: %s\n%s", (unsigned long long)(seed), #condition, (q)->rest); \
    } while (0)

#endif
