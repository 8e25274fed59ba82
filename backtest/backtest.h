/*
 * backtest.h - one backtest from request to result: panel, simulation, metrics, monkeys, warnings.
 * Pure: no I/O, no clock, no globals. The same spec and data give the same result, bit for bit, on
 * any machine and any number of threads. Everything lives in the arena given.
 */
#ifndef BACKTEST_BACKTEST_H
#define BACKTEST_BACKTEST_H

#include "backtest/attribution.h"
#include "backtest/engine.h"
#include "backtest/measure.h"
#include "backtest/rolling_report.h"
#include "backtest/factor_report.h"
#include "backtest/frontier.h"
#include "backtest/monkey_crowd.h"
#include "backtest/panel_shared.h"
#include "backtest/real_terms.h"
#include "backtest/stale_value.h"
#include "backtest/trust.h"
#include "backtest/strategy_plan.h"

/* Changes whenever the same request and data could give another number. */
#define BACKTEST_ENGINE_VERSION "6"

enum {
    BACKTEST_TRADES_MAX = 5000,
    BACKTEST_DRAWDOWNS_MAX = MEASURE_DEEPEST,
    BACKTEST_WARNINGS_MAX = 40
};

struct backtest_warning {
    const char *code;       /* "survivorship" */
    struct str detail;      /* one sentence */
    const struct str *uids; /* whom it concerns; NULL: the whole run */
    size_t n_uids;
};

struct backtest_result {
    const struct spec *spec; /* dates resolved */
    const struct panel *panel;
    double periods_per_year; /* 252, or 365 when a held asset trades every day */
    const double *equity;    /* per session, time-weighted; equity[0] is the capital */
    const double *wealth;    /* per session, money; the same array unless there are flows */
    const double *drawdown;
    const double *benchmark; /* worth of the capital in the benchmark, NaN where it has no price;
                                NULL: none asked for, or no two usable prices */
    struct str clock_text, benchmark_text; /* JSON of the sessions' dates and of benchmark, as an
                                              earlier run has left them; ptr NULL: not there */
    int32_t ruined_on;                     /* DATE_NONE: not ruined */
    struct plan plan;                      /* what was decided, per decision */
    const uint32_t *due;                   /* the sessions of those decisions */
    size_t n_due;
    struct frontier frontier;        /* n_points 0: not asked for */
    struct strategy_report strategy; /* n 0: the weights of the request at every decision */

    struct measure_value measures[MEASURE_ALL_COUNT];
    struct measure_value benchmark_measures[MEASURE_ALL_COUNT]; /* when benchmark is not NULL */
    struct drawdown drawdowns[BACKTEST_DRAWDOWNS_MAX];          /* deepest first */
    size_t n_drawdowns;
    struct table_years years;

    struct sim_recorder ledger;
    double xirr;                /* NaN: no rate, or several */
    double flow_timing_effect;  /* xirr less the same of the time-weighted line; NaN: no xirr */
    struct stale_value stale;   /* wealth that was valued at older prices */
    double cash_drag;           /* what the idle cash did not earn at the portfolio's returns */
    double gross_terminal;      /* final equity of the same run without costs */
    const double *final_weight; /* per position of the panel: column below n_positions */
    double final_cash_weight, final_receivable_weight;
    const struct attribution *attribution; /* NULL: not asked for */
    struct rolling_report rolling;         /* window 0: not asked for */
    struct real_terms real;                /* level NULL: not asked for */
    struct withdrawal_rates withdrawals; /* years 0: not asked for; of real terms where those are */
    struct factor_report factors;
    double risk_free_mean; /* annual */
    struct risk_free risk_free;
    struct monkey_report monkeys; /* count 0: none */
    struct monkey_crowd crowd;    /* whom the strategy was ranked among; kept by who keeps it */
    const struct trust_report *trust;

    struct backtest_warning warnings[BACKTEST_WARNINGS_MAX];
    size_t n_warnings;
};

/*
 * Fills spec->start and spec->end where the request left them open, with the common coverage of the
 * assets that have a weight; see coverage.h for the rule and the errors.
 */
enum status spec_resolve_dates(struct spec *spec, const struct market_data *market, struct err *err)
    NODISCARD;

/*
 * Runs spec on market. Open dates are resolved on a copy; spec itself is not changed.
 * Errors: those of spec_resolve_dates and panel_build; STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY; the
 * stop's own status (polled at every rebalance and every monkey).
 */
enum status backtest_run(const struct spec *spec, const struct market_data *market,
                         struct arena *arena, const struct stop *stop, struct backtest_result **ret,
                         struct err *err) NODISCARD;

/* What earlier runs on the same data have left. A result has the same bits with it or without, and borrows it. */
struct backtest_shared {
    const struct panel_shared *panel; /* of the same panel_key, the dates set; NULL: it is built */
    const struct monkey_crowd *crowd; /* of the same monkey_crowd_key; NULL: monkeys are played */
};

/* What is asked of a run. Nothing is worked out that none of it needs. */
struct backtest_selection {
    struct measure_set measures;
    bool has_tables; /* the line of declines, the deepest of them, and the calendar */
};

/*
 * Lines, ledger and what is wanted of the strategy alone, the same as backtest_run's bit for bit: no list of trades, run
 * without costs, cash drag, measures of the benchmark itself, monkeys, intervals or warnings. For rows of a batch, and for who
 * asks for a few figures. panel: what panel_build makes of this spec, or of another one with the same panel_key, on the same
 * data; NULL: it is built. wanted: NULL for measure_headlines, in the forms of the spec's metrics_profile.
 */
enum status backtest_figures(const struct spec *spec, const struct market_data *market,
                             const struct panel *panel, const struct backtest_selection *wanted,
                             struct arena *arena, const struct stop *stop,
                             struct backtest_result **ret, struct err *err) NODISCARD;

/*
 * What can be said before the run: dates, panel and the warnings that follow from data and rules alone. Lines and
 * figures of the result are empty. Errors: as backtest_run before it simulates.
 */
enum status backtest_preview(const struct spec *spec, const struct market_data *market,
                             struct arena *arena, const struct stop *stop,
                             struct backtest_result **ret, struct err *err) NODISCARD;

/*
 * The run alone, for those who run a request again: no monkeys, no benchmark unless the strategy looks at
 * it, nothing that is asked about the result. Equity, trades and the figures of the portfolio itself have the same bits.
 */
enum status backtest_run_bare(const struct spec *spec, const struct market_data *market,
                              struct arena *arena, const struct stop *stop,
                              struct backtest_result **ret, struct err *err) NODISCARD;

/* backtest_run with what earlier runs have left; kept: NULL for nothing. */
enum status backtest_run_among(const struct spec *spec, const struct market_data *market,
                               const struct backtest_shared *kept, struct arena *arena,
                               const struct stop *stop, struct backtest_result **ret,
                               struct err *err) NODISCARD;

#endif
