/* spec_real.c - which prices money is measured by, and for how long it has to last. */
#include "backtest/spec_real.h"

#include "backtest/spec_lists.h"

enum { YEARS_STANDARD = 30 };

enum status spec_read_real(struct json_val root, struct arena *arena, struct spec *spec,
                           struct err *err)
{
    static const char *const keys[] = {"years"};
    struct json_val inflation = jr_member(root, "inflation");
    struct json_val withdrawals = jr_member(root, "withdrawals");
    struct json_val years = jr_member(withdrawals, "years");
    int64_t n = YEARS_STANDARD;
    enum status s = STATUS_OK;
    if (jr_is_present(inflation))
        s = spec_read_indicator(inflation, "/inflation", arena, spec, &spec->inflation, err);
    if (s != STATUS_OK || !jr_is_present(withdrawals))
        return s;
    s = jr_expect_object(withdrawals, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && jr_is_present(years))
        s = jr_read_i64(years, 1, SPEC_YEARS_MAX, &n, err);
    spec->withdrawal_years = (unsigned)n;
    return s;
}

void spec_real_canonical(const struct spec *spec, struct json_out *json)
{
    if (spec->inflation.ptr != NULL)
        jw_key_text(json, "inflation", spec->inflation);
    if (spec->withdrawal_years == 0)
        return;
    jw_key(json, "withdrawals");
    jw_object(json);
    jw_key_i64(json, "years", spec->withdrawal_years);
    jw_end_object(json);
}
