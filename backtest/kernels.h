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

enum { KERNEL_LANES = 8, KERNEL_TILE = 24, KERNEL_PORTFOLIOS = 16 };

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

/* Around a limit: first to third powers of what lies on its sides, all sums >= 0. */
struct kernel_partials {
    double gains, losses;
    double gains_squared, losses_squared, losses_cubed;
    size_t n_gains, n_losses;
};

/* A stretch below its first value. */
struct kernel_fall {
    size_t end;    /* the first element that is not below it; n: there is none */
    size_t trough; /* the first with the lowest value */
    double lowest;
};

/* Lengths of the longest runs of elements above and below 0. */
struct kernel_runs {
    size_t up, down;
};

struct kernel_line {
    double alpha, beta;
    double least; /* >= 0: what is off by no more counts as 0 */
};

struct kernel_below {
    double sum;
    size_t n;
};

struct kernel_trend {
    double xy, yy;
};

/* The elements where b is on one side of 0: what r and b compound to over them. */
struct kernel_side {
    double own, other;
    size_t n, n_same; /* n_same: r is on the side of b too; 0 on the side that has b == 0 */
};

/* Indices: b > 0, b < 0, and b >= 0. */
struct kernel_wins {
    size_t n[3], n_wins[3];
    size_t n_all_wins;
};

/* Sums, or means, of x and b where b > 0 and where b < 0. */
struct kernel_split {
    double x[2], b[2];
    size_t n[2];
};

struct kernel_declines {
    double lowest; /* 0: no decline */
    double sum, squares;
    size_t n_underwater;
};

/*
 * Portfolios side by side over the same columns: units[j * stride + p] of column j in portfolio p.
 * n_portfolios is a multiple of KERNEL_PORTFOLIOS and at most stride.
 */
struct kernel_holdings {
    const double *const *column;
    size_t n_assets;
    const double *units, *cash;
    size_t n_portfolios, stride;
    double *const *equity;
    double *tile; /* scratch: KERNEL_TILE values an asset, at a multiple of 64 bytes */
};

/* One session's fill of portfolios side by side; arrays per portfolio have n_portfolios values. */
struct kernel_fill {
    const double *price; /* per column */
    size_t n_assets;
    const double *before; /* per portfolio: its value before the fill, as value_many gives it */
    size_t n_portfolios, stride;
    const double *target;   /* laid out as units */
    const double *invested; /* per portfolio: what its targets add up to */
    const double *n_names;  /* per portfolio: names that its plan lists; NULL: no target is 0 */
    double rate;            /* cost of a traded unit of value */
    double rounding;        /* a change smaller than this share of the portfolio is no trade */
    double *units;          /* moved */
    double *cash;           /* what is left of it */
    double *after;          /* per portfolio: its value after the fill */
    double *value, *weight; /* scratch, laid out as units */
};

/* Positions, what their prices were at least and at most, and the shares of a value between which they may be. */
struct kernel_bounds {
    const double *units, *low, *high, *lower, *upper;
    size_t n;
};

/* Ratios (centre + mean) / sd of n columns, a multiple of KERNEL_LANES; their sums are in two halves. */
struct kernel_ratios {
    const double *sum[2], *square[2]; /* of deviations from centre, and of their squares */
    const double *centre, *scale; /* scale: the largest magnitude; an sd within its rounding is 0 */
    size_t n;
    double per_row, per_degree; /* 1 / rows, and 1 / (rows - 1) */
};

/* Those that are surely there, rounding considered; the others may be on either side or at the limit. */
struct kernel_ranks {
    size_t n_below, n_above;
};

/* One portfolio's fill; arrays have n values, a multiple of KERNEL_LANES. */
struct kernel_rebalance {
    const double *price, *value, *weight; /* value: units * price; weight: the targets */
    size_t n;                             /* in whole KERNEL_LANES */
    size_t n_names;                       /* of them; the others have value and weight 0 */
    double before;                        /* the portfolio's value */
    double rate, rounding;                /* as in kernel_fill */
    double *units;                        /* moved */
    double *change;                       /* the value traded, 0 where the position is left alone */
    double *turned;                       /* scratch */
};

struct kernel_traded {
    double after;        /* the portfolio's value after the fill */
    double bought, sold; /* sums of what change is above and below 0, both >= 0 */
    size_t n;            /* how many were traded */
};

/* Rows of n values against others; row i of a starts at a + i * stride, and those of b likewise. */
struct kernel_cross {
    const double *a, *b;
    size_t n_a, n_b, n, stride;
    double factor;
    double *ret; /* n_a x n_b, rows ret_stride apart */
    size_t ret_stride;
};

struct kernels {
    const char *name; /* "ref", "avx2", "avx512" */

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

    /* The same for one portfolio whose targets are all to be met. */
    struct kernel_traded (*rebalance)(const struct kernel_rebalance *r);

    /*
     * How far a weight is off its target, session by session: off = |units * price[i] * per_value[i] - target|
     * is added to sum[i], and worst[i] becomes off * per_band where that is more.
     */
    void (*deviations)(const double *price, const double *per_value, size_t n,
                       const struct kernel_target *target, double *sum, double *worst);

