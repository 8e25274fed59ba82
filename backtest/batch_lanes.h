/*
 * batch_lanes.h - a group of portfolios moved lane by lane; part of batch.c and used by it alone.
 * Pure; the caller has seen to it that the rules are simple and every column is open when something is traded.
 */
#ifndef BACKTEST_BATCH_LANES_H
#define BACKTEST_BATCH_LANES_H

#include "backtest/batch.h"

struct batch_group {
    const struct batch *batch;
    const struct plan *plans;
    size_t n;
    size_t n_columns; /* of ws->column, to which ws->place points */
    const struct stop *stop;
};

/* The session at whose close a decision is filled. */
static inline size_t batch_fill_session(const struct sim_rules *rules, size_t decision)
{
    return rules->due[decision] + (rules->fill == FILL_SAME_CLOSE ? 0 : 1);
}

/*
 * Fills ws->equity and ws->terminal. *ret_done stays false when that does not do for these plans after all: a target
 * is short, or a portfolio has nothing left. Errors: only the stop's own status.
 */
enum status batch_play_lanes(const struct batch_group *group, struct batch_workspace *ws,
                             bool *ret_done, struct err *err) NODISCARD;

#endif
