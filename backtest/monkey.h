/*
 * monkey.h - random portfolios under the strategy's own rules: is the strategy better than chance?
 *
 * Monkey i draws as many names as the strategy has weights, without replacement, from the universe;
 * weights are Dirichlet(1), that is uniform on the simplex (normalised exponentials), times the
 * strategy's invested share; a strategy that is short in some names has monkeys that are short in as
 * many, the first drawn, by the same share in all. Limits on names and groups bind monkeys too (monkey_limits.h); then it
 * is simulated with the same panel, schedule, fills and costs. What its names bring of other shares it keeps as the
 * strategy does.
 * It uses the random stream (seed, i) only, so it is the same alone or in a batch.
 * A game is used by one thread; several games may share a panel.
 */
#ifndef BACKTEST_MONKEY_H
#define BACKTEST_MONKEY_H

#include "backtest/engine.h"
#include "backtest/monkey_limits.h"

struct batch_workspace;
struct measure_path;

enum monkey_statistic {
    MONKEY_CAGR,
    MONKEY_SHARPE,
    MONKEY_MAX_DRAWDOWN, /* negative: a higher one is better, as everywhere here */
    MONKEY_TERMINAL_WEALTH,
    MONKEY_STATISTIC_COUNT
};
extern const char *const monkey_statistic_names[MONKEY_STATISTIC_COUNT];

enum { MONKEY_GROUP = 32 }; /* played side by side: BATCH_GROUP of batch.h */

enum { MONKEY_QUANTILE_COUNT = 5 };
extern const double monkey_quantiles[MONKEY_QUANTILE_COUNT]; /* 0.05 0.25 0.5 0.75 0.95 */

/* The statistics of one equity path; NaN where one is undefined (the Sharpe ratio of a flat line). */
struct monkey_score {
    double value[MONKEY_STATISTIC_COUNT];
};

struct monkey_rank {
    double percentile; /* (#{m < s} + #{m = s} / 2) / n */
    double p_value;    /* (1 + #{m >= s}) / (n + 1) */
};

struct monkey_row {
    double strategy; /* NaN: undefined, and so is the rank */
    struct monkey_rank rank;
    double quantile[MONKEY_QUANTILE_COUNT]; /* of the monkeys; valid when n > 0 */
    size_t n;                               /* monkeys with a value */
};

struct monkey_report {
    size_t count;   /* monkeys played; 0 when the universe has no usable asset */
    size_t n_names; /* that each held */
    struct monkey_row row[MONKEY_STATISTIC_COUNT];
};

struct monkey_game {
    const struct panel *panel;
    const struct sim_rules *rules;
    uint64_t seed;
    size_t n_names;
    size_t n_short;                       /* of the names, sold short */
    double long_share, short_share;       /* what the longs add up to, and the shorts (<= 0) */
    double invested_share;                /* their sum */
    double periods_per_year, rate, years; /* rate: risk-free, per session */
    const double
        *risk_free; /* instead of rate, one for each scored return; NULL: rate. Set after _init */
    double risk_free_rate; /* a year */
    const int32_t *date;   /* what is scored: n_scored values, of these dates */
    size_t n_scored;
    const uint32_t *at; /* the sessions they are taken at; NULL: every session of the panel */
    double scored_from; /* with at: their first value, to which the rest is scaled */
    double *sample;     /* with at: scratch, n_scored */
    struct monkey_limits limits; /* with has_limits: those of the strategy */
    bool has_limits;
    double invested[MONKEY_GROUP];     /* shares of those played last */
    struct batch_workspace *workspace; /* equity[p] of the p-th of the monkeys played last */
    struct plan *plans;
    uint32_t *
        gifts; /* events of the panel that bring what is kept, the first of each asset and column */
    size_t n_gifts;
    size_t n_room;  /* columns that a plan may have: n_names, and what they may bring */
    size_t *deck;   /* the universe's columns, shuffled anew by each monkey */
    bool *is_drawn; /* per panel column */
    size_t *asset;  /* the draws: room for n_room columns each, rising */
    double *weight;
    bool *is_short;  /* per panel column, of those drawn */
    double *returns; /* scratch, n_scored */
};

/*
 * What the strategy decided, for monkeys to be matched with: plan and n_due decisions, or NULL when the
 * weights of spec say it all. A strategy whose decisions differ has monkeys that hold as many names, and
 * as large an invested share, as it did on average.
 */
struct monkey_model {
    const struct plan *plan;
    size_t n_due;
};

/* n_names: as many as the strategy holds; fewer when the universe is smaller. */
enum status monkey_game_init(struct monkey_game *game, const struct panel *panel,
                             const struct spec *spec, const struct sim_rules *rules,
                             double periods_per_year, const struct monkey_model *model,
                             struct arena *arena, struct err *err) NODISCARD;

/*
 * Scores are taken on the dates of path from here on, on each from the last session on or before it (or the first),
 * scaled so that they begin with path->value[0]; rate is per period of the path. Before monkey_game_open.
 */
enum status monkey_game_look_at(struct monkey_game *game, const struct measure_path *path,
                                double rate, struct arena *arena, struct err *err) NODISCARD;

/* Room to play in; a game that only scores paths needs none. Errors: STATUS_OUT_OF_MEMORY, TOO_LARGE. */
enum status monkey_game_open(struct monkey_game *game, struct arena *arena, struct err *err)
    NODISCARD;

/*
 * The statistics of any equity path over the dates that are scored, terminal being the money at its end; the
 * strategy's are taken the same way.
 */
struct monkey_score monkey_score_path(struct monkey_game *game, const double *equity,
                                      double terminal);

/*
 * Of an open game: draws and plays the n <= MONKEY_GROUP monkeys from first on, side by side; each has the bits it has
 * alone. Their equity stays in game->workspace until the next call. Errors: only the stop's own status.
 */
enum status monkey_play(struct monkey_game *game, size_t first, size_t n, const struct stop *stop,
                        struct monkey_score *ret, struct err *err) NODISCARD;

/* Of n > 0 monkeys. */
struct monkey_rank monkey_rank_counts(size_t n_below, size_t n_equal, size_t n);

/* n > 0. */
struct monkey_rank monkey_rank(double strategy, const double *monkeys, size_t n);

#endif
