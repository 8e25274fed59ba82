/*
 * elementary.h - logarithm, exponential, power and the normal distribution from +, -, *, / alone.
 * The C library's versions choose their code by processor and differ in the last bit between
 * machines; these are the same bytes everywhere. Pure functions; callable from any thread.
 * Accuracy: 4e-16 relative for log and exp; pow adds |y ln x| times that; cdf 1e-15 absolute.
 */
#ifndef BACKTEST_ELEMENTARY_H
#define BACKTEST_ELEMENTARY_H

double elementary_log(double x); /* x > 0 and finite */
double elementary_exp(double x); /* 0 below -708, infinity above 709 */

/* x^y for finite x >= 0; 0^y is 0 for y > 0. */
double elementary_pow(double x, double y);

/*
 * The standard normal distribution function.
 * Source: G. Marsaglia, "Evaluating the Normal Distribution", J. Statistical Software 11(4), 2004.
 */
double elementary_normal_cdf(double z);

/*
 * The z with cdf(z) = p, 0 < p < 1; relative accuracy 1e-15. -infinity at 0, infinity at 1.
 * Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution",
 * Applied Statistics 37(3), 1988 (PPND16).
 */
double elementary_normal_quantile(double p);

double elementary_normal_density(double z);

#endif
