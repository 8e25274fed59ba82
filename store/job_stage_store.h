/*
 * job_stage_store.h - the stages of a job that has some: which were finished, by which attempt, and what they report. A stage
 * is written by the worker that holds the job's fence, and is finished once. Threads as job_store.h.
 */
#ifndef STORE_JOB_STAGE_STORE_H
#define STORE_JOB_STAGE_STORE_H

#include "store/job_store.h"

enum { JOB_STAGES_MAX = 8 };

struct job_stage {
    int64_t seq; /* its place in the job, from 0 */
    struct str name;
    struct str state;    /* running, succeeded or failed */
    int64_t attempts;    /* how often it was begun */
    int64_t started_ms;  /* of the last attempt */
    int64_t finished_ms; /* 0: not yet */
    struct str report;   /* JSON; ptr NULL: none */
};

/* One more attempt begins. *ret_is_held false: the job is another's, and nothing was written. */
enum status job_stage_begin(struct db *db, const struct job_fence *fence, int64_t seq,
                            struct str name, bool *ret_is_held, struct err *err) NODISCARD;

/* In one transaction with the job's progress: seq + 1 stages are done when it succeeded. */
enum status job_stage_end(struct db *db, const struct job_fence *fence, int64_t seq,
                          bool has_succeeded, struct str report, bool *ret_is_held, struct err *err)
    NODISCARD;

/* Those of job in their order, into the record. */
enum status job_stage_read(struct db *db, struct arena *arena, struct job_record *job,
                           struct err *err) NODISCARD;

#endif
