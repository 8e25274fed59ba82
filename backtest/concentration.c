/* concentration.c - one pass that keeps the largest weights seen. */
#include "backtest/concentration.h"

#include <math.h>

struct concentration concentration_of(const double *weight, size_t n)
{
    double top[CONCENTRATION_TOP] = {0}; /* falling */
    struct concentration c = {0};
    for (size_t a = 0; a < n; a++) {
        double w = fabs(weight[a]);
        c.gross += w;
        c.net += weight[a];
        for (size_t i = 0; i < CONCENTRATION_TOP; i++) {
            double t = top[i];
            if (w > t) {
                top[i] = w;
                w = t;
            }
        }
    }
    c.largest = top[0];
    for (size_t i = 0; i < CONCENTRATION_TOP; i++)
        c.top += top[i];
    return c;
}
