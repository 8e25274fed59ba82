/* calendar.c - one step for each month. */
#include "backtest/calendar.h"

#include "base/date.h"

/* No more months than dates, nor than there are between the first and the last. */
static size_t months_at_most(const int32_t *date, size_t n)
{
    if (n == 0)
        return 0;
    struct civil first = date_to_civil(date[0]), last = date_to_civil(date[n - 1]);
    size_t between = (size_t)((last.year - first.year) * 12 + last.month - first.month) + 1;
    return between < n ? between : n;
}

enum status calendar_of(const int32_t *date, size_t n, struct arena *arena, struct calendar *ret,
                        struct err *err)
{
    struct calendar_month *months = arena_room(arena, months_at_most(date, n), sizeof *months);
    size_t n_months = 0;
    if (months == NULL)
        return err_set(err, STATUS_OUT_OF_MEMORY, "No memory left for the calendar.");
    for (size_t t = 0; t < n;) {
        struct civil day = date_to_civil(date[t]);
        int32_t next = date[t] + 1 - day.day + date_days_in_month(day.year, day.month);
        months[n_months++] = (struct calendar_month){day.year, day.month, t};
        t = dates_reach(date, n, t + 1, next);
    }
    *ret = (struct calendar){date, n, months, n_months};
    return STATUS_OK;
}
