/*
 * market_rates.h - economic series as a run may know them: consumer prices, risk-free rates, yields.
 * Pure functions over borrowed arrays; callable from any thread.
 *
 * A rate series is a step function of what had been published: row i holds from known_at[i] on, and is the
 * value of the latest period that was out by then, in the vintage of then. Later revisions are later rows.
 */
#ifndef BACKTEST_MARKET_RATES_H
#define BACKTEST_MARKET_RATES_H

#include "backtest/align.h"
#include "base/err.h"

struct rate_series {
    struct str uid; /* indicator:CODE:COUNTRY:FREQUENCY, the id of /v1/indicators after the class */
    size_t n;
    const int32_t *date;     /* day of publication, strictly rising */
    const int64_t *known_at; /* UTC seconds, within that day */
    const double *value;     /* in the unit of the indicator; finite, any sign */
};

/* Splits such a uid; false when it is none. The parts point into uid. */
bool rates_uid_split(struct str uid, struct str *ret_code, struct str *ret_country,
                     struct str *ret_frequency);

/*
 * ret[t] for every session of clock (dates and the instants up to which it may look): the value known
 * then; NaN before the first publication.
 */
void rates_as_known(const struct rate_series *series, struct dated clock, double *ret);

/* Dates strictly rising, values finite. STATUS_NO_DATA when empty; STATUS_BAD_DATA naming uid and date. */
enum status rates_check(const struct rate_series *series, struct err *err) NODISCARD;

#endif
