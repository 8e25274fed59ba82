/*
 * yardstick.h - the benchmark of a run as a path of its own: at the sessions where it has a usable price, and its
 * measures there. Pure; callable from any thread.
 */
#ifndef BACKTEST_YARDSTICK_H
#define BACKTEST_YARDSTICK_H

#include "backtest/measure.h"
#include "backtest/panel.h"

/* The measures depend on the panel and on what is compared here. */
struct yardstick {
    bool is_known;
    double risk_free_rate;
    bool has_mar;
    struct measure_value measures[MEASURE_ALL_COUNT];
};

/* 252, or 365 when a held asset trades every day. */
double yardstick_periods(const struct panel *panel);

/* ret->n is 0 when there is no benchmark or it has fewer than two usable prices. Errors: STATUS_OUT_OF_MEMORY. */
enum status yardstick_path(const struct panel *panel, struct arena *arena, struct measure_path *ret,
                           struct err *err) NODISCARD;

/* What capital is worth in the benchmark at each session, NaN where it has no price; path is that of the same panel. */
void yardstick_line(const struct panel *panel, struct measure_path path, double capital,
                    double *ret);

/*
 * The measures of such a path under the rules of spec; risk_free: per return, NULL: the annual rate. path.n >= 2.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status yardstick_measure(const struct spec *spec, const struct panel *panel,
                              struct measure_path path, const double *risk_free,
                              struct arena *arena, struct yardstick *ret, struct err *err)
    NODISCARD;

/* Whether yardstick, of the same panel, holds what spec asks for. */
bool yardstick_serves(const struct yardstick *yardstick, const struct spec *spec);

#endif
