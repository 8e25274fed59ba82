/* qp_screen.c - problems of many names and few weights: solved over those names that a weight is good for. */
#include "backtest/qp_solver.h"

#include <math.h>
#include <string.h>

enum { SCREENED_MIN = 64, SWEEPS = 30, ROUNDS_MAX = 20, GAINS = 32 };

static bool is_screened(const struct qp_problem *problem)
{
    const struct limits *l = problem->limits;
    bool is_long = problem->h != NULL && l->n >= SCREENED_MIN && l->max_gross >= l->budget;
    for (size_t i = 0; i < l->n && is_long; i++)
        is_long = l->lower[i] >= 0 && l->lower[i] <= 0 && problem->h[i * (l->n + 1)] > 0;
    return is_long && problem->n_cuts == 0 && (problem->c == NULL || problem->is_ratio);
}

/* Gives a weight to the names of the highest gains, without which a gain that is asked for may be out of reach. */
static void add_gains(const struct qp_problem *problem, double *x)
{
    size_t n = problem->limits->n;
    for (size_t k = 0; k < GAINS; k++) {
        size_t best = n;
        for (size_t i = 0; i < n; i++) {
            if (!(x[i] > 0) && (best == n || problem->gain[i] > problem->gain[best]))
                best = i;
        }
        if (best < n)
            x[best] = 1;
    }
}

/*
 * The names to begin with: those above 0 after some sweeps of coordinate descent on x'Hx / 2 - b'x, x >= 0, b the
 * gains of a ratio or 1. Scaled, that is the answer where no other limit binds.
 */
static size_t guess(const struct qp_problem *problem, struct qp_workspace *ws)
{
    size_t n = problem->limits->n, m = 0;
    double *x = ws->part->x;
    memset(x, 0, n * sizeof *x);
    for (size_t sweep = 0; sweep < SWEEPS; sweep++) {
        for (size_t i = 0; i < n; i++) {
            const double *row = problem->h + i * n;
            double b = problem->is_ratio ? problem->gain[i] : 1;
            x[i] = fmax(x[i] + (b - ws->kernels->dot(row, x, n)) / row[i], 0);
        }
    }
    if (problem->gain != NULL && !problem->is_ratio)
        add_gains(problem, x);
    for (size_t i = 0; i < n; i++) {
        if (x[i] > 0)
            ws->part->map[m++] = i;
    }
    return m;
}

/* Solves over the m names of the part; the others are 0. part->x: all of x, before a ratio is scaled. */
static enum qp_outcome solve_part(const struct qp_problem *problem, size_t m, struct qp_solver *s,
                                  double *ret_x)
{
    struct qp_part *part = s->ws->part;
    struct limits limits = *problem->limits;
    struct qp_problem smaller = *problem;
    for (size_t i = 0; i < m; i++) {
        size_t k = part->map[i];
        part->lower[i] = limits.lower[k];
        part->upper[i] = limits.upper[k];
        part->group[i] = limits.group[k];
        part->gain[i] = problem->gain != NULL ? problem->gain[k] : 0;
    }
    limits.n = m;
    limits.lower = part->lower;
    limits.upper = part->upper;
    limits.group = part->group;
    limits.max_gross = INFINITY; /* the sum, which the budget sets */
    smaller.limits = &limits;
    smaller.gain = problem->gain != NULL ? part->gain : NULL;
    *s = (struct qp_solver){.problem = &smaller,
                            .limits = &limits,
                            .ws = s->ws,
                            .map = part->map,
                            .stride = problem->limits->n,
                            .n = m};
    enum qp_outcome outcome = qp_solver_run(s, part->product);
    s->problem = problem;
    s->limits = problem->limits;
    if (outcome != QP_SOLVED)
        return outcome;
    memset(part->x, 0, problem->limits->n * sizeof *part->x);
    memset(ret_x, 0, problem->limits->n * sizeof *ret_x);
    for (size_t i = 0; i < m; i++) {
        part->x[part->map[i]] = s->ws->x[i];
        ret_x[part->map[i]] = part->product[i];
    }
    return QP_SOLVED;
}

/* What the limits taken in add to the slope at variable i, which is 0: their multipliers times their normals. */
static double pull(const struct qp_solver *s, size_t i)
{
    const struct limits *l = s->limits;
    double sum = 0, share = s->problem->is_ratio ? 1 / l->budget : 0;
    for (size_t k = 0; k < s->q; k++) {
        double u = s->ws->u[k], own = 0;
        size_t at = s->ws->index[k];
        switch ((enum qp_kind)s->ws->kind[k]) {
        case QP_EQUALITY:
            own = (at == 1 ? -1 : 1) * (s->problem->is_ratio ? s->problem->gain[i] : 1);
            break;
        case QP_UPPER:
            own = share * l->upper[s->map[at]];
            break;
        case QP_GROUP_MIN:
            own = (l->group[i] == at ? 1 : 0) - share * l->group_min[at];
            break;
        case QP_GROUP_MAX:
            own = share * l->group_max[at] - (l->group[i] == at ? 1 : 0);
            break;
        case QP_GAIN:
            own = s->problem->gain[i];
            break;
        case QP_LOWER:
        case QP_GROSS:
        case QP_CUT: /* problems with cuts are not screened */
            break;
        }
        sum += u * own;
    }
    return sum;
}

/* Adds the names outside of the part whose weight would lower the value; how many there are then. */
static size_t widen(const struct qp_solver *s, size_t m)
{
    static const double ROUNDING = 1e-10; /* of the slopes of the names inside */
    struct qp_part *part = s->ws->part;
    size_t n = s->limits->n, inside = 0, found = m;
    double scale = 0;
    for (size_t i = 0; i < n; i++) {
        part->product[i] = s->ws->kernels->dot(s->problem->h + i * n, part->x, n);
        scale = fmax(scale, part->x[i] > 0 ? fabs(part->product[i]) : 0);
    }
    for (size_t i = 0; i < n; i++) {
        if (inside < m && part->map[inside] == i)
            inside++;
        else if (part->product[i] - pull(s, i) < -ROUNDING * scale)
            part->map[found++] = i;
    }
    return found;
}

static void sort(size_t *index, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        size_t value = index[i], at = i;
        for (; at > 0 && index[at - 1] > value; at--)
            index[at] = index[at - 1];
        index[at] = value;
    }
}

enum qp_outcome qp_solve(const struct qp_problem *problem, struct qp_workspace *workspace,
                         double *ret_x)
{
    struct qp_solver s = {
        .problem = problem, .limits = problem->limits, .ws = workspace, .n = problem->limits->n};
    size_t m = is_screened(problem) ? guess(problem, workspace) : 0;
    for (size_t round = 0; round < ROUNDS_MAX && m > 0 && m < problem->limits->n; round++) {
        if (solve_part(problem, m, &s, ret_x) != QP_SOLVED)
            break;
        size_t found = widen(&s, m);
        if (found == m)
            return QP_SOLVED;
        m = found;
        sort(workspace->part->map, m);
    }
    s = (struct qp_solver){
        .problem = problem, .limits = problem->limits, .ws = workspace, .n = problem->limits->n};
    return qp_solver_run(&s, ret_x);
}
