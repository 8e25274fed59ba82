/* realised.c - deviations in two passes, in time order. */
#include "backtest/realised.h"

#include <math.h>

double realised_volatility(const double *value, size_t from, size_t to, double periods_per_year)
{
    double sum = 0, squares = 0;
    if (to < from + 2)
        return (double)NAN;
    double n = (double)(to - from);
    for (size_t t = from + 1; t <= to; t++)
        sum += value[t] / value[t - 1] - 1;
    for (size_t t = from + 1; t <= to; t++) {
        double d = value[t] / value[t - 1] - 1 - sum / n;
        squares += d * d;
    }
    return sqrt(squares / (n - 1) * periods_per_year);
}
