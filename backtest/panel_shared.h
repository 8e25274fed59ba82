/*
 * panel_shared.h - a panel that outlives the run that built it and serves every run of the same data and shape.
 * Specs with equal panel_key share one. Built in an arena of its own, read-only afterwards; any number of threads may
 * read it. It does not point into the market it was built from: each run opens it on its own market, which has the
 * same series (market_find).
 */
#ifndef BACKTEST_PANEL_SHARED_H
#define BACKTEST_PANEL_SHARED_H

#include "backtest/yardstick.h"

/* Where the market had a column's series; another market of the same spec has it there too, most likely. */
struct panel_name {
    struct str uid;
    size_t place;
};

struct panel_shared {
    struct panel panel;       /* series are NULL */
    struct panel_name *names; /* of its columns */
    struct panel_name benchmark;
    struct measure_path benchmark_path; /* yardstick.h */
    struct yardstick yardstick; /* under the rules of the first spec; not known without a path */
    /*
     * JSON arrays that every document has: the sessions' dates, and what the first spec's capital is worth in the
     * benchmark, ptr NULL without a path.
     */
    struct str clock_text, benchmark_text;
    double capital;
};

/* As panel_build, everything in the arena, the measures of the benchmark included; the same errors. */
enum status panel_shared_build(const struct spec *spec, const struct market_data *market,
                               struct arena *arena, const struct stop *stop,
                               const struct panel_shared **ret, struct err *err) NODISCARD;

/*
 * The panel of a run on market: the cells are shared, the descriptions of the columns are the run's. shared has to
 * outlive it. Errors: STATUS_UNKNOWN_ASSET when market lacks a series; STATUS_OUT_OF_MEMORY.
 */
enum status panel_shared_open(const struct panel_shared *shared, const struct market_data *market,
                              struct arena *arena, struct panel **ret, struct err *err) NODISCARD;

#endif
