/* spec_lists.c - who is in a backtest: uids, the asset list and the universe. */
#include "backtest/spec_lists.h"

#include "backtest/spec_limits.h"
#include "backtest/spec_portfolio.h"
#include "backtest/yield_bond.h"

#include <math.h>
#include <string.h>

/* A refusal about val that no typed read of json_in.h can make. */
enum status spec_refuse(struct json_val val, enum status status, const char *detail,
                        const char *allowed, struct err *err)
{
    (void)err_set(err, status, "%s", detail);
    jr_err_at(err, val);
    err_allow(err, "%s", allowed);
    return status;
}

static bool is_uid(struct str s)
{
    static const char symbols[] = "._:=^-";
    size_t colon = str_find(s, ':', 0);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!is_alnum && memchr(symbols, c, sizeof symbols - 1) == NULL)
            return false;
    }
    return colon > 0 && colon + 1 < s.len;
}

enum status spec_read_uid(struct json_val val, struct arena *arena, struct str *ret,
                          struct err *err)
{
    struct str text = STR_NONE;
    enum status s = jr_read_str(val, 1, SPEC_UID_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    if (!is_uid(text))
        return spec_refuse(
            val, STATUS_WRONG_TYPE, "That is not the uid of an instrument.",
            "class:SYMBOL, at most 64 of A-Z a-z 0-9 . _ : = ^ -, as in stock:US.AAPL", err);
    struct yield_bond bond;
    const char *fault = yield_bond_is(text) ? yield_bond_parse(text, &bond) : NULL;
    if (fault != NULL)
        return spec_refuse(val, STATUS_WRONG_TYPE, fault, YIELD_BOND_FORM, err);
    const char *copy = arena_dup(arena, text);
    if (copy == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    *ret = (struct str){copy, text.len};
    return STATUS_OK;
}

enum status spec_read_series(struct json_val val, struct arena *arena, struct str *ret_uid,
                             struct err *err)
{
    struct str text = STR_NONE, code, country, frequency;
    enum status s = jr_read_str(val, 1, SPEC_UID_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    if (!is_uid(text) || !rates_uid_split(text, &code, &country, &frequency))
        return spec_refuse(val, STATUS_WRONG_TYPE, "That is not the uid of an economic series.",
                           "indicator: and an id of /v1/indicators, as in indicator:CPILFESL:USA:M",
                           err);
    return spec_read_uid(val, arena, ret_uid, err);
}

enum status spec_add_indicator(struct spec *spec, struct str uid, const char *at, struct err *err)
{
    for (size_t i = 0; i < spec->n_indicators; i++)
        if (str_eq(spec->indicators[i].uid, uid))
            return STATUS_OK;
    if (spec->n_indicators == SPEC_INDICATORS_MAX) {
        (void)err_set(err, STATUS_OUT_OF_RANGE, "The request reads too many economic series.");
        err_at(err, ERR_POINTER, str_of(at), uid);
        err_allow(err, "at most %d different ones", (int)SPEC_INDICATORS_MAX);
        return STATUS_OUT_OF_RANGE;
    }
    spec->indicators[spec->n_indicators++] = (struct spec_indicator){uid, at};
    return STATUS_OK;
}

enum status spec_read_indicator(struct json_val val, const char *at, struct arena *arena,
                                struct spec *spec, struct str *ret_uid, struct err *err)
{
    enum status s = spec_read_series(val, arena, ret_uid, err);
    return s == STATUS_OK ? spec_add_indicator(spec, *ret_uid, at, err) : s;
}

/* The i-th uid must differ from those before it. */
static enum status check_new(struct json_val val, struct str uid, bool is_seen, struct err *err)
{
    if (!is_seen)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_SPEC, "%.*s is named twice.", STR_ARG(uid));
    jr_err_at(err, val);
    err_allow(err, "each uid once");
    return STATUS_BAD_SPEC;
}

static enum status read_asset(struct json_val val, struct arena *arena, struct spec *spec, size_t i,
                              struct err *err)
{
    static const char *const keys[] = {"uid",        "weight",     "group",
                                       "min_weight", "max_weight", "portfolio"};
    struct spec_asset *asset = &spec->assets[i];

    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s != STATUS_OK)
        return s;
    struct json_val uid = jr_member(val, "uid"), portfolio = jr_member(val, "portfolio");
    if (jr_is_present(portfolio) && jr_is_present(uid))
        return spec_refuse(portfolio, STATUS_BAD_SPEC, "An asset is one thing.",
                           "either uid or portfolio", err);
    if (jr_is_present(portfolio))
        s = spec_read_portfolio(portfolio, spec->depth + 1, arena, asset, err);
    else
        s = spec_read_uid(uid, arena, &asset->uid, err);
    if (s != STATUS_OK)
        return s;
    bool is_seen = false;
    for (size_t j = 0; j < i; j++)
        is_seen = is_seen || str_eq(spec->assets[j].uid, asset->uid);
    s = check_new(jr_is_present(uid) ? uid : jr_member(portfolio, "name"), asset->uid, is_seen,
                  err);
    if (s == STATUS_OK)
        s = spec_read_asset_limits(val, arena, asset, err);
    if (s != STATUS_OK)
        return s;

    struct json_val weight = jr_member(val, "weight");
    bool has_weight = jr_is_present(weight);
    if (i == 0)
        spec->has_weights = has_weight;
    if (has_weight != spec->has_weights)
        return spec_refuse(val, STATUS_BAD_WEIGHTS, "Some assets have a weight and some have none.",
                           "a weight for every asset, or for none", err);
    if (!has_weight)
        return STATUS_OK;
    double least = spec->leverage.is_allowed ? -spec->leverage.max_gross : 0;
    s = jr_read_f64(weight, least, 1e9, &asset->weight, err);
    asset->weight += 0.0; /* -0 becomes 0 */
    return s;
}

static enum status read_assets(struct json_val list, struct arena *arena, struct spec *spec,
                               struct err *err)
{
    enum status s = jr_expect_array(list, 1, SPEC_ASSETS_MAX, err);
    if (s != STATUS_OK)
        return s;
    spec->assets_at = "/assets";
    if (spec->n_universe == 0)
        spec->universe_at = "/assets";
    spec->n_assets = jr_length(list);
    spec->assets = arena_array(arena, spec->n_assets, sizeof *spec->assets);
    if (spec->assets == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t i = 0; i < spec->n_assets; i++) {
        s = read_asset(jr_item(list, i), arena, spec, i, err);
        if (s != STATUS_OK)
            return s;
    }
    if (spec_count_assets(spec) > SPEC_ASSETS_MAX)
        return spec_refuse(list, STATUS_OUT_OF_RANGE, "The portfolios inside hold too much.",
                           "at most 500 instruments in all", err);
    return STATUS_OK;
}

enum status spec_read_universe(struct json_val list, struct arena *arena, struct spec *spec,
                               struct err *err)
{
    enum status s = jr_expect_array(list, 1, SPEC_ASSETS_MAX, err);
    if (s != STATUS_OK)
        return s;
    size_t n = jr_length(list);
    spec->universe = arena_array(arena, n, sizeof *spec->universe);
    if (spec->universe == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t i = 0; i < n; i++) {
        struct json_val item = jr_item(list, i);
        s = spec_read_uid(item, arena, &spec->universe[i], err);
        if (s != STATUS_OK)
            return s;
        bool is_seen = false;
        for (size_t j = 0; j < i; j++)
            is_seen = is_seen || str_eq(spec->universe[j], spec->universe[i]);
        s = check_new(item, spec->universe[i], is_seen, err);
        if (s != STATUS_OK)
            return s;
    }
    spec->n_universe = n;
    spec->universe_at = list.pointer;
    return STATUS_OK;
}

/* assets and universe; a universe alone is also the asset list. */
enum status spec_read_lists(struct json_val root, struct arena *arena, struct spec *spec,
                            struct err *err)
{
    struct json_val assets = jr_member(root, "assets");
    struct json_val universe = jr_member(root, "universe");
    enum status s = STATUS_OK;

    if (jr_is_present(universe))
        s = spec_read_universe(universe, arena, spec, err);
    if (s != STATUS_OK)
        return s;
    if (jr_is_present(assets) || spec->n_universe == 0)
        return read_assets(assets, arena, spec, err);
    spec->assets_at = "/universe";
    spec->n_assets = spec->n_universe;
    spec->assets = arena_array(arena, spec->n_assets, sizeof *spec->assets);
    if (spec->assets == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for this request.");
    for (size_t i = 0; i < spec->n_assets; i++)
        spec->assets[i] =
            (struct spec_asset){spec->universe[i], 0, STR_NONE, (double)NAN, (double)NAN, NULL};
    return STATUS_OK;
}
