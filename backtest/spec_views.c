/* spec_views.c - what a client expects of which assets, and of which market. */
#include "backtest/spec_views.h"

#include "backtest/spec_attribution.h"

static const double CONFIDENCE = 0.5; /* that of He and Litterman */

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
        s = spec_read_numbers(jr_member(val, "assets"), spec, (struct spec_range){-10, 10},
                              ret->coefficient, err);
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
    return spec_read_numbers(val, spec, (struct spec_range){0, 1e15}, ret->market, err);
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

void spec_write_views(const struct spec *spec, const struct strategy_views *views,
                      struct json_out *json)
{
    jw_key(json, "views");
    jw_array(json);
    for (size_t k = 0; k < views->n; k++) {
        jw_object(json);
        spec_write_numbers(spec, "assets", views->view[k].coefficient, json);
        jw_key_f64(json, "return", views->view[k].annual);
        jw_key_f64(json, "confidence", views->view[k].confidence);
        jw_end_object(json);
    }
    jw_end_array(json);
    if (views->market != NULL)
        spec_write_numbers(spec, "market", views->market, json);
}
