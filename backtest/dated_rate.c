/* dated_rate.c - which row of a dated rate is in force. */
#include "backtest/dated_rate.h"

#include "base/date.h"

double dated_rate_on(const struct dated_rate *rates, size_t n, int32_t date)
{
    double rate = 0;
    for (size_t i = 0; i < n && (rates[i].from == DATE_NONE || rates[i].from <= date); i++)
        rate = rates[i].rate;
    return rate;
}
