/* qp.c - Goldfarb and Idnani's dual active-set method over the limits of limits.h. */
#include "backtest/qp_solver.h"

#include "backtest/linear.h"

#include <math.h>
#include <string.h>

static const double VIOLATED = 1e-11;  /* a slack below minus this counts */
static const double DEPENDENT = 1e-14; /* of a normal's length: what is left is rounding */

/* The limit to take in next: normal'x >= bound, in ws->normal. */
struct candidate {
    enum qp_kind kind;
    size_t index;
    double slack; /* normal'x - bound, < 0 */
};

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

static double element(const struct qp_solver *s, size_t i, size_t j)
{
    return s->map == NULL ? s->problem->h[i * s->n + j]
                          : s->problem->h[s->map[i] * s->stride + s->map[j]];
}

/* ws->j = L'^-1 with H + lift I = L L', scaled so that the mean diagonal element of H is 1. */
static bool factorise(struct qp_solver *s)
{
    size_t n = s->n;
    double trace = 0;
    memset(s->ws->j, 0, n * n * sizeof *s->ws->j);
    if (s->problem->h == NULL) {
        for (size_t i = 0; i < n; i++)
            s->ws->j[i * n + i] = 1;
        return true;
    }
    for (size_t i = 0; i < n; i++)
        trace += element(s, i, i);
    double scale = trace > 0 ? (double)n / trace : 1;
    bool is_factored = false;
    for (double lift = 1e-10; lift < 1 && !is_factored; lift *= 100) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j <= i; j++)
                s->ws->r[i * n + j] = element(s, i, j) * scale;
        for (size_t i = 0; i < n; i++)
            s->ws->r[i * n + i] += lift;
        is_factored = linear_factor(s->ws->kernels, s->ws->r, n);
    }
    if (!is_factored)
        return false;
    linear_invert_factor(s->ws->kernels, s->ws->r, n, s->ws->j);
    double root = sqrt(scale); /* undoes the scaling: J J' is the inverse of H itself */
    for (size_t i = 0; i < n; i++) {
        s->ws->j[i * n + i] *= root;
        for (size_t k = i + 1; k < n; k++) {
            s->ws->j[k * n + i] = s->ws->j[i * n + k] * root;
            s->ws->j[i * n + k] = 0;
        }
    }
    return true;
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

static void consider(struct candidate *worst, enum qp_kind kind, size_t index, double slack)
{
    if (slack < worst->slack)
        *worst = (struct candidate){kind, index, slack};
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
static bool find_violated(struct qp_solver *s, struct candidate *ret)
{
    const struct limits *l = s->limits;
    struct candidate worst = {QP_EQUALITY, 0, -VIOLATED};
    double gross = 0;

    s->sum = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->sum += s->ws->x[i];
        gross += fabs(s->ws->x[i]);
    }
    if (s->q == 0) {
        *ret = (struct candidate){QP_EQUALITY, 0, equality_gap(s)};
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

static void set_normal(struct qp_solver *s, struct candidate *c)
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
    case QP_GROSS:
        for (size_t i = 0; i < s->n; i++)
            normal[i] = s->ws->x[i] < 0 ? 1 : -1;
        add_bound(s, l->max_gross);
        return;
    }
}

/* Whether the normal of a limit has one element alone. */
static bool is_single(const struct qp_solver *s, const struct candidate *c)
{
    return (c->kind == QP_LOWER || c->kind == QP_UPPER) && !s->problem->is_ratio;
}

/* d = J'normal; z = J_2 d_2; step = R^-1 d_1. Returns |d_2|^2, or 0 when that is rounding. */
static double directions(struct qp_solver *s, const struct candidate *c)
{
    size_t n = s->n;
    double *d = s->ws->d, *z = s->ws->z, *step = s->ws->step;
    double all = 0, left = 0;
    memset(z, 0, n * sizeof *z);
    for (size_t k = 0; k < n; k++) {
        d[k] = is_single(s, c) ? s->ws->j[k * n + c->index] * s->ws->normal[c->index]
                               : dot(s, s->ws->j + k * n, s->ws->normal);
        all += d[k] * d[k];
    }
    for (size_t k = s->q; k < n; k++) {
        left += d[k] * d[k];
        s->ws->kernels->add_scaled(d[k], s->ws->j + k * n, n, z);
    }
    memcpy(step, d, s->q * sizeof *step);
    for (size_t col = s->q; col-- > 0;) {
        const double *above = s->ws->r + col * n;
        step[col] /= above[col];
        s->ws->kernels->add_scaled(-step[col], above, col, step);
    }
    return left > DEPENDENT * all ? left : 0;
}

