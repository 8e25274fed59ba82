/*
 * monkey_limits.h - weights of monkeys under the strategy's own limits: bounds per name and per group, and gross exposure.
 *
 * Weights are drawn uniformly from all that meet the limits and add up to the invested share, by a walk in pairs: two
 * names split what they have in common anew, uniformly between what their own and their groups' bounds and the gross exposure leave (a
 * hit-and-run; R. Smith, Operations Research 32(6), 1984). Groups do not overlap, so every edge of the allowed set is
 * a step in one pair, and no part of it is out of reach. Nothing is rejected.
 *
 * Used by one thread; pure apart from the arena.
 */
#ifndef BACKTEST_MONKEY_LIMITS_H
#define BACKTEST_MONKEY_LIMITS_H

#include "backtest/limits.h"
#include "backtest/panel.h"
#include "backtest/rng.h"
#include "backtest/spec.h"

struct monkey_limits {
    struct limits
        all; /* per panel column; an asset of the universe alone has the strategy's bounds and no group */
    struct limits drawn; /* of the names of one monkey */
    double *group_sum;   /* scratch: per group, and one more for the names without one */
    double *lower;       /* scratch: per name */
    double gross;        /* of the weights being drawn, and how far it may go */
    double max_gross;
    double invested; /* what weights add up to where the limits let them */
};

/*
 * invested: the strategy's invested share. Limits are those of a fully invested portfolio: lower ones count in full
 * from a share of 1 up and in proportion below it, upper ones (and those of shorts, and max_gross) in full up to 1 and in
 * proportion above. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status monkey_limits_init(struct monkey_limits *ret, const struct panel *panel,
                               const struct spec *spec, double invested, struct arena *arena,
                               struct err *err) NODISCARD;

/* Takes n names by their columns; whether weights can meet their limits. */
bool monkey_limits_take(struct monkey_limits *limits, const size_t *asset, size_t n);

/*
 * Weights of the names taken last. Limits that cannot be met are relaxed as a strategy's are when assets are
 * missing: a group takes the nearest end its members can reach, and what the caps leave over is cash.
 * Returns the sum of the weights.
 */
double monkey_limits_draw(struct monkey_limits *limits, struct rng *rng, double *weight);

#endif
