/*
 * metric_names.h - which metric of a profile a conformance case is about. Cases shorten the names of their libraries
 * ("SharpeAnn.rf", "VaR0.95gaussian") and say in parameters what is a name here (Kappa of l = 2). One thread.
 */
#ifndef TESTS_SUPPORT_METRIC_NAMES_H
#define TESTS_SUPPORT_METRIC_NAMES_H

#include "backtest/profile.h"
#include "tests/support/conformance.h"

/* metric: that of the case, or a member of what it expects. False: the profile has no such metric. */
bool metric_names_find(enum profile profile, const struct conformance_case *one, const char *metric,
                       enum measure_id *ret);

#endif
