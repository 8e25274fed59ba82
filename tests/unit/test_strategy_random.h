/*
 * test_strategy_random.h - random strategies as request objects, for markets of a few dozen sessions.
 * Everything follows from the generator that is handed in.
 */
#ifndef TEST_STRATEGY_RANDOM_H
#define TEST_STRATEGY_RANDOM_H

#include "tests/unit/test_backtest_random.h"

/* Limits that a random strategy was given. */
struct random_limits {
    double least, most;             /* per asset */
    double group_least, group_most; /* of the first two assets */
    double gross;
    bool is_given, has_group, is_long;
};

/* Limits that equal parts of RANDOM_ASSETS keep. */
static UNUSED struct random_limits random_limits(struct rng *rng)
{
    struct random_limits l = {.least = 0, .most = 1, .gross = 1, .is_given = true, .is_long = true};
    if (random_one_in(rng, 3)) {
        l.is_long = false;
        l.least = random_between(rng, -0.5, 0.1);
        l.gross = random_between(rng, 1.1, 2);
    } else if (random_one_in(rng, 2)) {
        l.least = random_between(rng, 0, 0.9 / RANDOM_ASSETS);
    }
    l.most = random_between(rng, 1.2 / RANDOM_ASSETS, 1);
    l.has_group = random_one_in(rng, 2);
    l.group_least = random_between(rng, 0.2, 0.45);
    l.group_most = random_between(rng, 0.55, 0.8);
    return l;
}

static UNUSED void random_add_limits(struct random_text *out, const struct random_limits *l)
{
    random_add(out, ",\"constraints\":{\"min_weight\":%.17g,\"max_weight\":%.17g", l->least,
               l->most);
    if (!l->is_long)
        random_add(out, ",\"long_only\":false,\"max_gross\":%.17g", l->gross);
    if (l->has_group)
        random_add(out, ",\"groups\":{\"g\":{\"min\":%.17g,\"max\":%.17g}}", l->group_least,
                   l->group_most);
    random_add(out, "}");
}

/* Members of a strategy with a window, between its name and its closing brace. */
static UNUSED void random_window(struct random_text *out, struct rng *rng,
                                 const struct strategy_kind *kind, size_t longest)
{
    static const char *const linkages[] = {"single", "complete", "average"};
    random_add(out, ",\"lookback\":%u,\"lag\":%u,\"fallback\":\"%s\"",
               2 + rng_next_below(rng, (uint32_t)longest), rng_next_below(rng, 4),
               random_one_in(rng, 2) ? "equal" : "cash");
    if (kind->needs & STRATEGY_COVARIANCE && random_one_in(rng, 3))
        random_add(out, ",\"covariance\":\"ledoit_wolf\"");
    else if (kind->needs & STRATEGY_COVARIANCE && random_one_in(rng, 3))
        random_add(out, ",\"covariance\":\"ewma\",\"decay\":%.4f", random_between(rng, 0.8, 0.99));
    for (size_t i = 0; i < kind->n_params; i++) {
        const char *name = kind->params[i].name;
        if (strcmp(name, "top") == 0)
            random_add(out, ",\"top\":%u", 1 + rng_next_below(rng, RANDOM_ASSETS));
        else if (strcmp(name, "linkage") == 0)
            random_add(out, ",\"linkage\":\"%s\"", linkages[rng_next_below(rng, 3)]);
        else if (strcmp(name, "safe") == 0 && random_one_in(rng, 2))
            random_add(out, ",\"safe\":\"%s\"", random_names[rng_next_below(rng, RANDOM_ASSETS)]);
        else if (strcmp(name, "confidence") == 0)
            random_add(out, ",\"confidence\":%.4f", random_between(rng, 0.5, 0.99));
        else if (strcmp(name, "acceptable_return") == 0 && random_one_in(rng, 2))
            random_add(out, ",\"acceptable_return\":%.4f", random_between(rng, -0.2, 0.3));
        else if (strcmp(name, "most_volatility") == 0)
            random_add(out, ",\"most_volatility\":%.4f", random_between(rng, 0.02, 0.5));
        else if (strcmp(name, "target") == 0)
            random_add(out, ",\"target\":%.4f", random_between(rng, 0.02, 0.5));
    }
}

static UNUSED void random_rows(struct random_text *out, struct rng *rng)
{
    random_add(out, ",\"rows\":[");
    for (uint32_t k = 0, n = 1 + rng_next_below(rng, 4); k < n; k++)
        random_add(out, "%s{\"date\":\"2019-0%u-%u\",\"weights\":{\"x:A\":%.3f,\"x:C\":%.3f}}",
                   k > 0 ? "," : "", 4 + k, 10 + rng_next_below(rng, 18),
                   random_between(rng, 0, 0.5), random_between(rng, 0, 0.5));
    random_add(out, "]");
}

