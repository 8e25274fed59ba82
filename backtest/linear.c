/* linear.c - calls into LAPACK; everything else of the engine is our own arithmetic. */
#include "backtest/linear.h"

#include <assert.h>

/*
 * LAPACK's Fortran interface: every argument is a pointer, lengths of character arguments follow.
 * There is no header to include: lapacke.h belongs to another library.
 */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_len);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info, size_t uplo_len);
void dtrti2_(const char *uplo, const char *diag, const int *n, double *a, const int *lda, int *info,
             size_t uplo_len, size_t diag_len);
void xerbla_(const char *name, const int *argument, size_t name_len);

/*
 * LAPACK reports a wrong argument here. Its own version prints and stops the program; none of ours
 * can be wrong, and this one keeps the Fortran run-time library out of the program.
 */
void xerbla_(const char *name, const int *argument, size_t name_len)
{
    (void)name;
    (void)name_len;
    (void)argument;
    assert(*argument == 0); /* arguments are counted from 1: reaching this is the mistake */
}

bool linear_cholesky(double *a, size_t n)
{
    int order = (int)n, info = 0;
    dpotrf_("L", &order, a, &order, &info, 1);
    for (size_t j = 1; j < n; j++) {
        for (size_t i = 0; i < j; i++)
            a[j * n + i] = 0;
    }
    return info == 0;
}

void linear_solve(const double *factor, size_t n, double *b)
{
    int order = (int)n, one = 1, info = 0;
    dpotrs_("L", &order, &one, factor, &order, b, &order, &info, 1);
}

void linear_invert_lower(double *factor, size_t n)
{
    int order = (int)n, info = 0;
    dtrti2_("L", "N", &order, factor, &order, &info, 1, 1);
}
