/*
 * cluster.h - agglomerative clustering of assets by correlation, and the weights that descend its tree.
 * Pure functions on the caller's arrays; callable from any thread.
 */
#ifndef BACKTEST_CLUSTER_H
#define BACKTEST_CLUSTER_H

#include <stddef.h>

enum cluster_linkage { CLUSTER_SINGLE, CLUSTER_COMPLETE, CLUSTER_AVERAGE, CLUSTER_LINKAGE_COUNT };
extern const char *const cluster_linkage_names[CLUSTER_LINKAGE_COUNT];

/*
 * ret_order[n]: the assets as the leaves of the tree, from left to right, similar ones side by side.
 * Distance sqrt((1 - correlation) / 2). Of two clusters that meet, the older one is on the left: single
 * assets, lowest variance first, then clusters in the order made; so the order of the assets does not
 * matter. Source: M. Lopez de Prado, "Building diversified portfolios that outperform out of sample",
 * J. of Portfolio Management 42(4), 2016, stages 1 and 2 (there with single linkage, between the columns of
 * the matrix of distances).
 *   square  n * n doubles; index  7 * n; both are overwritten
 */
void cluster_order(const double *covariance, size_t n, enum cluster_linkage linkage, double *square,
                   size_t *index, size_t *ret_order);

/*
 * Stage 3, recursive bisection: the list is halved again and again, and each time the two halves share
 * their weight inversely to the variance of their inverse-variance portfolios. Sum 1.
 *   square  n * n doubles; inverse  n doubles; both are overwritten
 */
void cluster_bisect(const double *covariance, size_t n, const size_t *order, double *square,
                    double *inverse, double *ret_weight);

#endif
