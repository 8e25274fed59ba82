/* measure_sides.c - rising and falling benchmarks apart: captures, counts, bull and bear beta. */
#include "backtest/measure_sides.h"

#include <math.h>

/* Sessions with b > 0 (side 1) or b < 0 (side -1), or b <= 0 too. */
static bool is_on_side(double b, int side, bool with_zero)
{
    return (b * side > 0) | (with_zero & !(b * side < 0));
}

/* x when wanted, else 0, without a branch: which side a session is on cannot be predicted. x is finite. */
static double when(bool is_wanted, double x)
{
    return (double)is_wanted * x;
}

/* Compounded growth of r and b over the sessions of one kind; 0 when a return there loses everything. */
struct growth {
    double own, other;
    size_t n;
};

static void grow(struct growth *g, bool is_here, double r, double b)
{
    g->n += is_here;
    g->own *= 1 + when(is_here, r);
    g->other *= 1 + when(is_here, b);
}

/* Sessions with b > 0, b < 0 and b <= 0 in one pass: products that do not wait for each other. */
static void grow_sides(const struct relative *w, struct growth *up, struct growth *down,
                       struct growth *not_up)
{
    struct growth a = {1, 1, 0}, b = {1, 1, 0}, c = {1, 1, 0};
    for (size_t i = 0; i < w->n; i++) {
        double own = w->r[i], other = w->b[i];
        grow(&a, is_on_side(other, 1, false), own, other);
        grow(&b, is_on_side(other, -1, false), own, other);
        grow(&c, is_on_side(other, -1, true), own, other);
    }
    *up = a;
    *down = b;
    *not_up = c;
}

/* Ratio of the growth of r to that of b; each to the power P / count first when annual. */
static void capture(const struct relative *w, struct measure_value *out, const struct growth *g,
                    enum measure_reason none, bool is_annual)
{
    if (g->n == 0) {
        measure_deny(out, none, 0);
        return;
    }
    double count = is_annual ? (double)g->n : w->periods;
    double above = measure_annualised(g->own, w->periods, count);
    double below = measure_annualised(g->other, w->periods, count);
    measure_maybe(out, fabs(below) > 0, above / below, REASON_ZERO_VARIANCE, g->n);
}

/* Share of the sessions with b on side on which r is on the same side. */
static void number(const struct relative *w, struct measure_value *out, int side)
{
    size_t n = 0, n_same = 0;
    for (size_t i = 0; i < w->n; i++) {
        bool is_here = w->b[i] * side > 0;
        n += is_here;
        n_same += is_here & (w->r[i] * side > 0);
    }
    measure_ratio(out, (double)n_same, (double)n, side > 0 ? REASON_NO_UPSIDE : REASON_NO_DOWNSIDE,
                  n);
}

void measure_captures(struct relative *w)
{
    struct measure_value *out = w->out;
    struct growth rise, fall, no_rise;
    grow_sides(w, &rise, &fall, &no_rise);
    capture(w, ROW(out, up_capture), &rise, REASON_NO_UPSIDE, true);
    capture(w, ROW(out, down_capture), &fall, REASON_NO_DOWNSIDE, true);
    capture(w, ROW(out, up_capture_cumulative), &rise, REASON_NO_UPSIDE, false);
    capture(w, ROW(out, down_capture_cumulative), &no_rise, REASON_NO_DOWNSIDE, false);
    number(w, ROW(out, up_number), 1);
    number(w, ROW(out, down_number), -1);
    const struct measure_value *up = ROW(out, up_capture), *down = ROW(out, down_capture);
    enum measure_reason why = up->reason != REASON_NONE     ? up->reason
                              : down->reason != REASON_NONE ? down->reason
                                                            : REASON_ZERO_VARIANCE;
    bool is_known =
        up->reason == REASON_NONE && down->reason == REASON_NONE && fabs(down->value) > 0;
    measure_maybe(ROW(out, capture_ratio), is_known, up->value / down->value, why, w->n);
}

static void batting(const struct relative *w, const double *active, struct measure_value *out,
                    int side, bool with_zero)
{
    size_t n = 0, n_better = 0;
    for (size_t i = 0; i < w->n; i++) {
        bool is_here = is_on_side(w->b[i], side, with_zero);
        n += is_here;
        n_better += is_here & (active[i] > 0);
    }
    measure_ratio(out, (double)n_better, (double)n,
                  side > 0 ? REASON_NO_UPSIDE : REASON_NO_DOWNSIDE, n);
}

void measure_batting(struct relative *w, const double *active)
{
    batting(w, active, ROW(w->out, batting_average_up), 1, false);
    batting(w, active, ROW(w->out, batting_average_down), -1, false);
    batting(w, active, ROW(w->out, batting_average_up_zero), 1, true);
}

/* Sums over the sessions on one side of 0: first x and bx, then their products around the means. */
struct side {
    double mean_x, mean_b, cov, var;
    size_t n;
};

