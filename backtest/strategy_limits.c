/* strategy_limits.c - from the words of a request to the arrays of limits.h. */
#include "backtest/strategy_limits.h"

#include <math.h>
#include <string.h>

enum status strategy_limits_init(struct limits *limits, const struct strategy *strategy, size_t n,
                                 struct arena *arena, struct err *err)
{
    size_t n_groups = strategy->limits.n_groups;
    struct limits l = {.n = n, .n_groups = n_groups, .budget = 1};
    l.lower = arena_array(arena, n, sizeof *l.lower);
    l.upper = arena_array(arena, n, sizeof *l.upper);
    l.group = arena_array(arena, n, sizeof *l.group);
    l.group_min = arena_array(arena, n_groups + 1, sizeof *l.group_min);
    l.group_max = arena_array(arena, n_groups + 1, sizeof *l.group_max);
    if (l.lower == NULL || l.upper == NULL || l.group == NULL || l.group_min == NULL ||
        l.group_max == NULL)
        return err_out_of_memory(err);
    l.max_gross = strategy->limits.max_gross;
    *limits = l;
    return STATUS_OK;
}

static size_t find_group(const struct strategy_limits *limits, struct str name)
{
    for (size_t g = 0; g < limits->n_groups && name.ptr != NULL; g++) {
        if (str_eq(limits->groups[g].name, name))
            return g;
    }
    return LIMITS_NO_GROUP;
}

void strategy_limits_fill(struct limits *limits, const struct spec *spec,
                          const struct strategy *strategy, const size_t *asset, size_t n)
{
    const struct strategy_limits *given = &strategy->limits;
    for (size_t i = 0; i < n; i++) {
        const struct spec_asset *a = &spec->assets[asset != NULL ? asset[i] : i];
        limits->lower[i] = isnan(a->min_weight) ? given->min_weight : a->min_weight;
        limits->upper[i] = isnan(a->max_weight) ? given->max_weight : a->max_weight;
        limits->group[i] = find_group(given, a->group);
    }
    for (size_t g = 0; g < given->n_groups; g++) {
        limits->group_min[g] = given->groups[g].min;
        limits->group_max[g] = given->groups[g].max;
    }
    limits->n = n;
    limits->max_gross = given->max_gross;
    limits->budget = 1;
}

void strategy_limits_pick(const struct limits *all, const size_t *live, size_t m,
                          struct limits *ret)
{
    for (size_t i = 0; i < m; i++) {
        ret->lower[i] = all->lower[live[i]];
        ret->upper[i] = all->upper[live[i]];
        ret->group[i] = all->group[live[i]];
    }
    memcpy(ret->group_min, all->group_min, all->n_groups * sizeof *ret->group_min);
    memcpy(ret->group_max, all->group_max, all->n_groups * sizeof *ret->group_max);
    ret->n = m;
    ret->max_gross = all->max_gross;
    ret->budget = all->budget;
    if (m < all->n)
        limits_relax(ret);
}
