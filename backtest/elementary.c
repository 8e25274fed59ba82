/* elementary.c - argument reduction followed by Taylor series, evaluated in one fixed order. */
#include "backtest/elementary.h"

#include <math.h>

/* ln 2 in two parts: the high one has 21 trailing zero bits, so that k * LN2_HIGH is exact. */
static const double LN2_HIGH = 0x1.62e42feep-1;
static const double LN2_LOW = 0x1.a39ef35793c76p-33;

double elementary_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent); /* x = m 2^exponent, m in [1/2, 1) */
    if (m < 0.70710678118654752) {
        m *= 2;
        exponent--;
    }
    /* ln m = 2 atanh(s), s = (m - 1) / (m + 1): |s| < 0.172, eleven terms reach 1e-18. */
    double f = m - 1;
    double s = f / (m + 1);
    double z = s * s;
    double sum = 0;
    for (int k = 23; k >= 3; k -= 2)
        sum = (sum + 1.0 / k) * z;
    /* 2 s = f - s f, which keeps the leading part exact. */
    double tail = 2 * s * sum - s * f;
    return exponent * LN2_HIGH + (f + (tail + exponent * LN2_LOW));
}

double elementary_exp(double x)
{
    if (x > 709)
        return (double)INFINITY;
    if (x < -708)
        return 0;
    int k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = (x - k * LN2_HIGH) - k * LN2_LOW; /* |r| < 0.35 */
    double sum = 0;
    for (int i = 14; i >= 2; i--)
        sum = (sum + 1) * r / i;
    return ldexp(1 + (r + r * sum), k);
}

double elementary_pow(double x, double y)
{
    if (!(x > 0))
        return 0;
    return elementary_exp(y * elementary_log(x));
}

double elementary_normal_cdf(double z)
{
    if (z > 8.5)
        return 1;
    if (z < -8.5)
        return 0;
    /* Phi(z) = 1/2 + phi(z) (z + z^3/3 + z^5/(3*5) + ...): every term has the sign of z. */
    double term = z;
    double sum = z;
    double last = 0;
    for (int k = 3; fabs(sum - last) > 0; k += 2) {
        last = sum;
        term = term * z * z / k;
        sum += term;
    }
    double density = 0.39894228040143268 * elementary_exp(-0.5 * z * z);
    return 0.5 + sum * density;
}
