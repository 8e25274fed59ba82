/* qp.c - Goldfarb and Idnani's dual active-set method over the limits of limits.h. */
#include "backtest/qp_solver.h"

#include <math.h>
#include <string.h>

static const double VIOLATED = 1e-11; /* a slack below minus this counts */
static const double ROUNDING = 1e-13; /* of a weight */

enum status qp_workspace_init(struct qp_workspace *workspace, size_t n,
                              const struct kernels *kernels, struct arena *arena, struct err *err)
{
    struct qp_workspace w = {.n_max = n, .kernels = kernels};
    w.j = arena_array(arena, n * n, sizeof *w.j);
    w.r = arena_array(arena, n * n, sizeof *w.r);
    double *vectors = arena_array(arena, 11 * n, sizeof *vectors);
    w.kind = arena_array(arena, n, sizeof *w.kind);
    w.index = arena_array(arena, 3 * n, sizeof *w.index);
    w.part = ARENA_NEW(arena, struct qp_part);
    if (w.j == NULL || w.r == NULL || vectors == NULL || w.kind == NULL || w.index == NULL ||
        w.part == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "Optimising %zu weights needs more memory than a request may use.", n);
    w.x = vectors;
    w.d = vectors + n;
    w.z = vectors + 2 * n;
    w.u = vectors + 3 * n;
    w.step = vectors + 4 * n;
    w.normal = vectors + 5 * n;
    *w.part = (struct qp_part){.map = w.index + n,
                               .group = w.index + 2 * n,
                               .lower = vectors + 6 * n,
                               .upper = vectors + 7 * n,
                               .gain = vectors + 8 * n,
                               .x = vectors + 9 * n,
                               .product = vectors + 10 * n};
    *workspace = w;
    return STATUS_OK;
}

/* The minimum without limits: x = J J' c. */
static void start(struct qp_solver *s)
{
    size_t n = s->n;
    const double *c = s->problem->is_ratio ? NULL : s->problem->c;
    memset(s->ws->x, 0, n * sizeof *s->ws->x);
    for (size_t k = 0; k < n && c != NULL; k++) {
        const double *column = s->ws->j + k * n;
        s->ws->kernels->add_scaled(s->ws->kernels->dot(column, c, n), column, n, s->ws->x);
    }
}

/* A limit's constant: itself, or as a ratio its share of the sum of x. */
static double scaled(const struct qp_solver *s, double bound)
{
    return s->problem->is_ratio ? bound / s->limits->budget * s->sum : bound;
}

static void consider(struct qp_candidate *worst, enum qp_kind kind, size_t index, double slack)
{
    if (slack < worst->slack)
        *worst = (struct qp_candidate){kind, index, slack};
}

static double group_sum(const struct qp_solver *s, size_t g)
{
    double sum = 0;
    for (size_t i = 0; i < s->n; i++)
        sum += s->limits->group[i] == g ? s->ws->x[i] : 0;
    return sum;
}

static double dot(const struct qp_solver *s, const double *a, const double *b)
{
    return s->ws->kernels->dot(a, b, s->n);
}

/* What the equality leaves: sum x - budget, or gain'x - 1 for a ratio. */
static double equality_gap(const struct qp_solver *s)
{
    return s->problem->is_ratio ? dot(s, s->problem->gain, s->ws->x) - 1
                                : s->sum - s->limits->budget;
}

/* The most violated limit; the equality first. False: none is. */
static bool find_violated(struct qp_solver *s, struct qp_candidate *ret)
{
    const struct limits *l = s->limits;
    struct qp_candidate worst = {QP_EQUALITY, 0, -VIOLATED};
    double gross = 0;

    s->sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->sum += s->ws->x[i];
        gross += fabs(s->ws->x[i]);
    }
    if (s->q == 0) {
        *ret = (struct qp_candidate){QP_EQUALITY, 0, equality_gap(s)};
        return true;
    }
    for (size_t i = 0; i < s->n; i++) {
        consider(&worst, QP_LOWER, i, s->ws->x[i] - scaled(s, l->lower[i]));
        consider(&worst, QP_UPPER, i, scaled(s, l->upper[i]) - s->ws->x[i]);
    }
    for (size_t g = 0; g < l->n_groups; g++) {
        double sum = group_sum(s, g);
        consider(&worst, QP_GROUP_MIN, g, sum - scaled(s, l->group_min[g]));
        consider(&worst, QP_GROUP_MAX, g, scaled(s, l->group_max[g]) - sum);
    }
    if (isfinite(l->max_gross))
        consider(&worst, QP_GROSS, 0, scaled(s, l->max_gross) - gross);
    if (s->problem->gain != NULL && !s->problem->is_ratio)
        consider(&worst, QP_GAIN, 0, dot(s, s->problem->gain, s->ws->x) - s->problem->gain_min);
    for (size_t k = 0; k < s->problem->n_cuts; k++)
        consider(&worst, QP_CUT, k,
                 s->problem->cut_max - dot(s, s->problem->cut + k * s->n, s->ws->x));
    *ret = worst;
    return worst.slack < -VIOLATED;
}

