/* qp_factor.c - J and R of the dual method: from H, and as limits are taken in and left out. */
#include "backtest/qp_solver.h"

#include "backtest/linear.h"

#include <math.h>
#include <string.h>

static const double DEPENDENT = 1e-14; /* of a normal's length: what is left is rounding */

static double element(const struct qp_solver *s, size_t i, size_t j)
{
    return s->map == NULL ? s->problem->h[i * s->n + j]
                          : s->problem->h[s->map[i] * s->stride + s->map[j]];
}

/* H + lift I = L L', scaled so that the mean diagonal element of H is 1. */
bool qp_factorise(struct qp_solver *s)
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

/* Whether the normal of a limit has one element alone. */
static bool is_single(const struct qp_solver *s, const struct qp_candidate *c)
{
    return (c->kind == QP_LOWER || c->kind == QP_UPPER) && !s->problem->is_ratio;
}

double qp_directions(struct qp_solver *s, const struct qp_candidate *c)
{
    size_t n = s->n;
    double *d = s->ws->d, *z = s->ws->z, *step = s->ws->step;
    double all = 0, left = 0;
    memset(z, 0, n * sizeof *z);
    for (size_t k = 0; k < n; k++) {
        d[k] = is_single(s, c) ? s->ws->j[k * n + c->index] * s->ws->normal[c->index]
                               : s->ws->kernels->dot(s->ws->j + k * n, s->ws->normal, n);
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
void qp_take_in(struct qp_solver *s, struct qp_candidate c, double multiplier)
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

void qp_leave_out(struct qp_solver *s, size_t at)
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
