/*
 * walk_forward.h - a strategy that chooses another: at each re-fit the candidate that was best over the
 * training window, traded until the next one.
 * Pure apart from the arena; callable from any thread.
 *
 * A candidate's path is its own rows at the decisions of the run's calendar, carried out at the close
 * after the decision (same_close: at its own), drifting in between, with the proportional costs of the
 * request. It is causal: what is scored at a decision ends at that decision's close.
 * Source: R. Pardo, "The Evaluation and Optimization of Trading Strategies", 2nd ed., 2008, chapter 11.
 */
#ifndef BACKTEST_WALK_FORWARD_H
#define BACKTEST_WALK_FORWARD_H

#include "backtest/overfit.h"
#include "backtest/strategy_row.h"

enum { WALK_TRAIN_MIN = 20, WALK_CANDIDATES_MAX = 256 };

enum walk_criterion { WALK_SHARPE, WALK_SORTINO, WALK_TOTAL_RETURN, WALK_CRITERION_COUNT };
extern const char *const walk_criterion_names[WALK_CRITERION_COUNT];

struct walk_fit {
    uint32_t session;     /* of the run: the decision that chose */
    int32_t train_from;   /* the close where the training window begins */
    size_t chosen;        /* candidate */
    double in_sample;     /* its score over the training window; NaN when it does not vary */
    double out_of_sample; /* over the sessions until the next fit, or the end; NaN likewise */
    const double *scores; /* [n_candidates], in sample */
};

struct walk_report {
    const struct walk_fit *fits;
    size_t n; /* 0: no search */
    size_t n_candidates;
    bool has_trials; /* enough sessions and candidates to judge the search */
    struct overfit_report trials;
};

struct walk_scene {
    const struct spec *spec;
    const struct strategy *strategy; /* of STRATEGY_SEARCH */
    struct strategy_market market;   /* with n_before sessions of history where there are so many */
    const uint32_t *due;             /* decisions of the run */
    size_t n_due, n_run;             /* sessions of the run */
    enum spec_fill fill;
    double cost_rate; /* of the traded value */
    const double *
        risk_free; /* of the return from session t of the history to t + 1; NULL: the market's one rate */
};

/* Sessions of its training windows, and those between two fits. */
size_t walk_train(const struct strategy *strategy);
size_t walk_test(const struct strategy *strategy);

/* Sessions of history that a search can use. */
size_t walk_history_needed(const struct strategy *strategy);

/* One search; fill rows in the order of the decisions. */
struct walk {
    const struct walk_scene *scene;
    struct strategy_workspace *workspace; /* [n_candidates] */
    double *path; /* n_candidates x n_sessions of returns, from session `from` on */
    double *scores;
    double *excess; /* scratch: returns less the dated rate */
    size_t from;
    struct walk_fit *fits;
    size_t n_fits;
};

/* Plays every candidate. Errors: STATUS_TOO_LARGE, STATUS_OUT_OF_MEMORY, the stop's own status. */
enum status walk_open(const struct walk_scene *scene, struct arena *arena, const struct stop *stop,
                      struct walk *ret, struct err *err) NODISCARD;

/* The row of decision d, by the candidate in force; fits again when that is due. */
enum strategy_note walk_row(struct walk *walk, size_t d, double *ret_weight);

/* Scores out of sample, and what the search is worth. Errors: STATUS_OUT_OF_MEMORY, the stop's. */
enum status walk_close(struct walk *walk, struct arena *arena, const struct stop *stop,
                       struct walk_report *ret, struct err *err) NODISCARD;

#endif
