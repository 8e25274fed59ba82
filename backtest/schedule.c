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

/* Number of the period of span months that a month lies in; a year is a whole number of them. */
static int period_number(int span, int year, int month)
{
    return (year * 12 + month - 1) / span;
}

static bool is_new_period(int span, int32_t previous, int32_t date)
{
    struct civil before = date_to_civil(previous), now = date_to_civil(date);
    return period_number(span, before.year, before.month) !=
           period_number(span, now.year, now.month);
}

bool schedule_is_due(enum rebalance_every every, int32_t previous, int32_t date)
{
    if (every == REBALANCE_DAILY)
        return true;
    if (every == REBALANCE_WEEKLY)
        return week_number(previous) != week_number(date);
    int span = months_of(every);
    return span > 0 && is_new_period(span, previous, date);
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

/*
 * One session of the period [from, to): the nth, or the last where there are fewer or the last is asked for. The period that
 * session 0 lies in may have begun before it, so that only its end is known; the one that the clock ends in has none.
 */
static void add_period(const struct rebalance_rule *rule, size_t from, size_t to,
                       struct due_list *list)
{
    bool is_last = rule->nth == REBALANCE_LAST;
    if (!is_last && from > 0 && rule->nth <= to - from)
        add_due(list, from + rule->nth - 1 + rule->offset);
    else if ((is_last || from > 0) && to > 1 && to < list->n_sessions)
        add_due(list, to - 1 + rule->offset);
}

/* Periods of whole months, span of them. */
static void add_months(const struct rebalance_rule *rule, const struct calendar *clock, int span,
                       struct due_list *list)
{
    const struct calendar_month *months = clock->months;
    int before = period_number(span, months[0].year, months[0].month);
    size_t from = 0;
    for (size_t m = 1; m < clock->n_months; m++) {
        int now = period_number(span, months[m].year, months[m].month);
        if (now != before) {
            add_period(rule, from, months[m].first, list);
            from = months[m].first;
        }
        before = now;
    }
    add_period(rule, from, clock->n, list);
}

static void add_days(const struct rebalance_rule *rule, const struct calendar *clock,
                     struct due_list *list)
{
    for (size_t from = 0, t = 1; t <= clock->n; t++) {
        if (t < clock->n && !schedule_is_due(rule->every, clock->date[t - 1], clock->date[t]))
            continue;
        add_period(rule, from, t, list);
        from = t;
    }
}

void schedule_build(const struct rebalance_rule *rule, const struct calendar *clock,
                    uint32_t *ret_due, size_t *ret_n)
{
    struct due_list list = {ret_due, 0, clock->n};
    int span = months_of(rule->every);

    ret_due[list.n++] = 0;
    if (rule->every == REBALANCE_SESSIONS) {
        size_t first = rule->offset > 0 ? rule->offset : rule->n_sessions;
        for (size_t t = first; t < clock->n; t += rule->n_sessions)
            add_due(&list, t);
    } else if (span > 0) {
        add_months(rule, clock, span, &list);
    } else {
        add_days(rule, clock, &list);
    }
    *ret_n = list.n;
}
