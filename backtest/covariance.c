/* covariance.c - sample, exponentially weighted and shrunk covariance matrices of a window. */
#include "backtest/covariance.h"

#include <math.h>

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

static void centre(double *r, size_t n, size_t n_returns, double *ret_mean)
{
    for (size_t a = 0; a < n; a++) {
        double *x = r + a * n_returns;
        double sum = 0;
        for (size_t t = 0; t < n_returns; t++)
            sum += x[t];
        ret_mean[a] = sum / (double)n_returns;
        for (size_t t = 0; t < n_returns; t++)
            x[t] -= ret_mean[a];
    }
}

/* ret = X' X / divisor of centred columns. */
static void products(const double *x, size_t n, size_t n_returns, double divisor, double *ret)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            double v = dot(x + i * n_returns, x + j * n_returns, n_returns) / divisor;
            ret[i * n + j] = v;
            ret[j * n + i] = v;
        }
    }
}

/* Scales each centred row by the root of its weight over the sum of weights; oldest weighs least. */
static void weigh(double *x, size_t n, size_t n_returns, double decay)
{
    double sum = 0, weight = 1;
    for (size_t t = 0; t < n_returns; t++) {
        sum += weight;
        weight *= decay;
    }
    weight = 1;
    for (size_t t = n_returns; t-- > 0;) {
        double root = sqrt(weight / sum);
        for (size_t a = 0; a < n; a++)
            x[a * n_returns + t] *= root;
        weight *= decay;
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
    for (size_t t = 0; t < n_returns; t++) {
        double length = 0;
        for (size_t a = 0; a < n; a++)
            length += x[a * n_returns + t] * x[a * n_returns + t];
        fourth += length * length;
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

void covariance_estimate(struct covariance_choice choice, double *r, size_t n, size_t n_returns,
                         double *ret_mean, double *ret)
{
    centre(r, n, n_returns, ret_mean);
    switch (choice.estimator) {
    case COVARIANCE_EWMA:
        weigh(r, n, n_returns, choice.decay);
        products(r, n, n_returns, 1, ret);
        return;
    case COVARIANCE_LEDOIT_WOLF:
        products(r, n, n_returns, (double)n_returns, ret);
        shrink(r, n, n_returns, ret);
        return;
    case COVARIANCE_SAMPLE:
    case COVARIANCE_ESTIMATOR_COUNT:
        break;
    }
    products(r, n, n_returns, (double)(n_returns - 1), ret);
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

double covariance_risk_shares(const double *covariance, size_t n, const double *x,
                              double *ret_share)
{
    double variance = covariance_variance(covariance, n, x);
    for (size_t i = 0; i < n; i++) {
        double part = x[i] * dot(covariance + i * n, x, n);
        ret_share[i] = variance > 0 ? part / variance : 0;
    }
    return sqrt(variance);
}
