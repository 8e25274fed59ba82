/* spec_rate.c - reads and writes short rates. */
#include "backtest/spec_rate.h"

#include "backtest/elementary.h"
#include "backtest/spec_lists.h"

static const char *const per_names[RATE_PER_COUNT] = {"year", "month"};

enum status spec_read_rate(struct json_val val, const char *at, struct arena *arena,
                           struct spec *spec, struct spec_rate *ret, struct err *err)
{
    static const char *const keys[] = {"indicator", "per"};
    struct spec_rate rate = {.annual = 0};
    size_t per = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) == JR_INT || jr_type(val) == JR_REAL)
        return jr_read_f64(val, -0.5, 1, &ret->annual, err);
    if (jr_type(val) != JR_OBJECT)
        return spec_refuse(val, STATUS_WRONG_TYPE, "That is no short rate.",
                           "a number from -0.5 to 1, or an object of indicator and per", err);
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_read_indicator(jr_member(val, "indicator"), at, arena, spec, &rate.indicator, err);
    if (s == STATUS_OK)
        s = jr_read_choice(jr_member(val, "per"), per_names, RATE_PER_COUNT, &per, err);
    rate.per = (enum rate_per)per;
    if (s == STATUS_OK)
        *ret = rate;
    return s;
}

void spec_write_rate(const struct spec_rate *rate, struct json_out *json)
{
    if (rate->indicator.ptr == NULL) {
        jw_f64(json, rate->annual);
        return;
    }
    jw_object(json);
    jw_key_text(json, "indicator", rate->indicator);
    jw_key_c(json, "per", per_names[rate->per]);
    jw_end_object(json);
}

double spec_rate_annual(enum rate_per per, double percent)
{
    return per == RATE_PER_MONTH ? elementary_pow(1 + percent / 100, 12) - 1 : percent / 100;
}
