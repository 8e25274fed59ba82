/*
 * schedule.h - at which sessions a calendar rule is due.
 * A new week, month, quarter or year is seen when its first session comes, never foreseen. Only the
 * last session of a period (REBALANCE_LAST, or a period with fewer than nth sessions) looks at a
 * date ahead, that of the next session: exchange calendars are published before the year begins. No
 * price, volume or rate of a later session is used. Pure functions; callable from any thread.
 */
#ifndef BACKTEST_SCHEDULE_H
#define BACKTEST_SCHEDULE_H

#include "backtest/calendar.h"
#include "backtest/rebalance.h"

#include <stddef.h>
#include <stdint.h>

/* Whether a session dated date starts a new period relative to the session before it. */
bool schedule_is_due(enum rebalance_every every, int32_t previous, int32_t date);

/*
 * Fills ret_due[0..*ret_n) with the decision sessions, rising: session 0 (the first purchase), then
 * every session that is due. ret_due has room for as many as the clock has, at least 1.
 */
void schedule_build(const struct rebalance_rule *rule, const struct calendar *clock,
                    uint32_t *ret_due, size_t *ret_n);

/* One more than the largest offset that a rule of this kind may have. */
unsigned schedule_offsets(enum rebalance_every every, unsigned n_sessions);

#endif
