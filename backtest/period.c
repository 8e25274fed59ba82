/* period.c - dates into weeks, months, quarters and years. */
#include "backtest/period.h"

#include "base/date.h"

enum { MONDAY_OF_WEEK_0 = -3 }; /* 1969-12-29, the Monday before 1970-01-01 */

/* Months in a period that is one month, a quarter or a year. */
static int months_in(enum frequency frequency)
{
    return frequency == FREQUENCY_MONTH ? 1 : frequency == FREQUENCY_QUARTER ? 3 : 12;
}

int32_t period_index(enum frequency frequency, int32_t date)
{
    if (frequency == FREQUENCY_DAY)
        return date;
    if (frequency == FREQUENCY_WEEK)
        return (date - date_weekday(date) - MONDAY_OF_WEEK_0) / 7;
    struct civil civil = date_to_civil(date);
    return (civil.year * 12 + civil.month - 1) / months_in(frequency);
}

int32_t period_first(enum frequency frequency, int32_t index)
{
    if (frequency == FREQUENCY_DAY)
        return index;
    if (frequency == FREQUENCY_WEEK)
        return index * 7 + MONDAY_OF_WEEK_0;
    int month = index * months_in(frequency);
    return date_from_civil((struct civil){month / 12, month % 12 + 1, 1});
}

int32_t period_last(enum frequency frequency, int32_t index)
{
    return period_first(frequency, index + 1) - 1;
}
