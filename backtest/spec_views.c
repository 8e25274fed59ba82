/* spec_views.c - numbers by uid, alone and as views. */
#include "backtest/spec_views.h"

#include "backtest/spec_lists.h"

#include <math.h>

static const double CONFIDENCE = 0.5; /* that of He and Litterman */

/* An object of numbers by uid into ret[spec->n_assets]; one of them is not 0. */
static enum status read_numbers(struct json_val val, const struct spec *spec, double min,
                                double max, double *ret, struct err *err)
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
        enum status s = jr_read_f64(number, min, max, &ret[i], err);
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

static enum status read_view(struct json_val val, const struct spec *spec, struct arena *arena,
                             struct strategy_view *ret, struct err *err)
{
    static const char *const keys[] = {"assets", "return", "confidence"};
    struct json_val confidence = jr_member(val, "confidence");
    ret->coefficient = arena_array(arena, spec->n_assets, sizeof *ret->coefficient);
    ret->confidence = CONFIDENCE;
    if (ret->coefficient == NULL)
        return err_out_of_memory(err);
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK)
        s = read_numbers(jr_member(val, "assets"), spec, -10, 10, ret->coefficient, err);
    if (s == STATUS_OK)
        s = jr_read_f64(jr_member(val, "return"), -10, 10, &ret->annual, err);
    ret->annual += 0.0;
    if (s == STATUS_OK && jr_is_present(confidence))
        s = jr_read_f64(confidence, 0.001, 1, &ret->confidence, err);
    return s;
}

static enum status read_market(struct json_val val, const struct spec *spec, struct arena *arena,
                               struct strategy_views *ret, struct err *err)
{
    ret->market = arena_array(arena, spec->n_assets, sizeof *ret->market);
    if (ret->market == NULL)
        return err_out_of_memory(err);
    return read_numbers(val, spec, 0, 1e15, ret->market, err);
}

enum status spec_read_views(struct json_val object, const struct spec *spec, struct arena *arena,
                            struct strategy_views *ret, struct err *err)
{
    struct json_val list = jr_member(object, "views"), market = jr_member(object, "market");
    enum status s = STATUS_OK;
    ret->n_assets = spec->n_assets;
    if (jr_is_present(list))
        s = jr_expect_array(list, 0, STRATEGY_VIEWS_MAX, err);
    if (s != STATUS_OK)
        return s;
    ret->n = jr_is_present(list) ? jr_length(list) : 0;
    ret->view = arena_array(arena, ret->n + 1, sizeof *ret->view);
    if (ret->view == NULL)
        return err_out_of_memory(err);
    for (size_t k = 0; s == STATUS_OK && k < ret->n; k++)
        s = read_view(jr_item(list, k), spec, arena, &ret->view[k], err);
    if (s == STATUS_OK && jr_is_present(market))
        s = read_market(market, spec, arena, ret, err);
    return s;
}

static void write_numbers(const struct spec *spec, const char *key, const double *number,
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

void spec_write_views(const struct spec *spec, const struct strategy_views *views,
                      struct json_out *json)
{
    jw_key(json, "views");
    jw_array(json);
    for (size_t k = 0; k < views->n; k++) {
        jw_object(json);
        write_numbers(spec, "assets", views->view[k].coefficient, json);
        jw_key_f64(json, "return", views->view[k].annual);
        jw_key_f64(json, "confidence", views->view[k].confidence);
        jw_end_object(json);
    }
    jw_end_array(json);
    if (views->market != NULL)
        write_numbers(spec, "market", views->market, json);
}
