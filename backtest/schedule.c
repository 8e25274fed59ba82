/* schedule.c - calendar rebalancing; built once per run and shared by the strategy and its monkeys. */
#include "backtest/schedule.h"

#include "base/date.h"

/* Weeks since a Monday long before DATE_MIN, so that the division never meets a negative number. */
static int32_t week_number(int32_t date)
{
    return (date + 3 + 7 * 10000) / 7; /* day 0, 1970-01-01, was a Thursday */
}

/* Months of a period that is made of them; 0: it is not. */
static int months_of(enum rebalance_every every)
{
    switch (every) {
    case REBALANCE_MONTHLY:
        return 1;
    case REBALANCE_QUARTERLY:
        return 3;
    case REBALANCE_HALF_YEARLY:
        return 6;
    case REBALANCE_YEARLY:
        return 12;
    case REBALANCE_NEVER:
    case REBALANCE_DAILY:
    case REBALANCE_WEEKLY:
    case REBALANCE_SESSIONS:
    case REBALANCE_EVERY_COUNT:
        break;
    }
    return 0;
}

static bool is_new_period(enum rebalance_every every, struct civil before, struct civil now)
{
    int span = months_of(every);
    return span > 0 &&
           (before.year != now.year || (before.month - 1) / span != (now.month - 1) / span);
}

bool schedule_is_due(enum rebalance_every every, int32_t previous, int32_t date)
{
    if (every == REBALANCE_DAILY)
        return true;
    if (every == REBALANCE_WEEKLY)
        return week_number(previous) != week_number(date);
    return is_new_period(every, date_to_civil(previous), date_to_civil(date));
}

unsigned schedule_offsets(enum rebalance_every every, unsigned n_sessions)
{
    switch (every) {
    case REBALANCE_WEEKLY:
        return 5;
    case REBALANCE_MONTHLY:
        return 21;
    case REBALANCE_QUARTERLY:
        return 63;
    case REBALANCE_HALF_YEARLY:
        return 126;
    case REBALANCE_YEARLY:
        return 252;
    case REBALANCE_SESSIONS:
        return n_sessions;
    case REBALANCE_NEVER:
    case REBALANCE_DAILY:
    case REBALANCE_EVERY_COUNT:
        break;
    }
    return 1;
}

/* The rising list under construction; a session is listed once. */
struct due_list {
    uint32_t *due;
    size_t n;
    size_t n_sessions;
};

static void add_due(struct due_list *list, size_t session)
{
    if (session < list->n_sessions && session > list->due[list->n - 1])
        list->due[list->n++] = (uint32_t)session;
}

/* The first session after from that starts another period; n: there is none. */
static size_t next_start(enum rebalance_every every, const int32_t *clock, size_t from, size_t n)
{
    size_t t = from + 1;
    int span = months_of(every);
    if (span == 0) {
        while (t < n && !schedule_is_due(every, clock[t - 1], clock[t]))
            t++;
        return t;
    }
    struct civil day = date_to_civil(clock[from]);
    int after = (day.month - 1) / span * span + span; /* months of the year that are over then */
    int32_t end = date_from_civil((struct civil){day.year + after / 12, after % 12 + 1, 1});
    return t < n ? dates_reach(clock, n, t, end) : n;
}

/*
 * One session of each period from the clock: the nth, or the last where there are fewer or the last is asked for. The period
 * that session 0 lies in may have begun before it, so that only its end is known; the one that the clock ends in has none.
 */
static void add_calendar(const struct rebalance_rule *rule, const int32_t *clock,
                         struct due_list *list)
{
    size_t n = list->n_sessions;
    for (size_t from = 0, to; from < n; from = to) {
        to = next_start(rule->every, clock, from, n);
        bool is_last = rule->nth == REBALANCE_LAST;
        if (!is_last && from > 0 && rule->nth <= to - from)
            add_due(list, from + rule->nth - 1 + rule->offset);
        else if ((is_last || from > 0) && to > 1 && to < n)
            add_due(list, to - 1 + rule->offset);
    }
}

void schedule_build(const struct rebalance_rule *rule, const int32_t *clock, size_t n_sessions,
                    uint32_t *ret_due, size_t *ret_n)
{
    struct due_list list = {ret_due, 0, n_sessions};

    ret_due[list.n++] = 0;
    if (rule->every == REBALANCE_SESSIONS) {
        size_t first = rule->offset > 0 ? rule->offset : rule->n_sessions;
        for (size_t t = first; t < n_sessions; t += rule->n_sessions)
            add_due(&list, t);
    } else {
        add_calendar(rule, clock, &list);
    }
    *ret_n = list.n;
}
