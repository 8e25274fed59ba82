/* level.c - cuts, levels and projections. */
#include "backtest/level.h"

#include <math.h>
#include <string.h>

/* Where the next level lies between the lower bound and the best value. */
static const double LEVEL_SHARE = 0.3;

struct search {
    const struct limits *limits;
    level_value value;
    const void *context;
    double *cuts, *x; /* rows of n; the point */
    size_t n_cuts;
    double scale; /* of values: 1 / the steepest slope at the first point */
    double upper, lower;
};

/* The sum of sizes that the limits allow: no cut of slopes within 1 is below minus that. */
static double largest_gross(const struct limits *l)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += fmax(fabs(l->lower[i]), fabs(l->upper[i]));
    return fmin(sum, l->max_gross);
}

/* Adds the cut at s->x; the point is the answer so far when nothing better is known. */
static void cut(struct search *s, double *ret_best)
{
    size_t n = s->limits->n;
    double *slope = s->cuts + s->n_cuts++ * n;
    double value = s->value(s->context, s->x, slope) * s->scale;
    for (size_t i = 0; i < n; i++)
        slope[i] *= s->scale;
    if (value >= s->upper)
        return;
    s->upper = value;
    memcpy(ret_best, s->x, n * sizeof *ret_best);
}

/* Equal parts moved into the limits, and the scale. */
static enum qp_outcome start(struct search *s, struct qp_workspace *qp, double *ret_best)
{
    size_t n = s->limits->n;
    double steepest = 0;
    for (size_t i = 0; i < n; i++)
        s->x[i] = s->limits->budget / (double)n;
    enum qp_outcome outcome = qp_project(s->limits, s->x, qp, s->x);
    if (outcome != QP_SOLVED)
        return outcome;
    cut(s, ret_best);
    for (size_t i = 0; i < n; i++)
        steepest = fmax(steepest, fabs(s->cuts[i]));
    if (steepest > 0 && isfinite(1 / steepest))
        s->scale = 1 / steepest;
    for (size_t i = 0; i < n; i++)
        s->cuts[i] *= s->scale;
    s->upper *= s->scale;
    s->lower = fmin(s->upper, -largest_gross(s->limits));
    return QP_SOLVED;
}

enum qp_outcome level_minimise(level_value value, const void *context, const struct limits *limits,
                               struct qp_workspace *qp, double *room, double *ret_x)
{
    struct search s = {.limits = limits,
                       .value = value,
                       .context = context,
                       .cuts = room,
                       .x = room + LEVEL_CUTS_MAX * limits->n,
                       .scale = 1,
                       .upper = INFINITY};
    double *next = s.x + limits->n;
    enum qp_outcome outcome = start(&s, qp, ret_x);
    if (outcome != QP_SOLVED)
        return outcome;
    while (s.n_cuts < LEVEL_CUTS_MAX && s.upper - s.lower > LEVEL_TOLERANCE) {
        struct qp_problem problem = {.limits = limits, .c = s.x, .cut = s.cuts, .n_cuts = s.n_cuts};
        problem.cut_max = s.lower + LEVEL_SHARE * (s.upper - s.lower);
        outcome = qp_solve(&problem, qp, next);
        if (outcome == QP_INFEASIBLE) {
            s.lower = problem.cut_max;
            continue;
        }
        if (outcome != QP_SOLVED)
            break; /* the best point so far keeps the limits */
        memcpy(s.x, next, limits->n * sizeof *next);
        cut(&s, ret_x);
    }
    return QP_SOLVED;
}
