/*
 * metrics_request.h - what POST /v1/metrics and `cmmc metrics` are asked: a track record and how to read it.
 * Lives in the arena it was parsed into, read-only afterwards. Fields, columns and limits: docs/track-record.md.
 * Every refusal names the JSON pointer, column or parameter and what is allowed.
 */
#ifndef HANDLERS_METRICS_REQUEST_H
#define HANDLERS_METRICS_REQUEST_H

#include "backtest/factor_levels.h"
#include "backtest/monkey_record.h"
#include "backtest/record.h"
#include "backtest/regression.h"
#include "backtest/spec_factors.h"
#include "backtest/spec_rolling.h"
#include "backtest/spec_trust.h"
#include "backtest/xirr.h"

enum {
    METRICS_ROWS_MAX = 200000,
    METRICS_FLOWS_MAX = 10000,
    METRICS_SELECT_MAX = 500,
    METRICS_NAME_BYTES_MAX = 64,
    METRICS_DRAWDOWNS_MAX = 1000,
    METRICS_BODY_BYTES_MAX = 8 << 20,
};

enum metrics_aggregate {
    AGGREGATE_NONE,
    AGGREGATE_WEEKLY,
    AGGREGATE_MONTHLY,
    AGGREGATE_QUARTERLY,
    AGGREGATE_YEARLY,
    AGGREGATE_COUNT
};
extern const char *const metrics_aggregate_names[AGGREGATE_COUNT]; /* "none" ... */

/* A track record that is known by its moments only; per period. */
struct metrics_summary {
    bool is_given;
    double sharpe, target_sharpe; /* per period */
    double skewness, kurtosis;    /* Pearson's: 3 for a normal distribution */
    int64_t n;                    /* observations */
    double autocorrelation;       /* of the first order */
    double periods_per_year;      /* q of the annualisation */
    double confidence;
};

struct metrics_select {
    struct str name; /* as asked */
    enum measure_id row;
};

struct metrics_request {
    struct record record;
    bool has_series;
    bool periods_assumed; /* neither periods_per_year nor period was given */
    const struct metrics_select *select;
    size_t n_select; /* 0: every metric */
    size_t n_drawdowns;
    enum metrics_aggregate aggregate;
    struct spec_rolling rolling;
    struct str factor_name[REGRESSION_FACTORS_MAX];
    /* Of each factor one of the three: returns on the same rows, a table with dates of its own, or instruments. */
    const double *factor[REGRESSION_FACTORS_MAX];
    struct factor_table table[REGRESSION_FACTORS_MAX];
    struct spec_factors instruments;    /* uid.ptr NULL: not this one */
    char currency[CURRENCY_TEXT_BYTES]; /* of the record: instruments are converted into it */
    size_t n_factors;
    int hac_lag;
    const struct xirr_flow *flow;
    size_t n_flows;
    const double *trade; /* results of single trades */
    size_t n_trades;
    struct metrics_summary summary;
    struct spec_bootstrap bootstrap;
    struct monkey_record_ask monkeys;
};

/*
 * Errors: STATUS_MALFORMED_JSON, STATUS_UNKNOWN_FIELD, STATUS_WRONG_TYPE, STATUS_OUT_OF_RANGE, STATUS_BAD_SPEC,
 * STATUS_OUT_OF_MEMORY.
 */
enum status metrics_request_parse(struct str body, struct arena *arena,
                                  struct metrics_request **ret, struct err *err) NODISCARD;

/* Whether prices of the store are needed: for monkeys, or for factors that are instruments. */
bool metrics_request_reads_prices(const struct metrics_request *request);

/* A request as yet without a series, every option at its default. */
struct metrics_request metrics_request_default(void);

/* What must agree, and the names of select in the profile; for both parsers, last. */
enum status metrics_request_settle(struct metrics_request *request, const struct str *select,
                                   size_t n_select, struct arena *arena, struct err *err) NODISCARD;

/* "daily" 252, "weekly" 52, "monthly" 12, "quarterly" 4, "yearly" 1. */
enum { METRICS_PERIODS_COUNT = 5 };
extern const char *const metrics_period_names[METRICS_PERIODS_COUNT];
extern const double metrics_period_values[METRICS_PERIODS_COUNT];

#endif
