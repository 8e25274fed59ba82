/*
 * frontier.h - the efficient frontier of a run's assets: least variance for every mean return, estimated on
 * the first part of the sessions and measured on the rest.
 * Pure apart from the arena; callable from any thread.
 *
 * Out of sample is what counts: a frontier lies on or above everything in the sample it was made from.
 * Source: H. Markowitz, "Portfolio Selection", J. of Finance 7(1), 1952.
 */
#ifndef BACKTEST_FRONTIER_H
#define BACKTEST_FRONTIER_H

#include "backtest/limits.h"
#include "backtest/spec.h"
#include "base/stop.h"

/* Annual figures of fixed weights, restored every session: P mean'w and sqrt(P w'S w), divisor n - 1. */
struct frontier_figures {
    double mean, volatility;
};

struct frontier_point {
    const double *weight; /* [n] */
    struct frontier_figures in_sample, out_of_sample;
};

struct frontier {
    size_t
        n_points; /* 0: none asked for. By rising mean return in sample, the least variance first. */
    const struct frontier_point *points;
    size_t n;          /* assets */
    size_t split;      /* session at which the sample ends and the rest begins */
    size_t n_unsolved; /* points left out */
};

/* Prices of n assets at n_sessions: column a starts at price + a * stride. */
struct frontier_prices {
    const double *price;
    size_t n, n_sessions, stride;
    double periods_per_year;
    const struct kernels *kernels;
};

/*
 * ask.n_points portfolios between the least variance and the highest mean that the limits allow, evenly
 * spaced by mean return. Errors: STATUS_BAD_SPEC when either part has fewer than FRONTIER_RETURNS_MIN
 * returns; STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY; the stop's own status, polled at every point.
 */
enum status frontier_compute(struct frontier_ask ask, const struct frontier_prices *prices,
                             const struct limits *limits, struct arena *arena,
                             const struct stop *stop, struct frontier *ret, struct err *err)
    NODISCARD;

#endif
