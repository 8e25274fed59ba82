/*
 * plan.h - target weights per decision: what a strategy hands to the simulator.
 * A strategy fills a plan before the simulation, from the prices up to each decision alone; the
 * simulator only reads it. Borrowed arrays; any number of threads may read one plan.
 *
 * Row d belongs to the d-th decision session of the rules. A negative weight is a short position.
 */
#ifndef BACKTEST_PLAN_H
#define BACKTEST_PLAN_H

#include <stddef.h>

struct plan {
    const size_t *asset;    /* panel columns, rising */
    size_t n;               /* assets: the length of a row */
    const double *weight;   /* row d starts at weight + d * stride */
    size_t stride;          /* n; 0: the same row at every decision */
    const double *invested; /* per row, the share of the value that its weights add up to; the rest
                               stays in cash. One value when stride is 0. */
};

static inline const double *plan_row(const struct plan *plan, size_t decision)
{
    return plan->weight + decision * plan->stride;
}

static inline double plan_invested(const struct plan *plan, size_t decision)
{
    return plan->invested[plan->stride == 0 ? 0 : decision];
}

#endif
