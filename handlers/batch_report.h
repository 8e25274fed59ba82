/*
 * batch_report.h - what is said of a batch as a whole: its best item and, for a sweep, how much of that is luck
 * (backtest/overfit.h). One thread.
 */
#ifndef HANDLERS_BATCH_REPORT_H
#define HANDLERS_BATCH_REPORT_H

#include "handlers/batch_study.h"
#include "handlers/sweep.h"

struct batch_summary {
    struct str job_id;
    const struct sweep_kept *kept;
    int64_t n_items, n_failed, generation;
    const struct batch_study *study;     /* NULL: no sweep */
    const struct overfit_splits *splits; /* of its trials; NULL: too few */
    struct str futures;                  /* JSON; ptr NULL: none were drawn */
    struct str frontier;                 /* JSON; ptr NULL: none */
    struct str no_frontier;              /* slug of why there is none; ptr NULL: not asked for */
};

/* The job's result as JSON, in the arena. */
enum status batch_report(struct db *db, const struct batch_summary *summary, struct arena *arena,
                         struct str *ret, struct err *err) NODISCARD;

#endif
