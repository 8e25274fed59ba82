/* spec.c - reads the body of POST /v1/backtests: types and ranges first, then what must agree. */
#include "backtest/spec.h"

#include "backtest/spec_attribution.h"
#include "backtest/spec_costs.h"
#include "backtest/spec_lists.h"
#include "backtest/spec_market.h"
#include "backtest/spec_money.h"
#include "backtest/spec_names.h"
#include "backtest/spec_optional.h"
#include "backtest/spec_portfolio.h"
#include "backtest/spec_real.h"
#include "backtest/spec_rebalance.h"
#include "backtest/spec_frontier.h"
#include "backtest/spec_strategy.h"
#include "backtest/spec_weights.h"
#include "base/date.h"

#include <string.h>

const char *const spec_fill_names[SPEC_FILL_COUNT] = {
    [FILL_NEXT_CLOSE] = "next_close", [FILL_SAME_CLOSE] = "same_close",
    [FILL_NEXT_OPEN] = "next_open",   [FILL_NEXT_OHLC4] = "next_ohlc4",
    [FILL_NEXT_HLC3] = "next_hlc3",
};
const char *const spec_shares_names[SHARES_RULE_COUNT] = {
    [SHARES_FRACTIONAL] = "fractional",
    [SHARES_WHOLE] = "whole",
    [SHARES_WHOLE_DOWN] = "whole_down",
};
const char *const spec_weight_sum_names[SPEC_WEIGHT_SUM_COUNT] = {
    [WEIGHT_SUM_REJECT] = "reject",
    [WEIGHT_SUM_NORMALIZE] = "normalize",
    [WEIGHT_SUM_CASH] = "cash",
};

static bool is_currency(struct str text)
{
    bool is_code = text.len == CURRENCY_TEXT_BYTES - 1;
    for (size_t i = 0; i < text.len && is_code; i++)
        is_code = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
    return is_code;
}

enum status spec_read_currency(struct json_val object, char ret[CURRENCY_TEXT_BYTES],
                               struct err *err)
{
    struct json_val val = jr_member(object, "currency");
    struct str text;

    memcpy(ret, "USD", CURRENCY_TEXT_BYTES);
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_read_str(val, 0, SPEC_UID_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    if (!is_currency(text))
        return spec_refuse(val, STATUS_WRONG_TYPE, "That is not a currency code.",
                           "three upper-case letters (ISO 4217), as in USD", err);
    memcpy(ret, text.ptr, text.len);
    return STATUS_OK;
}

static enum status read_monkeys(struct json_val root, struct arena *arena, struct spec *spec,
                                struct err *err)
{
    static const char *const keys[] = {"count", "seed", "universe"};
    int64_t count = 1000, seed = 1;
    struct json_val monkeys = jr_member(root, "monkeys");

    if (jr_is_present(monkeys)) {
        enum status s = jr_expect_object(monkeys, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = spec_optional_i64(monkeys, "count", 0, SPEC_MONKEYS_MAX, &count, err);
        if (s == STATUS_OK)
            s = spec_optional_i64(monkeys, "seed", 0, SPEC_SEED_MAX, &seed, err);
        if (s != STATUS_OK)
            return s;
        struct json_val universe = jr_member(monkeys, "universe");
        if (jr_is_present(universe)) {
            if (spec->n_universe > 0)
                return spec_refuse(universe, STATUS_BAD_SPEC, "The universe is given twice.",
                                   "either /universe or /monkeys/universe", err);
            s = spec_read_universe(universe, arena, spec, err);
            if (s != STATUS_OK)
                return s;
        }
    }
    spec->n_monkeys = (unsigned)count;
    spec->monkey_seed = (uint64_t)seed;
    return STATUS_OK;
}

static enum status read_risk_free(struct json_val val, struct arena *arena, struct spec *spec,
                                  struct err *err)
{
    struct spec_rate rate = {.annual = spec->risk_free_rate};
    enum status s = spec_read_rate(val, "/risk_free_rate/indicator", arena, spec, &rate, err);
    spec->risk_free_rate = rate.annual;
    spec->risk_free = rate.indicator;
    spec->risk_free_per = rate.per;
    return s;
}

/* The fields that stand alone. */
static enum status read_scalars(struct json_val root, struct arena *arena, struct spec *spec,
                                struct err *err)
{
    size_t fill = FILL_NEXT_CLOSE, on_weight_sum = WEIGHT_SUM_REJECT, shares = 0;
    size_t profile = PROFILE_native;
    int64_t max_stale = 5;

