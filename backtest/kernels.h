/*
 * kernels.h - the inner loops of the engine, in variants for different instruction sets.
 * Pure functions: no allocation, no I/O; callable from any thread.
 *
 * Order of additions, part of the contract: element i is added to lane i mod 8, lanes in time order;
 * then ((0+4) + (2+6)) + ((1+5) + (3+7)). What is written per element has the bits of the scalar
 * formula beside it. Every variant is the same source (kernels_body.h) without fused operations, so
 * that all give the same bits on finite input. NaN: sums become NaN, comparisons with it are false,
 * in every variant; lowest, highest and peaks pass over it unless it comes first.
 */
#ifndef BACKTEST_KERNELS_H
#define BACKTEST_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { KERNEL_LANES = 8 };

struct kernel_target {
    double units, weight, per_band;
};

struct kernel_range {
    double sum, lowest, highest;
};

struct kernel_powers {
    double p2, p3, p4; /* sums of d^2, d^3, d^4 */
};

struct kernel_pair {
    double xy, xx, yy; /* sums of products of deviations */
};

struct kernel_gains {
    double gains, losses; /* sums of d above and of -d below 0, both >= 0 */
    double losses_squared;
    size_t n_gains, n_losses;
};

struct kernel_declines {
    double lowest; /* 0: no decline */
    double sum, squares;
    size_t n_underwater;
};

/*
 * Portfolios side by side over the same columns: units[j * stride + p] of column j in portfolio p.
 * n_portfolios is a multiple of KERNEL_LANES and at most stride.
 */
struct kernel_holdings {
    const double *const *column;
    size_t n_assets;
    const double *units, *cash;
    size_t n_portfolios, stride;
    double *const *equity;
};

/* One session's fill of portfolios side by side; arrays per portfolio have n_portfolios values. */
struct kernel_fill {
    const double *price; /* per column */
    size_t n_assets;
    size_t n_portfolios, stride;
    const double *target;   /* laid out as units */
    const double *invested; /* per portfolio: what its targets add up to */
    const double *n_names;  /* per portfolio: names that its plan lists; NULL: no target is 0 */
    double rate;            /* cost of a traded unit of value */
    double rounding;        /* a change smaller than this share of the portfolio is no trade */
    double *units, *cash;   /* moved */
    double *after;          /* per portfolio: its value after the fill */
    double *value, *weight; /* scratch, laid out as units */
};

struct kernels {
    const char *name; /* "ref", "avx2" */

    /*
     * equity[t] = cash + (((0 + units[0] * column[0][t]) + units[1] * column[1][t]) + ...) for t in
     * [from, to): assets in column order, so the bits of one portfolio do not depend on the span.
     */
    void (*value)(const double *const *column, const double *units, size_t n_assets, size_t from,
                  size_t to, double cash, double *equity);

    /* The same for many portfolios: h->equity[p][from..to) with the bits of value(). */
    void (*value_many)(const struct kernel_holdings *h, size_t from, size_t to);

    /*
     * Moves every portfolio to its targets after costs, with the bits of the simulator's simple fill:
     * everything tradable, costs proportional, no fill at other prices than the close. Units, cash and
     * after are written. False when a portfolio has nothing left; then some have been moved, some not.
     */
    bool (*fill_many)(const struct kernel_fill *fill);

    /*
     * How far a weight is off its target, session by session: off = |units * price[i] * per_value[i] - target|
     * is added to sum[i], and worst[i] becomes off * per_band where that is more.
     */
    void (*deviations)(const double *price, const double *per_value, size_t n,
                       const struct kernel_target *target, double *sum, double *worst);

    /* ret[i] = value[i + 1] / value[i] - 1, n_values - 1 of them. */
    void (*returns)(const double *value, size_t n_values, double *ret);

    /* ret[i] = base * (1 + r[0]) * ... * (1 + r[i]); the products run within blocks of 8, see the body. */
    void (*compound)(const double *r, size_t n, double base, double *ret);

    /* ret[i] = ln(x[i] / base) with the bits of elementary_log; x[i] / base > 0 and finite. */
    void (*logs)(const double *x, size_t n, double base, double *ret);

    /* ret[t] = value[t] < peak ? value[t] / peak - 1 : 0, peak the highest value so far. n > 0. */
    struct kernel_declines (*declines)(const double *value, size_t n, double *ret);

    struct kernel_range (*range)(const double *x, size_t n);                  /* n > 0 */
    struct kernel_powers (*powers)(const double *x, size_t n, double centre); /* d = x - centre */
    struct kernel_gains (*gains)(const double *x, size_t n, double target);   /* d = x - target */
    double (*dot)(const double *x, const double *y, size_t n);
    struct kernel_pair (*pair)(const double *x, const double *y, size_t n, double centre_x,
                               double centre_y);

    /*
     * Sums of products of deviations of every two of n_columns series: ret[i * n_columns + j] is
     * pair(column[i], column[j]).xy; both halves of the symmetric matrix are filled.
     */
    void (*products)(const double *const *column, size_t n_columns, size_t n, const double *centre,
                     double *ret);
};

extern const struct kernels kernels_ref; /* runs anywhere */

/* In the order of the setting's values. */
enum kernels_choice { KERNELS_AUTO, KERNELS_REF, KERNELS_AVX2 };

/*
 * The table for a choice; auto is the fastest this machine can run. NULL for avx2 where the processor
 * or the build does not have it.
 */
const struct kernels *kernels_choose(enum kernels_choice choice);

#endif
