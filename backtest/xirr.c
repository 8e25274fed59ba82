/* xirr.c - brackets by a scan in ln(1 + rate), roots by Brent's method. */
#include "backtest/xirr.h"

#include "backtest/elementary.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

/* ln(1 + rate) from a loss of all but 1e-12 in a year to 1e6. */
static const double LOW = -27.6310211159285482, HIGH = 13.8155115579642741;
enum { STEPS = 1200, BRENT_STEPS_MAX = 200 };

struct flows {
    const double *years, *amount;
    size_t n;
    double last; /* the most years */
};

/*
 * Value of the flows at u = ln(1 + rate), divided by the largest discount factor: the sign is the same and nothing
 * overflows.
 */
static double value_at(const struct flows *f, double u)
{
    double shift = u < 0 ? -u * f->last : 0, sum = 0;
    for (size_t k = 0; k < f->n; k++)
        sum += f->amount[k] * elementary_exp(-u * f->years[k] - shift);
    return sum;
}

/* One step of Brent's method: the interval [b, c] keeps the root, a is the b before. */
struct brent {
    double a, b, c, fa, fb, fc, step, last_step;
};

/* Inverse quadratic or linear interpolation, or bisection where that would not shrink enough. */
static void propose(struct brent *s, double half, double tolerance)
{
    double p, q, ratio = s->fb / s->fa;
    if (fabs(s->last_step) < tolerance || fabs(s->fa) <= fabs(s->fb)) {
        s->step = s->last_step = half;
        return;
    }
    if (!(fabs(s->a - s->c) > 0)) {
        p = 2 * half * ratio;
        q = 1 - ratio;
    } else {
        double r = s->fb / s->fc, t = s->fa / s->fc;
        p = ratio * (2 * half * t * (t - r) - (s->b - s->a) * (r - 1));
        q = (t - 1) * (r - 1) * (ratio - 1);
    }
    q = p > 0 ? -q : q;
    p = fabs(p);
    if (2 * p < fmin(3 * half * q - fabs(tolerance * q), fabs(s->last_step * q))) {
        s->last_step = s->step;
        s->step = p / q;
    } else {
        s->step = s->last_step = half;
    }
}

static double root_between(const struct flows *f, double low, double high, double f_low,
                           double f_high)
{
    struct brent s = {low, high, low, f_low, f_high, f_low, high - low, high - low};
    for (int i = 0; i < BRENT_STEPS_MAX; i++) {
        if ((s.fb > 0) == (s.fc > 0)) {
            s.c = s.a;
            s.fc = s.fa;
            s.step = s.last_step = s.b - s.a;
        }
        if (fabs(s.fc) < fabs(s.fb)) {
            s.a = s.b;
            s.b = s.c;
            s.c = s.a;
            s.fa = s.fb;
            s.fb = s.fc;
            s.fc = s.fa;
        }
        double tolerance = 2 * DBL_EPSILON * fabs(s.b), half = (s.c - s.b) / 2;
        if (fabs(half) <= tolerance || !(fabs(s.fb) > 0))
            break;
        propose(&s, half, tolerance);
        s.a = s.b;
        s.fa = s.fb;
        s.b += fabs(s.step) > tolerance ? s.step : half > 0 ? tolerance : -tolerance;
        s.fb = value_at(f, s.b);
    }
    return s.b;
}

static void add_root(struct xirr_roots *ret, double u)
{
    double rate = elementary_exp(u) - 1;
    /* Near 0 the difference above has lost digits; the series has not. */
    if (fabs(u) < 1e-5)
        rate = u * (1 + u / 2 * (1 + u / 3));
    if (ret->n < XIRR_ROOTS_MAX)
        ret->rate[ret->n++] = rate;
    /* Roots come rising: a later one is preferred only to a negative one. */
    if (ret->n == 1 || ret->preferred < 0)
        ret->preferred = rate;
}

static double grid_at(int i)
{
    return LOW + (HIGH - LOW) * i / STEPS;
}

/* In order of dates, money goes one way first and the other way ever after: one rate at most (Descartes). */
static bool changes_sign_once(const struct flows *f)
{
    size_t n_changes = 0;
    double before = 0;
    for (size_t k = 0; k < f->n; k++) {
        if (k > 0 && f->years[k] < f->years[k - 1])
            return false;
        if (!(fabs(f->amount[k]) > 0))
            continue;
        n_changes += before * f->amount[k] < 0 ? 1 : 0;
        before = f->amount[k] > 0 ? 1 : -1;
    }
    return n_changes == 1;
}

/* The interval of the grid that has the only root, by halving: the same as a scan would find. */
static bool solve_once(const struct flows *f, struct xirr_roots *ret)
{
    int low = 0, high = STEPS;
    double f_low = value_at(f, grid_at(low)), f_high = value_at(f, grid_at(high));

    if (!(fabs(f_low) > 0))
        return false;
    if (fabs(f_high) > 0 && (f_low > 0) == (f_high > 0))
        return true; /* beyond both ends */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        double f_middle = value_at(f, grid_at(middle));
        if (fabs(f_middle) > 0 && (f_middle > 0) == (f_low > 0)) {
            low = middle;
            f_low = f_middle;
        } else {
            high = middle;
            f_high = f_middle;
        }
    }
    if (fabs(f_high) > 0)
        add_root(ret, root_between(f, grid_at(low), grid_at(high), f_low, f_high));
    else
        add_root(ret, grid_at(high));
    return true;
}

enum status xirr_solve(const struct xirr_flow *flow, size_t n, struct arena *arena,
                       struct xirr_roots *ret, struct err *err)
{
    double *years = arena_array(arena, n + 1, sizeof *years);
    double *amount = arena_array(arena, n + 1, sizeof *amount);
    struct flows f = {years, amount, n, 0};
    *ret = (struct xirr_roots){.n = 0};
    if (years == NULL || amount == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the cash flows.");
    bool has_in = false, has_out = false;
    int32_t first = n > 0 ? flow[0].date : 0;
    for (size_t k = 0; k < n; k++)
        first = flow[k].date < first ? flow[k].date : first;
    for (size_t k = 0; k < n; k++) {
        years[k] = (double)(flow[k].date - first) / 365;
        amount[k] = flow[k].amount;
        f.last = years[k] > f.last ? years[k] : f.last;
        has_in = has_in || amount[k] < 0;
        has_out = has_out || amount[k] > 0;
    }
    if (!has_in || !has_out || !(f.last > 0))
        return STATUS_OK;
    if (changes_sign_once(&f) && solve_once(&f, ret))
        return STATUS_OK;
    double from = LOW, f_from = value_at(&f, from);
    for (int i = 1; i <= STEPS; i++) {
        double to = grid_at(i), f_to = value_at(&f, to);
        if (!(fabs(f_to) > 0))
            add_root(ret, to);
        else if (fabs(f_from) > 0 && (f_from > 0) != (f_to > 0))
            add_root(ret, root_between(&f, from, to, f_from, f_to));
        from = to;
        f_from = f_to;
    }
    return STATUS_OK;
}
