/*
 * batch_report.h - what is said of a batch as a whole: its best item and, for a sweep, how much of that is luck
 * (backtest/overfit.h). One thread.
 */
#ifndef HANDLERS_BATCH_REPORT_H
#define HANDLERS_BATCH_REPORT_H

#include "backtest/overfit.h"
#include "handlers/batch_team.h"
#include "handlers/sweep.h"

/* The trials of a sweep that share their sessions with the first one that ran. */
struct batch_study {
    struct overfit_study study;
    bool is_begun;
    size_t n_max;        /* trials there may be */
    int32_t first, last; /* sessions of the first */
    size_t n_others;     /* trials with other sessions, left out */
    int64_t *item;       /* of each column */
};

/* In the order of items. */
enum status batch_study_add(struct batch_study *study, const struct batch_outcome *outcome,
                            struct arena *arena, struct err *err) NODISCARD;

struct batch_summary {
    struct str job_id;
    const struct sweep_kept *kept;
    int64_t n_items, n_failed, generation;
    const struct batch_study *study; /* NULL: no sweep */
    struct str futures;              /* JSON; ptr NULL: none were drawn */
    struct str frontier;             /* JSON; ptr NULL: none */
    struct str no_frontier;          /* slug of why there is none; ptr NULL: not asked for */
};

/* The job's result as JSON, in the arena. */
enum status batch_report(struct db *db, const struct batch_summary *summary, struct arena *arena,
                         const struct stop *stop, struct str *ret, struct err *err) NODISCARD;

#endif
