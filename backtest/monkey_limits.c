/* monkey_limits.c - limits of the names drawn, a point inside them, and a walk from there. */
#include "backtest/monkey_limits.h"

#include "backtest/strategy_limits.h"

#include <math.h>
#include <string.h>

enum { WALK_ROUNDS = 20 }; /* steps per name: close to the uniform law from anywhere */

/* The asset of the request with a column's uid; n_assets when it is the universe's alone. */
static size_t find_asset(const struct panel *panel, const struct spec *spec, size_t column)
{
    size_t i = 0;
    if (column < panel->n_held)
        return panel->held[column];
    while (i < spec->n_assets && !str_eq(spec->assets[i].uid, panel->assets[column].series->uid))
        i++;
    return i;
}

static void scale(struct limits *l, double invested)
{
    double low = fmin(invested, 1), high = fmax(invested, 1);
    for (size_t i = 0; i < l->n; i++) {
        l->upper[i] *= l->upper[i] > 0 ? high : low;
        l->lower[i] *= l->lower[i] > 0 ? low : high;
    }
    for (size_t g = 0; g < l->n_groups; g++) {
        l->group_min[g] *= l->group_min[g] > 0 ? low : high;
        l->group_max[g] *= l->group_max[g] > 0 ? high : low;
    }
    l->max_gross *= high;
}

enum status monkey_limits_init(struct monkey_limits *ret, const struct panel *panel,
                               const struct spec *spec, double invested, struct arena *arena,
                               struct err *err)
{
    const struct strategy *strategy = spec->model;
    struct monkey_limits l = {.invested = invested};
    enum status s = strategy_limits_init(&l.all, strategy, panel->n_assets, arena, err);
    if (s == STATUS_OK)
        s = strategy_limits_init(&l.drawn, strategy, panel->n_assets, arena, err);
    if (s != STATUS_OK)
        return s;
    l.group_sum = arena_array(arena, l.all.n_groups + 1, sizeof *l.group_sum);
    l.lower = arena_array(arena, panel->n_assets + 1, sizeof *l.lower);
    if (l.group_sum == NULL || l.lower == NULL)
        return err_out_of_memory(err);
    for (size_t a = 0; a < panel->n_assets; a++) {
        size_t i = find_asset(panel, spec, a);
        if (i < spec->n_assets)
            strategy_limits_fill(&l.drawn, spec, strategy, &i, 1);
        l.all.lower[a] = i < spec->n_assets ? l.drawn.lower[0] : strategy->limits.min_weight;
        l.all.upper[a] = i < spec->n_assets ? l.drawn.upper[0] : strategy->limits.max_weight;
        l.all.group[a] = i < spec->n_assets ? l.drawn.group[0] : LIMITS_NO_GROUP;
    }
    for (size_t g = 0; g < l.all.n_groups; g++) {
        l.all.group_min[g] = strategy->limits.groups[g].min;
        l.all.group_max[g] = strategy->limits.groups[g].max;
    }
    scale(&l.all, invested);
    *ret = l;
    return STATUS_OK;
}

bool monkey_limits_take(struct monkey_limits *limits, const size_t *asset, size_t n)
{
    const struct limits *all = &limits->all;
    struct limits *l = &limits->drawn;
    l->n = n;
    l->budget = limits->invested;
    l->max_gross = all->max_gross;
    for (size_t i = 0; i < n; i++) {
        l->lower[i] = all->lower[asset[i]];
        l->upper[i] = all->upper[asset[i]];
        l->group[i] = all->group[asset[i]];
    }
    for (size_t g = 0; g < l->n_groups; g++) {
        l->group_min[g] = all->group_min[g];
        l->group_max[g] = all->group_max[g];
    }
    return limits_check(l, NULL) == LIMITS_OK;
}

/* Bounds of the sum of part g; the last part is the names without a group. */
static void part_range(const struct limits *l, size_t g, double *ret_low, double *ret_high)
{
    double low = 0, high = 0;
    for (size_t i = 0; i < l->n; i++) {
        bool is_member = l->group[i] == (g == l->n_groups ? LIMITS_NO_GROUP : g);
        low += is_member ? l->lower[i] : 0;
        high += is_member ? l->upper[i] : 0;
    }
    *ret_low = low;
    *ret_high = high;
}

static double share_of(double part, double low, double high)
{
    return high > low ? fmin(fmax((part - low) / (high - low), 0), 1) : 0;
}