/* limits: NULL for those of the strategy itself, where it takes some. */
static UNUSED void random_strategy(struct random_text *out, struct rng *rng, enum strategy_id id,
                                   size_t longest, const struct random_limits *limits)
{
    static const enum strategy_id inner[] = {STRATEGY_MOMENTUM, STRATEGY_MINIMUM_VARIANCE,
                                             STRATEGY_INVERSE_VOLATILITY, STRATEGY_DUAL_MOMENTUM,
                                             STRATEGY_EQUAL_RISK_CONTRIBUTION};
    const struct strategy_kind *kind = strategy_kinds[id];
    random_add(out, "{\"name\":\"%s\"", kind->name);
    if (kind->needs & STRATEGY_WINDOW)
        random_window(out, rng, kind, longest);
    if (kind->needs & STRATEGY_BASE) {
        random_add(out, ",\"base\":");
        random_strategy(out, rng, inner[rng_next_below(rng, 5)], longest, NULL);
    }
    if (kind->needs & STRATEGY_COUNTS)
        random_add(out, ",\"periods\":%u", 2 + rng_next_below(rng, 6));
    if (kind->needs & STRATEGY_DATES)
        random_add(out, ",\"from_month\":%u,\"to_month\":8", 2 + rng_next_below(rng, 4));
    if (kind->needs & STRATEGY_SIGNAL)
        random_add(out, ",\"indicator\":\"indicator:S:USA:M\",\"threshold\":%.3f,\"when\":\"%s\"",
                   random_between(rng, -0.5, 0.5), random_one_in(rng, 2) ? "above" : "below");
    if (kind->needs & STRATEGY_VIEWS)
        random_add(out,
                   ",\"views\":[{\"assets\":{\"x:A\":1,\"x:C\":%.3f},\"return\":%.3f,"
                   "\"confidence\":%.3f}]",
                   random_between(rng, -1, 1), random_between(rng, -0.2, 0.2),
                   random_between(rng, 0.1, 1));
    if (kind->needs & STRATEGY_TABLE)
        random_rows(out, rng);
    if (kind->needs & STRATEGY_SEARCH) {
        random_add(out, ",\"train\":%u,\"test\":%u,\"criterion\":\"%s\",\"candidates\":[\"equal\",",
                   20 + rng_next_below(rng, 10), 3 + rng_next_below(rng, 15),
                   random_one_in(rng, 2) ? "sharpe" : "total_return");
        random_strategy(out, rng, inner[rng_next_below(rng, 5)], longest, NULL);
        random_add(out, ",");
        random_strategy(out, rng, STRATEGY_TARGET_VOLATILITY, longest, NULL);
        random_add(out, "]");
    }
    if (limits != NULL && strategy_takes_limits(kind))
        random_add_limits(out, limits);
    random_add(out, "}");
}

/*
 * A request that trades by the strategy, over the market of random_market: any fill, calendar, costs and
 * clock; leverage that lets shorts in. body must hold RANDOM_BODY bytes.
 */
static UNUSED void random_strategy_request(char *body, struct rng *rng, enum strategy_id id,
                                           size_t longest, const struct random_limits *limits)
{
    static const char *const every[] = {"daily", "weekly", "monthly"};
    static const char *const fills[] = {"next_close", "same_close"};
    struct random_text out = {body, RANDOM_BODY};
    random_add(&out, "{\"assets\":[");
    for (size_t i = 0; i < RANDOM_ASSETS; i++)
        random_add(&out, "%s{\"uid\":\"%s\"%s}", i > 0 ? "," : "", random_names[i],
                   limits != NULL && limits->has_group && i < 2 ? ",\"group\":\"g\"" : "");
    random_add(&out, "],\"start\":\"2019-04-%u\",\"end\":\"2019-07-03\",\"rebalance\":\"%s\"",
               14 + rng_next_below(rng, 16), every[rng_next_below(rng, 3)]);
    random_add(&out, ",\"fill\":\"%s\",\"costs\":{\"commission_bps\":%u},\"monkeys\":{\"count\":0}",
               fills[rng_next_below(rng, 2)], rng_next_below(rng, 30));
    if (limits != NULL && !limits->is_long)
        random_add(&out, ",\"leverage\":{\"max_gross\":2}");
    if (strategy_kinds[id]->needs & STRATEGY_BENCHMARK)
        random_add(&out, ",\"benchmark\":\"%s\"", random_names[rng_next_below(rng, RANDOM_ASSETS)]);
    random_add(&out, ",\"strategy\":");
    random_strategy(&out, rng, id, longest, limits);
    random_add(&out, "}");
}

#endif
