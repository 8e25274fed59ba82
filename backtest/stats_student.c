/* stats_student.c - tails of Student's t, from the incomplete beta function. */
#include "backtest/stats.h"

#include "backtest/elementary.h"

#include <math.h>

static const double ROOT_PI = 1.7724538509055160;
static const double TINY = 1e-300;
enum { ROUNDS_MAX = 20000, RECURRENCE_MAX = 1000 };

/* gamma(a + 1/2) / gamma(a), 2a whole: by recurrence from 1/2, or its expansion (DLMF 5.11.13). */
static double gamma_ratio(double a)
{
    double v = 2 * a;
    if (v > RECURRENCE_MAX)
        return sqrt(a) *
               (1 - 1 / (4 * v) * (1 - 1 / (8 * v) * (1 + 5 / (4 * v) * (1 - 21 / (80 * v)))));
    double ratio = 1 / ROOT_PI;
    for (int k = 1; k < v - 0.5; k++)
        ratio = (double)k / 2 / ratio; /* g(k + 1) g(k) = k / 2 */
    return ratio;
}

/* The continued fraction of I_x(a, b). */
static double fraction(double x, double a, double b)
{
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < TINY ? TINY : d);
    double value = d;
    for (int round = 1; round < ROUNDS_MAX; round++) {
        double m = round;
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 + even * d;
        c = 1 + even / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        value *= d * c;
        d = 1 + odd * d;
        c = 1 + odd / c;
        d = 1 / (fabs(d) < TINY ? TINY : d);
        c = fabs(c) < TINY ? TINY : c;
        double step = d * c;
        value *= step;
        if (fabs(step - 1) < 1e-16)
            break;
    }
    return value;
}

double stats_student_p(double t, double freedom)
{
    double a = freedom / 2, b = 0.5, x = freedom / (freedom + t * t);
    double rest = t * t / (freedom + t * t);
    if (!(rest > 0))
        return 1;
    /* x^a (1 - x)^b / B(a, b) */
    double front = elementary_pow(x, a) * sqrt(rest) * gamma_ratio(a) / ROOT_PI;
    double p = x < (a + 1) / (a + b + 2) ? front * fraction(x, a, b) / a
                                         : 1 - front * fraction(rest, b, a) / b;
    return fmin(fmax(p, 0), 1);
}

double stats_student_quantile(double p, double freedom)
{
    enum { ROUNDS = 200 };
    /* Newton's steps from the normal quantile, which lies below: the tail is convex, so that none goes too far. */
    double height = 2 * gamma_ratio(freedom / 2) / (sqrt(freedom) * ROOT_PI);
    double t = elementary_normal_quantile(1 - p / 2);
    for (int round = 0; round < ROUNDS; round++) {
        double density = height * elementary_pow(1 + t * t / freedom, -(freedom + 1) / 2);
        double step = (stats_student_p(t, freedom) - p) / density;
        t += step;
        if (!(fabs(step) > 1e-14 * t))
            break;
    }
    return t;
}

double stats_normal_p(double z)
{
    return fmin(fmax(2 * elementary_normal_cdf(-fabs(z)), 0), 1);
}