/* Every part, and every name in its part, at the same share of the way between its bounds. */
static void begin(const struct limits *l, double *group_sum, double *weight)
{
    double least, most;
    limits_range(l, &least, &most);
    double share = share_of(l->budget, least, most);
    for (size_t g = 0; g <= l->n_groups; g++) {
        double low, high;
        part_range(l, g, &low, &high);
        double from = g < l->n_groups ? fmax(low, l->group_min[g]) : low;
        double to = g < l->n_groups ? fmin(high, l->group_max[g]) : high;
        double inner = share_of(from + share * (to - from), low, high);
        group_sum[g] = 0;
        for (size_t i = 0; i < l->n; i++) {
            if (l->group[i] != (g == l->n_groups ? LIMITS_NO_GROUP : g))
                continue;
            weight[i] = l->lower[i] + inner * (l->upper[i] - l->lower[i]);
            group_sum[g] += weight[i];
        }
    }
}

/* How much less and more a name of group g may have as far as its group is concerned. */
static void group_room(const struct monkey_limits *limits, size_t g, double *ret_less,
                       double *ret_more)
{
    const struct limits *l = &limits->drawn;
    *ret_less = *ret_more = (double)INFINITY;
    if (g == LIMITS_NO_GROUP)
        return;
    *ret_less = fmax(limits->group_sum[g] - l->group_min[g], 0);
    *ret_more = fmax(l->group_max[g] - limits->group_sum[g], 0);
}

/* The same with nobody short who need not be: the least gross exposure, but for groups that must be short. */
static void begin_narrow(struct monkey_limits *limits, double *weight)
{
    struct limits *l = &limits->drawn;
    double least, most;
    for (size_t i = 0; i < l->n; i++) {
        limits->lower[i] = l->lower[i];
        l->lower[i] = fmax(l->lower[i], fmin(l->upper[i], 0));
    }
    limits_range(l, &least, &most);
    if (least <= l->budget)
        begin(l, limits->group_sum, weight);
    memcpy(l->lower, limits->lower, l->n * sizeof *l->lower);
}

static double gross_of(const double *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs(weight[i]);
    return sum;
}

static void split_anew(struct monkey_limits *limits, struct rng *rng, double *weight, size_t i,
                       size_t j)
{
    const struct limits *l = &limits->drawn;
    size_t gi = l->group[i], gj = l->group[j];
    double old = weight[i], both = weight[i] + weight[j];
    double low = fmax(l->lower[i], both - l->upper[j]);
    double high = fmin(l->upper[i], both - l->lower[j]);
    if (gi != gj) {
        double less, more, other_less, other_more;
        group_room(limits, gi, &less, &more);
        group_room(limits, gj, &other_less, &other_more);
        low = fmax(low, old - fmin(less, other_more));
        high = fmin(high, old + fmin(more, other_less));
    }
    /* |w| + |both - w| may be what the other names leave of the gross exposure. */
    double pair = fabs(old) + fabs(weight[j]);
    double room = fmax(limits->max_gross - (limits->gross - pair), fabs(both));
    low = fmax(low, (both - room) / 2);
    high = fmin(high, (both + room) / 2);
    weight[i] = low + (fmax(high, low) - low) * rng_next_unit(rng);
    weight[j] = both - weight[i];
    limits->gross += fabs(weight[i]) + fabs(weight[j]) - pair;
    if (gi != gj) {
        limits->group_sum[gi != LIMITS_NO_GROUP ? gi : l->n_groups] += weight[i] - old;
        limits->group_sum[gj != LIMITS_NO_GROUP ? gj : l->n_groups] -= weight[i] - old;
    }
}

double monkey_limits_draw(struct monkey_limits *limits, struct rng *rng, double *weight)
{
    struct limits *l = &limits->drawn;
    uint32_t n = (uint32_t)l->n;
    limits_relax(l);
    begin(l, limits->group_sum, weight);
    if (gross_of(weight, n) > l->max_gross)
        begin_narrow(limits, weight);
    limits->gross = gross_of(weight, n);
    limits->max_gross = fmax(l->max_gross, limits->gross);
    for (uint32_t step = 0; step < WALK_ROUNDS * n && n > 1; step++) {
        uint32_t i = rng_next_below(rng, n), j = rng_next_below(rng, n - 1);
        j += j >= i ? 1 : 0;
        split_anew(limits, rng, weight, i, j);
    }
    return l->budget;
}
