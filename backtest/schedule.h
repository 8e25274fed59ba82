/*
 * schedule.h - at which sessions a portfolio decides to rebalance.
 * A decision at session t uses the dates up to t alone: a new week, month, quarter or year is seen
 * when its first session comes, never foreseen. Pure functions; callable from any thread.
 */
#ifndef BACKTEST_SCHEDULE_H
#define BACKTEST_SCHEDULE_H

#include "backtest/spec.h"

/* Whether a session dated date starts a new period relative to the session before it. */
bool schedule_is_due(enum spec_rebalance rebalance, int32_t previous, int32_t date);

/*
 * Fills ret_due[0..*ret_n) with the decision sessions, rising: session 0 (the first purchase), then
 * every session that is due. ret_due has room for n_sessions; n_sessions > 0.
 */
void schedule_build(enum spec_rebalance rebalance, const int32_t *clock, size_t n_sessions,
                    uint32_t *ret_due, size_t *ret_n);

#endif
