/*
 * batch.h - many portfolios over one panel under the same rules, valued side by side.
 * Pure: no allocation, no I/O; one workspace per thread, which takes its share of the portfolios; panel
 * and rules are shared. Same input, same bits: a portfolio's equity is what simulate() gives it alone,
 * and its figures are those of measure_compute(), whoever stands beside it.
 *
 * Prices of the sessions between two rebalances stay in the nearest cache while BATCH_GROUP portfolios
 * are valued with them; fills, and flows after a close, move them lane by lane (kernels.h). Portfolios
 * of which that cannot be had - something closed on the day of a fill, a delisting, bands, flows before
 * the open or to the most underweight, costs that are not proportional - are simulated each by itself,
 * all of them through a few sessions at a time.
 */
#ifndef BACKTEST_BATCH_H
#define BACKTEST_BATCH_H

#include "backtest/engine.h"
#include "backtest/kernels.h"
#include "backtest/measure.h"

enum { BATCH_GROUP = 32 }; /* a multiple of KERNEL_PORTFOLIOS */

/* The headline figures, each a row of metrics.def. */
enum batch_figure {
    BATCH_TOTAL_RETURN,
    BATCH_CAGR,
    BATCH_VOLATILITY,
    BATCH_DOWNSIDE_DEVIATION,
    BATCH_SKEWNESS,
    BATCH_KURTOSIS_EXCESS,
    BATCH_SHARPE,
    BATCH_SORTINO,
    BATCH_MAX_DRAWDOWN,
    BATCH_CALMAR,
    BATCH_ULCER_INDEX,
    BATCH_WORST_DAY,
    BATCH_MEASURE_COUNT
};
extern const enum measure_id batch_measures[BATCH_MEASURE_COUNT];

struct batch_row {
    double value[BATCH_MEASURE_COUNT]; /* by batch_figure; NaN: undefined */
    double terminal;                   /* money at the end */
};

/* What the portfolios of a batch share. */
struct batch {
    const struct panel *panel;
    const struct sim_rules *rules;
    double periods_per_year;
    double risk_free_rate; /* annual */
};

struct batch_workspace {
    struct sim_workspace single[BATCH_GROUP]; /* for portfolios that are not valued in lanes */
    struct price_tiles tiles;                 /* with bands */
    size_t max_names;                         /* of one portfolio */
    size_t max_columns;                       /* of a group's portfolios together */
    double *equity[BATCH_GROUP];              /* [n_sessions] each: the result */
    double
        terminal[BATCH_GROUP]; /* money at the end; with flows not the same as the equity there */
    double *units, *target, *value, *weight; /* [max_columns * BATCH_GROUP] */
    double *price;                           /* [max_columns] */
    double *tile;                            /* [max_columns * KERNEL_TILE] */
    const double **column;
    size_t *asset;
    size_t
        *place; /* per panel column: where it stands in the group's columns, from 1; 0: nowhere */
    double *returns, *drawdown; /* [n_sessions] */
};

/* Room for plans of up to max_names names each. Errors: STATUS_TOO_LARGE. */
enum status batch_workspace_init(struct batch_workspace *workspace, const struct batch *batch,
                                 size_t max_names, struct arena *arena, struct err *err) NODISCARD;

/*
 * Plays n <= BATCH_GROUP plans; workspace->equity[p] is the equity of plans[p] until the next call.
 * Errors: only the stop's own status.
 */
enum status batch_play(const struct batch *batch, const struct plan *plans, size_t n,
                       struct batch_workspace *workspace, const struct stop *stop, struct err *err)
    NODISCARD;

/* The figures of workspace->equity[p]. */
struct batch_row batch_measure(const struct batch *batch, struct batch_workspace *workspace,
                               size_t p);

/* Both for any number of plans; ret has room for n rows. Errors: only the stop's own status. */
enum status batch_run(const struct batch *batch, const struct plan *plans, size_t n,
                      struct batch_workspace *workspace, struct batch_row *ret,
                      const struct stop *stop, struct err *err) NODISCARD;

#endif
