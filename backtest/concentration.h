/*
 * concentration.h - how a set of weights is spread: the largest, the five largest, gross and net.
 * Pure functions; callable from any thread.
 */
#ifndef BACKTEST_CONCENTRATION_H
#define BACKTEST_CONCENTRATION_H

#include <stddef.h>

enum { CONCENTRATION_TOP = 5 };

struct concentration {
    double largest; /* |w| */
    double top;     /* the CONCENTRATION_TOP largest together, or all there are */
    double gross;   /* sum of |w| */
    double net;     /* sum of w */
};

struct concentration concentration_of(const double *weight, size_t n);

#endif
