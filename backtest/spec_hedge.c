/* spec_hedge.c - reads and writes the short rates of a currency hedge. */
#include "backtest/spec_hedge.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"

#include <stdio.h>
#include <string.h>

static bool is_currency(struct str name)
{
    bool is_one = name.len == CURRENCY_TEXT_BYTES - 1;
    for (size_t i = 0; i < name.len; i++)
        is_one = is_one && name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
    return is_one;
}

/* Kept in rising order, so that the order of the request does not matter. */
static enum status read_rates(struct json_val val, struct arena *arena, struct spec *spec,
                              struct spec_hedge *hedge, struct err *err)
{
    struct json_val item;
    struct str name;
    if (jr_type(val) != JR_OBJECT || !jr_member_at(val, 0, &name, &item))
        return spec_refuse(val, STATUS_WRONG_TYPE, "Short rates are an object by currency.",
                           "an object, as in {\"USD\": 0.05, \"KRW\": 0.035}", err);
    for (size_t i = 0; jr_member_at(val, i, &name, &item); i++) {
        struct hedge_rate rate = {.rate.annual = 0};
        char at[64];
        if (!is_currency(name))
            return spec_refuse(item, STATUS_OUT_OF_RANGE, "That is no currency.",
                               "three capital letters, as in USD", err);
        if (hedge->n_rates == HEDGE_RATES_MAX)
            return spec_refuse(val, STATUS_OUT_OF_RANGE, "Those are too many short rates.",
                               "at most 16", err);
        (void)snprintf(at, sizeof at, "/currency_modes/rates/%.*s/indicator", STR_ARG(name));
        rate.at = arena_dup(arena, str_of(at));
        if (rate.at == NULL)
            return err_out_of_memory(err);
        memcpy(rate.currency, name.ptr, name.len);
        if (!jr_is_present(item))
            return spec_refuse(item, STATUS_WRONG_TYPE, "That is no short rate.",
                               "a number from -0.5 to 1, or an object of indicator and per", err);
        enum status s = spec_read_rate(item, rate.at, arena, spec, &rate.rate, err);
        if (s != STATUS_OK)
            return s;
        size_t to = hedge->n_rates++;
        for (; to > 0 && strcmp(hedge->rates[to - 1].currency, rate.currency) > 0; to--)
            hedge->rates[to] = hedge->rates[to - 1];
        hedge->rates[to] = rate;
    }
    return STATUS_OK;
}

enum status spec_read_currency_modes(struct json_val root, struct arena *arena, struct spec *spec,
                                     struct err *err)
{
    static const char *const keys[] = {"rates", "share"};
    struct json_val val = jr_member(root, "currency_modes");
    struct spec_hedge hedge = {.share = 1};
    bool is_asked = true;
    enum status s = STATUS_OK;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) == JR_BOOL) {
        s = jr_read_bool(val, &is_asked, err);
    } else if (jr_type(val) == JR_OBJECT) {
        s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = spec_optional_f64(val, "share", 0, 1, &hedge.share, err);
        if (s == STATUS_OK)
            s = read_rates(jr_member(val, "rates"), arena, spec, &hedge, err);
    } else {
        s = spec_refuse(val, STATUS_WRONG_TYPE, "That is neither yes nor no, nor a hedge.",
                        "true, false, or an object of rates and share", err);
    }
    spec->trust.currency_modes = is_asked;
    spec->trust.hedge = hedge;
    return s;
}

void spec_write_hedge(const struct spec_hedge *hedge, struct json_out *json)
{
    jw_key(json, "currency_modes");
    if (hedge->n_rates == 0) {
        jw_bool(json, true);
        return;
    }
    jw_object(json);
    jw_key(json, "rates");
    jw_object(json);
    for (size_t i = 0; i < hedge->n_rates; i++) {
        jw_key(json, hedge->rates[i].currency);
        spec_write_rate(&hedge->rates[i].rate, json);
    }
    jw_end_object(json);
    jw_key_f64(json, "share", hedge->share);
    jw_end_object(json);
}
