/* period_returns.c - stretches of rows of one period, compounded and put in order. */
#include "backtest/period_returns.h"

#include "base/date.h"

static const double DAILY = 300; /* more sessions a year than any exchange has */

/* ISO 8601: the week belongs to the year of its Thursday. */
static int32_t iso_week(int32_t date)
{
    int32_t thursday = date - date_weekday(date) + 3;
    struct civil day = {date_to_civil(thursday).year, 1, 1};
    return (thursday - date_from_civil(day)) / 7 + 1;
}

/* The same within one period, higher in a later one. */
static int64_t order_of(const struct period_rows *rows, int32_t date)
{
    enum { WEEKS = 64 };
    return rows->frequency == FREQUENCY_WEEK && rows->has_weeks_of_year
               ? (int64_t)date_to_civil(date).year * WEEKS + iso_week(date)
               : period_index(rows->frequency, date);
}

/* Would a session after the last row belong to its period? */
static bool is_open_ended(const struct period_rows *rows, double periods_per_year)
{
    int32_t last = rows->date[rows->n - 1], next = last + 1;
    while (periods_per_year < DAILY && date_weekday(next) >= 5)
        next++;
    return order_of(rows, next) == order_of(rows, last);
}

/* Compounds a stretch into its period, which is among the n that there are or comes between them. Returns how many are now. */
static size_t add(struct period_return *list, size_t n, struct period_return stretch)
{
    size_t place = n;
    while (place > 0 && list[place - 1].order > stretch.order)
        place--;
    if (place > 0 && list[place - 1].order == stretch.order) {
        struct period_return *same = &list[place - 1];
        same->growth *= stretch.growth;
        same->end = stretch.end;
        same->is_partial = same->is_partial || stretch.is_partial;
        return n;
    }
    for (size_t i = n; i > place; i--)
        list[i] = list[i - 1];
    list[place] = stretch;
    return n + 1;
}

size_t period_returns(const struct period_rows *rows, double periods_per_year,
                      struct period_return *ret)
{
    const struct measure_path *path = &rows->path;
    double base = path->value[0];
    size_t n = 0, at = 0; /* at: the last value that is reached */
    bool is_first = true;
    for (size_t i = 0; i < rows->n; i++) {
        int64_t order = order_of(rows, rows->date[i]);
        if (at + 1 < path->n && path->date[at + 1] == rows->date[i])
            at++;
        bool is_last = i + 1 == rows->n;
        if (!is_last && order_of(rows, rows->date[i + 1]) == order)
            continue;
        bool begins_inside = is_first && order_of(rows, path->date[0]) == order;
        bool is_partial = begins_inside || (is_last && is_open_ended(rows, periods_per_year));
        n = add(ret, n,
                (struct period_return){order, rows->date[i], path->value[at] / base, is_partial});
        base = path->value[at];
        is_first = false;
    }
    return n;
}
