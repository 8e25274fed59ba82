/* spec_financing.c - reads and writes interest, borrow fees and leverage, in per cent a year. */
#include "backtest/spec_money.h"

#include "backtest/spec_costs.h"
#include "backtest/spec_optional.h"

static const char *const day_count_names[] = {"act_365", "act_360"};
static const char *const liquidation_names[] = {
    [LIQUIDATION_REDUCE] = "reduce",
    [LIQUIDATION_CLOSE] = "close",
};

static const char *const margin_test_names[] = {"close", "extremes"};

static const double RATE_MAX = 100; /* per cent a year */

/* The name that the spec has for an asset of the request; NULL: it is none of them. */
static const struct str *find_uid(const struct spec *spec, struct str uid)
{
    for (size_t i = 0; i < spec->n_assets; i++) {
        if (str_eq(spec->assets[i].uid, uid))
            return &spec->assets[i].uid;
    }
    for (size_t i = 0; i < spec->n_universe; i++) {
        if (str_eq(spec->universe[i], uid))
            return &spec->universe[i];
    }
    return NULL;
}

/* Rates by uid, kept in rising order so that the order of the request does not matter. */
static enum status read_asset_fees(struct json_val val, struct arena *arena,
                                   const struct spec *spec, struct financing *f, struct err *err)
{
    struct json_val item;
    struct str name;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) != JR_OBJECT)
        return spec_refuse(val, STATUS_WRONG_TYPE, "Fees are an object of rates by uid.",
                           "an object, as in {\"stock:US.KO\": 1.5}", err);
    struct asset_fee *fees =
        arena_array(arena, spec->n_assets + spec->n_universe + 1, sizeof *fees);
    if (fees == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; jr_member_at(val, i, &name, &item); i++) {
        struct asset_fee fee = {.percent = 0};
        const struct str *uid = find_uid(spec, name);
        if (uid == NULL)
            return spec_refuse(item, STATUS_BAD_SPEC, "That is no asset of this portfolio.",
                               "uids of assets or universe", err);
        enum status s = jr_read_f64(item, 0, RATE_MAX, &fee.percent, err);
        if (s != STATUS_OK)
            return s;
        fee.uid = *uid;
        fee.percent += 0.0;
        size_t at = f->n_asset_fees++;
        for (; at > 0 && str_cmp(fees[at - 1].uid, fee.uid) > 0; at--)
            fees[at] = fees[at - 1];
        fees[at] = fee;
    }
    f->asset_fees = fees;
    return STATUS_OK;
}

enum status spec_read_financing(struct json_val root, struct arena *arena, struct spec *spec,
                                struct err *err)
{
    static const char *const keys[] = {"cash_rate", "debt_rate",  "debt_spread",
                                       "day_count", "borrow_fee", "borrow_fees"};
    struct json_val val = jr_member(root, "financing");
    struct financing *f = &spec->financing;
    struct json_val rate = jr_member(val, "debt_rate"), spread = jr_member(val, "debt_spread");
    size_t day_count = 0;
    double added = 0;

    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "cash_rate", -10, RATE_MAX, &f->cash_rate, err);
    if (s == STATUS_OK && jr_is_present(rate) && jr_is_present(spread))
        s = spec_refuse(spread, STATUS_BAD_SPEC, "The rate on debt is given twice.",
                        "either debt_rate, or debt_spread over cash_rate", err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "debt_spread", 0, RATE_MAX, &added, err);
    f->debt_rate = f->cash_rate > 0 ? f->cash_rate + added : added;
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "debt_rate", 0, RATE_MAX, &f->debt_rate, err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "day_count")))
        s = jr_read_choice(jr_member(val, "day_count"), day_count_names, 2, &day_count, err);
    f->day_basis = day_count == 0 ? 365 : 360;
    if (s == STATUS_OK)
        s = spec_read_rates(jr_member(val, "borrow_fee"), RATE_MAX, f->borrow_fee,
                            FINANCING_RATES_MAX, &f->n_borrow_fee, err);
    if (s == STATUS_OK)
        s = read_asset_fees(jr_member(val, "borrow_fees"), arena, spec, f, err);
    return s;
}

