/*
 * measure_facts.h - what the files measure_*.c share: the steps of measure_steps.def, the passes over the series that
 * are made once, and how a row of the table is written. Not for others. A field stands when the step that takes it does.
 */
#ifndef BACKTEST_MEASURE_FACTS_H
#define BACKTEST_MEASURE_FACTS_H

#include "backtest/kernels.h"
#include "backtest/measure.h"
#include "backtest/stats.h"

/* How the rows are made: steps in the order of measure_steps.def. */
enum measure_step {
    STEP_NOTHING,
#define STEP(name, ...) STEP_##name,
#include "backtest/measure_steps.def"
    STEP_COUNT
};

struct relative; /* measure_sides.h */

struct facts {
    const struct measure_input *in;
    struct arena *arena;
    struct err *err;
    enum status status;      /* of the step that was taken last */
    bool is_due[STEP_COUNT]; /* taken already, or to be taken */
    const struct kernels *k;
    struct measure_path path; /* up to ruin */
    struct measure_value *out;
    size_t n;      /* returns, at least 1 */
    size_t n_rows; /* rows behind them */
    const double *r;
    double *drawdown; /* n drawdowns of sessions 1..n */
    struct kernel_declines declines;
    double *sorted;          /* r ascending */
    double *scratch, *spare; /* n + 1 values each */
    uint32_t *count;         /* 2 n + 1 numbers */
    double *log_value;       /* ln(V_t / V_0), t = 0..n; not for a path that ends in ruin */
    const double *x;         /* r minus the risk-free return of each session that has one */
    const double *y;         /* r minus the target of downside figures, likewise */
    size_t n_x, n_y;         /* n where every session has one */
    double periods, root;    /* P and sqrt(P) */
    double rate;             /* risk-free, per session; where it is one for all */
    double rf;               /* annual */
    bool is_ruined;
    struct stats_moments m;        /* of r */
    double excess_mean, excess_sd; /* of x, divisor n - 1 */
    bool excess_varies;
    enum measure_reason flat; /* why nothing can be divided by sd(r), when r does not vary */
    double total;             /* V_n / V_0 - 1 */
    double years;             /* by date; by count without dates */
    double cagr, cagr_periods;
    double y_mean, downside, upside; /* of y: mean, lower and upper second partial moments' roots */
    struct kernel_partials around_zero;   /* r around 0 */
    struct kernel_partials around_target; /* y around 0 */
    struct table_years calendar;          /* without rows when there are no dates */
    struct drawdown *episodes; /* the deepest first, in order: a tenth and MEASURE_DEEPEST */
    size_t n_episodes;
    double depth; /* |max drawdown| */
    bool has_rho;
    double rho;                /* lag-1 autocorrelation */
    struct relative *relative; /* NULL: no session is common with a benchmark */
};

#define ROW(out, name) (&(out)[MEASURE_##name])

/* A value that is not finite becomes REASON_NOT_FINITE. */
void measure_set(struct measure_value *out, double value, size_t n);
void measure_deny(struct measure_value *out, enum measure_reason reason, size_t n);

/* numerator / denominator when the denominator is above 0, else reason. */
void measure_ratio(struct measure_value *out, double numerator, double denominator,
                   enum measure_reason reason, size_t n);

/* value when is_known, else reason. */
void measure_maybe(struct measure_value *out, bool is_known, double value,
                   enum measure_reason reason, size_t n);

/* r minus a rate, one for all sessions or one for each; those whose rate is NaN are left out. Returns how many stay. */
size_t measure_subtract(const double *r, size_t n, double rate, const double *series, double *ret);

/* total^(periods / n) - 1; -1 for a total that is not above 0. */
double measure_annualised(double total, double periods, double n);

/* Of the rows that say "at confidence". */
double measure_confidence(const struct facts *f);

/* value when there are enough returns and they vary. */
void measure_moment(struct facts *f, struct measure_value *out, double value, size_t needs);

void measure_out_of_memory(struct facts *f);

/* What every step reads: the length, room, and what the whole path has grown by. */
enum status measure_facts_open(struct facts *f) NODISCARD;

/* The steps. One that fails sets the status. */
#define STEP(name, ...) void measure_take_##name(struct facts *f);
#include "backtest/measure_steps.def"

#endif
