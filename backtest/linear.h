/*
 * linear.h - dense linear algebra: Cholesky factors, solves and triangular inverses. The only user of LAPACK.
 * Pure functions on the caller's arrays; callable from any thread. The reference LAPACK and BLAS are linked
 * statically, so that neither the machine nor its installed BLAS changes a bit (docs/adr/0015).
 * Shape: square matrices of order n, column by column: element (i, j) is a[j * n + i]; n >= 1.
 */
#ifndef BACKTEST_LINEAR_H
#define BACKTEST_LINEAR_H

#include "base/attrs.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * a = L L': the lower triangle is overwritten with L, the upper one is set to 0. False, with a in
 * pieces, when a is not positive definite. Source: LAPACK dpotrf.
 */
bool linear_cholesky(double *a, size_t n) NODISCARD;

/* Solves L L' x = b in place, with the factor of linear_cholesky. Source: LAPACK dpotrs. */
void linear_solve(const double *factor, size_t n, double *b);

/* Overwrites a lower triangular factor with its inverse. Source: LAPACK dtrti2. */
void linear_invert_lower(double *factor, size_t n);

#endif
