/*
 * record.h - a track record from outside: a series of returns or of prices, made ready for measure_compute.
 * Pure apart from the arena; callable from any thread. What the series holds is declared, never guessed.
 *
 * Rows: one per session, oldest first. A missing value is NaN. Of prices the first row is V_0; of returns V_0
 * lies before the first row, on the day start.
 */
#ifndef BACKTEST_RECORD_H
#define BACKTEST_RECORD_H

#include "backtest/measure.h"
#include "backtest/profile.h"

enum record_kind { RECORD_RETURNS, RECORD_PRICES, RECORD_KIND_COUNT };
extern const char *const record_kind_names[RECORD_KIND_COUNT]; /* "returns", "prices" */

struct record {
    size_t n;            /* rows */
    const int32_t *date; /* strictly rising; NULL: none */
    int32_t
        start; /* of V_0 when the series holds returns; DATE_NONE: one step before the first date */
    const double *value;
    enum record_kind kind;
    const double *benchmark; /* same rows; NULL: none */
    enum record_kind benchmark_kind;
    double risk_free_rate; /* annual, fraction */
    const double *
        risk_free; /* per session, same rows, NaN: missing; NULL: the annual rate, or the one below */
    double risk_free_per_session; /* when has_per_session */
    bool has_per_session;
    double periods_per_year;
    enum profile profile;
    enum profile_missing missing;
    struct measure_options options;
    const double *mar_series; /* per session, same rows, NaN: missing; NULL: options.mar or none */
};

struct record_ready {
    struct measure_input input;
    size_t n_missing;  /* rows without a value */
    size_t n_unrated;  /* returns without a risk-free rate: what needs one leaves them out */
    size_t n_common;   /* returns shared with the benchmark */
    int32_t ruined_on; /* DATE_NONE: not ruined, or without dates */
    bool is_ruined;
};

/*
 * A missing risk-free rate or minimum return goes the way of a missing return: MISSING_ZERO makes it 0, under MISSING_SKIP
 * the row has no excess return and keeps its return.
 * Errors: STATUS_NO_DATA without one return; STATUS_BAD_SPEC for a missing value or rate under MISSING_REFUSE or a
 * negative price, naming the row; STATUS_OUT_OF_MEMORY.
 */
enum status record_prepare(const struct record *record, struct arena *arena,
                           struct record_ready *ret, struct err *err) NODISCARD;

/* The day one step before date[0]: a month end before month ends, else the first gap again. n > 0. */
int32_t record_start(const int32_t *date, size_t n);

#endif
