/* measure_sides.h - what measure_relative.c, measure_sides.c and measure_comoments.c share; not for others. */
#ifndef BACKTEST_MEASURE_SIDES_H
#define BACKTEST_MEASURE_SIDES_H

#include "backtest/measure_facts.h"

struct relative {
    const struct kernels *k;
    size_t n;
    size_t n_rows;        /* rows of the record, those without a return counted; at least n */
    const double *r, *b;  /* returns over the common sessions */
    const double *x, *bx; /* both minus the risk-free return; r and b themselves where that is 0 */
    const double *y,
        *by;         /* both minus the target of downside figures; x and bx where it is the same */
    size_t n_x, n_y; /* of them: sessions that have a risk-free rate, and a target */
    double mean_rf;  /* over those n_x */
    double *scratch; /* n */
    double periods, rf; /* rf annual */
    double sd_r, sd_b, mean_r;
    struct stats_pair raw;     /* of r and b */
    struct stats_pair excess;  /* of x and bx */
    double growth_x;           /* compounded x */
    double all_r;              /* compounded over all rows, not the common ones alone */
    struct measure_rows rows;  /* the benchmark likewise */
    double annual_r, annual_b; /* compounded and annualised by count */
    double cagr, total;        /* of the portfolio, by date where there are dates */
    bool has_beta;
    double beta, alpha, jensen; /* alpha per session */
    struct measure_value *out;
};

/* The pairs when there are two at least; NULL: measure_take_pairs has denied every row that needs them. */
static inline struct relative *measure_two_pairs(const struct facts *f)
{
    return f->relative != NULL && f->relative->n >= 2 ? f->relative : NULL;
}

/* batting_average and its kin from r - b. */
void measure_batting(struct relative *w, const double *active);

#endif
