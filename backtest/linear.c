/* linear.c - calls into LAPACK for small systems, and factors of large matrices in blocks. */
#include "backtest/linear.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { WIDTH = 12, HEIGHT = 48 }; /* of blocks: whole tiles of the kernel */

/*
 * LAPACK's Fortran interface: every argument is a pointer, lengths of character arguments follow.
 * There is no header to include: lapacke.h belongs to another library.
 */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info, size_t uplo_len);
void dpotrs_(const char *uplo, const int *n, const int *nrhs, const double *a, const int *lda,
             double *b, const int *ldb, int *info, size_t uplo_len);
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

/*
 * Row by row, row[0..width) becomes the x with x T' = row, T the lower triangle of `width` rows: substitution
 * that takes each result off all that follow it.
 */
static void substitute(const double *triangle, size_t n, size_t width, double *row, size_t n_rows)
{
    double inverse[WIDTH];
    for (size_t c = 0; c < width; c++)
        inverse[c] = 1 / triangle[c * n + c];
    for (size_t i = 0; i < n_rows; i++, row += n) {
        for (size_t c = 0; c < width; c++) {
            double x = row[c] * inverse[c];
            row[c] = x;
            for (size_t k = c + 1; k < width; k++)
                row[k] -= x * triangle[k * n + c];
        }
    }
}

static bool factor_small(double *a, size_t n, size_t width)
{
    for (size_t i = 0; i < width; i++) {
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            if (j < i)
                a[i * n + j] = sum / a[j * n + j];
            else if (!(sum > 0))
                return false;
            else
                a[i * n + i] = sqrt(sum);
        }
    }
    return true;
}

bool linear_factor(const struct kernels *kernels, double *a, size_t n)
{
    for (size_t at = 0; at < n; at += WIDTH) {
        size_t width = n - at < WIDTH ? n - at : WIDTH;
        double *corner = a + at * n + at;
        struct kernel_cross left = {.a = a + at * n,
                                    .b = a + at * n,
                                    .n_a = n - at,
                                    .n_b = width,
                                    .n = at,
                                    .stride = n,
                                    .factor = -1,
                                    .ret = corner,
                                    .ret_stride = n};
        kernels->cross(&left);
        if (!factor_small(corner, n, width))
            return false;
        substitute(corner, n, width, corner + width * n, n - at - width);
    }
    return true;
}

void linear_invert_factor(const struct kernels *kernels, const double *factor, size_t n,
                          double *ret)
{
    memset(ret, 0, n * n * sizeof *ret);
    for (size_t at = 0; at < n; at += WIDTH) {
        size_t width = n - at < WIDTH ? n - at : WIDTH;
        for (size_t row = 0; row < at; row += HEIGHT) {
            struct kernel_cross left = {.a = ret + row * n + row,
                                        .b = factor + at * n + row,
                                        .n_a = at - row < HEIGHT ? at - row : HEIGHT,
                                        .n_b = width,
                                        .n = at - row,
                                        .stride = n,
                                        .factor = -1,
                                        .ret = ret + row * n + at,
                                        .ret_stride = n};
            kernels->cross(&left);
        }
        for (size_t i = at; i < at + width; i++)
            ret[i * n + i] = 1;
        substitute(factor + at * n + at, n, width, ret + at, at + width);
    }
}