    spec->start = spec->end = DATE_NONE;
    spec->capital = 10000;
    enum status s = spec_optional_date(root, "start", &spec->start, err);
    if (s == STATUS_OK)
        s = spec_optional_date(root, "end", &spec->end, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(root, "capital", 1e-2, 1e15, &spec->capital, err);
    if (s == STATUS_OK)
        s = spec_read_currency(root, spec->currency, err);
    if (s == STATUS_OK)
        s = spec_read_costs(jr_member(root, "costs"), spec, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "benchmark")))
        s = spec_read_uid(jr_member(root, "benchmark"), arena, &spec->benchmark, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "fill", spec_fill_names, SPEC_FILL_COUNT, &fill, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "shares", spec_shares_names, SHARES_RULE_COUNT, &shares,
                                 err);
    if (s == STATUS_OK)
        s = spec_optional_i64(root, "max_stale", 0, SPEC_STALE_MAX, &max_stale, err);
    if (s == STATUS_OK)
        s = read_risk_free(jr_member(root, "risk_free_rate"), arena, spec, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "metrics_profile", profile_names, PROFILE_COUNT, &profile,
                                 err);
    spec->metrics_profile = (enum profile)profile;
    if (s == STATUS_OK)
        s = spec_read_attribution(root, arena, spec, err);
    if (s == STATUS_OK && jr_is_present(jr_member(root, "round_cash")))
        s = jr_read_bool(jr_member(root, "round_cash"), &spec->round_cash, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "on_weight_sum", spec_weight_sum_names,
                                 SPEC_WEIGHT_SUM_COUNT, &on_weight_sum, err);
    spec->fill = (enum spec_fill)fill;
    spec->shares = (enum shares_rule)shares;
    spec->on_weight_sum = (enum spec_weight_sum)on_weight_sum;
    spec->max_stale = (unsigned)max_stale;
    return s;
}

/* strategy and rebalance: their defaults depend on the weights and on each other. */
enum status spec_read_policy(struct json_val root, struct arena *arena, struct spec *spec,
                             struct err *err)
{
    struct rebalance_rule rule = rebalance_plain(REBALANCE_MONTHLY);

    enum status s = spec_read_strategy(root, arena, spec, err);
    if (s == STATUS_OK && spec->strategy == STRATEGY_BUY_AND_HOLD)
        rule = rebalance_plain(REBALANCE_NEVER);
    if (s == STATUS_OK)
        s = spec_read_rebalance(jr_member(root, "rebalance"), &rule, err);
    if (s != STATUS_OK)
        return s;
    if (spec->strategy == STRATEGY_BUY_AND_HOLD &&
        (rule.every != REBALANCE_NEVER || rule.when != WHEN_CALENDAR))
        return spec_refuse(jr_member(root, "rebalance"), STATUS_BAD_SPEC,
                           "Strategy \"buy_and_hold\" never rebalances.",
                           "\"never\" or no rebalance at all", err);
    spec->rebalance = rule;
    return STATUS_OK;
}

/* Monkeys draw from the request's own assets unless told otherwise; no monkeys need no universe. */
static enum status settle_universe(struct arena *arena, struct spec *spec, struct err *err)
{
    if (spec->n_monkeys == 0) {
        spec->n_universe = 0;
        spec->universe = NULL;
        return STATUS_OK;
    }
    if (spec->n_universe > 0)
        return STATUS_OK;
    spec->universe = arena_array(arena, spec->n_assets, sizeof *spec->universe);
    if (spec->universe == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t i = 0; i < spec->n_assets; i++)
        spec->universe[i] = spec->assets[i].uid;
    spec->n_universe = spec->n_assets;
    return STATUS_OK;
}

enum status spec_check_window(int32_t start, int32_t end, struct err *err)
{
    if (start == DATE_NONE || end == DATE_NONE)
        return STATUS_OK;
    char first[DATE_TEXT_BYTES], last[DATE_TEXT_BYTES];
    date_format(start, first);
    date_format(end, last);
    if (end < start) {
        (void)err_set(err, STATUS_BAD_SPEC, "The backtest ends on %s, before it starts on %s.",
                      last, first);
        err_at(err, ERR_POINTER, STR("/end"), str_of(last));
        err_allow(err, "a day after %s", first);
        return STATUS_BAD_SPEC;
    }
    if (end > date_add_months(start, 12 * SPEC_YEARS_MAX)) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "From %s to %s is more than %d years.", first, last,
                      (int)SPEC_YEARS_MAX);
        err_at(err, ERR_POINTER, STR("/end"), str_of(last));
        err_allow(err, "at most %d years after /start", (int)SPEC_YEARS_MAX);
        return STATUS_OUT_OF_RANGE;
    }
    return STATUS_OK;
}

