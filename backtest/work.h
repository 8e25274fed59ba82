/*
 * work.h - how much work a strategy's decisions are, before anything is loaded. Pure; callable from any thread.
 *
 * The unit is the cell of the cost limits: one name on one day of one portfolio, about a nanosecond. With n names, a
 * look-back of T, and one decision (weights fitted to runs of 20 names; docs/batches.md):
 *   returns of the window             2 n T
 *   covariance                        n^2 T / 4; with ledoit_wolf twice as much
 *   the optimiser or the tree         n^3 / 8 + 64 n^2
 * A walk-forward adds, for each candidate: its decisions over the run and the training window before it, 8 n for every
 * session of its path, and 12 for each split of the overfitting study; and its training windows, scored at every fit.
 */
#ifndef BACKTEST_WORK_H
#define BACKTEST_WORK_H

#include "backtest/spec.h"

/* Cells that the decisions of spec come to over so many days, those of portfolios inside it included. */
uint64_t work_of_decisions(const struct spec *spec, uint64_t days);

#endif
