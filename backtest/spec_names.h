/* spec_names.h - the words of a request for the enums of spec.h, indexed by enumerator; constant. */
#ifndef BACKTEST_SPEC_NAMES_H
#define BACKTEST_SPEC_NAMES_H

#include "backtest/spec.h"

enum {
    SPEC_FILL_COUNT = FILL_NEXT_HLC3 + 1,
    SPEC_WEIGHT_SUM_COUNT = WEIGHT_SUM_CASH + 1,
};

extern const char *const spec_shares_names[SHARES_RULE_COUNT];
extern const char *const spec_fill_names[SPEC_FILL_COUNT];
extern const char *const spec_dividend_names[DIVIDENDS_CASH + 1];
extern const char *const spec_destination_names[REBALANCE_DESTINATION_COUNT];
extern const char *const spec_weight_sum_names[SPEC_WEIGHT_SUM_COUNT];

#endif
