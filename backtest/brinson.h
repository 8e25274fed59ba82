/*
 * brinson.h - how a portfolio came to differ from one of fixed weights: which groups it held more of, and what it held
 * in them. Pure apart from the arena; callable from any thread.
 *
 * Session t, group g: w_p the share of the wealth that the session began with, w_b the benchmark's, R_p and R_b the
 * returns of the group in each, R the benchmark's own:
 *   allocation (w_p - w_b)(R_b - R), selection w_b (R_p - R_b), interaction (w_p - w_b)(R_p - R_b)
 * The benchmark's weights are restored at every close, without costs. Cash is a group of return 0 that the benchmark does
 * not hold: its allocation. A group that the benchmark does not hold has R_b = R_p, one that the portfolio did not hold
 * when the session began R_p = R_b, and what was bought during the session adds to interaction. Sessions are linked by
 * k_t / K, k_t = (ln(1 + R_pt) - ln(1 + R_t)) / (R_pt - R_t), K the same of the whole run, so that all effects and
 * `other` (costs, interest) add up to the difference of the compounded returns.
 * Sources: G. Brinson, N. Fachler, "Measuring Non-US Equity Portfolio Performance", Journal of Portfolio Management 11(3),
 * 1985; G. Brinson, L. Hood, G. Beebower, "Determinants of Portfolio Performance", Financial Analysts Journal 42(4), 1986;
 * linked as D. Carino, 1999.
 */
#ifndef BACKTEST_BRINSON_H
#define BACKTEST_BRINSON_H

#include "backtest/engine.h"
#include "backtest/spec.h"

struct brinson_group {
    struct str name;                 /* of the group, or the uid of an asset without one */
    double weight, benchmark_weight; /* means over the sessions */
    double allocation, selection, interaction;
};

struct brinson {
    struct brinson_group *group; /* in the order of the request */
    size_t n;
    double cash;  /* allocation of cash */
    double other; /* costs, interest and the like */
    double benchmark_return, active_return;
};

/*
 * Of the run that recorder kept, whose ledger is complete and whose equity stays above 0. *ret stays NULL when the
 * benchmark loses everything. Errors: STATUS_OUT_OF_MEMORY.
 */
enum status brinson_compute(const struct spec *spec, const struct panel *panel,
                            const struct sim_recorder *recorder, const double *equity,
                            const double *wealth, struct arena *arena, const struct brinson **ret,
                            struct err *err) NODISCARD;

#endif
