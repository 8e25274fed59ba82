/*
 * strategy_plan.h - fills the plan of a run: one row of target weights per decision session.
 * Pure apart from the arena; callable from any thread. A row depends on the prices up to its decision
 * alone, and on no other row.
 */
#ifndef BACKTEST_STRATEGY_PLAN_H
#define BACKTEST_STRATEGY_PLAN_H

#include "backtest/history.h"
#include "backtest/plan.h"
#include "backtest/strategy.h"
#include "backtest/walk_forward.h"

/* What was known when a row was decided; in the order of the plan's rows. */
struct strategy_decision {
    uint32_t session;   /* of the run */
    int32_t known_from; /* first and last date of the prices looked at; DATE_NONE: none were */
    int32_t known_at;
    enum strategy_note note;
};

struct strategy_report {
    const struct strategy_decision *decisions;
    size_t n;
    size_t n_noted[STRATEGY_NOTE_COUNT]; /* how many have each note */
    struct walk_report walk;             /* n 0: no search */
};

struct strategy_scene {
    const struct spec *spec; /* dates resolved */
    const struct market_data *market;
    const struct panel *panel; /* of the run */
    const uint32_t *due;       /* its decision sessions */
    size_t n_due;
    double periods_per_year;
    enum spec_fill fill;
    double cost_rate;        /* of the traded value, for the paths of a search */
    const double *risk_free; /* annual, as known at each session; NULL: that of spec */
};

/*
 * Adds to due[0..n_due), which rises and has room for n_sessions, the first session on or after each
 * date of a weight table; returns how many there are then.
 */
size_t strategy_add_due(const struct strategy *strategy, const int32_t *clock, size_t n_sessions,
                        uint32_t *due, size_t n_due);

/*
 * Weighs the held assets of the panel at every decision.
 * Errors: STATUS_OUT_OF_MEMORY, those of history_open; the stop's own status, polled at every row.
 */
enum status strategy_plan(const struct strategy_scene *scene, struct arena *arena,
                          const struct stop *stop, struct plan *ret_plan,
                          struct strategy_report *ret_report, struct err *err) NODISCARD;

#endif
