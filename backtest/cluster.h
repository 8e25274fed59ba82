/*
 * cluster.h - agglomerative clustering of assets by correlation, and the weights that descend its tree.
 * Pure functions on the caller's arrays; callable from any thread.
 */
#ifndef BACKTEST_CLUSTER_H
#define BACKTEST_CLUSTER_H

#include <stddef.h>

enum cluster_linkage {
    CLUSTER_SINGLE,
    CLUSTER_COMPLETE,
    CLUSTER_AVERAGE,
    CLUSTER_WARD,
    CLUSTER_LINKAGE_COUNT
};
extern const char *const cluster_linkage_names[CLUSTER_LINKAGE_COUNT];

enum { CLUSTER_INDICES = 9 }; /* of scratch per asset */

/*
 * A tree over n assets. Every cluster is a run of neighbouring leaves, so that the order and the union that made
 * two of them neighbours say all of it: the parts of a run fall apart where that union is the latest.
 */
struct cluster_tree {
    size_t n;
    size_t *order; /* [n]: the assets as leaves from left to right, similar ones side by side */
    size_t *met; /* [n]: leaf i is beside leaf i - 1 since union met[i], 0 the first; met[0] is 0 */
};

/*
 * Distance sqrt((1 - correlation) / 2). Of two clusters that meet, the older one is on the left: single
 * assets, lowest variance first, then clusters in the order made; so the order of the assets does not
 * matter. Source: M. Lopez de Prado, "Building diversified portfolios that outperform out of sample",
 * J. of Portfolio Management 42(4), 2016, stages 1 and 2 (there with single linkage, between the columns of
 * the matrix of distances); linkages by the recurrence of G. Lance, W. Williams, Computer Journal 9(4), 1967.
 *   square  n * n doubles, overwritten
 *   index   CLUSTER_INDICES * n; the tree keeps the first 2 n, the rest is free again
 */
void cluster_grow(const double *covariance, size_t n, enum cluster_linkage linkage, double *square,
                  size_t *index, struct cluster_tree *ret_tree);

/*
 * How many clusters the tree has: the k of 2 and more, below n and below max(8, sqrt n), with the most
 * W(k - 1) - 2 W(k) + W(k + 1), the first of equals; W(k) is the sum over k clusters of the squared distances between
 * any two members, by the number of members. Up to two assets are clusters of their own. Sources: R. Tibshirani,
 * G. Walther, T. Hastie, "Estimating the number of clusters in a data set via the gap statistic", J. of the Royal
 * Statistical Society B 63(2), 2001, for W; S. Yue, X. Wang, M. Wei, "Application of two-order difference to gap
 * statistic", Transactions of Tianjin University 14(3), 2008, for the difference that needs no random reference.
 *   square  n * n doubles, overwritten
 */
size_t cluster_count(const struct cluster_tree *tree, const double *covariance, double *square);

/* Cluster c of k has leaves start[c] to start[c + 1] - 1 of the tree. */
struct clusters {
    struct cluster_tree tree;
    size_t k, *start;
};

/*
 * The clusters that undoing the last k - 1 unions of a grown tree leaves, k being `wanted`, at most n; NaN: what
 * cluster_count says. Arrays as those of cluster_grow; the tree and start keep the first 3 n + 1 of index.
 */
void cluster_cut(const double *covariance, size_t n, enum cluster_linkage linkage, double wanted,
                 double *square, size_t *index, struct clusters *ret);

/*
 * Stage 3, recursive bisection: the list is halved again and again, and each time the two halves share
 * their weight inversely to the variance of their inverse-variance portfolios. Sum 1.
 *   square  n * n doubles; inverse  n doubles; both are overwritten
 */
void cluster_bisect(const double *covariance, size_t n, const size_t *order, double *square,
                    double *inverse, double *ret_weight);

#endif