    /* Whether any units * high > upper * least, or units * low < lower * most; least and most of the value. */
    bool (*may_leave)(const struct kernel_bounds *b, double least, double most);

    /* ret[i] = value[i + 1] / value[i] - 1, n_values - 1 of them. */
    void (*returns)(const double *value, size_t n_values, double *ret);

    /* ret[i] = base * (1 + r[0]) * ... * (1 + r[i]); the products run within blocks of 8, see the body. */
    void (*compound)(const double *r, size_t n, double base, double *ret);

    /* ret[i] = ln(x[i] / base) with the bits of elementary_log; x[i] / base > 0 and finite. */
    void (*logs)(const double *x, size_t n, double base, double *ret);

    /* ret[t] = value[t] < peak ? value[t] / peak - 1 : 0, peak the highest value so far. n > 0. */
    struct kernel_declines (*declines)(const double *value, size_t n, double *ret);

    double (*deepest)(const double *value, size_t n); /* declines().lowest, without the series */

    /* Of n values, the second below the first: how long they stay below it. */
    struct kernel_fall (*fall)(const double *value, size_t n);

    size_t (*live)(const double *x,
                   size_t n); /* how many are above 0 before the first that is not */

    size_t (*find)(const double *x, size_t n, double value); /* the first that equals it; n: none */
    struct kernel_runs (*runs)(const double *x, size_t n);

    /* Sum of 1 - cash[i] / wealth[i] where wealth[i] > 0. */
    double (*invested)(const double *cash, const double *wealth, size_t n);

    /* ret[i] = level * (x[i] / base). */
    void (*levels)(const double *x, size_t n, double base, double level, double *ret);

    /* ret[i] = x[i] - alpha - beta * y[i], or 0 where that is between -least and least. */
    void (*residuals)(const double *x, const double *y, size_t n, const struct kernel_line *line,
                      double *ret);

    struct kernel_range (*range)(const double *x, size_t n);                  /* n > 0 */
    struct kernel_powers (*powers)(const double *x, size_t n, double centre); /* d = x - centre */
    double (*squares)(const double *x, size_t n,
                      double centre); /* powers().p2, without the others */
    struct kernel_gains (*gains)(const double *x, size_t n, double target); /* d = x - target */
    struct kernel_partials (*partials)(const double *x, size_t n, double target); /* likewise */
    double (*dot)(const double *x, const double *y, size_t n);
    double (*growth)(const double *x,
                     size_t n); /* product of 1 + x; lanes multiply like sums add */
    double (*absolute)(const double *x, size_t n, double centre);          /* sum of |x - centre| */
    struct kernel_below (*below)(const double *x, size_t n, double limit); /* x < limit */

    /* dx = i + 1 - (n + 1) / 2, dy = y[i] - centre_y: sums of dx * dy and dy^2. */
    struct kernel_trend (*trend)(const double *y, size_t n, double centre_y);

    /* ret: where b > 0, where b < 0, and where not b > 0. */
    void (*sides)(const double *r, const double *b, size_t n, struct kernel_side ret[3]);
    struct kernel_wins (*wins)(const double *x, const double *b, size_t n); /* a win: x > 0 */

    /* Where b > 0 and where b < 0: the sums of both, then xy and yy (yy of b) around given means; xx stays 0. */
    struct kernel_split (*split)(const double *x, const double *b, size_t n);
    void (*split_pair)(const double *x, const double *b, size_t n, const struct kernel_split *mean,
                       struct kernel_pair ret[2]);
    struct kernel_pair (*pair)(const double *x, const double *y, size_t n, double centre_x,
                               double centre_y);

    /*
     * Sums of products of deviations of every two of n_columns series: ret[i * n_columns + j] is
     * pair(column[i], column[j]).xy; both halves of the symmetric matrix are filled.
     */
    void (*products)(const double *const *column, size_t n_columns, size_t n, const double *centre,
                     double *ret);

    /* On which side of the limit the ratios are. A limit that is not finite leaves all of them open. */
    struct kernel_ranks (*rank)(const struct kernel_ratios *r, double limit);

    /* y[i] += factor * x[i]. */
    void (*add_scaled)(double factor, const double *x, size_t n, double *y);

    /*
     * ret(i, j) += factor * (a_i . b_j), the product of two matrices of rows. Four lanes here: element k
     * is added to lane k mod 4, then (0+2) + (1+3); one sum does not depend on the shape of the others.
     */
    void (*cross)(const struct kernel_cross *c);
};

extern const struct kernels kernels_ref; /* runs anywhere */

/* In the order of the setting's values. */
enum kernels_choice { KERNELS_AUTO, KERNELS_REF, KERNELS_AVX2, KERNELS_AVX512 };

/*
 * The table for a choice; auto is the fastest this machine can run. NULL for avx2 and avx512 where the
 * processor or the build does not have it.
 */
const struct kernels *kernels_choose(enum kernels_choice choice);

#endif
