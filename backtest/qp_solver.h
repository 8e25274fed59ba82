/*
 * qp_solver.h - the active-set method on a part of a problem's variables. Shared by qp.c, qp_factor.c and qp_screen.c;
 * not for others. One solver per thread.
 */
#ifndef BACKTEST_QP_SOLVER_H
#define BACKTEST_QP_SOLVER_H

#include "backtest/qp.h"

/* The variables of a smaller problem, and its constants; map: which of the problem each is. */
struct qp_part {
    size_t *map, *group;
    double *lower, *upper, *gain, *x, *product;
};

enum qp_kind {
    QP_EQUALITY,
    QP_LOWER,
    QP_UPPER,
    QP_GROUP_MIN,
    QP_GROUP_MAX,
    QP_GAIN,
    QP_GROSS,
    QP_CUT
};

struct qp_solver {
    const struct qp_problem *problem;
    const struct limits *limits;
    struct qp_workspace *ws;
    const size_t *map; /* of its variables into h; NULL: as they are */
    size_t stride;     /* of h */
    size_t n, q;       /* variables; limits taken in */
    double sum;        /* of x */
};

/* The limit to take in next: normal'x >= bound, in ws->normal. */
struct qp_candidate {
    enum qp_kind kind;
    size_t index;
    double slack; /* normal'x - bound, < 0 */
};

/*
 * The method's matrices: ws->j, and ws->r, upper triangular by columns, with J'N = (R, 0) for the normals N of the q
 * limits taken in. At first there are none, and J J' is the inverse of H; false when H is not positive semidefinite.
 */
bool qp_factorise(struct qp_solver *s) NODISCARD;

/*
 * Of ws->normal, which is that of c: d = J'normal; z = J_2 d_2, where x goes; step = R^-1 d_1, what the multipliers lose.
 * Returns |d_2|^2, or 0 when that is rounding.
 */
double qp_directions(struct qp_solver *s, const struct qp_candidate *c);

/* The limit of the last qp_directions becomes the last one; the one at a place below q goes. */
void qp_take_in(struct qp_solver *s, struct qp_candidate c, double multiplier);
void qp_leave_out(struct qp_solver *s, size_t at);

/*
 * Solves problem->limits over s->n variables; ret_x[n]. Afterwards workspace->x holds them before a ratio is scaled,
 * and u, kind and index the multipliers of the q limits taken in; index 1 of the equality: its normal points down.
 */
enum qp_outcome qp_solver_run(struct qp_solver *s, double *ret_x) NODISCARD;

#endif
