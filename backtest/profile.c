/* profile.c - the tables of profiles.def and profile_names.def, and how names are looked up in them. */
#include "backtest/profile.h"

const char *const profile_names[PROFILE_COUNT] = {
#define PROFILE(name, missing, target) [PROFILE_##name] = #name,
#include "backtest/profiles.def"
#undef PROFILE
};

const char *const profile_missing_names[MISSING_COUNT] = {"refuse", "skip", "zero"};

enum target { TARGET_RATE, TARGET_ZERO };
static const struct {
    enum profile_missing missing;
    enum target target;
} defaults[PROFILE_COUNT] = {
#define PROFILE(name, missing, target) [PROFILE_##name] = {MISSING_##missing, TARGET_##target},
#include "backtest/profiles.def"
#undef PROFILE
};

struct use {
    enum profile profile;
    enum measure_id metric, row;
};
static const struct use uses[] = {
#define USE(profile, metric, row) {PROFILE_##profile, MEASURE_##metric, MEASURE_##row},
#include "backtest/profiles.def"
#undef USE
};

static const struct {
    enum profile profile;
    const char *name;
    enum measure_id row;
} aliases[] = {
#define ALIAS(profile, name, row) {PROFILE_##profile, name, MEASURE_##row},
#include "backtest/profile_names.def"
#undef ALIAS
};

enum profile_missing profile_missing(enum profile profile)
{
    return defaults[profile].missing;
}

bool profile_targets_zero(enum profile profile)
{
    return defaults[profile].target == TARGET_ZERO;
}

enum measure_id profile_row(enum profile profile, enum measure_id metric)
{
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        if (uses[i].profile == profile && uses[i].metric == metric)
            return uses[i].row;
    }
    return metric;
}

struct measure_set profile_set(enum profile profile, const enum measure_id *metrics, size_t n)
{
    struct measure_set set = {{false}};
    for (size_t i = 0; i < n; i++)
        set.has[profile_row(profile, metrics[i])] = true;
    return set;
}

bool profile_find(enum profile profile, struct str name, enum measure_id *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        if (aliases[i].profile == profile && str_eq(name, str_of(aliases[i].name))) {
            *ret = profile_row(profile, aliases[i].row);
            return true;
        }
    }
    for (size_t i = 0; i < MEASURE_ALL_COUNT; i++) {
        if (str_eq(name, str_of(measure_infos[i].name))) {
            *ret = profile_row(profile, (enum measure_id)i);
            return true;
        }
    }
    return false;
}

struct str profile_name_at(enum profile profile, size_t i)
{
    if (i < MEASURE_ALL_COUNT)
        return str_of(measure_infos[i].name);
    for (size_t k = 0, seen = MEASURE_ALL_COUNT; k < ARRAY_LEN(aliases); k++) {
        if (aliases[k].profile == profile && seen++ == i)
            return str_of(aliases[k].name);
    }
    return STR_NONE;
}
