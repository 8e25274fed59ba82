/* smoothing.c - the exact likelihood of a moving average of order 2, and its maximum. */
#include "backtest/smoothing.h"

#include "backtest/elementary.h"

#include <math.h>

enum { ORDER = 2, STEPS_MAX = 100, RETURNS_MIN = 4, LOGS = 16 };

/* Of algorithm 21, and R's own: the difference of a gradient, and when a step gains too little. */
static const double STEP_REDUCTION = 0.2, ACCEPTANCE = 1e-4, RELATIVE_TEST = 10;
static const double DIFFERENCE = 1e-3, TOLERANCE = 1e-8;

struct sample {
    const double *r;
    size_t n;
};

/* What one return adds: its innovation e of variance v in units of that of e_t, weights on the two before it. */
struct innovation {
    double e[2], v[2], first; /* one and two periods ago */
};

/*
 * Half of ln(sum e^2 / v / n) + sum ln v / n, by the innovations algorithm. Source: P. Brockwell, R. Davis, "Time Series: Theory
 * and Methods", 2nd ed. 1991, 5.2 and 8.7.
 */
static double half_deviance(const struct sample *s, const double *theta)
{
    double g0 = 1 + theta[0] * theta[0] + theta[1] * theta[1];
    double g1 = theta[0] + theta[0] * theta[1], g2 = theta[1];
    struct innovation last = {{s->r[0], 0}, {g0, 0}, 0};
    double squares = s->r[0] * s->r[0] / g0, product = g0, logs = 0, n = (double)s->n;
    for (size_t t = 1; t < s->n; t++) {
        double second = t > 1 ? g2 / last.v[1] : 0;
        double first = (g1 - (t > 1 ? second * last.first * last.v[1] : 0)) / last.v[0];
        double v = g0 - first * first * last.v[0] - second * second * last.v[1];
        double e = s->r[t] - first * last.e[0] - second * last.e[1];
        squares += e * e / v;
        product *= v;
        if (t % LOGS == 0) {
            logs += elementary_log(product);
            product = 1;
        }
        last = (struct innovation){{e, last.e[0]}, {v, last.v[0]}, first};
    }
    logs += elementary_log(product);
    return (elementary_log(squares / n) + logs / n) / 2;
}

static void gradient(const struct sample *s, const double *theta, double *ret)
{
    for (size_t i = 0; i < ORDER; i++) {
        double at[ORDER] = {theta[0], theta[1]};
        at[i] = theta[i] + DIFFERENCE;
        double above = half_deviance(s, at);
        at[i] = theta[i] - DIFFERENCE;
        ret[i] = (above - half_deviance(s, at)) / (2 * DIFFERENCE);
    }
}

struct search {
    const struct sample *sample;
    double theta[ORDER], g[ORDER], metric[ORDER][ORDER], least;
};

static void reset(struct search *s)
{
    for (size_t i = 0; i < ORDER; i++) {
        for (size_t j = 0; j < ORDER; j++)
            s->metric[i][j] = i == j;
    }
}

/* Goes along step, shortened until it gains enough; *ret: its value. False when it has become nothing. */
static bool walk(struct search *s, double *step, double slope, double *ret)
{
    const double from[ORDER] = {s->theta[0], s->theta[1]};
    for (double length = 1;; length *= STEP_REDUCTION) {
        size_t n_same = 0;
        for (size_t i = 0; i < ORDER; i++) {
            s->theta[i] = from[i] + length * step[i];
            n_same += !(fabs(RELATIVE_TEST + from[i] - (RELATIVE_TEST + s->theta[i])) > 0);
        }
        if (n_same == ORDER)
            return false;
        *ret = half_deviance(s->sample, s->theta);
        if (!isfinite(*ret) || *ret > s->least + slope * length * ACCEPTANCE)
            continue;
        for (size_t i = 0; i < ORDER; i++)
            step[i] *= length;
        return true;
    }
}

/* The metric after a step along which the gradient changed by c; false where it bends the wrong way. */
static bool update(struct search *s, const double *step, const double *c)
{
    double along = step[0] * c[0] + step[1] * c[1], x[ORDER], bend = 0;
    if (!(along > 0))
        return false;
    for (size_t i = 0; i < ORDER; i++) {
        x[i] = s->metric[i][0] * c[0] + s->metric[i][1] * c[1];
        bend += x[i] * c[i];
    }
    for (size_t i = 0; i < ORDER; i++) {
        for (size_t j = 0; j < ORDER; j++)
            s->metric[i][j] +=
                ((1 + bend / along) * step[i] * step[j] - step[i] * x[j] - x[i] * step[j]) / along;
    }
    return true;
}

static void minimise(struct search *s)
{
    bool is_fresh = true; /* the metric is that of steepest descent */
    reset(s);
    s->least = half_deviance(s->sample, s->theta);
    gradient(s->sample, s->theta, s->g);
    for (size_t round = 0, since = 0; round < STEPS_MAX; round++, since++) {
        double step[ORDER], slope = 0, value = s->least, before[ORDER] = {s->g[0], s->g[1]};
        for (size_t i = 0; i < ORDER; i++) {
            step[i] = -(s->metric[i][0] * s->g[0] + s->metric[i][1] * s->g[1]);
            slope += step[i] * s->g[i];
        }
        bool has_moved = slope < 0 && walk(s, step, slope, &value);
        bool has_gained =
            has_moved && fabs(value - s->least) > TOLERANCE * (fabs(s->least) + TOLERANCE);
        s->least = has_moved ? value : s->least;
        if (!has_gained && is_fresh)
            return;
        if (has_gained) {
            gradient(s->sample, s->theta, s->g);
            for (size_t i = 0; i < ORDER; i++)
                before[i] = s->g[i] - before[i];
            is_fresh = !update(s, step, before);
        } else {
            is_fresh = true;
        }
        if (is_fresh || since > (size_t)2 * ORDER) {
            reset(s);
            is_fresh = true;
            since = 0;
        }
    }
}

/* The same covariances from roots outside the unit circle: R's polyroot, turned over. */
static void invert(double *theta)
{
    /* 1 + a z + b z^2 = (1 - p z)(1 - q z); p or q of size above 1 becomes its inverse. */
    double a = theta[0], b = theta[1], square = a * a - 4 * b;
    if (square < 0) { /* a pair of size sqrt(b) */
        theta[0] = b > 1 ? a / b : a;
        theta[1] = b > 1 ? 1 / b : b;
        return;
    }
    double p = (-a + sqrt(square)) / 2, q = (-a - sqrt(square)) / 2;
    p = fabs(p) > 1 ? 1 / p : p;
    q = fabs(q) > 1 ? 1 / q : q;
    theta[0] = -(p + q);
    theta[1] = p * q;
}

bool smoothing_index(const double *r, size_t n, double *ret)
{
    struct sample sample = {r, n};
    struct search search = {.sample = &sample};
    double most = 0;
    for (size_t t = 0; t < n; t++)
        most = fmax(most, fabs(r[t]));
    if (n < RETURNS_MIN || !(most > 0))
        return false;
    minimise(&search);
    invert(search.theta);
    double a = fmax(search.theta[0], 0), b = fmax(search.theta[1], 0), sum = 1 + a + b;
    *ret = (1 + a * a + b * b) / (sum * sum);
    return isfinite(*ret);
}
