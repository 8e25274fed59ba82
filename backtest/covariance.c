/* covariance.c - sample, exponentially weighted and shrunk covariance matrices of a window. */
#include "backtest/covariance.h"

#include <math.h>
#include <string.h>

const char *const covariance_names[COVARIANCE_ESTIMATOR_COUNT] = {
    [COVARIANCE_SAMPLE] = "sample",
    [COVARIANCE_EWMA] = "ewma",
    [COVARIANCE_LEDOIT_WOLF] = "ledoit_wolf",
};

/* Eight running sums, then a fixed tree: the same additions however the compiler arranges them. */
static double dot(const double *x, const double *y, size_t n)
{
    double s[8] = {0};
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        for (size_t k = 0; k < 8; k++)
            s[k] += x[i + k] * y[i + k];
    }
    for (size_t k = 0; i < n; i++, k++)
        s[k] += x[i] * y[i];
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

enum { SPAN = 256, STRIP = 96, HEIGHT = 4, TRANSPOSED = 16 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static void centre(const struct kernels *kernels, double *r, size_t n, size_t n_returns,
                   double *ret_mean)
{
    for (size_t a = 0; a < n; a++) {
        double *x = r + a * n_returns;
        double mean = kernels->range(x, n_returns).sum / (double)n_returns;
        for (size_t t = 0; t < n_returns; t++)
            x[t] -= mean;
        ret_mean[a] = mean;
    }
}

/* The half above the diagonal from the one below, in squares that stay in the cache. */
static void mirror(double *square, size_t n)
{
    for (size_t row = 0; row < n; row += TRANSPOSED) {
        for (size_t col = 0; col <= row; col += TRANSPOSED) {
            for (size_t i = row; i < least(row + TRANSPOSED, n); i++)
                for (size_t j = col; j < least(col + TRANSPOSED, i); j++)
                    square[j * n + i] = square[i * n + j];
        }
    }
}

/*
 * ret = X' X / divisor of centred columns: the sums of SPAN sessions each, oldest span first. A strip of
 * columns over a span stays in the second cache while all rows below pass over it.
 */
static void products(const struct kernels *kernels, const double *x, size_t n, size_t n_returns,
                     double divisor, double *ret)
{
    memset(ret, 0, n * n * sizeof *ret);
    for (size_t t = 0; t < n_returns; t += SPAN) {
        for (size_t j = 0; j < n; j += STRIP) {
            for (size_t i = j; i < n; i += HEIGHT) {
                struct kernel_cross c = {.a = x + i * n_returns + t,
                                         .b = x + j * n_returns + t,
                                         .n_a = least(HEIGHT, n - i),
                                         .n_b = least(STRIP, least(i + HEIGHT, n) - j),
                                         .n = least(SPAN, n_returns - t),
                                         .stride = n_returns,
                                         .factor = 1,
                                         .ret = ret + i * n + j,
                                         .ret_stride = n};
                kernels->cross(&c);
            }
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++)
            ret[i * n + j] /= divisor;
    mirror(ret, n);
}

/* Scales each centred row by the root of its weight over the sum of weights; oldest weighs least. */
static void weigh(double *x, size_t n, size_t n_returns, double decay)
{
    double sum = 0, weight = 1, root[SPAN];
    for (size_t t = 0; t < n_returns; t++) {
        sum += weight;
        weight *= decay;
    }
    weight = 1;
    for (size_t end = n_returns; end > 0; end -= least(SPAN, end)) {
        size_t length = least(SPAN, end);
        for (size_t t = length; t-- > 0;) {
            root[t] = sqrt(weight / sum);
            weight *= decay;
        }
        for (size_t a = 0; a < n; a++)
            for (size_t t = 0; t < length; t++)
                x[a * n_returns + end - length + t] *= root[t];
    }
}

/*
 * The shrinkage of Ledoit and Wolf 2004, in the norm |A|^2 = tr(A A') / n: d2 = |S - m I|^2,
 * b2 = 1/T^2 sum |x_t x_t' - S|^2 and at most d2, shrinkage b2 / d2. The sum needs no n x n matrix per
 * session: sum_t |x_t x_t' - S|^2 n = sum_t (x_t' x_t)^2 - T tr(S S').
 */
static double shrinkage(const double *x, const double *s, size_t n, size_t n_returns, double mean)
{
    double fourth = 0, squares = 0, count = (double)n_returns;
    for (size_t t = 0; t < n_returns; t += SPAN) {
        double length[SPAN] = {0};
        size_t span = least(SPAN, n_returns - t);
        for (size_t a = 0; a < n; a++)
            for (size_t k = 0; k < span; k++)
                length[k] += x[a * n_returns + t + k] * x[a * n_returns + t + k];
        for (size_t k = 0; k < span; k++)
            fourth += length[k] * length[k];
    }
    for (size_t k = 0; k < n * n; k++)
        squares += s[k] * s[k];
    double d2 = squares / (double)n - mean * mean;
    double b2 = (fourth / count - squares) / count / (double)n;
    if (!(d2 > 0) || !(b2 > 0))
        return 0;
    return b2 < d2 ? b2 / d2 : 1;
}

static void shrink(const double *x, size_t n, size_t n_returns, double *s)
{
    double trace = 0;
    for (size_t i = 0; i < n; i++)
        trace += s[i * n + i];
    double mean = trace / (double)n;
    double share = shrinkage(x, s, n, n_returns, mean);
    for (size_t k = 0; k < n * n; k++)
        s[k] *= 1 - share;
    for (size_t i = 0; i < n; i++)
        s[i * n + i] += share * mean;
}

void covariance_estimate(struct covariance_choice choice, const struct kernels *kernels, double *r,
                         size_t n, size_t n_returns, double *ret_mean, double *ret)
{
    centre(kernels, r, n, n_returns, ret_mean);
    switch (choice.estimator) {
    case COVARIANCE_EWMA:
        weigh(r, n, n_returns, choice.decay);
        products(kernels, r, n, n_returns, 1, ret);
        return;
    case COVARIANCE_LEDOIT_WOLF:
        products(kernels, r, n, n_returns, (double)n_returns, ret);
        shrink(r, n, n_returns, ret);
        return;
    case COVARIANCE_SAMPLE:
    case COVARIANCE_ESTIMATOR_COUNT:
        break;
    }
    products(kernels, r, n, n_returns, (double)(n_returns - 1), ret);
}

void covariance_times(const double *covariance, size_t n, const double *x, double *ret)
{
    for (size_t i = 0; i < n; i++)
        ret[i] = dot(covariance + i * n, x, n);
}

double covariance_variance(const double *covariance, size_t n, const double *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * dot(covariance + i * n, x, n);
    return sum > 0 ? sum : 0;
}
