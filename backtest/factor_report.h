/*
 * factor_report.h - the returns of a run explained by those of instruments. Pure apart from the arena; any thread.
 *
 * y_t = r_t - rf_t on f_t = uid_t - minus_t, or uid_t - rf_t: returns in the run's currency between the sessions at
 * which every factor has a usable price (no older than max_stale), up to a ruin. regression.h has the formulas.
 */
#ifndef BACKTEST_FACTOR_REPORT_H
#define BACKTEST_FACTOR_REPORT_H

#include "backtest/risk_free.h"

struct factor_report {
    bool is_asked;
    struct regression
        fit; /* is_known false: fewer than three rows more than factors, or factors that depend */
    int32_t first, last; /* sessions between which the returns lie; DATE_NONE: there are none */
};

/*
 * equity: a value for each session. Errors: STATUS_UNKNOWN_ASSET when market lacks a series; those of basis_init and
 * fx_table_add; STATUS_OUT_OF_MEMORY.
 */
enum status factor_report_make(const struct panel *panel, const struct spec *spec,
                               const struct market_data *market, const double *equity,
                               const struct risk_free *rate, struct arena *arena,
                               struct factor_report *ret, struct err *err) NODISCARD;

#endif
