/*
 * aggregate.h - an economic series at a lower frequency, as FRED's frequency and aggregation_method do it.
 * Pure apart from the arena; callable from any thread.
 * Source: Federal Reserve Bank of St. Louis, FRED API, fred/series/observations, parameters "frequency" and
 * "aggregation_method".
 */
#ifndef BACKTEST_AGGREGATE_H
#define BACKTEST_AGGREGATE_H

#include "backtest/cell.h"
#include "backtest/period.h"

enum aggregation { AGGREGATION_AVG, AGGREGATION_SUM, AGGREGATION_EOP, AGGREGATION_COUNT };
extern const char *const aggregation_names[AGGREGATION_COUNT];

struct observation {
    int32_t first, last; /* calendar days of the period it is about */
    struct cell value;
    int32_t vintage;  /* day on which it was published; of an aggregate, the latest */
    int64_t known_at; /* seconds since 1970 */
};

/*
 * observation[0..n), oldest first, of frequency from (one a period), into the lower frequency to, in place:
 * the mean (a double), the exact sum, or the last value. Only complete periods: of months and quarters, every
 * one must be there with a value; of days and weeks (a week counts where its last day lies) at least one value,
 * and an observation dated after the period, so that it is known to be over. Returns how many.
 */
size_t observations_aggregate(struct observation *observation, size_t n, enum frequency from,
                              enum frequency to, enum aggregation aggregation, struct arena *arena);

#endif
