/*
 * measure_facts.h - what the files measure_*.c share: passes over the series made once, and how a
 * row of the table is written. Not for others.
 */
#ifndef BACKTEST_MEASURE_FACTS_H
#define BACKTEST_MEASURE_FACTS_H

#include "backtest/kernels.h"
#include "backtest/measure.h"
#include "backtest/stats.h"

struct facts {
    const struct measure_input *in;
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
    double rho; /* lag-1 autocorrelation */
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

/* The families, in this order: later ones read rows of earlier ones. */
void measure_growth(struct facts *f);
void measure_dispersion(struct facts *f);
void measure_drawdowns(struct facts *f);
void measure_tails(struct facts *f);
void measure_bets(struct facts *f);
void measure_sharpe_family(struct facts *f);
void measure_downside_family(struct facts *f);
void measure_depth_ratios(struct facts *f);
void measure_serial(struct facts *f);
enum status measure_calendar(struct facts *f, struct arena *arena, struct err *err) NODISCARD;
void measure_trades(struct facts *f);

/* The rows of measure_headlines and no others: needs prepare() alone. */
enum status measure_headline(struct facts *f, struct arena *arena, struct err *err) NODISCARD;

/* value when there are enough returns and they vary. */
void measure_moment(struct facts *f, struct measure_value *out, double value, size_t needs);

/* One form of the probabilistic Sharpe ratio; a variance that is not above 0 has none. */
void measure_psr(struct facts *f, enum measure_id id, double ratio, double target, double skew,
                 double excess);

double measure_days_of_deepest(const struct facts *f);

/* The rows that compare input->common with input->benchmark, or deny them all. */
enum status measure_relative(const struct facts *f, struct arena *arena, struct err *err) NODISCARD;

#endif