/* normal += share of the bound, which as a ratio is a multiple of sum x. */
static void add_bound(const struct qp_solver *s, double bound)
{
    if (!s->problem->is_ratio)
        return;
    for (size_t i = 0; i < s->n; i++)
        s->ws->normal[i] += bound / s->limits->budget;
}

static void set_normal(struct qp_solver *s, struct qp_candidate *c)
{
    const struct limits *l = s->limits;
    double *normal = s->ws->normal;
    memset(normal, 0, s->n * sizeof *normal);
    switch (c->kind) {
    case QP_EQUALITY: /* pointing to where x has to go */
        for (size_t i = 0; i < s->n; i++)
            normal[i] = (c->slack > 0 ? -1 : 1) * (s->problem->is_ratio ? s->problem->gain[i] : 1);
        c->index = c->slack > 0 ? 1 : 0;
        c->slack = -fabs(c->slack);
        return;
    case QP_LOWER:
        normal[c->index] = 1;
        add_bound(s, -l->lower[c->index]);
        return;
    case QP_UPPER:
        normal[c->index] = -1;
        add_bound(s, l->upper[c->index]);
        return;
    case QP_GROUP_MIN:
    case QP_GROUP_MAX:
        for (size_t i = 0; i < s->n; i++)
            normal[i] = l->group[i] == c->index ? (c->kind == QP_GROUP_MIN ? 1 : -1) : 0;
        add_bound(s, c->kind == QP_GROUP_MIN ? -l->group_min[c->index] : l->group_max[c->index]);
        return;
    case QP_GAIN:
        memcpy(normal, s->problem->gain, s->n * sizeof *normal);
        return;
    case QP_CUT:
        for (size_t i = 0; i < s->n; i++)
            normal[i] = -s->problem->cut[c->index * s->n + i];
        return;
    case QP_GROSS:
        for (size_t i = 0; i < s->n; i++)
            normal[i] = s->ws->x[i] < 0 ? 1 : -1;
        add_bound(s, l->max_gross);
        return;
    }
}

/* The limit that gives way first as the new one's multiplier grows; *ret_at is s->q when none does. */
static double dual_length(const struct qp_solver *s, size_t *ret_at)
{
    double length = INFINITY;
    *ret_at = s->q;
    for (size_t k = 0; k < s->q; k++) {
        if (s->ws->kind[k] == QP_EQUALITY || !(s->ws->step[k] > 0))
            continue;
        double t = s->ws->u[k] / s->ws->step[k];
        if (t < length) {
            length = t;
            *ret_at = k;
        }
    }
    return length;
}

/* Moves until limit c holds and is taken in; false when nothing can make it hold. */
static bool satisfy(struct qp_solver *s, struct qp_candidate c, size_t *steps_left)
{
    double multiplier = 0;
    for (; *steps_left > 0; (*steps_left)--) {
        size_t weakest;
        double left = qp_directions(s, &c);
        double dual = dual_length(s, &weakest);
        double primal = left > 0 ? -c.slack / left : (double)INFINITY;
        double t = fmin(dual, primal);
        if (!isfinite(t))
            return false;
        for (size_t k = 0; k < s->q; k++)
            s->ws->u[k] -= t * s->ws->step[k];
        multiplier += t;
        if (left > 0) {
            for (size_t i = 0; i < s->n; i++)
                s->ws->x[i] += t * s->ws->z[i];
            c.slack += t * left;
        }
        if (left > 0 && primal <= dual) {
            qp_take_in(s, c, multiplier);
            return true;
        }
        qp_leave_out(s, weakest);
    }
    return false;
}

static double snapped(double x, double lower, double upper)
{
    return x <= lower + ROUNDING ? lower : x >= upper - ROUNDING ? upper : x;
}

