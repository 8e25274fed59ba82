/*
 * bootstrap.h - how far the headline metrics of one history could have come out otherwise.
 * Stationary bootstrap of the session returns (resample.h); a benchmark is drawn with the same blocks,
 * so that the interval of a difference keeps what the two have in common. Pure apart from the arena.
 *
 * Percentile interval: the quantiles (1 - level) / 2 and (1 + level) / 2 of the replicates (type 7).
 * Basic interval: 2 estimate - those quantiles, the other way round. A. Davison, D. Hinkley, "Bootstrap
 * Methods and their Application", 1997, sections 5.2 and 5.3. BCa is left out on purpose: its
 * acceleration is a jackknife of independent observations, which sessions are not.
 */
#ifndef BACKTEST_BOOTSTRAP_H
#define BACKTEST_BOOTSTRAP_H

#include "backtest/resample.h"
#include "base/stop.h"

#include <stdbool.h>

enum bootstrap_figure {
    BOOTSTRAP_CAGR,
    BOOTSTRAP_VOLATILITY,
    BOOTSTRAP_SHARPE,
    BOOTSTRAP_SORTINO,
    BOOTSTRAP_MAX_DRAWDOWN,
    BOOTSTRAP_CALMAR,
    BOOTSTRAP_TERMINAL_WEALTH,
    BOOTSTRAP_FIGURE_COUNT
};
extern const char *const bootstrap_figure_names[BOOTSTRAP_FIGURE_COUNT];

/* As metrics.def has them, from n session returns. NaN where one is undefined. */
struct bootstrap_figures {
    double value[BOOTSTRAP_FIGURE_COUNT];
};

/* n session returns each. */
struct bootstrap_input {
    const double *r;
    const double *benchmark; /* NULL: none */
    size_t n;
    double periods_per_year;
    double rate;             /* risk-free, per session */
    const double *risk_free; /* instead, of each return and drawn with it; NULL: rate */
    double years;            /* between the first value and the last */
    double capital;          /* the first value */
    size_t count;
    uint64_t seed;
    double mean_block;
    double level; /* 0.9: 5 % and 95 % */
};

struct bootstrap_row {
    double estimate;       /* of the history itself; NaN: undefined, and so are the basic bounds */
    double standard_error; /* standard deviation of the replicates, divisor n - 1 */
    double bias;           /* their mean less the estimate */
    double percentile[2], basic[2];
    double share_above; /* of replicates above 0, ties half: for a difference */
    size_t n;           /* replicates with a value; below 2 nothing but the estimate is known */
};

struct bootstrap_report {
    size_t count; /* replicates; 0: none */
    double mean_block;
    size_t n_returns;
    bool has_difference;
    struct bootstrap_row row[BOOTSTRAP_FIGURE_COUNT];
    struct bootstrap_row difference[BOOTSTRAP_FIGURE_COUNT]; /* portfolio less benchmark */
};

/*
 * n >= 2; returns above -1. Replicate k uses the random stream (seed, k).
 * Errors: STATUS_OUT_OF_MEMORY, the stop's own status.
 */
enum status bootstrap_run(const struct bootstrap_input *input, struct arena *arena,
                          const struct stop *stop, struct bootstrap_report *ret, struct err *err)
    NODISCARD;

#endif
