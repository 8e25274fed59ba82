/* tail_risk.c - the mean of the worst sessions or drawdowns, its slopes, and where it is least. */
#include "backtest/tail_risk.h"

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

double tail_risk_value(const void *context, const double *weight, double *ret_slope)
{
    const struct tail_risk *risk = context;
    size_t n = risk->n;
    double *loss = risk->path, *share = loss + n, *peak_at = share + n;
    double tail = (1 - risk->confidence) * (double)n, value = 0;
    size_t whole = (size_t)tail;

    memset(share, 0, n * sizeof *share);
    for (size_t i = 0; i < risk->m; i++)
        risk->kernels->add_scaled(weight[i], column(risk, i), n, share);
    if (risk->kind == TAIL_CDAR) {
        fall(share, n, loss, peak_at);
    } else {
        for (size_t t = 0; t < n; t++)
            loss[t] = -share[t];
    }
    size_t k = ranking_best(loss, n, n, whole + 1, risk->when);
    memset(share, 0, n * sizeof *share);
    for (size_t j = 0; j < k; j++) {
        double part = j < whole ? 1 / tail : (tail - (double)whole) / tail;
        value += part * loss[risk->when[j]];
        share[risk->when[j]] = part;
    }
    if (risk->kind == TAIL_CDAR)
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
