/*
 * real_terms.h - a run in money of its first session, and what could have been withdrawn from it each year.
 * Pure apart from the arena; callable from any thread.
 *
 * The price level of a session is the value of the economic series that had been published by its end (market_rates.h),
 * over that of session 0: both are as old as publications are, and no later revision is looked at.
 */
#ifndef BACKTEST_REAL_TERMS_H
#define BACKTEST_REAL_TERMS_H

#include "backtest/measure.h"
#include "backtest/panel.h"

struct real_terms {
    const double *level;  /* [n_sessions], 1 at session 0; NULL: not asked for */
    const double *equity; /* [n_sessions]: equity / level */
    double terminal_wealth;
    double inflation, inflation_annual;               /* of the level, the latter by date as cagr */
    struct measure_value measures[MEASURE_ALL_COUNT]; /* of equity here; without a risk-free rate */
};

struct real_input {
    const struct spec *spec;
    const struct market_data *market;
    const struct panel *panel;
    const double *equity; /* [n_sessions] */
    double terminal_wealth, periods_per_year;
};

/*
 * *ret is left as it is when spec asks for none. Errors: STATUS_UNKNOWN_ASSET, STATUS_NO_DATA naming /inflation when nothing was published by the first session;
 * STATUS_BAD_DATA for a level of 0 or less; STATUS_OUT_OF_MEMORY.
 */
enum status real_terms_take(const struct real_input *in, struct arena *arena,
                            struct real_terms *ret, struct err *err) NODISCARD;

/*
 * Constant withdrawals at the beginning of each of `years` years, as shares of the value at the start: safe, after which
 * nothing is left at the end, and perpetual, after which the value at the start is left. With E_k the value of a unit at
 * the k-th anniversary and S = sum_{k < years} E_0 / E_k they are 1 / S and (1 - E_0 / E_years) / S. Exact: the search of
 * a rate is not needed. Starts are session 0 and the first session of every month; an anniversary is the first
 * session on or after its day.
 * Source: W. Bengen, "Determining Withdrawal Rates Using Historical Data", Journal of Financial Planning 7(4), 1994; the
 * closed form: Suarez, Suarez and Walz, "The Perfect Withdrawal Amount", Trinity University, 2015.
 */
struct withdrawal_rates {
    unsigned years;       /* 0: not asked for */
    size_t n;             /* starts that have so many years after them */
    const int32_t *start; /* [n] */
    const double *safe;   /* [n]; 0 after a ruin */
    const double
        *perpetual; /* [n]; below 0: less is left even without withdrawals. NaN after a ruin */
    size_t worst, worst_perpetual;   /* their places; n when there is none */
    double median, median_perpetual; /* type 7; NaN when there is none */
};

/* Of a unit's value per session: equity, or that of real terms. Errors: STATUS_OUT_OF_MEMORY. */
enum status withdrawal_rates_take(unsigned years, const int32_t *clock, const double *value,
                                  size_t n, struct arena *arena, struct withdrawal_rates *ret,
                                  struct err *err) NODISCARD;

#endif
