/*
 * spec.h - what a backtest is asked to do: the body of POST /v1/backtests, checked and completed.
 * A spec lives in the arena it was parsed into and is read-only afterwards. Threads: any, read-only.
 *
 * Fields and limits: docs/formulas.md. Every refusal names the JSON pointer and what is allowed.
 */
#ifndef BACKTEST_SPEC_H
#define BACKTEST_SPEC_H

#include "backtest/costs.h"
#include "backtest/expense.h"
#include "backtest/financing.h"
#include "backtest/flows.h"
#include "backtest/market.h"
#include "backtest/profile.h"
#include "backtest/rebalance.h"
#include "backtest/spec_factors.h"
#include "backtest/spec_rolling.h"
#include "backtest/spec_trust.h"
#include "backtest/strategy.h"
#include "base/arena.h"
#include "base/json_out.h"

enum {
    SPEC_ASSETS_MAX = 500,
    SPEC_UID_BYTES_MAX = 64,
    SPEC_YEARS_MAX = 60,
    SPEC_MONKEYS_MAX = 100000,
    SPEC_STALE_MAX = 60,
    SPEC_DEPTH_MAX = 4,      /* portfolios inside portfolios */
    SPEC_INDICATORS_MAX = 8, /* different economic series of one request */
};

/* The last two stand for a mean price of the session: (open + high + low + close) / 4 and (high + low + close) / 3. */
enum spec_fill {
    FILL_NEXT_CLOSE,
    FILL_SAME_CLOSE,
    FILL_NEXT_OPEN,
    FILL_NEXT_OHLC4,
    FILL_NEXT_HLC3
};

/* At a price of its session other than the close, after which the session is valued. */
static inline bool fill_is_before_close(enum spec_fill fill)
{
    return fill >= FILL_NEXT_OPEN;
}

enum spec_dividends {
    DIVIDENDS_REINVEST, /* at the close of the ex-date */
    DIVIDENDS_REINVEST_PREVIOUS_CLOSE,
    DIVIDENDS_DROP,
    DIVIDENDS_CASH,
};
enum spec_spin_offs {
    SPIN_OFFS_SELL, /* shares of others are sold at the close at which they are received */
    SPIN_OFFS_KEEP, /* they are positions until a rebalance sells them */
};
enum spec_pay_on { PAY_ON_EX, PAY_ON_PAY }; /* when DIVIDENDS_CASH brings its cash */
enum spec_cash_currency {
    CASH_BASE,  /* what is paid is converted on its day */
    CASH_LOCAL, /* it stays in the currency of the asset until a rebalance converts it */
};
enum spec_clock { CLOCK_UNION, CLOCK_DAILY_24_7, CLOCK_BASE };
enum spec_alignment { ALIGNMENT_AS_KNOWN, ALIGNMENT_SAME_LABEL };
enum spec_weight_sum { WEIGHT_SUM_REJECT, WEIGHT_SUM_NORMALIZE, WEIGHT_SUM_CASH };

struct spec_asset {
    struct str uid;
    double weight;    /* all together they make invested_share; below 0 only with leverage */
    struct str group; /* ptr NULL: none */
    double min_weight, max_weight; /* NaN: those of the strategy's constraints */
    struct spec *portfolio;        /* what it is made of; NULL: an instrument */
};

struct spec_indicator {
    struct str uid; /* as in market_rates.h */
    const char *at; /* JSON pointer of who asked first */
};

enum { FRONTIER_RETURNS_MIN = 20 };

/* How many portfolios of the efficient frontier are wanted; n_points 0: none. */
struct frontier_ask {
    size_t n_points;
    double in_sample; /* share of the sessions they are made from */
};

struct spec {
    unsigned depth;            /* 0; of a portfolio inside it, one more */
    struct spec_asset *assets; /* in the order asked for */
    size_t n_assets;
    bool has_weights;      /* given by the client, not implied by the strategy */
    double invested_share; /* 1, or the weights' sum when the rest stays in cash */
    enum strategy_id strategy;
    struct frontier_ask frontier;
    const struct strategy *model; /* its parameters; never NULL */
    int32_t start, end; /* first and last day asked for, inclusive; DATE_NONE: all there is */
    double capital;
    char currency[CURRENCY_TEXT_BYTES];
    struct rebalance_rule rebalance;
    double commission_bps, slippage_bps;
    bool has_commission, has_slippage; /* given in full instead of the two above */
    struct cost_model costs; /* in the request's units; spec_costs.h turns them into fractions */
    struct expenses expenses;
    struct financing financing; /* likewise, spec_money.h */
    struct leverage leverage;
    struct flow_rule *flows;
    size_t n_flows;
    enum flow_timing flow_timing;
    enum flow_allocation flow_allocation;
    enum shares_rule shares;
    bool round_cash;      /* cash is kept in whole units of the smallest coin */
    struct str benchmark; /* ptr NULL: none */
    enum spec_fill fill;
    enum price_mode prices;
    enum spec_dividends dividends; /* of raw prices */
    enum spec_pay_on pay_on;
    enum spec_spin_offs spin_offs;
    enum spec_cash_currency cash_currency;
    enum spec_clock clock;
    struct str clock_base; /* CLOCK_BASE: whose sessions the run has */
    struct spec_indicator
        indicators[SPEC_INDICATORS_MAX]; /* economic series to load; see spec_read_indicator */
    size_t n_indicators;
    enum spec_alignment alignment;
    unsigned max_stale;    /* clock sessions */
    double risk_free_rate; /* annual, fraction; of a dated one the mean, once it is known */
    struct str risk_free;  /* uid of an economic series in per cent; ptr NULL: the rate above */
    enum rate_per risk_free_per;
    enum profile metrics_profile;
    bool wants_attribution;
    const double *attribution_benchmark; /* [n_assets], sum 1 within 1e-6; NULL: none */
    bool attribution_by_group;
    struct spec_rolling rolling;
    struct str inflation;      /* uid of an economic series of consumer prices; ptr NULL: none */
    unsigned withdrawal_years; /* 0: no withdrawal rates are asked for */
    struct spec_factors factors;
    enum spec_weight_sum on_weight_sum;
    unsigned n_monkeys;
    uint64_t monkey_seed;
    const char
        *assets_at; /* JSON pointer of the list that named the assets: "/assets" or "/universe" */
    const char *
        universe_at; /* of the list monkeys draw from: "/universe", "/monkeys/universe" or "/assets" */
    struct str *universe; /* what monkeys draw from; empty when n_monkeys is 0 */
    size_t n_universe;
    struct spec_trust trust;
};

/*
 * Reads and completes a request body. The spec and its texts are copies in the arena.
 * Errors: STATUS_MALFORMED_JSON, STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE,
 * STATUS_BAD_WEIGHTS, STATUS_BAD_SPEC, STATUS_OUT_OF_MEMORY.
 */
enum status spec_parse(struct str body, struct arena *arena, struct spec **ret_spec,
                       struct err *err) NODISCARD;

/* Whether any of its uids is the bond of a series of yields (yield_bond.h), or it reads an economic series by itself. */
bool spec_reads_indicators(const struct spec *spec);

/* end before start, or more than SPEC_YEARS_MAX years apart; a date that is DATE_NONE passes. */
enum status spec_check_window(int32_t start, int32_t end, struct err *err) NODISCARD;

/*
 * Writes the spec with every default filled in, keys in a fixed order: equal requests give equal
 * bytes. The document is itself a valid request that parses to the same spec.
 */
void spec_canonical(const struct spec *spec, struct json_out *json);

#endif
