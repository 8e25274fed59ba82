/* elementary.c - argument reduction followed by Taylor series, evaluated in one fixed order. */
#include "backtest/elementary_log.h"

#include <math.h>
#include <stddef.h>

double elementary_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent); /* x = m 2^exponent, m in [1/2, 1) */
    if (m < ELEMENTARY_ROOT_HALF) {
        m *= 2;
        exponent--;
    }
    double f = m - 1;
    double s = f / (m + 1);
    double z = s * s;
    double sum = 0;
    for (int k = 0; k < ELEMENTARY_LOG_TERMS; k++)
        sum = (sum + elementary_log_coefficients[k]) * z;
    /* 2 s = f - s f, which keeps the leading part exact. */
    double tail = 2 * s * sum - s * f;
    return exponent * ELEMENTARY_LN2_HIGH + (f + (tail + exponent * ELEMENTARY_LN2_LOW));
}

double elementary_exp(double x)
{
    if (isnan(x))
        return x; /* its conversion below would be undefined */
    if (x > 709)
        return (double)INFINITY;
    if (x < -708)
        return 0;
    int k = (int)(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
    double r = (x - k * ELEMENTARY_LN2_HIGH) - k * ELEMENTARY_LN2_LOW; /* |r| < 0.35 */
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
    return 0.5 + sum * elementary_normal_density(z);
}

double elementary_normal_density(double z)
{
    return 0.39894228040143268 * elementary_exp(-0.5 * z * z);
}

/* Coefficients from the constant term up. */
struct ratio {
    double above[8], below[8];
};

static double ratio_at(const struct ratio *ratio, double x)
{
    double above = ratio->above[7], below = ratio->below[7];
    for (size_t i = 7; i-- > 0;) {
        above = above * x + ratio->above[i];
        below = below * x + ratio->below[i];
    }
    return above / below;
}

static const struct ratio CENTRE = {
    {3.387132872796366608, 133.14166789178437745, 1971.5909503065514427, 13731.693765509461125,
     45921.953931549871457, 67265.770927008700853, 33430.575583588128105, 2509.0809287301226727},
    {1, 42.313330701600911252, 687.1870074920579083, 5394.1960214247511077, 21213.794301586595867,
     39307.89580009271061, 28729.085735721942674, 5226.495278852545925},
};
static const struct ratio TAIL = {
    {1.42343711074968357734, 4.6303378461565452959, 5.7694972214606914055, 3.64784832476320460504,
     1.27045825245236838258, .24178072517745061177, .0227238449892691845833,
     7.7454501427834140764e-4},
    {1, 2.05319162663775882187, 1.6763848301838038494, .68976733498510000455, .14810397642748007459,
     .0151986665636164571966, 5.475938084995344946e-4, 1.05075007164441684324e-9},
};
static const struct ratio FAR_TAIL = {
    {6.6579046435011037772, 5.4637849111641143699, 1.7848265399172913358, .29656057182850489123,
     .026532189526576123093, .0012426609473880784386, 2.71155556874348757815e-5,
     2.01033439929228813265e-7},
    {1, .59983220655588793769, .13692988092273580531, .0148753612908506148525,
     7.868691311456132591e-4, 1.8463183175100546818e-5, 1.4215117583164458887e-7,
     2.04426310338993978564e-15},
};

double elementary_normal_quantile(double p)
{
    double q = p - 0.5;
    if (fabs(q) <= 0.425)
        return q * ratio_at(&CENTRE, 0.180625 - q * q);
    double tail = q < 0 ? p : 1 - p;
    if (!(tail > 0))
        return q < 0 ? -(double)INFINITY : (double)INFINITY;
    double r = sqrt(-elementary_log(tail));
    double z = r <= 5 ? ratio_at(&TAIL, r - 1.6) : ratio_at(&FAR_TAIL, r - 5);
    return q < 0 ? -z : z;
}
