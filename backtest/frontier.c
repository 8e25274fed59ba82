/* frontier.c - mean-variance portfolios of one sample, looked at again in another. */
#include "backtest/frontier.h"

#include "backtest/covariance.h"
#include "backtest/qp.h"
#include "backtest/stats.h"

#include <assert.h>
#include <math.h>

struct sample {
    double *mean, *covariance;
};

struct work {
    const struct frontier_prices *prices;
    const struct limits *limits;
    struct sample in, out;
    double *aim, *gain, *row;
    struct qp_workspace qp;
};

static enum status estimate(struct sample *ret, const struct frontier_prices *prices, size_t from,
                            size_t to, struct arena *arena, struct err *err)
{
    size_t n = prices->n, n_returns = to - from;
    double *r = arena_array(arena, n * n_returns, sizeof *r);
    ret->mean = arena_array(arena, n, sizeof *ret->mean);
    ret->covariance = arena_array(arena, n * n, sizeof *ret->covariance);
    if (r == NULL || ret->mean == NULL || ret->covariance == NULL)
        return err_set(err, STATUS_TOO_LARGE,
                       "The frontier of %zu assets needs more memory than a request may use.", n);
    for (size_t a = 0; a < n; a++)
        stats_returns(prices->price + a * prices->stride + from, n_returns + 1, r + a * n_returns);
    covariance_estimate((struct covariance_choice){COVARIANCE_SAMPLE, 0}, prices->kernels, r, n,
                        n_returns, ret->mean, ret->covariance);
    return STATUS_OK;
}

static double mean_of(const struct sample *sample, const double *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += sample->mean[i] * weight[i];
    return sum;
}

static struct frontier_figures figures(const struct work *w, const struct sample *sample,
                                       const double *weight)
{
    double periods = w->prices->periods_per_year;
    double variance = covariance_variance(sample->covariance, w->prices->n, weight);
    return (struct frontier_figures){mean_of(sample, weight, w->prices->n) * periods,
                                     sqrt(variance * periods)};
}

/* Mean returns in sample of the two ends. */
static bool find_ends(struct work *w, double *ret_least, double *ret_most)
{
    size_t n = w->prices->n;
    double largest = 0;
    assert(w->in.mean != NULL);
    struct qp_problem least = {.limits = w->limits, .h = w->in.covariance};
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(w->in.mean[i]));
    for (size_t i = 0; i < n; i++)
        w->gain[i] = largest > 0 ? w->in.mean[i] / largest : 0;
    if (qp_solve(&least, &w->qp, w->row) != QP_SOLVED)
        return false;
    *ret_least = mean_of(&w->in, w->row, n);
    qp_climb(w->limits, w->gain, &w->qp, w->aim, w->row);
    *ret_most = fmax(mean_of(&w->in, w->row, n), *ret_least);
    return true;
}

/* Least variance with at least this mean; the scale of the means is taken out. */
static bool solve(struct work *w, double target, double unit, double *weight)
{
    for (size_t i = 0; i < w->prices->n; i++)
        w->aim[i] = w->in.mean[i] / unit;
    struct qp_problem problem = {
        .limits = w->limits, .h = w->in.covariance, .gain = w->aim, .gain_min = target / unit};
    return qp_solve(&problem, &w->qp, weight) == QP_SOLVED;
}

static enum status prepare(struct work *w, size_t split, struct arena *arena, struct err *err)
{
    size_t n = w->prices->n;
    w->aim = arena_array(arena, n, sizeof *w->aim);
    w->gain = arena_array(arena, n, sizeof *w->gain);
    w->row = arena_array(arena, n, sizeof *w->row);
    if (w->aim == NULL || w->gain == NULL || w->row == NULL)
        return err_out_of_memory(err);
    enum status s = estimate(&w->in, w->prices, 0, split, arena, err);
    if (s == STATUS_OK)
        s = estimate(&w->out, w->prices, split, w->prices->n_sessions - 1, arena, err);
    return s == STATUS_OK ? qp_workspace_init(&w->qp, n, w->prices->kernels, arena, err) : s;
}

static enum status too_short(struct err *err)
{
    (void)err_set(err, STATUS_BAD_SPEC,
                  "The frontier needs more sessions on both sides of its split.");
    err_at(err, ERR_POINTER, STR("/frontier/in_sample"), STR_NONE);
    err_allow(err, "a window and a share with at least %d returns in sample and out of it",
              (int)FRONTIER_RETURNS_MIN);
    return STATUS_BAD_SPEC;
}

enum status frontier_compute(struct frontier_ask ask, const struct frontier_prices *prices,
                             const struct limits *limits, struct arena *arena,
                             const struct stop *stop, struct frontier *ret, struct err *err)
{
    struct work w = {.prices = prices, .limits = limits};
    size_t n_returns = prices->n_sessions - 1;
    struct frontier f = {.n = prices->n, .split = (size_t)((double)n_returns * ask.in_sample)};
    double least = 0, most = 0;

    if (f.split < FRONTIER_RETURNS_MIN || n_returns - f.split < FRONTIER_RETURNS_MIN)
        return too_short(err);
    struct frontier_point *points = arena_array(arena, ask.n_points, sizeof *points);
    double *weights = arena_array(arena, ask.n_points * prices->n, sizeof *weights);
    if (points == NULL || weights == NULL)
        return err_out_of_memory(err);
    enum status s = prepare(&w, f.split, arena, err);
    if (s != STATUS_OK)
        return s;
    bool has_ends = find_ends(&w, &least, &most);
    double unit = fmax(fmax(fabs(least), fabs(most)), 1e-300);
    for (size_t k = 0; k < ask.n_points; k++) {
        double share = ask.n_points > 1 ? (double)k / (double)(ask.n_points - 1) : 0;
        double *weight = weights + f.n_points * prices->n;
        if (stop_is_raised(stop))
            return stop_status(stop, err);
        /* The last target is a hair below the most, which rounding may put out of reach. */
        double target = least + share * (most - least) - 1e-9 * unit;
        if (!has_ends || !solve(&w, target, unit, weight)) {
            f.n_unsolved++;
            continue;
        }
        points[f.n_points++] = (struct frontier_point){weight, figures(&w, &w.in, weight),
                                                       figures(&w, &w.out, weight)};
    }
    f.points = points;
    *ret = f;
    return STATUS_OK;
}
