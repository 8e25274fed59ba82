/* spec_attribution.c - whether the return is to be taken apart, and beside which portfolio. */
#include "backtest/spec_attribution.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"

#include <math.h>

static const char *const by_names[] = {"asset", "group"};

enum status spec_read_numbers(struct json_val val, const struct spec *spec, struct spec_range range,
                              double *ret, struct err *err)
{
    struct json_val number;
    struct str uid;
    bool has_any = false;
    if (jr_type(val) != JR_OBJECT)
        return spec_refuse(val, STATUS_WRONG_TYPE, "That is an object of numbers by uid.",
                           "an object, as in {\"stock:US.AAPL\": 1}", err);
    for (size_t k = 0; jr_member_at(val, k, &uid, &number); k++) {
        size_t i = 0;
        while (i < spec->n_assets && !str_eq(spec->assets[i].uid, uid))
            i++;
        if (i == spec->n_assets)
            return spec_refuse(number, STATUS_BAD_SPEC, "That is none of the assets.",
                               "the uid of one of the assets of this request", err);
        enum status s = jr_read_f64(number, range.min, range.max, &ret[i], err);
        if (s != STATUS_OK)
            return s;
        ret[i] += 0.0; /* -0 becomes 0 */
        has_any = has_any || fabs(ret[i]) > 0;
    }
    if (!has_any)
        return spec_refuse(val, STATUS_BAD_SPEC, "Every number there is 0.",
                           "a number other than 0 for at least one asset", err);
    return STATUS_OK;
}

void spec_write_numbers(const struct spec *spec, const char *key, const double *number,
                        struct json_out *json)
{
    jw_key(json, key);
    jw_object(json);
    for (size_t i = 0; i < spec->n_assets; i++) {
        if (!(fabs(number[i]) > 0))
            continue;
        jw_key_str(json, spec->assets[i].uid);
        jw_f64(json, number[i]);
    }
    jw_end_object(json);
}

/* Weights of the assets, none of one that the request itself never holds. */
static enum status read_benchmark(struct json_val val, struct arena *arena, struct spec *spec,
                                  struct err *err)
{
    static const double TOLERANCE = 1e-6;
    double sum = 0;
    double *weight = arena_array(arena, spec->n_assets, sizeof *weight);
    if (weight == NULL)
        return err_out_of_memory(err);
    enum status s = spec_read_numbers(val, spec, (struct spec_range){0, 1}, weight, err);
    for (size_t i = 0; s == STATUS_OK && i < spec->n_assets; i++) {
        sum += weight[i];
        if (weight[i] > 0 && spec->has_weights && !(fabs(spec->assets[i].weight) > 0))
            return spec_refuse(val, STATUS_BAD_SPEC,
                               "The benchmark holds an asset whose weight is 0 in the request.",
                               "assets of a weight other than 0, or those of a strategy", err);
    }
    if (s == STATUS_OK && fabs(sum - 1) > TOLERANCE)
        return spec_refuse(val, STATUS_BAD_WEIGHTS, "The benchmark's weights do not add up to 1.",
                           "weights with sum 1, within 1e-6", err);
    spec->attribution_benchmark = s == STATUS_OK ? weight : NULL;
    return s;
}

enum status spec_read_attribution(struct json_val root, struct arena *arena, struct spec *spec,
                                  struct err *err)
{
    static const char *const keys[] = {"benchmark", "by"};
    struct json_val val = jr_member(root, "attribution");
    size_t by = 0;
    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) != JR_OBJECT)
        return jr_read_bool(val, &spec->wants_attribution, err);
    spec->wants_attribution = true;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_benchmark(jr_member(val, "benchmark"), arena, spec, err);
    if (s == STATUS_OK)
        s = spec_optional_choice(val, "by", by_names, ARRAY_LEN(by_names), &by, err);
    spec->attribution_by_group = by == 1;
    return s;
}

void spec_attribution_canonical(const struct spec *spec, struct json_out *json)
{
    if (!spec->wants_attribution)
        return;
    if (spec->attribution_benchmark == NULL) {
        jw_key_bool(json, "attribution", true);
        return;
    }
    jw_key(json, "attribution");
    jw_object(json);
    spec_write_numbers(spec, "benchmark", spec->attribution_benchmark, json);
    jw_key_c(json, "by", by_names[spec->attribution_by_group ? 1 : 0]);
    jw_end_object(json);
}
