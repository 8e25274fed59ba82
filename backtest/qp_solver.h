/*
 * qp_solver.h - the active-set method on a part of a problem's variables. Shared by qp.c and qp_screen.c; not for
 * others. One solver per thread.
 */
#ifndef BACKTEST_QP_SOLVER_H
#define BACKTEST_QP_SOLVER_H

#include "backtest/qp.h"

/* The variables of a smaller problem, and its constants; map: which of the problem each is. */
struct qp_part {
    size_t *map, *group;
    double *lower, *upper, *gain, *x, *product;
};

enum qp_kind { QP_EQUALITY, QP_LOWER, QP_UPPER, QP_GROUP_MIN, QP_GROUP_MAX, QP_GAIN, QP_GROSS };

struct qp_solver {
    const struct qp_problem *problem;
    const struct limits *limits;
    struct qp_workspace *ws;
    const size_t *map; /* of its variables into h; NULL: as they are */
    size_t stride;     /* of h */
    size_t n, q;       /* variables; limits taken in */
    double sum;        /* of x */
};

/*
 * Solves problem->limits over s->n variables; ret_x[n]. Afterwards workspace->x holds them before a ratio is scaled,
 * and u, kind and index the multipliers of the q limits taken in; index 1 of the equality: its normal points down.
 */
enum qp_outcome qp_solver_run(struct qp_solver *s, double *ret_x) NODISCARD;

#endif
