/*
 * rolling.h - statistics of every window of w sessions, in O(n) and as exact as one window alone.
 * Pure apart from the arena; callable from any thread.
 *
 * Each window is the join of the end of one block of w sessions and the beginning of the next (van Herk, Gil and
 * Werman), so nothing is ever subtracted: a window of calm returns after a crash has no residue of it. Means and
 * moments are joined by the formulas of Chan, Golub and LeVeque (1979).
 */
#ifndef BACKTEST_ROLLING_H
#define BACKTEST_ROLLING_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

enum rolling_metric {
    ROLLING_RETURN,       /* compounded return of the window */
    ROLLING_CAGR,         /* the same to the power P / w */
    ROLLING_VOLATILITY,   /* sd sqrt(P), divisor w - 1 */
    ROLLING_SHARPE,       /* mean(x) / sd(x) sqrt(P) */
    ROLLING_SORTINO,      /* mean(x) / sqrt(sum min(x, 0)^2 / w) sqrt(P) */
    ROLLING_MAX_DRAWDOWN, /* deepest decline within the window, its start counted as a peak */
    ROLLING_BETA,         /* cov(x, b) / var(b) */
    ROLLING_CORRELATION,
    ROLLING_METRIC_COUNT
};
extern const char *const rolling_metric_names[ROLLING_METRIC_COUNT];

struct rolling_input {
    const double *r; /* n returns */
    const double *x; /* minus the risk-free return of each session; may be r */
    const double *b; /* benchmark minus the same; NULL: none */
    size_t n;
    size_t window; /* 2 <= window */
    double periods_per_year;
};

/*
 * ret[m][i] for m among the metrics that are wanted (ret[m] not NULL) and i = 0..n - window: the window that ends at
 * session window + i (counted from 1). NaN where there is none: no variance, no downside, no benchmark.
 * Returns nothing to fill when n < window. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status rolling_compute(const struct rolling_input *input, struct arena *arena,
                            double *ret[ROLLING_METRIC_COUNT], struct err *err) NODISCARD;

#endif