static void add_to_means(struct side *s, bool is_here, double x, double b)
{
    s->mean_x += when(is_here, x);
    s->mean_b += when(is_here, b);
    s->n += is_here;
}

static void add_products(struct side *s, bool is_here, double x, double b)
{
    double d = when(is_here, b - s->mean_b);
    s->cov += (x - s->mean_x) * d;
    s->var += d * d;
}

static void divide_means(struct side *s)
{
    s->mean_x /= (double)s->n;
    s->mean_b /= (double)s->n;
}

/* Both sides in one pass each, for the sums of one do not wait for those of the other. */
static void take_sides(const struct relative *w, struct side *ret_bull, struct side *ret_bear)
{
    struct side bull = {0}, bear = {0};
    for (size_t i = 0; i < w->n; i++) {
        add_to_means(&bull, w->bx[i] > 0, w->x[i], w->bx[i]);
        add_to_means(&bear, w->bx[i] < 0, w->x[i], w->bx[i]);
    }
    divide_means(&bull);
    divide_means(&bear);
    for (size_t i = 0; i < w->n; i++) {
        add_products(&bull, w->bx[i] > 0, w->x[i], w->bx[i]);
        add_products(&bear, w->bx[i] < 0, w->x[i], w->bx[i]);
    }
    *ret_bull = bull;
    *ret_bear = bear;
}

/* beta on one side; false when the benchmark does not vary there. */
static bool beta_on_side(const struct side *s, double *ret)
{
    if (s->n < 2 || !(s->var > 1e-30 * (double)s->n))
        return false;
    *ret = s->cov / s->var;
    return true;
}

void measure_bull_and_bear(struct relative *w)
{
    double bull = 0, bear = 0;
    struct side up, down;
    take_sides(w, &up, &down);
    size_t n_bull = up.n, n_bear = down.n;
    bool has_bull = beta_on_side(&up, &bull), has_bear = beta_on_side(&down, &bear);
    enum measure_reason why = REASON_ZERO_VARIANCE;
    measure_maybe(ROW(w->out, beta_bull), has_bull, bull, n_bull < 2 ? REASON_TOO_SHORT : why,
                  n_bull);
    measure_maybe(ROW(w->out, beta_bear), has_bear, bear, n_bear < 2 ? REASON_TOO_SHORT : why,
                  n_bear);
    measure_maybe(ROW(w->out, timing_ratio), has_bull && has_bear && fabs(bear) > 0, bull / bear,
                  n_bull < 2 || n_bear < 2 ? REASON_TOO_SHORT : why, w->n);
}

struct pair {
    double b, r;
    size_t at;
};

static int by_benchmark(const void *left, const void *right)
{
    const struct pair *a = left, *b = right;
    if (a->b < b->b || a->b > b->b)
        return a->b < b->b ? -1 : 1;
    return a->at < b->at ? -1 : 1;
}

/* The pair at place k of the order by benchmark; moves it there (Hoare's selection on a total order). */
static struct pair select_pair(struct pair *x, size_t n, size_t k)
{
    size_t low = 0, high = n - 1;
    while (low < high) {
        struct pair pivot = x[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (by_benchmark(&x[i], &pivot) < 0)
                i++;
            while (by_benchmark(&pivot, &x[j]) < 0)
                j--;
            if (i >= j)
                break;
            struct pair t = x[i];
            x[i++] = x[j];
            x[j--] = t;
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return x[k];
}

/* n / 2 rounded half to even, as NumPy does. */
static size_t middle(size_t n)
{
    return n % 2 == 0 ? n / 2 : (n / 2) + (n / 2) % 2;
}

/*
 * Source: N. Taleb and others, "A New Heuristic Measure of Fragility and Tail Risks", IMF Working Paper 12/216,
 * in the form of empyrical.
 */
enum status measure_fragility(struct relative *w, struct arena *arena, struct err *err)
{
    struct measure_value *out = ROW(w->out, beta_fragility);
    if (w->n < 3) {
        measure_deny(out, REASON_TOO_SHORT, w->n);
        return STATUS_OK;
    }
    struct pair *pairs = arena_room(arena, w->n, sizeof *pairs);
    if (pairs == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the metrics.");
    for (size_t i = 0; i < w->n; i++)
        pairs[i] = (struct pair){w->b[i], w->r[i], i};
    struct pair low = pairs[0], high = pairs[0];
    for (size_t i = 1; i < w->n; i++) {
        low = by_benchmark(&pairs[i], &low) < 0 ? pairs[i] : low;
        high = by_benchmark(&pairs[i], &high) > 0 ? pairs[i] : high;
    }
    struct pair mid = select_pair(pairs, w->n, middle(w->n));
    double range = high.b - low.b, start = 0.5, end = 0.5;
    if (range > 0) {
        start = (mid.b - low.b) / range;
        end = (high.b - mid.b) / range;
    }
    measure_set(out, start * low.r + end * high.r - mid.r, w->n);
    return STATUS_OK;
}
