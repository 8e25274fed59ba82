/*
 * risk_free.h - the risk-free rate of a run: one annual rate, or an economic series as it was known at each session.
 * Pure apart from the arena; callable from any thread. A series is in per cent, a year or a month.
 */
#ifndef BACKTEST_RISK_FREE_H
#define BACKTEST_RISK_FREE_H

#include "backtest/panel.h"

struct risk_free {
    const double
        *annual; /* [n_sessions] fraction, what was known at the session's end; NULL: one rate */
    const double *
        session; /* [n_sessions - 1] of the return from t to t + 1: what was known at t; NULL likewise */
    double mean;        /* annual: the rate, or the mean of annual[] */
    double per_session; /* of mean */
};

/*
 * Errors: STATUS_NO_DATA naming /risk_free_rate/indicator when the series was not published yet at the first session;
 * STATUS_BAD_DATA for rates below -50 or above 100 per cent; STATUS_OUT_OF_MEMORY.
 */
enum status risk_free_take(const struct spec *spec, const struct market_data *market,
                           const struct panel *panel, double periods_per_year, struct arena *arena,
                           struct risk_free *ret, struct err *err) NODISCARD;

/*
 * The dated rate of spec over a longer panel, per session of it as risk_free.session; annual, the rate known when the run
 * begins, where none had been published. Errors: as risk_free_take.
 */
enum status risk_free_over(const struct spec *spec, const struct market_data *market,
                           const struct panel *panel, double annual, double periods_per_year,
                           struct arena *arena, const double **ret, struct err *err) NODISCARD;

/* What a saver got between two sessions. */
double risk_free_between(const struct risk_free *rate, size_t from, size_t to);

#endif
