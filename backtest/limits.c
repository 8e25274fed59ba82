/* limits.c - feasibility of weight limits: groups do not overlap, so ranges simply add up. */
#include "backtest/limits.h"

#include <math.h>

/* Range of the sum over the members of group g (LIMITS_NO_GROUP: of those without one). */
static void member_range(const struct limits *l, size_t g, double *ret_least, double *ret_most)
{
    double least = 0, most = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (l->group[i] == g) {
            least += l->lower[i];
            most += l->upper[i];
        }
    }
    *ret_least = least;
    *ret_most = most;
}

void limits_range(const struct limits *limits, double *ret_least, double *ret_most)
{
    member_range(limits, LIMITS_NO_GROUP, ret_least, ret_most);
    for (size_t g = 0; g < limits->n_groups; g++) {
        double least, most;
        member_range(limits, g, &least, &most);
        *ret_least += fmax(least, limits->group_min[g]);
        *ret_most += fmin(most, limits->group_max[g]);
    }
}

/*
 * The least gross exposure of weights with this budget: a budget b >= 0 met by longs alone costs b, and
 * every unit that the limits force short must be bought back by a long one. Within a group, and over the
 * groups, the sum of a part is all that the others see of it.
 */
static double least_gross(const struct limits *l)
{
    double short_needed = 0, long_needed = 0;
    for (size_t g = 0; g <= l->n_groups; g++) {
        double forced_long = 0, forced_short = 0;
        for (size_t i = 0; i < l->n; i++) {
            if (l->group[i] != (g == l->n_groups ? LIMITS_NO_GROUP : g))
                continue;
            forced_long += fmax(l->lower[i], 0);
            forced_short += fmax(-l->upper[i], 0);
        }
        if (g < l->n_groups) { /* the group's own range may force more of either side */
            forced_short = fmax(forced_short, forced_long - l->group_max[g]);
            forced_long = fmax(forced_long, l->group_min[g] + forced_short);
        }
        short_needed += forced_short;
        long_needed += forced_long;
    }
    double longs = fmax(long_needed, l->budget + short_needed);
    return longs + fmax(short_needed, longs - l->budget);
}

enum limits_conflict limits_check(const struct limits *limits, size_t *ret_index)
{
    static const double ROUNDING = 1e-12;
    size_t unused, *at = ret_index != NULL ? ret_index : &unused;
    double least, most;

    for (size_t i = 0; i < limits->n; i++) {
        *at = i;
        if (limits->lower[i] > limits->upper[i])
            return LIMITS_ASSET;
    }
    for (size_t g = 0; g < limits->n_groups; g++) {
        member_range(limits, g, &least, &most);
        *at = g;
        if (limits->group_min[g] > limits->group_max[g] ||
            fmax(least, limits->group_min[g]) > fmin(most, limits->group_max[g]) + ROUNDING)
            return LIMITS_GROUP;
    }
    *at = 0;
    limits_range(limits, &least, &most);
    if (most < limits->budget - ROUNDING)
        return LIMITS_LOW;
    if (least > limits->budget + ROUNDING)
        return LIMITS_HIGH;
    return least_gross(limits) > limits->max_gross + ROUNDING ? LIMITS_GROSS : LIMITS_OK;
}

void limits_relax(struct limits *limits)
{
    double least, most;
    for (size_t g = 0; g < limits->n_groups; g++) {
        member_range(limits, g, &least, &most);
        limits->group_min[g] = fmin(limits->group_min[g], most);
        limits->group_max[g] = fmax(limits->group_max[g], least);
    }
    limits_range(limits, &least, &most);
    limits->budget = fmin(fmax(limits->budget, least), most);
    limits->max_gross = fmax(limits->max_gross, least_gross(limits));
}

bool limits_hold(const struct limits *limits, const double *weight, double tolerance)
{
    double gross = 0;
    for (size_t i = 0; i < limits->n; i++) {
        gross += fabs(weight[i]);
        if (weight[i] < limits->lower[i] - tolerance || weight[i] > limits->upper[i] + tolerance)
            return false;
    }
    for (size_t g = 0; g < limits->n_groups; g++) {
        double sum = 0;
        for (size_t i = 0; i < limits->n; i++)
            sum += limits->group[i] == g ? weight[i] : 0;
        if (sum < limits->group_min[g] - tolerance || sum > limits->group_max[g] + tolerance)
            return false;
    }
    return gross <= limits->max_gross + tolerance;
}

struct limits limits_reorder(const struct limits *limits, const size_t *order, double *bounds,
                             size_t *group)
{
    struct limits l = *limits;
    l.lower = bounds;
    l.upper = bounds + l.n;
    l.group = group;
    for (size_t i = 0; i < l.n; i++) {
        l.lower[i] = limits->lower[order[i]];
        l.upper[i] = limits->upper[order[i]];
        l.group[i] = limits->group[order[i]];
    }
    return l;
}