/* Turns columns a and b of J so that (x, y) becomes (length, 0); returns the length. */
static double rotate(struct qp_solver *s, size_t a, size_t b, double x, double y, double *ret_cos,
                     double *ret_sin)
{
    double length = sqrt(x * x + y * y);
    double cosine = x / length, sine = y / length;
    double *left = s->ws->j + a * s->n, *right = s->ws->j + b * s->n;
    for (size_t i = 0; i < s->n; i++) {
        double one = cosine * left[i] + sine * right[i];
        right[i] = cosine * right[i] - sine * left[i];
        left[i] = one;
    }
    *ret_cos = cosine;
    *ret_sin = sine;
    return length;
}

/*
 * A Householder reflection of the free columns of J turns what is left of d into one element. J times the
 * reflection's vector follows from z, which is J times that rest already.
 */
static void take_in(struct qp_solver *s, struct candidate c, double multiplier)
{
    size_t n = s->n, q = s->q;
    double *d = s->ws->d, *along = s->ws->z, *column = s->ws->j + q * n, squares = 0;
    for (size_t k = q; k < n; k++)
        squares += d[k] * d[k];
    double length = sqrt(squares), first = d[q] > 0 ? -length : length;
    double factor = 1 / (squares + length * fabs(d[q]));
    s->ws->kernels->add_scaled(-first, column, n, along);
    d[q] -= first;
    for (size_t k = q; k < n; k++) {
        if (fabs(d[k]) > 0)
            s->ws->kernels->add_scaled(-factor * d[k], along, n, s->ws->j + k * n);
    }
    d[q] = first;
    memcpy(s->ws->r + q * n, d, (q + 1) * sizeof *d);
    s->ws->u[q] = multiplier;
    s->ws->kind[q] = (int)c.kind;
    s->ws->index[q] = c.index;
    s->q++;
}

static void leave_out(struct qp_solver *s, size_t at)
{
    size_t n = s->n;
    double *r = s->ws->r;
    for (size_t k = at; k + 1 < s->q; k++) {
        memcpy(r + k * n, r + (k + 1) * n, (k + 2) * sizeof *r);
        s->ws->u[k] = s->ws->u[k + 1];
        s->ws->kind[k] = s->ws->kind[k + 1];
        s->ws->index[k] = s->ws->index[k + 1];
    }
    s->q--;
    for (size_t k = at; k < s->q; k++) {
        double cosine, sine;
        if (!(fabs(r[k * n + k + 1]) > 0))
            continue;
        r[k * n + k] = rotate(s, k, k + 1, r[k * n + k], r[k * n + k + 1], &cosine, &sine);
        r[k * n + k + 1] = 0;
        for (size_t col = k + 1; col < s->q; col++) {
            double above = r[col * n + k], below = r[col * n + k + 1];
            r[col * n + k] = cosine * above + sine * below;
            r[col * n + k + 1] = cosine * below - sine * above;
        }
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
static bool satisfy(struct qp_solver *s, struct candidate c, size_t *steps_left)
{
    double multiplier = 0;
    for (; *steps_left > 0; (*steps_left)--) {
        size_t weakest;
        double left = directions(s, &c);
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
            take_in(s, c, multiplier);
            return true;
        }
        leave_out(s, weakest);
    }
    return false;
}

/* x as weights; what is at a bound, or beyond it by rounding, becomes the bound. */
static void finish(const struct qp_solver *s, double *ret_x)
{
    double scale = s->problem->is_ratio ? s->limits->budget / s->sum : 1;
    for (size_t i = 0; i < s->n; i++)
        ret_x[i] = fmin(fmax(s->ws->x[i] * scale, s->limits->lower[i]), s->limits->upper[i]);
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
    struct candidate c;
    size_t steps_left = 100 * s->n + 1000;

    if (!factorise(s))
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
