/* spec_expense.c - reads and writes what funds charge, in per cent a year. */
#include "backtest/spec_costs.h"

#include "backtest/spec_optional.h"

static const double EXPENSE_MAX = 20; /* per cent a year */

/* The name that the spec has for an asset, at any depth; NULL: it is none of them. */
static const struct str *find_uid(const struct spec *spec, struct str uid)
{
    for (size_t i = 0; i < spec->n_universe; i++)
        if (str_eq(spec->universe[i], uid))
            return &spec->universe[i];
    for (size_t i = 0; i < spec->n_assets; i++) {
        const struct spec_asset *asset = &spec->assets[i];
        const struct str *inside =
            asset->portfolio != NULL ? find_uid(asset->portfolio, uid) : &asset->uid;
        if (inside != NULL && str_eq(*inside, uid))
            return inside;
    }
    return NULL;
}

/* Rates by uid, kept in rising order so that the order of the request does not matter. */
static enum status read_own(struct json_val val, struct arena *arena, struct spec *spec,
                            struct err *err)
{
    struct expenses *e = &spec->expenses;
    struct json_val item;
    struct str name;
    size_t n = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) != JR_OBJECT)
        return spec_refuse(val, STATUS_WRONG_TYPE, "Expenses are an object of rates by uid.",
                           "an object, as in {\"etf:US.SPY\": 0.09}", err);
    while (jr_member_at(val, n, &name, &item))
        n++;
    struct asset_expense *own = arena_array(arena, n + 1, sizeof *own);
    if (own == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; jr_member_at(val, i, &name, &item); i++) {
        struct asset_expense one = {.n = 0};
        const struct str *uid = find_uid(spec, name);
        if (uid == NULL)
            return spec_refuse(item, STATUS_BAD_SPEC, "That is no asset of this portfolio.",
                               "uids of assets or universe", err);
        enum status s =
            spec_read_rates(item, EXPENSE_MAX, one.rates, EXPENSE_RATES_MAX, &one.n, err);
        if (s != STATUS_OK)
            return s;
        one.uid = *uid;
        size_t at = e->n_own++;
        for (; at > 0 && str_cmp(own[at - 1].uid, one.uid) > 0; at--)
            own[at] = own[at - 1];
        own[at] = one;
    }
    e->own = own;
    return STATUS_OK;
}

enum status spec_read_expenses(struct json_val costs, struct arena *arena, struct spec *spec,
                               struct err *err)
{
    enum status s = spec_read_rates(jr_member(costs, "expense"), EXPENSE_MAX, spec->expenses.rates,
                                    EXPENSE_RATES_MAX, &spec->expenses.n, err);
    return s == STATUS_OK ? read_own(jr_member(costs, "expenses"), arena, spec, err) : s;
}

void spec_write_expenses(const struct spec *spec, struct json_out *json)
{
    const struct expenses *e = &spec->expenses;
    spec_write_rates("expense", e->rates, e->n, json);
    if (e->n_own == 0)
        return;
    jw_key(json, "expenses");
    jw_object(json);
    for (size_t i = 0; i < e->n_own; i++) {
        jw_key_str(json, e->own[i].uid);
        spec_write_rate_list(e->own[i].rates, e->own[i].n, json);
    }
    jw_end_object(json);
}
