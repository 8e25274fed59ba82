/* spec_limits.c - limits on weights: types and ranges, what must agree, and whether anything is left. */
#include "backtest/spec_limits.h"

#include "backtest/spec_lists.h"
#include "backtest/spec_optional.h"
#include "backtest/strategy_limits.h"

#include <math.h>
#include <stdio.h>

static const double WEIGHT_MAX = 10; /* of one asset or group, either way */
enum { GROUP_BYTES_MAX = 64 };

struct strategy_limits spec_limits_default(void)
{
    return (struct strategy_limits){.long_only = true, .max_weight = 1, .max_gross = 1};
}

/* What need not be written down. */
static bool is_default(const struct strategy_limits *limits)
{
    return limits->long_only && limits->n_groups == 0 && !(fabs(limits->min_weight) > 0) &&
           !(fabs(limits->max_weight - 1) > 0) && !(fabs(limits->max_gross - 1) > 0);
}

static enum status read_name(struct json_val val, struct str text, struct arena *arena,
                             struct str *ret, struct err *err)
{
    if (text.len == 0 || text.len > GROUP_BYTES_MAX)
        return spec_refuse(val, STATUS_OUT_OF_RANGE, "That is no name of a group.", "1 to 64 bytes",
                           err);
    const char *copy = arena_dup(arena, text);
    if (copy == NULL)
        return err_out_of_memory(err);
    *ret = (struct str){copy, text.len};
    return STATUS_OK;
}

static enum status read_groups(struct json_val val, struct arena *arena,
                               struct strategy_limits *limits, struct err *err)
{
    static const char *const keys[] = {"min", "max"};
    struct str name;
    struct json_val range;
    double least = limits->long_only ? 0 : -WEIGHT_MAX;

    if (!jr_is_present(val))
        return STATUS_OK;
    if (jr_type(val) != JR_OBJECT)
        return spec_refuse(val, STATUS_WRONG_TYPE, "Groups are an object of ranges by name.",
                           "an object, as in {\"bonds\": {\"min\": 0.2, \"max\": 0.6}}", err);
    limits->groups = arena_array(arena, STRATEGY_GROUPS_MAX, sizeof *limits->groups);
    if (limits->groups == NULL)
        return err_out_of_memory(err);
    for (size_t i = 0; jr_member_at(val, i, &name, &range); i++) {
        struct strategy_group group = {.min = least, .max = WEIGHT_MAX};
        if (i == STRATEGY_GROUPS_MAX)
            return spec_refuse(val, STATUS_OUT_OF_RANGE, "Those are too many groups.",
                               "at most 64 groups", err);
        enum status s = jr_expect_object(range, keys, ARRAY_LEN(keys), err);
        if (s == STATUS_OK)
            s = read_name(range, name, arena, &group.name, err);
        if (s == STATUS_OK)
            s = spec_optional_f64(range, "min", least, WEIGHT_MAX, &group.min, err);
        if (s == STATUS_OK)
            s = spec_optional_f64(range, "max", least, WEIGHT_MAX, &group.max, err);
        if (s != STATUS_OK)
            return s;
        limits->groups[limits->n_groups++] = group;
    }
    return STATUS_OK;
}

enum status spec_read_limits(struct json_val val, struct arena *arena,
                             struct strategy_limits *limits, struct err *err)
{
    static const char *const keys[] = {"min_weight", "max_weight", "long_only", "max_gross",
                                       "groups"};
    if (!jr_is_present(val))
        return STATUS_OK;
    enum status s = jr_expect_object(val, keys, ARRAY_LEN(keys), err);
    if (s == STATUS_OK && jr_is_present(jr_member(val, "long_only")))
        s = jr_read_bool(jr_member(val, "long_only"), &limits->long_only, err);
    if (s != STATUS_OK)
        return s;
    if (!limits->long_only) {
        limits->min_weight = -1;
        limits->max_gross = 2;
    }
    double least = limits->long_only ? 0 : -WEIGHT_MAX;
    s = spec_optional_f64(val, "min_weight", least, WEIGHT_MAX, &limits->min_weight, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "max_weight", least, WEIGHT_MAX, &limits->max_weight, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "max_gross", 1, WEIGHT_MAX, &limits->max_gross, err);
    if (s == STATUS_OK)
        s = read_groups(jr_member(val, "groups"), arena, limits, err);
    limits->is_given = !is_default(limits);
    return s;
}

