/*
 * measure.h - the table of performance metrics, computed from a value path.
 * Pure apart from the arena; callable from any thread. Formulas, units and conventions are the rows
 * of metrics.def, the forms of other libraries those of variants.def; docs/formulas.md gives their
 * sources. A metric without a value has a reason: no NaN, no infinity and no made-up 0 leaves this
 * module.
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

/* The metrics, then the variants that a profile may put in their place. */
enum measure_id {
#define METRIC(name, step, unit, needs_benchmark, convention) MEASURE_##name,
#include "backtest/metrics.def"
    MEASURE_COUNT,
    MEASURE_BEFORE_VARIANTS = MEASURE_COUNT - 1,
#include "backtest/variants.def"
#undef METRIC
    MEASURE_ALL_COUNT
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
extern const struct measure_info measure_infos[MEASURE_ALL_COUNT];
extern const char *const measure_reason_codes[REASON_COUNT];

struct measure_value {
    double value;               /* finite; only when reason is REASON_NONE */
    size_t n;                   /* observations used */
    enum measure_reason reason; /* REASON_NONE: value is valid */
};

/* n values at rising dates: V_0 and n - 1 returns. Values > 0; 0 is ruin and ends what counts. */
struct measure_path {
    const int32_t *date; /* NULL: no dates; what needs them has REASON_NO_DATES */
    const double *value;
    size_t n;
};

/* What only a traded portfolio has. */
struct measure_trading {
    double turnover;    /* sum of one-way turnover over the rebalances */
    double exposure;    /* mean invested share */
    double mean_gross;  /* mean of the sums of |weight| */
    double effective_n; /* 0: nothing is held at the end */
    double largest;     /* highest |weight| at the end */
    double five_largest;
    double gross, net;   /* sums of |weight| and of weight at the end */
    double income_ratio; /* income paid as cash / mean equity, whole period */
    double cost_ratio;   /* total costs / mean equity, whole period */
    size_t n_rebalances;
};

/* What some formulas are asked for; all zero is the default of each. */
struct measure_options {
    double confidence;        /* of var_at and its kin; 0: 0.95 */
    double mar;               /* minimum acceptable return per session, when has_mar */
    bool has_mar;             /* else the target of downside figures is the risk-free rate */
    const double *mar_series; /* one per return, instead of mar, NaN as in risk_free; NULL: none */
    double required_return;   /* annual, fraction: threshold of omega_required */
    double target_sharpe;     /* per session: of psr and min_track_record_length */
    double tail;              /* share of each tail in rachev_at; 0: 0.1 */
    double ruin_loss;         /* fraction whose loss is ruin in risk_of_ruin; 0: 0.5 */
};

enum { MEASURE_DEEPEST = 10 };

/* Lines and tables that the measures are made from, for who shows them too; in the arena of measure_compute. */
struct measure_details {
    size_t n;                        /* sessions that count: measure_live_length(path) */
    const double *drawdown;          /* of each of them */
    const struct drawdown *episodes; /* the deepest MEASURE_DEEPEST first, in order */
    size_t n_episodes;
    struct table_years years; /* without rows when the path has no dates */
};

struct kernels;

/* A benchmark over all its rows, those without a return of the portfolio counted; growth 0: the common ones are all. */
struct measure_rows {
    size_t n;
    double growth;         /* what its returns compound to */
    double rise, fall;     /* those above and those below 0 alone */
    size_t n_rise, n_fall; /* how many those are */
};

/* Rows that are asked for. Nothing is worked out that none of them needs. */
struct measure_set {
    bool has[MEASURE_ALL_COUNT];
};
extern const struct measure_set measure_every_row;
/* Whether a row of set tells of trades and weights: of measure_input.trading. */
bool measure_set_needs_trading(const struct measure_set *set);
struct measure_set measure_set_of(const enum measure_id *rows, size_t n);

struct measure_input {
    struct measure_path path;
    const struct calendar *calendar; /* of the dates of path; NULL: made where it is needed */
    const double *returns; /* the path's own returns, exact; NULL: taken from its values */
    size_t n_rows; /* rows behind the returns, missing ones counted; 0: as many as returns */
    struct measure_rows benchmark_rows;
    double periods_per_year;
    double risk_free_rate; /* annual, fraction */
    const double *
        risk_free; /* per session, one per return, NaN: that return has no excess; NULL: the annual rate compounded down */
    /* The benchmark at its valid sessions and the portfolio at the same ones; n 0: no benchmark. */
    struct measure_path common;
    struct measure_path benchmark;
    const double *common_returns, *benchmark_returns; /* exact; NULL: from the values */
    const double *common_risk_free; /* per common return; NULL: as risk_free NULL */
    struct measure_options options;
    const struct kernels *kernels;         /* all give the same bits; NULL: those for any machine */
    const struct measure_trading *trading; /* NULL: a price series */
    struct measure_details *details;       /* to be filled; NULL: not wanted */
    /* Only these rows, with the same bits; NULL: all but those of a NAMED_STEP (measure_steps.def). */
    const struct measure_set *wanted;
};

/* The rows that lists of many backtests show. */
enum { MEASURE_HEADLINE_COUNT = 32 };
extern const enum measure_id measure_headlines[MEASURE_HEADLINE_COUNT];

/* Sessions of path that count: all, or up to and including the first value that is not above 0. */
size_t measure_live_length(struct measure_path path);
size_t measure_live_length_with(const struct kernels *kernels, struct measure_path path);

/* Per-session rate that compounds to annual over periods_per_year sessions. */
double measure_rate_per_period(double annual, double periods_per_year);

/* (last / first)^(1 / Y) - 1, Y years by date; -1 for a path that ends in ruin. */
double measure_cagr(struct measure_path path);

/*
 * The wanted rows; the others are REASON_NOT_APPLICABLE. path.n >= 2.
 * Errors: STATUS_OUT_OF_MEMORY.
 */
enum status measure_compute(const struct measure_input *input, struct arena *arena,
                            struct measure_value ret[MEASURE_ALL_COUNT], struct err *err) NODISCARD;

#endif
