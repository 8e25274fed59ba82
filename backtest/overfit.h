/*
 * overfit.h - how much of the best of many backtests is luck: expected maximum and deflated Sharpe
 * ratio, and the probability of backtest overfitting. Pure; one study is used by one thread.
 *
 * A study takes the returns of one trial after another and keeps sums alone, so that a sweep need not
 * hold the matrix: 16 block sums of r and of r^2, the moments, and one running line of standardised
 * returns. Shape: T rows (sessions, the same for all) and N columns (trials). Unit: fractions; Sharpe
 * ratios are per session, without a risk-free rate, unless said.
 *
 * Sources: D. Bailey, M. Lopez de Prado, "The Deflated Sharpe Ratio", J. of Portfolio Management
 * 40(5), 2014; D. Bailey, J. Borwein, M. Lopez de Prado, Q. Zhu, "The Probability of Backtest
 * Overfitting", J. of Computational Finance 20(4), 2017 (CSCV).
 */
#ifndef BACKTEST_OVERFIT_H
#define BACKTEST_OVERFIT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/stop.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    OVERFIT_BLOCKS = 16, /* what a sweep uses: C(16, 8) = 12,870 splits */
    OVERFIT_BLOCKS_MAX = 16,
    OVERFIT_TRIALS_MAX = 100000,
    OVERFIT_QUANTILES = 5, /* at 5, 25, 50, 75 and 95 % */
};

/*
 * The Sharpe ratio to expect of the best of n_trials without skill, variance being that of their
 * ratios: sqrt(V) ((1 - g) z(1 - 1/N) + g z(1 - 1/(N e))), g = 0.5772...; 0 for fewer than two.
 * n_trials need not be whole: a number of independent trials is an estimate.
 */
double overfit_expected_max(double variance, double n_trials);

struct overfit_trial {
    double sharpe, skew, excess; /* G1 and G2; sharpe is NaN when the returns do not vary */
};

struct kernels;

struct overfit_study {
    size_t n_rows, n_blocks, block_rows;
    size_t n, max_columns;
    struct overfit_trial *trial;
    double *centre, *scale;        /* per column: mean of r, and max |r| */
    double *sum, *square;          /* of r - centre; block b, column c at b * max_columns + c */
    double *standard;              /* per row, the sum over columns of (r - mean) / sd */
    size_t n_standard;             /* columns in it */
    double *line;                  /* [n_rows]: scratch of overfit_study_add */
    const struct kernels *kernels; /* all give the same bits; NULL: those for any machine */
};

/*
 * n_blocks is even, 2 to OVERFIT_BLOCKS_MAX. When it does not divide n_rows, the oldest rows that are
 * left over take no part in the splits. Errors: STATUS_BAD_SPEC when a block would have fewer than two
 * rows; STATUS_TOO_LARGE beyond OVERFIT_TRIALS_MAX; STATUS_OUT_OF_MEMORY.
 */
enum status overfit_study_init(struct overfit_study *study, size_t n_rows, size_t n_blocks,
                               size_t max_columns, struct arena *arena, struct err *err) NODISCARD;

/* The n_rows returns of the next trial; fewer than max_columns have been added. */
void overfit_study_add(struct overfit_study *study, const double *r);

/*
 * The same in two steps, of which the first is most of the work and knows no study: any thread may do it. standard has room
 * for n_rows values, and may be r.
 */
struct overfit_column {
    struct overfit_trial trial;
    double centre, scale;
    double sum[OVERFIT_BLOCKS_MAX], square[OVERFIT_BLOCKS_MAX]; /* per block */
    bool varies;                                                /* else standard is not set */
};
void overfit_condense(const struct kernels *kernels, const double *r, size_t n_rows,
                      size_t n_blocks, double *standard, struct overfit_column *ret);
void overfit_study_take(struct overfit_study *study, const struct overfit_column *column,
                        const double *standard);

/*
 * Combinatorially symmetric cross-validation: every choice of half of the blocks is in sample, the
 * other half out of sample. omega = rank of the in-sample best out of sample / (N + 1), ties at their
 * mean rank; logit = ln(omega / (1 - omega)). A column that does not vary in a sample counts as 0 there.
 */
struct overfit_splits {
    size_t n;    /* splits; 0: fewer than two trials */
    double pbo;  /* share of splits with logit <= 0 */
    double loss; /* share with a negative ratio out of sample */
    double logit[OVERFIT_QUANTILES];
    /* Least squares of the best's ratio out of sample on that in sample; NaN when it does not vary. */
    double slope, intercept, r_squared;
};

/* Values without a number are NaN. */
struct overfit_report {
    size_t n_trials;                     /* counted by the caller: everything tried, kept or not */
    size_t n_columns;                    /* trials the study has seen */
    double mean_sharpe, variance_sharpe; /* over the trials; divisor n - 1 */
    double expected_max;
    size_t best; /* column; n_columns when no trial has a ratio */
    struct overfit_trial best_trial;
    double psr, deflated;    /* probability that the best exceeds 0, and expected_max */
    double min_track_record; /* sessions to beat expected_max at 95 %: stats_min_track_record */
    /* The same for trials that resemble each other: N' = c + (1 - c) N, c their mean correlation. */
    double mean_correlation, effective_trials, effective_expected_max, effective_deflated;
    struct overfit_splits splits;
};

/* n_trials >= study->n. Errors: STATUS_OUT_OF_MEMORY, the stop's own status. */
enum status overfit_study_report(const struct overfit_study *study, size_t n_trials,
                                 struct arena *arena, const struct stop *stop,
                                 struct overfit_report *ret, struct err *err) NODISCARD;

/* All of it but the splits, which are left empty. */
void overfit_study_judge(const struct overfit_study *study, size_t n_trials,
                         struct overfit_report *ret);

/*
 * The splits alone. ret_logit, unless it is NULL, has room for C(n_blocks, n_blocks / 2) values, in the
 * order of rising sets of in-sample blocks read as binary numbers.
 */
enum status overfit_splits(const struct overfit_study *study, struct arena *arena,
                           const struct stop *stop, double *ret_logit, struct overfit_splits *ret,
                           struct err *err) NODISCARD;

/*
 * The same on several threads: of the parts that _new makes each may be played by another one at the same time, and
 * when all have been, _end puts them together. Any number of parts gives the same bits. study->n >= 2.
 */
struct overfit_parts;
enum status overfit_parts_new(const struct overfit_study *study, size_t n_parts,
                              struct arena *arena, struct overfit_parts **ret, struct err *err)
    NODISCARD;
enum status overfit_parts_play(struct overfit_parts *parts, size_t part, const struct stop *stop,
                               struct err *err) NODISCARD;
enum status overfit_parts_end(const struct overfit_parts *parts, struct arena *arena,
                              double *ret_logit, struct overfit_splits *ret, struct err *err)
    NODISCARD;

#endif
