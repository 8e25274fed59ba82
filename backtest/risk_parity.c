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

/* One sweep; product holds S x and is kept up to date. Returns the largest |x_i (S x)_i - 1| met. */
static double sweep(const double *covariance, size_t n, double *x, double *product)
{
    double worst = 0;
    for (size_t i = 0; i < n; i++) {
        const double *row = covariance + i * n;
        double c = product[i] - row[i] * x[i];
        double next = (-c + sqrt(c * c + 4 * row[i])) / (2 * row[i]);
        double change = next - x[i];
        double gap = fabs(x[i] * product[i] - 1);
        worst = gap > worst ? gap : worst;
        for (size_t j = 0; j < n; j++)
            product[j] += row[j] * change;
        x[i] = next;
    }
    return worst;
}

bool risk_parity(const double *covariance, size_t n, double *scratch, double *ret_weight)
{
    bool is_met = false;
    for (size_t i = 0; i < n; i++)
        ret_weight[i] = 1 / sqrt(covariance[i * n + i]);
    for (size_t k = 0; k < SWEEPS_MAX && !is_met; k++) {
        for (size_t i = 0; i < n && k % 16 == 0; i++) { /* rounding of the updates is taken away */
            scratch[i] = 0;
            for (size_t j = 0; j < n; j++)
                scratch[i] += covariance[i * n + j] * ret_weight[j];
        }
        is_met = sweep(covariance, n, ret_weight, scratch) <= TOLERANCE;
    }
    scale_to_one(ret_weight, n);
    return is_met;
}