enum status spec_read_asset_limits(struct json_val val, struct arena *arena,
                                   struct spec_asset *asset, struct err *err)
{
    struct json_val group = jr_member(val, "group");
    struct str name;
    asset->min_weight = asset->max_weight = (double)NAN;
    enum status s =
        spec_optional_f64(val, "min_weight", -WEIGHT_MAX, WEIGHT_MAX, &asset->min_weight, err);
    if (s == STATUS_OK)
        s = spec_optional_f64(val, "max_weight", -WEIGHT_MAX, WEIGHT_MAX, &asset->max_weight, err);
    if (s != STATUS_OK || !jr_is_present(group))
        return s;
    s = jr_read_str(group, 1, GROUP_BYTES_MAX, &name, err);
    return s == STATUS_OK ? read_name(group, name, arena, &asset->group, err) : s;
}

/* A refusal at a place that is put together here. */
static enum status refuse_at(const char *pointer, const char *allowed, struct err *err)
{
    err_at(err, ERR_POINTER, str_of(pointer), STR_NONE);
    err_allow(err, "%s", allowed);
    return STATUS_BAD_SPEC;
}

static enum status refuse_conflict(const struct spec *spec, const struct strategy *strategy,
                                   const struct limits *limits, enum limits_conflict conflict,
                                   size_t index, const char *at, struct err *err)
{
    char pointer[128];
    double least, most;
    limits_range(limits, &least, &most);
    switch (conflict) {
    case LIMITS_ASSET:
        (void)err_set(err, STATUS_BAD_SPEC, "%.*s must weigh at least %.6g and at most %.6g.",
                      STR_ARG(spec->assets[index].uid), limits->lower[index], limits->upper[index]);
        (void)snprintf(pointer, sizeof pointer, "/assets/%zu/max_weight", index);
        return refuse_at(pointer, "a max_weight that is not below the min_weight", err);
    case LIMITS_GROUP:
        (void)err_set(err, STATUS_BAD_SPEC,
                      "Group \"%.*s\" cannot weigh %.6g to %.6g with the limits of its assets.",
                      STR_ARG(strategy->limits.groups[index].name), limits->group_min[index],
                      limits->group_max[index]);
        (void)snprintf(pointer, sizeof pointer, "%s/constraints/groups/%.*s", at,
                       STR_ARG(strategy->limits.groups[index].name));
        return refuse_at(pointer, "a range that the sum of its assets' weights can meet", err);
    case LIMITS_LOW:
        (void)err_set(err, STATUS_BAD_SPEC, "The weights can add up to at most %.6g, not to 1.",
                      most);
        (void)snprintf(pointer, sizeof pointer, "%s/constraints/max_weight", at);
        return refuse_at(pointer, "upper limits of assets and groups that add up to 1 or more",
                         err);
    case LIMITS_HIGH:
        (void)err_set(err, STATUS_BAD_SPEC, "The weights add up to at least %.6g, not to 1.",
                      least);
        (void)snprintf(pointer, sizeof pointer, "%s/constraints/min_weight", at);
        return refuse_at(pointer, "lower limits of assets and groups that add up to 1 or less",
                         err);
    case LIMITS_GROSS:
        (void)err_set(err, STATUS_BAD_SPEC,
                      "The limits force a gross exposure above max_gross, %.6g.",
                      limits->max_gross);
        (void)snprintf(pointer, sizeof pointer, "%s/constraints/max_gross", at);
        return refuse_at(pointer, "a max_gross that the lower limits leave room for", err);
    case LIMITS_OK:
        break;
    }
    return STATUS_OK;
}

static enum status check_groups(const struct spec *spec, const struct strategy *strategy,
                                const char *at, struct err *err)
{
    for (size_t g = 0; g < strategy->limits.n_groups; g++) {
        struct str name = strategy->limits.groups[g].name;
        bool is_named = false;
        for (size_t i = 0; i < spec->n_assets && !is_named; i++)
            is_named = spec->assets[i].group.ptr != NULL && str_eq(spec->assets[i].group, name);
        if (is_named)
            continue;
        char pointer[128];
        (void)err_set(err, STATUS_BAD_SPEC, "No asset is in the group \"%.*s\".", STR_ARG(name));
        (void)snprintf(pointer, sizeof pointer, "%s/constraints/groups/%.*s", at, STR_ARG(name));
        return refuse_at(pointer, "the \"group\" of one of the assets", err);
    }
    return STATUS_OK;
}

