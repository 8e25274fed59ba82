/*
 * linear.h - dense linear algebra: Cholesky factors, solves and triangular inverses. The only user of LAPACK.
 * Pure functions on the caller's arrays; callable from any thread. The reference LAPACK and BLAS are linked
 * statically, so that neither the machine nor its installed BLAS changes a bit (docs/adr/0015).
 * Shape: square matrices of order n, column by column: element (i, j) is a[j * n + i]; n >= 1.
 */
#ifndef BACKTEST_LINEAR_H
#define BACKTEST_LINEAR_H

#include "backtest/kernels.h"
#include "base/attrs.h"

/*
 * a = L L': the lower triangle is overwritten with L, the upper one is set to 0. False, with a in
 * pieces, when a is not positive definite. Source: LAPACK dpotrf.
 */
bool linear_cholesky(double *a, size_t n) NODISCARD;

/* Solves L L' x = b in place, with the factor of linear_cholesky. Source: LAPACK dpotrs. */
void linear_solve(const double *factor, size_t n, double *b);

/*
 * The same factor for large matrices, in blocks of products of rows; row by row: element (i, j) is
 * a[i * n + j]. The lower triangle is overwritten with L, what is above it with something else. False as
 * above. Any kernels give the same bits. Source: G. Golub, C. Van Loan, "Matrix Computations", 4th ed.,
 * 4.2.9.
 */
bool linear_factor(const struct kernels *kernels, double *a, size_t n) NODISCARD;

/* ret = (L^-1)' row by row, zeros below its diagonal, with the factor of linear_factor. */
void linear_invert_factor(const struct kernels *kernels, const double *factor, size_t n,
                          double *ret);

#endif
