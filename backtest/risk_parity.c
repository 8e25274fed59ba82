/* risk_parity.c - inverse volatility and equal risk contribution from a covariance matrix. */
#include "backtest/risk_parity.h"

#include <math.h>

enum { SWEEPS_MAX = 10000 };
static const double TOLERANCE = 1e-12;

static void scale_to_one(double *weight, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    for (size_t i = 0; i < n; i++)
        weight[i] /= sum;
}

void risk_inverse_volatility(const double *covariance, size_t n, double *ret_weight)
{
    for (size_t i = 0; i < n; i++)
        ret_weight[i] = 1 / sqrt(covariance[i * n + i]);
    scale_to_one(ret_weight, n);
}

/* One sweep. Returns the largest |x_i (S x)_i - 1| met. */
static double sweep(const struct kernels *kernels, const double *covariance, size_t n, double *x)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = covariance + i * n;
        double product = kernels->dot(row, x, n);
        double c = product - row[i] * x[i];
        double gap = fabs(x[i] * product - 1);
        worst = gap > worst ? gap : worst;
        x[i] = (-c + sqrt(c * c + 4 * row[i])) / (2 * row[i]);
    }
    return worst;
}

bool risk_parity(const struct kernels *kernels, const double *covariance, size_t n,
                 double *ret_weight)
{
    bool is_met = false;
    for (size_t i = 0; i < n; i++)
        ret_weight[i] = 1 / sqrt(covariance[i * n + i]);
    for (size_t k = 0; k < SWEEPS_MAX && !is_met; k++)
        is_met = sweep(kernels, covariance, n, ret_weight) <= TOLERANCE;
    scale_to_one(ret_weight, n);
    return is_met;
}
