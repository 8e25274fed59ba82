/* spec_portfolio.c - reads and writes portfolios inside a portfolio. */
#include "backtest/spec_portfolio.h"

#include "backtest/spec_names.h"
#include "backtest/spec_optional.h"
#include "backtest/spec_rebalance.h"
#include "backtest/spec_strategy.h"
#include "backtest/spec_weights.h"
#include "backtest/yield_bond.h"

#include <string.h>

enum { NAME_BYTES_MAX = 40 };

static const char PREFIX[] = "portfolio:";

static enum status read_name(struct json_val val, struct arena *arena, struct str *ret_uid,
                             struct err *err)
{
    struct str name;
    enum status s = jr_read_str(val, 1, NAME_BYTES_MAX, &name, err);
    for (size_t i = 0; s == STATUS_OK && i < name.len; i++) {
        char c = name.ptr[i];
        bool is_plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!is_plain && c != '_' && c != '-' && c != '.')
            s = spec_refuse(val, STATUS_WRONG_TYPE, "That is not the name of a portfolio.",
                            "1 to 40 of A-Z a-z 0-9 . _ -", err);
    }
    if (s != STATUS_OK)
        return s;
    size_t len = sizeof PREFIX - 1 + name.len;
    char *uid = arena_array(arena, len + 1, 1);
    if (uid == NULL)
        return err_out_of_memory(err);
    memcpy(uid, PREFIX, sizeof PREFIX - 1);
    memcpy(uid + sizeof PREFIX - 1, name.ptr, name.len);
    *ret_uid = (struct str){uid, len};
    return STATUS_OK;
}

/* The pointer of the list, for what is refused later when its series are loaded. */
static const char *list_pointer(struct json_val val, struct arena *arena)
{
    size_t len = strlen(val.pointer);
    char *pointer = arena_array(arena, len + sizeof "/assets", 1);
    if (pointer == NULL)
        return "/assets";
    memcpy(pointer, val.pointer, len);
    memcpy(pointer + len, "/assets", sizeof "/assets");
    return pointer;
}

enum status spec_read_portfolio(struct json_val val, unsigned depth, struct arena *arena,
                                struct spec_asset *asset, struct err *err)
{
    static const char *const keys[] = {"name", "assets", "strategy", "rebalance", "on_weight_sum"};
    size_t on_weight_sum = WEIGHT_SUM_REJECT;

    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && depth > SPEC_DEPTH_MAX)
        s = spec_refuse(val, STATUS_OUT_OF_RANGE, "Portfolios lie too deep in one another.",
                        "at most 4 levels inside the outer one", err);
    if (s != STATUS_OK)
        return s;
    struct spec *inner = ARENA_NEW(arena, struct spec);
    if (inner == NULL)
        return err_out_of_memory(err);
    inner->depth = depth;
    s = read_name(jr_member(val, "name"), arena, &asset->uid, err);
    if (s == STATUS_OK)
        s = spec_read_lists(val, arena, inner, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(val, "on_weight_sum", spec_weight_sum_names, SPEC_WEIGHT_SUM_COUNT,
                                 &on_weight_sum, err);
    inner->assets_at = list_pointer(val, arena);
    inner->on_weight_sum = (enum spec_weight_sum)on_weight_sum;
    if (s == STATUS_OK)
        s = spec_read_policy(val, arena, inner, err);
    if (s == STATUS_OK)
        s = spec_weights_settle(inner, err);
    if (s == STATUS_OK && inner->n_indicators > 0)
        s = spec_refuse(jr_member(val, "strategy"), STATUS_BAD_SPEC,
                        "Strategies of economic series stay outside.",
                        "a strategy of prices or weights alone", err);
    asset->portfolio = inner;
    return s;
}

void spec_write_portfolio(const struct spec_asset *asset, struct json_out *json)
{
    const struct spec *portfolio = asset->portfolio;
    jw_object(json);
    jw_key_text(json, "name", str_sub(asset->uid, sizeof PREFIX - 1, asset->uid.len));
    spec_write_assets(portfolio, json);
    jw_key(json, "strategy");
    spec_write_strategy(portfolio, portfolio->model, json);
    spec_write_rebalance(&portfolio->rebalance, json);
    jw_key_c(json, "on_weight_sum", spec_weight_sum_names[portfolio->on_weight_sum]);
    jw_end_object(json);
}

void spec_inherit(struct spec *inner, const struct spec *outer)
{
    inner->start = inner->end = DATE_NONE;
    inner->capital = 10000;
    memcpy(inner->currency, outer->currency, sizeof inner->currency);
    inner->commission_bps = outer->commission_bps;
    inner->slippage_bps = outer->slippage_bps;
    inner->has_commission = outer->has_commission;
    inner->has_slippage = outer->has_slippage;
    inner->costs = outer->costs;
    inner->expenses = outer->expenses;
    inner->financing = outer->financing;
    inner->fill = outer->fill;
    inner->prices = outer->prices;
    inner->dividends = outer->dividends;
    inner->pay_on = outer->pay_on;
    inner->spin_offs = outer->spin_offs;
    inner->cash_currency = outer->cash_currency;
    inner->clock = outer->clock;
    inner->clock_base = outer->clock_base;
    inner->alignment = outer->alignment;
    inner->max_stale = outer->max_stale;
    inner->risk_free_rate = outer->risk_free_rate;
    inner->risk_free = outer->risk_free;
    inner->risk_free_per = outer->risk_free_per;
}

size_t spec_count_assets(const struct spec *spec)
{
    size_t n = 0;
    for (size_t i = 0; i < spec->n_assets; i++)
        n += spec->assets[i].portfolio != NULL ? spec_count_assets(spec->assets[i].portfolio) : 1;
    return n;
}

static bool is_any_yield(const struct str *uids, size_t n)
{
    bool is_any = false;
    for (size_t i = 0; i < n; i++)
        is_any = is_any || yield_bond_is(uids[i]);
    return is_any;
}

bool spec_reads_indicators(const struct spec *spec)
{
    const struct str alone[] = {spec->benchmark, spec->clock_base};
    bool reads = spec->n_indicators > 0 || is_any_yield(alone, ARRAY_LEN(alone)) ||
                 is_any_yield(spec->universe, spec->n_universe);
    for (size_t i = 0; i < spec->n_assets && !reads; i++)
        reads = spec->assets[i].portfolio != NULL ? spec_reads_indicators(spec->assets[i].portfolio)
                                                  : yield_bond_is(spec->assets[i].uid);
    for (size_t i = 0; i < spec->n_flows && !reads; i++)
        reads = yield_bond_is(spec->flows[i].index);
    for (size_t i = 0; i < spec->factors.n && !reads; i++)
        reads = yield_bond_is(spec->factors.factor[i].uid) ||
                yield_bond_is(spec->factors.factor[i].minus);
    return reads;
}
