/*
 * measure.h - the table of performance metrics, computed from a value path.
 * Pure apart from the arena; callable from any thread. Formulas, units and conventions are the rows
 * of metrics.def; docs/formulas.md gives their sources. A metric without a value has a reason: no
 * NaN, no infinity and no made-up 0 leaves this module.
 */
#ifndef BACKTEST_MEASURE_H
#define BACKTEST_MEASURE_H

#include "backtest/drawdown.h"
#include "backtest/tables.h"
#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum measure_id {
#define METRIC(name, unit, needs_benchmark, convention) MEASURE_##name,
#include "backtest/metrics.def"
#undef METRIC
    MEASURE_COUNT
};

enum measure_reason {
#define REASON(name, code, text) REASON_##name,
#include "backtest/reasons.def"
#undef REASON
    REASON_COUNT
};

struct measure_info {
    const char *name, *unit, *convention;
    bool needs_benchmark;
};
extern const struct measure_info measure_infos[MEASURE_COUNT];
extern const char *const measure_reason_codes[REASON_COUNT];

struct measure_value {
    double value;               /* finite; only when reason is REASON_NONE */
    size_t n;                   /* observations used */
    enum measure_reason reason; /* REASON_NONE: value is valid */
};

/* n values at rising dates: V_0 and n - 1 returns. Values > 0; 0 is ruin and ends what counts. */
struct measure_path {
    const int32_t *date;
    const double *value;
    size_t n;
};

/* What only a traded portfolio has. */
struct measure_trading {
    double turnover;    /* sum of one-way turnover over the rebalances */
    double exposure;    /* mean invested share */
    double effective_n; /* 0: nothing is held at the end */
    double cost_ratio;  /* total costs / mean equity, whole period */
    size_t n_rebalances;
};

struct measure_input {
    struct measure_path path;
    double periods_per_year;
    double risk_free_rate; /* annual, fraction */
    /* The benchmark at its valid sessions and the portfolio at the same ones; n 0: no benchmark. */
    struct measure_path common;
    struct measure_path benchmark;
    const struct measure_trading *trading; /* NULL: a price series */
};

/* Sessions of path that count: all, or up to and including the first value that is not above 0. */
size_t measure_live_length(struct measure_path path);

/* Per-session rate that compounds to annual over periods_per_year sessions. */
double measure_rate_per_period(double annual, double periods_per_year);

/* path.n >= 2. Errors: STATUS_OUT_OF_MEMORY. */
enum status measure_compute(const struct measure_input *input, struct arena *arena,
                            struct measure_value ret[MEASURE_COUNT], struct err *err) NODISCARD;

#endif