enum status spec_read_leverage(struct json_val root, struct spec *spec, struct err *err)
{
    static const char *const keys[] = {"max_gross", "maintenance_margin", "liquidation_fee_bps",
                                       "liquidation", "margin_test"};
    struct json_val val = jr_member(root, "leverage"), test = jr_member(val, "margin_test");
    struct leverage *l = &spec->leverage;
    size_t liquidation = LIQUIDATION_REDUCE, margin_test = 0;

    if (!jr_is_present(val))
        return STATUS_OK;
    l->is_allowed = true;
    l->max_gross = 2;
    l->maintenance_margin = 0.25;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "max_gross", 1, 10, &l->max_gross, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "maintenance_margin", 0, 1, &l->maintenance_margin, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "liquidation_fee_bps", 0, 1000, &l->liquidation_fee, err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "liquidation")))
        s = jr_read_choice(jr_member(val, "liquidation"), liquidation_names, LIQUIDATION_COUNT,
                           &liquidation, err);
    if (s == STATUS_OK && jr_is_present(test))
        s = jr_read_choice(test, margin_test_names, ARRAY_LEN(margin_test_names), &margin_test,
                           err);
    l->liquidation = (enum liquidation)liquidation;
    l->tests_extremes = margin_test > 0;
    if (s == STATUS_OK && l->maintenance_margin * l->max_gross >= 1)
        return spec_refuse(jr_member(val, "maintenance_margin"), STATUS_BAD_SPEC,
                           "The targets alone would call for more margin.",
                           "less than 1 / max_gross", err);
    return s;
}

struct financing spec_financing(const struct spec *spec)
{
    struct financing f = spec->financing;
    f.cash_rate /= 100;
    f.debt_rate /= 100;
    for (size_t i = 0; i < f.n_borrow_fee; i++)
        f.borrow_fee[i].rate /= 100;
    return f;
}

struct leverage spec_leverage(const struct spec *spec)
{
    struct leverage l = spec->leverage;
    l.liquidation_fee /= 1e4;
    return l;
}

void spec_write_financing(const struct spec *spec, struct json_out *json)
{
    const struct financing *f = &spec->financing;
    if (!(f->day_basis > 0))
        return;
    jw_key(json, "financing");
    jw_object(json);
    jw_key_f64(json, "cash_rate", f->cash_rate);
    jw_key_f64(json, "debt_rate", f->debt_rate);
    jw_key_c(json, "day_count", day_count_names[f->day_basis < 365]);
    spec_write_rates("borrow_fee", f->borrow_fee, f->n_borrow_fee, json);
    if (f->n_asset_fees > 0) {
        jw_key(json, "borrow_fees");
        jw_object(json);
        for (size_t i = 0; i < f->n_asset_fees; i++) {
            jw_key_str(json, f->asset_fees[i].uid);
            jw_f64(json, f->asset_fees[i].percent);
        }
        jw_end_object(json);
    }
    jw_end_object(json);
}

void spec_write_leverage(const struct spec *spec, struct json_out *json)
{
    const struct leverage *l = &spec->leverage;
    if (!l->is_allowed)
        return;
    jw_key(json, "leverage");
    jw_object(json);
    jw_key_f64(json, "max_gross", l->max_gross);
    jw_key_f64(json, "maintenance_margin", l->maintenance_margin);
    jw_key_f64(json, "liquidation_fee_bps", l->liquidation_fee);
    jw_key_c(json, "liquidation", liquidation_names[l->liquidation]);
    if (l->tests_extremes)
        jw_key_c(json, "margin_test", margin_test_names[l->tests_extremes]);
    jw_end_object(json);
}
