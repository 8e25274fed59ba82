/* spec_market.c - reads and writes what a request says about prices, dividends and the clock. */
#include "backtest/spec_market.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_names.h"
#include "backtest/spec_optional.h"

static const char *const price_names[] = {
    [PRICES_ADJUSTED] = "adjusted",
    [PRICES_RAW] = "raw",
};
const char *const spec_dividend_names[DIVIDENDS_CASH + 1] = {
    [DIVIDENDS_REINVEST] = "reinvest",
    [DIVIDENDS_REINVEST_PREVIOUS_CLOSE] = "reinvest_previous_close",
    [DIVIDENDS_DROP] = "drop",
    [DIVIDENDS_CASH] = "cash",
};
static const char *const pay_on_names[] = {
    [PAY_ON_EX] = "ex",
    [PAY_ON_PAY] = "pay",
};
static const char *const spin_off_names[] = {
    [SPIN_OFFS_SELL] = "sell",
    [SPIN_OFFS_KEEP] = "keep",
};
static const char *const cash_currency_names[] = {
    [CASH_BASE] = "base",
    [CASH_LOCAL] = "local",
};
static const char *const clock_names[] = {
    [CLOCK_UNION] = "union",
    [CLOCK_DAILY_24_7] = "daily_24_7",
};
static const char *const alignment_names[] = {
    [ALIGNMENT_AS_KNOWN] = "as_known",
    [ALIGNMENT_SAME_LABEL] = "same_label",
};

static enum status read_prices(struct json_val root, struct spec *spec, struct err *err)
{
    size_t prices = PRICES_ADJUSTED, dividends = DIVIDENDS_REINVEST;
    struct json_val given = jr_member(root, "dividends");
    enum status s =
        spec_optional_choice(root, "prices", price_names, ARRAY_LEN(price_names), &prices, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "dividends", spec_dividend_names,
                                 ARRAY_LEN(spec_dividend_names), &dividends, err);
    if (s != STATUS_OK)
        return s;
    if (prices == PRICES_ADJUSTED && jr_is_present(given) && dividends != DIVIDENDS_REINVEST)
        return spec_refuse(given, STATUS_BAD_SPEC,
                           "Adjusted prices contain their dividends, always reinvested.",
                           "\"reinvest\", or \"prices\": \"raw\"", err);
    spec->prices = (enum price_mode)prices;
    spec->dividends = (enum spec_dividends)dividends;
    return STATUS_OK;
}

/* Only cash has a day on which it comes. */
static enum status read_pay_on(struct json_val root, struct spec *spec, struct err *err)
{
    size_t pay_on = PAY_ON_EX;
    struct json_val given = jr_member(root, "pay_on");
    enum status s =
        spec_optional_choice(root, "pay_on", pay_on_names, ARRAY_LEN(pay_on_names), &pay_on, err);
    if (s == STATUS_OK && jr_is_present(given) && spec->dividends != DIVIDENDS_CASH)
        return spec_refuse(given, STATUS_BAD_SPEC, "No dividends are paid in cash.",
                           "pay_on beside \"dividends\": \"cash\"", err);
    spec->pay_on = (enum spec_pay_on)pay_on;
    return s;
}

/* Only raw prices know what was received. */
static enum status read_spin_offs(struct json_val root, struct spec *spec, struct err *err)
{
    size_t spin_offs = SPIN_OFFS_SELL;
    struct json_val given = jr_member(root, "spin_offs");
    enum status s = spec_optional_choice(root, "spin_offs", spin_off_names,
                                         ARRAY_LEN(spin_off_names), &spin_offs, err);
    if (s == STATUS_OK && spin_offs == SPIN_OFFS_KEEP && spec->prices != PRICES_RAW)
        return spec_refuse(given, STATUS_BAD_SPEC,
                           "Adjusted prices contain what shares of others were worth.",
                           "\"sell\", or \"prices\": \"raw\"", err);
    spec->spin_offs = (enum spec_spin_offs)spin_offs;
    return s;
}

/* Where nothing is paid there is nothing to keep. */
static enum status read_cash_currency(struct json_val root, struct spec *spec, struct err *err)
{
    size_t choice = CASH_BASE;
    struct json_val given = jr_member(root, "cash_currency");
    enum status s = spec_optional_choice(root, "cash_currency", cash_currency_names,
                                         ARRAY_LEN(cash_currency_names), &choice, err);
    spec->cash_currency = (enum spec_cash_currency)choice;
    if (s != STATUS_OK || choice == CASH_BASE)
        return s;
    if (spec->dividends != DIVIDENDS_CASH)
        return spec_refuse(given, STATUS_BAD_SPEC, "Nothing is paid in cash.",
                           "\"local\" beside \"dividends\": \"cash\"", err);
    return STATUS_OK;
}

static enum status read_clock(struct json_val root, struct arena *arena, struct spec *spec,
                              struct err *err)
{
    static const char *const keys[] = {"base"};
    struct json_val clock = jr_member(root, "clock");
    size_t choice = CLOCK_UNION;
    if (!jr_is_present(clock))
        return STATUS_OK;
    if (jr_type(clock) != JR_OBJECT) {
        enum status s = jr_read_choice(clock, clock_names, ARRAY_LEN(clock_names), &choice, err);
        spec->clock = (enum spec_clock)choice;
        return s;
    }
    enum status s = jr_expect_object(clock, keys, ARRAY_LEN(keys), err);
    if (s != STATUS_OK)
        return s;
    spec->clock = CLOCK_BASE;
    return spec_read_uid(jr_member(clock, "base"), arena, &spec->clock_base, err);
}

enum status spec_read_market(struct json_val root, struct arena *arena, struct spec *spec,
                             struct err *err)
{
    size_t alignment = ALIGNMENT_AS_KNOWN;
    enum status s = read_prices(root, spec, err);
    if (s == STATUS_OK)
        s = read_pay_on(root, spec, err);
    if (s == STATUS_OK)
        s = read_spin_offs(root, spec, err);
    if (s == STATUS_OK)
        s = read_cash_currency(root, spec, err);
    if (s == STATUS_OK)
        s = read_clock(root, arena, spec, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(root, "session_alignment", alignment_names,
                                 ARRAY_LEN(alignment_names), &alignment, err);
    spec->alignment = (enum spec_alignment)alignment;
    return s;
}

void spec_write_market(const struct spec *spec, struct json_out *json)
{
    if (spec->prices != PRICES_ADJUSTED) {
        jw_key_c(json, "prices", price_names[spec->prices]);
        jw_key_c(json, "dividends", spec_dividend_names[spec->dividends]);
        if (spec->pay_on != PAY_ON_EX)
            jw_key_c(json, "pay_on", pay_on_names[spec->pay_on]);
        if (spec->spin_offs != SPIN_OFFS_SELL)
            jw_key_c(json, "spin_offs", spin_off_names[spec->spin_offs]);
        if (spec->cash_currency != CASH_BASE)
            jw_key_c(json, "cash_currency", cash_currency_names[spec->cash_currency]);
    }
    if (spec->clock == CLOCK_BASE) {
        jw_key(json, "clock");
        jw_object(json);
        jw_key_text(json, "base", spec->clock_base);
        jw_end_object(json);
    } else if (spec->clock != CLOCK_UNION) {
        jw_key_c(json, "clock", clock_names[spec->clock]);
    }
    if (spec->alignment != ALIGNMENT_AS_KNOWN)
        jw_key_c(json, "session_alignment", alignment_names[spec->alignment]);
}
