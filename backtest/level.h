/*
 * level.h - the least value of a convex function over weight limits, by the level method.
 * Pure: no allocation; the caller brings the room, one per thread. The order of operations is fixed, so the same
 * problem gives the same bits.
 *
 * Each point adds a cut, a plane below the function. The next point is the nearest one at which no cut is above a
 * level between the best value found and the highest lower bound known; when there is none, the level is a lower bound.
 * The answer's value is within LEVEL_TOLERANCE of the least one, in units of the steepest slope at the first point,
 * unless that takes more than LEVEL_CUTS_MAX cuts.
 * Source: C. Lemarechal, A. Nemirovskii, Y. Nesterov, "New variants of bundle methods", Mathematical
 * Programming 69, 1995, section 2.
 */
#ifndef BACKTEST_LEVEL_H
#define BACKTEST_LEVEL_H

#include "backtest/qp.h"

enum {
    LEVEL_CUTS_MAX = 300,
    LEVEL_ROOM = LEVEL_CUTS_MAX + 2 /* doubles per variable */
};
#define LEVEL_TOLERANCE 1e-10

/*
 * The value at x[n], and ret_slope[n], a subgradient there. The function is convex and positively homogeneous:
 * value(k x) = k value(x) for k > 0, as every measure of risk here is, so that a cut is slope'x.
 */
typedef double (*level_value)(const void *context, const double *x, double *ret_slope);

/*
 * room: LEVEL_ROOM doubles per variable. QP_SOLVED: ret_x[n] keeps the limits. QP_INFEASIBLE, QP_STALLED: no point of
 * the limits was found.
 */
enum qp_outcome level_minimise(level_value value, const void *context, const struct limits *limits,
                               struct qp_workspace *qp, double *room, double *ret_x) NODISCARD;

#endif