/* x as weights; what is at a bound, or off it by rounding, becomes the bound. */
static void finish(const struct qp_solver *s, double *ret_x)
{
    double scale = s->problem->is_ratio ? s->limits->budget / s->sum : 1;
    for (size_t i = 0; i < s->n; i++)
        ret_x[i] = snapped(s->ws->x[i] * scale, s->limits->lower[i], s->limits->upper[i]);
    for (size_t k = 0; k < s->q; k++) {
        size_t i = s->ws->index[k];
        if (s->ws->kind[k] == QP_LOWER)
            ret_x[i] = s->limits->lower[i];
        else if (s->ws->kind[k] == QP_UPPER)
            ret_x[i] = s->limits->upper[i];
    }
}

enum qp_outcome qp_solver_run(struct qp_solver *s, double *ret_x)
{
    struct qp_candidate c;
    size_t steps_left = 100 * s->n + 1000;

    if (!qp_factorise(s))
        return QP_STALLED;
    start(s);
    while (find_violated(s, &c)) {
        set_normal(s, &c);
        if (!satisfy(s, c, &steps_left))
            return steps_left > 0 ? QP_INFEASIBLE : QP_STALLED;
    }
    if (s->problem->is_ratio && !(s->sum > 0))
        return QP_INFEASIBLE;
    finish(s, ret_x);
    return QP_SOLVED;
}

enum qp_outcome qp_project(const struct limits *limits, const double *weight,
                           struct qp_workspace *workspace, double *ret_x)
{
    struct qp_problem problem = {.limits = limits, .c = weight};
    return qp_solve(&problem, workspace, ret_x);
}

static double sum_of_group(const struct limits *l, const double *x, size_t group)
{
    double sum = 0;
    for (size_t i = 0; i < l->n; i++)
        sum += group == LIMITS_NO_GROUP || l->group[i] == group ? x[i] : 0;
    return sum;
}

/* By how much a weight can be raised. */
static double headroom(const struct limits *l, const double *x, size_t i)
{
    double room = l->upper[i] - x[i];
    if (room > 0 && l->group[i] != LIMITS_NO_GROUP)
        room = fmin(room, l->group_max[l->group[i]] - sum_of_group(l, x, l->group[i]));
    return room;
}

/* Raises the weights of a group, or of all, in the order of their gains until they have taken the amount. */
static void raise_best(const struct limits *l, const double *gain, size_t group, double amount,
                       double *x)
{
    while (amount > 0) {
        size_t best = l->n;
        double most = 0;
        for (size_t i = 0; i < l->n; i++) {
            bool is_better = best == l->n || gain[i] > gain[best];
            double room = is_better && (group == LIMITS_NO_GROUP || l->group[i] == group)
                              ? headroom(l, x, i)
                              : 0;
            if (room > ROUNDING) {
                best = i;
                most = room;
            }
        }
        if (best == l->n)
            return;
        x[best] += fmin(most, amount);
        amount -= fmin(most, amount);
    }
}

/* The most of gain'x: bounds, groups and the sum are nested, so the names may be taken in the order of their gains. */
static void take_best(const struct limits *l, const double *gain, double *x)
{
    memcpy(x, l->lower, l->n * sizeof *x);
    for (size_t g = 0; g < l->n_groups; g++)
        raise_best(l, gain, g, l->group_min[g] - sum_of_group(l, x, g), x);
    raise_best(l, gain, LIMITS_NO_GROUP, l->budget - sum_of_group(l, x, LIMITS_NO_GROUP), x);
}

void qp_climb(const struct limits *limits, const double *gain, struct qp_workspace *workspace,
              double *aim, double *x)
{
    /* Beyond the last one rounding is more than the tolerance of a limit. */
    static const double steps[] = {1, 10, 100, 1e3, 1e4};
    double *next = workspace->part->product;
    take_best(limits, gain, aim);
    if (limits_hold(limits, aim, VIOLATED) &&
        fabs(sum_of_group(limits, aim, LIMITS_NO_GROUP) - limits->budget) < VIOLATED) {
        memcpy(x, aim, limits->n * sizeof *x);
        return;
    }
    for (size_t k = 0; k < ARRAY_LEN(steps); k++) {
        for (size_t i = 0; i < limits->n; i++)
            aim[i] = x[i] + steps[k] * gain[i];
        if (qp_project(limits, aim, workspace, next) != QP_SOLVED)
            return;
        memcpy(x, next, limits->n * sizeof *x);
    }
}
