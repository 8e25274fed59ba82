/* spec_factors.c - reads and writes what the returns of a backtest are explained by. */
#include "backtest/spec_factors.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"

enum { NAME_BYTES_MAX = 64, LAG_MAX = 1000 };

static enum status read_name(struct json_val val, struct arena *arena, struct spec_factor *factor,
                             struct err *err)
{
    struct str text = factor->uid;
    factor->name = text;
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_read_str(val, 1, NAME_BYTES_MAX, &text, err);
    if (s != STATUS_OK)
        return s;
    const char *copy = arena_dup(arena, text);
    factor->name = (struct str){copy, text.len};
    return copy != NULL ? STATUS_OK : err_out_of_memory(err);
}

static enum status read_factor(struct json_val item, struct arena *arena,
                               struct spec_factors *factors, struct err *err)
{
    static const char *const keys[] = {"name", "uid", "minus"};
    struct spec_factor *factor = &factors->factor[factors->n];
    struct json_val minus = jr_member(item, "minus");
    enum status s = jr_expect_object(item, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = spec_read_uid(jr_member(item, "uid"), arena, &factor->uid, err);
    if (s == STATUS_OK && jr_is_present(minus))
        s = spec_read_uid(minus, arena, &factor->minus, err);
    if (s == STATUS_OK)
        s = read_name(jr_member(item, "name"), arena, factor, err);
    for (size_t i = 0; i < factors->n && s == STATUS_OK; i++)
        if (str_eq(factors->factor[i].name, factor->name))
            s = spec_refuse(item, STATUS_BAD_SPEC, "Two factors have the same name.",
                            "names that differ; without one the uid is the name", err);
    if (s == STATUS_OK && factor->minus.ptr != NULL && str_eq(factor->minus, factor->uid))
        s = spec_refuse(minus, STATUS_BAD_SPEC, "A factor less itself is always 0.", "another uid",
                        err);
    factors->n++;
    return s;
}

enum status spec_factors_read(struct json_val root, struct arena *arena, struct spec_factors *ret,
                              struct err *err)
{
    struct json_val list = jr_member(root, "factors"), lag = jr_member(root, "hac_lag");
    int64_t chosen = REGRESSION_LAG_AUTO;
    enum status s = spec_optional_i64(root, "hac_lag", 0, LAG_MAX, &chosen, err);
    ret->hac_lag = (int)chosen;
    if (s == STATUS_OK && jr_is_present(lag) && !jr_is_present(list))
        return spec_refuse(lag, STATUS_BAD_SPEC, "A lag belongs to a regression.",
                           "hac_lag beside factors", err);
    if (s != STATUS_OK || !jr_is_present(list))
        return s;
    s = jr_expect_array(list, 1, REGRESSION_FACTORS_MAX, err);
    for (size_t i = 0; s == STATUS_OK && i < jr_length(list); i++)
        s = read_factor(jr_item(list, i), arena, ret, err);
    return s;
}

void spec_factors_canonical(const struct spec_factors *factors, struct json_out *json)
{
    if (factors->n == 0)
        return;
    jw_key(json, "factors");
    jw_array(json);
    for (size_t i = 0; i < factors->n; i++) {
        const struct spec_factor *factor = &factors->factor[i];
        jw_object(json);
        jw_key_text(json, "name", factor->name);
        jw_key_text(json, "uid", factor->uid);
        if (factor->minus.ptr != NULL)
            jw_key_text(json, "minus", factor->minus);
        jw_end_object(json);
    }
    jw_end_array(json);
    if (factors->hac_lag != REGRESSION_LAG_AUTO)
        jw_key_i64(json, "hac_lag", factors->hac_lag);
}
