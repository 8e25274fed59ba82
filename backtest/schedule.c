/* schedule.c - calendar rebalancing; built once per run and shared by the strategy and its monkeys. */
#include "backtest/schedule.h"

#include "base/date.h"

/* Weeks since a Monday long before DATE_MIN, so that the division never meets a negative number. */
static int32_t week_number(int32_t date)
{
    return (date + 3 + 7 * 10000) / 7; /* day 0, 1970-01-01, was a Thursday */
}

bool schedule_is_due(enum spec_rebalance rebalance, int32_t previous, int32_t date)
{
    struct civil before = date_to_civil(previous);
    struct civil now = date_to_civil(date);

    switch (rebalance) {
    case REBALANCE_NEVER:
        return false;
    case REBALANCE_DAILY:
        return true;
    case REBALANCE_WEEKLY:
        return week_number(previous) != week_number(date);
    case REBALANCE_MONTHLY:
        return before.year != now.year || before.month != now.month;
    case REBALANCE_QUARTERLY:
        return before.year != now.year || (before.month - 1) / 3 != (now.month - 1) / 3;
    case REBALANCE_YEARLY:
        return before.year != now.year;
    }
    return false;
}

void schedule_build(enum spec_rebalance rebalance, const int32_t *clock, size_t n_sessions,
                    uint32_t *ret_due, size_t *ret_n)
{
    size_t n = 0;
    ret_due[n++] = 0;
    for (size_t t = 1; t < n_sessions; t++) {
        if (schedule_is_due(rebalance, clock[t - 1], clock[t]))
            ret_due[n++] = (uint32_t)t;
    }
    *ret_n = n;
}
