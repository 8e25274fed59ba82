/*
 * qp.h - convex quadratic programs over weight limits, by a dual active-set method.
 * Pure: no allocation; the caller sizes a workspace, one per thread. The order of operations is fixed,
 * so the same problem gives the same bits.
 *
 * Source: D. Goldfarb, A. Idnani, "A numerically stable dual method for solving strictly convex
 * quadratic programs", Mathematical Programming 27, 1983. It starts at the minimum without limits and
 * takes the most violated one in, one at a time, until none is violated. Where no weight may be below 0 and many
 * are, it is run on the names that a rough descent gives a weight, and again with those whose weight would then
 * lower the value, until there are none. The gross limit
 * sum |x_i| <= L stands for 2^n linear ones; the violated one has the signs of x.
 */
#ifndef BACKTEST_QP_H
#define BACKTEST_QP_H

#include "backtest/kernels.h"
#include "backtest/limits.h"
#include "base/arena.h"
#include "base/err.h"

struct qp_part;

struct qp_workspace {
    size_t n_max;
    const struct kernels *kernels; /* any give the same bits */
    double *j, *r;                 /* n x n each, column by column */
    double *x, *d, *z, *u, *step, *normal;
    int *kind;
    size_t *index;
    struct qp_part *part; /* fewer variables than the problem has */
};

/* Room for n variables. Errors: STATUS_TOO_LARGE. */
enum status qp_workspace_init(struct qp_workspace *workspace, size_t n,
                              const struct kernels *kernels, struct arena *arena, struct err *err)
    NODISCARD;

struct qp_problem {
    const struct limits *limits; /* n variables */
    const double *h;             /* n x n, symmetric, positive semidefinite; NULL: the identity */
    const double *c;             /* [n]; NULL: 0 */
    const double *gain;          /* [n]; NULL: no condition on the gain */
    double gain_min;             /* gain'x >= gain_min, unless is_ratio */
    const double *cut;           /* n_cuts rows of n: row'x <= cut_max each; not with is_ratio */
    size_t n_cuts;
    double cut_max;
    /* Maximise gain'w / sqrt(w'Hw) over the limits instead; c is not looked at. Solved as the least x'Hx
     * with gain'x = 1, the limits being those of x / sum x (Cornuejols and Tutuncu, "Optimization Methods in
     * Finance", 2006, 8.2). */
    bool is_ratio;
};

enum qp_outcome {
    QP_SOLVED,
    QP_INFEASIBLE, /* no weights meet the limits and the gain; as a ratio: none has a gain above 0 */
    QP_STALLED,    /* out of steps, or h has no factor: nothing to rely on */
};

/*
 * Minimises x'Hx / 2 - c'x over the limits; ret_x[n]. A singular h is lifted by 1e-10 of its mean
 * diagonal element, or by as little more as it takes. A weight at a bound is the bound itself.
 */
enum qp_outcome qp_solve(const struct qp_problem *problem, struct qp_workspace *workspace,
                         double *ret_x) NODISCARD;

/* The point of the limits nearest to weight[n]; its budget is that of the limits. */
enum qp_outcome qp_project(const struct limits *limits, const double *weight,
                           struct qp_workspace *workspace, double *ret_x) NODISCARD;

/*
 * Moves x[n], which keeps the limits, to where gain'x is the most that they allow; gain: [n], the largest of size 1 or
 * so; aim: [n] of scratch. Bounds, groups and the sum are a nested family, for which taking the names in the order of
 * their gains is exact (J. Edmonds, "Matroids and the greedy algorithm", Mathematical Programming 1, 1971). Where the
 * gross limit binds, steps along the gain, each brought back into the limits, are the proximal point method, which ends in
 * a corner (R. T. Rockafellar, "Monotone operators and the proximal point algorithm", SIAM J. on Control and Optimization
 * 14(5), 1976); where several points are within 1e-4 of the most that may be between them.
 */
void qp_climb(const struct limits *limits, const double *gain, struct qp_workspace *workspace,
              double *aim, double *x);

#endif
