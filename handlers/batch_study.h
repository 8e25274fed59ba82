/*
 * batch_study.h - the trials of a sweep for its report on overfitting (backtest/overfit.h), and the same as bytes, so that
 * another worker goes on behind the last chunk with the same sums bit for bit. One thread.
 */
#ifndef HANDLERS_BATCH_STUDY_H
#define HANDLERS_BATCH_STUDY_H

#include "backtest/overfit.h"
#include "handlers/batch_team.h"
#include "store/backtest_study_store.h"

/* The trials of a sweep that share their sessions with the first one that ran. */
struct batch_study {
    struct overfit_study study;
    bool is_begun;
    size_t n_max; /* trials there may be */
    const struct kernels *kernels;
    int32_t first, last; /* sessions of the first */
    size_t n_others;     /* trials with other sessions, left out */
    int64_t *item;       /* of each column */
};

/* In the order of items. */
enum status batch_study_add(struct batch_study *study, const struct batch_outcome *outcome,
                            struct arena *arena, struct err *err) NODISCARD;

/* Trials from number `from` on, and the sums over all of them, as backtest_study_add takes them; in the arena. */
enum status batch_study_keep(const struct batch_study *study, size_t from, struct arena *arena,
                             struct str *ret_trials, struct str *ret_state, struct err *err)
    NODISCARD;

/*
 * What was kept becomes the study, of which n_max is set alone. *ret_is_whole false: it is not the whole of what was
 * added by n_done items, and the study is empty. Errors: OUT_OF_MEMORY, TOO_LARGE.
 */
enum status batch_study_recall(struct batch_study *study, const struct backtest_study_kept *kept,
                               int64_t n_done, struct arena *arena, bool *ret_is_whole,
                               struct err *err) NODISCARD;

/*
 * The splits of the study on the threads of a team, in the arena; *ret is NULL when there are fewer than two trials.
 * Errors: OUT_OF_MEMORY, the stop's own status.
 */
enum status batch_study_splits(const struct batch_study *study, struct batch_team *team,
                               struct arena *arena, const struct stop *stop,
                               const struct overfit_splits **ret, struct err *err) NODISCARD;

#endif
