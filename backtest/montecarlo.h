/*
 * montecarlo.h - futures drawn from the past of a finished run, with or without money paid in or out.
 * Path k is a pure function of (seed, k): callers split paths over threads as they like and get the
 * same bytes. A montecarlo is read-only once made; each thread brings its own block buffer.
 *
 * Models: the stationary, circular block and independent bootstraps of resample.h, and independent
 * normal returns with the mean and standard deviation (n - 1) of the past.
 */
#ifndef BACKTEST_MONTECARLO_H
#define BACKTEST_MONTECARLO_H

#include "backtest/resample.h"
#include "base/stop.h"

#include <stdbool.h>

enum montecarlo_model {
    MONTECARLO_STATIONARY,
    MONTECARLO_BLOCK,
    MONTECARLO_IID,
    MONTECARLO_NORMAL,
    MONTECARLO_MODEL_COUNT
};
extern const char *const montecarlo_model_names[MONTECARLO_MODEL_COUNT];

enum { MONTECARLO_QUANTILES = 7, MONTECARLO_GOALS_MAX = 8 };
extern const double montecarlo_quantiles[MONTECARLO_QUANTILES]; /* 1 5 25 50 75 95 99 % */

struct montecarlo_rules {
    enum montecarlo_model model;
    double mean_block; /* >= 1 */
    size_t horizon;    /* sessions of a path, > 0 */
    uint64_t seed;
    double capital;    /* > 0 */
    double flow;       /* paid in (< 0: taken out) after every flow_every sessions */
    size_t flow_every; /* 0: never */
    double periods_per_year;
    double goals[MONTECARLO_GOALS_MAX]; /* amounts whose chance not to be reached is asked for */
    size_t n_goals;
};

struct montecarlo {
    struct montecarlo_rules rules;
    double mean, sd;
    struct resample_source source;
    struct resample_plan plan;
};

struct montecarlo_path {
    double terminal;     /* money at the end, flows included */
    double growth;       /* of one unit of money, without flows */
    double max_drawdown; /* of that unit; <= 0 */
    bool is_exhausted;   /* a withdrawal took the last of it, or every return was lost */
};

/* n >= 2 returns above -1. Errors: STATUS_OUT_OF_MEMORY. */
enum status montecarlo_init(struct montecarlo *ret, const struct montecarlo_rules *rules,
                            const double *r, size_t n, struct arena *arena, struct err *err)
    NODISCARD;

/* Paths [from, to) into ret[0..to - from); blocks has room for rules.horizon. Errors: the stop's own. */
enum status montecarlo_play(const struct montecarlo *mc, size_t from, size_t to,
                            struct resample_block *blocks, const struct stop *stop,
                            struct montecarlo_path *ret, struct err *err) NODISCARD;

struct montecarlo_spread {
    double mean, quantile[MONTECARLO_QUANTILES];
};

struct montecarlo_report {
    size_t count;
    struct montecarlo_spread terminal, cagr, max_drawdown; /* cagr: of growth, P / horizon */
    double loss;      /* share of paths whose terminal is below the money put in, net */
    double exhausted; /* share of paths */
    double below_goal[MONTECARLO_GOALS_MAX];
};

/* n > 0 paths, in their order. Errors: STATUS_OUT_OF_MEMORY. */
enum status montecarlo_summarise(const struct montecarlo *mc, const struct montecarlo_path *paths,
                                 size_t n, struct arena *arena, struct montecarlo_report *ret,
                                 struct err *err) NODISCARD;

#endif
