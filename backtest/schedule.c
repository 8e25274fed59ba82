/* schedule.c - calendar rebalancing; built once per run and shared by the strategy and its monkeys. */
#include "backtest/schedule.h"

#include "base/date.h"

/* Weeks since a Monday long before DATE_MIN, so that the division never meets a negative number. */
static int32_t week_number(int32_t date)
{
    return (date + 3 + 7 * 10000) / 7; /* day 0, 1970-01-01, was a Thursday */
}

/* Of periods that are made of months. */
static bool is_new_period(enum rebalance_every every, struct civil before, struct civil now)
{
    switch (every) {
    case REBALANCE_MONTHLY:
        return before.year != now.year || before.month != now.month;
    case REBALANCE_QUARTERLY:
        return before.year != now.year || (before.month - 1) / 3 != (now.month - 1) / 3;
    case REBALANCE_HALF_YEARLY:
        return before.year != now.year || (before.month - 1) / 6 != (now.month - 1) / 6;
    case REBALANCE_YEARLY:
        return before.year != now.year;
    case REBALANCE_NEVER:
    case REBALANCE_DAILY:
    case REBALANCE_WEEKLY:
    case REBALANCE_SESSIONS:
    case REBALANCE_EVERY_COUNT:
        break;
    }
    return false;
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

/* Session t ends its period when the next session is known to start another. */
static bool ends_period(const struct rebalance_rule *rule, const int32_t *clock, size_t t, size_t n)
{
    return t + 1 < n && schedule_is_due(rule->every, clock[t], clock[t + 1]);
}

/* Periods that are made of months begin with one: other days need no look at the calendar. */
static bool is_made_of_months(enum rebalance_every every)
{
    return every == REBALANCE_MONTHLY || every == REBALANCE_QUARTERLY ||
           every == REBALANCE_HALF_YEARLY || every == REBALANCE_YEARLY;
}

static int32_t next_month(int32_t date, struct civil day)
{
    return date + 1 - day.day + date_days_in_month(day.year, day.month);
}

static void add_calendar(const struct rebalance_rule *rule, const int32_t *clock,
                         struct due_list *list)
{
    size_t position = 0; /* of session t in its period; that of session 0 is not known */
    bool is_counting = false, has_months = is_made_of_months(rule->every);
    struct civil month = date_to_civil(clock[0]);
    int32_t month_ends = next_month(clock[0], month);

    for (size_t t = 1; t < list->n_sessions; t++) {
        bool is_first = !has_months && schedule_is_due(rule->every, clock[t - 1], clock[t]);
        if (has_months && clock[t] >= month_ends) {
            struct civil now = date_to_civil(clock[t]);
            is_first = is_new_period(rule->every, month, now);
            month = now;
            month_ends = next_month(clock[t], now);
        }
        position = is_first ? 1 : position + 1;
        is_counting = is_counting || is_first;
        bool is_nth = is_counting && rule->nth != REBALANCE_LAST && position == rule->nth;
        bool is_too_short = is_counting && position < rule->nth;
        if (is_nth || ((rule->nth == REBALANCE_LAST || is_too_short) &&
                       ends_period(rule, clock, t, list->n_sessions)))
            add_due(list, t + rule->offset);
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
