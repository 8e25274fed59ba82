/*
 * trust.h - what a finished run says about how far it can be trusted, as far as the request asked:
 * intervals (bootstrap.h), a look-ahead proof (prefix.h), other offsets (offset_luck.h), other
 * money, uses of dividends, destinations and rates (variations.h), drawn futures (montecarlo.h).
 * Pure apart from the arena.
 */
#ifndef BACKTEST_TRUST_H
#define BACKTEST_TRUST_H

#include "backtest/bootstrap.h"
#include "backtest/measure.h"
#include "backtest/montecarlo.h"
#include "backtest/offset_luck.h"
#include "backtest/prefix.h"
#include "backtest/variations.h"

enum { TRUST_RETURNS_MIN = 20 }; /* fewer session returns are not drawn from */

struct trust_report {
    enum measure_reason reason; /* why bootstrap and monte_carlo are empty: too short, ruined */
    struct bootstrap_report bootstrap;
    size_t n_common; /* returns behind its differences */
    struct prefix_report prefix;
    struct offset_report offsets;
    struct variations_report variations;
    struct montecarlo_rules monte_carlo_rules;
    struct montecarlo_report monte_carlo; /* count 0: none */
};

/* The mean block of n returns: as asked, or by rule when asked is 0; at least 1. */
double trust_mean_block(double asked, bool is_politis_white, const double *r, size_t n);

/* Errors: STATUS_OUT_OF_MEMORY, the stop's own status, and those of backtest_run. */
enum status trust_run(const struct backtest_result *run, const struct market_data *market,
                      struct arena *arena, const struct stop *stop, struct trust_report **ret,
                      struct err *err) NODISCARD;

#endif