static const char *const root_keys[] = {
    "assets",
    "universe",
    "strategy",
    "frontier",
    "start",
    "end",
    "capital",
    "currency",
    "costs",
    "rebalance",
    "fill",
    "benchmark",
    "risk_free_rate",
    "on_weight_sum",
    "max_stale",
    "monkeys",
    "prices",
    "dividends",
    "pay_on",
    "spin_offs",
    "cash_currency",
    "clock",
    "session_alignment",
    "shares",
    "round_cash",
    "financing",
    "leverage",
    "flows",
    "flow_timing",
    "flow_allocation",
    "bootstrap",
    "verify",
    "monte_carlo",
    "offset_luck",
    "capacity",
    "dividend_modes",
    "destination_modes",
    "currency_modes",
    "metrics_profile",
    "attribution",
    "rolling",
    "inflation",
    "withdrawals",
    "factors",
    "hac_lag",
};

static enum status read_root(struct json_val root, struct arena *arena, struct spec *spec,
                             struct err *err)
{
    enum status s = jr_expect_object(root, root_keys, ARRAY_LEN(root_keys), err);
    if (s == STATUS_OK)
        s = spec_read_leverage(root, spec, err);
    if (s == STATUS_OK)
        s = spec_read_lists(root, arena, spec, err);
    if (s == STATUS_OK)
        s = read_scalars(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_read_market(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_read_policy(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_read_frontier(root, spec, err);
    if (s == STATUS_OK)
        s = spec_read_financing(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_read_flows(root, arena, spec, err);
    if (s == STATUS_OK)
        s = read_monkeys(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_trust_read(root, &spec->trust, err);
    if (s == STATUS_OK)
        s = spec_read_currency_modes(root, arena, spec, err);
    if (s == STATUS_OK && spec->trust.dividend_modes && spec->prices != PRICES_RAW)
        s = spec_refuse(jr_member(root, "dividend_modes"), STATUS_BAD_SPEC,
                        "Adjusted prices contain their dividends, always reinvested.",
                        "true beside \"prices\": \"raw\"", err);
    if (s == STATUS_OK && spec->trust.destination_modes && !rebalance_has_bands(&spec->rebalance))
        s = spec_refuse(jr_member(root, "destination_modes"), STATUS_BAD_SPEC,
                        "Without bands there is no edge to go to.",
                        "true beside bands in \"rebalance\"", err);
    if (s == STATUS_OK)
        s = spec_rolling_read(root, &spec->rolling, err);
    if (s == STATUS_OK)
        s = spec_read_real(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_factors_read(root, arena, &spec->factors, err);
    if (s == STATUS_OK)
        s = spec_check_window(spec->start, spec->end, err);
    if (s == STATUS_OK)
        s = spec_weights_settle(spec, err);
    if (s == STATUS_OK)
        s = settle_universe(arena, spec, err);
    if (s == STATUS_OK)
        s = spec_read_expenses(jr_member(root, "costs"), arena, spec, err);
    return s;
}

enum status spec_parse(struct str body, struct arena *arena, struct spec **ret_spec,
                       struct err *err)
{
    CLEANUP(jr_freep) struct json_doc *doc = NULL;
    struct spec *spec = ARENA_NEW(arena, struct spec);
    if (spec == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");

    enum status s = jr_parse(body, arena, &doc, err);
    if (s != STATUS_OK)
        return s;
    s = read_root(jr_root(doc), arena, spec, err);
    if (s != STATUS_OK)
        return s;
    *ret_spec = spec;
    return STATUS_OK;
}
