/*
 * xirr.h - the money-weighted return: the yearly rate at which dated cash flows are worth nothing today.
 * Pure apart from the arena; callable from any thread.
 * sum CF_k (1 + rho)^(-d_k / 365) = 0, d_k calendar days after the earliest flow. What is paid in is negative, what
 * is taken out, and the value held at the end, positive.
 */
#ifndef BACKTEST_XIRR_H
#define BACKTEST_XIRR_H

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { XIRR_ROOTS_MAX = 8 };

struct xirr_flow {
    int32_t date;
    double amount; /* finite */
};

struct xirr_roots {
    double rate[XIRR_ROOTS_MAX]; /* rising; all that were found in (-1, 1e6) */
    size_t n;                    /* 0: no rate does it */
    double preferred; /* when n > 0: the lowest rate that is not negative, else the highest */
};

/*
 * Every sign change of the value over (-1, 1e6) on a grid of equal steps of ln(1 + rho), each narrowed by Brent's
 * method to the last bits. Several rates may do it, or none. Where the amounts, given by rising dates, change their
 * sign once, the only interval is found by halving; the bits are the same.
 * Source: R. P. Brent, "Algorithms for Minimization without Derivatives", 1973, chapter 4.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status xirr_solve(const struct xirr_flow *flow, size_t n, struct arena *arena,
                       struct xirr_roots *ret, struct err *err) NODISCARD;

#endif
