/*
 * limits.h - which weights are allowed: bounds per asset, bounds per group, gross exposure and the sum.
 * Pure functions over borrowed arrays; callable from any thread.
 */
#ifndef BACKTEST_LIMITS_H
#define BACKTEST_LIMITS_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LIMITS_NO_GROUP SIZE_MAX

struct limits {
    size_t n;
    double *lower, *upper; /* [n]; lower[i] <= upper[i], both finite */
    size_t *group;         /* [n]: index of the asset's group, or LIMITS_NO_GROUP */
    size_t n_groups;
    double *group_min, *group_max; /* [n_groups], for the sum of the members' weights */
    double max_gross;              /* for the sum of the weights' sizes; INFINITY: none */
    double budget;                 /* what the weights add up to */
};

enum limits_conflict {
    LIMITS_OK,
    LIMITS_ASSET, /* lower above upper; *ret_index is the asset */
    LIMITS_GROUP, /* a group's range and its members' ranges do not meet; the group */
    LIMITS_LOW,   /* even the upper limits add up to less than the budget */
    LIMITS_HIGH,  /* even the lower limits add up to more than the budget */
    LIMITS_GROSS, /* the gross exposure is below what the budget and the lower limits need */
};

/* Whether some weights meet all limits; every conflict is found. ret_index may be NULL. */
enum limits_conflict limits_check(const struct limits *limits, size_t *ret_index) NODISCARD;

/* Least and largest sum of weights that bounds and groups allow; gross exposure aside. */
void limits_range(const struct limits *limits, double *ret_least, double *ret_most);

/*
 * Makes the limits of fewer assets ones that can be met: a group whose range its members can no longer
 * reach takes the end of theirs that is nearest, and the budget the end of what is left.
 */
void limits_relax(struct limits *limits);

/* The same limits of the assets in another order: bounds [2 n] and group [n] are its arrays; those of groups are shared. */
struct limits limits_reorder(const struct limits *limits, const size_t *order, double *bounds,
                             size_t *group);

/* Whether weights meet every limit but the budget, within tolerance. */
bool limits_hold(const struct limits *limits, const double *weight, double tolerance);

#endif