/* An asset's own limit under a strategy that keeps to none, or a short one under a long-only strategy. */
static enum status check_asset(const struct spec *spec, const struct strategy *strategy, size_t i,
                               struct err *err)
{
    const struct spec_asset *asset = &spec->assets[i];
    bool has_min = !isnan(asset->min_weight), has_max = !isnan(asset->max_weight);
    char pointer[64];
    (void)snprintf(pointer, sizeof pointer, "/assets/%zu/%s", i,
                   has_min ? "min_weight" : "max_weight");
    if (!strategy_takes_limits(strategy->kind) && (has_min || has_max)) {
        (void)err_set(err, STATUS_BAD_SPEC, "Strategy \"%s\" keeps to no limits.",
                      strategy->kind->name);
        return refuse_at(pointer,
                         "no min_weight and max_weight, or a strategy that chooses weights", err);
    }
    if (strategy->limits.long_only && (asset->min_weight < 0 || asset->max_weight < 0)) {
        (void)err_set(err, STATUS_BAD_SPEC, "A weight below 0 is a short position.");
        return refuse_at(pointer, "0 or more, or constraints with \"long_only\": false", err);
    }
    return STATUS_OK;
}

/* Short positions and more than the equity are leverage, which the request has to allow. */
static enum status check_leverage(const struct spec *spec, const struct strategy *strategy,
                                  const char *at, struct err *err)
{
    char pointer[128];
    double most = spec->leverage.is_allowed ? spec->leverage.max_gross : 1;
    if (strategy->limits.max_gross <= most)
        return STATUS_OK;
    (void)err_set(err, STATUS_BAD_SPEC,
                  "A gross exposure of %.6g is leverage, and this request allows %.6g.",
                  strategy->limits.max_gross, most);
    (void)snprintf(pointer, sizeof pointer, "%s/constraints/%s", at,
                   strategy->limits.long_only ? "max_gross" : "long_only");
    return refuse_at(pointer, "\"leverage\" in the request with a max_gross of at least as much",
                     err);
}

enum status spec_check_limits(const struct spec *spec, const struct strategy *strategy,
                              struct json_val val, struct arena *arena, struct err *err)
{
    struct limits limits;
    size_t index = 0;
    if (strategy->kind->needs & (STRATEGY_BASE | STRATEGY_SEARCH))
        return STATUS_OK; /* checked where the weights come from */
    for (size_t i = 0; i < spec->n_assets; i++) {
        enum status s = check_asset(spec, strategy, i, err);
        if (s != STATUS_OK)
            return s;
    }
    if (!strategy_takes_limits(strategy->kind))
        return STATUS_OK;
    enum status s = check_groups(spec, strategy, val.pointer, err);
    if (s == STATUS_OK)
        s = strategy_limits_init(&limits, strategy, spec->n_assets, arena, err);
    if (s != STATUS_OK)
        return s;
    strategy_limits_fill(&limits, spec, strategy, NULL, spec->n_assets);
    enum limits_conflict conflict = limits_check(&limits, &index);
    if (conflict != LIMITS_OK)
        return refuse_conflict(spec, strategy, &limits, conflict, index, val.pointer, err);
    return check_leverage(spec, strategy, val.pointer, err);
}

void spec_write_limits(const struct strategy_limits *limits, struct json_out *json)
{
    if (!limits->is_given)
        return;
    jw_key(json, "constraints");
    jw_object(json);
    jw_key_bool(json, "long_only", limits->long_only);
    jw_key_f64(json, "min_weight", limits->min_weight);
    jw_key_f64(json, "max_weight", limits->max_weight);
    jw_key_f64(json, "max_gross", limits->max_gross);
    if (limits->n_groups > 0) {
        jw_key(json, "groups");
        jw_object(json);
        for (size_t g = 0; g < limits->n_groups; g++) {
            jw_key_str(json, limits->groups[g].name);
            jw_object(json);
            jw_key_f64(json, "min", limits->groups[g].min);
            jw_key_f64(json, "max", limits->groups[g].max);
            jw_end_object(json);
        }
        jw_end_object(json);
    }
    jw_end_object(json);
}

void spec_write_asset_limits(const struct spec_asset *asset, struct json_out *json)
{
    if (asset->group.ptr != NULL)
        jw_key_text(json, "group", asset->group);
    if (!isnan(asset->min_weight))
        jw_key_f64(json, "min_weight", asset->min_weight);
    if (!isnan(asset->max_weight))
        jw_key_f64(json, "max_weight", asset->max_weight);
}
