/*
 * elementary_log.h - the constants of the natural logarithm, shared by elementary.c and the kernels,
 * whose results must agree bit for bit.
 */
#ifndef BACKTEST_ELEMENTARY_LOG_H
#define BACKTEST_ELEMENTARY_LOG_H

#include "backtest/elementary.h"

enum { ELEMENTARY_LOG_TERMS = 11 };

#define ELEMENTARY_ROOT_HALF 0.70710678118654752

/* ln 2 in two parts: the high one has 21 trailing zero bits, so that k * HIGH is exact. */
#define ELEMENTARY_LN2_HIGH 0x1.62e42feep-1
#define ELEMENTARY_LN2_LOW 0x1.a39ef35793c76p-33

/* 1/23, 1/21 ... 1/3: ln m = 2 atanh(s), s = (m - 1) / (m + 1), |s| < 0.172: eleven terms reach 1e-18. */
static const double elementary_log_coefficients[ELEMENTARY_LOG_TERMS] = {
    1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
    1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};

#endif
