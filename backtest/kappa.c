/* kappa.c - lower partial moments, their slopes, and the prices of Dinkelbach's method. */
#include "backtest/kappa.h"

#include "backtest/measure.h"
#include "backtest/ranking.h"

#include <math.h>
#include <string.h>

enum { PRICES_MAX = 30 }; /* it takes a handful */

struct kappa {
    enum kappa_order order;
    double target, price;
    const double *returns;
    const size_t *column; /* [m]: which column each weight is of */
    size_t m, n;
    const struct kernels *kernels;
    const double *mean; /* [m]: of each column beyond the target; NULL: the moment alone */
    double *path;       /* [n] of scratch */
};

static const double *column(const struct kappa *k, size_t i)
{
    return k->returns + k->column[i] * k->n;
}

/* The moment of e; e becomes its slopes. */
static double moment(enum kappa_order order, double *e, size_t n)
{
    double sum = 0, scale = 1 / (double)n;
    for (size_t t = 0; t < n; t++) {
        double below = fmax(-e[t], 0);
        sum += order == KAPPA_OMEGA ? below : below * below;
        e[t] = order == KAPPA_OMEGA ? (below > 0 ? -1 : 0) : -below;
    }
    double value = order == KAPPA_OMEGA ? sum * scale : sqrt(sum * scale);
    if (order == KAPPA_SORTINO)
        scale = value > 0 ? scale / value : 0;
    for (size_t t = 0; t < n; t++)
        e[t] *= scale;
    return value;
}

/* price moment - mean e; as level_value of level.h, and context is a kappa. */
static double value_of(const void *context, const double *weight, double *ret_slope)
{
    const struct kappa *k = context;
    double *e = k->path, sum = 0, mean = 0, all = 0;
    for (size_t i = 0; i < k->m; i++)
        sum += weight[i];
    for (size_t t = 0; t < k->n; t++)
        e[t] = -k->target * sum;
    for (size_t i = 0; i < k->m; i++)
        k->kernels->add_scaled(weight[i], column(k, i), k->n, e);
    double value = moment(k->order, e, k->n);
    for (size_t t = 0; t < k->n; t++)
        all += e[t];
    for (size_t i = 0; i < k->m; i++) {
        double own = k->mean != NULL ? k->mean[i] : 0;
        mean += weight[i] * own;
        ret_slope[i] = k->price * (k->kernels->dot(e, column(k, i), k->n) - k->target * all) - own;
    }
    return k->price * value - mean;
}

/* The ratio at weights; slope: [m] of scratch. INFINITY: no session is below the target. */
static double ratio(const struct kappa *k, const double *weight, double *slope, double *ret_mean)
{
    struct kappa alone = *k;
    double mean = 0;
    alone.price = 1;
    alone.mean = NULL;
    double value = value_of(&alone, weight, slope);
    for (size_t i = 0; i < k->m; i++)
        mean += weight[i] * k->mean[i];
    *ret_mean = mean;
    return value > 0 ? mean / value : mean > 0 ? (double)INFINITY : 0;
}

/* Raises the price until it rises no more. room: as level_minimise, weight: [m]. */
static enum strategy_note climb(struct kappa *k, const struct limits *limits,
                                struct qp_workspace *qp, double *room, double *weight)
{
    static const double TOLERANCE = 1e-11;
    double *next = weight + k->m, *slope = weight + 2 * k->m, mean = 0;
    for (size_t i = 0; i < k->m; i++)
        next[i] = limits->budget / (double)k->m;
    if (qp_project(limits, next, qp, weight) != QP_SOLVED)
        return NOTE_NO_ANSWER;
    k->price = fmax(ratio(k, weight, slope, &mean), 0);
    for (size_t round = 0; round < PRICES_MAX && isfinite(k->price); round++) {
        if (level_minimise(value_of, k, limits, qp, room, next) != QP_SOLVED)
            return NOTE_NO_ANSWER;
        double found = ratio(k, next, slope, &mean);
        if (!(mean > 0))
            break;
        bool is_last = !(found > k->price * (1 + TOLERANCE));
        if (found >= k->price)
            memcpy(weight, next, k->m * sizeof *weight);
        k->price = fmax(found, k->price);
        if (is_last)
            break;
    }
    return k->price > 0 ? NOTE_NONE : NOTE_NO_EXCESS;
}

enum strategy_note kappa_maximise(enum kappa_order order, const struct strategy_input *input,
                                  double *ret_weight)
{
    size_t m = input->m, n = input->strategy->lookback, *by_gain = input->index;
    double *weight = input->scratch + LEVEL_ROOM * m, *mean = weight + 3 * m;
    double annual = input->strategy->param[0];
    double bounds[2 * KAPPA_ASSETS_MAX];
    /* The best may be several weights: the assets are taken by their gain, not as the request lists them. */
    ranking_returns(input->price, m, n + 1, weight);
    (void)ranking_best(weight, m, m, m, by_gain);
    struct limits limits = limits_reorder(input->limits, by_gain, bounds, by_gain + m);
    struct kappa k = {.order = order,
                      .target = measure_rate_per_period(
                          isnan(annual) ? input->risk_free_rate : annual, input->periods_per_year),
                      .returns = input->returns,
                      .column = by_gain,
                      .m = m,
                      .n = n,
                      .kernels = input->kernels,
                      .mean = mean,
                      .path = input->path};
    for (size_t i = 0; i < m; i++) {
        double sum = 0;
        for (size_t t = 0; t < n; t++)
            sum += column(&k, i)[t];
        mean[i] = sum / (double)n - k.target;
    }
    enum strategy_note note = climb(&k, &limits, input->qp, input->scratch, weight);
    if (note == NOTE_NO_EXCESS) {
        k.price = 1;
        k.mean = NULL;
        if (level_minimise(value_of, &k, &limits, input->qp, input->scratch, weight) != QP_SOLVED)
            note = NOTE_NO_ANSWER;
    }
    for (size_t i = 0; i < m && note != NOTE_NO_ANSWER; i++)
        ret_weight[by_gain[i]] = weight[i];
    return note;
}
