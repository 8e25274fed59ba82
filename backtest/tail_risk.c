/* tail_risk.c - means that lean on the worst sessions or drawdowns, their slopes, and where they are least. */
#include "backtest/tail_risk.h"

#include "backtest/elementary.h"
#include "backtest/ranking.h"

#include <math.h>
#include <string.h>

/* loss[t] = the fall of the summed returns from their peak; peak_at[t]: after how many returns it was. */
static void fall(const double *r, size_t n, double *loss, double *peak_at)
{
    double sum = 0, peak = 0;
    size_t at = 0;
    for (size_t t = 0; t < n; t++) {
        sum += r[t];
        if (sum >= peak) {
            peak = sum;
            at = t + 1;
        }
        loss[t] = peak - sum;
        peak_at[t] = (double)at;
    }
}

/* From the share of each session's drawdown to that of each return: all since its peak. change: [n] of scratch. */
static void spread(const double *peak_at, size_t n, double *change, double *share)
{
    double sum = 0;
    memset(change, 0, n * sizeof *change);
    for (size_t t = 0; t < n; t++) {
        if (share[t] > 0 && (size_t)peak_at[t] <= t)
            change[(size_t)peak_at[t]] += share[t];
    }
    for (size_t t = 0; t < n; t++) {
        bool falls = (size_t)peak_at[t] <= t;
        double own = falls ? share[t] : 0;
        sum += change[t];
        share[t] = sum;
        sum -= own;
    }
}

static const double *column(const struct tail_risk *risk, size_t i)
{
    return risk->returns + (risk->order != NULL ? risk->order[i] : i) * risk->n;
}

/* The mean of the worst losses, and the share of each session in it. */
static double worst(const struct tail_risk *risk, const double *loss, double *share)
{
    size_t n = risk->n;
    double tail = (1 - risk->confidence) * (double)n, value = 0;
    size_t whole = (size_t)tail;
    size_t k = ranking_best(loss, n, n, whole + 1, risk->when);
    memset(share, 0, n * sizeof *share);
    for (size_t j = 0; j < k; j++) {
        double part = j < whole ? 1 / tail : (tail - (double)whole) / tail;
        value += part * loss[risk->when[j]];
        share[risk->when[j]] = part;
    }
    return value;
}

/* Shares proportional to exp(steep (loss - highest)). */
struct tilt {
    double sum, mean, variance; /* of the exponentials; of loss - highest, by shares */
    double entropy;             /* relative to equal shares; rises with steep by steep variance */
};

static struct tilt tilt_at(const double *loss, size_t n, double highest, double steep,
                           double *share)
{
    double sum = 0, first = 0, second = 0;
    for (size_t t = 0; t < n; t++) {
        double below = loss[t] - highest;
        share[t] = elementary_exp(steep * below);
        sum += share[t];
        first += share[t] * below;
        second += share[t] * below * below;
    }
    double mean = first / sum;
    return (struct tilt){sum, mean, fmax(second / sum - mean * mean, 0),
                         steep * mean - elementary_log(sum / (double)n)};
}

/*
 * The steepness of at most this entropy, by Newton's steps, halving what is known where one leaves it. Never above, so
 * that the shares are allowed ones, and their mean is a cut below the risk of any weights.
 */
static double steepness(const double *loss, size_t n, double highest, double entropy, double *share)
{
    static const double TOLERANCE = 1e-13;
    enum { STEPS_MAX = 200 };
    double low = 0, high = (double)INFINITY;
    struct tilt flat = tilt_at(loss, n, highest, 0, share);
    double steep = sqrt(2 * entropy / flat.variance);
    for (size_t step = 0; step < STEPS_MAX; step++) {
        struct tilt now = tilt_at(loss, n, highest, steep, share);
        bool is_allowed = now.entropy <= entropy;
        *(is_allowed ? &low : &high) = steep;
        if (is_allowed && now.entropy >= entropy - TOLERANCE)
            break;
        double next = steep + (entropy - TOLERANCE / 2 - now.entropy) / (steep * now.variance);
        if (!(next > low) || !(next < high))
            next = isinf(high) ? 2 * steep : low + (high - low) / 2;
        if (!(next > low) || !(next < high))
            break; /* neighbours */
        steep = next;
    }
    return low;
}

/* As worst, of the entropic mean. */
static double entropic(const struct tail_risk *risk, const double *loss, double *share)
{
    size_t n = risk->n, n_highest = 0;
    double entropy = -elementary_log(1 - risk->confidence), highest = loss[0];
    for (size_t t = 1; t < n; t++)
        highest = fmax(highest, loss[t]);
    for (size_t t = 0; t < n; t++) {
        share[t] = loss[t] >= highest ? 1 : 0;
        n_highest += loss[t] >= highest;
    }
    double sum = (double)n_highest, mean = 0;
    if (elementary_log((double)n / sum) > entropy) {
        double steep = steepness(loss, n, highest, entropy, share);
        struct tilt tilt = tilt_at(loss, n, highest, steep, share);
        sum = tilt.sum;
        mean = tilt.mean;
    }
    for (size_t t = 0; t < n; t++)
        share[t] /= sum;
    return highest + mean;
}

double tail_risk_value(const void *context, const double *weight, double *ret_slope)
{
    const struct tail_risk *risk = context;
    bool is_drawdown = risk->kind == TAIL_CDAR || risk->kind == TAIL_EDAR;
    bool is_entropic = risk->kind == TAIL_EVAR || risk->kind == TAIL_EDAR;
    size_t n = risk->n;
    double *loss = risk->path, *share = loss + n, *peak_at = share + n;

    memset(share, 0, n * sizeof *share);
    for (size_t i = 0; i < risk->m; i++)
        risk->kernels->add_scaled(weight[i], column(risk, i), n, share);
    if (is_drawdown) {
        fall(share, n, loss, peak_at);
    } else {
        for (size_t t = 0; t < n; t++)
            loss[t] = -share[t];
    }
    double value = is_entropic ? entropic(risk, loss, share) : worst(risk, loss, share);
    if (is_drawdown)
        spread(peak_at, n, loss, share);
    for (size_t i = 0; i < risk->m; i++)
        ret_slope[i] = -risk->kernels->dot(share, column(risk, i), n);
    return value;
}

/* The least risk may be that of several weights: the assets are taken by their gain, not as the request lists them. */
enum strategy_note tail_risk_minimise(enum tail_kind kind, const struct strategy_input *input,
                                      double *ret_weight)
{
    size_t m = input->m, n = input->strategy->lookback, *order = input->index;
    double *weight = input->scratch + LEVEL_ROOM * m;
    ranking_returns(input->price, m, n + 1, weight);
    (void)ranking_best(weight, m, m, m, order);
    struct limits limits = limits_reorder(input->limits, order, weight + m, order + m);
    struct tail_risk risk = {.kind = kind,
                             .confidence = input->strategy->param[0],
                             .returns = input->returns,
                             .order = order,
                             .m = m,
                             .n = n,
                             .kernels = input->kernels,
                             .path = input->path,
                             .when = input->when};
    enum qp_outcome outcome =
        level_minimise(tail_risk_value, &risk, &limits, input->qp, input->scratch, weight);
    for (size_t i = 0; i < m && outcome == QP_SOLVED; i++)
        ret_weight[order[i]] = weight[i];
    return outcome == QP_SOLVED ? NOTE_NONE : NOTE_NO_ANSWER;
}
